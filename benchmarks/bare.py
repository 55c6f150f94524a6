"""Containers against the same daemons as bare processes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import Figure
from benchmarks.processes import anonymous, bare
from benchmarks.subject import DAEMONS, Options, launched
from howdah.client import Client
from howdah.imaging.catalogue import DEFAULT

GOAL = 1.05
ROLLUP = """
for process in /proc/[0-9]*; do
    [ "$(cat $process/comm)" = java ] && cat $process/smaps_rollup && exit 0
done
"""
EXAMPLES = f"/opt/hadoop/share/hadoop-mapreduce-examples-{DEFAULT.share}.jar"
TESTS = f"/opt/hadoop/benchmarks/hadoop-mapreduce-client-jobclient-{DEFAULT.hadoop}-tests.jar"


@dataclass(frozen=True, slots=True)
class Side:
    """The daemons, one way or the other. ``run`` is for commands in the gateway, and says how long one took."""

    seconds: float
    run: Callable[..., float]
    memory: Callable[[], float]


@contextmanager
def _containers() -> Iterator[Side]:
    with launched("bench-bare") as subject:

        def run(*argv: str) -> float:
            begun = time.monotonic()
            subject.inside("gw1", *argv)
            return time.monotonic() - begun

        def memory() -> float:
            return sum(anonymous(subject.inside(instance, "sh", "-c", ROLLUP)) for instance in DAEMONS)

        yield Side(subject.seconds, run, memory)


@contextmanager
def _processes() -> Iterator[Side]:
    with Client() as client, bare(client) as processes:
        yield Side(processes.seconds, lambda *argv: processes.run("gw1", *argv), processes.memory)


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """In turns: one side is there, then the other."""
    rows: dict[tuple[str, str], list[float]] = {}
    for _ in range(options.runs):
        for name, side in (("containers", _containers), ("bare", _processes)):
            with side() as there:
                for what, value in _measured(there, options):
                    rows.setdefault((what, name), []).append(value)
                    options.say(f"{name} {what}: {value:.1f}")
    units = {"memory": "bytes"}
    words = {
        "start": "from nothing to ready",
        "memory": "memory of the six daemons, idle",
        "write": f"TestDFSIO, writing 4 files of {options.size(256, 4)} MB",
        "read": "TestDFSIO, reading them",
        "pi": "MapReduce Pi",
    }
    return [
        Figure(
            text,
            units.get(what, "s"),
            tuple(rows[what, "containers"]),
            tuple(rows[what, "bare"]),
            None if what == "start" else GOAL,
        )
        for what, text in words.items()
    ], [
        "Bare: the image's own files by chroot, the same configuration and flags, a bridge between them, no limits.",
        "Memory of both sides is what is backed by no file, as the kernel counts it for the six JVMs (`smaps_rollup`).",
        "The start of containers also verifies HDFS by a block and writes records; bare processes just run.",
    ]


def _measured(side: Side, options: Options) -> Iterator[tuple[str, float]]:
    yield "start", side.seconds
    time.sleep(options.size(30, 2))
    yield "memory", side.memory()
    sizes = ("-nrFiles", "4", "-size", f"{options.size(256, 4)}MB")
    dfsio = ("env", f"HADOOP_CLASSPATH={TESTS}", "hadoop", "org.apache.hadoop.fs.TestDFSIO", *sizes)
    for what, argv in {
        "write": (*dfsio, "-write"),
        "read": (*dfsio, "-read"),
        "pi": ("hadoop", "jar", EXAMPLES, "pi", "4", "1000"),
    }.items():
        # It leaves a file with its results.
        yield what, side.run("sh", "-c", 'cd /scratch && exec "$@"', "sh", *argv)
