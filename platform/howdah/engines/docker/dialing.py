"""A byte stream to a port in a container: straight, or through a relay run in it over the engine's API."""

import logging
import select
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from howdah.engines.docker import bodies, frames
from howdah.engines.docker.connection import Connection
from howdah.engines.docker.execution import Stream, start
from howdah.engines.docker.instances import inspect
from howdah.errors import Failed, NotFound, Transient

CONNECT_SECONDS = 5
READY_SECONDS = 15
CHUNK = 64 * 1024
RELAY = ("/usr/bin/python3", "-I", "-S", "/opt/howdah/relay.py")
READY = b"ok\n"
"""The first line of the relay's standard error, once it is connected."""
log = logging.getLogger(__name__)


class Routes:
    """Whether this machine carries a network itself. Looked up once a network, for an id is never used again."""

    def __init__(self) -> None:
        self._known: dict[str, bool] = {}

    def has_route(self, engine: Connection, found: dict[str, Any]) -> bool:
        """Whether this machine reaches the container's address itself. No packet is sent to find out."""
        endpoints = (found.get("NetworkSettings", {}).get("Networks") or {}).values()
        endpoint = next((one for one in endpoints if one.get("IPAddress") and one.get("NetworkID")), None)
        if endpoint is None or not engine.is_local_socket:
            return False
        network = str(endpoint["NetworkID"])
        if network not in self._known:
            self._known[network] = self._is_ours(engine, network)
        return self._known[network]

    @staticmethod
    def _is_ours(engine: Connection, network: str) -> bool:
        """The network's bridge is an interface here, and its gateway an address of this machine.

        The address alone is not enough: the engine of a virtual machine, or of another network namespace, may have
        the same one.
        """
        found = engine.ask("inspect a network", lambda client: client.inspect_network(network))
        bridge = (found.get("Options") or {}).get("com.docker.network.bridge.name") or f"br-{network[:12]}"
        pools = (found.get("IPAM") or {}).get("Config") or []
        gateway = next((pool["Gateway"] for pool in pools if pool.get("Gateway")), "")
        try:
            socket.if_nametoindex(bridge)
            with socket.socket(socket.AF_INET6 if ":" in gateway else socket.AF_INET) as probe:
                probe.bind((gateway, 0))
        except OSError:
            return False
        return bool(gateway)


def running(engine: Connection, name: str) -> dict[str, Any]:
    """The container as inspected. Raises Transient where it does not run."""
    found = inspect(engine, name)
    if found is None:
        raise Transient(f"container {name} is not there", fix="start it")
    if not found["State"]["Running"]:
        raise Transient(f"container {name} does not run", fix="start it")
    return found


def straight(name: str, address: str, port: int) -> socket.socket:
    """A TCP connection of this machine's own."""
    try:
        connection = socket.create_connection((address, port), CONNECT_SECONDS)
    except OSError as error:
        raise Transient(f"container {name} does not answer on {address}:{port}: {error.strerror or error}") from error
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def relayed(engine: Connection, name: str, found: dict[str, Any], port: int) -> socket.socket:
    """One end of a socket pair whose other end is pumped through a relay in the container.

    Raises Transient where nothing listens, Failed where the image has no relay.
    """
    # Daemons listen on their own address, or on all: never on the loopback alone.
    address = bodies.address(found) or "127.0.0.1"
    try:
        _, stream = start(engine, name, (*RELAY, address, str(port)), stdin=True)
    except NotFound as error:
        raise Transient(f"container {name} is not there", fix="start it") from error
    pieces = frames.demultiplex(stream.read)
    try:
        stream.set_timeout(READY_SECONDS)
        early = _await_ready(pieces, name, f"{address}:{port}")
        stream.set_timeout(None)
    except TimeoutError as error:
        stream.close()
        raise Transient(f"the relay to {name} {address}:{port} was not ready within {READY_SECONDS} s") from error
    except BaseException:
        stream.close()
        raise
    theirs, ours = socket.socketpair()
    Pump(stream, pieces, ours, early, f"{name}:{port}").start()
    return theirs


def _await_ready(pieces: Iterator[tuple[bool, bytes]], name: str, where: str) -> bytes:
    """What came from the other side before the relay's word that it is connected: the two take different ways."""
    early, said = b"", b""
    for is_error, piece in pieces:
        if not is_error:
            early += piece
            continue
        said += piece
        if said.startswith(READY):
            return early
    words = said.decode("utf-8", "replace").strip() or "it ended without a word"
    if words.startswith("relay:"):
        raise Transient(f"container {name} does not answer on {where}: {words}")
    raise Failed(f"the relay in container {name} cannot run: {words}", fix="use an image of howdah image build")


class Pump:
    """Two threads between a relay's stream and one end of a socket pair; a half-close passes either way."""

    def __init__(
        self,
        stream: Stream,
        pieces: Iterator[tuple[bool, bytes]],
        ours: socket.socket,
        early: bytes,
        what: str,
    ) -> None:
        self._stream = stream
        self._pieces = pieces
        self._ours = ours
        self._early = early
        self._upward = threading.Thread(target=self._send, name=f"to {what}", daemon=True)
        self._downward = threading.Thread(target=self._receive, name=f"from {what}", daemon=True)

    def start(self) -> None:
        """Begin; both end by themselves when either side is closed."""
        self._upward.start()
        self._downward.start()

    def _send(self) -> None:
        with suppress(OSError):
            while data := self._ours.recv(CHUNK):
                self._stream.write(data)
            self._stream.close_write()
            # That was the end of what is sent; closing altogether looks the same so far: wait for either end.
            gone = select.poll()
            gone.register(self._ours, 0)  # hang-ups are always told
            gone.poll()
            self._stream.break_off()

    def _receive(self) -> None:
        try:
            self._ours.sendall(self._early)
            for is_error, data in self._pieces:
                if is_error:
                    log.debug("relay: %s", data)
                else:
                    self._ours.sendall(data)
        except (OSError, Transient) as error:
            log.debug("relay ended: %s", error)
        finally:
            # The relay has ended, or nobody reads it any more.
            self._stream.break_off()
            with suppress(OSError):
                self._ours.shutdown(socket.SHUT_RDWR)
            self._upward.join()
            self._stream.close()
            self._ours.close()
