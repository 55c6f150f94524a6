import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import Bug
from howdah.hadoop import site

# What a definition lets through, and more: everything that XML can carry.
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32))) + "\ufffe\uffff")
)
NAMES = st.text("abcdefghijklmnopqrstuvwxyz.-*_:=# !\\", min_size=1)


def read_xml(text: str) -> dict[str | None, str]:
    root = ElementTree.fromstring(text.encode())
    return {node.findtext("name"): node.findtext("value") or "" for node in root.iter("property")}


def read_properties(text: str) -> dict[str, str]:
    """java.util.Properties.load, as its manual has it, for one entry a line."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        parts: list[str] = []
        current, position = "", 0
        while position < len(line):
            character = line[position]
            if character == "\\":
                following = line[position + 1]
                if following == "u":
                    current += chr(int(line[position + 2 : position + 6], 16))
                    position += 6
                    continue
                current += {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}.get(following, following)
                position += 2
                continue
            if not parts and character in "=: \t":
                parts.append(current)
                current = ""
                position += 1
                if character in " \t":
                    raise AssertionError(f"a bare blank ends the key in {line!r}")
                continue
            current += character
            position += 1
        found[parts[0]] = current
    return {key: _joined(value) for key, value in found.items()}


def _joined(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


@given(st.dictionaries(NAMES, TEXT))
def test_xml_reads_back_equal(properties: dict[str, str]) -> None:
    assert read_xml(site.xml(properties)) == properties


def test_a_value_cannot_add_a_property() -> None:
    value = "1</value></property><property><name>dfs.permissions.enabled</name><value>false"
    assert read_xml(site.xml({"a": value})) == {"a": value}


def test_line_ends_and_tabs_survive() -> None:
    assert read_xml(site.xml({"a": "x\ty\r\nz"})) == {"a": "x\ty\r\nz"}


@pytest.mark.parametrize("value", ["\x00", "\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_carry_is_refused(value: str) -> None:
    with pytest.raises(Bug):
        site.xml({"a": value})


def test_the_included_file_comes_before_the_properties() -> None:
    text = site.xml({"a": "1"}, include='/x/"&.xml')
    children = list(ElementTree.fromstring(text.encode()))
    assert children[0].tag == "{http://www.w3.org/2001/XInclude}include"
    assert children[0].get("href") == '/x/"&.xml'


@given(st.dictionaries(NAMES, TEXT | st.just("  two blanks") | st.just("a\tb\nc\\")))
def test_java_properties_read_back_equal(properties: dict[str, str]) -> None:
    text = site.java_properties(properties)
    assert text.isascii()
    assert read_properties(text) == properties


def test_the_same_mapping_gives_the_same_text() -> None:
    assert site.xml({"b": "1", "a": "2"}) == site.xml({"a": "2", "b": "1"})
