"""What is under way, as told by many threads; asked by whoever paints it."""

import threading
from dataclasses import dataclass, field

from howdah.clock import Clock
from howdah.planning.plan import Plan, Step
from howdah.ports.coordinator import Holder

SLOW = 1.0
"""Seconds after which a wait is mentioned."""
PATIENCE = 15.0
"""Seconds between two mentions of the same step at most."""


@dataclass(slots=True)
class Running:
    """A step that has begun. ``mention_at`` is when a display of lines says next what it waits for."""

    text: str
    began: float
    mention_at: float
    why: str = ""
    mentioned: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Something to be kept. ``is_news`` is what a person wants to have kept even where steps are shown in place."""

    text: str
    is_news: bool


@dataclass(slots=True)
class Board:
    """The state of a command's work. Implements Progress; every method may be called from any thread.

    ``doing`` is what is waited for while no step is under way. Lines that are to be kept are taken with ``take``.
    """

    doing: str
    clock: Clock
    began: float = field(init=False)
    total: int = 0
    finished: int = 0
    running: dict[str, Running] = field(default_factory=dict)
    _kept: list[Line] = field(default_factory=list)
    _holder: Holder | None = None
    _failures: int = 0
    _idle: Running = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.began = self.clock.monotonic()
        self._idle = Running(self.doing, self.began, self.began + SLOW)

    # -- told by the executor

    def held(self, holder: Holder) -> None:
        """Somebody else holds the cluster; it is waited for."""
        with self._lock:
            if holder != self._holder:
                self._holder = holder
                text = f"the cluster is held by {holder.who} since {holder.since}, doing {holder.what}; waiting"
                self._keep(text, is_news=True)

    def planned(self, plan: Plan) -> None:
        """A plan is about to be followed."""
        with self._lock:
            self.total += len(plan)

    def started(self, step: Step) -> None:
        """A step has begun."""
        with self._lock:
            now = self.clock.monotonic()
            self.running[step.key] = Running(str(step), now, now + SLOW)

    def waits(self, step: Step, why: str) -> None:
        """What a step waits for now."""
        with self._lock:
            if step.key in self.running:
                self.running[step.key].why = why

    def done(self, step: Step, seconds: float) -> None:
        """A step is done."""
        with self._lock:
            self.finished += 1
            self._end(step)
            self._keep(f"{step} ({seconds:.1f} s)")

    def failed(self, step: Step, error: Exception) -> None:
        """A step failed. The first error is reported at the end of the program, so only the others are told in full."""
        with self._lock:
            self._end(step)
            self._failures += 1
            first = f"failed: {step}"
            self._keep(first if self._failures == 1 else f"{first}: {str(error).splitlines()[0]}", is_news=True)

    def note(self, line: str, *, keeps: bool = True) -> None:
        """Something that is told outside of any step; the last one is what is under way."""
        with self._lock:
            self._idle.why = line
            if keeps:
                self._kept.append(Line(line, is_news=False))

    # -- asked by a painter

    def elapsed(self) -> float:
        """Seconds since the command began."""
        return self.clock.monotonic() - self.began

    def take(self) -> list[Line]:
        """The lines to keep that are new, each with its time."""
        with self._lock:
            kept, self._kept = self._kept, []
            return kept

    def mention(self) -> None:
        """Keep a line for each step that has waited for long, less and less often."""
        with self._lock:
            now = self.clock.monotonic()
            for running in [*self.running.values(), *([] if self.running else [self._idle])]:
                if now < running.mention_at:
                    continue
                waited = now - running.began
                running.mention_at = now + min(PATIENCE, max(SLOW, waited))
                running.mentioned = running.why
                self._keep(f"{running.text}: {running.why or 'under way'} for {waited:.0f} s")

    def now(self) -> list[tuple[str, float, str]]:
        """(step, seconds, what it waits for) of everything under way, the oldest first."""
        with self._lock:
            now = self.clock.monotonic()
            found = list(self.running.values()) or [self._idle]
            return [(running.text, now - running.began, running.why) for running in found]

    def _end(self, step: Step) -> None:
        self.running.pop(step.key, None)
        now = self.clock.monotonic()
        self._idle = Running(self.doing, now, now + SLOW)

    def _keep(self, text: str, *, is_news: bool = False) -> None:
        self._kept.append(Line(f"[{self.clock.monotonic() - self.began:5.1f} s] {text}", is_news))
