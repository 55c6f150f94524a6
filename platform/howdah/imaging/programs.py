"""Programs of this host that a build uses."""

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress

from howdah.imaging.causes import explained
from howdah.imaging.progress import Phases

_TERMINATE_SECONDS = 30


def follow(command: Sequence[str], phases: Phases, environment: Mapping[str, str] | None = None) -> None:
    """Run a program and follow its output.

    Raises HowdahError with its last words; ends it when this process is interrupted.
    """
    name = command[0]
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
        env={**os.environ, **(environment or {}), "LC_ALL": "C.UTF-8"},
    ) as process:
        try:
            for line in process.stdout or ():
                phases(line)
            code = process.wait()
        finally:
            if process.poll() is None:
                _end(process)
    if code:
        errors = [line for line in phases.last if line.startswith("E: ")] or list(phases.last)
        raise explained("base", phases.phase, phases.last, f"{name} ended with {code}: {' / '.join(errors[:3])[:500]}")


def _end(process: "subprocess.Popen[str]") -> None:
    """With a signal that mmdebstrap cleans up after."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_TERMINATE_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def missing_programs(*programs: str) -> str:
    """Which of these are not installed, in words; empty when all are."""
    absent = [program for program in programs if shutil.which(program) is None]
    return f"{' and '.join(absent)} not installed" if absent else ""
