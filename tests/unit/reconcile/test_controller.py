"""The controller: what it restarts, what it leaves alone, and the clocks it keeps."""

from dataclasses import replace

import pytest

from howdah.coordination.memory import MemoryCoordinator
from howdah.errors import Conflict
from howdah.model.cluster import Cluster, ClusterPhase
from howdah.ports.engine import Phase
from howdah.reconcile.controller import FIRST_PAUSE, LONGEST_PAUSE, Controller, Patience
from howdah.reconcile.progress import Silent
from howdah.testing.rig import World, WorldClient, definition

SILENT = Silent()


@pytest.fixture
def world() -> World:
    world = World()
    world.client().clusters.launch(definition("single"), SILENT)
    return world


def controller(client: WorldClient, said: list[str]) -> Controller:
    def expire(cluster: Cluster) -> None:
        client.clusters.expire(cluster, SILENT)

    return Controller(client.reconciler, expire, lambda name, sentence: said.append(f"{name}: {sentence}"))


def test_a_healthy_cluster_is_left_alone(world: World) -> None:
    said: list[str] = []
    before = world.engine.list({})
    controller(world.client(), said).look()
    assert said == []
    assert world.engine.list({}) == before


def test_what_died_is_restarted_at_once_and_then_less_and_less_often(world: World) -> None:
    said: list[str] = []
    loop = controller(world.client(), said)
    for _ in range(3):
        world.engine.crash("sales-dn1", 137)
        loop.look()
    assert len(said) == 1
    assert next(i for i in world.engine.list({}) if i.name == "sales-dn1").phase is Phase.EXITED
    world.clock.sleep(FIRST_PAUSE)
    loop.look()
    assert len(said) == 2
    assert all(i.phase is Phase.RUNNING for i in world.engine.list({}))


def test_pauses_double_up_to_a_limit_and_start_anew_when_it_was_steady() -> None:
    patience, now, pauses = Patience(), 0.0, []
    for _ in range(9):
        patience.helped(now)
        pauses.append(patience.pause)
        now = patience.until
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    patience.helped(now + 10_000)
    assert patience.pause == FIRST_PAUSE


def test_a_stopped_cluster_stays_stopped(world: World) -> None:
    world.client().clusters.stop("sales", SILENT)
    controller(world.client(), []).look()
    assert {i.phase for i in world.engine.list({})} == {Phase.EXITED}


def test_a_cluster_goes_when_its_time_is_up_and_its_data_stays(world: World) -> None:
    client = world.client()
    stored = client.records.cluster("sales")
    assert stored is not None
    client.records.update_cluster(stored, replace(stored.value, expires_at=world.clock.now().isoformat()))
    said: list[str] = []
    controller(client, said).look()
    assert "time was up" in said[0]
    assert world.engine.list({}) == ()
    assert [d.name for d in client.records.data_sets()] == ["sales"]


def test_a_cluster_that_was_changed_since_is_not_taken_for_the_one_whose_time_is_up(world: World) -> None:
    client = world.client()
    stored = client.records.cluster("sales")
    assert stored is not None
    stale = replace(stored.value, uuid="99999999-9999-4999-8999-999999999999", expires_at="2026-01-01T00:00:00+00:00")
    with pytest.raises(Conflict):
        client.clusters.expire(stale, SILENT)
    assert {i.phase for i in world.engine.list({})} == {Phase.RUNNING}


def test_a_delete_that_kept_the_data_is_finished_as_it_was_meant(world: World) -> None:
    """Its time is up as well, and its definition says destroy: the person's word was another."""
    client = world.client()
    stored = client.records.cluster("sales")
    assert stored is not None
    text = stored.value.definition.replace("data: keep", "data: destroy")
    going = replace(
        stored.value, phase=ClusterPhase.DELETING, definition=text, expires_at=world.clock.now().isoformat()
    )
    client.records.update_cluster(stored, going)
    controller(client, []).look()
    assert world.engine.list({}) == ()
    assert [d.name for d in client.records.data_sets()] == ["sales"]


def test_a_mere_look_holds_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client()
    monkeypatch.setattr(MemoryCoordinator, "lock", lambda *_: pytest.fail("it took a lock"))
    controller(client, []).look()


def test_a_cluster_that_somebody_holds_is_left_alone(world: World) -> None:
    world.engine.crash("sales-dn1", 137)
    fence = world.client().records.lock("sales", "launch", 0.0, lambda holder: None)
    said: list[str] = []
    controller(world.client(), said).look()
    assert said == []
    fence.release()
    controller(world.client(), said).look()
    assert len(said) == 1


def test_there_is_one_controller(world: World) -> None:
    first = controller(world.client(), [])
    leadership = first._lead()
    with pytest.raises(Conflict):
        controller(world.client(), [])._lead()
    leadership.release()


def test_an_engine_that_is_away_is_waited_for(world: World) -> None:
    said: list[str] = []
    loop = controller(world.client(), said)
    world.engine.is_down = True
    loop.look()
    assert "does not answer" in said[0]
    world.engine.is_down = False
    world.clock.sleep(FIRST_PAUSE)
    loop.look()
    assert len(said) == 1
