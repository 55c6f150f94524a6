from pathlib import Path

import pytest

from howdah import resources
from howdah.definitions import templates
from howdah.definitions.exporting import loads
from howdah.definitions.loading import load
from howdah.errors import UserError
from howdah.model.roles import Role
from howdah.units import Bytes

HEADER = """\
description: For tests.
parameters:
  count: {type: integer, default: 2, minimum: 1, maximum: 9, description: How many.}
  memory: {type: bytes, default: 1 GiB, minimum: 512 MiB}
  ttl: {type: duration, default: 1h}
  label: {type: string, default: a}
  is_big: {type: boolean, default: false}
  jvm: {type: choice, choices: [quick, steady], default: quick}
---
"""


def render(body: str, **texts: str) -> str:
    return templates.read(HEADER + body, "t", "t.yaml.j2").render(texts).text


@pytest.mark.parametrize("name", list(resources.templates()))
def test_a_shipped_template_loads_with_its_defaults_and_describes_all_its_parameters(name: str) -> None:
    loaded = load(name)
    assert loaded.definition.name == name
    assert loads(loaded.text) == loaded.definition
    template = templates.shipped(name)
    assert template.description
    assert [parameter.name for parameter in template.parameters.values() if not parameter.description] == []


def test_small_is_two_of_what_works_and_one_of_what_leads() -> None:
    definition = load("small").definition
    counts = {role: definition.count(role) for role in Role}
    assert [role for role, count in counts.items() if count == 2] == [Role.DATANODE, Role.NODEMANAGER]
    assert all(counts.values())


def test_single_is_one_of_each() -> None:
    definition = load("single").definition
    assert [
        definition.count(role) for role in (Role.NAMENODE, Role.DATANODE, Role.RESOURCEMANAGER, Role.NODEMANAGER)
    ] == [1] * 4


def test_parameters_change_what_they_say() -> None:
    definition = load("small", {"workers": "3", "worker_memory": "4 GiB"}, "sales").definition
    assert (definition.name, definition.count(Role.DATANODE), definition.count(Role.NODEMANAGER)) == ("sales", 3, 3)
    assert definition.roles[Role.NODEMANAGER].groups["default"].memory == Bytes(4 * 2**30)


@pytest.mark.parametrize("name", list(resources.templates()))
@pytest.mark.parametrize("end", ["minimum", "maximum"])
def test_a_shipped_template_holds_at_both_ends_of_every_range(name: str, end: str) -> None:
    from howdah.definitions.parameters import show

    for parameter in templates.shipped(name).parameters.values():
        value = getattr(parameter, end)
        if value is not None:
            load(name, {parameter.name: show(value)})


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{{ count }} {{ memory }} {{ ttl }} {{ label }} {{ is_big }}", "2 1 GiB 1h a false"),
        ("{{ memory * 2 }} {{ memory // 4 }} {{ count * 3 }} {{ count ** 3 }}", "2 GiB 256 MiB 6 8"),
        ("{% if is_big %}a{% else %}b{% endif %}", "b"),
        ("{% for n in range(count) %}{{ loop.index }}{{ ',' if not loop.last }}{% endfor %}", "1,2"),
        ("{% for n in ['x', 'y'] if n != 'y' %}{{ n }}{% endfor %}", "x"),
        ("{{ 'big' if count > 1 and jvm == 'quick' else 'small' }}", "big"),
        ("{{ label | upper }}{{ 'x' * 3 }}", "Axxx"),
    ],
)
def test_what_a_template_can_say(body: str, text: str) -> None:
    assert render(body) == text


@pytest.mark.parametrize(
    "expression",
    ["[] | min and 1", "1 / 0", "1 % 0", "'x' - 1", "'%s' % 1", "label | round", "range(1, 2, 0)", "[1, 2]", "1 < 'a'"],
)
def test_an_expression_that_makes_no_sense_is_the_templates_mistake(expression: str) -> None:
    with pytest.raises(UserError) as refusal:
        render("a: {{ " + expression + " }}")
    assert "t.yaml.j2:10: " in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("count", "x", "a whole number from 1 to 9"),
        ("count", "10", "a whole number from 1 to 9"),
        ("count", "", "a whole number"),
        ("memory", "2", "an amount such as 2 GiB from 512 MiB"),
        ("memory", "1 MiB", "from 512 MiB"),
        ("memory", "9" * 500 + " GiB", "an amount"),
        ("ttl", "0s", "a time such as 1h30m"),
        ("label", "a: b", "one word"),
        ("label", "a\nroles: {}", "one word"),
        ("label", "{a}", "one word"),
        ("is_big", "yes", "true or false"),
        ("jvm", "fast", "one of quick, steady"),
    ],
)
def test_a_value_of_the_wrong_kind_names_what_is_allowed(name: str, value: str, allowed: str) -> None:
    with pytest.raises(UserError) as refusal:
        render("", **{name: value})
    assert f"-p {name}: " in str(refusal.value)
    assert allowed in str(refusal.value)


def test_a_parameter_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(UserError) as refusal:
        render("", coumt="3", x="1")
    message = str(refusal.value)
    assert "did you mean `count`?" in message
    assert "parameters of t: count, memory, ttl, label, is_big, jvm" in message
    assert "'x'" in message


def test_a_parameter_without_a_default_must_be_given() -> None:
    template = templates.read("parameters: {n: {type: integer}}\n---\nx: {{ n }}\n", "t", "f")
    with pytest.raises(UserError, match="needs the parameter n"):
        template.render({})
    assert template.render({"n": "3"}).text == "x: 3\n"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("parameters: {n: {type: number}}", "has the type 'number'"),
        ("parameters: {n: {type: integer, default: x}}", "`default` of parameter n is 'x'"),
        ("parameters: {n: {type: integer, default: 5, maximum: 4}}", "a whole number to 4"),
        ("parameters: {n: {type: choice}}", "`choices`"),
        ("parameters: {__class__: {type: integer}}", "no name of a parameter"),
        ("parameters: {n: {type: integer, defualt: 1}}", "did you mean `default`?"),
        ("params: {}", "did you mean `parameters`?"),
    ],
)
def test_a_header_is_checked_too(header: str, part: str) -> None:
    with pytest.raises(UserError) as refusal:
        templates.read(f"{header}\n---\n", "t", "f")
    assert part in str(refusal.value)
    assert "f:1:" in str(refusal.value)


def test_a_template_without_a_header_is_refused() -> None:
    with pytest.raises(UserError, match="no header"):
        templates.read("name: a\n", "t", "f")


def test_a_problem_in_the_body_is_placed_in_the_template(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml.j2"
    path.write_text(HEADER + "name: a\nroles:\n  namenode: {cuont: {{ count }}}\n")
    with pytest.raises(UserError) as refusal:
        load(path)
    assert f"{path}:12:14: unknown key `cuont`" in str(refusal.value)


def test_a_name_that_is_not_a_template_suggests_one() -> None:
    with pytest.raises(UserError) as refusal:
        load("smal")
    assert "did you mean `small`?" in str(refusal.value)
