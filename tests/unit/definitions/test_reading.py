import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.definitions.reading import decode, parse
from howdah.definitions.tree import Items, Node, Place, Scalar, Table, provenance
from howdah.errors import UserError


def texts(text: str) -> dict[str, str]:
    table = parse(text, "f")
    return {key: entry.value.text for key, entry in table.entries.items() if isinstance(entry.value, Scalar)}


def test_values_are_the_text_they_look_like() -> None:
    assert texts("a: no\nb: 0755\nc: 1:30\nd: 3.10\ne: 'x'\nf: |\n  two\n  lines\n") == {
        "a": "no", "b": "0755", "c": "1:30", "d": "3.10", "e": "x", "f": "two\nlines\n",
    }  # fmt: skip


def test_every_value_knows_its_place() -> None:
    places = dict(provenance(parse("a: 1\nb:\n  - x\n  - c: {d: 2}\n", "f.yaml")))
    assert places["a"] == Place("f.yaml", 1, 4)
    assert places["b[0]"] == Place("f.yaml", 3, 5)
    assert places["b[1].c.d"] == Place("f.yaml", 4, 12)


def test_places_can_start_from_a_later_line() -> None:
    assert parse("a: 1\n", "f", first_line=10).entries["a"].place == Place("f", 10, 1)


def test_an_alias_stands_for_its_anchor() -> None:
    table = parse("a: &x {b: 1}\nc: *x\n", "f")
    assert table.get("c") == table.get("a")


def test_quotes_make_nothing_a_text() -> None:
    table = parse("a: ''\nb:\n", "f")
    a, b = table.get("a"), table.get("b")
    assert isinstance(a, Scalar)
    assert isinstance(b, Scalar)
    assert (a.is_null, b.is_null) == (False, True)


def test_a_byte_order_mark_is_no_character() -> None:
    assert decode(b"\xef\xbb\xbfa: 1\n", "f") == "a: 1\n"


LEAVES = st.text("abc 1:-#'\"{}[],&*!|>%@`\n\\é", max_size=8)


def yaml_of(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def plain(node: Node) -> object:
    match node:
        case Table():
            return {key: plain(entry.value) for key, entry in node.entries.items()}
        case Items():
            return [plain(item) for item in node.items]
        case Scalar():
            return node.text


@settings(max_examples=50)
@given(
    st.dictionaries(
        LEAVES, st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(LEAVES, inner), max_leaves=5)
    )
)
def test_json_is_read_as_it_is_written(value: dict[str, object]) -> None:
    if not value:
        return
    assert plain(parse(yaml_of(value), "f")) == value


@given(st.text("ab:-?#&*!|>'\"%@`{}[], \n\t~0.<", max_size=40))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    message = ""
    try:
        parse(text, "f")
    except UserError as error:
        message = str(error)
    assert not message or "fix: " in message


def test_an_anchor_may_be_used_again_and_again_within_the_limit() -> None:
    with pytest.raises(UserError, match="expands to more than"):
        parse("a: &a [" + "x," * 2000 + "]\n" + "".join(f"b{n}: *a\n" for n in range(11)), "f")
    assert parse("a: &a [" + "x," * 2000 + "]\n" + "".join(f"b{n}: *a\n" for n in range(8)), "f").entries
