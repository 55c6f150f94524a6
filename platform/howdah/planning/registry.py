"""The plan for the registry: the one ZooKeeper that howdah starts for itself where none is given."""

import json
from dataclasses import dataclass, field
from uuid import NAMESPACE_DNS, uuid5

from howdah.errors import Refused
from howdah.hadoop import zookeeper
from howdah.model.cluster import Network
from howdah.model.layout import VOLUME_MOUNT, HostLayout
from howdah.model.storage import Folders, VolumeIdentity, VolumeState
from howdah.planning.actions import (
    BuryVolume,
    EnsureImage,
    EnsureNetwork,
    FormatVolume,
    PrepareFolders,
    RemoveInstance,
    StartInstance,
    StopInstance,
)
from howdah.planning.containers import EXPECTATION
from howdah.planning.observed import LABEL_INCARNATION, LABEL_INSTANCE, LABEL_ROLE, HostState
from howdah.planning.plan import Plan, PlanBuilder
from howdah.ports.engine import InstanceSpec, Mount, NetworkSpec, Phase
from howdah.units import Bytes

REGISTRY = "howdah-registry"
"""The name of its container and network, and its role."""
PORT = 2181
CREDENTIALS = "credentials"
"""The document beside its identity that only root may read: ``user:password``."""
MEMORY = Bytes(384 * 2**20)
SIZE = Bytes(2**30)
LABEL_ROOT = "howdah.root"
"""The volume root that the registry's records speak of: one root on an engine, or its data sets would seem lost."""


@dataclass(frozen=True, slots=True)
class NewRegistry:
    """What a registry gets that does not exist yet: chosen by the caller, for a plan draws no random numbers."""

    uuid: str
    credentials: str = field(repr=False)
    network: Network


def registry_volume(state: HostState) -> VolumeIdentity | None:
    """The identity of the registry's volume on the host."""
    identities = (volume.identity for volume in state.survey.volumes if not volume.is_tombstone)
    return next((identity for identity in identities if identity and identity.role == REGISTRY), None)


def registry_uuid(state: HostState) -> str:
    """The uuid of a volume that does not exist yet: the same for two first uses at once, so that they make one.

    Another after each that was put aside.
    """
    volumes = (volume for volume in state.survey.volumes if volume.is_tombstone)
    buried = sum(volume.identity is not None and volume.identity.role == REGISTRY for volume in volumes)
    return str(uuid5(NAMESPACE_DNS, f"{buried}.{REGISTRY}"))


def holds_data(state: HostState) -> bool:
    """Whether there are volumes of data sets, which some registry must have known."""
    identities = (volume.identity for volume in state.survey.volumes if not volume.is_tombstone)
    return any(identity and identity.role != REGISTRY for identity in identities)


def is_lost(state: HostState) -> bool:
    """Whether there is no registry while something remembers one. Lost is not new."""
    return registry_volume(state) is None and holds_data(state)


def objection(host: str, state: HostState) -> Refused | None:
    """Why there must not be a new registry, nor the old one started; None where there may."""
    if is_lost(state):
        return Refused(
            f"host {host} has volumes of data sets but no registry: it was lost",
            fix="run `howdah adopt` to rebuild the records from the volumes' own identities",
        )
    identity = registry_volume(state)
    found = state.survey.volume(identity.volume) if identity else None
    if identity and found and found.is_empty and identity.state is VolumeState.USED:
        return Refused(
            f"the registry's volume at {found.path} was wiped", fix="run `howdah adopt` to rebuild the records"
        )
    return None


def plan_removal(host: str, state: HostState) -> Plan:
    """Put a registry aside that lost its records.

    Its volume is buried, not deleted: a person may want to look at it.
    """
    builder = PlanBuilder()
    why = "its records are lost"
    for instance in state.instances:
        if instance.name == REGISTRY:
            if instance.phase is Phase.RUNNING:
                builder.add("stop", StopInstance(host=host, container=REGISTRY, timeout=10, why=why))
            builder.add("remove", RemoveInstance(host=host, container=REGISTRY, why=why), ["stop"])
    if identity := registry_volume(state):
        builder.add("bury", BuryVolume(host=host, volume=identity.volume, why=why), ["stop", "remove"])
    return builder.build()


def plan_registry(host: str, state: HostState, image: str, new: NewRegistry, *, is_adopting: bool = False) -> Plan:
    """What must be done for the registry to run; empty when it does. Raises Refused where it was lost or wiped."""
    if (problem := objection(host, state)) and not (is_adopting and is_lost(state)):
        raise problem
    identity = registry_volume(state) or _identity(new)
    found = state.survey.volume(identity.volume)
    builder = PlanBuilder()
    container = next((instance for instance in state.instances if instance.name == REGISTRY), None)
    if container and container.phase is Phase.RUNNING and identity.state is VolumeState.USED:
        return builder.build()
    builder.add("image", EnsureImage(host=host, kind="hadoop", reference=image, why="ZooKeeper comes with Hadoop"))
    if not any(network.name == REGISTRY for network in state.networks):
        network = new.network
        spec = NetworkSpec(network.name, network.subnet, network.gateway, network.dynamic_range, {LABEL_ROLE: REGISTRY})
        builder.add("network", EnsureNetwork(host=host, spec=spec, why="the registry is alone on it"))
    if found is None:
        folders = Folders(made=(identity,), documents={CREDENTIALS: new.credentials})
        builder.add("volume", PrepareFolders(host=host, folders=folders, why="first use of this engine"))
    if identity.state is VolumeState.EMPTY:
        run = FormatVolume(
            host=host,
            spec=_format(identity, state.layout, image),
            volume=identity.volume,
            why="an empty member is new once",
        )
        builder.add("format", run, ["image", "network", "volume"])
    start = StartInstance(
        host=host, instance=REGISTRY, spec=_container(identity, state.layout, image), why="it is not running"
    )
    builder.add("start", start, ["image", "network", "format"])
    if identity.state is VolumeState.EMPTY:
        used = Folders(stamped=(identity.used(),))
        builder.add("mark", PrepareFolders(host=host, folders=used, why="it has data now"), ["start"])
    return builder.build()


def _identity(new: NewRegistry) -> VolumeIdentity:
    return VolumeIdentity(
        volume=new.uuid,
        data_set=new.uuid,
        data_set_name=REGISTRY,
        instance=REGISTRY,
        role=REGISTRY,
        size=SIZE,
        incarnation=1,
        state=VolumeState.EMPTY,
        cluster_id="",
    )


def _container(identity: VolumeIdentity, layout: HostLayout, image: str) -> InstanceSpec:
    folder = layout.volume(identity.volume)
    return InstanceSpec(
        name=REGISTRY,
        image=image,
        command=zookeeper.command(f"{VOLUME_MOUNT}/data", MEMORY),
        hostname=REGISTRY,
        network=REGISTRY,
        labels={LABEL_ROLE: REGISTRY, LABEL_INSTANCE: REGISTRY, LABEL_INCARNATION: "1", LABEL_ROOT: layout.root},
        memory=MEMORY,
        environment={EXPECTATION: json.dumps({"volume": identity.volume, "instance": REGISTRY})},
        mounts=(
            Mount(f"{folder}/identity", f"{VOLUME_MOUNT}/identity", is_read_only=True),
            Mount(f"{folder}/data", f"{VOLUME_MOUNT}/data"),
        ),
    )


def _format(identity: VolumeIdentity, layout: HostLayout, image: str) -> InstanceSpec:
    spec = _container(identity, layout, image)
    return InstanceSpec(
        name=f"{REGISTRY}-format",
        image=image,
        command=zookeeper.format_command(f"{VOLUME_MOUNT}/data", REGISTRY),
        hostname=REGISTRY,
        network=REGISTRY,
        labels={**spec.labels, LABEL_ROLE: f"{REGISTRY}-format"},
        memory=MEMORY,
        environment=spec.environment,
        mounts=spec.mounts,
    )
