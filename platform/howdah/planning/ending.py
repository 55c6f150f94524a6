"""The plans by which a cluster stops, and by which it is taken away. The data stays unless a person named it."""

from collections.abc import Iterable

from howdah.model.cluster import ClusterPhase, Instance
from howdah.model.storage import DataSetState
from howdah.planning.actions import (
    BuryVolume,
    CondemnDataSet,
    ForgetCluster,
    RemoveBundles,
    RemoveInstance,
    RemoveNetwork,
    RemoveScratch,
    RemoveVolume,
    SetPhase,
    StopInstance,
)
from howdah.planning.observed import LABEL_CLUSTER
from howdah.planning.plan import Plan, PlanBuilder
from howdah.planning.safety import end_objections
from howdah.planning.view import View
from howdah.ports.engine import InstanceState, Phase

ONE_OFF_STOP = 20
"""Seconds that a format may take to end when asked."""


def halt(view: View) -> Plan:
    """Nothing runs, everything stays. Raises Transient where a host is Unknown."""
    for objection in end_objections(view.desired, view.observed, is_data_named=False):
        raise objection
    builder = PlanBuilder()
    for instance in _users_first(view.desired.instances):
        state = view.container(instance)
        if state and state.phase in (Phase.RUNNING, Phase.PAUSED):
            _stop(
                builder,
                instance.assignment.host,
                state,
                "the cluster is to stop",
                instance.traits.stops_after,
                _users(view, instance),
            )
    if view.desired.cluster.phase is ClusterPhase.STOPPING:
        builder.add(
            "phase", SetPhase(phase=ClusterPhase.STOPPED, why="all its instances are stopped"), builder.keys("stop:")
        )
    return builder.build()


def take_away(view: View) -> Plan:
    """Nothing left but the data.

    Raises Transient where a host is Unknown, Refused where a named volume is another's.
    """
    # A data set that was never formatted holds nothing, so nobody has to name it.
    is_data_named = view.desired.cluster.destroys_data or view.desired.data_set.state is not DataSetState.READY
    for objection in end_objections(view.desired, view.observed, is_data_named=is_data_named):
        raise objection
    builder = PlanBuilder()
    for instance in _users_first(view.desired.instances):
        if state := view.container(instance):
            why = "its cluster is to go"
            remove_container(
                builder, instance.assignment.host, state, why, _users(view, instance), instance.traits.stops_after
            )
    for host, state in view.one_offs():
        remove_container(builder, host, state, "a format was interrupted")
    gone = builder.keys("stop:", "remove:")
    _remove_folders(builder, view, gone)
    if is_data_named:
        _destroy_data(builder, view, gone)
    forget = ForgetCluster(with_data_set=is_data_named, why="nothing of it is left but what is kept")
    builder.add("forget", forget, builder.keys(""))
    return builder.build()


def remove_container(
    builder: PlanBuilder,
    host: str,
    state: InstanceState,
    why: str,
    after: Iterable[str] = (),
    timeout: int = ONE_OFF_STOP,
) -> str:
    """Stop it where it runs, then remove it. Returns the key of the removal."""
    before = list(after)
    if state.phase is Phase.RUNNING:
        before.append(_stop(builder, host, state, why, timeout, before))
    return builder.add(f"remove:{state.name}", RemoveInstance(host=host, container=state.name, why=why), before)


def _stop(builder: PlanBuilder, host: str, state: InstanceState, why: str, timeout: int, after: Iterable[str]) -> str:
    return builder.add(
        f"stop:{state.name}", StopInstance(host=host, container=state.name, timeout=timeout, why=why), after
    )


def _users_first(instances: tuple[Instance, ...]) -> list[Instance]:
    return list(reversed(instances))  # as roles stand in an order in which each comes after what it needs


def _users(view: View, instance: Instance) -> list[str]:
    """The steps that end what needs this instance."""
    users = [
        other for other in view.desired.instances if instance.role in (*other.traits.needs, *other.traits.ends_before)
    ]
    return [f"{verb}:{other.container}" for other in users for verb in ("stop", "remove")]


def _remove_folders(builder: PlanBuilder, view: View, gone: tuple[str, ...]) -> None:
    uuid, network = view.desired.cluster.uuid, view.desired.cluster.network.name
    for host, state in view.hosts():
        if any(found.name == network and found.labels.get(LABEL_CLUSTER) == uuid for found in state.networks):
            builder.add(
                f"network:{host}", RemoveNetwork(host=host, network=network, why="nobody is on it any more"), gone
            )
        if any(cluster == uuid for cluster, _, _ in state.survey.bundles):
            builder.add(
                f"bundles:{host}", RemoveBundles(host=host, cluster=uuid, why="nobody reads them any more"), gone
            )
        if any(cluster == uuid for cluster, _ in state.survey.scratch):
            builder.add(
                f"scratch:{host}", RemoveScratch(host=host, cluster=uuid, why="scratch goes with the cluster"), gone
            )


def _destroy_data(builder: PlanBuilder, view: View, gone: tuple[str, ...]) -> None:
    data_set = view.desired.data_set
    why = "a person named it" if view.desired.cluster.destroys_data else "it was never formatted: it holds nothing"
    before = list(gone)
    if data_set.state is not DataSetState.DESTROYING:
        before.append(builder.add("condemn", CondemnDataSet(why=why), gone))
    for claim in data_set.claims:
        state = view.observed.known(claim.host)
        found = [volume for volume in state.survey.volumes if volume.volume == claim.volume] if state else []
        if any(not volume.is_tombstone for volume in found):
            builder.add(f"bury:{claim.instance}", BuryVolume(host=claim.host, volume=claim.volume, why=why), before)
        if found:
            remove = RemoveVolume(host=claim.host, volume=claim.volume, why=why)
            builder.add(f"delete:{claim.instance}", remove, [*before, f"bury:{claim.instance}"])
