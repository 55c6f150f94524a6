"""A PySpark job of the usual kinds: rows in Python, SQL, joins, windows, files."""

from pyspark.sql import SparkSession, Window
from pyspark.sql import functions as f


def main():
    session = SparkSession.builder.appName("tables").getOrCreate()
    rides = session.range(1000).select("id", (f.col("id") % 7).alias("elephant"), (f.rand(1) * 30).alias("km"))
    rides.write.mode("overwrite").partitionBy("elephant").parquet("/tables/rides")
    names = session.createDataFrame([(n, "elephant %d" % n) for n in range(7)], ["elephant", "name"])
    names.write.mode("overwrite").option("header", True).csv("/tables/names")
    names.write.mode("overwrite").json("/tables/names.json")
    rides = session.read.parquet("/tables/rides")
    rides.join(names, "elephant").groupBy("name").agg(f.sum("km"), f.countDistinct("id")).orderBy("name").show()
    rides.withColumn("rank", f.row_number().over(Window.partitionBy("elephant").orderBy(f.desc("km")))).filter(
        "rank = 1"
    ).show()
    rides.createOrReplaceTempView("rides")
    session.sql("SELECT elephant, percentile_approx(km, 0.5) FROM rides GROUP BY elephant HAVING count(*) > 1").show()
    session.udf.register("longer", lambda km: km * 1.1, "double")
    session.sql("SELECT sum(longer(km)) FROM rides").show()
    words = session.sparkContext.textFile("/tables/names").flatMap(str.split).map(lambda word: (word, 1))
    print(words.reduceByKey(lambda a, b: a + b).sortByKey().collect())
    session.stop()


main()
