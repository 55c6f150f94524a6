"""A small cluster as desired and as observed, to be changed by a test in one place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from howdah.definitions.loading import load
from howdah.hadoop.bundles import bundle
from howdah.model.cluster import Cluster, ClusterPhase, Desired, Endpoint, Instance
from howdah.model.layout import HostLayout
from howdah.model.roles import ROLES, Role, Storage
from howdah.model.storage import DataSetState, FoundVolume, HdfsVersionFile, Survey, VolumeState
from howdah.planning.containers import Images, identity_of, labels_of
from howdah.planning.network import choose_network
from howdah.planning.observed import LABEL_CLUSTER, HostState, Observed
from howdah.planning.placement import assign, desire, new_data_set
from howdah.planning.view import Found
from howdah.ports.engine import InstanceState, NetworkState, Phase

HOST = "local"
IMAGES = Images("howdah/hadoop:test", "howdah/spark:test")
LAYOUT = HostLayout()
BEGAN = "2026-01-01T00:00:00Z"
CLUSTER = "11111111-1111-4111-8111-111111111111"
DATA_SET = "22222222-2222-4222-8222-222222222222"
LOADED = load("small", {}, name="sales")


def desired(phase: ClusterPhase = ClusterPhase.READY, state: DataSetState = DataSetState.READY) -> Desired:
    """``small``, named sales."""
    cluster = Cluster(
        name="sales",
        uuid=CLUSTER,
        label="sales",
        generation=1,
        definition=LOADED.text,
        data_set="sales",
        phase=phase,
        network=choose_network("sales", ()),
        created_at=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
    )
    data_set = new_data_set("sales", DATA_SET, LOADED.definition, LOADED.text, HOST, CLUSTER)
    assignments = assign(LOADED.definition, cluster.network, HOST, data_set, {})
    return desire(cluster, LOADED.definition, assignments, replace(data_set, state=state))


def volume(meant: Desired, instance: Instance) -> FoundVolume:
    """As it is when the cluster has run."""
    identity = identity_of(meant, instance, VolumeState.USED)
    version = HdfsVersionFile(meant.data_set.cluster_id, "BP-1", -67)
    is_namenode = instance.role is Role.NAMENODE
    return FoundVolume(
        identity.volume, LAYOUT.volume(identity.volume), identity, False, version=version, has_image=is_namenode
    )


def container(meant: Desired, instance: Instance) -> InstanceState:
    """As it is when it runs."""
    labels = labels_of(instance, bundle(meant, instance).digest)
    return InstanceState(
        instance.container, Phase.RUNNING, labels, address=instance.assignment.address, started_at=BEGAN
    )


def endpoint(instance: Instance) -> Endpoint:
    """As it is recorded of that run."""
    ports = dict(ROLES[instance.role].ports)
    return Endpoint(instance.name, HOST, instance.host_name, instance.assignment.address, ports, BEGAN)


def observed(
    meant: Desired,
    found: dict[str, Found] | None = None,
    volumes: dict[str, Callable[[FoundVolume], FoundVolume | None]] | None = None,
) -> Observed:
    """All as it should be, but what ``found`` says of containers, and what ``volumes`` makes of folders."""
    found, volumes = found or {}, volumes or {}
    containers, endpoints = [], {}
    for instance in meant.instances:
        state = container(meant, instance)
        endpoints[instance.name] = endpoint(instance)
        match found.get(instance.name, Found.UP):
            case Found.ABSENT:
                continue
            case Found.STALE:
                state = replace(state, labels={**state.labels, "howdah.incarnation": "0"})
            case Found.DOWN:
                state = replace(state, phase=Phase.EXITED, exit_code=1)
            case Found.UNREADY:
                del endpoints[instance.name]
            case Found.UP:
                pass
        containers.append(state)
    folders = []
    for instance in meant.instances:
        if instance.traits.storage is Storage.VOLUME:
            folder = volume(meant, instance)
            folders.append(volumes[instance.name](folder) if instance.name in volumes else folder)
    survey = Survey(
        tuple(folder for folder in folders if folder),
        frozenset((CLUSTER, i.name, bundle(meant, i).digest) for i in meant.instances),
        frozenset((CLUSTER, i.name) for i in meant.instances if i.traits.storage is Storage.SCRATCH),
    )
    network = NetworkState("sales", (meant.cluster.network.subnet,), {LABEL_CLUSTER: CLUSTER})
    return Observed({HOST: HostState(LAYOUT, survey, tuple(containers), (network,))}, endpoints)
