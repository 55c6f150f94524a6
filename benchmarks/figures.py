"""What was measured, and what follows from it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

GIB = 2**30
MB = 10**6


@dataclass(frozen=True, slots=True)
class Figure:
    """Values of one thing, in the order they were taken.

    With ``against``, what counts is the ratio of the two medians; without, the median itself. ``goal`` is the most
    that it may be; None for what is only told.
    """

    what: str
    unit: str
    values: tuple[float, ...]
    against: tuple[float, ...] = ()
    goal: float | None = None

    @property
    def measured(self) -> float:
        """The ratio, or the median."""
        return median(self.values) / median(self.against) if self.against else median(self.values)

    @property
    def is_met(self) -> bool | None:
        """None without a goal."""
        return None if self.goal is None else self.measured <= self.goal

    def to_json(self) -> dict[str, Any]:
        """For the record."""
        written = {"what": self.what, "unit": self.unit, "values": list(self.values)}
        return {**written, "against": list(self.against), "goal": self.goal}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> "Figure":
        """From the record."""
        return cls(
            found["what"], found["unit"], tuple(found["values"]), tuple(found.get("against", ())), found.get("goal")
        )


def amount(value: float, unit: str) -> str:
    """A value with its unit, in three digits or so."""
    match unit:
        case "bytes":
            return f"{value / GIB:.2f} GiB" if value >= GIB else f"{value / 2**20:.0f} MiB"
        case "MB":
            return f"{value / MB:.0f} MB"
        case "s" if value < 1:
            return f"{value * 1000:.0f} ms"
        case "s" if value < 100:
            return f"{value:.1f} s"
        case "s":
            return f"{value:.0f} s"
        case _:
            return f"{value:.2f} {unit}".rstrip()


def spread(values: Sequence[float], unit: str) -> str:
    """The median, and from where to where the values go where there are several."""
    text = amount(median(values), unit)
    if len(values) < 2:
        return text
    return f"{text} ({amount(min(values), unit)} – {amount(max(values), unit)})"


def row(figure: Figure) -> tuple[str, ...]:
    """A row of the table: what, ours, against, ratio, goal, met."""
    has_ratio = bool(figure.against)
    met = {None: "", True: "yes", False: "**no**"}[figure.is_met]
    goal = ""
    if figure.goal is not None:
        goal = f"≤ {figure.goal:.2f}" if has_ratio else f"≤ {amount(figure.goal, figure.unit)}"
    return (
        figure.what,
        spread(figure.values, figure.unit),
        spread(figure.against, figure.unit) if has_ratio else "",
        f"{figure.measured:.2f}" if has_ratio else "",
        goal,
        met,
    )


def table(figures: Sequence[Figure]) -> str:
    """All of them, in Markdown."""
    lines = [("what", "measured", "against", "ratio", "goal", "met"), ("---",) * 6, *map(row, figures)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
