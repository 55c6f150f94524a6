"""Records rebuilt from what the volumes say of themselves, where the registry was lost. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from ipaddress import IPv4Network

from howdah.definitions.exporting import loads
from howdah.errors import HowdahError
from howdah.model.cluster import Assignment, Cluster, ClusterPhase
from howdah.model.roles import Role
from howdah.model.storage import DataSet, DataSetState, FoundVolume, VolumeClaim, VolumeIdentity, VolumeState
from howdah.planning.network import network_of
from howdah.planning.observed import LABEL_CLUSTER, LABEL_INCARNATION, LABEL_INSTANCE, HostState
from howdah.planning.placement import assign, claims
from howdah.planning.registry import REGISTRY


@dataclass(frozen=True, slots=True)
class AdoptedCluster:
    """A cluster whose containers are still there, with assignments that nothing older than them may act under."""

    cluster: Cluster
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Adoption:
    """What can be rebuilt, and a sentence for each thing that cannot."""

    data_sets: tuple[DataSet, ...]
    clusters: tuple[AdoptedCluster, ...]
    lost: tuple[str, ...]


Documents = Mapping[str, Mapping[str, str]]
"""By volume, what is kept beside its identity."""


def adopt(host: str, state: HostState, documents: Documents, now: str) -> Adoption:
    """Read a host's volumes and containers as records."""
    data_sets: list[DataSet] = []
    clusters: list[AdoptedCluster] = []
    lost = [
        f"volume {volume.volume} at {volume.path} has no readable identity"
        for volume in state.survey.volumes
        if volume.identity is None and not volume.is_tombstone
    ]
    for volumes in _by_data_set(state).values():
        try:
            data_set = _data_set(host, volumes, documents)
            cluster = _cluster(host, state, data_set, documents, now)
        except (HowdahError, ValueError, KeyError) as error:
            identity = volumes[0][1]
            lost.append(
                f"data set {identity.data_set_name} ({identity.data_set}): its definition cannot be read: {error}"
            )
            continue
        if cluster:
            clusters.append(cluster)
            data_set = replace(data_set, lease=cluster.cluster.uuid)
        data_sets.append(data_set)
        lost += _missing(data_set)
    known = {adopted.cluster.uuid for adopted in clusters}
    strangers = {i.name for i in state.instances if i.labels.get(LABEL_CLUSTER, "") not in ("", *known)}
    lost += [f"container {name} belongs to a cluster of which no volume tells" for name in sorted(strangers)]
    return Adoption(tuple(data_sets), tuple(clusters), tuple(lost))


_Volumes = list[tuple[FoundVolume, VolumeIdentity]]


def _by_data_set(state: HostState) -> dict[str, _Volumes]:
    found: dict[str, _Volumes] = {}
    for volume in state.survey.volumes:
        if volume.identity and not volume.is_tombstone and volume.identity.role != REGISTRY:
            found.setdefault(volume.identity.data_set, []).append((volume, volume.identity))
    return found


def _data_set(host: str, volumes: _Volumes, documents: Documents) -> DataSet:
    first = volumes[0][1]
    text = _document(volumes, documents, "definition.yaml")
    namenode = next((volume for volume, identity in volumes if identity.role == Role.NAMENODE), None)
    version = namenode.version if namenode else None
    # What has data is never formatted, whatever is missing of it. A format that is whole comes before the mark.
    is_formatted = (
        namenode is not None and namenode.has_image and version is not None and version.cluster_id == first.cluster_id
    )
    has_data = is_formatted or any(identity.state is VolumeState.USED for _, identity in volumes)
    found = tuple(
        VolumeClaim(identity.volume, identity.instance, Role(identity.role), host, identity.size)
        for _, identity in sorted(volumes, key=lambda pair: (list(Role).index(Role(pair[1].role)), pair[1].instance))
    )
    return DataSet(
        uuid=first.data_set,
        name=first.data_set_name,
        state=DataSetState.READY if has_data else DataSetState.FORMATTING,
        cluster_id=first.cluster_id,
        format_attempt=0,
        claims=found,
        lease="",
        definition=text,
        last_cluster=loads(text).name,
        block_pool_id=version.block_pool_id if version else "",
        layout_version=version.layout_version if version else 0,
        hadoop=loads(text).distribution.hadoop,
    )


def _cluster(host: str, state: HostState, data_set: DataSet, documents: Documents, now: str) -> AdoptedCluster | None:
    """The cluster that had the data set last, where containers of it are left."""
    record = json.loads(next(iter(_texts(data_set, documents, "cluster.json")), "{}"))
    containers = [i for i in state.instances if i.labels.get(LABEL_CLUSTER) == record.get("uuid", "-")]
    if not containers:
        return None
    network = network_of(record["label"], IPv4Network(record["subnet"]))
    cluster = Cluster(
        name=record["name"],
        uuid=record["uuid"],
        label=record["label"],
        generation=1,
        definition=data_set.definition,
        data_set=data_set.name,
        phase=ClusterPhase.READY,
        network=network,
        created_at=now,
    )
    seen = {i.labels[LABEL_INSTANCE]: int(i.labels[LABEL_INCARNATION]) for i in containers}
    for volume in state.survey.volumes:
        if volume.identity and volume.identity.data_set == data_set.uuid:
            name = volume.identity.instance
            seen[name] = max(seen.get(name, 0), volume.identity.incarnation)
    return AdoptedCluster(cluster, assign(loads(data_set.definition), network, host, data_set, seen))


def _missing(data_set: DataSet) -> list[str]:
    wanted = claims(loads(data_set.definition), data_set.uuid, "", 0)
    return [
        f"data set {data_set.name} has no volume for {claim.instance} any more"
        for claim in wanted
        if data_set.claim(claim.instance) is None
    ]


def _document(volumes: _Volumes, documents: Documents, name: str) -> str:
    """The document beside the volume of the highest incarnation."""
    for volume, _ in sorted(volumes, key=lambda pair: -pair[1].incarnation):
        if name in documents.get(volume.volume, {}):
            return documents[volume.volume][name]
    raise KeyError(f"no {name} beside its volumes")


def _texts(data_set: DataSet, documents: Documents, name: str) -> list[str]:
    found = (documents.get(claim.volume, {}).get(name) for claim in data_set.claims)
    return [text for text in found if text]
