"""The loop: look, decide, act, until desired and observed are the same."""

import threading
from dataclasses import dataclass

from howdah.coordination.records import Records, not_found
from howdah.definitions.exporting import loads
from howdah.errors import Bug
from howdah.model.cluster import Desired
from howdah.planning.containers import Images
from howdah.planning.diff import plan
from howdah.planning.placement import desire
from howdah.planning.plan import Plan
from howdah.ports.coordinator import Fence
from howdah.reconcile.execute import Executor
from howdah.reconcile.observe import must_see, observe
from howdah.reconcile.ports import Outside
from howdah.reconcile.progress import Progress

ROUNDS = 6
"""A format that was interrupted takes three; more means that something undoes what we do."""


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Brings one cluster at a time from what is to what should be."""

    outside: Outside
    records: Records

    def desired(self, name: str) -> Desired:
        """What the records say the cluster is meant to be. Raises NotFound."""
        stored = self.records.cluster(name)
        if stored is None:
            raise not_found("cluster", name, tuple(c.name for c in self.records.clusters()))
        cluster = stored.value
        data_set = self.records.data_set(cluster.data_set)
        if data_set is None:
            raise Bug(f"cluster {name} has no data set {cluster.data_set}")
        return desire(cluster, loads(cluster.definition), self.records.assignments(cluster.uuid), data_set.value)

    def images(self, desired: Desired) -> Images:
        """The references of the images the cluster is made of."""
        host = next(iter(self.outside.hosts.values()))
        distribution = desired.definition.distribution
        return host.images.references(distribution.hadoop, distribution.spark)

    def plan(self, desired: Desired) -> Plan:
        """What would be done now; touches nothing."""
        observed = observe(self.outside, desired.cluster.uuid, self.records.endpoints(desired.cluster.name))
        return plan(desired, observed, self.images(desired))

    def converge(self, name: str, fence: Fence, progress: Progress) -> int:
        """Until there is nothing left to do.

        Returns how many steps were done. Raises what the planner and the executor raise.
        """
        steps = 0
        for _ in range(ROUNDS):
            if self.records.cluster(name) is None:
                return steps
            must_see(self.outside)
            desired = self.desired(name)
            todo = self.plan(desired)
            if not todo.steps:
                return steps
            Executor(self.outside, self.records, desired, fence, progress, threading.Event()).follow(todo)
            steps += len(todo)
            if not todo.is_partial:
                return steps
        raise Bug(f"cluster {name} is not what it should be after {ROUNDS} rounds")
