"""Dataclasses to JSON values and back, by their fields.

Fields may hold dataclasses, enums, tuples, mappings, quantities and None. A field that is missing takes its
default, so that a record from before the field was there still reads; a field that is not known is an error,
for writing the record back would lose it.
"""

import dataclasses
import types
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from howdah.errors import Bug

T = TypeVar("T")


class Malformed(ValueError):
    """A JSON value that is not what the type says; ``where`` is the path of fields to it."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}" if where else problem)


def to_json(value: object) -> Any:
    """The JSON value of a dataclass or of anything it may hold. Raises Bug for a type that has none."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    match value:
        case Enum():
            return to_json(value.value)
        case None | bool():
            return value
        # The plain number or text, not the subclass, whose str() may be a quantity for people.
        case str():
            return str.__str__(value)
        case int():
            return int(value)
        case float():
            return float(value)
        case Mapping():
            return {str(to_json(key)): to_json(item) for key, item in value.items()}
        case tuple() | list():
            return [to_json(item) for item in value]
        case _:
            raise Bug(f"{type(value).__name__} has no JSON form in a record")


def from_json(expected: type[T], value: object, where: str = "") -> T:
    """A dataclass from its JSON value. Raises Malformed."""
    made = _read(expected, value, where)
    if not isinstance(made, expected):
        raise Bug(f"{expected.__name__} was read as {type(made).__name__}")
    return made


def _read(expected: Any, value: object, where: str) -> object:
    origin = get_origin(expected)
    if origin is Union or origin is types.UnionType:
        return _read_optional(expected, value, where)
    if origin is tuple:
        return _read_tuple(get_args(expected), value, where)
    if origin is not None and issubclass(origin, Mapping):
        key, item = get_args(expected)
        members = _typed(dict, value, where)
        return {_read(key, k, f"{where}.{k}"): _read(item, v, f"{where}.{k}") for k, v in members.items()}
    if dataclasses.is_dataclass(expected) and isinstance(expected, type):
        return _read_dataclass(expected, value, where)
    if isinstance(expected, type) and issubclass(expected, Enum):
        return _read_enum(expected, value, where)
    return _read_scalar(expected, value, where)


def _read_dataclass(expected: type, value: object, where: str) -> object:
    members = _typed(dict, value, where)
    hints, fields = _hints(expected), dataclasses.fields(expected)
    if unknown := sorted(members.keys() - {field.name for field in fields}):
        raise Malformed(where, f"unknown field {unknown[0]!r}")
    given = {}
    for field in fields:
        if field.name in members:
            given[field.name] = _read(
                hints[field.name], members[field.name], f"{where}.{field.name}" if where else field.name
            )
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise Malformed(where, f"field {field.name!r} is missing")
    return expected(**given)


def _read_optional(expected: Any, value: object, where: str) -> object:
    members = [member for member in get_args(expected) if member is not type(None)]
    if len(members) != 1 or type(None) not in get_args(expected):
        raise Bug(f"{expected} is no type for a record: of unions only X | None is")
    return None if value is None else _read(members[0], value, where)


def _read_tuple(members: tuple[Any, ...], value: object, where: str) -> tuple[object, ...]:
    items = _typed(list, value, where)
    if len(members) == 2 and members[1] is Ellipsis:
        members = (members[0],) * len(items)
    if len(members) != len(items):
        raise Malformed(where, f"{len(items)} items where {len(members)} are expected")
    return tuple(
        _read(member, item, f"{where}[{n}]") for n, (member, item) in enumerate(zip(members, items, strict=True))
    )


def _read_enum(expected: type[Enum], value: object, where: str) -> Enum:
    try:
        return expected(value)
    except ValueError:
        raise Malformed(
            where, f"{value!r} is not one of {', '.join(str(member.value) for member in expected)}"
        ) from None


def _read_scalar(expected: Any, value: object, where: str) -> object:
    if expected is bool:
        return _typed(bool, value, where)
    if isinstance(expected, type) and issubclass(expected, str):
        return expected(_typed(str, value, where))
    if isinstance(expected, type) and issubclass(expected, int):
        return expected(_typed(int, value, where))
    if isinstance(expected, type) and issubclass(expected, float):
        return expected(
            value if isinstance(value, int) and not isinstance(value, bool) else _typed(float, value, where)
        )
    raise Bug(f"{expected} is no type for a record")


def _typed(expected: type[T], value: object, where: str) -> T:
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        raise Malformed(where, f"{_JSON_NAMES[expected]} is expected, not {value!r:.60}")
    return value


_JSON_NAMES: Mapping[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


@cache
def _hints(expected: type) -> dict[str, Any]:
    return get_type_hints(expected)
