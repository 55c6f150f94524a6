"""Follow a plan: one port call for one action, side by side where nothing stands between them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace

from howdah.coordination.records import Records, Stored
from howdah.errors import Bug, Conflict, Failed, Transient
from howdah.model.cluster import Cluster, Desired, Endpoint
from howdah.model.roles import ROLES
from howdah.model.storage import DataSet, DataSetState, volume_uuid
from howdah.planning import actions
from howdah.planning.observed import LABEL_CLUSTER, LABEL_INSTANCE
from howdah.planning.plan import Plan, Step
from howdah.planning.safety import CONTAINER_UID
from howdah.ports.coordinator import Fence
from howdah.ports.engine import InstanceState, Phase
from howdah.ports.probe import NotYet
from howdah.probes.verdict import Subject, waits_for
from howdah.reconcile.effects import apply, telling_line
from howdah.reconcile.ports import HostPorts, Outside
from howdah.reconcile.progress import Progress

WORKERS = 12
POLL = 0.1
"""Seconds between two looks at a condition."""
READY_WITHIN = 180.0
"""Seconds an instance may take to be ready; ten times what a busy laptop needs."""


def follow(
    plan: Plan,
    perform: Callable[[Step], None],
    progress: Progress,
    clock: Callable[[], float],
    stopping: threading.Event,
) -> None:
    """Do every step when those before it are done.

    Raises the first error, after the steps that were running have ended; ``stopping`` is set for those that wait.
    """
    progress.planned(plan)
    waiting = {step.key: step for step in plan}
    done: set[str] = set()
    running: dict[Future[None], tuple[Step, float]] = {}
    errors: list[Exception] = []
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="howdah") as pool, _setting(stopping):
        while running or (waiting and not errors):
            for step in [s for s in waiting.values() if s.after <= done] if not errors else []:
                del waiting[step.key]
                progress.started(step)
                running[pool.submit(perform, step)] = (step, clock())
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                step, began = running.pop(future)
                error = future.exception()
                if error is None:
                    done.add(step.key)
                    progress.done(step, clock() - began)
                elif isinstance(error, Exception):
                    stopping.set()
                    progress.failed(step, error)
                    errors.append(error)
                else:
                    raise error
    if errors:
        raise errors[0]


@contextmanager
def _setting(stopping: threading.Event) -> Iterator[None]:
    """Whatever ends this, Ctrl-C too: steps that wait are to end before the pool waits for them."""
    try:
        yield
    finally:
        stopping.set()


@dataclass(slots=True)
class Executor:
    """Actions to effects, for one cluster under its lock."""

    outside: Outside
    records: Records
    desired: Desired
    fence: Fence
    progress: Progress
    stopping: threading.Event

    def follow(self, plan: Plan) -> None:
        """Do the whole plan. Raises what the ports raise, and Fenced when the lock is not held any more."""
        follow(plan, self._perform, self.progress, self.outside.clock.monotonic, self.stopping)

    def _perform(self, step: Step) -> None:
        self.fence.check()
        if step.action.host:
            self._on_host(step, self.outside.hosts[step.action.host])
        else:
            self._on_records(step.action)

    def _on_host(self, step: Step, host: HostPorts) -> None:
        match step.action:
            case actions.FinishFormat(volume=volume):
                self._finish_format(host, volume)
            case actions.AwaitInstance() as action:
                self._await(step, action, host)
            case actions.VerifyHdfs(container=container):
                self._until(step, lambda: _why(host.probe.round_trip(container)), lambda: None)
            case action:
                apply(action, host, lambda line: self.progress.waits(step, line))

    def _on_records(self, action: actions.Action) -> None:
        match action:
            case actions.BeginFormat(attempt=attempt):
                self._change_data_set(lambda old: _formatting(old, attempt, self.desired))
            case actions.SetPhase(phase=phase):
                stored = self._cluster()
                if stored.value.phase is not phase:
                    self.records.update_cluster(stored, replace(stored.value, phase=phase, cause=""))
            case actions.CondemnDataSet():
                self._change_data_set(lambda old: replace(old, state=DataSetState.DESTROYING))
            case actions.ForgetCluster(with_data_set=with_data_set):
                self.records.forget_cluster(self.desired.cluster.name, with_data_set=with_data_set)
            case _:
                raise Bug(f"no record is known for {action}")

    # -- what takes more than one call

    def _finish_format(self, host: HostPorts, volume: str) -> None:
        found = host.volumes.survey().volume(volume)
        version = found.version if found else None
        if found is None or version is None or not found.has_image:
            raise Failed(
                f"the format of volume {volume} left no whole namespace",
                fix="the same command repeats it on a new volume",
            )
        if version.cluster_id != self.desired.data_set.cluster_id or found.owner_uid != CONTAINER_UID:
            raise Failed(
                f"volume {volume} was formatted as {version.cluster_id}, not {self.desired.data_set.cluster_id}"
            )
        pool, layout = version.block_pool_id, version.layout_version
        self._change_data_set(
            lambda old: replace(old, state=DataSetState.READY, block_pool_id=pool, layout_version=layout)
        )

    def _await(self, step: Step, action: actions.AwaitInstance, host: HostPorts) -> None:
        instance = self.desired.instance(action.instance)
        assert instance is not None, action.instance
        subject = Subject(
            role=action.role,
            container=action.container,
            host_name=instance.host_name,
            namenode=_first(self.desired, "namenode"),
            resourcemanager=_first(self.desired, "resourcemanager"),
        )

        def state() -> InstanceState | None:
            labels = {LABEL_CLUSTER: self.desired.cluster.uuid, LABEL_INSTANCE: action.instance}
            return next((s for s in host.engine.list(labels) if s.name == action.container), None)

        def death() -> None:
            found = state()
            if found is None or found.phase is Phase.EXITED:
                raise _died(host, action, found)

        self._until(step, lambda: waits_for(subject, host.probe), death)
        found = state()
        if found is None or found.phase is not Phase.RUNNING:
            raise _died(host, action, found)
        address, ports = instance.assignment.address, dict(ROLES[action.role].ports)
        endpoint = Endpoint(action.instance, action.host, instance.host_name, address, ports, found.started_at)
        self.records.put_endpoint(self.desired.cluster.name, endpoint)

    def _until(self, step: Step, missing: Callable[[], str | None], check: Callable[[], None]) -> None:
        """Until nothing is missing. ``check`` raises when it is in vain, and is asked less often."""
        clock = self.outside.clock
        began = checked = clock.monotonic()
        while (why := missing()) is not None:
            now = clock.monotonic()
            self.progress.waits(step, why)
            if now - began > READY_WITHIN:
                raise Failed(
                    f"{step}: still waiting after {READY_WITHIN:.0f} s: {why}",
                    fix="see `howdah logs`; the same command goes on",
                )
            if now - checked > 1.0:
                check()
                checked = now
            if self.stopping.wait(POLL):
                raise Transient(f"{step}: given up, because another step failed")

    def _cluster(self) -> Stored[Cluster]:
        stored = self.records.cluster(self.desired.cluster.name)
        if stored is None or stored.value.uuid != self.desired.cluster.uuid:
            raise Conflict(f"cluster {self.desired.cluster.name} was deleted meanwhile")
        return stored

    def _change_data_set(self, change: Callable[[DataSet], DataSet]) -> None:
        stored = self.records.data_set(self.desired.data_set.name)
        if stored is None or stored.value.uuid != self.desired.data_set.uuid:
            raise Conflict(f"data set {self.desired.data_set.name} was removed meanwhile")
        if (new := change(stored.value)) != stored.value:
            self.records.update_data_set(stored, new)


def _formatting(old: DataSet, attempt: int, desired: Desired) -> DataSet:
    """The NameNode's volume of another attempt has another uuid: what was half formatted is never used again."""
    namenode = next(i.name for i in desired.instances if i.role == "namenode")
    claims = tuple(
        replace(claim, volume=volume_uuid(old.uuid, claim.instance, attempt)) if claim.instance == namenode else claim
        for claim in old.claims
    )
    return replace(old, state=DataSetState.FORMATTING, format_attempt=attempt, claims=claims)


def _first(desired: Desired, role: str) -> str:
    return next((i.container for i in desired.instances if i.role == role), "")


def _why(answer: NotYet | None) -> str | None:
    return answer.why if answer else None


def _died(host: HostPorts, action: actions.AwaitInstance, state: InstanceState | None) -> Failed:
    if state is None:
        return Failed(f"{action.instance} was removed while it started", fix="the same command starts it again")
    if state.was_out_of_memory:
        return Failed(
            f"{action.instance} ran out of memory and was killed (exit {state.exit_code})", fix="give it more memory"
        )
    line = telling_line(host.engine.logs(action.container, tail=30))
    return Failed(
        f"{action.instance} ended with exit code {state.exit_code}: {line}",
        fix=f"see all of its output with `howdah logs NAME {action.instance}`",
    )
