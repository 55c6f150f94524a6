"""The typed parameters of a template: declared in its header, given with ``-p key=value``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from howdah.definitions.fields import amount
from howdah.definitions.nearest import suggestion
from howdah.definitions.tree import Items, Node, Place, Scalar, Table, kind
from howdah.errors import Problems, UserError
from howdah.units import Bytes, Duration

Value = int | str | bool | Bytes | Duration
KINDS = ("integer", "bytes", "duration", "string", "boolean", "choice")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_INTEGER = re.compile(r"-?[0-9]{1,12}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@=+-]{0,199}")
"""Texts are one word, so that none can change the structure of the document that it is put into."""
_KEYS = {"type", "default", "minimum", "maximum", "choices", "description"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. Without a default it must be given."""

    name: str
    kind: str
    description: str
    default: Value | None = None
    minimum: Value | None = None
    maximum: Value | None = None
    choices: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """What it takes, for a person."""
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind == "boolean":
            return "true or false"
        text = {
            "integer": "a whole number",
            "bytes": "an amount such as 2 GiB",
            "duration": "a time such as 1h30m",
        }.get(self.kind, "one word of letters, digits and . _ / : @ = + -")
        if self.minimum is not None:
            text += f" from {show(self.minimum)}"
        if self.maximum is not None:
            text += f" to {show(self.maximum)}"
        return text

    def read(self, text: str) -> Value:
        """A value from its text. Raises UserError naming what is allowed."""
        value = self._read(text)
        if value is None or not self._is_in_range(value):
            raise UserError(f"parameter {self.name} is {_short(text)}", fix=f"give {self.allowed}")
        return value

    def _read(self, text: str) -> Value | None:
        if self.kind in ("bytes", "duration") and (len(text) > 32 or not text.isascii()):
            return None
        try:
            match self.kind:
                case "integer":
                    return int(text) if _INTEGER.fullmatch(text) else None
                case "bytes":
                    return amount(text)
                case "duration":
                    return Duration.parse(text)
                case "boolean":
                    return {"true": True, "false": False}.get(text)
                case "choice":
                    return text if text in self.choices else None
                case _:
                    return text if _WORD.fullmatch(text) else None
        except UserError:
            return None

    def _is_in_range(self, value: Value) -> bool:
        if isinstance(value, str):
            return True
        low = self.minimum is None or isinstance(self.minimum, str) or value >= self.minimum
        return low and (self.maximum is None or isinstance(self.maximum, str) or value <= self.maximum)


def show(value: Value) -> str:
    """A value as a template writes it into the document."""
    match value:
        case bool():
            return "true" if value else "false"
        case Bytes():
            return value.exact()
        case _:
            return str(value)


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def declared(header: Table) -> Mapping[str, Parameter]:
    """The ``parameters:`` block of a template's header. Raises Problems."""
    node = header.get("parameters")
    if node is None or (isinstance(node, Scalar) and node.is_null):
        return {}
    if not isinstance(node, Table):
        raise UserError(f"parameters is {kind(node)}", fix="write a mapping of names", place=str(node.place))
    parameters: dict[str, Parameter] = {}
    problems: list[UserError] = []
    for entry in node.entries.values():
        try:
            if not _NAME.fullmatch(entry.key):
                raise UserError(
                    f"{_short(entry.key)} is no name of a parameter",
                    fix="letters, digits and _",
                    place=str(entry.place),
                )
            parameters[entry.key] = _declaration(entry.key, entry.value)
        except UserError as error:
            problems.append(error)
    if problems:
        raise Problems(tuple(problems))
    return parameters


def _declaration(name: str, node: Node) -> Parameter:
    if not isinstance(node, Table):
        raise UserError(
            f"parameter {name} is {kind(node)}", fix="write `{type: integer, default: 2}`", place=str(node.place)
        )
    for entry in node.entries.values():
        if entry.key not in _KEYS:
            raise UserError(f"unknown key `{entry.key}`", fix=suggestion(entry.key, _KEYS), place=str(entry.place))
    kind_text = _text(node, "type") or ""
    if kind_text not in KINDS:
        raise UserError(
            f"parameter {name} has the type {kind_text!r}", fix=f"one of {', '.join(KINDS)}", place=str(node.place)
        )
    choices = node.get("choices")
    words = tuple(item.text for item in choices.items if isinstance(item, Scalar)) if isinstance(choices, Items) else ()
    if (kind_text == "choice") != bool(words):
        raise UserError(f"parameter {name}: `choices` go with the type choice", fix="list them", place=str(node.place))
    free = Parameter(name, kind_text, _text(node, "description") or "", choices=words)
    limits = Parameter(
        name, kind_text, free.description, None, _value(free, node, "minimum"), _value(free, node, "maximum"), words
    )
    return Parameter(
        name, kind_text, free.description, _value(limits, node, "default"), limits.minimum, limits.maximum, words
    )


def _text(node: Table, key: str) -> str | None:
    value = node.get(key)
    return value.text if isinstance(value, Scalar) else None


def _value(parameter: Parameter, node: Table, key: str) -> Value | None:
    value = node.get(key)
    if value is None:
        return None
    if not isinstance(value, Scalar):
        raise UserError(
            f"`{key}` of parameter {parameter.name} is {kind(value)}", fix="one value", place=str(value.place)
        )
    try:
        return parameter.read(value.text)
    except UserError as error:
        raise UserError(f"`{key}` of {error.what}", fix=error.fix, place=str(value.place)) from None


def given(parameters: Mapping[str, Parameter], texts: Mapping[str, str], template: str) -> Mapping[str, Value]:
    """Every parameter's value: what was given, else the default. Raises Problems listing all that is wrong."""
    problems: list[UserError] = []
    values: dict[str, Value] = {}
    for name in texts:
        if name not in parameters:
            names = ", ".join(parameters) or "none"
            fix = f"{suggestion(name, parameters)} (parameters of {template}: {names})"
            problems.append(UserError(f"{template} has no parameter {_short(name)}", fix=fix, place="-p"))
    for name, parameter in parameters.items():
        if name in texts:
            try:
                values[name] = parameter.read(texts[name])
            except UserError as error:
                problems.append(UserError(error.what, fix=error.fix, place=f"-p {name}"))
        elif parameter.default is not None:
            values[name] = parameter.default
        else:
            fix = f"add -p {name}=…: {parameter.allowed}"
            problems.append(UserError(f"{template} needs the parameter {name}", fix=fix, place="-p"))
    if problems:
        raise Problems(tuple(problems))
    return values


def place_of(header: Table, name: str) -> Place:
    """Where a parameter is declared."""
    node = header.get("parameters")
    return node.entries[name].place if isinstance(node, Table) and name in node.entries else header.place
