"""Records from volumes alone: what comes back, what is said to be lost, and that nothing is ever formatted again."""

from dataclasses import replace

import pytest

from howdah.coordination.memory import MemoryCoordinator, MemoryService
from howdah.coordination.records import Records
from howdah.errors import Refused
from howdah.model.storage import DataSetState, VolumeState
from howdah.planning.adoption import Adoption, adopt
from howdah.planning.observed import HostState
from howdah.reconcile.progress import Silent
from howdah.testing.rig import HOST, World, definition

SILENT = Silent()


@pytest.fixture
def world() -> World:
    world = World()
    world.client().clusters.launch(definition(), SILENT)
    return world


def adopted(world: World) -> Adoption:
    """As ``howdah adopt`` would, into a registry with nothing in it."""
    survey = world.volumes.survey()
    state = HostState(world.volumes.layout, survey, world.engine.list({"howdah.cluster": ""}))
    documents = {volume.volume: world.volumes.documents(volume.volume) for volume in survey.volumes}
    adoption = adopt(HOST, state, documents, "2026-01-01T00:00:00+00:00")
    world.service = MemoryService()
    Records(MemoryCoordinator(world.service)).restore(
        adoption.data_sets, tuple((each.cluster, each.assignments) for each in adoption.clusters)
    )
    return adoption


def test_a_running_cluster_comes_back_with_higher_incarnations_and_its_data(world: World) -> None:
    before = {v.volume for v in world.volumes.survey().volumes}
    adoption = adopted(world)
    assert adoption.lost == ()
    assert {a.incarnation for each in adoption.clusters for a in each.assignments} == {2}
    outcome = world.client().clusters.start("sales", SILENT)
    assert outcome.steps > 0
    assert {v.volume for v in world.volumes.survey().volumes} == before
    assert {v.identity.incarnation for v in world.volumes.survey().volumes if v.identity} == {2}


def test_kept_data_comes_back_and_serves(world: World) -> None:
    world.client().clusters.delete("sales", SILENT)
    adoption = adopted(world)
    assert (adoption.clusters, adoption.lost) == ((), ())
    world.client().clusters.launch(definition(name="again"), SILENT, from_data="sales")


def test_a_whole_format_without_its_mark_is_data(world: World) -> None:
    """As a launch leaves it that ended before its volumes were marked."""
    world.client().clusters.delete("sales", SILENT)
    for volume in world.volumes.live.values():
        assert volume.identity is not None
        volume.identity = replace(volume.identity, state=VolumeState.EMPTY)
    assert adopted(world).data_sets[0].state is DataSetState.READY


def test_data_without_its_namenode_volume_is_never_formatted(world: World) -> None:
    claim = world.client().records.data_sets()[0].claim("nn1")
    assert claim is not None
    world.client().clusters.delete("sales", SILENT)
    world.volumes.lose(claim.volume)
    adoption = adopted(world)
    assert adoption.data_sets[0].state is DataSetState.READY
    assert adoption.lost == ("data set sales has no volume for nn1 any more",)
    with pytest.raises(Exception, match="nn1"):
        world.client().clusters.launch(definition(), SILENT, from_data="sales")


def test_what_cannot_be_read_is_listed_and_left_alone(world: World) -> None:
    claim = world.client().records.data_sets()[0].claim("dn1")
    assert claim is not None
    world.volumes.give_to(claim.volume, None)
    adoption = adopted(world)
    assert any("no readable identity" in sentence for sentence in adoption.lost)
    assert any("dn1" in sentence for sentence in adoption.lost)
    with pytest.raises(Refused):
        world.client().clusters.start("sales", SILENT)
