"""Subnets and addresses: nothing overlaps, and nothing is given twice."""

from ipaddress import IPv4Address, IPv4Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.errors import UserError
from howdah.planning.network import FIRST_ADDRESS, POOL, address, choose_network

SMALL = IPv4Network("10.213.0.0/20")


@st.composite
def subnets(draw: st.DrawFn) -> str:
    """Anywhere in the pool or near it, of any size."""
    prefix = draw(st.integers(14, 30))
    near = int(SMALL.network_address) + draw(st.integers(-(2**12), 2**12 * 2))
    return str(ip_network((near, prefix), strict=False))


@given(st.lists(subnets(), max_size=30))
def test_a_chosen_subnet_overlaps_none_that_is_taken(taken: list[str]) -> None:
    used = [IPv4Network(each) for each in taken]
    free = [each for each in SMALL.subnets(new_prefix=24) if not any(each.overlaps(other) for other in used)]
    if not free:
        with pytest.raises(UserError):
            choose_network("sales", taken, SMALL)
        return
    network = choose_network("sales", taken, SMALL)
    assert network.subnet == str(free[0])


@given(st.lists(subnets(), max_size=8), st.integers(1, 20))
def test_clusters_made_one_after_another_share_nothing(taken: list[str], count: int) -> None:
    used = list(taken)
    for _ in range(count):
        try:
            used.append(choose_network("sales", used, SMALL).subnet)
        except UserError:
            break
    made = [IPv4Network(each) for each in used[len(taken) :]]
    assert not [(a, b) for a in made for b in made if a is not b and a.overlaps(b)]


@given(st.lists(subnets(), max_size=8))
def test_the_gateway_is_in_the_subnet_and_what_comes_and_goes_in_its_upper_half(taken: list[str]) -> None:
    try:
        network = choose_network("sales", taken, SMALL)
    except UserError:
        return
    subnet, dynamic = IPv4Network(network.subnet), IPv4Network(network.dynamic_range)
    assert IPv4Address(network.gateway) == subnet.network_address + 1
    assert dynamic.subnet_of(subnet)
    assert dynamic.broadcast_address == subnet.broadcast_address
    assert dynamic.num_addresses * 2 == subnet.num_addresses


def test_networks_of_other_kinds_are_in_nobodys_way() -> None:
    assert choose_network("sales", ["fd00::/64", "172.17.0.0/16", "192.168.1.7/24"]).subnet == "10.213.0.0/24"


def test_where_no_subnet_is_free_those_that_are_taken_are_named() -> None:
    with pytest.raises(UserError) as raised:
        choose_network("sales", ["10.213.0.0/17", "172.17.0.0/16", "10.213.128.0/17"])
    assert str(POOL) in str(raised.value)
    for taken in ("10.213.0.0/17", "10.213.128.0/17"):
        assert taken in str(raised.value)
    assert "172.17" not in str(raised.value)


@given(st.integers(0, 2000))
def test_fixed_addresses_are_in_the_lower_half_above_what_is_kept(index: int) -> None:
    network = choose_network("sales", [])
    limit = 128 - FIRST_ADDRESS
    if index >= limit:
        with pytest.raises(UserError, match=str(limit)):
            address(network, index)
        return
    given_one = IPv4Address(address(network, index))
    assert given_one in IPv4Network(network.subnet)
    assert given_one not in IPv4Network(network.dynamic_range)
    assert given_one > IPv4Address(network.gateway)
    assert index == 0 or given_one == IPv4Address(address(network, index - 1)) + 1
