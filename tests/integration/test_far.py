"""An engine of which only the socket can be reached: everything goes through its API. And what happens to engines."""

import hashlib
import secrets
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from howdah.planning.registry import REGISTRY
from howdah.testing.hosts import EngineHost, wait_for
from tests.integration.place import Place, command_line, refused, said

pytestmark = [pytest.mark.engine, pytest.mark.hosts]

LAUNCH = ("launch", "single", "--name", "far", "-p", "worker_memory=1280 MiB")
AGAIN = ("launch", "--from-data", "far", "--name", "far")


@pytest.fixture(scope="module")
def up(far_host: EngineHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A place on the far engine. Each test here ends with the cluster ``far`` ready on it."""
    place = Place(
        far_host.engine, str(far_host.folder / f"root-{secrets.token_hex(4)}"), tmp_path_factory.mktemp("home")
    )
    try:
        yield place
    finally:
        far_host.start_engine()
        place.clean()


@pytest.fixture
def ready(up: Place) -> Place:
    """With the cluster, whatever the test before has left."""
    ended = up.howdah(*LAUNCH)
    if ended.returncode == 2:  # its data is there without it
        up.done(*AGAIN)
    else:
        assert ended.returncode == 0, said(ended)
    return up


def test_the_engine_dies_in_the_middle_of_a_launch_and_the_same_command_goes_on(
    up: Place, far_host: EngineHost
) -> None:
    running = begun(up, *LAUNCH)
    wait_for(lambda: "far-nn1" in up.containers() or running.poll() is not None, "the NameNode's container", 120)
    far_host.kill_engine()
    try:
        ended = finished(running)
        refused(ended, 1, up.engine, "does not answer")
        assert len(ended.stderr.strip().splitlines()[-2:]) == 2
    finally:
        far_host.start_engine()
    up.done(*LAUNCH)
    up.await_health("far")
    assert up.orphans() == []


def test_files_go_to_and_from_a_cluster_that_cannot_be_reached(ready: Place, tmp_path: Path) -> None:
    with ready.client() as client:
        assert not client.installation.engine.has_route("far-nn1")
    content = secrets.token_bytes(3 * 2**20 + 1)
    (tmp_path / "up").write_bytes(content)
    ready.done("hdfs", "far", "put", str(tmp_path / "up"), "/there")
    assert "/there" in ready.done("hdfs", "far", "ls", "/")
    ready.done("hdfs", "far", "get", "/there", str(tmp_path / "down"))
    assert hashlib.sha256((tmp_path / "down").read_bytes()).digest() == hashlib.sha256(content).digest()
    ready.await_health("far")


def test_a_registry_that_hangs_in_the_middle_ends_a_command_and_the_same_one_goes_on(ready: Place) -> None:
    interrupted(ready, ("delete", "far"), lambda: "far-gw1" not in ready.containers())
    # What is needed by others goes last; without the registry nobody may go on.
    assert "far-nn1" in ready.containers()
    ready.done("delete", "far")
    interrupted(ready, AGAIN, lambda: "far-nn1" in ready.containers())
    assert "far-dn1" not in ready.containers()
    ready.done(*AGAIN)
    ready.await_health("far")
    assert ready.orphans() == []


def interrupted(place: Place, command: tuple[str, ...], comes: Callable[[], bool]) -> None:
    """Freeze the registry when that has come in the middle of the command, until it gives up."""
    running = begun(place, *command)
    wait_for(lambda: comes() or running.poll() is not None, f"the middle of howdah {' '.join(command)}", 120)
    place.docker("pause", REGISTRY)
    try:
        refused(finished(running), 1, "registry")
    finally:
        place.docker("unpause", REGISTRY)


def test_a_registry_that_was_wiped_is_lost_not_new_and_is_adopted(ready: Place) -> None:
    before = ready.json("list")["data_sets"][0]
    ready.docker("stop", REGISTRY)
    wipe = 'for v in "$ROOT"/volumes/*; do if grep -q howdah-registry "$v/identity/volume.json"; then '
    ready.as_root(wipe + 'rm -rf "$v/data" && mkdir -m 700 "$v/data" && chown 10001:10001 "$v/data"; fi; done')
    tree = ready.tree()
    for command in (("list",), ("status", "far"), LAUNCH, ("delete", "far")):
        refused(ready.howdah(*command), 3, "howdah adopt")
    assert ready.tree() == tree
    ready.done("adopt")
    ready.done("start", "far")
    ready.await_health("far")
    after = ready.json("list")["data_sets"][0]
    assert (after["name"], after["uuid"], after["is_in_use"]) == (before["name"], before["uuid"], True)
    assert {each["volume"] for each in after["volumes"]} == {each["volume"] for each in before["volumes"]}


def begun(place: Place, *command: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command_line(*command),
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )


def finished(running: "subprocess.Popen[str]") -> "subprocess.CompletedProcess[str]":
    try:
        stdout, stderr = running.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        running.kill()
        pytest.fail(f"it went on as if nothing had happened: {running.communicate()}")
    return subprocess.CompletedProcess(running.args, running.returncode, stdout, stderr)
