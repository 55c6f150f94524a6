"""The ten most frequent words of a text: `spark-submit wordcount.py /in/README.md`."""

import sys

from pyspark.sql import SparkSession
from pyspark.sql.functions import col, explode, lower, split

spark = SparkSession.builder.appName("wordcount").getOrCreate()
words = spark.read.text(sys.argv[1]).select(explode(split(lower(col("value")), r"[^a-z]+")).alias("word"))
words.where(col("word") != "").groupBy("word").count().orderBy(col("count").desc(), "word").show(10)
spark.stop()
