"""The Python API: the verbs of the command line with typed results. The command line is written on it.

    with howdah.Client() as client:
        client.launch("small", name="sales")
        print(client.status("sales").sentence)
        client.delete("sales")

Every verb raises the errors of ``howdah.errors`` and nothing else that a user could have caused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from howdah.app import LOCAL, Installation
from howdah.clusters import Outcome
from howdah.coordination.records import Records, not_found
from howdah.definitions.loading import Loaded, load, reload
from howdah.errors import UserError
from howdah.hadoop.bundles import client_configuration
from howdah.model.cluster import Cluster, Desired, Endpoint, Instance
from howdah.model.storage import DataSet
from howdah.planning.plan import Plan
from howdah.ports.engine import ExecStream
from howdah.reconcile.progress import Progress, Silent
from howdah.reconcile.status import ClusterStatus, status
from howdah.units import Bytes


@dataclass(frozen=True, slots=True)
class Preview:
    """What a launch would do."""

    definition: str
    desired: Desired
    plan: Plan


@dataclass(frozen=True, slots=True)
class VolumeUse:
    """A volume of a data set and the bytes in it."""

    instance: str
    volume: str
    path: str
    used: Bytes


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
        """The volumes of a cluster's data set and their bytes. Raises NotFound."""
        volumes = self.installation.host.volumes
        layout = self.installation.host.layout
        claims = self._desired(name).data_set.claims
        return tuple(VolumeUse(c.instance, c.volume, layout.volume(c.volume), volumes.used(c.volume)) for c in claims)

    # -- from nothing to running and back

    def plan(
        self, source: str, parameters: Mapping[str, str] | None = None, *, name: str = "", from_data: str = ""
    ) -> Preview:
        """What ``launch`` would do with the same arguments; touches nothing."""
        loaded = self._load(source, parameters or {}, name, from_data)
        desired, plan = self.installation.clusters(self._records).preview(loaded, from_data)
        return Preview(loaded.text, desired, plan)

    def launch(
        self, source: str = "", parameters: Mapping[str, str] | None = None, *, name: str = "", from_data: str = ""
    ) -> Outcome:
        """Bring up a cluster from a file or a template.

        With ``from_data`` on a data set that was kept, by its own definition.

        The same call again goes on where one was interrupted.
        """
        loaded = self._load(source, parameters or {}, name, from_data)
        records = self.installation.records_to_change(self.progress)
        return self.installation.clusters(records).launch(loaded, self.progress, from_data)

    def stop(self, name: str) -> Outcome:
        """Stop every instance; names, addresses and data stay."""
        return self.installation.clusters(self._records_to_change).stop(name, self.progress)

    def start(self, name: str) -> Outcome:
        """Start what was stopped, or what a reboot ended."""
        return self.installation.clusters(self._records_to_change).start(name, self.progress)

    def delete(self, name: str, *, destroys_data: bool = False) -> Outcome:
        """Take a cluster away. ``destroys_data`` deletes its data set for good: ask a person before."""
        return self.installation.clusters(self._records_to_change).delete(
            name, self.progress, destroys_data=destroys_data
        )

    # -- inside

    def exec(self, name: str, instance: str, argv: tuple[str, ...]) -> ExecStream:
        """Run a command in an instance; iterate over its output, then ask its exit code. Raises NotFound."""
        return self.installation.engine.exec_stream(self._instance(name, instance).container, argv)

    def shell(self, name: str, instance: str = "gw1", argv: tuple[str, ...] = ("bash",)) -> int:
        """Join this terminal to a shell in an instance. Returns its exit code. Raises NotFound."""
        return self.installation.engine.shell(self._instance(name, instance).container, argv)

    def logs(self, name: str, instance: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """An instance's output by lines. Raises NotFound."""
        return self.installation.engine.logs(self._instance(name, instance).container, follow=follow, tail=tail)

    # -- how

    @property
    def _records(self) -> Records:
        return self.installation.records()

    @property
    def _records_to_change(self) -> Records:
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
