"""Which instances a definition means, where each goes and what it is called there."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from howdah.errors import UserError
from howdah.model.cluster import Assignment, Cluster, Desired, Instance, Network
from howdah.model.definition import Definition, Group
from howdah.model.roles import ROLES, Role, Storage, instance_name
from howdah.model.storage import DataSet, DataSetState, VolumeClaim, volume_uuid
from howdah.planning.network import address
from howdah.units import Bytes


def members(definition: Definition) -> Iterator[tuple[str, Role, str, Group]]:
    """(instance, role, group, settings) of every member, numbered over the groups of a role in their order."""
    for role in Role:
        number = 0
        for group, settings in definition.roles[role].groups.items() if role in definition.roles else ():
            for _ in range(settings.count):
                number += 1
                yield instance_name(role, number), role, group, settings


def claims(definition: Definition, data_set: str, host: str, attempt: int) -> tuple[VolumeClaim, ...]:
    """The volumes that the definition needs, pinned to the host."""
    return tuple(
        VolumeClaim(volume_uuid(data_set, name, attempt), name, role, host, settings.volume.size)
        for name, role, _, settings in members(definition)
        if ROLES[role].storage is Storage.VOLUME and settings.volume
    )


def new_data_set(name: str, uuid: str, definition: Definition, text: str, host: str, cluster: str) -> DataSet:
    """A data set that was never formatted, leased to the cluster."""
    return DataSet(
        uuid=uuid,
        name=name,
        state=DataSetState.NEW,
        cluster_id=f"CID-{uuid}",
        format_attempt=0,
        claims=claims(definition, uuid, host, 0),
        lease=cluster,
        definition=text,
        last_cluster=name,
        hadoop=definition.distribution.hadoop,
    )


def resumed_data_set(data_set: DataSet, definition: Definition, text: str, cluster: Cluster) -> DataSet:
    """The same data set leased to another cluster.

    Raises UserError where the definition has other stateful instances.
    """
    wanted = {name for name, role, _, _ in members(definition) if ROLES[role].storage is Storage.VOLUME}
    kept = {claim.instance for claim in data_set.claims}
    if wanted != kept:
        raise UserError(
            f"data set {data_set.name} has volumes for {', '.join(sorted(kept))}; the definition "
            f"has {', '.join(sorted(wanted))}",
            fix="launch with the same counts of namenodes, secondarynamenodes and datanodes",
        )
    if definition.distribution.hadoop != data_set.hadoop:
        raise UserError(
            f"data set {data_set.name} was written by Hadoop {data_set.hadoop}, the definition says "
            f"{definition.distribution.hadoop}",
            fix=f"launch with hadoop: {data_set.hadoop}",
        )
    return replace(data_set, lease=cluster.uuid, definition=text, last_cluster=cluster.name)


def assign(
    definition: Definition, network: Network, host: str, data_set: DataSet, incarnations: Mapping[str, int]
) -> tuple[Assignment, ...]:
    """A host, an address and an incarnation for every member; ``incarnations`` are the highest seen so far."""
    volumes = {claim.instance: claim.volume for claim in data_set.claims}
    return tuple(
        Assignment(
            name, role, group, host, address(network, index), incarnations.get(name, 0) + 1, volumes.get(name, "")
        )
        for index, (name, role, group, _) in enumerate(members(definition))
    )


def desire(cluster: Cluster, definition: Definition, assignments: tuple[Assignment, ...], data_set: DataSet) -> Desired:
    """The records of a cluster as one value."""
    by_name = {assignment.instance: assignment for assignment in assignments}
    volumes = {claim.instance: claim.volume for claim in data_set.claims}
    instances = tuple(
        Instance(replace(by_name[name], volume=volumes.get(name, "")), settings, cluster.uuid, cluster.label)
        for name, _, _, settings in members(definition)
        if name in by_name
    )
    return Desired(cluster, definition, instances, data_set)


def check_memory(definition: Definition, host: str, total: Bytes, in_use: Bytes) -> None:
    """Raises UserError where the members' limits do not fit into what the host has left."""
    need = Bytes(sum(settings.memory for _, _, _, settings in members(definition)))
    free = Bytes(max(0, total - in_use))
    if need > free:
        raise UserError(
            f"the cluster needs {need} of memory; host {host} has {total}, of which {in_use} are "
            f"promised to others: {free} left",
            fix=f"lower memory or counts by {Bytes(need - free)}, or delete another cluster",
        )
