"""The display of progress on standard error: redrawn in place on a terminal, a line for each event elsewhere."""

import os
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

from howdah.cli import output
from howdah.cli.board import SLOW, Board
from howdah.clock import Clock

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

TICK = 0.1
"""Seconds between two paintings."""
AT_ONCE = 0.4
"""Seconds before a terminal is painted on, so that quick commands do not flicker."""
MOST = 12
"""Steps under way that are shown at once."""


class Display(Board):
    """A board with a thread that paints it until it is closed."""

    def __init__(self, doing: str, clock: Clock) -> None:
        super().__init__(doing, clock)
        self._closing = threading.Event()
        self._live: Live | None = None
        self._is_terminal = output.is_terminal(sys.stderr) and os.environ.get("TERM", "dumb") != "dumb"
        self._painter = threading.Thread(target=self._paint, name="display", daemon=True)

    def __enter__(self) -> Self:
        self._painter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take it off the screen; what was to be kept is written. Safe to repeat."""
        if not self._closing.is_set():
            self._closing.set()
            self._painter.join()

    def _paint(self) -> None:
        paint = self._redraw if self._is_terminal else self._write_lines
        # Where nobody can read it any more, the work goes on all the same.
        with suppress(OSError):
            while not self._closing.wait(TICK):
                paint()
        with suppress(OSError):
            if self._live is not None:
                self._live.stop()
            self._write_kept()

    def _write_lines(self) -> None:
        self.mention()
        self._write_kept()

    def _write_kept(self) -> None:
        for line in self.take():
            if line.is_news or not self._is_terminal:
                output.tell(line.text)

    def _redraw(self) -> None:
        if self._live is None:
            if self.elapsed() < AT_ONCE:
                return
            self._live = _live()
        self._live.update(_picture(self), refresh=True)


def _live() -> "Live":
    from rich.console import Console
    from rich.live import Live

    live = Live(
        console=Console(stderr=True, highlight=False),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    live.start()
    return live


def _picture(board: Board) -> "RenderableType":
    from rich.text import Text

    lines = []
    found = board.now()
    width = max(len(text) for text, _, _ in found)
    for text, seconds, why in found[:MOST]:
        line = Text(f"  {text.ljust(width)}  {seconds:5.1f} s", no_wrap=True, overflow="ellipsis")
        if why and seconds >= SLOW:
            line.append(f"  {why}", style="dim")
        lines.append(line)
    if len(found) > MOST:
        lines.append(Text(f"  and {len(found) - MOST} more"))
    if board.total:
        lines.append(Text(f"{board.finished} of {board.total} steps, {board.elapsed():.1f} s", style="bold"))
    return Text("\n").join(lines)
