"""What a command has around it: how to get a Client, the display of progress, and what its own failure is worth."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from howdah.cli.output import is_terminal
from howdah.clock import Clock, SystemClock

if TYPE_CHECKING:
    from howdah.cli.display import Display
    from howdah.client import Client
    from howdah.reconcile.progress import Progress

INTERRUPTED = "interrupted: the same command goes on"


@dataclass
class Surroundings:
    """One run of the program.

    ``may_ask`` says whether there is a person to ask. ``failure_code`` replaces the exit codes of howdah's own errors
    in commands that return an inner program's. ``interruption`` is what is said at Ctrl-C; empty where that is the
    usual way to end.
    """

    make_client: "Callable[[Progress], Client]"
    clock: Clock = field(default_factory=SystemClock)
    may_ask: Callable[[], bool] = lambda: is_terminal(sys.stdin)
    failure_code: int | None = None
    interruption: str = INTERRUPTED
    _display: "Display | None" = None

    def seconds(self) -> float:
        """How long the work of the last Client took, to the end or up to now."""
        return self._display.elapsed() if self._display is not None else 0.0

    @contextmanager
    def client(self, doing: str) -> "Iterator[Client]":
        """A Client, with a display of what it does; ``doing`` says what is waited for until something tells more."""
        from howdah.cli.display import Display

        with Display(doing, self.clock) as self._display, self.make_client(self._display) as client:
            yield client

    def note(self, line: str, *, keeps: bool = True) -> None:
        """Show how far something got that has no steps."""
        if self._display is not None:
            self._display.note(line, keeps=keeps)

    def clear(self) -> None:
        """Take the display away, before results are written while a Client is still in use."""
        if self._display is not None:
            self._display.close()

    def ask(self, question: str) -> str:
        """What a person types; empty at the end of the input. Ask ``may_ask`` first."""
        self.clear()
        sys.stderr.write(question)
        sys.stderr.flush()
        return sys.stdin.readline().strip()

    def returns_inner_code(self) -> None:
        """From here on howdah's own failures are told apart from those of the program that is run."""
        self.failure_code = 125


def around(ctx: typer.Context) -> Surroundings:
    """The surroundings of a command."""
    found = ctx.find_object(Surroundings)
    assert found is not None, "the program was started without surroundings"
    return found
