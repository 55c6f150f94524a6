"""A record as bytes: canonical JSON, so that equal contents are equal bytes, and the limit on its size."""

import json
from collections.abc import Mapping
from typing import Any

from howdah.errors import Bug, Failed, UserError
from howdah.ports.coordinator import Value
from howdah.units import Bytes

LIMIT = Bytes(256 * 2**10)
"""A record's size. ZooKeeper itself refuses over 1 MiB, and slows down well before."""


def encode(path: str, value: Value) -> bytes:
    """The bytes of a record. Raises UserError over the limit, Bug for what JSON cannot say."""
    content = canonical(path, value)
    if len(content) > LIMIT:
        raise UserError(
            f"the record {path} would be {Bytes(len(content))} ({len(content)} bytes), the limit is {LIMIT}",
            fix="make the definition smaller, or spread the instances over several clusters",
        )
    return content


def canonical(path: str, value: Value) -> bytes:
    """Sorted keys, no spaces, UTF-8. Raises Bug for what JSON cannot say."""
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain
        )
        return text.encode()
    except (TypeError, ValueError) as error:
        raise Bug(f"the record {path} cannot be written as JSON: {error}") from error


def decode(path: str, content: bytes) -> dict[str, Any]:
    """The record that the bytes say. Raises Failed where they are not one."""
    try:
        value = json.loads(content)
    except ValueError as error:
        raise Failed(f"the record {path} is not JSON: {error}", fix="something other than howdah wrote it") from error
    if not isinstance(value, dict):
        raise Failed(f"the record {path} is not a JSON object", fix="something other than howdah wrote it")
    return value


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
