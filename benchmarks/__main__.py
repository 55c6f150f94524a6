"""``python -m benchmarks NAME [--runs N] [--quick]`` measures; ``python -m benchmarks table`` writes the page anew."""

import argparse
import importlib
import os
import sys

from benchmarks import recording
from benchmarks.recording import PAGE, RESULTS, Result
from benchmarks.subject import Options
from howdah.engines.docker import DockerEngine

NAMES = ("launch", "idle", "cli", "jobs", "files", "throughput", "bare")


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", choices=(*NAMES, "table"))
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="how often each side is measured (3)")
    parser.add_argument("--quick", action="store_true", help="as little as possible, to try a benchmark; not recorded")
    asked = parser.parse_args()
    if asked.name == "table":
        results = recording.latest(recording.read(), NAMES)
        PAGE.write_text(recording.page(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
        return
    result = _measure(asked.name, asked.runs, asked.quick)
    print(recording.section(result))
    if not asked.quick:
        recording.append(result)
        print(f"written to {RESULTS}", file=sys.stderr)


def _measure(name: str, runs: int, is_quick: bool) -> Result:
    before, date, commit = os.getloadavg()[0], recording.now(), recording.commit()
    if before > 1.0 and not is_quick:
        print(f"the load average is {before:.1f}: this machine is not quiet", file=sys.stderr)
    engine = DockerEngine().capacity().engine_version
    options = Options(runs, is_quick, lambda line: print(line, file=sys.stderr, flush=True))
    figures, notes = importlib.import_module(f"benchmarks.{name}").run(options)
    load = (before, os.getloadavg()[0])
    return Result(name, tuple(figures), tuple(notes), date, commit, recording.machine(engine), load, runs)


if __name__ == "__main__":
    main()
