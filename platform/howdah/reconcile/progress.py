"""How the executor tells what happens; the command line shows it, tests collect it."""

from typing import Protocol

from howdah.planning.plan import Plan, Step
from howdah.ports.coordinator import Holder


class Progress(Protocol):
    """Called from several threads at once."""

    def held(self, holder: Holder) -> None:
        """Somebody else holds the cluster; it is waited for."""
        ...

    def planned(self, plan: Plan) -> None:
        """A plan is about to be followed."""
        ...

    def started(self, step: Step) -> None:
        """A step has begun."""
        ...

    def waits(self, step: Step, why: str) -> None:
        """What a step that has begun is waiting for now."""
        ...

    def done(self, step: Step, seconds: float) -> None:
        """A step is done."""
        ...

    def failed(self, step: Step, error: Exception) -> None:
        """A step failed; the steps that run are waited for, no other is started."""
        ...


class Silent:
    """Shows nothing."""

    def held(self, holder: Holder) -> None:
        """Nothing."""

    def planned(self, plan: Plan) -> None:
        """Nothing."""

    def started(self, step: Step) -> None:
        """Nothing."""

    def waits(self, step: Step, why: str) -> None:
        """Nothing."""

    def done(self, step: Step, seconds: float) -> None:
        """Nothing."""

    def failed(self, step: Step, error: Exception) -> None:
        """Nothing."""
