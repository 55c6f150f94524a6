from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import pytest
from typer.testing import CliRunner, Result

from howdah.app import Installation, Settings
from howdah.cli.application import app
from howdah.cli.surroundings import Surroundings
from howdah.client import Client
from howdah.clock import Clock, SystemClock
from howdah.coordination.records import Records
from howdah.reconcile.ports import HostPorts, Outside
from howdah.reconcile.progress import Progress
from howdah.testing.rig import World


class WorldInstallation(Installation):
    """An installation on a World: nothing is real, everything lasts as long as the test."""

    def __init__(self, world: World) -> None:
        super().__init__(Settings(), world.clock)
        self._client = world.client()
        self.engine = world.engine  # type: ignore[assignment]  # the port, in memory

    @cached_property
    def host(self) -> HostPorts:
        return self._client.reconciler.outside.hosts["local"]

    @cached_property
    def outside(self) -> Outside:
        return self._client.reconciler.outside

    def records(self) -> Records:
        return self._client.records

    def records_to_change(self, progress: Progress) -> Records:
        self._client.records.initialise()
        return self._client.records

    def close(self) -> None:
        self._client.die()


class WorldClient(Client):
    """howdah on a World."""

    @property
    def engine_address(self) -> str:
        return "memory:"


@dataclass
class Howdah:
    """The program on a World. ``answer`` is what a person types; without one there is nobody to ask."""

    world: World
    make_client: Callable[[Progress], Client] = field(init=False)
    clock: Clock = field(default_factory=SystemClock)

    def __post_init__(self) -> None:
        self.make_client = lambda progress: WorldClient(WorldInstallation(self.world), progress)

    def __call__(self, *words: str, answer: str | None = None) -> Result:
        here = Surroundings(self.make_client, self.clock, may_ask=lambda: answer is not None)
        return CliRunner().invoke(app, list(words), obj=here, input=answer, prog_name="howdah")

    def well(self, *words: str, answer: str | None = None) -> str:
        """What it prints when all is well."""
        result = self(*words, answer=answer)
        assert result.exit_code == 0, result.output
        return result.stdout


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def howdah(world: World) -> Howdah:
    return Howdah(world)
