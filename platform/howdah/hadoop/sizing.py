"""How large everything is: from the limits in a definition to heaps, YARN memory, job memory and replication.

Every value carries the reason it was chosen, for ``plan --explain``. What Hadoop wants in MiB is in whole MiB here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import Generic, TypeVar

from howdah.model.definition import Definition, Group
from howdah.model.roles import Role
from howdah.units import Bytes

T = TypeVar("T")

MIB = 2**20
HEAP_SHARE = 0.75
"""No heap takes more of its container's limit; the rest is classes, code, threads and buffers."""
ALLOCATION_STEP = 128
"""MiB. YARN rounds every container up to a multiple of this."""
SPARK_MINIMUM = 450
"""MiB. Spark refuses a smaller executor or driver heap (1.5 times its reserved 300 MiB)."""


@dataclass(frozen=True, slots=True)
class Derived(Generic[T]):
    """A value that nobody wrote, and why it is this one."""

    value: T
    reason: str


@dataclass(frozen=True, slots=True)
class RoleSize:
    """A role's default and smallest limit, what its JVM needs beside the heap, and its folder's default size."""

    memory: Bytes
    minimum: Bytes
    overhead: Bytes
    folder: Bytes


def _size(memory: int, minimum: int, overhead: int, folder_gib: int) -> RoleSize:
    return RoleSize(Bytes(memory * MIB), Bytes(minimum * MIB), Bytes(overhead * MIB), Bytes(folder_gib * 2**30))


ROLE_SIZES = {
    Role.NAMENODE: _size(1024, 384, 192, 10),
    Role.SECONDARYNAMENODE: _size(768, 384, 192, 10),
    Role.DATANODE: _size(768, 384, 192, 50),
    Role.RESOURCEMANAGER: _size(1024, 448, 224, 2),
    Role.NODEMANAGER: _size(2048, 1024, 256, 20),
    Role.GATEWAY: _size(2048, 512, 256, 10),
}


def largest_heap(memory: Bytes) -> Bytes:
    """The most that ``heap`` may be under a limit, in whole MiB."""
    return Bytes(int(memory * HEAP_SHARE) // MIB * MIB)


def heap(role: Role, group: Group) -> Derived[Bytes]:
    """The daemon's heap (for a gateway: of one client's JVM)."""
    if group.heap is not None:
        return Derived(group.heap, "set in the definition")
    if role is Role.NODEMANAGER:
        return _nodemanager_heap(group.memory)
    overhead = ROLE_SIZES[role].overhead
    beside = Bytes(max(64 * MIB, (group.memory - overhead) // MIB * MIB))
    most = largest_heap(group.memory)
    if role is Role.GATEWAY:
        return Derived(
            Bytes(min(most, beside) // 2 // MIB * MIB),
            f"half of what a limit of {group.memory} leaves, for two clients at once",
        )
    if beside < most:
        return Derived(beside, f"the limit {group.memory} less {overhead} beside the heap")
    return Derived(most, f"{HEAP_SHARE} of the limit {group.memory}")


def _nodemanager_heap(memory: Bytes) -> Derived[Bytes]:
    """A NodeManager's heap grows with how many containers it can hold, not in proportion."""
    for limit, size in ((4, 256), (16, 512)):
        if memory <= limit * 2**30:
            return Derived(Bytes(size * MIB), f"enough for the containers of a limit up to {limit} GiB")
    return Derived(Bytes(1024 * MIB), "enough for the containers of a limit over 16 GiB")


@dataclass(frozen=True, slots=True)
class YarnSize:
    """What one NodeManager offers: memory in MiB, and vcores."""

    memory: Derived[int]
    vcores: Derived[int]


def yarn(group: Group) -> YarnSize:
    """What a NodeManager of this group offers to YARN: its limit less its own heap and overhead."""
    own = heap(Role.NODEMANAGER, group).value
    overhead = ROLE_SIZES[Role.NODEMANAGER].overhead
    memory = max(0, (group.memory - own - overhead) // MIB // ALLOCATION_STEP * ALLOCATION_STEP)
    offered = Derived(memory, f"the limit {group.memory} less the NodeManager's heap {own} and {overhead} beside it")
    if group.cpus is not None:
        return YarnSize(offered, Derived(max(1, ceil(group.cpus)), f"its cpus {group.cpus:g}, rounded up"))
    return YarnSize(offered, Derived(max(2, memory // 1024), "one for each GiB offered, at least 2: cpus is not set"))


@dataclass(frozen=True, slots=True)
class JobSize:
    """Defaults for jobs, in MiB: containers for MapReduce, heaps and overheads for Spark."""

    application_master: Derived[int]
    map: Derived[int]
    reduce: Derived[int]
    spark_master: Derived[int]
    spark_master_overhead: Derived[int]
    executor: Derived[int]
    executor_overhead: Derived[int]
    executor_cores: Derived[int]
    driver: Derived[int]


def _rounded(amount: int) -> int:
    return amount // ALLOCATION_STEP * ALLOCATION_STEP


def spark_needs() -> int:
    """MiB that a NodeManager must offer so that a Spark executor fits."""
    return ceil((SPARK_MINIMUM + 256) / ALLOCATION_STEP) * ALLOCATION_STEP


def jobs(nodemanagers: Iterable[Group], gateway: Group | None) -> JobSize:
    """Job defaults that fit the smallest NodeManager: beside an application master there is room for an executor."""
    offers = [yarn(group) for group in nodemanagers]
    smallest = min((offer.memory.value for offer in offers), default=0)
    vcores = min((offer.vcores.value for offer in offers), default=1)
    share = f"a quarter of the {smallest} MiB of the smallest NodeManager"
    task = max(256, min(1024, _rounded(smallest // 4)))
    master = max(512, task)
    spark_master = 256 if smallest < 4096 else 512
    master_overhead = 128
    container, per_node = _executor(smallest, spark_master + master_overhead)
    overhead = max(256, min(384, container // 3), container // 10)
    driver_limit = heap(Role.GATEWAY, gateway).value.mebibytes if gateway is not None else 1024
    return JobSize(
        application_master=Derived(master, "512 MiB, or a map task's: small jobs run inside it"),
        map=Derived(task, f"{share}, from 256 to 1024"),
        reduce=Derived(task, f"{share}, from 256 to 1024"),
        spark_master=Derived(spark_master, "it only asks for executors in client mode"),
        spark_master_overhead=Derived(master_overhead, "classes and threads of a small JVM"),
        executor=Derived(
            container - overhead, f"{per_node} to a NodeManager with {smallest} MiB, an application master beside them"
        ),
        executor_overhead=Derived(overhead, "a tenth of the container, at least 256 MiB: Python workers live there"),
        executor_cores=Derived(max(1, vcores // per_node), f"{vcores} vcores for {per_node} executors"),
        driver=Derived(max(SPARK_MINIMUM, min(1024, driver_limit)), "a gateway client's heap, at most 1 GiB"),
    )


def _executor(offered: int, master: int) -> tuple[int, int]:
    """The size of an executor's container in MiB, and how many go on a NodeManager: of 4 GiB at most."""
    least = spark_needs()
    room = offered - master
    if room < least:
        return max(least, _rounded(offered)), 1
    count = max(1, ceil(room / 4096))
    return _rounded(room // count), count


def replication(datanodes: int) -> Derived[int]:
    """How many copies of a block there are unless somebody says otherwise."""
    if datanodes < 3:
        return Derived(max(1, datanodes), f"as many as there are DataNodes ({datanodes})")
    return Derived(3, "Hadoop's own default")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the parts of a cluster talk, by its size class: quick for a few nodes, gentler for many."""

    heartbeat_ms: int
    poll_ms: int
    handlers: int
    locality_delay: int
    """Scheduling opportunities a task lets pass in the hope of a node that holds its data."""
    reason: str


def pace(definition: Definition) -> Pace:
    """The size class follows the larger of DataNodes and NodeManagers; crossing one restarts what uses it."""
    nodes = max(definition.count(Role.DATANODE), definition.count(Role.NODEMANAGER))
    if nodes <= 16:
        return Pace(100, 100, 8, 3, "up to 16 nodes")
    if nodes <= 100:
        return Pace(500, 200, 32, 40, "up to 100 nodes")
    return Pace(1000, 1000, 64, 40, "over 100 nodes: Hadoop's own")
