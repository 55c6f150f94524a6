"""The record of results: one JSON document a line, each with where and when it was measured."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, table

CHECKOUT = Path(__file__).resolve().parents[1]
RESULTS = CHECKOUT / "benchmarks" / "results.jsonl"
PAGE = CHECKOUT / "docs" / "performance.md"
BEGIN, END = "<!-- results: python -m benchmarks table -->", "<!-- end of results -->"


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one benchmark. ``load`` is the one-minute load average before and after; ``notes`` are for people."""

    benchmark: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]
    date: str
    commit: str
    machine: dict[str, Any]
    load: tuple[float, float]
    runs: int

    def to_json(self) -> dict[str, Any]:
        """For the record."""
        return {
            "benchmark": self.benchmark,
            "date": self.date,
            "commit": self.commit,
            "machine": self.machine,
            "load": list(self.load),
            "runs": self.runs,
            "figures": [figure.to_json() for figure in self.figures],
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> "Result":
        """From the record."""
        before, after = found["load"]
        return cls(
            benchmark=found["benchmark"],
            figures=tuple(map(Figure.from_json, found["figures"])),
            notes=tuple(found["notes"]),
            date=found["date"],
            commit=found["commit"],
            machine=found["machine"],
            load=(before, after),
            runs=found["runs"],
        )


def now() -> str:
    """UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit() -> str:
    """What was measured; with a plus where files differ from it."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return f"{head}+" if _git("status", "--porcelain", "--", "platform", "images", "cluster_templates") else head


def _git(*argv: str) -> str:
    done = subprocess.run(("git", "-C", str(CHECKOUT), *argv), capture_output=True, text=True, check=False)
    return done.stdout.strip()


def machine(engine_version: str) -> dict[str, Any]:
    """What it was measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release(),
        "engine": engine_version,
        "python": platform.python_version(),
    }


def append(result: Result, file: Path = RESULTS) -> None:
    """Write it down."""
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(result.to_json(), ensure_ascii=False) + "\n")


def read(file: Path = RESULTS) -> tuple[Result, ...]:
    """All that was written down."""
    if not file.exists():
        return ()
    return tuple(Result.from_json(json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line)


def latest(results: Sequence[Result], order: Sequence[str]) -> tuple[Result, ...]:
    """Every result of the last commit that each benchmark was measured at, in this order: none is picked."""
    commits = {result.benchmark: result.commit for result in results}
    return tuple(r for name in order for r in results if r.benchmark == name and r.commit == commits[name])


def section(result: Result) -> str:
    """A benchmark's part of the page."""
    machine, (before, after) = result.machine, result.load
    where = (
        f"{machine['cores']} cores, {machine['memory_gib']} GiB, Linux {machine['kernel']}, engine {machine['engine']}"
    )
    times = f"{result.runs} time{'s' if result.runs != 1 else ''}"
    when = (
        f"{result.date[:16].replace('T', ' ')} UTC, commit {result.commit}, {where}, load {before:.1f} to {after:.1f}"
    )
    notes = "".join(f"\n- {note}" for note in result.notes)
    return f"### {result.benchmark}\n\n{table(result.figures)}\n\nEach {times}; {when}.\n{notes}".rstrip() + "\n"


def page(text: str, results: Sequence[Result]) -> str:
    """The page with its results replaced. Raises ValueError where the marks are not there."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no {BEGIN} … {END}")
    sections = "\n".join(map(section, results))
    return f"{before}{BEGIN}\n\n{sections}\n{END}{after}"
