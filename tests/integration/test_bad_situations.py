"""Machines on which a launch cannot go well: a line with the cause and the fix, and nothing half made."""

import http.server
import json
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from howdah.planning.network import POOL
from howdah.planning.registry import REGISTRY
from howdah.testing.hosts import EngineHost
from tests.integration.place import Place, command_line, refused

SINGLE = ("launch", "single", "--name", "bad", "-p", "worker_memory=1280 MiB")


class OldEngine(http.server.BaseHTTPRequestHandler):
    """Docker 18.03, as far as anybody gets with it."""

    def do_GET(self) -> None:
        body = json.dumps({"Version": "18.03.1-ce", "ApiVersion": "1.37", "MinAPIVersion": "1.12"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "client"

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing."""


@pytest.fixture
def old_engine(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "old.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), OldEngine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()


def test_an_engine_that_is_too_old_is_told_what_is_needed(old_engine: str, tmp_path: Path) -> None:
    refused(Place(old_engine, "/var/lib/howdah-none", tmp_path).howdah(*SINGLE), 2, "18.03.1-ce", "1.41", "20.10")


def test_an_engine_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    place = Place(f"unix://{tmp_path}/none.sock", "/var/lib/howdah-none", tmp_path)
    for command in (SINGLE, ("list",), ("status", "bad"), ("delete", "bad")):
        ended = place.howdah(*command)
        refused(ended, 1, "none.sock", "does not answer", "DOCKER_HOST")
        assert len(ended.stderr.strip().splitlines()) == 2, ended.stderr


@pytest.mark.engine
def test_too_little_memory_is_said_with_the_numbers(place: Place) -> None:
    before = place.tree()
    refused(
        place.howdah("launch", "single", "--name", "bad", "-p", "worker_memory=1 TiB"), 2, "of memory", "local", "lower"
    )
    assert not [name for name in place.containers() if name.startswith("bad-")]
    assert [path for path in place.tree() if path not in before and not path.startswith("volumes/")] == []
    assert place.orphans() == []


@pytest.mark.engine
def test_a_network_made_by_hand_is_gone_around(place: Place) -> None:
    """Subnets that others have are not chosen, wherever they are in the pool."""
    taken = {subnet for one in networks(place) for subnet in one}
    by_hand = next(str(subnet) for subnet in POOL.subnets(new_prefix=24) if str(subnet) not in taken)
    place.docker("network", "create", "--subnet", by_hand, "by-hand")
    try:
        planned = place.done("plan", "single", "--name", "around")
        assert by_hand not in planned
        assert "10.213." in planned
    finally:
        place.docker("network", "rm", "by-hand")


@pytest.mark.engine
@pytest.mark.hosts
def test_no_free_subnet_names_who_has_them(far: Place) -> None:
    far.docker("network", "create", "--subnet", str(POOL), "wide")
    try:
        refused(far.howdah(*SINGLE), 2, str(POOL), "network")
        assert far.containers() == []
        assert far.networks() == []
    finally:
        far.docker("network", "rm", "wide")


@pytest.mark.engine
@pytest.mark.hosts
def test_a_disk_that_is_nearly_full_is_refused_before_anything_is_made(far: Place, far_host: EngineHost) -> None:
    far_host.run("mkdir", "-p", far.root)
    far_host.run("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", far.root)
    try:
        refused(far.howdah(*SINGLE), 2, far.root, "free", "5 GiB")
        assert far.containers() == [REGISTRY]
        assert [path for path in far.tree() if not path.startswith("volumes/")] == []
    finally:
        far.docker("rm", "--force", REGISTRY)
        far_host.run("umount", "--lazy", far.root)


@pytest.mark.engine
def test_of_two_launches_of_one_name_one_wins_and_the_other_says_who(place: Place) -> None:
    command = ("launch", "single", "--name", "twice", "-p", "worker_memory=1280 MiB")
    place.done("list")
    running = [
        subprocess.Popen(
            command_line(*command),
            env=place.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        for _ in range(2)
    ]
    ended = {one: one.communicate(timeout=300) for one in running}
    assert sorted(one.returncode for one in running) == [0, 1], ended
    winner, loser = sorted(running, key=lambda one: one.returncode)
    assert f"process {winner.pid}" in ended[loser][1], ended[loser]
    assert "launch" in ended[loser][1]
    assert "Traceback" not in ended[loser][1]
    place.await_health("twice")
    place.done("delete", "twice", "--data", "destroy", "--yes", "--confirm", "twice")
    assert place.orphans() == []


def networks(place: Place) -> list[tuple[str, ...]]:
    with place.client() as client:
        return [network.subnets for network in client.installation.engine.networks()]
