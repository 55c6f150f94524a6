"""Find the registry, or start the one that howdah brings along."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from howdah.clock import Clock
from howdah.coordination.records import Records
from howdah.errors import Conflict, Refused, Transient, UserError
from howdah.planning.actions import Action, EnsureImage
from howdah.planning.adoption import Adoption, adopt
from howdah.planning.network import choose_network
from howdah.planning.observed import LABEL_CLUSTER, LABEL_ROLE, HostState
from howdah.planning.plan import Plan, PlanBuilder, Step
from howdah.planning.registry import (
    CREDENTIALS,
    LABEL_ROOT,
    REGISTRY,
    NewRegistry,
    holds_data,
    objection,
    plan_registry,
    plan_removal,
    registry_uuid,
    registry_volume,
)
from howdah.ports.coordinator import Coordinator
from howdah.ports.engine import InstanceState, Phase
from howdah.reconcile.effects import apply
from howdah.reconcile.execute import follow
from howdah.reconcile.observe import survey
from howdah.reconcile.ports import HostPorts
from howdah.reconcile.progress import Progress

HADOOP = "3.5.0"
"""The version whose ZooKeeper the registry runs."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The embedded registry on one host. ``connect`` opens a session on it, given its credentials."""

    host: str
    ports: HostPorts
    clock: Clock
    connect: Callable[[str], Coordinator]

    def find(self) -> Records | None:
        """The records, or None where there is no registry yet.

        Raises Refused where one was lost, Transient where it is down.
        """
        container = self._container()
        if container and container.phase is Phase.RUNNING:
            records = self._open()
            if not records.is_initialised():
                self.check_new()
            return records
        if container is None and self._remembers():
            raise Refused(
                "this engine has clusters of howdah but no registry: it was lost",
                fix="run `howdah adopt` to rebuild the records from the volumes' own identities",
            )
        state = self._state()
        if problem := objection(self.host, state):
            raise problem
        if container is None and registry_volume(state) is None:
            return None
        raise Transient(
            "the registry is not running", fix="any command that changes something starts it: try `howdah launch`"
        )

    def find_or_start(self, progress: Progress) -> Records:
        """The records; the registry is made, or started again, where need be. Raises Refused where it was lost."""
        if not self._runs():
            try:
                self._start(progress)
            except (Conflict, Refused, Transient):
                # Another's first use at the same moment may have been faster.
                if not self._runs():
                    raise
        records = self._open()
        if not records.is_initialised():
            self.check_new()
            self._start(progress)  # where it was interrupted after its start, its volume is not marked as used yet
            records.initialise()
        return records

    def adopt(self, progress: Progress) -> Adoption:
        """Rebuild the records of a lost registry in a new one. Raises UserError where it is not lost.

        The root record comes last, so that what was interrupted is done again.
        """
        self.prepare(progress)
        if not self._runs():
            # One that merely does not run, after a reboot say, is started: it has its records.
            state = self._state()
            if objection(self.host, state):
                self._follow(plan_removal(self.host, state), progress)
            self._start(progress, is_adopting=True)
        records = self._open()
        if records.is_initialised():
            raise UserError("the registry is there and has its records: there is nothing to adopt")
        state = replace(self._state(), instances=self.ports.engine.list({LABEL_CLUSTER: ""}))
        documents = {volume.volume: self.ports.volumes.documents(volume.volume) for volume in state.survey.volumes}
        adoption = adopt(self.host, state, documents, self.clock.now().isoformat(timespec="seconds"))
        records.restore(adoption.data_sets, tuple((each.cluster, each.assignments) for each in adoption.clusters))
        records.initialise()
        return adoption

    def check_new(self) -> None:
        """Whether it has no records because it never had any. Raises Refused."""
        if holds_data(self._state()) or self._remembers():
            raise Refused(
                "the registry is empty while this engine has clusters or data sets of howdah: it was lost",
                fix="run `howdah adopt` to rebuild the records from the volumes' own identities",
            )

    def _start(self, progress: Progress, *, is_adopting: bool = False) -> None:
        references = self.ports.images.references(HADOOP, None)
        state = self._state()
        taken = [subnet for network in state.networks for subnet in network.subnets]
        new = NewRegistry(registry_uuid(state), f"howdah:{secrets.token_urlsafe(24)}", choose_network(REGISTRY, taken))
        plan = plan_registry(self.host, state, references.hadoop, new, is_adopting=is_adopting)
        self._follow(plan, progress)

    def prepare(self, progress: Progress) -> None:
        """Have the image that looking at volumes takes."""
        reference = self.ports.images.helper()
        if self.ports.engine.image(reference) is None:
            builder = PlanBuilder()
            why = "looking at volumes takes a container"
            builder.add("image", EnsureImage(host=self.host, kind="base", reference=reference, why=why))
            self._follow(builder.build(), progress)

    def _follow(self, plan: Plan, progress: Progress) -> None:
        def perform(step: Step) -> None:
            action: Action = step.action
            apply(action, self.ports, lambda line: progress.waits(step, line))

        follow(plan, perform, progress, self.clock.monotonic, threading.Event())

    def _open(self) -> Records:
        result = self.ports.engine.exec(REGISTRY, ("cat", f"/volume/identity/{CREDENTIALS}"), user="0:0")
        if result.exit_code != 0:
            raise Refused(
                f"the registry's credentials cannot be read: {result.stderr.decode(errors='replace').strip()}",
                fix="its volume was damaged: run `howdah adopt`",
            )
        return Records(self.connect(result.stdout.decode().strip()))

    def _container(self) -> InstanceState | None:
        found = next((i for i in self.ports.engine.list({LABEL_ROLE: REGISTRY}) if i.name == REGISTRY), None)
        root = self.ports.volumes.layout.root
        if found and found.labels.get(LABEL_ROOT) != root:
            raise UserError(
                f"the registry of this engine keeps volumes below {found.labels.get(LABEL_ROOT)}, not {root}",
                fix=f"set HOWDAH_ROOT={found.labels.get(LABEL_ROOT)}, or use an engine of its own for {root}",
            )
        return found

    def _runs(self) -> bool:
        container = self._container()
        return container is not None and container.phase is Phase.RUNNING

    def _remembers(self) -> bool:
        return bool(self.ports.engine.list({LABEL_CLUSTER: ""}))

    def _state(self) -> HostState:
        engine = self.ports.engine
        return HostState(
            layout=self.ports.volumes.layout,
            survey=survey(self.ports),
            instances=engine.list({LABEL_ROLE: REGISTRY}),
            networks=engine.networks(),
        )
