"""What is done about an instance: one table of every phase and every state its container can be in."""

import itertools
from dataclasses import replace

import pytest

from howdah.errors import Transient
from howdah.model.cluster import ClusterPhase
from howdah.model.storage import DataSetState
from howdah.planning.diff import plan
from howdah.planning.observed import Observed, Unknown
from howdah.planning.plan import Plan
from howdah.planning.view import Found, View
from howdah.ports.engine import Phase
from tests.unit.planning.situations import HOST, IMAGES, desired, observed

LAUNCHING, READY = ClusterPhase.LAUNCHING, ClusterPhase.READY
STOPPING, STOPPED, DELETING = ClusterPhase.STOPPING, ClusterPhase.STOPPED, ClusterPhase.DELETING
ABSENT, STALE, DOWN, UNREADY, UP = Found.ABSENT, Found.STALE, Found.DOWN, Found.UNREADY, Found.UP

TABLE = {
    (LAUNCHING, ABSENT): "start ready",
    (LAUNCHING, STALE): "stop remove start ready",
    (LAUNCHING, DOWN): "start ready",
    (LAUNCHING, UNREADY): "ready",
    (LAUNCHING, UP): "",
    (READY, ABSENT): "start ready",
    (READY, STALE): "stop remove start ready",
    (READY, DOWN): "start ready",
    (READY, UNREADY): "ready",
    (READY, UP): "",
    (STOPPING, ABSENT): "",
    (STOPPING, STALE): "stop",
    (STOPPING, DOWN): "",
    (STOPPING, UNREADY): "stop",
    (STOPPING, UP): "stop",
    (STOPPED, ABSENT): "",
    (STOPPED, STALE): "stop",
    (STOPPED, DOWN): "",
    (STOPPED, UNREADY): "stop",
    (STOPPED, UP): "stop",
    (DELETING, ABSENT): "",
    (DELETING, STALE): "stop remove",
    (DELETING, DOWN): "remove",
    (DELETING, UNREADY): "stop remove",
    (DELETING, UP): "stop remove",
}
INSTANCES = ("nn1", "snn1", "dn1", "dn2", "rm1", "nm1", "nm2", "gw1")


def steps_for(todo: Plan, instance: str) -> str:
    """The verbs of the steps on that instance, in order."""
    own = [step.key.partition(":") for step in todo]
    return " ".join(verb for verb, _, what in own if what in (instance, f"sales-{instance}"))


def test_the_table_has_every_pair() -> None:
    assert set(TABLE) == set(itertools.product(ClusterPhase, Found))


@pytest.mark.parametrize("instance", INSTANCES)
@pytest.mark.parametrize(("phase", "found"), TABLE)
def test_what_is_done_about_an_instance(phase: ClusterPhase, found: Found, instance: str) -> None:
    meant = desired(phase)
    seen = observed(meant, {instance: found})
    assert View.of(meant, seen, IMAGES).found(next(i for i in meant.instances if i.name == instance)) is found
    todo = plan(meant, seen, IMAGES)
    assert steps_for(todo, instance) == TABLE[phase, found]
    # Everybody else is UP, and is treated so.
    for other in INSTANCES:
        if other != instance:
            assert steps_for(todo, other) == TABLE[phase, UP]


@pytest.mark.parametrize("address", ["", "10.213.0.128"])
@pytest.mark.parametrize("phase", [Phase.CREATED, Phase.RUNNING, Phase.EXITED])
def test_a_container_that_is_not_at_its_address_is_made_anew(phase: Phase, address: str) -> None:
    """Others know an instance by its address: one that lost it is not of use, and does not get it back by a restart."""
    meant = desired(READY)
    seen = observed(meant)
    state = seen.known(HOST)
    assert state is not None
    moved = [replace(c, phase=phase, address=address) if c.name == "sales-nn1" else c for c in state.instances]
    todo = plan(meant, replace(seen, hosts={HOST: replace(state, instances=tuple(moved))}), IMAGES)
    expected = "stop remove start ready" if phase is Phase.RUNNING else "remove start ready"
    assert steps_for(todo, "nn1") == expected


@pytest.mark.parametrize("phase", [READY, STOPPED])
def test_nothing_is_done_about_a_cluster_that_is_as_it_should_be(phase: ClusterPhase) -> None:
    meant = desired(phase)
    found = dict.fromkeys(INSTANCES, DOWN if phase is STOPPED else UP)
    assert plan(meant, observed(meant, found), IMAGES).steps == ()


@pytest.mark.parametrize(("phase", "concludes"), [(LAUNCHING, "phase"), (STOPPING, "phase"), (DELETING, "forget")])
def test_what_is_under_way_ends_with_a_record_after_everything_else(phase: ClusterPhase, concludes: str) -> None:
    meant = desired(phase)
    todo = plan(meant, observed(meant, {"dn1": STALE}), IMAGES)
    last = todo.steps[-1]
    assert last.key == concludes
    assert reached(todo, last.key) >= {step.key for step in todo if step.key not in {last.key, "verify"}}


@pytest.mark.parametrize("phase", ClusterPhase)
@pytest.mark.parametrize("state", DataSetState)
def test_a_host_that_does_not_answer_stops_every_decision(phase: ClusterPhase, state: DataSetState) -> None:
    with pytest.raises(Transient, match="connection refused"):
        plan(desired(phase, state), Observed({HOST: Unknown("connection refused")}), IMAGES)


@pytest.mark.parametrize("phase", [LAUNCHING, READY])
def test_what_an_instance_needs_is_ready_before_it_starts(phase: ClusterPhase) -> None:
    meant = desired(phase)
    todo = plan(meant, observed(meant, dict.fromkeys(INSTANCES, ABSENT)), IMAGES)
    for instance in meant.instances:
        for role in instance.traits.needs:
            needed = {f"ready:{other.name}" for other in meant.of(role)}
            assert needed <= reached(todo, f"start:{instance.name}")


@pytest.mark.parametrize("phase", [STOPPING, DELETING])
def test_who_needs_an_instance_is_stopped_before_it(phase: ClusterPhase) -> None:
    meant = desired(phase)
    todo = plan(meant, observed(meant), IMAGES)
    for instance in meant.instances:
        for other in meant.instances:
            if instance.role in other.traits.needs:
                assert f"stop:{other.container}" in reached(todo, f"stop:{instance.container}")


@pytest.mark.parametrize("state", [DataSetState.NEW, DataSetState.FORMATTING])
def test_data_that_was_never_ready_goes_with_its_cluster_and_no_other_does(state: DataSetState) -> None:
    meant = desired(DELETING, state)
    assert {step.key for step in plan(meant, observed(meant), IMAGES)} >= {"bury:nn1", "delete:nn1", "bury:dn2"}
    kept = desired(DELETING)
    assert not [step for step in plan(kept, observed(kept), IMAGES) if step.key.startswith(("bury", "delete"))]


def reached(todo: Plan, key: str) -> set[str]:
    """The keys of all the steps that are done before that one."""
    steps = {step.key: step for step in todo}
    found: set[str] = set()
    waiting = [key]
    while waiting:
        for before in steps[waiting.pop()].after - found:
            found.add(before)
            waiting.append(before)
    return found
