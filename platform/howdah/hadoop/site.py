"""The file formats: Hadoop's XML, and Java properties for log4j and Spark. The same mapping gives the same text."""

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from howdah.errors import Bug

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 cannot carry, not even escaped (section 2.2)."""
_WHITE = {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}


def xml(properties: Mapping[str, str], include: str = "") -> str:
    """A ``*-site.xml``, sorted by name. ``include`` is the path of another one, read before, so that these win."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    if include:
        lines.append('<configuration xmlns:xi="http://www.w3.org/2001/XInclude">')
        lines.append(f'<xi:include href="{_text(include, {chr(34): "&quot;"})}"/>')
    else:
        lines.append("<configuration>")
    for name, value in sorted(properties.items()):
        lines.append(f"<property><name>{_text(name)}</name><value>{_text(value, _WHITE)}</value></property>")
    lines.append("</configuration>")
    return "\n".join(lines) + "\n"


def _text(text: str, entities: dict[str, str] | None = None) -> str:
    if _FORBIDDEN.search(text):
        raise Bug(f"{text!r} cannot be written as XML")
    return escape(text, entities or {})


_KEY = re.compile(r"[\\:=\s#!]")
_CONTROL = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}


def java_properties(properties: Mapping[str, str]) -> str:
    """A file that ``java.util.Properties`` reads back equal, sorted by name; ASCII only, as log4j reads ISO 8859-1."""
    return "".join(f"{_key(name)}={_value(value)}\n" for name, value in sorted(properties.items()))


def _key(name: str) -> str:
    return _ascii(_KEY.sub(lambda match: _CONTROL.get(match[0], "\\" + match[0]), name))


def _value(value: str) -> str:
    escaped = value.replace("\\", "\\\\")
    for raw, written in _CONTROL.items():
        escaped = escaped.replace(raw, written)
    return _ascii("\\" + escaped if escaped.startswith(" ") else escaped)


def _ascii(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    codes = (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    return "".join(chr(code) if 32 <= code < 127 else f"\\u{code:04x}" for code in codes)
