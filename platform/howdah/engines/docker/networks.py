"""Networks: a bridge for each cluster, so that clusters reach one another only where somebody says so."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from howdah.engines.docker.connection import Answer, Connection
from howdah.errors import Conflict, Failed, UserError
from howdah.ports.engine import NetworkSpec, NetworkState


def ensure_network(engine: Connection, spec: NetworkSpec) -> bool:
    """Make it; False where it is there. Raises Conflict where another has the name, UserError for an overlap."""
    existing = find(engine, spec.name)
    if existing is not None:
        _check_same(existing, spec)
        return False
    from docker.types import IPAMConfig, IPAMPool

    pool = IPAMPool(subnet=spec.subnet, gateway=spec.gateway, iprange=spec.dynamic_range)
    try:
        engine.ask(
            f"create network {spec.name}",
            lambda client: client.create_network(
                spec.name,
                driver="bridge",
                ipam=IPAMConfig(pool_configs=[pool]),
                # Two networks may share a name otherwise. Engines from API 1.44 on refuse that by themselves.
                check_duplicate=True,
                labels=dict(spec.labels),
            ),
        )
    except Answer as answer:
        raced = find(engine, spec.name)
        if raced is not None:
            _check_same(raced, spec)
            return False
        if "overlap" in answer.words.lower():
            raise _overlap(engine, spec) from answer
        raise
    return True


def networks(engine: Connection) -> tuple[NetworkState, ...]:
    """Every network of the engine."""
    found = engine.ask("list the networks", lambda client: client.networks())
    return tuple(sorted((_state(one) for one in found), key=lambda state: state.name))


def remove_network(engine: Connection, name: str) -> bool:
    """Remove it; False where there is none. Raises Failed naming the containers that are still on it."""
    existing = find(engine, name)
    if existing is None:
        return False
    try:
        engine.ask(f"remove network {name}", lambda client: client.remove_network(existing["Id"]))
    except Answer as answer:
        if answer.status == 404:
            return False
        if "active endpoints" in answer.words:
            users = ", ".join(sorted(attached(engine, name))) or "a container"
            raise Failed(f"network {name} is still used by {users}", fix="remove those containers first") from answer
        raise
    return True


def find(engine: Connection, name: str) -> dict[str, Any] | None:
    """The network of exactly that name: inspecting by name would match the start of an id too."""
    found = engine.ask(f"look for network {name}", lambda client: client.networks(names=[name]))
    return next((dict(one) for one in found if one["Name"] == name), None)


def attached(engine: Connection, network: str) -> dict[str, str]:
    """The address of each running container on a network, by container name."""
    found = engine.ask(f"inspect network {network}", lambda client: client.inspect_network(network))
    return {one["Name"]: one["IPv4Address"].partition("/")[0] for one in (found.get("Containers") or {}).values()}


def overlapping(subnet: str, others: tuple[NetworkState, ...]) -> NetworkState | None:
    """The network whose addresses a subnet would take."""
    wanted = ipaddress.ip_network(subnet)
    for other in others:
        for taken in map(ipaddress.ip_network, other.subnets):
            if taken.version == wanted.version and taken.overlaps(wanted):
                return other
    return None


def _check_same(existing: Mapping[str, Any], spec: NetworkSpec) -> None:
    state = _state(existing)
    if dict(state.labels) != dict(spec.labels):
        raise Conflict(
            f"network {spec.name} is there with labels {dict(state.labels)}, wanted with {dict(spec.labels)}",
            fix=f"remove it (docker network rm {spec.name}) if nothing needs it",
        )
    if spec.subnet not in state.subnets:
        raise Conflict(
            f"network {spec.name} is there with subnet {', '.join(state.subnets)}, wanted with {spec.subnet}",
            fix=f"remove it (docker network rm {spec.name}) if nothing needs it",
        )


def _overlap(engine: Connection, spec: NetworkSpec) -> UserError:
    owner = overlapping(spec.subnet, networks(engine))
    if owner is None:
        taken = "the engine says another network has part of it"
    else:
        taken = f"network {owner.name} has {', '.join(owner.subnets)}"
    return UserError(f"subnet {spec.subnet} of network {spec.name} is taken: {taken}", fix="choose another subnet")


def _state(found: Mapping[str, Any]) -> NetworkState:
    pools = (found.get("IPAM") or {}).get("Config") or []
    subnets = tuple(pool["Subnet"] for pool in pools if pool.get("Subnet"))
    return NetworkState(found["Name"], subnets, dict(found.get("Labels") or {}))
