"""Subnets and addresses, chosen so that nothing overlaps and nothing has to move."""

from collections.abc import Iterable
from ipaddress import IPv4Network, ip_network

from howdah.errors import UserError
from howdah.model.cluster import Network

POOL = IPv4Network("10.213.0.0/16")
"""Away from Docker's own pools (172.17–31, 192.168) and from the usual office networks."""
FIRST_ADDRESS = 10
"""Addresses below are kept for the gateway and for what a later version may need."""


def choose_network(label: str, taken: Iterable[str], pool: IPv4Network = POOL) -> Network:
    """The first free /24 of the pool. Raises UserError where there is none left."""
    used = [network for text in taken if isinstance(network := ip_network(text, strict=False), IPv4Network)]
    for subnet in pool.subnets(new_prefix=24):
        if not any(subnet.overlaps(other) for other in used):
            return network_of(label, subnet)
    owners = ", ".join(str(other) for other in sorted({other for other in used if other.overlaps(pool)})[:10])
    raise UserError(
        f"no free /24 network is left in {pool}: taken are {owners}",
        fix="delete clusters that are not needed, or remove networks that others made there (docker network ls)",
    )


def network_of(label: str, subnet: IPv4Network) -> Network:
    """A cluster's network on that subnet."""
    upper = list(subnet.subnets(prefixlen_diff=1))[1]
    return Network(label, str(subnet), str(subnet.network_address + 1), str(upper))


def address(network: Network, index: int) -> str:
    """The fixed address of the instance with that index. Raises UserError beyond the lower half of the subnet."""
    subnet = IPv4Network(network.subnet)
    number = FIRST_ADDRESS + index
    if number >= subnet.num_addresses // 2:
        limit = subnet.num_addresses // 2 - FIRST_ADDRESS
        raise UserError(f"a cluster on one network has at most {limit} instances", fix="lower the counts")
    return str(subnet.network_address + number)
