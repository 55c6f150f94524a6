"""Addresses there and back again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.model.cluster import Endpoint, Network, page_port
from howdah.pages.addresses import Addresses, Target

PORT = 20_007
INSTANCES = ("nn1", "dn1", "dn2", "dn12", "rm1", "nm1", "gw1")
ENDPOINTS = {
    name: Endpoint(name, "local", f"{name}.sales.howdah", f"10.213.7.{10 + number}", {}, "now")
    for number, name in enumerate(INSTANCES)
}
ADDRESSES = Addresses.of("sales", PORT, ENDPOINTS)

targets = st.builds(Target, st.sampled_from(INSTANCES), st.integers(10, 65535))
pages = targets.filter(lambda target: ADDRESSES.target(ADDRESSES.shown(target)) is not None)


@given(pages)
def test_what_is_shown_is_asked_for_and_goes_to_that_daemon(target: Target) -> None:
    shown = ADDRESSES.shown(target)
    assert ADDRESSES.target(shown) == target
    assert ADDRESSES.rewrite(ADDRESSES.real(target).encode()).decode() == shown
    assert ADDRESSES.restore(shown) == ADDRESSES.real(target)


@given(
    st.lists(
        st.one_of(
            pages.map(ADDRESSES.real),
            pages.map(lambda target: ADDRESSES.real(target).replace(":", "%3A")),
            targets.map(ADDRESSES.real),
            st.text(st.characters(exclude_categories=["Cs"])),
        )
    )
)
def test_restoring_undoes_rewriting(pieces: list[str]) -> None:
    text = " ".join(pieces)
    assert ADDRESSES.restore(ADDRESSES.rewrite(text.encode()).decode()) == text


@given(st.binary())
def test_a_page_without_addresses_stays_as_it_is(page: bytes) -> None:
    if not re.search(rb"howdah|10\.213\.7|infoAddr|n\.name", page):
        assert ADDRESSES.rewrite(page) == page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<a href='//nm1.sales.howdah:8042'>", "<a href='//nm1-8042.sales.localhost:20007'>"),
        ('"infoAddr":"10.213.7.11:9864"', '"infoAddr":"dn1-9864.sales.localhost:20007"'),
        (r"http:\/\/dn12.sales.howdah:9864\/", r"http:\/\/dn12-9864.sales.localhost:20007\/"),
        ("to=http%3A%2F%2Fgw1.sales.howdah%3A4040%2Fjobs", "to=http%3A%2F%2Fgw1-4040.sales.localhost%3A20007%2Fjobs"),
    ],
)
def test_addresses_are_found_wherever_a_page_has_them(text: str, shown: str) -> None:
    assert ADDRESSES.rewrite(text.encode()).decode() == shown


@pytest.mark.parametrize(
    "text",
    [
        "Overview 'nn1.sales.howdah:8020' (active)",  # for programs, not for browsers
        "dn1.sales.howdah:9866",
        "namenoderpcaddress=nn1.sales.howdah:8020",
        "xdn1.sales.howdah:9864",
        "dn1.other.howdah:9864",
        "dn3.sales.howdah:9864",
        "10.213.70.11:9864",
        "dn1.sales.howdah",
        "dn1.sales.howdah:0986",
        "dn1.sales.howdah:98645",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert ADDRESSES.rewrite(text.encode()).decode() == text


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost:20007",
        "127.0.0.1:20007",
        "evil.example:20007",
        "dn1-9864.sales.localhost.evil.example:20007",
        "dn1-9864.sales.evil.example",
        "dn1-9864.other.localhost:20007",
        "dn9-9864.sales.localhost:20007",
        "dn1.sales.howdah:9864",
        "nn1-8020.sales.localhost:20007",
        "dn1-9866.sales.localhost:20007",
        "dn1-99999.sales.localhost:20007",
        "dn1-9864.sales.localhost:20007/",
        "dn1-9864.sales.localhost:20007\n",
        "user@dn1-9864.sales.localhost:20007",
    ],
)
def test_names_that_are_not_a_page_of_this_cluster_are_nobodys(host: str) -> None:
    assert ADDRESSES.target(host) is None


def test_a_page_is_ours_by_its_origin() -> None:
    assert ADDRESSES.is_ours("http://nn1-9870.sales.localhost:20007")
    for origin in (
        "null",
        "",
        "http://evil.example",
        "https://nn1-9870.sales.localhost:20007",
        "http://localhost:20007",
    ):
        assert not ADDRESSES.is_ours(origin)


@pytest.mark.parametrize(
    "text",
    [
        "dn1-9864.other.localhost:20007",
        "dn9-9864.sales.localhost:20007",
        "dn1-9864.sales.localhost:20008",
        "dn1-9864.sales.localhosts",
        "a.dn1-9864.sales.localhost",
    ],
)
def test_only_our_own_addresses_are_restored(text: str) -> None:
    assert ADDRESSES.restore(text) == text


def test_a_name_without_the_port_is_restored_too() -> None:
    assert ADDRESSES.restore("http://dn1-9864.sales.localhost/x") == "http://dn1.sales.howdah:9864/x"


def test_the_namenodes_script_takes_both_halves_of_a_link_from_the_page_address() -> None:
    script = b'var dnHost = n.name.split(":")[0]; port = n.infoAddr.split(":")[1];'
    assert ADDRESSES.rewrite(script) == b'var dnHost = n.infoAddr.split(":")[0]; port = n.infoAddr.split(":")[1];'


def test_each_subnet_has_a_port_of_its_own() -> None:
    networks = [Network("x", f"10.213.{n}.0/24", f"10.213.{n}.1", f"10.213.{n}.128/25") for n in range(256)]
    assert len({page_port(network) for network in networks}) == 256


def test_a_cluster_without_ready_instances_has_no_addresses() -> None:
    nobody = Addresses.of("sales", PORT, {})
    assert nobody.rewrite(b"dn1.sales.howdah:9864") == b"dn1.sales.howdah:9864"
    assert nobody.target("dn1-9864.sales.localhost:20007") is None
