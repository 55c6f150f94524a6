"""The Coordinator port on a ZooKeeper client.

A record is stored as ``{"commit": …, "record": …}``: the number of the commit that wrote it tells, after a
connection was lost in the middle of a commit, whether it was done.
"""

import time
import uuid
from collections.abc import Callable
from typing import Any

from howdah.coordination import messages
from howdah.coordination.encoding import canonical, decode, encode
from howdah.coordination.zookeeper.client import Client, Credentials, Dial
from howdah.coordination.zookeeper.lock import acquire
from howdah.coordination.zookeeper.operations import (
    FOLDER,
    Absent,
    Create,
    Interrupted,
    NotEmpty,
    Operation,
    OtherVersion,
    Present,
    Rejected,
    Remove,
    Replace,
)
from howdah.coordination.zookeeper.watch import Watch
from howdah.errors import Bug, Conflict, Failed, Transient, UserError
from howdah.ports.coordinator import Delete, Fence, Holder, Put, Session, Versioned
from howdah.units import Bytes

SESSION_TIMEOUT = 6.0
"""In seconds. A killed process keeps its locks for as long, from another machine's view."""

TRANSACTION_LIMIT = Bytes(900 * 2**10)
"""A server cuts the connection on a request over its ``jute.maxbuffer`` of 1 MiB."""


class ZooKeeperCoordinator:
    """One session. Connects when it is made: raises Transient, naming the address, where nothing answers.

    ``hosts`` is ``host:port,host:port``; ``dial`` reaches them where this machine has no route. Everything it
    makes is open to ``credentials`` alone. Every call may raise UserError where these are not the ones that a
    record was made with.
    """

    def __init__(
        self,
        hosts: str,
        credentials: Credentials,
        session_timeout: float = SESSION_TIMEOUT,
        within: float | None = None,
        dial: Dial | None = None,
    ) -> None:
        patience = within if within is not None else 2 * session_timeout
        self._client = Client(hosts, credentials, session_timeout, patience, dial)
        self._watches: set[Watch] = set()

    def session(self) -> Session:
        """The state of the session now. LOST also when no server answered for longer than a session lives."""
        return self._client.session

    def read(self, path: str) -> Versioned | None:
        """The record, or None. Raises Transient; Failed where it is none of howdah's."""
        node = self._client.find(path)
        if node is None or node.content == FOLDER:
            return None
        return Versioned(_open(path, node.content)[1], node.version)

    def children(self, path: str) -> tuple[str, ...]:
        """The names below a path, sorted. Raises Transient."""
        return self._client.children(path) or ()

    def commit(self, *changes: Put | Delete) -> None:
        """All or nothing. Raises Conflict; UserError over a size limit; Transient, which may mean done.

        A commit is never repeated blindly. When the connection is lost under way, the session is first
        settled, so that what was sent is done or never will be; then the records are read, and this commit's
        number in one of them says that it was done (a comparison of contents would not: two clients may write
        the same). Only when it is in none the commit is sent again, and the versions that it names then still
        hold off a change by somebody else.
        """
        if not changes:
            return
        number, deadline = uuid.uuid4().hex, time.monotonic() + self._client.within
        operations = _operations(changes, number)
        was_interrupted = False
        while True:
            try:
                return self._client.transact(operations, deadline)
            except Interrupted as error:
                was_interrupted = True
                if time.monotonic() >= deadline:
                    raise _uncertain(changes) from error
                if self._was_done(changes, number):
                    return None
            except Transient as error:
                raise (_uncertain(changes) if was_interrupted else error) from error
            except Rejected as rejected:
                if was_interrupted and self._was_done(changes, number):
                    return None
                operations = self._mended(operations, rejected)

    def _was_done(self, changes: tuple[Put | Delete, ...], number: str) -> bool:
        self._client.settle()
        nodes = {change.path: self._client.find(change.path) for change in changes}
        puts = [nodes[change.path] for change in changes if isinstance(change, Put)]
        if not puts:
            # Nothing to carry a number, and who deleted exactly these versions makes no difference.
            return not any(nodes.values())
        return any(node and node.content != FOLDER and _open("", node.content)[0] == number for node in puts)

    def _mended(self, operations: list[Operation], rejected: Rejected) -> list[Operation]:
        """The operations, once what hindered a create is set right. Raises Conflict for another's doing."""
        match rejected.operation, rejected.answer:
            case Create(path), Absent():
                self._client.make_folder(path.rpartition("/")[0])
                return operations
            case Create(path, content) as create, Present():
                node = self._client.find(path)
                if node is None:
                    return operations
                if node.content == FOLDER:
                    # Made as a parent before it was a record. The version keeps two from doing this at once.
                    filled = Replace(path, content, node.version)
                    return [filled if operation is create else operation for operation in operations]
                raise messages.exists_already(path)
            case operation, Absent():
                raise messages.is_gone(operation.path)
            case Replace(path, _, version) | Remove(path, version), OtherVersion():
                raise messages.changed(path, version)
            case operation, NotEmpty():
                raise messages.has_children(operation.path)
            case operation, answer:
                raise Bug(f"{type(answer).__name__} is no answer to {type(operation).__name__} {operation.path}")

    def delete_tree(self, path: str) -> bool:
        """The record and all below it; False where there is none. Raises Transient; call again for the rest.

        Not all at once: a reader may see a part of it.
        """
        was_there = self._client.find(path) is not None
        for _ in range(100):
            for name in self._client.children(path) or ():
                self.delete_tree(f"{path}/{name}")
            try:
                self._client.remove(path)
                return was_there
            except NotEmpty:
                continue
        raise Conflict(f"{path} cannot be deleted: somebody else keeps adding to it", fix="end what does, and repeat")

    def lock(self, path: str, holder: Holder, wait: float, on_wait: Callable[[Holder], None]) -> Fence:
        """Take the lock, in the order of asking. Raises Conflict naming the holder, Transient."""
        return acquire(self._client, path, holder, wait, on_wait)

    def watch(self, path: str, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call back, in another thread, after changes at the path or to its children; returns how to stop.

        Changes in quick succession are one call; after a lost connection there is one for whatever was
        missed. Raises Transient.
        """
        watch = Watch(self._client, path, on_change)
        self._watches.add(watch)

        def stop() -> None:
            self._watches.discard(watch)
            watch.stop()

        return stop

    def close(self) -> None:
        """End the session; locks go with it."""
        for watch in tuple(self._watches):
            watch.stop()
        self._watches.clear()
        self._client.close()


def _operations(changes: tuple[Put | Delete, ...], number: str) -> list[Operation]:
    operations: list[Operation] = []
    for change in changes:
        match change:
            case Put(path, value, None):
                operations.append(Create(path, _seal(path, value, number)))
            case Put(path, value, int() as version) if version >= 0:
                operations.append(Replace(path, _seal(path, value, number), version))
            case Delete(path, version) if version >= 0:
                operations.append(Remove(path, version))
            case _:
                # To ZooKeeper a version of -1 means "any".
                raise Bug(f"{change.path} is to be changed whatever its version")
    size = Bytes(sum(len(each.content) for each in operations if not isinstance(each, Remove)))
    if size > TRANSACTION_LIMIT:
        raise UserError(
            f"{changes[0].path} and what goes with it would be {size}, the limit is {TRANSACTION_LIMIT}",
            fix="make the cluster or its definition smaller",
        )
    return operations


def _seal(path: str, value: Any, number: str) -> bytes:
    encode(path, value)
    return canonical(path, {"commit": number, "record": value})


def _open(path: str, content: bytes) -> tuple[str, dict[str, Any]]:
    match decode(path, content):
        case {"commit": str(number), "record": dict(record)}:
            return number, record
        case _:
            raise Failed(f"the record {path} is not in howdah's form", fix="something other than howdah wrote it")


def _uncertain(changes: tuple[Put | Delete, ...]) -> Transient:
    return Transient(
        f"the registry did not say whether {changes[0].path} was written before the connection was lost",
        fix="repeat the command when the registry answers: it looks first",
    )
