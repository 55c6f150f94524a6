"""Which packages does everything lean on? PageRank over the dependencies in a Debian package index.

    howdah hdfs sales put Packages /in/Packages
    howdah submit sales spark pagerank.py /in/Packages

The index is what `apt-cache dumpavail` prints: paragraphs of `Field: value` lines (deb822).
"""

# ruff: noqa: T201  its table is its output

import argparse
import re
from collections.abc import Iterator

from pyspark import RDD, SparkContext

DAMPING = 0.85
SPLIT = 4 * 2**20
"""Bytes of the index for one task: it is smaller than one HDFS block, and would be one task otherwise."""

Package = tuple[str, tuple[str, ...]]


def paragraphs(context: SparkContext, path: str) -> RDD[str]:
    """The index, a package a record."""
    settings = {
        "textinputformat.record.delimiter": "\n\n",
        "mapreduce.input.fileinputformat.split.maxsize": str(SPLIT),
    }
    records = context.newAPIHadoopFile(
        path,
        "org.apache.hadoop.mapreduce.lib.input.TextInputFormat",
        "org.apache.hadoop.io.LongWritable",
        "org.apache.hadoop.io.Text",
        conf=settings,
    )
    return records.values()


def parse(paragraph: str) -> Iterator[Package]:
    """A package and what it depends on. Of alternatives (`a | b`) the first counts; versions do not."""
    fields = dict(line.split(": ", 1) for line in paragraph.split("\n") if re.match(r"[A-Z][\w-]*: ", line))
    if "Package" not in fields:
        return
    relations = f"{fields.get('Pre-Depends', '')}, {fields.get('Depends', '')}".split(",")
    names = (re.match(r"\s*([a-z0-9][a-z0-9+.-]+)", relation) for relation in relations)
    yield fields["Package"], tuple(sorted({name[1] for name in names if name} - {fields["Package"]}))


def contributions(package: tuple[str, tuple[tuple[str, ...], float]]) -> Iterator[tuple[str, float]]:
    """What a package gives of its rank: the same to each that it depends on. Itself nothing, to stay in the list."""
    name, (dependencies, rank) = package
    yield name, 0.0
    for dependency in dependencies:
        yield dependency, rank / len(dependencies)


def main() -> None:
    """Read, iterate, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("index", help="path of the package index in HDFS")
    options.add_argument("--iterations", type=int, default=10)
    options.add_argument("--top", type=int, default=10)
    options.add_argument("--partitions", type=int, default=4)
    chosen = options.parse_args()

    context = SparkContext(appName="PageRank of packages")
    packages = paragraphs(context, chosen.index).flatMap(parse)
    # Two suites may have two versions of a package: one of them will do.
    links = packages.reduceByKey(lambda one, _: one, chosen.partitions).cache()
    ranks = links.mapValues(lambda _: 1.0)
    for _ in range(chosen.iterations):
        given = links.join(ranks, chosen.partitions).flatMap(contributions)
        ranks = given.reduceByKey(lambda a, b: a + b, chosen.partitions).mapValues(
            lambda rank: 1 - DAMPING + DAMPING * rank
        )
    needed_by = links.flatMapValues(lambda names: names).map(lambda pair: (pair[1], 1))
    counts = needed_by.reduceByKey(lambda a, b: a + b, chosen.partitions)
    # Joined with the links, so that names without a package (virtual ones) drop out.
    table = links.join(ranks).join(counts).mapValues(lambda row: (row[0][1], row[1]))
    best = table.top(chosen.top, key=lambda row: row[1][0])

    print(f"{links.count()} packages, {links.values().map(len).sum()} dependencies, {chosen.iterations} iterations")
    print(f"{'rank':>4}  {'package':<24} {'PageRank':>10} {'needed by':>10}")
    for place, (name, (rank, count)) in enumerate(best, 1):
        print(f"{place:>4}  {name:<24} {rank:>10.1f} {count:>10}")
    context.stop()


if __name__ == "__main__":
    main()
