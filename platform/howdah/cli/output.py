"""Results on standard output, everything else on standard error.

All results go through ``say`` and ``say_bytes``: a reader that went away, or a full disk, is told apart from a fault.
"""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TextIO

Json = str | int | float | bool | None | Sequence["Json"] | Mapping[str, "Json"]


class OutputGone(Exception):
    """Whoever read standard output has gone (``| head``)."""


class OutputFailed(Exception):
    """Standard output cannot be written: a full disk, mostly."""


def say(text: str = "") -> None:
    """A line of a result."""
    _write(lambda: sys.stdout.write(f"{text}\n"))


def say_all(lines: Iterable[str]) -> None:
    """Lines of a result."""
    for line in lines:
        say(line)


def say_json(value: Json) -> None:
    """A result for programs."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def say_bytes(data: bytes) -> None:
    """A piece of a result as it came, at once."""

    def write() -> None:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    _write(write)


def flush() -> None:
    """Have everything written, or raise OutputGone or OutputFailed."""
    _write(sys.stdout.flush)


def tell(text: str) -> None:
    """A line that is not a result; when nobody can read it any more, so be it."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        abandon(sys.stderr)


def tell_bytes(data: bytes) -> None:
    """A piece of a command's standard error as it came."""
    try:
        sys.stderr.flush()
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()
    except (OSError, ValueError):
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Point it at nothing, so that what it still holds does not fail once more when Python ends."""
    with suppress(OSError, ValueError):
        target = stream.fileno()
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, target)
        os.close(nothing)


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sees it as it is written."""
    with suppress(ValueError):
        return stream.isatty()
    return False


def columns(head: Sequence[str], rows: Iterable[Sequence[str]], *, indent: str = "") -> list[str]:
    """A table: every column as wide as its widest cell, two spaces between."""
    table = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in table
    ]


def _write(write: Callable[[], object]) -> None:
    try:
        write()
    except BrokenPipeError:
        raise OutputGone from None
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise OutputGone from None
        raise OutputFailed(error.strerror or str(error)) from None
