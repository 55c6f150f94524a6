"""What a cluster is like now, for people and for scripts: from the engine and the daemons, not from records alone."""

from dataclasses import dataclass

from howdah.model.cluster import ClusterPhase, Desired, Endpoint, Instance
from howdah.model.roles import Role
from howdah.planning.observed import LABEL_CLUSTER
from howdah.ports.engine import InstanceState, Phase
from howdah.ports.probe import NameNodeReading, NotYet, ResourceManagerReading
from howdah.probes.verdict import health
from howdah.reconcile.ports import Outside
from howdah.units import Bytes


@dataclass(frozen=True, slots=True)
class InstanceStatus:
    """One row. ``state`` is absent, created, exited, paused, starting or ready; ``detail`` says why it is not ready."""

    instance: str
    role: Role
    host: str
    address: str
    state: str
    detail: str
    memory: Bytes
    page: str
    """Where its own pages are while ``howdah ui`` runs; empty where there are none to see."""


@dataclass(frozen=True, slots=True)
class HdfsStatus:
    """HDFS in figures; ``machines`` counts those that DataNodes are on. ``checkpoint_age`` in seconds."""

    live: int
    datanodes: int
    capacity: Bytes
    used: Bytes
    files: int
    missing_blocks: int
    under_replicated: int
    safe_mode: str
    replication: int
    machines: int
    checkpoint_age: int | None


@dataclass(frozen=True, slots=True)
class YarnStatus:
    """YARN in figures."""

    running: int
    nodemanagers: int
    applications: int


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """A whole cluster. ``sentence`` is the one line that matters most."""

    name: str
    phase: ClusterPhase
    sentence: str
    data_set: str
    created_at: str
    expires_at: str
    instances: tuple[InstanceStatus, ...]
    hdfs: HdfsStatus | None
    yarn: YarnStatus | None

    @property
    def is_healthy(self) -> bool:
        """Whether everything is as it is meant to be."""
        return self.sentence == "ready"


def status(outside: Outside, desired: Desired, endpoints: dict[str, Endpoint]) -> ClusterStatus:
    """Look at a cluster.

    A daemon that does not answer is part of the answer. Raises Transient where an engine does not.
    """
    labels = {LABEL_CLUSTER: desired.cluster.uuid}
    containers = {name: {c.name: c for c in host.engine.list(labels)} for name, host in outside.hosts.items()}
    rows = tuple(
        _row(desired, i, containers.get(i.assignment.host, {}).get(i.container), endpoints) for i in desired.instances
    )
    hdfs, hdfs_trouble = _hdfs(outside, desired, containers)
    yarn, yarn_trouble = _yarn(outside, desired, containers)
    return ClusterStatus(
        name=desired.cluster.name,
        phase=desired.cluster.phase,
        sentence=_sentence(desired.cluster.phase, rows, hdfs_trouble or yarn_trouble),
        data_set=desired.data_set.name,
        created_at=desired.cluster.created_at,
        expires_at=desired.cluster.expires_at,
        instances=rows,
        hdfs=hdfs,
        yarn=yarn,
    )


def _row(
    desired: Desired, instance: Instance, container: InstanceState | None, endpoints: dict[str, Endpoint]
) -> InstanceStatus:
    state, detail = "absent", ""
    if container is not None:
        state = container.phase.value
        endpoint = endpoints.get(instance.name)
        if container.phase is Phase.RUNNING:
            state = "ready" if endpoint and endpoint.started_at == container.started_at else "starting"
        if container.phase is Phase.EXITED:
            detail = "out of memory" if container.was_out_of_memory else f"exit code {container.exit_code}"
    assignment = instance.assignment
    return InstanceStatus(
        instance=instance.name,
        role=instance.role,
        host=assignment.host,
        address=assignment.address,
        state=state,
        detail=detail,
        memory=instance.memory,
        page=desired.page(instance) if state == "ready" else "",
    )


_Containers = dict[str, dict[str, InstanceState]]


def _first_running(desired: Desired, role: Role, containers: _Containers) -> Instance | None:
    def runs(instance: Instance) -> bool:
        container = containers.get(instance.assignment.host, {}).get(instance.container)
        return container is not None and container.phase is Phase.RUNNING

    return next((instance for instance in desired.of(role) if runs(instance)), None)


def _hdfs(outside: Outside, desired: Desired, containers: _Containers) -> tuple[HdfsStatus | None, str | None]:
    namenode = _first_running(desired, Role.NAMENODE, containers)
    if namenode is None:
        return None, None
    reading = outside.hosts[namenode.assignment.host].probe.namenode(namenode.container)
    if isinstance(reading, NotYet):
        return None, reading.why
    return _hdfs_figures(desired, reading), health(reading, desired.definition.count(Role.DATANODE))


def _hdfs_figures(desired: Desired, reading: NameNodeReading) -> HdfsStatus:
    datanodes = desired.of(Role.DATANODE)
    replication = desired.definition.configuration.get("hdfs-site", {}).get("dfs.replication")
    return HdfsStatus(
        live=len(reading.live),
        datanodes=len(datanodes),
        capacity=Bytes(reading.capacity),
        used=Bytes(reading.used),
        files=reading.files,
        missing_blocks=reading.missing_blocks,
        under_replicated=reading.under_replicated,
        safe_mode=reading.safe_mode,
        replication=int(replication) if replication else min(3, len(datanodes)),
        machines=len({instance.assignment.host for instance in datanodes}),
        checkpoint_age=reading.checkpoint_age,
    )


def _yarn(outside: Outside, desired: Desired, containers: _Containers) -> tuple[YarnStatus | None, str | None]:
    manager = _first_running(desired, Role.RESOURCEMANAGER, containers)
    if manager is None:
        return None, None
    reading: ResourceManagerReading | NotYet = outside.hosts[manager.assignment.host].probe.resourcemanager(
        manager.container
    )
    if isinstance(reading, NotYet):
        return None, reading.why
    wanted = desired.definition.count(Role.NODEMANAGER)
    trouble = f"{len(reading.running)} of {wanted} NodeManagers are active" if len(reading.running) < wanted else None
    return YarnStatus(len(reading.running), wanted, reading.applications), trouble


def _sentence(phase: ClusterPhase, rows: tuple[InstanceStatus, ...], trouble: str | None) -> str:
    if phase is not ClusterPhase.READY:
        return {
            ClusterPhase.LAUNCHING: "a launch is under way or was interrupted: the same launch goes on",
            ClusterPhase.STOPPING: "a stop is under way or was interrupted: `howdah stop` goes on",
            ClusterPhase.STOPPED: "stopped",
            ClusterPhase.DELETING: "a delete is under way or was interrupted: `howdah delete` goes on",
        }[phase]
    bad = [row for row in rows if row.state != "ready"]
    if bad:
        listed = ", ".join(f"{row.instance} {row.state}{f' ({row.detail})' if row.detail else ''}" for row in bad)
        return f"not ready: {listed}; `howdah start` brings them back"
    return trouble or "ready"
