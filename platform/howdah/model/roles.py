"""The roles an instance can have, and what is fixed about each, as one table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """A kind of instance, by Hadoop's own name."""

    NAMENODE = "namenode"
    SECONDARYNAMENODE = "secondarynamenode"
    DATANODE = "datanode"
    RESOURCEMANAGER = "resourcemanager"
    NODEMANAGER = "nodemanager"
    GATEWAY = "gateway"


class Storage(StrEnum):
    """Where an instance of a role keeps its files."""

    VOLUME = "volume"
    """Pinned, with an identity, part of the data set."""
    SCRATCH = "scratch"
    """A folder that goes with the cluster."""


@dataclass(frozen=True, slots=True)
class RoleTraits:
    """What is the same for every instance of a role.

    ``needs`` are the roles that must be ready before one of these is started. ``stops_after`` is how long, in
    seconds, a clean stop may take. ``ports`` are by purpose: ``http`` serves the daemon's pages. A cluster is ready
    without those that are ``is_apart``; they start when it is. ``ends_before`` are roles that it uses to end cleanly,
    beside those it needs.
    """

    prefix: str
    storage: Storage | None
    needs: tuple[Role, ...]
    ports: Mapping[str, int] = field(default_factory=dict)
    is_single: bool = False
    is_apart: bool = False
    ends_before: tuple[Role, ...] = ()
    stops_after: int = 20


ROLES: Mapping[Role, RoleTraits] = {
    Role.NAMENODE: RoleTraits("nn", Storage.VOLUME, (), {"rpc": 8020, "http": 9870}, is_single=True),
    Role.SECONDARYNAMENODE: RoleTraits(
        "snn", Storage.VOLUME, (Role.NAMENODE,), {"http": 9868}, is_single=True, is_apart=True
    ),
    Role.DATANODE: RoleTraits("dn", Storage.VOLUME, (Role.NAMENODE,), {"data": 9866, "ipc": 9867, "http": 9864}),
    Role.RESOURCEMANAGER: RoleTraits("rm", Storage.SCRATCH, (), {"rpc": 8032, "http": 8088}, is_single=True),
    # A NodeManager that ends puts its applications' logs into HDFS, and waits for that until it is killed.
    Role.NODEMANAGER: RoleTraits(
        "nm", Storage.SCRATCH, (Role.RESOURCEMANAGER,), {"rpc": 45454, "http": 8042}, ends_before=(Role.DATANODE,)
    ),
    Role.GATEWAY: RoleTraits("gw", Storage.SCRATCH, (), {}, is_single=True, stops_after=5),
}
"""Every role. The ports are Hadoop's defaults, so that a person's habits and the manuals stay true."""


def instance_name(role: Role, number: int) -> str:
    """``dn3`` for the third datanode."""
    return f"{ROLES[role].prefix}{number}"
