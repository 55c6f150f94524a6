"""A whole installation in memory: every verb runs on it in milliseconds, and it survives the killing of its clients."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from howdah.clusters import Clusters
from howdah.coordination.memory import MemoryCoordinator, MemoryService
from howdah.coordination.records import Records
from howdah.definitions.loading import Loaded, load
from howdah.engines.memory import MemoryEngine
from howdah.model.roles import Role
from howdah.planning.containers import Images
from howdah.planning.observed import LABEL_CLUSTER, LABEL_ROLE, ONE_OFF
from howdah.ports.coordinator import Coordinator
from howdah.ports.engine import Engine, ExecResult, InstanceSpec, InstanceState, Phase
from howdah.ports.probe import NameNodeReading, NotYet, ResourceManagerReading
from howdah.ports.volumes import Volumes
from howdah.reconcile.loop import Reconciler
from howdah.reconcile.ports import HostPorts, Outside
from howdah.volumes.memory import MemoryVolumes

HOST = "local"
IMAGES = Images("howdah/hadoop:test", "howdah/spark:test")

T = TypeVar("T")
Wrap = Callable[[object], object]
"""Puts something between the reconciler and a port: a counter, a fault."""


class FakeClock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 1, tzinfo=UTC)
        self.seconds = 0.0

    def now(self) -> datetime:
        """The moment."""
        return self.moment + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Every look costs a tenth of a second, so that what waits for ever does not take for ever."""
        self.seconds += 0.1
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Let it pass."""
        self.seconds += seconds


class FakeImages:
    """Images that are there as soon as they are asked for."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    def references(self, hadoop: str, spark: str | None) -> Images:
        """Always the same two."""
        return IMAGES if spark else Images(IMAGES.hadoop)

    def helper(self) -> str:
        """Always the same."""
        return "howdah/base:test"

    def ensure(self, kind: str, reference: str, progress: Callable[[str], None]) -> bool:
        """There it is."""
        if self._engine.image(reference):
            return False
        self._engine.add_image(reference)
        return True


class FakeProbe:
    """Daemons that are ready as soon as they run, and know of one another."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    def namenode(self, container: str) -> NameNodeReading | NotYet:
        """Lists every DataNode of its cluster that runs."""
        found = self._running(container)
        if found is None:
            return NotYet("connection refused")
        return NameNodeReading(
            is_active=True,
            safe_mode="",
            live=self._peers(found, Role.DATANODE),
            dead=frozenset(),
            missing_blocks=0,
            under_replicated=0,
            cluster_id="",
            block_pool_id="",
            capacity=0,
            used=0,
            files=1,
            checkpoint_age=None,
        )

    def resourcemanager(self, container: str) -> ResourceManagerReading | NotYet:
        """Lists every NodeManager of its cluster that runs."""
        found = self._running(container)
        if found is None:
            return NotYet("connection refused")
        return ResourceManagerReading(True, self._peers(found, Role.NODEMANAGER), frozenset(), 0)

    def round_trip(self, namenode: str) -> NotYet | None:
        """It works as soon as the NameNode runs."""
        return None if self._running(namenode) else NotYet("connection refused")

    def answers(self, container: str, port: int) -> NotYet | None:
        """It does when it runs."""
        return None if self._running(container) else NotYet("connection refused")

    def _running(self, container: str) -> InstanceState | None:
        found = next((i for i in self._engine.list({}) if i.name == container), None)
        return found if found and found.phase is Phase.RUNNING else None

    def _peers(self, of: InstanceState, role: Role) -> frozenset[str]:
        labels = {LABEL_CLUSTER: of.labels[LABEL_CLUSTER], LABEL_ROLE: role.value}
        peers = (i for i in self._engine.list(labels) if i.phase is Phase.RUNNING)
        return frozenset(self._engine.containers[peer.name].spec.hostname for peer in peers)


@dataclass(slots=True)
class World:
    """What lasts: the host with its disks, and the coordination service. Clients come and go."""

    volumes: MemoryVolumes = field(default_factory=MemoryVolumes)
    service: MemoryService = field(default_factory=MemoryService)
    clock: FakeClock = field(default_factory=FakeClock)
    engine: MemoryEngine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = MemoryEngine(exists=self.volumes.exists)
        self.engine.add_image("howdah/base:test")
        self.engine.on_run = self._run
        self.engine.on_start = self._start

    def client(self, wrap: Wrap = lambda port: port) -> "WorldClient":
        """A howdah of its own; ``wrap`` goes around the ports that have effects."""
        coordinator = MemoryCoordinator(self.service)
        engine: Engine = self._wrapped(wrap, self.engine)
        volumes: Volumes = self._wrapped(wrap, self.volumes)
        wrapped: Coordinator = self._wrapped(wrap, coordinator)
        host = HostPorts(engine, volumes, FakeProbe(self.engine), FakeImages(self.engine))
        reconciler = Reconciler(Outside({HOST: host}, self.clock), Records(wrapped))
        return WorldClient(self, coordinator, Clusters(reconciler), reconciler)

    def _wrapped(self, wrap: Wrap, port: T) -> T:
        return wrap(port)  # type: ignore[return-value]  # what wraps a port is one

    def _run(self, spec: InstanceSpec) -> ExecResult:
        """The NameNode's format."""
        if spec.labels.get(LABEL_ROLE) == ONE_OFF:
            cluster_id = spec.command[spec.command.index("-clusterId") + 1]
            self.volumes.format(_volume_of(spec), cluster_id, "BP-1", -67)
        return ExecResult(0, b"", b"")

    def _start(self, spec: InstanceSpec) -> int | None:
        """A DataNode or secondary NameNode makes its folders at its first start.

        The entry point checks the identity.
        """
        if not (volume := _volume_of(spec)):
            return None
        found = self.volumes.live[volume]
        if (
            found.identity is None
            or f'"incarnation": {found.identity.incarnation}' not in spec.environment["HOWDAH_VOLUME"]
        ):
            return 78
        if found.is_empty:
            if spec.labels[LABEL_ROLE] == Role.NAMENODE:
                return 1
            self.volumes.format(volume, found.identity.cluster_id)
        return None


@dataclass(slots=True)
class WorldClient:
    """One howdah process on a World."""

    world: World
    coordinator: MemoryCoordinator
    clusters: Clusters
    reconciler: Reconciler

    def die(self) -> None:
        """As after SIGKILL: the session ends without a word, and its locks with it."""
        self.world.service.expire(self.coordinator)

    @property
    def records(self) -> Records:
        """The records, through this client."""
        return self.reconciler.records


def definition(source: str = "small", name: str = "sales", **parameters: str) -> Loaded:
    """A shipped template under a name."""
    return load(source, parameters, name=name)


def _volume_of(spec: InstanceSpec) -> str:
    """The uuid of the volume that a container mounts; empty where it has none."""
    return next((mount.source.split("/")[-2] for mount in spec.mounts if mount.target == "/volume/data"), "")
