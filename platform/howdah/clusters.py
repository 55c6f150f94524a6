"""The verbs on clusters: each writes what is wanted into the records, and lets the reconciler bring it about."""

import difflib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from howdah.coordination.records import Records, Stored, not_found
from howdah.definitions.exporting import loads
from howdah.definitions.loading import Loaded
from howdah.errors import Conflict, UserError
from howdah.model.cluster import Cluster, ClusterPhase, Desired
from howdah.model.definition import Definition
from howdah.model.storage import DataSet, DataSetState
from howdah.planning.network import choose_network
from howdah.planning.placement import assign, check_memory, desire, members, new_data_set, resumed_data_set
from howdah.planning.plan import Plan
from howdah.ports.coordinator import Fence
from howdah.reconcile.loop import Reconciler
from howdah.reconcile.observe import survey
from howdah.reconcile.progress import Progress
from howdah.units import Bytes

LOCK_WAIT = 8.0
"""Seconds; a little over the session time-out, so that the lock of a process that died is gone by then."""
CHOICE_WAIT = 30.0
"""Seconds; a choice among what is free takes one or two, and others may be before us."""
MINIMUM_FREE = Bytes(5 * 2**30)
"""Disk below which nothing is launched: images, shuffles and logs need room on any cluster."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a verb did: how many steps it took, and one sentence for a person."""

    cluster: str
    steps: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Clusters:
    """Launch, stop, start and delete."""

    reconciler: Reconciler

    def preview(self, loaded: Loaded, from_data: str = "") -> tuple[Desired, Plan]:
        """What a launch would do; touches nothing. Raises what launch raises before it begins."""
        name = loaded.definition.name
        stored = self._records.cluster(name)
        desired = self._same(stored.value, loaded, from_data) if stored else self._new(loaded, from_data)[0]
        return desired, self.reconciler.plan(desired)

    def launch(self, loaded: Loaded, progress: Progress, from_data: str = "") -> Outcome:
        """Bring the cluster up; the same command again goes on where one was interrupted.

        Raises UserError where the name is taken by another definition or does not fit, Conflict where somebody else
        is at it,
        Refused where a volume is not what it should be.
        """
        name = loaded.definition.name
        with self._holding(name, "launch", progress) as fence:
            stored = self._records.cluster(name)
            if stored:
                self._same(stored.value, loaded, from_data)
            else:
                self._create(loaded, from_data, progress)
            steps = self.reconciler.converge(name, fence, progress)
            self._event(name, "launched")
        return Outcome(name, steps, f"{name} is ready" if steps else f"{name} is ready already: nothing to do")

    def stop(self, name: str, progress: Progress) -> Outcome:
        """Stop every instance; names, addresses and data stay."""
        return self._move(name, ClusterPhase.STOPPING, ClusterPhase.STOPPED, "stopped", progress)

    def start(self, name: str, progress: Progress) -> Outcome:
        """Start what was stopped, or what a reboot ended."""
        return self._move(name, ClusterPhase.LAUNCHING, ClusterPhase.READY, "ready", progress)

    def delete(self, name: str, progress: Progress, *, destroys_data: bool = False) -> Outcome:
        """Take the cluster away.

        Its data set stays unless ``destroys_data``, for which the caller has asked a person. That also destroys a data
        set of this name that was kept from an earlier cluster.
        """
        with self._holding(name, "delete", progress) as fence:
            stored = self._records.cluster(name)
            if stored is None and destroys_data:
                stored = self._cluster_to_go(name)
            if stored is None:
                return self._deleted_before(name, destroys_data=destroys_data)
            return self._take_away(stored, fence, progress, destroys_data=destroys_data)

    def expire(self, cluster: Cluster, progress: Progress) -> Outcome:
        """Take away a cluster whose time is up, as its definition says.

        Raises Conflict where it is not what it was when its time was looked at: another one may have its name.
        """
        destroys_data = loads(cluster.definition).lifecycle.data == "destroy"
        with self._holding(cluster.name, "delete", progress) as fence:
            stored = self._records.cluster(cluster.name)
            if stored is None or stored.value != cluster:
                raise Conflict(f"{cluster.name} was changed since its time was looked at", fix="look again")
            return self._take_away(stored, fence, progress, destroys_data=destroys_data)

    # -- what is wanted, written down

    @property
    def _records(self) -> Records:
        return self.reconciler.records

    @contextmanager
    def _holding(self, name: str, what: str, progress: Progress) -> Iterator[Fence]:
        """The cluster's lock for the length of a verb."""
        fence = self._records.lock(name, what, LOCK_WAIT, progress.held)
        try:
            yield fence
        finally:
            fence.release()

    def _take_away(self, stored: Stored[Cluster], fence: Fence, progress: Progress, *, destroys_data: bool) -> Outcome:
        cluster = stored.value
        if cluster.phase is not ClusterPhase.DELETING or cluster.destroys_data != destroys_data:
            wanted = replace(cluster, phase=ClusterPhase.DELETING, destroys_data=destroys_data)
            self._records.update_cluster(stored, wanted)
        steps = self.reconciler.converge(cluster.name, fence, progress)
        kept = _left(cluster.data_set if self._records.data_set(cluster.data_set) else "")
        self._event(cluster.name, f"deleted; {kept}")
        return Outcome(cluster.name, steps, f"{cluster.name} is deleted; {kept}")

    def _cluster_to_go(self, data_set: str) -> Stored[Cluster] | None:
        """A cluster without instances that leases a kept data set for no more than to be deleted with it."""
        kept = self._records.data_set(data_set)
        if kept is None or kept.value.lease:
            return None
        cluster = Cluster(
            name=data_set,
            uuid=str(uuid.uuid4()),
            label=data_set,
            generation=1,
            definition=kept.value.definition,
            data_set=data_set,
            phase=ClusterPhase.DELETING,
            network=choose_network(data_set, ()),
            created_at=self.reconciler.outside.clock.now().isoformat(timespec="seconds"),
            destroys_data=True,
        )
        self._records.create_cluster(cluster, (), replace(kept.value, lease=cluster.uuid), kept.version)
        return self._records.cluster(data_set)

    def _same(self, cluster: Cluster, loaded: Loaded, from_data: str) -> Desired:
        if cluster.phase is ClusterPhase.DELETING:
            raise UserError(f"{cluster.name} is being deleted", fix=f"finish it first: howdah delete {cluster.name}")
        if from_data and cluster.data_set != from_data:
            raise UserError(
                f"cluster {cluster.name} exists, on data set {cluster.data_set}",
                fix=f"launch {from_data} under another name, or delete {cluster.name} first (its data stays)",
            )
        if cluster.definition != loaded.text:
            lines = difflib.unified_diff(
                cluster.definition.splitlines(), loaded.text.splitlines(), "as it runs", "as given", "", "", 0
            )
            difference = "\n".join(f"    {line}" for line in list(lines)[2:] if not line.startswith("@@"))
            raise UserError(
                f"cluster {cluster.name} exists with another definition:\n{difference}",
                fix=f"launch under another name, or delete it first (its data stays): howdah delete {cluster.name}",
            )
        if cluster.phase in (ClusterPhase.STOPPING, ClusterPhase.STOPPED):
            raise UserError(f"{cluster.name} is stopped", fix=f"howdah start {cluster.name}")
        return self.reconciler.desired(cluster.name)

    def _create(self, loaded: Loaded, from_data: str, progress: Progress) -> None:
        # What is free is looked up and taken by one at a time: two launches of two names would get one subnet.
        choosing = self._records.lock_choices("launch", CHOICE_WAIT, progress.held)
        try:
            desired, data_set_version = self._new(loaded, from_data)
            assignments = tuple(instance.assignment for instance in desired.instances)
            self._records.create_cluster(desired.cluster, assignments, desired.data_set, data_set_version)
        finally:
            choosing.release()
        self._event(desired.cluster.name, "launch accepted")

    def _new(self, loaded: Loaded, from_data: str) -> tuple[Desired, int | None]:
        definition, now = loaded.definition, self.reconciler.outside.clock.now()
        host, ports = next(iter(self.reconciler.outside.hosts.items()))
        found = survey(ports)
        if found.free is not None and found.free < MINIMUM_FREE:
            raise UserError(
                f"{ports.volumes.layout.root} on host {host} has {found.free} free",
                fix=f"make room: {MINIMUM_FREE} are needed at least",
            )
        self._check_room(definition)
        networks = ports.engine.networks()
        if any(network.name == definition.name for network in networks):
            raise UserError(
                f"the engine has a network {definition.name}, and the cluster's network would have that name",
                fix=f"launch under another name, or remove it if nothing needs it: docker network rm {definition.name}",
            )
        taken = [subnet for network in networks for subnet in network.subnets]
        taken += [cluster.network.subnet for cluster in self._records.clusters()]
        expires = (now + timedelta(seconds=definition.lifecycle.ttl)).isoformat() if definition.lifecycle.ttl else ""
        cluster = Cluster(
            name=definition.name,
            uuid=str(uuid.uuid4()),
            label=definition.name,
            generation=1,
            definition=loaded.text,
            data_set=from_data or definition.name,
            phase=ClusterPhase.LAUNCHING,
            network=choose_network(definition.name, taken),
            created_at=now.isoformat(timespec="seconds"),
            expires_at=expires,
        )
        data_set, version = self._lease(cluster, loaded, from_data, host)
        seen = {
            v.identity.instance: v.identity.incarnation
            for v in found.volumes
            if v.identity and v.identity.data_set == data_set.uuid
        }
        assignments = assign(definition, cluster.network, host, data_set, seen)
        return desire(cluster, definition, assignments, data_set), version

    def _check_room(self, definition: Definition) -> None:
        host, ports = next(iter(self.reconciler.outside.hosts.items()))
        check_memory(definition, host, ports.engine.capacity().memory, self._promised())

    def _lease(self, cluster: Cluster, loaded: Loaded, from_data: str, host: str) -> tuple[DataSet, int | None]:
        stored: Stored[DataSet] | None = self._records.data_set(cluster.data_set)
        if not from_data:
            if stored and stored.value.lease:
                raise UserError(
                    f"data set {cluster.data_set} is in use by the cluster {stored.value.last_cluster}",
                    fix="launch under another name",
                )
            if stored:
                raise UserError(
                    f"data set {cluster.data_set} is kept from an earlier cluster",
                    fix=f"bring it back with --from-data {cluster.data_set}, or launch under another name",
                )
            data_set_uuid = str(uuid.uuid4())
            return new_data_set(
                cluster.data_set, data_set_uuid, loaded.definition, loaded.text, host, cluster.uuid
            ), None
        if stored is None:
            raise not_found("data set", from_data, tuple(each.name for each in self._records.data_sets()))
        data_set = stored.value
        if data_set.lease:
            raise Conflict(
                f"data set {from_data} is in use by the cluster {data_set.last_cluster}",
                fix="delete that cluster first",
            )
        if data_set.state is not DataSetState.READY:
            raise UserError(
                f"data set {from_data} is {data_set.state}: only READY ones serve",
                fix="finish what it is in the middle of",
            )
        return resumed_data_set(data_set, loaded.definition, loaded.text, cluster), stored.version

    def _promised(self) -> Bytes:
        running = [c for c in self._records.clusters() if c.phase.wants_instances]
        definitions = [self.reconciler.desired(cluster.name).definition for cluster in running]
        return Bytes(sum(group.memory for definition in definitions for _, _, _, group in members(definition)))

    def _move(self, name: str, through: ClusterPhase, to: ClusterPhase, word: str, progress: Progress) -> Outcome:
        with self._holding(name, word, progress) as fence:
            stored = self._records.cluster(name)
            if stored is None:
                raise not_found("cluster", name, tuple(c.name for c in self._records.clusters()))
            if stored.value.phase is ClusterPhase.DELETING:
                raise UserError(f"{name} is being deleted", fix=f"finish it: howdah delete {name}")
            if stored.value.phase is ClusterPhase.STOPPED and through.wants_instances:
                self._check_room(loads(stored.value.definition))
            if stored.value.phase not in (through, to):
                self._records.update_cluster(stored, replace(stored.value, phase=through))
            steps = self.reconciler.converge(name, fence, progress)
            self._event(name, word)
        return Outcome(name, steps, f"{name} is {word}" if steps else f"{name} is {word} already: nothing to do")

    def _deleted_before(self, name: str, *, destroys_data: bool) -> Outcome:
        events, kept = self._records.events(name), self._kept(name)
        if events and destroys_data and kept and not events[-1].text.endswith(_left("")):
            raise UserError(
                f"{name} is deleted already, and its data is kept as data set {kept}",
                fix=f"name that: howdah delete {kept} --data destroy",
            )
        if events and events[-1].text.startswith("deleted"):
            return Outcome(name, 0, f"{name} was {events[-1].text} ({events[-1].at})")
        if events:
            self._event(name, f"deleted; {_left(kept)}")
            return Outcome(name, 0, f"{name} is deleted; {_left(kept)}")
        raise not_found("cluster", name, tuple(c.name for c in self._records.clusters()))

    def _kept(self, name: str) -> str:
        """The data set that is left of a cluster that is gone; empty where none is."""
        found = (each.name for each in self._records.data_sets() if each.last_cluster == name and not each.lease)
        return next(found, "")

    def _event(self, name: str, text: str) -> None:
        self._records.add_event(name, self.reconciler.outside.clock.now().isoformat(timespec="seconds"), text)


def _left(data_set: str) -> str:
    """What is left of a cluster, in words."""
    return f"its data is kept as data set {data_set}" if data_set else "nothing of it is left"
