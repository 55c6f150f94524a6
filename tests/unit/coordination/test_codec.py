"""A record reads as it was written, and nothing else reads at all."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.coordination.codec import Malformed, from_json, to_json
from howdah.errors import Bug
from howdah.model.cluster import Assignment, Cluster, Endpoint
from howdah.model.roles import Role
from howdah.model.storage import DataSet, VolumeIdentity
from howdah.units import Bytes, Cores, Duration

st.register_type_strategy(Bytes, st.integers(0, 2**60).map(Bytes))

MODELS = (Cluster, Assignment, Endpoint, DataSet, VolumeIdentity)


@dataclass(frozen=True)
class Everything:
    role: Role
    size: Bytes
    span: Duration
    cores: Cores
    maybe: Bytes | None
    pair: tuple[str, int]
    nested: Mapping[str, Mapping[Role, tuple[Bytes, ...]]] = field(default_factory=dict)
    is_set: bool = False


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
@settings(deadline=None)  # the first example pays for looking at the types
@given(data=st.data())
def test_every_record_reads_as_it_was_written(model: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(model))
    assert from_json(model, json.loads(json.dumps(to_json(value)))) == value


@given(
    st.builds(
        Everything,
        role=st.sampled_from(Role),
        span=st.integers(0).map(Duration),
        cores=st.floats(0.1, 1024).map(Cores),
    )
)
def test_quantities_and_enums_come_back_as_what_they_were(value: Everything) -> None:
    read = from_json(Everything, json.loads(json.dumps(to_json(value))))
    assert read == value
    for each in fields(value):
        assert type(getattr(read, each.name)) is type(getattr(value, each.name))


def test_a_quantity_is_written_as_its_number_not_as_its_text_for_people() -> None:
    value = Everything(
        Role.DATANODE, Bytes(2**30), Duration(90), Cores(1.5), None, ("a", 1), {"x": {Role.DATANODE: ()}}
    )
    assert to_json(value) == {
        "role": "datanode",
        "size": 1073741824,
        "span": 90,
        "cores": 1.5,
        "maybe": None,
        "pair": ["a", 1],
        "nested": {"x": {"datanode": []}},
        "is_set": False,
    }


def test_a_field_that_is_missing_takes_its_default() -> None:
    assignment = Assignment("dn1", Role.DATANODE, "default", "here", "10.0.0.2", 1)
    content = to_json(assignment)
    del content["volume"]
    assert from_json(Assignment, content) == assignment


GOOD: dict[str, Any] = to_json(Assignment("dn1", Role.DATANODE, "default", "here", "10.0.0.2", 1))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ([], "an object is expected, not []"),
        ({**GOOD, "colour": "red"}, "unknown field 'colour'"),
        ({name: value for name, value in GOOD.items() if name != "host"}, "field 'host' is missing"),
        ({**GOOD, "role": "cook"}, "role: 'cook' is not one of namenode, "),
        ({**GOOD, "incarnation": "1"}, "incarnation: a whole number is expected, not '1'"),
        ({**GOOD, "incarnation": 1.0}, "incarnation: a whole number is expected, not 1.0"),
        ({**GOOD, "incarnation": True}, "incarnation: a whole number is expected, not True"),
        ({**GOOD, "host": None}, "host: a text is expected, not None"),
    ],
)
def test_what_does_not_fit_is_malformed_and_says_where(content: object, problem: str) -> None:
    with pytest.raises(Malformed) as raised:
        from_json(Assignment, content)
    assert problem in str(raised.value)


def test_the_place_of_a_problem_is_a_path() -> None:
    @dataclass(frozen=True)
    class Row:
        cells: Mapping[str, tuple[int, ...]]

    @dataclass(frozen=True)
    class Table:
        rows: tuple[Row, ...]

    with pytest.raises(Malformed, match=r"^rows\[1\]\.cells\.b\[0\]: "):
        from_json(Table, {"rows": [{"cells": {}}, {"cells": {"b": ["x"]}}]})


def test_what_json_cannot_say_is_a_bug() -> None:
    with pytest.raises(Bug, match="set"):
        to_json(replace(Endpoint("dn1", "h", "n", "a", {}, ""), ports={"http": {1, 2}}))  # type: ignore[dict-item]
