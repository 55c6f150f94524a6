"""YAML 1.2 to a tree, within limits. No constructor is ever called: the parser's events become plain values here."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StreamMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from howdah.definitions.fields import printable
from howdah.definitions.listing import listed
from howdah.definitions.tree import Entry, Items, Node, Place, Scalar, Table
from howdah.errors import NotFound, UserError

SIZE_LIMIT = 2**20
DEPTH_LIMIT = 32
VALUE_LIMIT = 20_000
"""Values in a document after aliases are expanded."""
SCALAR_LIMIT = 16_384
"""Characters in one value."""


def read_file(path: Path) -> str:
    """The text of a file; ``-`` is standard input. Never reads more than a byte over the limit."""
    name = str(path)
    try:
        if name == "-":
            return decode(sys.stdin.buffer.read(SIZE_LIMIT + 1), "standard input")
        with path.open("rb") as file:
            return decode(file.read(SIZE_LIMIT + 1), name)
    except FileNotFoundError:
        raise NotFound(
            f"{name} does not exist", fix="check the path; `howdah templates` lists the shipped templates"
        ) from None
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}", fix="name a readable file") from None


def decode(content: bytes, file: str) -> str:
    """Bytes to text. Raises UserError where it is too large, not UTF-8, or binary."""
    if len(content) > SIZE_LIMIT:
        raise UserError("the file is larger than 1 MiB", fix="a definition has at most 1 MiB", place=file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        place = Place(file, before.count(b"\n") + 1, column)
        raise UserError(
            f"byte 0x{content[error.start]:02x} is not UTF-8", fix="save the file as UTF-8 text", place=str(place)
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UserError("the file is binary", fix="a definition is text", place=f"{file}:{line}")
    return text


def parse(text: str, file: str, first_line: int = 1) -> Table:
    """A document whose top is a mapping. Raises UserError, or Problems where there are several."""
    if len(text.encode("utf-8", "surrogatepass")) > SIZE_LIMIT:
        raise UserError("the text is larger than 1 MiB", fix="a definition has at most 1 MiB", place=file)
    builder = _Builder(file, first_line)
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except MarkedYAMLError as error:
        raise UserError(
            _sentence(error), fix="correct the YAML", place=str(builder.place(error.problem_mark))
        ) from None
    except ReaderError as error:
        line = text[: error.position].count("\n") + first_line
        raise UserError(
            f"the character U+{ord(text[error.position]):04X} is not allowed", fix="remove it", place=f"{file}:{line}"
        ) from None
    except YAMLError as error:
        raise UserError(f"not readable as YAML: {error}".splitlines()[0], fix="correct the YAML", place=file) from None
    except (RecursionError, ValueError, IndexError, AssertionError) as error:
        # Leaks of the parser for some broken inputs, such as %YAML directives with odd versions.
        raise UserError(f"not readable as YAML ({type(error).__name__})", fix="correct the YAML", place=file) from None
    return builder.finish()


def _sentence(error: MarkedYAMLError) -> str:
    parts = [part for part in (error.context, error.problem) if part]
    return " ".join(", ".join(parts).split()) or "not readable as YAML"


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read."""

    place: Place
    is_table: bool
    anchor: str | None
    entries: dict[str, Entry] = field(default_factory=dict)
    items: list[Node] = field(default_factory=list)
    key: Scalar | None = None
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    node: Node
    size: int
    height: int


@dataclass(slots=True)
class _Builder:
    """Takes events one by one; a stack of its own, so that no depth of input can overflow Python's."""

    file: str
    first_line: int
    stack: list[_Frame] = field(default_factory=list)
    anchors: dict[str, _Anchored] = field(default_factory=dict)
    problems: list[UserError] = field(default_factory=list)
    root: Node | None = None
    documents: int = 0
    values: int = 0

    def place(self, mark: StreamMark | None) -> Place:
        """Where a mark of the parser is."""
        if mark is None:
            return Place(self.file, self.first_line, 1)
        return Place(self.file, mark.line + self.first_line, mark.column + 1)

    def take(self, event: Event) -> None:
        """One event."""
        place = self.place(event.start_mark)
        if isinstance(event, NodeEvent) and not isinstance(event, AliasEvent):
            self._refuse_tag(event, place)
        match event:
            case DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    self._stop(
                        place, "there is a second document", "one file is one definition: remove what follows `---`"
                    )
            case MappingStartEvent() | SequenceStartEvent():
                if self._is_key():
                    self._stop(place, "a key is not a single word", "keys are plain text")
                if len(self.stack) >= DEPTH_LIMIT:
                    self._stop(place, f"nesting is deeper than {DEPTH_LIMIT}", f"at most {DEPTH_LIMIT} levels")
                self.stack.append(_Frame(place, isinstance(event, MappingStartEvent), event.anchor))
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case AliasEvent():
                self._alias(event, place)
            case ScalarEvent():
                self._scalar(event, place)
            case _:
                pass

    def finish(self) -> Table:
        """The tree, once every event was taken."""
        if self.problems:
            raise listed(self.problems)
        match self.root:
            case None:
                raise UserError(
                    "the definition is empty", fix="start from `howdah templates show small`", place=self.file
                )
            case Scalar() as node if node.is_null:
                raise UserError(
                    "the definition is empty", fix="start from `howdah templates show small`", place=self.file
                )
            case Table() as table:
                return table
            case other:
                raise UserError(
                    "the definition is not a mapping", fix="write `key: value` lines", place=str(other.place)
                )

    def _stop(self, place: Place, what: str, fix: str) -> None:
        raise UserError(what, fix=fix, place=str(place))

    def _refuse_tag(self, event: NodeEvent, place: Place) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None:
            self.problems.append(
                UserError(f"the tag {printable(str(tag))} is not allowed", fix="remove the tag", place=str(place))
            )

    def _is_key(self) -> bool:
        return bool(self.stack) and self.stack[-1].is_table and self.stack[-1].key is None

    def _scalar(self, event: ScalarEvent, place: Place) -> None:
        text = str(event.value)
        if len(text) > SCALAR_LIMIT:
            self._stop(place, f"a value of {len(text)} characters", f"at most {SCALAR_LIMIT}")
        node = Scalar(text, place, is_quoted=event.style is not None)
        if event.anchor is not None:
            self.anchors[event.anchor] = _Anchored(node, 1, 0)
        if not self._is_key():
            self._add(node, 1, 0)
            return
        if text == "<<" and not node.is_quoted:
            self._stop(place, "`<<` is not part of YAML 1.2", "use `extends`, or repeat the keys")
        frame = self.stack[-1]
        if text in frame.entries:
            first = frame.entries[text].place
            what = f"{printable(text)} is given twice, in lines {first.line} and {place.line}"
            self.problems.append(UserError(what, fix="keep one of them", place=str(place)))
        frame.key = node

    def _alias(self, event: AliasEvent, place: Place) -> None:
        name = str(event.anchor)
        if self._is_key():
            self._stop(place, f"the alias *{name} is used as a key", "write the key out")
        if any(frame.anchor == name for frame in self.stack):
            self._stop(place, f"the alias *{name} contains itself", "write the value out")
        if name not in self.anchors:
            self._stop(
                place, f"the alias *{name} has no anchor", f"write &{name} at the value it stands for, before it"
            )
        target = self.anchors[name]
        if len(self.stack) + target.height > DEPTH_LIMIT:
            self._stop(place, f"the alias *{name} nests deeper than {DEPTH_LIMIT}", f"at most {DEPTH_LIMIT} levels")
        self._add(target.node, target.size, target.height)

    def _add(self, node: Node, size: int, height: int) -> None:
        """Put a finished value where it belongs. ``size`` and ``height`` count what its aliases stand for."""
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if frame.size > VALUE_LIMIT:
            self._stop(frame.place, f"it expands to more than {VALUE_LIMIT} values", "use fewer aliases")
        if frame.is_table:
            assert frame.key is not None
            frame.entries.setdefault(frame.key.text, Entry(frame.key.text, frame.key.place, node))
            frame.key = None
        else:
            frame.items.append(node)

    def _close(self) -> None:
        frame = self.stack.pop()
        node: Node = Table(frame.entries, frame.place) if frame.is_table else Items(tuple(frame.items), frame.place)
        if frame.anchor is not None:
            self.anchors[frame.anchor] = _Anchored(node, frame.size, frame.height)
        self._add(node, frame.size, frame.height)
