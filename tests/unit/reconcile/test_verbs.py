"""The verbs, end to end in memory: what must be there afterwards, and what must not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from howdah.errors import Conflict, Failed, NotFound, Refused, Transient, UserError
from howdah.model.cluster import ClusterPhase
from howdah.model.storage import DataSetState, VolumeState
from howdah.ports.engine import ExecResult, InstanceSpec, NetworkSpec, Phase
from howdah.reconcile.progress import Silent
from howdah.testing.rig import World, definition
from howdah.units import Bytes

SILENT = Silent()


@pytest.fixture
def world() -> World:
    return World()


def launched(world: World, name: str = "sales") -> World:
    world.client().clusters.launch(definition(name=name), SILENT)
    return world


def test_a_launch_brings_up_every_instance_and_a_second_one_does_nothing(world: World) -> None:
    outcome = world.client().clusters.launch(definition(), SILENT)
    assert outcome.steps > 20
    names = {c.name for c in world.engine.list({}) if c.phase is Phase.RUNNING}
    assert names == {f"sales-{i}" for i in ("nn1", "snn1", "dn1", "dn2", "rm1", "nm1", "nm2", "gw1")}
    client = world.client()
    stored = client.records.cluster("sales")
    assert stored is not None
    assert stored.value.phase is ClusterPhase.READY
    assert set(client.records.endpoints("sales")) == {n.removeprefix("sales-") for n in names}
    data_set = client.records.data_set("sales")
    assert data_set is not None
    assert data_set.value.state is DataSetState.READY
    assert all(v.identity and v.identity.state is VolumeState.USED for v in world.volumes.survey().volumes)
    assert world.client().clusters.launch(definition(), SILENT).steps == 0


def test_a_delete_leaves_the_data_and_nothing_else(world: World) -> None:
    launched(world)
    world.client().clusters.delete("sales", SILENT)
    survey = world.volumes.survey()
    assert world.engine.list({}) == ()
    assert world.engine.networks() == ()
    assert (survey.bundles, survey.scratch) == (frozenset(), frozenset())
    assert len(survey.volumes) == 4
    records = world.client().records
    assert records.clusters() == ()
    assert [(d.name, d.lease) for d in records.data_sets()] == [("sales", "")]
    assert "was deleted" in world.client().clusters.delete("sales", SILENT).sentence


def test_the_same_data_comes_back_under_another_name_with_higher_incarnations(world: World) -> None:
    launched(world)
    before = {v.volume for v in world.volumes.survey().volumes}
    world.client().clusters.delete("sales", SILENT)
    world.client().clusters.launch(definition(name="again"), SILENT, from_data="sales")
    survey = world.volumes.survey()
    assert {v.volume for v in survey.volumes} == before
    assert {v.identity.incarnation for v in survey.volumes if v.identity} == {2}


def test_a_launch_over_kept_data_is_refused_and_names_the_way(world: World) -> None:
    launched(world)
    world.client().clusters.delete("sales", SILENT)
    with pytest.raises(UserError) as raised:
        world.client().clusters.launch(definition(), SILENT)
    assert "--from-data sales" in raised.value.fix


def test_named_data_is_destroyed_with_its_cluster(world: World) -> None:
    launched(world)
    world.client().clusters.delete("sales", SILENT, destroys_data=True)
    assert world.volumes.survey().volumes == ()
    assert world.client().records.data_sets() == ()


def test_stop_keeps_containers_and_addresses_and_start_brings_them_back(world: World) -> None:
    launched(world)
    before = {c.name: c.address for c in world.engine.list({})}
    world.client().clusters.stop("sales", SILENT)
    assert {c.phase for c in world.engine.list({})} == {Phase.EXITED}
    with pytest.raises(UserError, match="is stopped"):
        world.client().clusters.launch(definition(), SILENT)
    world.client().clusters.start("sales", SILENT)
    assert {c.name: c.address for c in world.engine.list({}) if c.phase is Phase.RUNNING} == before


def test_what_died_is_started_again(world: World) -> None:
    launched(world)
    world.engine.crash("sales-dn1", 137)
    assert world.client().clusters.start("sales", SILENT).steps == 2
    assert all(c.phase is Phase.RUNNING for c in world.engine.list({}))


def test_two_clusters_do_not_share_anything(world: World) -> None:
    launched(world, "one")
    launched(world, "two")
    subnets = {network.subnets for network in world.engine.networks()}
    assert len(subnets) == 2
    world.client().clusters.delete("one", SILENT)
    assert {c.name.split("-")[0] for c in world.engine.list({})} == {"two"}


def test_another_definition_under_the_same_name_is_told_the_difference(world: World) -> None:
    launched(world)
    with pytest.raises(UserError) as raised:
        world.client().clusters.launch(definition(workers="3"), SILENT)
    assert "count: 3" in str(raised.value)


def test_the_second_of_two_is_told_who_holds_the_cluster(world: World) -> None:
    with world.client().clusters._holding("sales", "launch", SILENT), pytest.raises(Conflict) as raised:
        world.client().clusters.launch(definition(), SILENT)
    assert "launch" in str(raised.value)


@pytest.mark.parametrize("damage", ["lose", "wipe", "give_to"])
@pytest.mark.parametrize("instance", ["nn1", "dn2"])
def test_a_volume_that_is_not_what_it_should_be_is_refused_before_a_container_exists(
    world: World, damage: str, instance: str
) -> None:
    launched(world)
    world.client().clusters.delete("sales", SILENT)
    claim = world.client().records.data_sets()[0].claim(instance)
    assert claim is not None
    damages: dict[str, Callable[[str], None]] = {
        "lose": world.volumes.lose,
        "wipe": world.volumes.wipe,
        "give_to": lambda volume: world.volumes.give_to(volume, None),
    }
    damages[damage](claim.volume)
    with pytest.raises(Refused) as raised:
        world.client().clusters.launch(definition(), SILENT, from_data="sales")
    assert instance in str(raised.value)
    assert world.engine.list({}) == ()


def test_another_cluster_id_on_disk_is_refused(world: World) -> None:
    launched(world)
    world.client().clusters.delete("sales", SILENT)
    claim = world.client().records.data_sets()[0].claim("nn1")
    assert claim is not None
    world.volumes.format(claim.volume, "CID-other")
    with pytest.raises(Refused, match="CID-other"):
        world.client().clusters.launch(definition(), SILENT, from_data="sales")


def test_a_half_format_never_serves_and_heals_itself(world: World) -> None:
    def half(spec: InstanceSpec) -> ExecResult:
        volume = next(m.source.split("/")[-2] for m in spec.mounts if m.target == "/volume/data")
        world.volumes.half_format(volume, spec.command[-1])
        raise Failed("killed half-way")

    whole, world.engine.on_run = world.engine.on_run, half
    with pytest.raises(Failed):
        world.client().clusters.launch(definition(), SILENT)
    assert "sales-nn1" not in {c.name for c in world.engine.list({})}
    first = world.client().records.data_sets()[0].claim("nn1")
    world.engine.on_run = whole
    world.client().clusters.launch(definition(), SILENT)
    second = world.client().records.data_sets()[0].claim("nn1")
    assert first
    assert second
    assert first.volume != second.volume
    assert first.volume not in {v.volume for v in world.volumes.survey().volumes}


def test_a_half_format_that_is_buried_already_heals_too(world: World) -> None:
    def half(spec: InstanceSpec) -> ExecResult:
        volume = next(m.source.split("/")[-2] for m in spec.mounts if m.target == "/volume/data")
        world.volumes.half_format(volume, spec.command[-1])
        raise Failed("killed half-way")

    whole, world.engine.on_run = world.engine.on_run, half
    with pytest.raises(Failed):
        world.client().clusters.launch(definition(), SILENT)
    world.engine.on_run = whole
    claim = world.client().records.data_sets()[0].claim("nn1")
    assert claim
    world.volumes.bury(claim.volume)  # and killed before its removal
    world.client().clusters.launch(definition(), SILENT)
    assert world.volumes.tombstones == {}


def test_two_launches_of_two_names_at_once_get_two_subnets(world: World) -> None:
    with ThreadPoolExecutor(4) as pool:
        launches = [pool.submit(launched, world, f"c{number}") for number in range(4)]
    for launch in launches:
        launch.result()
    assert len({network.subnets for network in world.engine.networks()}) == 4


def test_a_name_that_a_network_of_the_engine_has_is_refused_before_anything(world: World) -> None:
    world.engine.ensure_network(NetworkSpec("bridge", "172.17.0.0/16", "172.17.0.1", "172.17.128.0/17", {}))
    with pytest.raises(UserError, match="network bridge"):
        launched(world, "bridge")
    assert world.client().records.clusters() == ()


def test_data_is_not_said_to_be_in_use_where_it_is_not(world: World) -> None:
    launched(world)
    with pytest.raises(UserError, match="on data set sales"):
        world.client().clusters.launch(definition(), SILENT, from_data="other")
    world.client().clusters.delete("sales", SILENT)
    world.client().clusters.launch(definition(name="again"), SILENT, from_data="sales")
    with pytest.raises(UserError, match="in use by the cluster again"):
        launched(world)
    world.client().clusters.delete("again", SILENT)
    with pytest.raises(UserError, match="kept as data set sales"):
        world.client().clusters.delete("again", SILENT, destroys_data=True)


def test_kept_data_is_destroyed_by_its_own_name_alone(world: World) -> None:
    launched(world)
    world.client().clusters.delete("sales", SILENT)
    assert "nothing of it is left" in world.client().clusters.delete("sales", SILENT, destroys_data=True).sentence
    assert world.volumes.survey().volumes == ()
    assert world.client().records.data_sets() == ()
    assert world.client().records.clusters() == ()


def test_a_stopped_cluster_is_not_started_without_room(world: World) -> None:
    launched(world)
    world.client().clusters.stop("sales", SILENT)
    world.engine.memory = Bytes(4 * 2**30)
    with pytest.raises(UserError, match="of memory"):
        world.client().clusters.start("sales", SILENT)


def test_a_truncated_image_is_refused_and_not_formatted(world: World) -> None:
    launched(world)
    claim = world.client().records.data_sets()[0].claim("nn1")
    assert claim is not None
    world.client().clusters.stop("sales", SILENT)
    world.volumes.live[claim.volume].has_image = False
    with pytest.raises(Refused, match="no whole image"):
        world.client().clusters.start("sales", SILENT)


def test_an_engine_that_does_not_answer_decides_nothing(world: World) -> None:
    launched(world)
    world.engine.is_down = True
    for verb in (world.client().clusters.start, world.client().clusters.stop, world.client().clusters.delete):
        with pytest.raises(Exception, match="does not answer"):
            verb("sales", SILENT)
    world.engine.is_down = False
    world.client().clusters.delete("sales", SILENT)
    assert world.engine.list({}) == ()


def test_volumes_that_cannot_be_looked_at_are_not_taken_for_gone(world: World) -> None:
    launched(world)
    client, there = world.client(), len(world.volumes.live)
    world.engine.known_images.clear()
    with pytest.raises(Transient, match="cannot be looked at"):
        client.clusters.delete("sales", SILENT, destroys_data=True)
    assert len(world.volumes.live) == there
    assert client.records.data_set("sales") is not None


def test_too_little_memory_or_disk_is_said_with_the_numbers(world: World) -> None:
    world.engine.memory = Bytes(4 * 2**30)
    with pytest.raises(UserError, match="of memory"):
        world.client().clusters.launch(definition(), SILENT)
    world.engine.memory, world.volumes.free = Bytes(2**36), Bytes(2**30)
    with pytest.raises(UserError, match="free"):
        world.client().clusters.launch(definition(), SILENT)
    assert world.client().records.clusters() == ()


def test_a_name_that_is_not_there_is_not_found(world: World) -> None:
    launched(world)
    with pytest.raises(NotFound, match="salse"):
        world.client().clusters.delete("salse", SILENT)
