"""A clock that goes on by itself."""

from datetime import UTC, datetime, timedelta


class StepClock:
    """Each reading of the seconds is a step later than the one before."""

    def __init__(self, step: float = 1.0) -> None:
        self._step = step
        self._seconds = 0.0
        self.started = datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        return self.started + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        self._seconds += self._step
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += seconds
