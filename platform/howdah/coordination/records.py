"""Typed records on a Coordinator: clusters, instances, data sets, endpoints, events.

What is read comes with its version, and a write names the version that it replaces. So two who change the
same record cannot overwrite each other: the second one gets a Conflict and looks again.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from howdah.coordination import messages, paths
from howdah.coordination.codec import Malformed, from_json, to_json
from howdah.coordination.encoding import LIMIT, canonical
from howdah.coordination.holder import is_alive_here, this_process
from howdah.errors import Bug, Conflict, Failed, NotFound, Refused
from howdah.model.cluster import Assignment, Cluster, Endpoint
from howdah.model.job import Job
from howdah.model.storage import DataSet
from howdah.ports.coordinator import Coordinator, Delete, Fence, Holder, Put, Versioned

T = TypeVar("T")

SCHEMA = 1
"""The number of the records' format; raised when a program that knows less would misread something."""

EVENTS_KEPT = 500
EVENT_LENGTH = 400
"""In characters; a longer text is cut."""

_ATTEMPTS = 100
"""For a record that many threads of one launch write at once: each round of a race has a winner."""


@dataclass(frozen=True, slots=True)
class Stored(Generic[T]):
    """A record as it was read, and the version that a write of it must name."""

    value: T
    version: int


@dataclass(frozen=True, slots=True)
class Installation:
    """The root record."""

    installation: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a cluster, for people. ``at`` is UTC in ISO 8601."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class AssignmentChanges:
    """What becomes of a cluster's assignments in one transaction with the cluster's record."""

    added: tuple[Assignment, ...] = ()
    replaced: tuple[tuple[Stored[Assignment], Assignment], ...] = ()
    removed: tuple[Stored[Assignment], ...] = ()


@dataclass(frozen=True, slots=True)
class _Instances:
    """The record of the folder of a cluster's instances, so that a person finds the cluster from the uuid."""

    cluster: str


@dataclass(frozen=True, slots=True)
class _Endpoints:
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Events:
    events: tuple[Event, ...] = ()


class Records:
    """The records of an installation.

    Every call raises what Coordinator's raise; a read also Refused for a record of a newer howdah, and Failed
    for one that is malformed; both are left untouched.
    """

    def __init__(self, coordinator: Coordinator) -> None:
        self.coordinator = coordinator

    def initialise(self) -> str:
        """Make the root record where there is none. Returns the installation's uuid."""
        while True:
            found = self._read(Installation, paths.ROOT)
            if found:
                return found.value.installation
            try:
                self.coordinator.commit(_create(paths.ROOT, Installation(str(uuid.uuid4()))))
            except Conflict:
                continue

    def is_initialised(self) -> bool:
        """Whether there is a root record."""
        return self._read(Installation, paths.ROOT) is not None

    def clusters(self) -> tuple[Cluster, ...]:
        """All clusters, by name."""
        return tuple(stored.value for stored in self._all(Cluster, paths.CLUSTERS, paths.cluster))

    def cluster(self, name: str) -> Stored[Cluster] | None:
        """The record of a cluster, or None."""
        return self._read(Cluster, paths.cluster(name))

    def data_sets(self) -> tuple[DataSet, ...]:
        """All data sets, by name."""
        return tuple(stored.value for stored in self._all(DataSet, paths.DATA_SETS, paths.data_set))

    def data_set(self, name: str) -> Stored[DataSet] | None:
        """The record of a data set, or None."""
        return self._read(DataSet, paths.data_set(name))

    def assignments(self, cluster_uuid: str) -> tuple[Assignment, ...]:
        """The assignments of a cluster's instances, by name."""
        return tuple(stored.value for stored in self.stored_assignments(cluster_uuid).values())

    def stored_assignments(self, cluster_uuid: str) -> Mapping[str, Stored[Assignment]]:
        """The assignments with their versions, by instance."""
        found = self._all(Assignment, paths.instances(cluster_uuid), lambda name: paths.instance(cluster_uuid, name))
        return {stored.value.instance: stored for stored in found}

    def endpoints(self, cluster: str) -> Mapping[str, Endpoint]:
        """The ready instances of a cluster, by instance."""
        found = self._read(_Endpoints, paths.endpoints(cluster))
        return found.value.endpoints if found else {}

    def put_endpoint(self, cluster: str, endpoint: Endpoint) -> None:
        """Add or replace one endpoint; safe from parallel threads."""

        def put(old: _Endpoints) -> _Endpoints:
            return _Endpoints({**old.endpoints, endpoint.instance: endpoint})

        self._rewrite(paths.endpoints(cluster), _Endpoints(), put)

    def remove_endpoint(self, cluster: str, instance: str) -> None:
        """Take one endpoint out, before its instance stops; nothing where it is not there."""
        if instance in self.endpoints(cluster):
            self._rewrite(paths.endpoints(cluster), _Endpoints(), lambda old: _without(old, instance))

    def events(self, cluster: str) -> tuple[Event, ...]:
        """The last events of a cluster, oldest first; of a deleted one too."""
        found = self._read(_Events, paths.events(cluster))
        return found.value.events if found else ()

    def add_event(self, cluster: str, at: str, text: str) -> None:
        """Add one, and let go of the oldest over 500 or over a record's size; safe from parallel threads."""
        event = Event(at, text if len(text) <= EVENT_LENGTH else f"{text[: EVENT_LENGTH - 1]}…")
        self._rewrite(
            paths.events(cluster),
            _Events(),
            lambda old: _Events(_fitting((*old.events, event)[-EVENTS_KEPT:])),
        )

    def create_cluster(
        self,
        cluster: Cluster,
        assignments: tuple[Assignment, ...],
        data_set: DataSet,
        data_set_version: int | None,
    ) -> None:
        """The cluster, its assignments and its data set's lease, all or nothing.

        ``data_set_version`` is None for a new data set. Raises Conflict where either is new and exists.
        """
        if data_set.lease != cluster.uuid or cluster.data_set != data_set.name:
            raise Bug(f"cluster {cluster.name} would be created without the lease of its data set {data_set.name}")
        self.coordinator.commit(
            _create(paths.cluster(cluster.name), cluster),
            _create(paths.instances(cluster.uuid), _Instances(cluster.name)),
            *(_create(paths.instance(cluster.uuid, each.instance), each) for each in assignments),
            Put(paths.data_set(data_set.name), _to_record(data_set), data_set_version),
        )

    def restore(
        self, data_sets: tuple[DataSet, ...], clusters: tuple[tuple[Cluster, tuple[Assignment, ...]], ...]
    ) -> None:
        """Records that were rebuilt; those that are there already are left as they are."""
        by_name = {cluster.data_set: (cluster, assignments) for cluster, assignments in clusters}
        for data_set in data_sets:
            if self.data_set(data_set.name):
                continue
            if data_set.name in by_name:
                self.create_cluster(*by_name[data_set.name], data_set, None)
            else:
                self.coordinator.commit(Put(paths.data_set(data_set.name), _to_record(data_set), None))

    def update_cluster(
        self, stored: Stored[Cluster], new: Cluster, assignments: AssignmentChanges = AssignmentChanges()
    ) -> Stored[Cluster]:
        """Replace what was read, and change assignments, all or nothing. Returns it with its new version."""
        self.coordinator.commit(_replace_cluster(stored, new), *_assignment_changes(new.uuid, assignments))
        return Stored(new, stored.version + 1)

    def update_data_set(self, stored: Stored[DataSet], new: DataSet) -> Stored[DataSet]:
        """Replace what was read. Returns it with its new version."""
        self.coordinator.commit(_replace_data_set(stored, new))
        return Stored(new, stored.version + 1)

    def update_both(
        self,
        cluster: Stored[Cluster],
        new_cluster: Cluster,
        data_set: Stored[DataSet],
        new_data_set: DataSet,
        assignments: AssignmentChanges = AssignmentChanges(),
    ) -> tuple[Stored[Cluster], Stored[DataSet]]:
        """Replace both, and change assignments, all or nothing. Returns both with their new versions."""
        self.coordinator.commit(
            _replace_cluster(cluster, new_cluster),
            _replace_data_set(data_set, new_data_set),
            *_assignment_changes(new_cluster.uuid, assignments),
        )
        return Stored(new_cluster, cluster.version + 1), Stored(new_data_set, data_set.version + 1)

    def forget_cluster(self, name: str, *, with_data_set: bool = False) -> bool:
        """Remove a cluster, its assignments and endpoints, and release its data set's lease, all or nothing.

        ``with_data_set`` removes the data set's record too, whose volumes are gone. The cluster's events stay.
        False where there is no such cluster. The caller has seen to it that nothing of it runs.
        """
        stored = self.cluster(name)
        if stored is None:
            return False
        cluster_uuid = stored.value.uuid
        changes: list[Put | Delete] = [
            Delete(paths.instance(cluster_uuid, instance), each.version)
            for instance, each in self.stored_assignments(cluster_uuid).items()
        ]
        for path in (paths.instances(cluster_uuid), paths.endpoints(name)):
            if found := self.coordinator.read(path):
                changes.append(Delete(path, found.version))
        data_set = self.data_set(stored.value.data_set)
        if data_set and data_set.value.lease == cluster_uuid:
            changes.append(
                Delete(paths.data_set(data_set.value.name), data_set.version)
                if with_data_set
                else _replace_data_set(data_set, replace(data_set.value, lease=""))
            )
        self.coordinator.commit(*changes, Delete(paths.cluster(name), stored.version))
        return True

    def forget_data_set(self, name: str) -> bool:
        """Remove the record of a data set; False where there is none. Refused while a cluster has it."""
        stored = self.data_set(name)
        if stored is None:
            return False
        if stored.value.lease:
            raise Refused(f"data set {name} is in use by the cluster {stored.value.last_cluster or stored.value.lease}")
        self.coordinator.commit(Delete(paths.data_set(name), stored.version))
        return True

    def job_ids(self) -> tuple[str, ...]:
        """The ids of all jobs on record, oldest first."""
        return self.coordinator.children(paths.JOBS)

    def job(self, job_id: str) -> Stored[Job] | None:
        """The record of a job, or None."""
        return self._read(Job, paths.job(job_id))

    def create_job(self, job: Job) -> None:
        """Write a new job down. Raises Conflict where the id is taken."""
        self.coordinator.commit(_create(paths.job(job.id), job))

    def update_job(self, stored: Stored[Job], new: Job) -> Stored[Job]:
        """Replace what was read. Returns it with its new version."""
        if stored.value.id != new.id:
            raise Bug(f"job {stored.value.id} cannot be replaced by {new.id}")
        self.coordinator.commit(Put(paths.job(new.id), _to_record(new), stored.version))
        return Stored(new, stored.version + 1)

    def forget_job(self, stored: Stored[Job]) -> None:
        """Remove the record of a job as it was read."""
        self.coordinator.commit(Delete(paths.job(stored.value.id), stored.version))

    def lock(self, cluster: str, what: str, wait: float, on_wait: Callable[[Holder], None]) -> Fence:
        """Take a cluster's lock as this process, saying what for.

        ``wait`` is for holders whose death shows only when their session ends; one that is seen to live is told at
        once.
        """
        path = paths.lock(cluster)

        def consider(holder: Holder) -> None:
            if is_alive_here(holder):
                raise messages.held(path, holder)
            on_wait(holder)

        return self.coordinator.lock(path, this_process(what), wait, consider)

    def lock_choices(self, what: str, wait: float, on_wait: Callable[[Holder], None]) -> Fence:
        """Take the lock under which what is free is chosen and written down. It is held for a moment: all wait."""
        return self.coordinator.lock(paths.CHOICES, this_process(what), wait, on_wait)

    def _read(self, expected: type[T], path: str) -> Stored[T] | None:
        found = self.coordinator.read(path)
        return None if found is None else Stored(_from_record(expected, path, found), found.version)

    def _all(self, expected: type[T], folder: str, path_of: Callable[[str], str]) -> Iterator[Stored[T]]:
        for name in self.coordinator.children(folder):
            stored = self._read(expected, path_of(name))
            if stored:
                yield stored

    def _rewrite(self, path: str, empty: T, change: Callable[[T], T]) -> None:
        """Compare and set, again from a new read as long as somebody else was faster."""
        for _ in range(_ATTEMPTS):
            found = self._read(type(empty), path)
            new = _to_record(change(found.value if found else empty))
            try:
                return self.coordinator.commit(Put(path, new, found.version if found else None))
            except Conflict:
                continue
        raise Conflict(
            f"{path} was changed by others {_ATTEMPTS} times while it was to be written",
            fix="repeat the command",
        )


def not_found(kind: str, name: str, names: tuple[str, ...]) -> NotFound:
    """The error for a cluster or data set that is not there, with the names that are."""
    return NotFound(
        f"there is no {kind} {name!r}",
        fix=f"there are: {', '.join(names)}" if names else f"there is no {kind} at all",
    )


def _to_record(value: object) -> dict[str, Any]:
    return {"schema": SCHEMA, **to_json(value)}


def _from_record(expected: type[T], path: str, found: Versioned) -> T:
    fields = dict(found.value)
    schema = fields.pop("schema", None)
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise Failed(
            f"record {path} is malformed: its schema number is {schema!r}",
            fix="something other than howdah wrote it",
        )
    if schema > SCHEMA:
        raise Refused(
            f"record {path} was written by a newer howdah (schema {schema}, this one knows {SCHEMA})",
            fix="upgrade howdah",
        )
    try:
        return from_json(expected, fields)
    except Malformed as problem:
        raise Failed(f"record {path} is malformed: {problem}", fix="something other than howdah wrote it") from problem


def _create(path: str, value: object) -> Put:
    return Put(path, _to_record(value), None)


def _replace_cluster(stored: Stored[Cluster], new: Cluster) -> Put:
    if (stored.value.name, stored.value.uuid) != (new.name, new.uuid):
        raise Bug(f"cluster {stored.value.name} cannot be replaced by {new.name} ({new.uuid})")
    return Put(paths.cluster(new.name), _to_record(new), stored.version)


def _replace_data_set(stored: Stored[DataSet], new: DataSet) -> Put:
    if (stored.value.name, stored.value.uuid) != (new.name, new.uuid):
        raise Bug(f"data set {stored.value.name} cannot be replaced by {new.name} ({new.uuid})")
    return Put(paths.data_set(new.name), _to_record(new), stored.version)


def _assignment_changes(cluster_uuid: str, changes: AssignmentChanges) -> Iterator[Put | Delete]:
    for added in changes.added:
        yield _create(paths.instance(cluster_uuid, added.instance), added)
    for stored, new in changes.replaced:
        if new.instance != stored.value.instance or new.incarnation < stored.value.incarnation:
            raise Bug(f"assignment {stored.value} cannot become {new}: an incarnation never falls")
        yield Put(paths.instance(cluster_uuid, new.instance), _to_record(new), stored.version)
    for removed in changes.removed:
        yield Delete(paths.instance(cluster_uuid, removed.value.instance), removed.version)


def _without(old: _Endpoints, instance: str) -> _Endpoints:
    return _Endpoints({name: endpoint for name, endpoint in old.endpoints.items() if name != instance})


def _fitting(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """The newest that a record has room for."""
    room, kept = LIMIT - 1024, 0
    for event in reversed(events):
        room -= len(canonical("", to_json(event))) + 1
        if room < 0:
            break
        kept += 1
    return events[len(events) - kept :]
