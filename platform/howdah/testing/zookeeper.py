"""A real ZooKeeper for tests, in a container of the Hadoop image, and a relay that loses what a test wants lost."""

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from howdah.errors import Failed

PORT = 2181
CREATE, TRANSACTION = 1, 14
"""Types of ZooKeeper's requests."""

# Killed, it comes back on the same address, which a container that is stopped and started may lose.
_LOOP = """
while :; do
    while [ -e /tmp/stay-down ]; do sleep 0.05; done
    java @/opt/howdah/jvm/hadoop.args -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \\
        -Dzookeeper.admin.enableServer=false -Dzookeeper.forceSync=no \\
        org.apache.zookeeper.server.quorum.QuorumPeerMain {port} /tmp/zookeeper {tick} 0 &
    echo $! > /tmp/pid
    wait
done
"""


class ZooKeeperServer:
    """One standalone server. ``hosts`` is what a client is given."""

    def __init__(self, container: str, engine: str | None) -> None:
        self._container = container
        self._engine = engine
        address = self._docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container).strip()
        self.address = (address, PORT)
        self.hosts = f"{address}:{PORT}"

    def pause(self) -> None:
        """Freeze it: connections stay, nothing answers."""
        self._docker("pause", self._container)

    def unpause(self) -> None:
        """Let it go on; nothing where it runs."""
        if self._docker("inspect", "--format", "{{.State.Paused}}", self._container).strip() == "true":
            self._docker("unpause", self._container)

    def kill(self) -> None:
        """End its process without warning. It stays down until ``start``."""
        self._docker("exec", self._container, "sh", "-c", "touch /tmp/stay-down && kill -9 $(cat /tmp/pid)")

    def start(self) -> None:
        """Bring it back with what it had on disk, and wait until it serves."""
        self._docker("exec", self._container, "rm", "-f", "/tmp/stay-down")
        self.wait_until_serving()

    def wait_until_serving(self, within: float = 60) -> None:
        """Raises Failed with the log's end when the time is up."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(self.address, 1) as connection:
                connection.sendall(b"srvr")
                if connection.recv(4096).startswith(b"Zookeeper version"):
                    return
            time.sleep(0.05)
        tail = self._docker("logs", "--tail", "20", self._container)
        raise Failed(f"ZooKeeper at {self.hosts} did not serve within {within:g} s:\n{tail}")

    def _docker(self, *arguments: str) -> str:
        return _docker(self._engine, *arguments)


@contextlib.contextmanager
def running_zookeeper(image: str, engine: str | None = None, tick: int = 500) -> Iterator[ZooKeeperServer]:
    """Start a server that allows sessions from two ticks (of so many milliseconds) to twenty; remove it afterwards.

    ``engine`` is the address of the Docker Engine, by default DOCKER_HOST's. Raises Failed where there is
    none.
    """
    container = f"howdah-test-zookeeper-{uuid.uuid4().hex[:8]}"
    try:
        script = _LOOP.format(port=PORT, tick=tick)
        options = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--memory", "512m")
        _docker(engine, "run", "--detach", "--name", container, *options, image, "sh", "-c", script)
        server = ZooKeeperServer(container, engine)
        server.wait_until_serving()
        yield server
    finally:
        with contextlib.suppress(Failed):
            _docker(engine, "rm", "--force", "--volumes", container)


def _docker(engine: str | None, *arguments: str) -> str:
    environment = os.environ | ({"DOCKER_HOST": engine} if engine else {})
    try:
        done = subprocess.run(
            ("docker", *arguments), env=environment, capture_output=True, text=True, check=False, timeout=120
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"docker {arguments[0]} did not work: {error}") from error
    if done.returncode:
        raise Failed(f"docker {arguments[0]} did not work: {done.stderr.strip()}")
    return done.stdout


@dataclass
class Loss:
    """What to lose once: the next request of a type, or its answer; ``meanwhile`` is called before the client knows."""

    is_sent: bool
    request: int = TRANSACTION
    meanwhile: Callable[[], None] = field(default=lambda: None)


class Relay:
    """Stands between one client and a server, on loopback."""

    def __init__(self, server: tuple[str, int]) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[_Connection] = []
        self._loss: Loss | None = None
        self.hosts = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, loss: Loss) -> None:
        """Lose that, and the connection with it."""
        self._loss = loss

    def take_loss(self, request: int) -> Loss | None:
        """What is to be lost of a request of that type, once."""
        if self._loss is None or self._loss.request != request:
            return None
        loss, self._loss = self._loss, None
        return loss

    def cut(self) -> None:
        """End all connections; new ones are let through."""
        while self._connections:
            self._connections.pop().end()

    def close(self) -> None:
        """End all connections and take no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._server, 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._connections.append(_Connection(self, client, server))


class _Connection:
    """One client's connection and the one made for it."""

    def __init__(self, relay: Relay, client: socket.socket, server: socket.socket) -> None:
        self._relay = relay
        self._client = client
        self._server = server
        self._withheld = b""
        """The number of the request whose answer is not passed on."""
        self._was_answered = threading.Event()
        self._both_done = threading.Barrier(2, self._close)
        for run in (self._pass_requests, self._pass_answers):
            threading.Thread(target=self._until_end, args=(run,), daemon=True).start()

    def end(self) -> None:
        """Both connections, at once."""
        for each in (self._client, self._server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        self._client.close()
        self._server.close()

    def _until_end(self, run: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):
            run()
        self.end()
        self._both_done.wait()

    def _pass_requests(self) -> None:
        while frame := _frame(self._client):
            # After the length: the number of the request, and its type.
            if loss := self._relay.take_loss(int.from_bytes(frame[8:12])):
                if loss.is_sent:
                    self._withheld = frame[4:8]
                    self._server.sendall(frame)
                    self._was_answered.wait(10)
                loss.meanwhile()
                return
            self._server.sendall(frame)

    def _pass_answers(self) -> None:
        while frame := _frame(self._server):
            if self._withheld and frame[4:8] == self._withheld:
                self._was_answered.set()
            else:
                self._client.sendall(frame)


def _frame(connection: socket.socket) -> bytes:
    """One message with its length before it; empty at the end."""
    head = _exactly(connection, 4)
    return head + _exactly(connection, struct.unpack(">i", head)[0]) if head else b""


def _exactly(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        chunk = connection.recv(length - len(received))
        if not chunk:
            return b""
        received += chunk
    return received
