"""Killed anywhere, it converges: every verb, before, in the middle of and after every one of its effects, in memory."""

import itertools
import os
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Any, Literal, cast

import pytest

from howdah.coordination.memory import MemoryCoordinator
from howdah.engines.memory import MemoryContainer, MemoryEngine
from howdah.errors import HowdahError, NotFound, Refused, Transient
from howdah.model.cluster import ClusterPhase
from howdah.model.storage import DataSetState, Folders, VolumeState
from howdah.planning.observed import LABEL_CLUSTER, LABEL_ROLE, ONE_OFF
from howdah.planning.registry import CREDENTIALS, REGISTRY
from howdah.ports.coordinator import Coordinator
from howdah.ports.engine import ExecResult, InstanceSpec, Phase
from howdah.reconcile.progress import Silent
from howdah.reconcile.registry import Registry
from howdah.testing.faults import Faults, Killed
from howdah.testing.rig import World, WorldClient, Wrap, definition
from howdah.volumes.memory import MemoryBundle, MemoryVolumes

SILENT = Silent()
SALES, AGAIN = definition(), definition(name="again")
SEED = int(os.environ.get("HOWDAH_TEST_SEED", "0")) or random.randrange(2**31)

How = Literal["before", "amid", "after"]
Command = Callable[[WorldClient], object]


def launch(client: WorldClient) -> object:
    return client.clusters.launch(SALES, SILENT)


def delete(client: WorldClient) -> object:
    return client.clusters.delete("sales", SILENT)


def destroy(client: WorldClient) -> object:
    return client.clusters.delete("sales", SILENT, destroys_data=True)


def stop(client: WorldClient) -> object:
    return client.clusters.stop("sales", SILENT)


def start(client: WorldClient) -> object:
    return client.clusters.start("sales", SILENT)


def relaunch(client: WorldClient) -> object:
    return client.clusters.launch(AGAIN, SILENT, from_data="sales")


COMMANDS: Mapping[str, tuple[tuple[Command, ...], Command]] = {
    "launch": ((), launch),
    "stop": ((launch,), stop),
    "start": ((launch, stop), start),
    "delete": ((launch,), delete),
    "delete of what is stopped": ((launch, stop), delete),
    "destroy": ((launch,), destroy),
    "relaunch": ((launch, delete), relaunch),
}
"""By name: what was done before, and the command that is killed."""
LEAST = {
    "launch": 30,
    "stop": 10,
    "start": 10,
    "delete": 20,
    "delete of what is stopped": 12,
    "destroy": 28,
    "relaunch": 30,
}
"""Effects that each has at least, so that a test that interrupts nothing does not pass."""


def before(name: str) -> World:
    world = World()
    for command in COMMANDS[name][0]:
        command(world.client())
    return world


@pytest.mark.parametrize("how", ["before", "amid", "after"])
@pytest.mark.parametrize("name", COMMANDS)
def test_killed_at_every_effect_the_same_command_converges(name: str, how: How) -> None:
    command, untouched = COMMANDS[name][1], before(name)
    expected = undisturbed(untouched, command)
    for world, what in killed_everywhere(untouched, command, how, least=LEAST[name]):
        command(world.client())
        assert end_state(world) == expected, what
        assert orphans(world) == [], what


@pytest.mark.parametrize("how", ["before", "amid", "after"])
def test_a_launch_killed_at_every_effect_can_be_taken_back(how: How) -> None:
    for world, what in killed_everywhere(World(), launch, how, least=LEAST["launch"]):
        data_set = world.client().records.data_set("sales")
        is_ready = data_set is not None and data_set.value.state is DataSetState.READY
        try:
            delete(world.client())
        except NotFound:
            assert data_set is None, what
        assert orphans(world) == [], what
        assert world.engine.list({}) == (), what
        # Data is kept from the moment on that there can be some.
        assert len(world.volumes.live) == (4 if is_ready else 0), what


def test_killed_twice_it_converges_too() -> None:
    chance = random.Random(SEED)
    for name in COMMANDS:
        command, untouched = COMMANDS[name][1], before(name)
        expected = undisturbed(untouched, command)
        for _ in range(8):
            world = copied(untouched)
            places = [(chance.randint(1, LEAST[name]), chance.choice(("before", "amid", "after"))) for _ in range(2)]
            for at, how in places:
                killed(world, command, at, cast(How, how))
            command(world.client())
            what = f"{name} killed at {places} (HOWDAH_TEST_SEED={SEED})"
            assert end_state(world) == expected, what
            assert orphans(world) == [], what


@pytest.mark.parametrize("written", ["nothing", "half", "whole"])
@pytest.mark.parametrize("left", [None, Phase.CREATED, Phase.RUNNING, Phase.EXITED])
def test_what_an_interrupted_format_leaves_never_serves_and_heals(written: str, left: Phase | None) -> None:
    """The container of a format goes on without us: whatever it was doing then, and whatever it does afterwards."""
    expected = undisturbed(World(), launch)
    world = World()

    def dies(spec: InstanceSpec) -> ExecResult:
        write(world.volumes, spec, written)
        raise Killed

    whole, world.engine.on_run = world.engine.on_run, dies
    client = world.client()
    found: list[str] = []
    with pytest.raises(Killed):
        launch(client)
    client.die()
    world.engine.on_run = whole
    if left:
        container = f"sales-nn1-{ONE_OFF}"
        # As the engine had it: the fake has removed it, as run_once does where its process lives on.
        cluster = world.client().records.clusters()[0].uuid
        spec = replace(started(world, "nn1"), name=container, labels={LABEL_CLUSTER: cluster, LABEL_ROLE: ONE_OFF})
        world.engine.containers[container] = MemoryContainer(spec, left)
    world.engine.on_start = watching(world, found)
    launch(world.client())
    assert found == [], "started on a namespace that is not whole"
    assert end_state(world) == expected
    assert orphans(world) == []


def test_what_is_ready_is_never_formatted_again() -> None:
    world = before("relaunch")
    world.engine.on_run = lambda spec: pytest.fail(f"{spec.name} was run on data that is READY")
    relaunch(world.client())
    world.client().clusters.stop("again", SILENT)
    world.client().clusters.start("again", SILENT)
    assert orphans(world) == []


@pytest.mark.parametrize("how", ["before", "amid", "after"])
def test_a_registry_that_was_killed_while_it_was_made_is_made_to_the_end(how: How) -> None:
    for at in itertools.count(1):
        world = World()
        faults = Faults(at, "after" if how == "after" else "before")
        with suppress(Killed):
            registry(world, wrap(faults, how)).find_or_start(SILENT)
        if not faults.is_dead:
            assert at > 5, f"only {at - 1} effects were found to interrupt"
            return
        what = f"killed {how} effect {at}, {faults.effects[-1]}"
        assert registry(world).find_or_start(SILENT).is_initialised(), what
        assert [(one.name, one.phase) for one in world.engine.list({})] == [(REGISTRY, Phase.RUNNING)], what
        assert list(world.engine.network_specs) == [REGISTRY], what
        (volume,) = world.volumes.survey().volumes
        assert volume.identity is not None, what
        assert (volume.identity.role, volume.identity.state, volume.is_empty) == (REGISTRY, VolumeState.USED, False), (
            what
        )
        # And from here on it is only found.
        again = Faults()
        assert registry(world, again.wrap).find_or_start(SILENT).is_initialised()
        assert [effect for effect in again.effects if not effect.startswith("exec")] == [], what


def test_two_first_uses_at_once_make_one_registry() -> None:
    world = World()
    clients = [registry(world) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        for found in [pool.submit(client.find_or_start, SILENT) for client in clients]:
            assert found.result().is_initialised()
    assert len(world.volumes.survey().volumes) == 1


def test_a_registry_without_records_beside_data_is_lost_not_new() -> None:
    world = before("relaunch")
    assert_refused(world, "adopt")
    assert world.engine.list({}) == ()
    # It runs, and has nothing.
    world = World()
    registry(world).find_or_start(SILENT)
    data = before("relaunch")
    world.volumes.live |= data.volumes.live
    world.service.nodes.clear()
    assert_refused(world, "adopt")
    assert world.service.nodes == {}


def test_a_registry_that_was_emptied_or_is_not_running_is_not_taken_for_none() -> None:
    world = World()
    assert registry(world).find() is None
    registry(world).find_or_start(SILENT)
    world.engine.crash(REGISTRY)
    with pytest.raises(Transient, match="not running"):
        registry(world).find()
    world.engine.remove(REGISTRY)
    with pytest.raises(Transient, match="not running"):
        registry(world).find()
    for volume in world.volumes.live:
        world.volumes.wipe(volume)
    assert_refused(world, "wiped")


def assert_refused(world: World, word: str) -> None:
    with pytest.raises(Refused, match=word):
        registry(world).find()
    with pytest.raises(Refused, match=word):
        registry(world).find_or_start(SILENT)


def registry(world: World, around: Wrap = lambda port: port) -> Registry:
    """The embedded one of a World, for a howdah of its own."""

    def credentials(name: str, argv: tuple[str, ...], stdin: bytes) -> ExecResult:
        documents = [one.documents for one in world.volumes.live.values() if CREDENTIALS in one.documents]
        return ExecResult(0, documents[0][CREDENTIALS].encode(), b"")

    def makes(spec: InstanceSpec) -> ExecResult:
        # Its program does nothing where a server has been at work: it may be run again.
        world.volumes.live[volume_of(spec)].is_empty = False
        return ExecResult(0, b"", b"")

    world.engine.on_exec, world.engine.on_run = credentials, makes
    world.engine.on_start = lambda spec: 1 if world.volumes.live[volume_of(spec)].is_empty else None
    (ports,) = world.client(around).reconciler.outside.hosts.values()
    seen: set[str] = set()

    def connect(given: str) -> Coordinator:
        seen.add(given)
        assert len(seen) == 1, "the credentials have changed"
        return cast(Coordinator, around(MemoryCoordinator(world.service)))

    return Registry("local", ports, world.clock, connect)


# -- killing


def killed_everywhere(untouched: World, command: Command, how: How, least: int) -> Iterator[tuple[World, str]]:
    """A World for each of the command's effects, with the client dead there."""
    for at in itertools.count(1):
        world = copied(untouched)
        effects = killed(world, command, at, how)
        if effects is None:
            # Threads that write the same record try again, so the number of effects is not always the same.
            assert at > least, f"only {at - 1} effects were found to interrupt"
            return
        yield world, f"killed {how} effect {at}, {effects[at - 1]}"


def killed(world: World, command: Command, at: int, how: How) -> list[str] | None:
    """Run the command up to there. Returns its effects, or None where it has not that many."""
    faults = Faults(at, "after" if how == "after" else "before")
    client = world.client(wrap(faults, how))
    guard_formats(world)
    try:
        command(client)
    except Killed:
        pass
    except HowdahError:
        # A step that saw another one's end; its client is as dead.
        assert faults.is_dead
    client.die()
    return faults.effects if faults.is_dead else None


def wrap(faults: Faults, how: How) -> Wrap:
    def around(port: object) -> object:
        wrapped = faults.wrap(port)
        if isinstance(port, MemoryVolumes):
            return Piecewise(wrapped)
        if isinstance(port, MemoryEngine) and how == "amid":
            return HalfMaking(wrapped, port, faults)
        return wrapped

    return around


class Piecewise:
    """Volumes whose calls for many things can be interrupted between any two of them."""

    def __init__(self, volumes: Any) -> None:
        self._volumes = volumes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._volumes, name)

    def prepare(self, folders: Folders) -> bool:
        pieces = [Folders(made=(each,), documents=folders.documents) for each in folders.made]
        pieces += [Folders(stamped=(each,), documents=folders.documents) for each in folders.stamped]
        pieces += [Folders(scratch=(each,)) for each in folders.scratch]
        pieces += [Folders(bundles=(each,)) for each in folders.bundles]
        changes = [self._volumes.prepare(piece) for piece in pieces]
        return any(changes)


class HalfMaking:
    """An engine that was killed between the creation of a container and its start."""

    def __init__(self, engine: Any, real: MemoryEngine, faults: Faults) -> None:
        self._engine, self._real, self._faults = engine, real, faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def ensure_instance(self, spec: InstanceSpec) -> bool:
        was_dead = self._faults.is_dead
        try:
            return bool(self._engine.ensure_instance(spec))
        except Killed:
            if not was_dead and spec.name not in self._real.containers:
                self._real.leave_created(spec)
            raise


def guard_formats(world: World) -> None:
    """Nothing is ever formatted that is READY, or that holds anything."""
    run = world.engine.on_run

    def guarded(spec: InstanceSpec) -> ExecResult:
        states = [data_set.state for data_set in world.client().records.data_sets()]
        assert states == [DataSetState.FORMATTING], f"{spec.name} formats a data set that is {states}"
        assert world.volumes.live[volume_of(spec)].is_empty, f"{spec.name} formats a volume that is not empty"
        return run(spec)

    world.engine.on_run = guarded


def write(volumes: MemoryVolumes, spec: InstanceSpec, written: str) -> None:
    cluster_id = spec.command[spec.command.index("-clusterId") + 1]
    if written == "half":
        volumes.half_format(volume_of(spec), cluster_id, "BP-1")
    if written == "whole":
        volumes.format(volume_of(spec), cluster_id, "BP-1")


def watching(world: World, found: list[str]) -> Callable[[InstanceSpec], int | None]:
    """Notes a NameNode that is started on less than a whole namespace."""
    begin = world.engine.on_start

    def watched(spec: InstanceSpec) -> int | None:
        if spec.labels[LABEL_ROLE] == "namenode" and not world.volumes.live[volume_of(spec)].has_image:
            found.append(spec.name)
        return begin(spec)

    return watched


def started(world: World, instance: str) -> InstanceSpec:
    """The spec of an instance of a launch that went through."""
    whole = World()
    launch(whole.client())
    return whole.engine.containers[f"sales-{instance}"].spec


def volume_of(spec: InstanceSpec) -> str:
    return next(mount.source.split("/")[-2] for mount in spec.mounts if mount.target == "/volume/data")


# -- comparing


def copied(world: World) -> World:
    """Another World in the same state."""
    twin, volumes = World(), world.volumes
    for name in ("live", "tombstones"):
        folders = getattr(volumes, name)
        setattr(twin.volumes, name, {k: replace(v, documents=dict(v.documents)) for k, v in folders.items()})
    twin.volumes.scratch = set(volumes.scratch)
    twin.volumes.bundles = {key: MemoryBundle(dict(b.static), b.live) for key, b in volumes.bundles.items()}
    twin.service.nodes = dict(world.service.nodes)
    twin.engine.containers = {name: copy(one) for name, one in world.engine.containers.items()}
    twin.engine.network_specs = dict(world.engine.network_specs)
    twin.engine.known_images = dict(world.engine.known_images)
    twin.clock.seconds = world.clock.seconds
    return twin


def undisturbed(untouched: World, command: Command) -> dict[str, object]:
    world = copied(untouched)
    command(world.client())
    assert orphans(world) == []
    return end_state(world)


def end_state(world: World) -> dict[str, object]:
    """What is there, without what differs from one run to the next: uuids, times."""
    records, survey = world.client().records, world.volumes.survey()
    clusters = {cluster.uuid: cluster.name for cluster in records.clusters()}
    running = {container.name: container.started_at for container in world.engine.list({}) if is_up(container.phase)}
    return {
        "containers": {one.name: (one.phase, one.address) for one in world.engine.list({})},
        "networks": world.engine.network_specs.keys(),
        "volumes": sorted(
            (found.identity.data_set_name, found.identity.instance, found.identity.state, found.identity.incarnation)
            for found in survey.volumes
            if found.identity
        ),
        "images": sum(found.has_image for found in survey.volumes),
        "bundles": sorted((clusters.get(cluster, cluster), instance) for cluster, instance, _ in survey.bundles),
        "scratch": sorted((clusters.get(cluster, cluster), instance) for cluster, instance in survey.scratch),
        "clusters": [(c.name, c.phase, c.generation, c.network.subnet) for c in records.clusters()],
        "data sets": [(d.name, d.state, clusters.get(d.lease, d.lease), d.last_cluster) for d in records.data_sets()],
        "endpoints that hold": {
            (cluster.name, instance)
            for cluster in records.clusters()
            for instance, endpoint in records.endpoints(cluster.name).items()
            if running.get(f"{cluster.label}-{instance}") == endpoint.started_at
        },
        "last event": records.events("sales")[-1].text,
    }


def is_up(phase: Phase) -> bool:
    return phase is Phase.RUNNING


def orphans(world: World) -> list[str]:
    """Whatever has no owner, or is not what its owner would have."""
    records, survey, nodes = world.client().records, world.volumes.survey(), world.service.nodes
    clusters = {cluster.uuid: cluster for cluster in records.clusters()}
    claims = {claim.volume: (data_set, claim) for data_set in records.data_sets() for claim in data_set.claims}
    found = []
    for container in world.engine.list({}):
        owner = clusters.get(container.labels[LABEL_CLUSTER])
        if owner is None or container.labels[LABEL_ROLE] == ONE_OFF:
            found.append(f"container {container.name}")
    found += [f"network {n.name}" for n in world.engine.networks() if n.labels[LABEL_CLUSTER] not in clusters]
    found += [f"bundle {key}" for key in survey.bundles if key[0] not in clusters]
    found += [f"scratch {key}" for key in survey.scratch if key[0] not in clusters]
    for volume in survey.volumes:
        data_set, claim = claims.get(volume.volume, (None, None))
        if data_set is None or claim is None or volume.is_tombstone:
            found.append(f"volume {volume.path}")
        elif (
            volume.identity is None
            or volume.identity.data_set != data_set.uuid
            or volume.identity.instance != claim.instance
            or (volume.identity.state is VolumeState.USED and volume.is_empty)
        ):
            found.append(f"volume {volume.path} is not what {claim.instance} has claimed")
    there = {volume.volume for volume in survey.volumes}
    found += [f"claim without a volume: {claim}" for uuid, (_, claim) in claims.items() if uuid not in there]
    found += [f"lease of {d.name}" for d in records.data_sets() if d.lease and d.lease not in clusters]
    for cluster in clusters.values():
        data_set_of = records.data_set(cluster.data_set)
        if data_set_of is None or data_set_of.value.lease != cluster.uuid:
            found.append(f"cluster {cluster.name} without its data set")
        if cluster.phase not in (ClusterPhase.READY, ClusterPhase.STOPPED):
            found.append(f"cluster {cluster.name} is {cluster.phase}")
    names = {cluster.name for cluster in clusters.values()}
    for path in nodes:
        kind, _, rest = path.removeprefix("/howdah/").partition("/")
        owner_of = rest.partition("/")[0]
        if (kind == "instances" and owner_of and owner_of not in clusters) or (
            kind == "endpoints" and owner_of and owner_of not in names
        ):
            found.append(f"record {path}")
    found += [f"lock {path}" for path, contenders in world.service.contenders.items() if contenders]
    return found
