"""Reads single fields of a tree; what is wrong goes to a report, so that all of it is listed at the end."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from howdah.definitions.listing import listed
from howdah.definitions.nearest import suggestion
from howdah.definitions.tree import Items, Node, Place, Scalar, Table, kind
from howdah.errors import UserError
from howdah.model.cluster import DOMAIN
from howdah.units import Bytes

T = TypeVar("T")

COUNT_LIMIT = 1000
NAME_LIMIT = 63 - len(f"xxx{COUNT_LIMIT}.") - len(f".{DOMAIN}")
"""So that ``<name>-nm1000`` is one DNS label and ``nm1000.<name>.howdah`` fits Linux's host name of 64 bytes."""
GROUP_NAME_LIMIT = 20
VALUE_LIMIT = 4096
AMOUNT_LIMIT = Bytes(1024 * 2**40)
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(slots=True)
class Report:
    """The problems found so far."""

    problems: list[tuple[Place, UserError]] = field(default_factory=list)

    def add(self, place: Place, what: str, fix: str) -> None:
        """One more."""
        self.problems.append((place, UserError(what, fix=fix, place=str(place))))

    def finish(self) -> None:
        """Raises Problems where there are any, in the order of the text."""
        if self.problems:
            ordered = sorted(self.problems, key=lambda found: (found[0].file, found[0].line, found[0].column))
            raise listed([error for _, error in ordered])


def shown(path: str) -> str:
    """A path as a person writes it: the group ``default`` is usually left out."""
    return path.replace(".groups.default", "")


def table(node: Node | None, path: str, report: Report) -> Table | None:
    """A mapping; nothing counts as an empty one."""
    match node:
        case None:
            return None
        case Table():
            return node
        case Scalar() if node.is_null:
            return Table({}, node.place)
        case _:
            report.add(node.place, f"{shown(path)} is {kind(node)}", "write a mapping: `key: value` lines")
            return None


def known_keys(
    node: Table, path: str, keys: Iterable[str], report: Report, notes: Mapping[str, str] | None = None
) -> None:
    """Report every key that is not one of these."""
    allowed = tuple(keys)
    where = f" in {shown(path)}" if path else ""
    for entry in node.entries.values():
        if entry.key not in allowed:
            note = (notes or {}).get(entry.key)
            report.add(
                entry.place, f"unknown key `{printable(entry.key)}`{where}", note or suggestion(entry.key, allowed)
            )


def scalar(node: Node | None, path: str, report: Report) -> Scalar | None:
    """A single value that is not nothing."""
    if node is None:
        return None
    if not isinstance(node, Scalar) or node.is_null:
        report.add(node.place, f"{shown(path)} is {kind(node)}", "give one value")
        return None
    return node


def parsed(node: Node | None, path: str, parse: Callable[[str], T], report: Report) -> T | None:
    """A value read by one of the units' ``parse``."""
    value = scalar(node, path, report)
    if value is None:
        return None
    try:
        if len(value.text) > 32 or not value.text.isascii():
            raise UserError(f"{printable(value.text)!r} is not a quantity", fix="write a short number and its unit")
        return parse(value.text)
    except UserError as error:
        report.add(value.place, f"{shown(path)}: {error.what}", error.fix)
        return None


def amount(text: str) -> Bytes:
    """An amount of memory or disk, in whole KiB, so that its text can be exact. Raises UserError."""
    exact = Bytes.parse(text)
    rounded = Bytes(exact // 1024 * 1024)
    if not 0 < rounded <= AMOUNT_LIMIT:
        raise UserError(f"{text!r} is out of range", fix=f"from 1 KiB to {AMOUNT_LIMIT}")
    return rounded


def whole(node: Node | None, path: str, least: int, most: int, report: Report) -> int | None:
    """A whole number, not quoted."""
    value = scalar(node, path, report)
    if value is None:
        return None
    if (
        value.is_quoted
        or not _WHOLE.fullmatch(value.text)
        or len(value.text) > 12
        or not least <= int(value.text) <= most
    ):
        number = f'"{printable(value.text)}"' if value.is_quoted else printable(value.text)
        allowed = f"write {least}" if least == most else f"write a whole number from {least} to {most}, without quotes"
        report.add(value.place, f"{shown(path)} is {number}", allowed)
        return None
    return int(value.text)


def choice(node: Node | None, path: str, allowed: Iterable[str], report: Report) -> str | None:
    """One of some words."""
    value = scalar(node, path, report)
    words = tuple(allowed)
    if value is not None and value.text not in words:
        report.add(value.place, f"{shown(path)} is {printable(value.text)!r}", f"one of {', '.join(words)}")
        return None
    return value.text if value is not None else None


def text(node: Node | None, path: str, report: Report, *, shows_value: bool = True) -> str | None:
    """Any text of one line. ``$(…)``, ``;`` and ``<`` are text like any other: nothing here is run by a shell."""
    if isinstance(node, Scalar) and node.is_quoted and not node.text:
        return ""
    value = scalar(node, path, report)
    if value is None:
        return None
    problem = unprintable(value.text)
    if problem or len(value.text) > VALUE_LIMIT:
        what = f"holds the character {problem}" if problem else f"has {len(value.text)} characters"
        report.add(
            value.place, f"{shown(path)} {what}", f"one line of printable text, at most {VALUE_LIMIT} characters"
        )
        return None
    return value.text


def texts(node: Node | None, path: str, report: Report) -> tuple[str, ...]:
    """A list of texts."""
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return ()
    if not isinstance(node, Items):
        report.add(node.place, f"{shown(path)} is {kind(node)}", "write a list: `- value` lines")
        return ()
    values = [text(item, f"{path}[{index}]", report) for index, item in enumerate(node.items)]
    return tuple(value for value in values if value is not None)


def unprintable(value: str) -> str:
    """The first character that no value may hold (line ends, controls, direction marks), as ``U+000A``; else empty."""
    for character in value:
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Cn"):
            return f"U+{ord(character):04X}"
    return ""


def printable(value: str, limit: int = 80) -> str:
    """Short and free of control characters, for a message."""
    short = value if len(value) <= limit else value[: limit - 3] + "..."
    return "".join(c if not unprintable(c) else f"\\u{ord(c):04x}" for c in short)


def name_problem(value: str, limit: int = NAME_LIMIT) -> tuple[str, str] | None:
    """What is wrong with a name and how to put it right, or None."""
    odd = next((character for character in value if ord(character) > 126 or ord(character) < 32), None)
    if odd is not None:
        return f"holds the character U+{ord(odd):04X}", "ASCII only: a to z, 0 to 9 and `-`"
    if "_" in value:
        return "holds `_`, which breaks Java host names", f"use `-`: {value.replace('_', '-')[:limit]}"
    if not _NAME.fullmatch(value):
        return "is an invalid name", "begin with a to z, then a to z, 0 to 9 and `-`"
    if value.endswith("-"):
        return "ends with `-`", "end with a letter or a digit"
    if len(value) > limit:
        return (
            f"has {len(value)} characters",
            f"at most {limit}: an instance's name is added to it (`{value[:8]}…-nm1`)",
        )
    return None
