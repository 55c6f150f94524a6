"""A howdah that kills itself: ``python -m tests.integration.killing AT HOW FILE ARGUMENT…``.

It runs the command line with ports that SIGKILL the process before or after effect number AT. FILE gets the effects
that there were, by lines, as they come.
"""

import os
import signal
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import cast

from howdah.app import Installation
from howdah.cli import main
from howdah.client import Client
from howdah.ports.coordinator import Coordinator
from howdah.reconcile.ports import HostPorts
from howdah.reconcile.progress import Progress
from howdah.testing.faults import Faults, Killed, Kind


def kill() -> BaseException:
    """This process, at once: nothing is flushed, closed or given back."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Killed("unreachable")


class Telling(list[str]):
    """The effects, in a file too, for the process will not be there to be asked."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def append(self, effect: str) -> None:
        with self._file.open("a") as file:
            print(effect.replace("\n", " "), file=file)
        super().append(effect)


class Faulty(Installation):
    """An installation whose ports count, and strike."""

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults

    @cached_property
    def host(self) -> HostPorts:
        """The ports of the one host."""
        real = super().host
        return replace(real, engine=self._faults.wrap(real.engine), volumes=self._faults.wrap(real.volumes))

    def _connect(self, credentials: str) -> Coordinator:
        return self._faults.wrap(super()._connect(credentials))


def run(at: int, how: Kind, file: Path, arguments: list[str]) -> None:
    """The command line with those arguments."""
    faults = Faults(at, how, kill)
    faults.effects = Telling(file)

    def connect(progress: Progress) -> Client:
        return Client(Faulty(faults), progress)

    sys.argv = ["howdah", *arguments]
    main(connect)


if __name__ == "__main__":
    run(int(sys.argv[1]), cast(Kind, sys.argv[2]), Path(sys.argv[3]), sys.argv[4:])
