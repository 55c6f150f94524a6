"""A document as a tree of values that know where they were written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written; line and column from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``text`` is as written, without quotes; what it means is decided by the field that it is for."""

    text: str
    place: Place
    is_quoted: bool = False

    @property
    def is_null(self) -> bool:
        """Whether it is YAML's nothing: empty, ``~`` or ``null``."""
        return not self.is_quoted and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and its value, with the place of the key."""

    key: str
    place: Place
    value: "Node"


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping, in the order it was written."""

    entries: Mapping[str, Entry]
    place: Place

    def get(self, key: str) -> "Node | None":
        """The value of a key, or None."""
        entry = self.entries.get(key)
        return entry.value if entry else None


Node = Scalar | Items | Table


def kind(node: Node) -> str:
    """What a person would call it."""
    match node:
        case Table():
            return "a mapping"
        case Items():
            return "a list"
        case Scalar() if node.is_null:
            return "nothing"
        case Scalar():
            return repr(node.text)


def provenance(node: Node, path: str = "") -> Iterator[tuple[str, Place]]:
    """Every value's path, as ``roles.datanode.groups.default.count`` or ``java_options[0]``, and its place."""
    pending: list[tuple[str, Node]] = [(path, node)]
    while pending:
        here, current = pending.pop()
        yield here, current.place
        match current:
            case Table():
                pending += [(f"{here}.{key}" if here else key, entry.value) for key, entry in current.entries.items()]
            case Items():
                pending += [(f"{here}[{index}]", item) for index, item in enumerate(current.items)]
            case Scalar():
                pass
