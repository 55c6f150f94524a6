"""howdah killed at a sample of its effects on a real engine: the same command then converges, and leaves no orphan."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.reconcile.progress import Silent
from howdah.testing.faults import Faults
from howdah.testing.rig import World, definition
from tests.integration.place import CHECKOUT, Place, said

pytestmark = pytest.mark.engine

SEED = int(os.environ.get("HOWDAH_TEST_SEED", "0")) or random.randrange(2**31)
ROUNDS = 3
"""Each has four kills: of a launch, a delete, a launch from data, a delete with its data."""
CONTENT = "written before the kill"


def effects() -> dict[str, int]:
    """How many effects each command has, from the engine in memory: on a real one there are some more."""
    world, silent = World(), Silent()
    counts: dict[str, int] = {}
    for name in ("launch", "delete", "relaunch", "destroy"):
        faults = Faults()
        clusters = world.client(faults.wrap).clusters
        match name:
            case "launch":
                clusters.launch(definition("single", "killed"), silent)
            case "delete":
                clusters.delete("killed", silent)
            case "relaunch":
                clusters.launch(definition("single", "killed"), silent, from_data="killed")
            case _:
                clusters.delete("killed", silent, destroys_data=True)
        counts[name] = len(faults.effects)
    return counts


COMMANDS = {
    "launch": ("launch", "single", "--name", "killed", "-p", "worker_memory=1280 MiB"),
    "delete": ("delete", "killed"),
    "relaunch": ("launch", "--from-data", "killed", "--name", "killed"),
    "destroy": ("delete", "killed", "--data", "destroy", "--yes", "--confirm", "killed"),
}


@pytest.fixture
def own(place: Place) -> Iterator[Place]:
    before = place.tree()
    place.done("list")
    yield place
    assert place.orphans() == []
    # A registry started by the first launch stays.
    assert [path for path in place.tree() if path not in before and not path.startswith("volumes/")] == []
    assert [name for name in place.containers() if name.startswith("killed-")] == []


def test_a_sample_of_kills(own: Place, tmp_path: Path) -> None:
    sweep(own, tmp_path, ROUNDS)


@pytest.mark.full(area="kills")
def test_a_large_sample_of_kills(own: Place, tmp_path: Path) -> None:
    sweep(own, tmp_path, 4 * ROUNDS)


def sweep(place: Place, tmp_path: Path, rounds: int) -> None:
    chance = random.Random(SEED)
    tell(f"HOWDAH_TEST_SEED={SEED}")
    counts, struck, began = effects(), 0, time.monotonic()
    for number in range(rounds):
        for name, command in COMMANDS.items():
            at, how = chance.randint(1, counts[name]), chance.choice(("before", "after"))
            since = time.monotonic()
            effect = killed(place, tmp_path / f"{number}-{name}", at, how, command)
            struck += effect is not None
            what = f"{name} killed {how} effect {at} ({effect}), HOWDAH_TEST_SEED={SEED}"
            ended = place.howdah(*command)
            assert ended.returncode == 0, f"{what}: {said(ended)}"
            assert place.orphans() == [], what
            check(place, name, what)
            tell(f"{time.monotonic() - since:6.1f} s  {what}")
    tell(f"{struck} kills in {time.monotonic() - began:.0f} s")
    assert struck >= rounds * len(COMMANDS) - 2


def tell(line: str) -> None:
    """pytest shows it with a failure, and of every test with -rP."""
    sys.stdout.write(f"{line}\n")


def killed(place: Place, file: Path, at: int, how: str, command: tuple[str, ...]) -> str | None:
    """Run it up to there. Returns the effect, None where there were not so many."""
    ended = subprocess.run(
        (sys.executable, "-m", "tests.integration.killing", str(at), how, str(file), *command),
        env={**place.environment, "PYTHONPATH": f"{CHECKOUT / 'platform'}:{CHECKOUT}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if ended.returncode == 0:
        return None
    assert ended.returncode == -signal.SIGKILL, said(ended)
    return file.read_text().splitlines()[at - 1]


def check(place: Place, name: str, what: str) -> None:
    """What must be there after the command went through."""
    match name:
        case "launch" | "relaunch":
            place.await_health("killed")
            if name == "launch":
                script = f"echo '{CONTENT}' | hdfs dfs -put - /before"
                place.docker("exec", "killed-gw1", "sh", "-c", script)
            else:
                assert place.docker("exec", "killed-gw1", "hdfs", "dfs", "-cat", "/before").strip() == CONTENT, what
        case "delete":
            kept = [each for each in place.json("list")["data_sets"] if each["name"] == "killed"]
            assert [each["is_in_use"] for each in kept] == [False], what
        case _:
            assert "killed" not in [each["name"] for each in place.json("list")["data_sets"]], what
