"""Every Coordinator keeps the contract; and what only a real connection can do."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from howdah.coordination import paths
from howdah.coordination.holder import this_process
from howdah.coordination.memory import MemoryCoordinator, MemoryService
from howdah.coordination.zookeeper import Credentials, ZooKeeperCoordinator
from howdah.errors import Conflict, Transient, UserError
from howdah.ports.coordinator import Coordinator, Delete, Holder, Put, Session
from howdah.testing.concurrency import meanwhile, wait_until
from howdah.testing.coordinator_contract import CoordinatorContract, Rig, never_waits
from howdah.testing.zookeeper import CREATE, Loss, Relay, ZooKeeperServer, running_zookeeper

CREDENTIALS = Credentials("howdah", "correct horse")
SESSION_TIMEOUT = 2.0


def killed_after_its_first_line(script: str, *arguments: str) -> str:
    """Run Python until it says something, then SIGKILL; what it said."""
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        line = child.stdout.readline().strip()
        child.send_signal(signal.SIGKILL)
    assert line, "the process ended without a word"
    return line


class MemoryRig:
    def __init__(self) -> None:
        self.service = MemoryService()
        self.clients: list[MemoryCoordinator] = []

    def client(self) -> MemoryCoordinator:
        self.clients.append(MemoryCoordinator(self.service))
        return self.clients[-1]

    def cut(self, client: Coordinator) -> None:
        assert isinstance(client, MemoryCoordinator)
        self.service.suspend(client)
        self.service.resume(client)

    def silence(self) -> None:
        for client in self.clients:
            self.service.suspend(client)

    def outlast_sessions(self) -> None:
        for client in self.clients:
            self.service.lose(client)

    def answer(self) -> None:
        for client in self.clients:
            self.service.resume(client)

    def lock_of_a_killed_process(self, path: str) -> Holder:
        script = "from howdah.coordination.holder import process_identity; print(process_identity(), flush=True)"
        process = killed_after_its_first_line(script + "; input()")
        holder = Holder("gone", "launch", "2026-01-01T00:00:00+00:00", process)
        self.client().lock(path, holder, 0, lambda _: None)
        return holder


class TestMemoryCoordinator(CoordinatorContract):
    @pytest.fixture
    def rig(self) -> Rig:
        return MemoryRig()


LOCK_AND_HANG = """
import sys
from howdah.coordination.holder import this_process
from howdah.coordination.zookeeper import Credentials, ZooKeeperCoordinator
hosts, user, password, path = sys.argv[1:]
coordinator = ZooKeeperCoordinator(hosts, Credentials(user, password), session_timeout=10)
holder = this_process("launch")
fence = coordinator.lock(path, holder, 0, print)
print(holder.who, holder.what, holder.since, holder.process, sep="|", flush=True)
input()
"""


class ZooKeeperRig:
    """Each client has a relay of its own before the server."""

    def __init__(self, server: ZooKeeperServer) -> None:
        self.server = server
        self.relays: dict[ZooKeeperCoordinator, Relay] = {}

    def client(self, within: float = 10) -> ZooKeeperCoordinator:
        relay = Relay(self.server.address)
        client = ZooKeeperCoordinator(relay.hosts, CREDENTIALS, SESSION_TIMEOUT, within)
        self.relays[client] = relay
        return client

    def relay(self, client: Coordinator) -> Relay:
        assert isinstance(client, ZooKeeperCoordinator)
        return self.relays[client]

    def cut(self, client: Coordinator) -> None:
        self.relay(client).cut()

    def silence(self) -> None:
        self.server.pause()

    def outlast_sessions(self) -> None:
        pass  # who calls it waits for the client to know

    def answer(self) -> None:
        self.server.unpause()

    def lock_of_a_killed_process(self, path: str) -> Holder:
        arguments = (self.server.hosts, CREDENTIALS.user, CREDENTIALS.password, path)
        return Holder(*killed_after_its_first_line(LOCK_AND_HANG, *arguments).split("|"))

    def close(self) -> None:
        self.server.unpause()
        for client, relay in self.relays.items():
            client.close()
            relay.close()


@pytest.fixture(scope="module")
def server(hadoop_image: str) -> Iterator[ZooKeeperServer]:
    with running_zookeeper(hadoop_image) as server:
        yield server


@pytest.mark.engine
class TestZooKeeperCoordinator(CoordinatorContract):
    @pytest.fixture
    def rig(self, server: ZooKeeperServer) -> Iterator[ZooKeeperRig]:
        rig = ZooKeeperRig(server)
        yield rig
        rig.close()

    @pytest.mark.parametrize("is_sent", [True, False], ids=["answer lost", "request lost"])
    def test_a_commit_whose_connection_is_lost_is_done_once(self, rig: ZooKeeperRig, name: str, is_sent: bool) -> None:
        one, path, second = rig.client(), paths.cluster(name), paths.data_set(name)
        one.commit(Put(second, {"n": 0}, None))
        for change in (Put(path, {"n": 1}, None), Put(path, {"n": 2}, 0), Delete(path, 1)):
            rig.relay(one).lose(Loss(is_sent))
            before = one.read(second)
            assert before
            one.commit(change, Put(second, {"n": 0}, before.version))
            after = one.read(second)
            assert after
            assert after.version == before.version + 1

    def test_a_lone_delete_whose_connection_is_lost_is_done(self, rig: ZooKeeperRig, name: str) -> None:
        one, path = rig.client(), paths.cluster(name)
        one.commit(Put(path, {}, None))
        rig.relay(one).lose(Loss(is_sent=True))
        one.commit(Delete(path, 0))
        assert one.read(path) is None

    def test_the_same_content_written_by_another_is_not_taken_for_ours(self, rig: ZooKeeperRig, name: str) -> None:
        one, other, put = rig.client(), rig.client(), Put(paths.cluster(name), {"incarnation": 4}, None)
        rig.relay(one).lose(Loss(is_sent=False, meanwhile=lambda: other.commit(put)))
        with pytest.raises(Conflict, match=put.path):
            one.commit(put)

    @pytest.mark.parametrize("is_sent", [True, False], ids=["answer lost", "request lost"])
    def test_a_lock_whose_connection_is_lost_is_asked_for_once(
        self, rig: ZooKeeperRig, name: str, is_sent: bool
    ) -> None:
        one, other, path = rig.client(), rig.client(), paths.lock(name)
        first = other.lock(path, this_process("launch"), 0, lambda _: None)
        rig.relay(one).lose(Loss(is_sent, CREATE))
        told: list[Holder] = []

        def take_and_give_back() -> None:
            one.lock(path, this_process("delete"), 30, told.append).release()

        with meanwhile(take_and_give_back):
            wait_until(lambda: [holder.what for holder in told] == ["launch"], "waiting for the first")
            first.release()
        other.lock(path, this_process("scale"), 0, never_waits).check()

    def test_locks_are_had_over_a_connection_that_keeps_breaking(self, rig: ZooKeeperRig, name: str) -> None:
        one, other, is_over = rig.client(), rig.client(), threading.Event()

        def cut_again_and_again() -> None:
            while not is_over.wait(0.05):
                rig.cut(one)

        with meanwhile(cut_again_and_again, is_over):
            for _ in range(10):
                one.lock(paths.lock(name), this_process("launch"), 30, lambda _: None).release()
        other.lock(paths.lock(name), this_process("delete"), 30, lambda _: None).check()

    def test_no_commit_is_done_twice_while_the_server_is_killed(
        self, rig: ZooKeeperRig, server: ZooKeeperServer, name: str
    ) -> None:
        one, path = rig.client(within=60), paths.cluster(name)
        one.commit(Put(path, {"n": 0}, None))
        is_over = threading.Event()
        done = 0

        def write() -> None:
            # Alone on this record, so that a conflict can only be with itself.
            nonlocal done
            while not is_over.is_set():
                one.commit(Put(path, {"n": done + 1}, done))
                done += 1

        def has_done(goal: int) -> bool:
            return done >= goal

        with meanwhile(write, is_over):
            for _ in range(3):
                goal = done + 20
                wait_until(partial(has_done, goal), "writing")
                server.kill()
                server.start()
            goal = done + 20
            wait_until(partial(has_done, goal), "writing again")
        found = one.read(path)
        assert found
        assert (found.value["n"], found.version) == (done, done)

    def test_nobody_without_the_credentials_sees_anything(
        self, rig: ZooKeeperRig, server: ZooKeeperServer, name: str
    ) -> None:
        rig.client().commit(Put(paths.instance(name, "dn1"), {}, None))
        stranger = ZooKeeperCoordinator(server.hosts, Credentials("howdah", "wrong"), SESSION_TIMEOUT)
        try:
            for call in (
                lambda: stranger.read(paths.instance(name, "dn1")),
                lambda: stranger.children(paths.instances(name)),
                lambda: stranger.commit(Put(paths.instance(name, "dn2"), {}, None)),
                lambda: stranger.commit(Put(paths.instance(name, "dn1"), {}, 0)),
                lambda: stranger.lock(paths.lock(name), this_process("pry"), 0, lambda _: None),
            ):
                with pytest.raises(UserError, match="credentials") as raised:
                    call()
                assert "wrong" not in str(raised.value)
        finally:
            stranger.close()

    def test_the_way_there_is_a_parameter(self, server: ZooKeeperServer, name: str) -> None:
        asked: list[tuple[str, int]] = []

        def dial(host: str, port: int) -> socket.socket:
            asked.append((host, port))
            return socket.create_connection(server.address, 5)

        coordinator = ZooKeeperCoordinator("registry.nowhere.howdah:2181", CREDENTIALS, SESSION_TIMEOUT, dial=dial)
        try:
            assert coordinator.read(paths.cluster(name)) is None
            assert set(asked) == {("registry.nowhere.howdah", 2181)}
        finally:
            coordinator.close()


def test_where_nothing_answers_the_error_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with pytest.raises(Transient, match=f"127.0.0.1:{port}"):
        ZooKeeperCoordinator(f"127.0.0.1:{port}", CREDENTIALS, SESSION_TIMEOUT, within=1)


def test_a_closed_coordinator_answers_at_once() -> None:
    coordinator = MemoryCoordinator()
    coordinator.close()
    assert coordinator.session() is Session.LOST
    with pytest.raises(Transient):
        coordinator.read(paths.ROOT)


@pytest.mark.parametrize("hosts", ["", "zk1", "zk1:", ":2181", "zk1:2181,", "zk1:2181/howdah", "zk1:x"])
def test_what_is_no_address_is_the_users_error(hosts: str) -> None:
    with pytest.raises(UserError, match="ZooKeeper"):
        ZooKeeperCoordinator(hosts, CREDENTIALS)
