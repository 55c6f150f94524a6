from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from howdah.definitions.exporting import dumps, loads
from howdah.definitions.loading import load, reload
from howdah.errors import UserError
from howdah.hadoop.managed import FILES, files_of, reason_managed
from howdah.model.definition import Definition, Distribution, Group, Lifecycle, RoleDefinition, VolumeSize
from howdah.model.roles import ROLES, Role, Storage
from howdah.units import Bytes, Cores, Duration

AMOUNTS = st.integers(1, 2**40).map(lambda kib: Bytes(kib * 1024))
NAMES = st.from_regex(r"[a-z][a-z0-9]{0,9}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn"]), max_size=12) | st.sampled_from(
    [
        "yes",
        "no",
        "null",
        "~",
        "1",
        "1.0",
        "0x1",
        "",
        " ",
        "a: b",
        "# c",
        "'",
        '"',
        "{}",
        "[",
        "*a",
        "&a",
        "!t",
        "- x",
        "2020-01-01",
        "<<",
    ]
)
PROPERTIES = NAMES.map(lambda name: f"a.{name}").filter(lambda name: reason_managed(name) is None)


def configurations(files: tuple[str, ...]) -> st.SearchStrategy[Mapping[str, Mapping[str, str]]]:
    return st.dictionaries(
        st.sampled_from(files), st.dictionaries(PROPERTIES, VALUES, min_size=1, max_size=3), max_size=2
    )


@st.composite
def groups(draw: st.DrawFn, role: Role) -> Group:
    keeps_volume = ROLES[role].storage is Storage.VOLUME
    return Group(
        count=1 if ROLES[role].is_single else draw(st.integers(1, 1000)),
        memory=draw(AMOUNTS),
        cpus=draw(st.none() | st.floats(0.1, 1024).map(Cores)),
        heap=draw(st.none() | AMOUNTS),
        volume=VolumeSize(size=draw(AMOUNTS)) if keeps_volume else None,
        scratch=None if keeps_volume else draw(AMOUNTS),
        java_options=tuple(draw(st.lists(VALUES.map(lambda value: f"-Da={value}"), max_size=2))),
        environment=draw(st.dictionaries(NAMES.map(str.upper).map(lambda n: f"X_{n}"), VALUES, max_size=2)),
        configuration=draw(configurations(files_of(role))),
    )


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    roles = draw(st.lists(st.sampled_from(list(Role)), min_size=1, max_size=3, unique=True))
    bodies = {
        role: RoleDefinition(groups=draw(st.dictionaries(NAMES, groups(role), min_size=1, max_size=2)))
        for role in roles
    }
    own = {role: draw(configurations(files_of(role))) for role in roles}
    return Definition(
        name=draw(NAMES),
        distribution=Distribution(spark=draw(st.none() | st.just("4.3.0"))),
        jvm=draw(st.sampled_from(["quick", "steady"])),
        roles=bodies,
        configuration=draw(configurations(FILES)),
        role_configuration={role: configuration for role, configuration in own.items() if configuration},
        lifecycle=Lifecycle(
            ttl=draw(st.none() | st.integers(60, 10**7).map(Duration)), data=draw(st.sampled_from(["keep", "destroy"]))
        ),
    )


@settings(max_examples=40, deadline=None)
@given(definitions())
def test_what_is_exported_loads_back_equal(definition: Definition) -> None:
    text = dumps(definition)
    assert loads(text) == definition
    assert dumps(loads(text)) == text


@pytest.mark.parametrize("amount", ["1.3 GiB", "0.7 MiB", "1025 KiB", "1.5 TiB"])
def test_an_odd_amount_survives(amount: str) -> None:
    definition = loads(f"name: a\nroles: {{namenode: {{memory: {amount}}}}}\n")
    assert loads(dumps(definition)) == definition


def test_an_exported_definition_is_a_definition_of_its_own() -> None:
    loaded = load("small", {"workers": "3"}, "sales")
    assert reload(loaded.text).definition == loaded.definition


def test_a_recorded_text_extends_nothing() -> None:
    with pytest.raises(UserError, match="extends"):
        loads("name: a\nextends: small\n")


def test_other_readers_of_yaml_see_the_same_texts() -> None:
    text = dumps(loads("name: 'no'\nroles: {namenode: {configuration: {core-site: {a: 'yes', b: '1:30', c: 0755}}}}\n"))
    assert 'name: "no"' in text
    assert 'a: "yes"' in text
    assert 'b: "1:30"' in text
    assert 'c: "0755"' in text
