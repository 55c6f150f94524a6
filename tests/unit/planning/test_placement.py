"""Which instances a definition means, what each is called, and what it is given."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.definitions.loading import load
from howdah.errors import UserError
from howdah.model.definition import Group
from howdah.model.roles import ROLES, Role, Storage
from howdah.model.storage import volume_uuid
from howdah.planning.network import choose_network
from howdah.planning.placement import assign, check_memory, claims, members, new_data_set, resumed_data_set
from howdah.units import Bytes
from tests.unit.planning.situations import CLUSTER, DATA_SET, HOST, LOADED, desired

GIB = 2**30


@given(st.integers(1, 50))
def test_every_member_has_a_name_and_an_address_of_its_own(workers: int) -> None:
    loaded = load("small", {"workers": str(workers)}, name="sales")
    data_set = new_data_set("sales", DATA_SET, loaded.definition, loaded.text, HOST, CLUSTER)
    made = assign(loaded.definition, choose_network("sales", ()), HOST, data_set, {})
    assert len(made) == 2 * workers + 4
    assert len({each.instance for each in made}) == len(made)
    assert len({each.address for each in made}) == len(made)
    assert {each.incarnation for each in made} == {1}
    for each in made:
        assert bool(each.volume) is (ROLES[each.role].storage is Storage.VOLUME)
        assert each.instance.startswith(ROLES[each.role].prefix)


def test_more_members_than_addresses_is_the_users_mistake() -> None:
    loaded = load("small", {"workers": "60"}, name="sales")
    data_set = new_data_set("sales", DATA_SET, loaded.definition, loaded.text, HOST, CLUSTER)
    with pytest.raises(UserError, match="at most"):
        assign(loaded.definition, choose_network("sales", ()), HOST, data_set, {})


def test_numbers_go_on_over_the_groups_of_a_role() -> None:
    meant = desired().definition
    role = meant.roles[Role.DATANODE]
    (group,) = role.groups.values()
    groups = {"ssd": replace_count(group, 2), "hdd": replace_count(group, 3)}
    grouped = meant.model_copy(
        update={"roles": {**meant.roles, Role.DATANODE: role.model_copy(update={"groups": groups})}}
    )
    found = [(name, kind) for name, which, kind, _ in members(grouped) if which is Role.DATANODE]
    assert found == [("dn1", "ssd"), ("dn2", "ssd"), ("dn3", "hdd"), ("dn4", "hdd"), ("dn5", "hdd")]


def replace_count(group: Group, count: int) -> Group:
    return group.model_copy(update={"count": count})


def test_an_incarnation_is_one_above_the_highest_that_was_seen() -> None:
    meant = desired()
    made = assign(meant.definition, meant.cluster.network, HOST, meant.data_set, {"nn1": 4, "dn2": 9})
    assert {each.instance: each.incarnation for each in made if each.incarnation > 1} == {"nn1": 5, "dn2": 10}


@given(st.integers(0, 5), st.integers(0, 5))
def test_a_volume_follows_from_data_set_instance_and_attempt(one: int, other: int) -> None:
    definition = desired().definition
    first, second = claims(definition, DATA_SET, HOST, one), claims(definition, DATA_SET, HOST, other)
    assert (first == second) is (one == other)
    assert len({claim.volume for claim in first}) == len(first) == 4
    assert first[0].volume == volume_uuid(DATA_SET, first[0].instance, one)


def test_data_is_resumed_by_the_same_counts_and_version_only() -> None:
    meant = desired()
    given_back = replace(meant.data_set, lease="")
    cluster = replace(meant.cluster, name="again", uuid="33333333-3333-4333-8333-333333333333")
    resumed = resumed_data_set(given_back, meant.definition, "text", cluster)
    assert (resumed.lease, resumed.last_cluster, resumed.definition) == (cluster.uuid, "again", "text")
    assert (resumed.uuid, resumed.claims, resumed.cluster_id) == (DATA_SET, given_back.claims, given_back.cluster_id)
    more = load("small", {"workers": "3"}, name="again")
    with pytest.raises(UserError, match="dn3"):
        resumed_data_set(given_back, more.definition, more.text, cluster)
    with pytest.raises(UserError, match=r"3\.4\.2"):
        resumed_data_set(replace(given_back, hadoop="3.4.2"), LOADED.definition, LOADED.text, cluster)


@given(st.integers(0, 64), st.integers(0, 64))
def test_memory_is_promised_once(total: int, in_use: int) -> None:
    definition = desired().definition
    need = sum(group.memory for _, _, _, group in members(definition))
    fits = need <= max(0, total - in_use) * GIB
    if fits:
        check_memory(definition, HOST, Bytes(total * GIB), Bytes(in_use * GIB))
        return
    with pytest.raises(UserError) as raised:
        check_memory(definition, HOST, Bytes(total * GIB), Bytes(in_use * GIB))
    assert HOST in str(raised.value)
    assert str(Bytes(need)) in str(raised.value)
