import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.definitions.exporting import loads
from howdah.hadoop import sizing
from howdah.model.definition import Group
from howdah.model.roles import Role
from howdah.units import Bytes, Cores

MIB = 2**20
DAEMONS = [role for role in Role if role not in (Role.NODEMANAGER, Role.GATEWAY)]


def group(mebibytes: int, **settings: object) -> Group:
    return Group.model_validate({"count": 1, "memory": Bytes(mebibytes * MIB), **settings})


@pytest.mark.parametrize(
    ("role", "limit", "heap"),
    [
        (Role.NAMENODE, 384, 192),
        (Role.NAMENODE, 768, 576),
        (Role.NAMENODE, 1024, 768),
        (Role.NAMENODE, 8192, 6144),
        (Role.DATANODE, 512, 320),
        (Role.RESOURCEMANAGER, 448, 224),
        (Role.NODEMANAGER, 1024, 256),
        (Role.NODEMANAGER, 4096, 256),
        (Role.NODEMANAGER, 8192, 512),
        (Role.NODEMANAGER, 65536, 1024),
        (Role.GATEWAY, 2048, 768),
    ],
)
def test_heaps(role: Role, limit: int, heap: int) -> None:
    assert sizing.heap(role, group(limit)).value.mebibytes == heap


@pytest.mark.parametrize(
    ("limit", "cpus", "offered", "vcores"),
    [(1024, None, 512, 2), (2048, None, 1536, 2), (4096, 2, 3584, 2), (8192, 2.5, 7424, 3), (16384, None, 15616, 15)],
)
def test_what_a_nodemanager_offers(limit: int, cpus: float | None, offered: int, vcores: int) -> None:
    offer = sizing.yarn(group(limit, cpus=Cores(cpus) if cpus else None))
    assert (offer.memory.value, offer.vcores.value) == (offered, vcores)


@pytest.mark.parametrize(("datanodes", "copies"), [(0, 1), (1, 1), (2, 2), (3, 3), (50, 3)])
def test_replication(datanodes: int, copies: int) -> None:
    assert sizing.replication(datanodes).value == copies


@given(st.sampled_from(DAEMONS), st.integers(0, 200_000))
def test_a_derived_heap_leaves_room_beside_it(role: Role, above: int) -> None:
    limit = Bytes(sizing.ROLE_SIZES[role].minimum + above * MIB)
    heap = sizing.heap(role, group(limit // MIB)).value
    assert 128 * MIB <= heap <= limit * sizing.HEAP_SHARE
    assert limit - heap >= sizing.ROLE_SIZES[role].overhead


@given(st.integers(1024, 1_000_000), st.none() | st.integers(64, 512))
def test_a_nodemanager_never_promises_more_than_its_limit(limit: int, heap: int | None) -> None:
    settings = group(limit, heap=Bytes(heap * MIB) if heap else None)
    offered = sizing.yarn(settings).memory.value * MIB
    own = sizing.heap(Role.NODEMANAGER, settings).value
    assert offered + own + sizing.ROLE_SIZES[Role.NODEMANAGER].overhead <= settings.memory


@given(st.integers(1280, 500_000), st.none() | st.integers(1, 64))
def test_jobs_fit_where_they_run(limit: int, cpus: int | None) -> None:
    nodemanager = group(limit, cpus=Cores(cpus) if cpus else None)
    offered = sizing.yarn(nodemanager).memory.value
    size = sizing.jobs([nodemanager], None)
    executor = size.executor.value + size.executor_overhead.value
    assert executor <= offered
    assert size.executor.value >= sizing.SPARK_MINIMUM
    assert executor % sizing.ALLOCATION_STEP == 0
    assert max(size.map.value, size.reduce.value) <= size.application_master.value <= offered


def test_two_nodemanagers_of_2_gib_run_spark_with_two_executors_beside_its_master() -> None:
    size = sizing.jobs([group(2048), group(2048)], group(2048))
    master = size.spark_master.value + size.spark_master_overhead.value
    executor = size.executor.value + size.executor_overhead.value
    assert master + executor <= 1536
    assert (size.executor.value, size.executor_overhead.value, size.executor_cores.value) == (768, 384, 2)


@given(st.integers(2048, 500_000))
def test_a_spark_master_fits_beside_the_executors(limit: int) -> None:
    size = sizing.jobs([group(limit)], None)
    master = size.spark_master.value + size.spark_master_overhead.value
    assert master + size.executor.value + size.executor_overhead.value <= sizing.yarn(group(limit)).memory.value


def test_the_smallest_nodemanager_decides() -> None:
    assert sizing.jobs([group(8192), group(2048)], None) == sizing.jobs([group(2048)], None)


def test_what_the_definition_says_wins() -> None:
    chosen = sizing.heap(Role.NAMENODE, group(1024, heap=Bytes(300 * MIB)))
    assert (chosen.value, chosen.reason) == (300 * MIB, "set in the definition")


def test_the_pace_slows_down_with_the_number_of_nodes() -> None:
    def heartbeat(count: int) -> int:
        return sizing.pace(loads(f"name: a\nroles: {{namenode: , datanode: {{count: {count}}}}}")).heartbeat_ms

    assert [heartbeat(count) for count in (1, 16, 17, 100, 101, 1000)] == [100, 100, 500, 500, 1000, 1000]
