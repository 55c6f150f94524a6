"""What a build shows: one line a phase, with the seconds since the beginning; and what a builder's own lines mean."""

import re
from collections import deque
from dataclasses import dataclass

from howdah.clock import Clock
from howdah.ports.engine import Lines

_STEP = re.compile(r"^Step (\d+)/(\d+) : FROM \S+(?: AS (\S+))?$", re.IGNORECASE)
_BOOTSTRAP = re.compile(r"^I: ((?:running apt|downloading|extracting|installing|creating) ?.*)\.\.\.$")
_MILESTONE = re.compile(r"^(?:ready|done): (.+)$")
"""What the training of the archives prints, which takes minutes on a busy machine (images/training)."""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_KEPT_LINES = 400

STAGES = {
    "fetch": "fetch the packages",
    "assemble": "check the packages against the lock and lay out the image",
    "train": "train the class archives",
    "runtime": "put the image together",
    "flat": "put the image together",
    "final": "list its files",
    "bootstrap": "install the packages",
}
"""What the stages of the Dockerfiles do; any other is shown by its name."""


@dataclass
class Reporter:
    """Writes ``[ 12 s] hadoop: fetch the packages``."""

    lines: Lines
    clock: Clock
    started: float

    def say(self, kind: str, what: str) -> None:
        """One line."""
        self.lines(f"[{self.clock.monotonic() - self.started:4.0f} s] {kind}: {what}")


class Phases:
    """Follows the output of a builder: a phase is said when it begins, and the last lines are kept for an error."""

    def __init__(self, reporter: Reporter, kind: str, phase: str = "") -> None:
        self._reporter = reporter
        self._kind = kind
        self.phase = phase
        self.last: deque[str] = deque(maxlen=_KEPT_LINES)
        if phase:
            reporter.say(kind, phase)

    def __call__(self, line: str) -> None:
        """Take one line of a builder's output."""
        plain = _COLOUR.sub("", line).rstrip()
        self.last.append(plain)
        if step := _STEP.match(plain):
            number, of, stage = step.groups()
            self.begin(f"{STAGES.get(stage or '', stage or 'build')} (step {number} of {of})")
        elif said := _BOOTSTRAP.match(plain):
            self.begin(said[1])
        elif reached := _MILESTONE.match(plain):
            self._reporter.say(self._kind, f"  {plain.split(':')[0]}: {reached[1]}")

    def begin(self, phase: str) -> None:
        """Say that a phase begins."""
        self.phase = phase
        self._reporter.say(self._kind, phase)
