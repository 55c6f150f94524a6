"""The Python API: the verbs of the command line with typed results. The command line is written on it.

    with howdah.Client() as client:
        client.launch("small", name="sales")
        print(client.status("sales").sentence)
        client.delete("sales")

Every verb raises the errors of ``howdah.errors`` and nothing else that a user could have caused.
"""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from howdah.app import LOCAL, Installation
from howdah.clusters import Outcome
from howdah.coordination.records import Records, not_found
from howdah.definitions.loading import Loaded, load, reload, with_ttl
from howdah.doctor import Bench, Finding, examine
from howdah.errors import Transient, UserError
from howdah.filesystem.files import HdfsFiles, open_files
from howdah.hadoop.bundles import client_configuration
from howdah.imaging.builder import ImageBuilder
from howdah.imaging.catalogue import DEFAULT
from howdah.imaging.checking import Difference
from howdah.imaging.listing import ListedImage
from howdah.jobs.submit import Jobs
from howdah.model.cluster import Cluster, Desired, Endpoint, Instance, container_name, page_port
from howdah.model.roles import Role
from howdah.model.storage import DataSet
from howdah.pages.addresses import Addresses, Target
from howdah.pages.proxy import Pages
from howdah.planning.adoption import Adoption
from howdah.planning.observed import LABEL_CLUSTER
from howdah.planning.plan import Plan
from howdah.ports.engine import ExecStream
from howdah.reconcile.controller import Controller
from howdah.reconcile.progress import Progress, Silent
from howdah.reconcile.status import ClusterStatus, status
from howdah.units import Bytes, Duration


@dataclass(frozen=True, slots=True)
class Preview:
    """What a launch would do."""

    definition: str
    desired: Desired
    plan: Plan


@dataclass(frozen=True, slots=True)
class VolumeUse:
    """A volume of a data set and the bytes in it; None where its folder is missing."""

    instance: str
    volume: str
    path: str
    used: Bytes | None


@dataclass(frozen=True, slots=True)
class Window:
    """An instance with pages of its own."""

    instance: str
    role: Role
    target: Target


class Client:
    """howdah, for programs. Close it, or use it in a ``with``; it is made cheaply and connects at first use."""

    def __init__(self, installation: Installation | None = None, progress: Progress | None = None) -> None:
        self.installation = installation or Installation()
        self.progress = progress or Silent()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session with the registry and remove the helper."""
        self.installation.close()

    # -- what there is

    def list(self) -> tuple[Cluster, ...]:
        """Every cluster on record, by name."""
        return self._records.clusters()

    def data_sets(self) -> tuple[DataSet, ...]:
        """Every data set on record, by name."""
        return self._records.data_sets()

    def status(self, name: str) -> ClusterStatus:
        """What a cluster is like now. Raises NotFound."""
        records = self._records
        return status(self.installation.outside, self._desired(name), dict(records.endpoints(name)))

    def export(self, name: str) -> str:
        """The definition, as ``launch`` accepts it. Raises NotFound."""
        return self._desired(name).cluster.definition

    def env(self, name: str) -> Mapping[str, str]:
        """Client configuration: file names (``core-site.xml``) to texts. Raises NotFound."""
        return client_configuration(self._desired(name))

    def endpoints(self, name: str) -> Mapping[str, Endpoint]:
        """Every ready instance by name, as clients find it. Raises NotFound."""
        self._desired(name)
        return self._records.endpoints(name)

    def data_of(self, name: str) -> tuple[VolumeUse, ...]:
        """The volumes of a cluster's data set, or of a kept one of that name, and their bytes. Raises NotFound."""
        volumes = self.installation.host.volumes
        layout = volumes.layout
        kept = self._records.data_set(name)
        is_kept = kept is not None and not kept.value.lease and self._records.cluster(name) is None
        claims = kept.value.claims if kept is not None and is_kept else self._desired(name).data_set.claims
        there = {found.volume for found in volumes.survey().volumes if not found.is_tombstone}
        used = {claim.volume: volumes.used(claim.volume) for claim in claims if claim.volume in there}
        return tuple(VolumeUse(c.instance, c.volume, layout.volume(c.volume), used.get(c.volume)) for c in claims)

    # -- from nothing to running and back

    def plan(
        self, source: str, parameters: Mapping[str, str] | None = None, *, name: str = "", from_data: str = ""
    ) -> Preview:
        """What ``launch`` would do with the same arguments; touches nothing."""
        loaded = self._load(source, parameters or {}, name, from_data)
        desired, plan = self.installation.clusters(self._records).preview(loaded, from_data)
        return Preview(loaded.text, desired, plan)

    def launch(
        self,
        source: str = "",
        parameters: Mapping[str, str] | None = None,
        *,
        name: str = "",
        from_data: str = "",
        ttl: Duration | None = None,
    ) -> Outcome:
        """Bring up a cluster from a file or a template; with ``from_data`` on kept data, by its own definition.

        ``ttl`` goes before the definition's. The same call again goes on where one was interrupted.
        """
        loaded = self._load(source, parameters or {}, name, from_data)
        loaded = with_ttl(loaded, ttl) if ttl is not None else loaded
        records = self.installation.records_to_change(self.progress)
        return self.installation.clusters(records).launch(loaded, self.progress, from_data)

    def stop(self, name: str) -> Outcome:
        """Stop every instance; names, addresses and data stay."""
        return self.installation.clusters(self._records_to_change(name)).stop(name, self.progress)

    def start(self, name: str) -> Outcome:
        """Start what was stopped, or what a reboot ended."""
        return self.installation.clusters(self._records_to_change(name)).start(name, self.progress)

    def delete(self, name: str, *, destroys_data: bool = False) -> Outcome:
        """Take a cluster away. ``destroys_data`` deletes its data set for good: ask a person before."""
        return self.installation.clusters(self._records_to_change(name)).delete(
            name, self.progress, destroys_data=destroys_data
        )

    def control(self, say: Callable[[str, str], None], stop: threading.Event) -> None:
        """Be the controller until told to stop: restart what died, end clusters whose time is up.

        ``say`` gets a cluster's name and a sentence. Raises Conflict where there is a controller already.
        """
        records = self.installation.records_to_change(self.progress)
        clusters = self.installation.clusters(records)

        def expire(cluster: Cluster) -> None:
            clusters.expire(cluster, self.progress)

        Controller(self.installation.reconciler(records), expire, say, self.progress).run(stop)

    def adopt(self) -> Adoption:
        """Rebuild the records of a lost registry from the volumes' own identities.

        Raises UserError where it is not lost.
        """
        return self.installation.adopt(self.progress)

    # -- inside

    def exec(self, name: str, instance: str, argv: tuple[str, ...]) -> ExecStream:
        """Run a command in an instance; iterate over its output, then ask its exit code. Raises NotFound."""
        return self.installation.engine.exec_stream(self._instance(name, instance).container, argv)

    def shell(self, name: str, instance: str = "gw1", argv: tuple[str, ...] = ("bash",)) -> int:
        """Join this terminal to a shell in an instance. Returns its exit code. Raises NotFound."""
        return self.installation.engine.shell(self._instance(name, instance).container, argv)

    def windows(self, name: str) -> tuple[Window, ...]:
        """The instances of a cluster that have pages to look at, in the order of their roles. Raises NotFound."""
        desired, endpoints = self._desired(name), self._records.endpoints(name)
        return tuple(
            Window(i.name, i.role, Target(i.name, i.traits.ports["http"]))
            for i in desired.instances
            if "http" in i.traits.ports and i.name in endpoints
        )

    def page(self, name: str, role: str) -> str:
        """The address of a role's pages while ``howdah ui`` runs; empty where there are none."""
        if self._records.cluster(name) is None:
            return ""
        desired = self._desired(name)
        return next((desired.page(instance) for instance in desired.instances if instance.role == role), "")

    def pages(self, name: str) -> Pages:
        """The daemons' web pages on this machine's loopback: ``serve()`` answers until ``close()``.

        The port follows from the cluster's subnet, so that an address stays right the next time; another where it is
        taken.
        """
        cluster, endpoints = self._desired(name).cluster, self._records.endpoints(name)
        engine = self.installation.engine

        def dial(instance: str, port: int) -> socket.socket:
            return engine.dial(container_name(cluster.label, instance), port)

        return Pages(lambda port: Addresses.of(cluster.label, port, endpoints), dial, page_port(cluster.network))

    def logs(self, name: str, instance: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """An instance's output by lines. Raises NotFound."""
        return self.installation.engine.logs(self._instance(name, instance).container, follow=follow, tail=tail)

    def all_logs(self, name: str, *, follow: bool = False, tail: int | None = None) -> Mapping[str, Iterator[str]]:
        """The output of every instance that has a container, by instance. Raises NotFound."""
        engine, desired = self.installation.engine, self._desired(name)
        there = {container.name for container in engine.list({LABEL_CLUSTER: desired.cluster.uuid})}
        found = [instance for instance in desired.instances if instance.container in there]
        return {i.name: engine.logs(i.container, follow=follow, tail=tail) for i in found}

    def files(self, name: str) -> HdfsFiles:
        """The files of a cluster's HDFS, as HADOOP_USER_NAME. Close them at the end. Raises NotFound, Transient."""
        return open_files(self.installation.engine, self._desired(name).cluster.label, self._records.endpoints(name))

    @property
    def jobs(self) -> Jobs:
        """The jobs of every cluster: submit, follow, wait, show, list, logs, kill."""
        engines = {name: host.engine for name, host in self.installation.outside.hosts.items()}
        return Jobs(engines, self._records, self._desired, self.installation.clock)

    # -- what clusters are made of, and the machine

    def images(self) -> tuple[ListedImage, ...]:
        """Every image of howdah's on the engine."""
        return self._builder.images()

    def build_image(self, kind: str, lines: Callable[[str], None]) -> bool:
        """Have an image and what it is built on; ``lines`` is told how far it got. False where it was there."""
        return self._builder.ensure(kind, lines)

    def verify_image(self, kind: str) -> tuple[Difference, ...]:
        """What in an image is not as it was built. Raises NotFound where it is not there."""
        return self._builder.verify(kind)

    def doctor(self, tell: Callable[[str], None]) -> Iterator[Finding]:
        """Whether the machine is all right for clusters; ``tell`` is told what is looked at."""
        host = self.installation.host

        def records() -> Records | None:
            found = self._records
            return found if found.is_initialised() else None

        clock = self.installation.clock
        return examine(Bench(host.engine, self.engine_address, host.volumes, host.images, clock, records), tell)

    # -- how

    @property
    def engine_address(self) -> str:
        """Where the engine is, for questions that must not be answered for another one."""
        return self.installation.engine.address

    @property
    def _builder(self) -> ImageBuilder:
        return self.installation.images.builder(DEFAULT)

    @property
    def _records(self) -> Records:
        return self.installation.records()

    def _records_to_change(self, name: str) -> Records:
        """Started where need be, but not for a name that the records there are do not know."""
        with suppress(Transient):
            records = self._records
            if not (records.cluster(name) or records.data_set(name) or records.events(name)):
                raise not_found("cluster", name, tuple(cluster.name for cluster in records.clusters()))
        return self.installation.records_to_change(self.progress)

    def _desired(self, name: str) -> Desired:
        return self.installation.reconciler(self._records).desired(name)

    def _instance(self, name: str, instance: str) -> Instance:
        desired = self._desired(name)
        found = desired.instance(instance)
        if found is None:
            raise not_found(f"instance of {name}", instance, tuple(i.name for i in desired.instances))
        return found

    def _load(self, source: str, parameters: Mapping[str, str], name: str, from_data: str) -> Loaded:
        if source:
            return load(source, parameters, name=name or None)
        if not from_data:
            raise UserError("launch of what?", fix="name a definition file, a template, or a data set with --from-data")
        stored = self._records.data_set(from_data)
        if stored is None:
            raise not_found("data set", from_data, tuple(each.name for each in self._records.data_sets()))
        if parameters:
            raise UserError("parameters go with a template; a data set brings its own definition", fix="leave -p out")
        return reload(stored.value.definition, name or None)


__all__ = ["LOCAL", "Client", "ClusterStatus", "Outcome", "Preview", "VolumeUse"]
