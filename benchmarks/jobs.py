"""Small jobs, with our defaults against Hadoop's, Spark's and the JVM's own."""

from collections.abc import Mapping
from typing import Any

from benchmarks.figures import Figure
from benchmarks.stock import FLAGS, INTERVALS
from benchmarks.subject import Options, launched
from howdah.model.job import JobKind, JobSpec

GOAL = 0.5
PYSPARK = JobSpec(JobKind.SPARK, "local:/opt/spark/examples/src/main/python/pi.py", ("4",))
MAPREDUCE = JobSpec(JobKind.MAPREDUCE, "local:hadoop-mapreduce-examples", ("pi", "4", "1000"))


def merged(*settings: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """Several settings as one."""
    whole: dict[str, dict[str, Any]] = {}
    for one in settings:
        for file, properties in one.items():
            whole.setdefault(file, {}).update(properties)
    return whole


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """A cluster of ours, one of theirs, and so on; in each, every job once to warm up and then ``each`` times."""
    each = options.size(3, 1)
    taken: dict[tuple[str, bool], list[float]] = {}
    for _ in range(options.runs):
        for is_stock in (False, True):
            settings = merged(FLAGS, INTERVALS) if is_stock else None
            with launched("bench-stock" if is_stock else "bench-ours", settings, is_stock=is_stock) as subject:
                for name, spec in (("PySpark", PYSPARK), ("MapReduce", MAPREDUCE)):
                    if not options.quick:
                        subject.job(spec)
                    row = taken.setdefault((name, is_stock), [])
                    row += [subject.job(spec) for _ in range(each)]
                    options.say(f"{name} {'stock' if is_stock else 'ours'} {row}")
    figures = [
        Figure(f"{name} Pi on YARN", "s", tuple(taken[name, False]), tuple(taken[name, True]), GOAL)
        for name in ("PySpark", "MapReduce")
    ]
    return figures, [
        "`submit` to outcome, the client's own start included.",
        "On each cluster every job ran three times, after one that does not count.",
        "Stock: no class archive, the JVM's own collector and compilers, Hadoop's and Spark's intervals, no uber mode.",
        "Spark's jars are on the nodes on both sides; stock Spark would upload 300 MB for each job.",
    ]
