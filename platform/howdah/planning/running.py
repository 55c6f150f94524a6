"""The plan by which a cluster comes to run: launch, start, heal and relaunch from data are all this."""

from dataclasses import dataclass

from howdah.model.cluster import ClusterPhase, Instance
from howdah.model.roles import Role, Storage
from howdah.model.storage import BundleFiles, DataSetState, Folders, FoundVolume, ScratchFolder, Survey, VolumeState
from howdah.planning.actions import (
    AwaitInstance,
    BeginFormat,
    BuryVolume,
    EnsureImage,
    EnsureNetwork,
    FinishFormat,
    FormatVolume,
    PrepareFolders,
    RemoveVolume,
    SetPhase,
    StartInstance,
    VerifyHdfs,
)
from howdah.planning.containers import container, documents, format_container, identity_of
from howdah.planning.ending import remove_container
from howdah.planning.observed import LABEL_CLUSTER
from howdah.planning.plan import Plan, PlanBuilder
from howdah.planning.safety import start_objections
from howdah.planning.view import Found, View
from howdah.ports.engine import NetworkSpec
from howdah.units import Bytes

_CHANGES: dict[Found, tuple[str, ...]] = {
    Found.ABSENT: ("start", "ready"),
    Found.STALE: ("remove", "start", "ready"),
    Found.DOWN: ("start", "ready"),
    Found.UNREADY: ("ready",),
    Found.UP: (),
}
_WHY_START = {
    Found.ABSENT: "it is not there",
    Found.STALE: "it has an older configuration or incarnation, or another address",
    Found.DOWN: "it is not running",
}


def run(view: View) -> Plan:
    """Everything there, everything ready. Raises Refused or Transient (howdah.planning.safety)."""
    for objection in start_objections(view.desired, view.observed):
        raise objection
    builder = PlanBuilder()
    if leftovers := view.one_offs():
        for host, state in leftovers:
            remove_container(
                builder, host, state, "a format was interrupted: it is stopped before its volume is looked at"
            )
        return builder.build(is_partial=True)
    if broken := _half_formatted(view):
        _discard(builder, view, broken)
        return builder.build(is_partial=True)
    steps = _Steps(view, builder)
    steps.images_and_networks()
    steps.folders()
    steps.namespace()
    for is_apart in (False, True):
        instances = [instance for instance in view.desired.instances if instance.traits.is_apart is is_apart]
        for instance in instances:
            steps.instance(instance)
        steps.marks(instances, "mark-apart" if is_apart else "mark")
        if not is_apart:
            steps.readiness()
    return builder.build()


def _half_formatted(view: View) -> FoundVolume | None:
    """The NameNode's volume of an attempt that was interrupted; it may be buried already."""
    if view.desired.data_set.state is not DataSetState.FORMATTING:
        return None
    if tombstone := view.tombstone(view.namenode):
        return tombstone
    volume = view.volume(view.namenode)
    return None if volume is None or volume.is_empty or view.has_format else volume


def _discard(builder: PlanBuilder, view: View, broken: FoundVolume) -> None:
    host = view.namenode.assignment.host
    why = "its format was interrupted, so it never served: the attempt is repeated on a new volume"
    if not broken.is_tombstone:
        builder.add("bury", BuryVolume(host=host, volume=broken.volume, why=why))
    builder.add("delete", RemoveVolume(host=host, volume=broken.volume, why=why), ["bury"])
    builder.add("format:begin", BeginFormat(attempt=view.desired.data_set.format_attempt + 1, why=why), ["delete"])


@dataclass(frozen=True, slots=True)
class _Steps:
    view: View
    builder: PlanBuilder

    def images_and_networks(self) -> None:
        view, add = self.view, self.builder.add
        made = [i for i in view.desired.instances if view.found(i) in (Found.ABSENT, Found.STALE)]
        for host, kind, reference in sorted({(i.assignment.host, *view.images.of(i.role)) for i in made}):
            ensure = EnsureImage(host=host, kind=kind, reference=reference, why="instances are made of it")
            add(f"image:{host}:{kind}", ensure, self.builder.keys(f"image:{host}"))
        network = view.desired.cluster.network
        labels = {LABEL_CLUSTER: view.desired.cluster.uuid}
        spec = NetworkSpec(network.name, network.subnet, network.gateway, network.dynamic_range, labels)
        for host, state in view.hosts():
            if not any(found.name == network.name and found.labels == labels for found in state.networks):
                add(f"network:{host}", EnsureNetwork(host=host, spec=spec, why="the cluster's instances meet on it"))

    def folders(self) -> None:
        """Volumes, scratch folders and configuration: one step for each host."""
        view = self.view
        if view.desired.data_set.state is DataSetState.NEW:
            begin = BeginFormat(attempt=view.desired.data_set.format_attempt, why="the data set is new")
            self.builder.add("format:begin", begin)
        for host, state in view.hosts():
            local = [instance for instance in view.desired.instances if instance.assignment.host == host]
            if folders := _missing_folders(view, local, state.survey):
                prepare = PrepareFolders(
                    host=host, folders=folders, why="its instances keep and read their files there"
                )
                self.builder.add(f"folders:{host}", prepare, ["format:begin"])

    def namespace(self) -> None:
        """HDFS's own format, once in the life of a data set."""
        view, namenode = self.view, self.view.namenode
        if view.desired.data_set.state is DataSetState.READY:
            return
        host, volume = namenode.assignment.host, namenode.assignment.volume
        if not view.has_format:
            layout = view.host(namenode).layout
            spec = format_container(view.desired, namenode, view.bundles[namenode.name], view.images, layout)
            run_format = FormatVolume(host=host, spec=spec, volume=volume, why="a new HDFS needs a namespace")
            self.builder.add("format:run", run_format, self._prerequisites(namenode))
        check = FinishFormat(host=host, volume=volume, why="an exit code does not tell a whole format from half of one")
        self.builder.add("format:check", check, ["format:run", *self.builder.keys("folders:")])

    def instance(self, instance: Instance) -> None:
        """Start it when what it needs is ready, and wait until it is of use."""
        view, add = self.view, self.builder.add
        found = view.found(instance)
        host, name = instance.assignment.host, instance.name
        needed = [f"ready:{other.name}" for role in instance.traits.needs for other in view.desired.of(role)]
        after = [*needed, *self._prerequisites(instance)]
        if instance.role is Role.NAMENODE:
            after.append("format:check")
        if instance.traits.is_apart:
            after.append("phase")
        if "remove" in _CHANGES[found] and (stale := view.container(instance)):
            after.append(remove_container(self.builder, host, stale, _WHY_START[found], after))
        if "start" in _CHANGES[found]:
            spec = container(view.desired, instance, view.bundles[name], view.images, view.host(instance).layout)
            add(f"start:{name}", StartInstance(host=host, instance=name, spec=spec, why=_WHY_START[found]), after)
        if "ready" in _CHANGES[found]:
            why = "others and clients rely on its endpoint"
            wait = AwaitInstance(host=host, instance=name, role=instance.role, container=instance.container, why=why)
            add(f"ready:{name}", wait, [f"start:{name}", *needed])

    def marks(self, instances: list[Instance], key: str) -> None:
        """Say that the volumes of these have data, once they are ready."""
        view = self.view
        for host, _ in view.hosts():
            local = [i for i in instances if i.assignment.host == host and _gets_data(view, i)]
            if local:
                used = tuple(identity_of(view.desired, instance, VolumeState.USED) for instance in local)
                folders = Folders(stamped=used, documents=documents(view.desired))
                mark = PrepareFolders(
                    host=host, folders=folders, why="a volume that has data and is found empty was wiped"
                )
                self.builder.add(f"{key}:{host}", mark, [f"ready:{instance.name}" for instance in local])

    def readiness(self) -> None:
        """Prove that the cluster works, and say so."""
        view = self.view
        if view.desired.cluster.phase is ClusterPhase.LAUNCHING:
            host, name = view.namenode.assignment.host, view.namenode.container
            storing = [f"ready:{i.name}" for i in view.desired.instances if i.role in (Role.NAMENODE, Role.DATANODE)]
            verify = VerifyHdfs(host=host, container=name, why="ready means that data goes in and comes out")
            self.builder.add("verify", verify, storing)
            done = SetPhase(phase=ClusterPhase.READY, why="everything answered")
            self.builder.add("phase", done, self.builder.keys(""))

    def _prerequisites(self, instance: Instance) -> tuple[str, ...]:
        host = instance.assignment.host
        kind, _ = self.view.images.of(instance.role)
        return f"image:{host}:{kind}", f"network:{host}", f"folders:{host}"


def _missing_folders(view: View, instances: list[Instance], survey: Survey) -> Folders:
    """What of these instances' folders is not there yet, or carries an older incarnation."""
    uuid = view.desired.cluster.uuid
    with_volume = [(i, survey.volume(i.assignment.volume)) for i in instances if i.assignment.volume]
    bundles = {i.name: view.bundles[i.name] for i in instances}
    return Folders(
        made=tuple(
            identity_of(view.desired, instance, VolumeState.EMPTY)
            for instance, volume in with_volume
            if volume is None or volume.identity is None
        ),
        stamped=tuple(
            identity_of(view.desired, instance, volume.identity.state)
            for instance, volume in with_volume
            if volume and volume.identity and volume.identity.incarnation < instance.assignment.incarnation
        ),
        scratch=tuple(
            ScratchFolder(uuid, instance.name, instance.settings.scratch or Bytes(0))
            for instance in instances
            if instance.traits.storage is Storage.SCRATCH and (uuid, instance.name) not in survey.scratch
        ),
        bundles=tuple(
            BundleFiles(uuid, name, bundle.digest, bundle.static, bundle.live)
            for name, bundle in bundles.items()
            if (uuid, name, bundle.digest) not in survey.bundles
        ),
        documents=documents(view.desired),
    )


def _gets_data(view: View, instance: Instance) -> bool:
    """Whether its volume will have data, and does not say so yet."""
    volume = view.volume(instance)
    is_marked = volume is not None and volume.identity is not None and volume.identity.state is VolumeState.USED
    return bool(instance.assignment.volume) and not is_marked
