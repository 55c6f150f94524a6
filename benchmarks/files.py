"""A large file into HDFS and back from here, against the same copy inside the gateway."""

import os
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.subject import Options, Subject, launched

GOAL = 2.0


def run(options: Options) -> tuple[list[Figure], list[str]]:
    """In turns on one cluster."""
    size = options.size(10**9, 10**7)
    rows: dict[str, list[float]] = {name: [] for name in ("put", "put inside", "get", "get inside")}
    with launched("bench-files") as subject, tempfile.TemporaryDirectory(dir=_room()) as folder:
        source = Path(folder) / "source"
        with source.open("wb") as file:
            for _ in range(0, size, 10**6):
                file.write(os.urandom(10**6))
        subject.inside("gw1", "sh", "-c", f"head -c {size} /dev/urandom >/scratch/source")
        subject.inside("gw1", "hdfs", "dfs", "-mkdir", "-p", "/bench")
        for _ in range(options.runs):
            _one_turn(subject, Path(folder), rows)
            options.say(str(rows))
    figures = [
        Figure(
            f"`howdah hdfs NAME {verb}` of {size // 10**6} MB",
            "s",
            tuple(rows[verb]),
            tuple(rows[f"{verb} inside"]),
            GOAL,
        )
        for verb in ("put", "get")
    ]
    return figures, [
        "Against `hdfs dfs` in the gateway, from and to its own disk. Both write two replicas; ours compares checksums."
    ]


def _room() -> str | None:
    """Where there is room: /tmp is often in memory."""
    return "/var/tmp" if os.path.isdir("/var/tmp") else None


def _one_turn(subject: Subject, folder: Path, rows: dict[str, list[float]]) -> None:
    name, here = subject.name, str(folder / "source")
    rows["put"].append(subject.howdah("hdfs", name, "put", here, "/bench/ours"))
    rows["put inside"].append(_inside(subject, "-put", "/scratch/source", "/bench/theirs"))
    rows["get"].append(subject.howdah("hdfs", name, "get", "/bench/ours", str(folder / "back")))
    rows["get inside"].append(_inside(subject, "-get", "/bench/theirs", "/scratch/back"))
    if (folder / "back").stat().st_size != (folder / "source").stat().st_size:
        raise SystemExit("what came back is not what was put")
    (folder / "back").unlink()
    subject.inside("gw1", "rm", "/scratch/back")
    subject.inside("gw1", "hdfs", "dfs", "-rm", "-skipTrash", "/bench/ours", "/bench/theirs")


def _inside(subject: Subject, *argv: str) -> float:
    begun = time.monotonic()
    subject.inside("gw1", "hdfs", "dfs", *argv)
    return time.monotonic() - begun
