"""doctor and image."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from howdah import doctor
from howdah.coordination.records import Records
from howdah.doctor import CHECKS, Bench, Finding, Verdict, examine
from howdah.errors import NotFound, Refused
from howdah.imaging.checking import Change, Difference
from howdah.imaging.listing import ListedImage, Standing
from howdah.planning.network import POOL
from howdah.planning.observed import LABEL_ROLE
from howdah.planning.registry import REGISTRY
from howdah.ports.engine import Capacity, ExecResult, InstanceSpec, NetworkSpec
from howdah.testing.rig import World
from howdah.units import Bytes
from tests.unit.cli.conftest import Howdah, WorldClient, WorldInstallation

GIB = 2**30


@dataclass
class Machine:
    """A machine that is all right; a test changes what its one container sees."""

    world: World
    seen: dict[str, object] = field(default_factory=dict)
    capacity: Callable[[Capacity], Capacity] = lambda capacity: capacity
    specs: list[InstanceSpec] = field(default_factory=list)

    def bench(self, records: Callable[[], Records | None] = lambda: None) -> Bench:
        host = self.world.client().reconciler.outside.hosts["local"]
        self.world.engine.on_run = self._run
        bench = Bench(host.engine, "memory:", host.volumes, host.images, self.world.clock, records)
        bench.__dict__["capacity"] = self.capacity(host.engine.capacity())
        return bench

    def examine(self, records: Callable[[], Records | None] = lambda: None) -> dict[str, Finding]:
        return {finding.check: finding for finding in examine(self.bench(records), lambda check: None)}

    def _run(self, spec: InstanceSpec) -> ExecResult:
        self.specs.append(spec)
        sees = {
            "time": self.world.clock.now().timestamp(),
            "forward": "10.213.0.129",
            "name": "howdah-doctor.net",
            "back": "10.213.0.129",
            "available": 8 * GIB,
            "memory": str(int(spec.memory)),
            "pids": str(spec.pids),
            "cpus": "50000 100000",
        } | self.seen
        return ExecResult(0, json.dumps(sees).encode(), b"")


@pytest.fixture
def machine(world: World) -> Machine:
    for reference in ("howdah/hadoop:test", "howdah/spark:test"):
        world.engine.add_image(reference)
    return Machine(world)


def test_a_machine_that_is_all_right_passes(machine: Machine) -> None:
    found = machine.examine()
    assert list(found) == list(CHECKS)
    bad = [finding for finding in found.values() if finding.verdict not in (Verdict.GOOD, Verdict.NOTE)]
    assert not bad
    assert "memory:" in found["engine"].text


@pytest.mark.parametrize(
    ("seen", "check", "said"),
    [
        ({"forward": "failed: [Errno -3]"}, "names", "alias"),
        ({"name": "failed: host not found"}, "names", "has no name"),
        ({"back": "10.0.0.1"}, "names", "10.0.0.1"),
        ({"available": 3 * GIB}, "memory", "3 GiB of 64 GiB free"),
        ({"memory": "max"}, "limits", "memory"),
        ({"pids": ""}, "limits", "pids"),
        ({"cpus": "max 100000"}, "limits", "CPU"),
        ({"cpus": "-1"}, "limits", "CPU"),
        ({"time": 0.0}, "clock", "behind"),
        ({"time": 4e9}, "clock", "ahead of"),
        ({"time": "noon"}, "limits", "no answer"),
    ],
)
def test_what_a_container_sees_is_judged(machine: Machine, seen: dict[str, object], check: str, said: str) -> None:
    machine.seen = seen
    finding = machine.examine()[check]
    assert finding.verdict is Verdict.BAD
    assert said in finding.text


def test_every_failed_check_says_the_fix(machine: Machine) -> None:
    machine.world.volumes.free = Bytes(GIB)
    machine.seen = {"forward": "failed", "available": 1, "pids": "max", "time": 0.0}
    machine.capacity = lambda capacity: replace(capacity, api_version="1.40")
    fixes = {finding.check: finding.fix for finding in machine.examine().values() if finding.verdict is Verdict.BAD}
    assert sorted(fixes) == ["clock", "disk", "limits", "memory", "names", "version"]
    assert all(fixes.values())


def test_versions_are_compared_as_numbers(machine: Machine) -> None:
    machine.capacity = lambda capacity: replace(capacity, api_version="1.100")
    assert machine.examine()["version"].verdict is Verdict.GOOD


def test_limits_larger_than_the_machine_are_noted(machine: Machine) -> None:
    machine.capacity = lambda capacity: replace(capacity, memory=Bytes(8 * GIB))
    finding = machine.examine()["memory"]
    assert finding.verdict is Verdict.NOTE
    assert "single" in finding.fix


def test_an_engine_that_does_not_answer_fails_one_check_and_leaves_the_rest_unknown(machine: Machine) -> None:
    bench = machine.bench()
    del bench.__dict__["capacity"]
    machine.world.engine.is_down = True
    found = {finding.check: finding for finding in examine(bench, lambda check: None)}
    assert found.pop("engine").verdict is Verdict.BAD
    assert {finding.verdict for finding in found.values()} == {Verdict.UNKNOWN}


def test_without_the_base_image_nothing_is_run(machine: Machine) -> None:
    del machine.world.engine.known_images["howdah/base:test"]
    found = machine.examine()
    assert not machine.specs
    for check in ("disk", "limits", "memory", "names", "clock"):
        assert found[check].verdict is Verdict.UNKNOWN
        assert "base" in found[check].fix
    assert found["images"].verdict is Verdict.NOTE
    assert "base" in found["images"].text


def test_the_checks_look_from_one_container_and_leave_nothing(machine: Machine) -> None:
    machine.examine()
    (spec,) = machine.specs
    assert spec.aliases[0] == spec.command[-1]
    assert spec.hostname != spec.aliases[0], "its own name would be found in /etc/hosts"
    assert machine.world.engine.networks() == ()


def test_what_a_killed_look_left_is_taken_away(machine: Machine) -> None:
    labels = {LABEL_ROLE: doctor.ROLE}
    machine.world.engine.ensure_network(NetworkSpec("left", "10.213.0.0/24", "10.213.0.1", "10.213.0.128/25", labels))
    machine.examine()
    assert machine.world.engine.networks() == ()


def test_no_free_network_is_told(machine: Machine) -> None:
    spec = NetworkSpec("everything", str(POOL), str(POOL[1]), str(POOL), {})
    machine.world.engine.ensure_network(spec)
    finding = machine.examine()["subnets"]
    assert finding.verdict is Verdict.BAD
    assert finding.text.startswith("0 of 256")


def test_a_lost_registry_is_told_with_the_way_back(machine: Machine) -> None:
    def lost() -> Records | None:
        raise Refused("the registry was lost", fix="howdah adopt")

    finding = machine.examine(lost)["registry"]
    assert (finding.verdict, finding.fix) == (Verdict.BAD, "howdah adopt")


def test_a_registry_that_answers_is_counted(machine: Machine) -> None:
    records = machine.world.client().records
    records.initialise()
    assert "clusters on record: 0" in machine.examine(lambda: records)["registry"].text


def test_the_program_ends_with_1_where_a_check_fails(howdah: Howdah, machine: Machine) -> None:
    machine.bench()
    good = howdah("doctor")
    assert good.exit_code == 0, good.output
    assert good.stdout.startswith("ok      engine")
    machine.seen = {"available": 0}
    bad = howdah("doctor")
    assert bad.exit_code == 1
    assert "FAILED  memory" in bad.stdout
    assert "fix: " in bad.stdout
    found = json.loads(howdah("doctor", "--json").stdout)
    assert found["is_all_right"] is False
    assert [sorted(check) for check in found["checks"]] == [["check", "fix", "text", "verdict"]] * len(CHECKS)


# ------------------------------------------------------------------------------------------- images


class ImagesClient(WorldClient):
    """Images that a test decides on."""

    def images(self) -> tuple[ListedImage, ...]:
        age = timedelta(days=2, hours=3, minutes=4, seconds=5)
        used = ListedImage("base", "howdah/base:1", Bytes(2**20), age, True, Standing.CURRENT)
        return (used, replace(used, kind="spark", age=None, is_in_use=False, standing=Standing.OUTDATED))

    def build_image(self, kind: str, lines: Callable[[str], None]) -> bool:
        lines(f"[   1 s] {kind}: put together")
        return kind != "base"

    def verify_image(self, kind: str) -> tuple[Difference, ...]:
        if kind == "hadoop":
            return (Difference("/opt/x.jar", Change.CHANGED),)
        if kind == "spark":
            raise NotFound("image spark is not here", fix="howdah image build spark")
        return ()


@pytest.fixture
def images(howdah: Howdah) -> Howdah:
    howdah.make_client = lambda progress: ImagesClient(WorldInstallation(howdah.world), progress)
    return howdah


def test_images_are_listed_with_what_they_are_good_for(images: Howdah) -> None:
    lines = images.well("image", "list").splitlines()
    assert lines[1].split() == ["base", "howdah/base:1", "1", "MiB", "2d3h", "ago", "yes", "current"]
    found = json.loads(images.well("image", "list", "--json"))
    assert [sorted(image) for image in found] == [["age", "image", "is_in_use", "reference", "size", "standing"]] * 2
    assert [image["age"] for image in found] == [183845, None]


def test_a_build_tells_how_far_it_got_and_what_is_there(images: Howdah) -> None:
    result = images("image", "build")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "image base is there already"
    assert "image spark is ready in" in result.stdout
    assert "spark: put together" in result.stderr
    assert images.well("image", "build", "base") == "image base is there already\n"


def test_an_image_that_differs_ends_with_1(images: Howdah) -> None:
    assert images.well("image", "verify", "base") == "image base is as it was built\n"
    result = images("image", "verify", "base", "hadoop")
    assert result.exit_code == 1
    assert "/opt/x.jar is changed" in result.stdout
    assert images("image", "verify").exit_code == 2


def test_the_registry_s_name_is_not_a_doctor_s() -> None:
    assert doctor.ROLE != REGISTRY
