"""A plan: actions with what each waits for. It prints, it can be followed, it does nothing."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from howdah.errors import Bug
from howdah.planning.actions import Action


@dataclass(frozen=True, slots=True)
class Step:
    """An action in a plan. ``after`` are the keys of the steps that must be done before."""

    key: str
    action: Action
    after: frozenset[str]

    def __str__(self) -> str:
        return str(self.action)


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in an order in which they could be done one by one.

    ``is_partial`` says that the world must be looked at again afterwards, because what comes next depends on what
    these find.
    """

    steps: tuple[Step, ...] = ()
    is_partial: bool = False

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(slots=True)
class PlanBuilder:
    """Collects steps in order; a step can only wait for one that is already there, so a plan has no cycles."""

    _steps: dict[str, Step] = field(default_factory=dict)

    def add(self, key: str, action: Action, after: Iterable[str] = ()) -> str:
        """Add a step; keys in ``after`` that are not in the plan are things already done. Returns the key."""
        if key in self._steps:
            raise Bug(f"step {key!r} is in the plan twice")
        self._steps[key] = Step(key, action, frozenset(k for k in after if k in self._steps))
        return key

    def keys(self, *prefixes: str) -> tuple[str, ...]:
        """The keys so far that begin with one of these."""
        return tuple(key for key in self._steps if key.startswith(prefixes))

    def build(self, *, is_partial: bool = False) -> Plan:
        """The plan."""
        return Plan(tuple(self._steps.values()), is_partial)
