"""A session with ZooKeeper: every request with a bounded wait, and what the loss of the session means.

The only module that imports kazoo, and not before a client is made: it costs a tenth of a second. Its loose
types end here.
"""

import contextlib
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from howdah.coordination.zookeeper.operations import (
    FOLDER,
    Absent,
    Answer,
    Create,
    Interrupted,
    Node,
    NotEmpty,
    Operation,
    OtherVersion,
    Present,
    Rejected,
    Remove,
    Replace,
)
from howdah.errors import Failed, HowdahError, Transient, UserError
from howdah.ports.coordinator import Session

log = logging.getLogger(__name__)

T = TypeVar("T")

Dial = Callable[[str, int], socket.socket]
"""How a host and port are reached where this machine has no route of its own."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user of ZooKeeper's digest scheme."""

    user: str
    password: str = field(repr=False)


class Client:
    """One session at a time; a lost one is replaced, and ``epoch`` tells that it was.

    ``within`` is how long, in seconds, a request may take, reconnecting included. Raises Transient, when it
    is made, where no server answers.
    """

    def __init__(
        self,
        hosts: str,
        credentials: Credentials,
        session_timeout: float,
        within: float,
        dial: Dial | None = None,
    ) -> None:
        self.hosts = hosts
        self.within = within
        self._session_timeout = session_timeout
        self._changed = threading.Condition()
        self._is_connected = False
        self._is_lost = False
        self._is_closed = False
        self._suspended_at = 0.0
        self._epoch = 0
        self._kazoo = self._connect(credentials, dial)

    def _connect(self, credentials: Credentials, dial: Dial | None) -> Any:
        from kazoo.client import KazooClient
        from kazoo.exceptions import KazooException
        from kazoo.handlers.threading import KazooTimeoutError, SequentialThreadingHandler
        from kazoo.security import CREATOR_ALL_ACL

        addresses = _addresses(self.hosts)
        handler, hosts = SequentialThreadingHandler(), self.hosts
        if dial:
            hosts, handler.create_connection = _through(dial, addresses)
        # At DEBUG kazoo writes each request, and one of them is the password.
        kazoo_log = logging.getLogger(f"{__name__}.kazoo")
        kazoo_log.setLevel(logging.INFO)
        kazoo = KazooClient(
            hosts=hosts,
            timeout=self._session_timeout,
            handler=handler,
            default_acl=CREATOR_ALL_ACL,
            auth_data=[("digest", f"{credentials.user}:{credentials.password}")],
            # Without end, and never longer apart than a second: kazoo's own ends up at an hour.
            connection_retry={"max_tries": -1, "delay": 0.1, "backoff": 1.5, "max_delay": 1.0},
            logger=kazoo_log,
        )
        kazoo.add_listener(self._on_state)
        try:
            kazoo.start(timeout=self.within)
        except (KazooTimeoutError, KazooException) as error:
            raise self._no_answer() from error
        return kazoo

    def _on_state(self, state: str) -> None:
        """Called by kazoo's connection thread, so it must not wait for anything."""
        with self._changed:
            was_connected, self._is_connected = self._is_connected, state == "CONNECTED"
            if state == "CONNECTED":
                self._note_silence()
                self._is_lost, self._suspended_at = False, 0.0
            elif state == "LOST":
                self._lose()
            elif was_connected:
                self._suspended_at = time.monotonic()
            self._changed.notify_all()

    def _note_silence(self) -> None:
        """Suspended for longer than a session lives without a word: the servers may have ended it.

        kazoo hears of that only from a server, so it would stay SUSPENDED for as long as none answers.
        """
        if self._suspended_at and time.monotonic() - self._suspended_at >= self._session_timeout:
            self._lose()

    def _lose(self) -> None:
        if not self._is_lost:
            self._is_lost = True
            self._epoch += 1

    @property
    def session(self) -> Session:
        """The state of the session now."""
        with self._changed:
            if self._is_connected:
                return Session.CONNECTED
            self._note_silence()
            return Session.LOST if self._is_lost or self._is_closed else Session.SUSPENDED

    @property
    def epoch(self) -> int:
        """Rises each time the session is lost: what was held before is not held after."""
        with self._changed:
            if not self._is_connected:
                self._note_silence()
            return self._epoch

    @property
    def session_id(self) -> int:
        """The id of the session, 0 while not connected."""
        client_id = self._kazoo.client_id
        return client_id[0] if client_id else 0

    @property
    def is_closed(self) -> bool:
        """Whether it was closed here."""
        return self._is_closed

    def find(
        self, path: str, on_change: Callable[[object], None] | None = None, within: float | None = None
    ) -> Node | None:
        """The node, or None; ``on_change`` is called once when it is made, changed or removed."""
        return self._repeat(lambda deadline: self._find(path, on_change, deadline), within)

    def _find(self, path: str, on_change: Callable[[object], None] | None, deadline: float) -> Node | None:
        try:
            content, stat = self._ask(lambda: self._kazoo.get_async(path, on_change), deadline)
        except Absent:
            # A read of what is not there leaves no watch.
            if on_change and self._ask(lambda: self._kazoo.exists_async(path, on_change), deadline):
                return self._find(path, on_change, deadline)
            return None
        return Node(content, stat.version, stat.ephemeralOwner)

    def children(self, path: str, on_change: Callable[[object], None] | None = None) -> tuple[str, ...] | None:
        """The names below a node, sorted, or None where it is not there."""

        def ask(deadline: float) -> tuple[str, ...]:
            return tuple(sorted(self._ask(lambda: self._kazoo.get_children_async(path, on_change), deadline)))

        try:
            return self._repeat(ask)
        except Absent:
            return None

    def make_folder(self, path: str) -> None:
        """A node without content, and its parents, where they are not there."""

        def make(folder: str) -> None:
            self._repeat(lambda until: self._ask(lambda: self._kazoo.create_async(folder, FOLDER), until))

        for folder in itertools.accumulate(
            path.strip("/").split("/"), lambda above, name: f"{above}/{name}", initial=""
        ):
            if folder:
                with contextlib.suppress(Present):
                    make(folder)

    def create_sequential(self, prefix: str, content: bytes) -> str:
        """An ephemeral node with the next number; its path. Raises Absent, Interrupted."""
        deadline = time.monotonic() + self.within
        made = self._ask(lambda: self._kazoo.create_async(prefix, content, ephemeral=True, sequence=True), deadline)
        return str(made)

    def remove(self, path: str) -> bool:
        """Remove a node, whatever its version; False where it is not there. Raises NotEmpty.

        Repeated after a loss of the connection, it may find its own work done and say False.
        """
        try:
            self._repeat(lambda deadline: self._ask(lambda: self._kazoo.delete_async(path), deadline))
        except Absent:
            return False
        return True

    def settle(self) -> None:
        """After this, a request of this session's from before is done, or never will be.

        A request that still waits at another server of the ensemble reaches the leader after this one, from a
        server that does not own the session any more, and is refused (SessionMovedException); so is one of a
        session that was ended.
        """
        self._repeat(lambda deadline: self._ask(lambda: self._kazoo.sync_async("/"), deadline))

    def transact(self, operations: Sequence[Operation], deadline: float) -> None:
        """All or none, asked once. Raises Rejected, Interrupted, Transient where it was not even sent."""
        from kazoo.exceptions import KazooException, RolledBackError, RuntimeInconsistency

        transaction = self._kazoo.transaction()
        for operation in operations:
            match operation:
                case Create(path, content):
                    transaction.create(path, content)
                case Replace(path, content, version):
                    transaction.set_data(path, content, version)
                case Remove(path, version):
                    transaction.delete(path, version)
        results = self._ask(transaction.commit_async, deadline)
        for operation, result in zip(operations, results, strict=True):
            # What could have been done and was taken back, and what came after the one that could not.
            if isinstance(result, KazooException) and not isinstance(result, RolledBackError | RuntimeInconsistency):
                answer = self._translate(result)
                raise Rejected(operation, answer) if isinstance(answer, Answer) else answer

    def close(self) -> None:
        """End the session."""
        from kazoo.exceptions import KazooException

        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        try:
            self._kazoo.stop()
            self._kazoo.close()
        except (KazooException, OSError) as error:
            log.info("the session with %s was not ended cleanly: %s", self.hosts, error)

    def _repeat(self, ask: Callable[[float], T], within: float | None = None) -> T:
        """For what may be asked twice: again after each loss of the connection, until the time is up."""
        deadline = time.monotonic() + (self.within if within is None else within)
        while True:
            try:
                return ask(deadline)
            except Interrupted as error:
                if time.monotonic() >= deadline or self._is_closed:
                    raise self._no_answer() from error

    def _ask(self, start: Callable[[], Any], deadline: float) -> Any:
        """One request. Raises an Answer, Interrupted; Transient where it could not be sent."""
        from kazoo.exceptions import KazooException
        from kazoo.handlers.threading import KazooTimeoutError

        with self._changed:
            remaining = deadline - time.monotonic()
            self._changed.wait_for(lambda: self._is_connected or self._is_closed, max(remaining, 0))
            if not self._is_connected or self._is_closed:
                raise self._no_answer()
        try:
            return start().get(timeout=max(deadline - time.monotonic(), 0.001))
        except KazooTimeoutError as error:
            raise Interrupted(f"{self.hosts} did not answer in time") from error
        except KazooException as error:
            raise self._translate(error) from error

    def _translate(self, error: Exception) -> Exception:
        from kazoo import exceptions

        match error:
            case exceptions.NoNodeError():
                return Absent()
            case exceptions.NodeExistsError():
                return Present()
            case exceptions.BadVersionError():
                return OtherVersion()
            case exceptions.NotEmptyError():
                return NotEmpty()
            case exceptions.NoAuthError() | exceptions.AuthFailedError():
                return UserError(
                    f"the registry at {self.hosts} does not accept these credentials",
                    fix="use the credentials that the installation was made with",
                )
            case (
                exceptions.ConnectionLoss()
                | exceptions.ConnectionClosedError()
                | exceptions.SessionExpiredError()
                | exceptions.OperationTimeoutError()
                | exceptions.SessionMovedError()
            ):
                return Interrupted(f"the connection to {self.hosts} was lost")
            case _:
                return Failed(f"the registry at {self.hosts} could not do it: {type(error).__name__} {error}")

    def _no_answer(self) -> Transient:
        if self._is_closed:
            return Transient(f"the session with the registry at {self.hosts} is closed")
        return Transient(
            f"the registry at {self.hosts} did not answer within {self.within:g} s",
            fix="see whether it runs and can be reached from here, and repeat the command",
        )


def _addresses(hosts: str) -> tuple[tuple[str, int], ...]:
    """``host:port,host:port``. Raises UserError for anything else."""
    found = []
    for each in hosts.split(","):
        host, _, port = each.strip().rpartition(":")
        if not host or "/" in each or not port.isdecimal():
            raise UserError(
                f"{each.strip()!r} in {hosts!r} is not the address of a ZooKeeper server",
                fix="write host:port, several with commas between them: zk1:2181,zk2:2181",
            )
        found.append((host.strip("[]"), int(port)))
    return tuple(found)


def _through(dial: Dial, addresses: tuple[tuple[str, int], ...]) -> tuple[str, Callable[..., socket.socket]]:
    """Stand-ins for the addresses, which kazoo would look up by name, and how to connect to one of them."""
    stand_ins = {(f"127.0.0.{number}", port): (host, port) for number, (host, port) in enumerate(addresses, start=1)}

    def connect(address: tuple[str, int], **_: object) -> socket.socket:
        try:
            return dial(*stand_ins[address])
        except HowdahError as error:
            # What kazoo takes for "try again".
            raise OSError(str(error)) from error

    return ",".join(f"{host}:{port}" for host, port in stand_ins), connect
