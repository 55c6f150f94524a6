import json

from howdah.cli.showing_plans import PARTS
from howdah.planning.actions import Action
from howdah.testing.rig import World
from tests.unit.cli.conftest import Howdah


def test_every_action_belongs_to_one_part() -> None:
    listed = [kind.__name__ for kinds in PARTS.values() for kind in kinds]
    assert sorted(listed) == sorted({kind.__name__ for kind in Action.__subclasses__()})


def test_a_plan_says_what_the_cluster_is_and_what_is_done_in_order_and_why(howdah: Howdah, world: World) -> None:
    shown = howdah.well("plan", "small", "--name", "demo", "-p", "workers=3")
    lines = shown.splitlines()
    assert lines[0].startswith("demo: 10 instances with ")
    assert any("datanode" in line and "dn1–dn3" in line and "576 MiB" in line for line in lines)
    order = ["images and network", "folders and configuration", "format", "start", "prove and record"]
    assert [line.strip() for line in lines if line.strip() in order] == order
    starts = next(line for line in lines if line.strip().startswith("start nn1"))
    assert starts.endswith("it is not there")
    assert "10.213.0.0/24" in shown
    assert world.engine.list({}) == ()
    assert not world.volumes.live


def test_a_plan_of_what_is_there_has_nothing_to_do(howdah: Howdah) -> None:
    howdah.well("launch", "small", "--name", "demo")
    assert howdah.well("plan", "small", "--name", "demo").splitlines()[-1].startswith("nothing to do")
    assert json.loads(howdah.well("plan", "small", "--name", "demo", "--json"))["steps"] == []


def test_a_plan_that_repairs_is_short(howdah: Howdah, world: World) -> None:
    howdah.well("launch", "small", "--name", "demo")
    world.engine.crash("demo-dn2")
    texts = [step["text"] for step in json.loads(howdah.well("plan", "small", "--name", "demo", "--json"))["steps"]]
    assert texts == ["start dn2 (768 MiB)", "ready dn2"]


def test_a_plan_in_json_can_be_followed(howdah: Howdah) -> None:
    found = json.loads(howdah.well("plan", "single", "--name", "demo", "--json"))
    keys = ("cluster", "phase", "hadoop", "spark", "network", "data_set", "memory", "images", "instances")
    assert sorted(found) == sorted((*keys, "is_partial", "steps", "definition"))
    known: set[str] = set()
    for step in found["steps"]:
        assert sorted(step) == sorted(("key", "part", "action", "text", "why", "host", "after"))
        assert known.issuperset(step["after"])
        assert step["why"]
        known.add(step["key"])
    assert found["memory"] == sum(instance["memory"] for instance in found["instances"])


def test_an_impossible_plan_ends_with_2(howdah: Howdah, world: World) -> None:
    world.engine.memory = type(world.engine.memory)(2**30)
    result = howdah("plan", "small", "--name", "demo")
    assert result.exit_code == 2
    assert "of memory" in result.stderr
