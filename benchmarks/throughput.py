"""The guard: what starts fast must not run slowly. Longer work with our flags against the JVM's own."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.stock import FLAGS
from benchmarks.subject import Options, Subject, launched
from howdah.model.job import JobKind, JobSpec

GOAL = 1.05
EXAMPLES = "local:hadoop-mapreduce-examples"
ROW = 100
"""Bytes of a row of TeraGen."""
AGGREGATION = """
import sys
from pyspark.sql import SparkSession, functions as f

spark = SparkSession.builder.appName("aggregation").getOrCreate()
for number in range(int(sys.argv[1])):
    rows = spark.range(int(sys.argv[2])).select((f.col("id") % 1000).alias("key"), f.rand(number).alias("value"))
    rows.groupBy("key").agg(f.sum("value"), f.stddev("value"), f.max("value")).agg(f.count("*")).collect()
"""
SIDES = (("quick", False), ("steady", False), ("stock", True))


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """Ours for short lives, ours for long ones, stock; each on a cluster of its own, in turns."""
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(options.runs):
        for side, is_stock in SIDES:
            with _cluster(side, is_stock=is_stock) as subject:
                for work, seconds in (
                    ("TeraSort", _terasort(subject, options)),
                    ("PySpark", _pyspark(subject, options)),
                ):
                    taken.setdefault((work, side), []).append(seconds)
                    options.say(f"{work} {side} {seconds:.1f} s")
    words = {
        "TeraSort": f"TeraSort of {options.size(1024, 10)} MiB",
        "PySpark": "PySpark aggregation of about two minutes",
    }
    figures = [
        Figure(f"{words[work]}, `jvm: {side}`", "s", tuple(taken[work, side]), tuple(taken[work, "stock"]), GOAL)
        for side in ("quick", "steady")
        for work in words
    ]
    return figures, [
        "`jvm: quick` is the default and compiles with C1 alone: it is for clusters of a short life.",
        "The stock side differs in the flags of the JVMs alone, of daemons, clients and tasks; the intervals are ours.",
    ]


@contextmanager
def _cluster(side: str, *, is_stock: bool) -> Iterator[Subject]:
    with launched(
        f"bench-{side}", FLAGS if is_stock else None, is_stock=is_stock, jvm="steady" if is_stock else side
    ) as subject:
        yield subject


def _terasort(subject: Subject, options: Options) -> float:
    rows = options.size(2**30, 10 * 2**20) // ROW
    subject.job(JobSpec(JobKind.MAPREDUCE, EXAMPLES, ("teragen", str(rows), "/bench/rows")))
    return subject.job(JobSpec(JobKind.MAPREDUCE, EXAMPLES, ("terasort", "/bench/rows", "/bench/sorted")))


def _pyspark(subject: Subject, options: Options) -> float:
    rounds, rows = options.size(20, 1), options.size(100_000_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "aggregation.py"
        program.write_text(AGGREGATION)
        return subject.job(JobSpec(JobKind.SPARK, str(program), (str(rounds), str(rows))))
