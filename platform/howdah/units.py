"""Quantities with their units, parsed once at the edge: ``1 GiB``, ``30m``, ``1.5`` cores."""

import re
from decimal import Decimal
from typing import Self

from howdah.errors import UserError

_BYTES = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?(KiB|MiB|GiB|TiB)")
_FACTOR = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_DURATION_PART = re.compile(r"([0-9]{1,9})(d|h|m|s)")
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


class Bytes(int):
    """An amount of memory or disk."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``512 MiB``. Rounded down to whole KiB. Raises UserError without a binary unit."""
        match = _BYTES.fullmatch(str(text).strip())
        if not match:
            raise UserError(
                f"{text!r} is not an amount of bytes", fix="write a number and a unit: KiB, MiB, GiB or TiB"
            )
        kibibytes = Decimal(match[1]) * (_FACTOR[match[2]] // 2**10)
        return cls(int(kibibytes) * 2**10)

    @property
    def mebibytes(self) -> int:
        """Whole MiB, rounded down."""
        return self // 2**20

    def __str__(self) -> str:
        for unit in ("TiB", "GiB", "MiB", "KiB"):
            if self >= _FACTOR[unit]:
                number = self / _FACTOR[unit]
                return f"{number:.0f} {unit}" if number == int(number) else f"{number:.1f} {unit}"
        return f"{int(self)} B"

    def exact(self) -> str:
        """The text that parses back to the same number: the largest unit without a fraction."""
        unit = next((u for u in ("TiB", "GiB", "MiB") if self and self % _FACTOR[u] == 0), "KiB")
        return f"{self // _FACTOR[unit]} {unit}"


class Duration(int):
    """A span of time in whole seconds."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``1h30m``. Raises UserError for anything else, also for zero."""
        stripped = str(text).strip()
        parts = _DURATION_PART.findall(stripped)
        if not parts or "".join(n + u for n, u in parts) != stripped:
            raise UserError(f"{text!r} is not a span of time", fix="write numbers with d, h, m or s: 1h30m")
        seconds = sum(int(n) * _SECONDS[u] for n, u in parts)
        if seconds == 0:
            raise UserError(f"{text!r} is no time at all", fix="give at least 1s")
        return cls(seconds)

    def __str__(self) -> str:
        rest, parts = int(self), []
        for unit, size in _SECONDS.items():
            if rest >= size:
                parts.append(f"{rest // size}{unit}")
                rest %= size
        return "".join(parts) or "0s"


class Cores(float):
    """Processor time, in cores."""

    @classmethod
    def parse(cls, text: str | float) -> Self:
        """Read ``1.5``. Raises UserError for what is not a number from 0.1 to 1024."""
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not 0.1 <= number <= 1024:
            raise UserError(f"{text!r} is not a number of cores", fix="write a number from 0.1 to 1024")
        return cls(number)
