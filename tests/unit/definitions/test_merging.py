from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.definitions.loading import load
from howdah.definitions.merging import merge
from howdah.definitions.tree import Entry, Node, Place, Scalar, Table
from howdah.errors import UserError
from howdah.model.roles import Role
from howdah.units import Bytes

HERE = Place("f", 1, 1)
KEYS = st.sampled_from("abc")


def table(entries: dict[str, Node]) -> Table:
    return Table({key: Entry(key, HERE, value) for key, value in entries.items()}, HERE)


SCALARS = st.sampled_from("123").map(lambda text: Scalar(text, HERE))
TABLES = st.recursive(
    st.dictionaries(KEYS, SCALARS).map(lambda entries: table(dict(entries))),
    lambda inner: st.dictionaries(KEYS, SCALARS | inner).map(table),
    max_leaves=6,
)


@given(TABLES)
def test_nothing_over_something_and_something_over_nothing_change_nothing(one: Table) -> None:
    assert merge(one, table({})) == one
    assert merge(table({}), one) == one


@given(TABLES)
def test_a_definition_over_itself_is_itself(one: Table) -> None:
    assert merge(one, one) == one


@given(TABLES, TABLES)
def test_every_value_of_the_child_is_in_the_result(parent: Table, child: Table) -> None:
    def holds(result: Node | None, wanted: Node) -> bool:
        if isinstance(wanted, Table):
            return isinstance(result, Table) and all(holds(result.get(k), e.value) for k, e in wanted.entries.items())
        return result == wanted

    merged = merge(parent, child)
    assert holds(merged, child)
    assert set(merged.entries) == set(parent.entries) | set(child.entries)


@given(TABLES, TABLES, TABLES)
def test_a_chain_merges_the_same_from_either_end(a: Table, b: Table, c: Table) -> None:
    def is_mixed(x: Node | None, y: Node | None) -> bool:
        if x is None or y is None:
            return False
        if isinstance(x, Table) and isinstance(y, Table):
            return any(is_mixed(x.get(key), y.get(key)) for key in "abc")
        return isinstance(x, Table) != isinstance(y, Table)

    if not (is_mixed(a, b) or is_mixed(b, c) or is_mixed(a, c)):
        assert merge(merge(a, b), c) == merge(a, merge(b, c))


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_file_over_a_template(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "c.yaml",
        "name: sales\nextends: small\nroles:\n  datanode: {count: 4}\n"
        "  nodemanager: {groups: {default: {memory: 4 GiB}}}\n"
        "configuration: {hdfs-site: {dfs.replication: 2}}\n",
    )
    loaded = load(path, {"volume_size": "20 GiB"})
    datanode = loaded.definition.roles[Role.DATANODE].groups["default"]
    assert (loaded.definition.name, datanode.count, datanode.memory) == ("sales", 4, Bytes(768 * 2**20))
    assert datanode.volume is not None
    assert datanode.volume.size == 20 * 2**30
    assert loaded.definition.roles[Role.NODEMANAGER].groups["default"].memory == 4 * 2**30
    assert str(loaded.provenance["roles.datanode.groups.default.count"]) == f"{path}:4:21"
    assert loaded.provenance["roles.datanode.groups.default.memory"].file == "small.yaml.j2"


def test_a_chain_of_files_is_relative_to_each_file(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    write(tmp_path / "base", "a.yaml", "extends: ./b.yaml\nroles: {datanode: {count: 2}}\n")
    write(tmp_path / "base", "b.yaml", "name: b\nroles: {namenode: , datanode: {count: 1, memory: 2 GiB}}\n")
    definition = load(write(tmp_path, "c.yaml", "name: c\nextends: base/a.yaml\n")).definition
    group = definition.roles[Role.DATANODE].groups["default"]
    assert (definition.name, group.count, group.memory) == ("c", 2, 2 * 2**30)


def test_a_role_s_own_fields_are_defaults_of_its_groups(tmp_path: Path) -> None:
    text = "name: c\nroles:\n  namenode:\n  datanode: {memory: 2 GiB, groups: {a: {count: 2}, b: {memory: 3 GiB}}}\n"
    groups = load(write(tmp_path, "c.yaml", text)).definition.roles[Role.DATANODE].groups
    assert {name: (group.count, int(group.memory)) for name, group in groups.items()} == {
        "a": (2, 2 * 2**30),
        "b": (1, 3 * 2**30),
    }


def test_fields_right_at_a_role_do_not_add_a_group_beside_named_ones(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "name: a\nroles: {namenode: , datanode: {groups: {ssd: {}, hdd: {}}}}\n")
    with pytest.raises(UserError, match="does not say which group"):
        load(write(tmp_path, "c.yaml", "extends: ./a.yaml\nroles: {datanode: {count: 3}}\n"))


def test_files_that_extend_one_another_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "extends: ./b.yaml\n")
    path = write(tmp_path, "b.yaml", "extends: ./a.yaml\n")
    with pytest.raises(UserError, match="extends itself"):
        load(path)


def test_a_long_chain_is_refused(tmp_path: Path) -> None:
    for number in range(10):
        write(tmp_path, f"{number}.yaml", f"extends: ./{number + 1}.yaml\n")
    with pytest.raises(UserError, match="extend one another"):
        load(tmp_path / "0.yaml")


def test_parameters_without_a_template_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "c.yaml", "name: c\nroles: {namenode: }\n")
    with pytest.raises(UserError, match="takes no parameters"):
        load(path, {"workers": "2"})


def test_the_given_name_goes_before_the_written_one_and_is_checked(tmp_path: Path) -> None:
    path = write(tmp_path, "c.yaml", "name: c\nroles: {namenode: }\n")
    assert load(path, name="d").definition.name == "d"
    with pytest.raises(UserError) as refusal:
        load(path, name="D_1")
    assert "--name" in str(refusal.value)
