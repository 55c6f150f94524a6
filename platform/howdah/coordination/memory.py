"""A Coordinator in memory, for tests: several clients of one service, and a hand on each one's session."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from howdah.coordination import messages
from howdah.coordination.encoding import decode, encode
from howdah.coordination.holder import is_dead_here
from howdah.errors import Bug, Transient
from howdah.ports.coordinator import Delete, Fence, Holder, Put, Session, Versioned

Interrupt = Callable[[str, str], None]
"""Called with ``before`` or ``after``, and the verb (``read``…); what it raises, the call raises."""


@dataclass(frozen=True, slots=True)
class _Node:
    """A node of the tree. A folder that was made as a parent has no content."""

    content: bytes | None
    version: int


@dataclass(eq=False, slots=True)
class _Contender:
    """One who holds a lock or waits for it."""

    client: "MemoryCoordinator"
    holder: Holder


@dataclass(eq=False, slots=True)
class _Watch:
    client: "MemoryCoordinator"
    path: str
    on_change: Callable[[], None]


@dataclass(eq=False)
class MemoryService:
    """What the clients share. Tests reach in by ``suspend``, ``resume``, ``lose`` and ``expire``."""

    interrupt: Interrupt | None = None
    nodes: dict[str, _Node] = field(default_factory=dict)
    contenders: dict[str, list[_Contender]] = field(default_factory=dict)
    watches: list[_Watch] = field(default_factory=list)
    turn: threading.Condition = field(default_factory=threading.Condition)

    def suspend(self, client: "MemoryCoordinator") -> None:
        """The client's connection goes; its session, and so its locks, do not."""
        self._set_session(client, Session.SUSPENDED)

    def resume(self, client: "MemoryCoordinator") -> None:
        """The client is connected again, with a new session if the old one was lost."""
        self._set_session(client, Session.CONNECTED)

    def lose(self, client: "MemoryCoordinator") -> None:
        """The client's session ends, its locks go, and it knows."""
        self.expire(client)
        self._set_session(client, Session.LOST)

    def expire(self, client: "MemoryCoordinator") -> None:
        """The service ends the client's session; its locks go. The client was killed, or has not heard."""
        with self.turn:
            for path, contenders in list(self.contenders.items()):
                self.contenders[path] = [each for each in contenders if each.client is not client]
            self.turn.notify_all()

    def _set_session(self, client: "MemoryCoordinator", state: Session) -> None:
        with self.turn:
            client.state = state
            self.turn.notify_all()

    def apply(self, changes: tuple[Put | Delete, ...]) -> list[Callable[[], None]]:
        """Do all the changes or none. Returns the watches to call, each once."""
        with self.turn:
            staged = dict(self.nodes)
            for change in changes:
                _apply(staged, change)
            touched = {
                path for path in staged.keys() | self.nodes.keys() if staged.get(path) is not self.nodes.get(path)
            }
            self.nodes = staged
            return self._watching(touched)

    def remove_tree(self, path: str) -> list[Callable[[], None]]:
        """Remove a path and all below it. Returns the watches to call."""
        with self.turn:
            touched = {each for each in self.nodes if each == path or each.startswith(f"{path}/")}
            self.nodes = {each: node for each, node in self.nodes.items() if each not in touched}
            return self._watching(touched)

    def _watching(self, touched: set[str]) -> list[Callable[[], None]]:
        places = touched | {_parent(path) for path in touched}
        return [watch.on_change for watch in self.watches if watch.path in places]


class MemoryCoordinator:
    """One client of a MemoryService. Watches are called in the thread of the one who made the change."""

    def __init__(self, service: MemoryService | None = None) -> None:
        self.service = service or MemoryService()
        self.state = Session.CONNECTED

    def session(self) -> Session:
        """The state of the session now."""
        with self.service.turn:
            return self.state

    def read(self, path: str) -> Versioned | None:
        """The record, or None. Raises Transient while not connected."""
        self._begin("read")
        with self.service.turn:
            node = self.service.nodes.get(path)
        self._end("read")
        return None if node is None or node.content is None else Versioned(decode(path, node.content), node.version)

    def children(self, path: str) -> tuple[str, ...]:
        """The names below a path, sorted. Raises Transient while not connected."""
        self._begin("children")
        with self.service.turn:
            names = tuple(sorted(_name(each) for each in self.service.nodes if _parent(each) == path))
        self._end("children")
        return names

    def commit(self, *changes: Put | Delete) -> None:
        """All or nothing. Raises Conflict, UserError over the size limit, Transient while not connected."""
        for change in changes:
            if isinstance(change, Put):
                encode(change.path, change.value)
        self._begin("commit")
        for on_change in self.service.apply(changes):
            on_change()
        self._end("commit")

    def delete_tree(self, path: str) -> bool:
        """The record and all below it; False where there is none. Raises Transient while not connected."""
        self._begin("delete_tree")
        with self.service.turn:
            was_there = path in self.service.nodes
            watching = self.service.remove_tree(path)
        for on_change in watching:
            on_change()
        self._end("delete_tree")
        return was_there

    def lock(self, path: str, holder: Holder, wait: float, on_wait: Callable[[Holder], None]) -> Fence:
        """Take the lock, in the order of asking. Raises Conflict naming the holder, and Transient."""
        self._begin("lock")
        mine = _Contender(self, holder)
        with self.service.turn:
            self.service.contenders.setdefault(path, []).append(mine)
        try:
            self._wait_for_turn(path, mine, time.monotonic() + wait, on_wait)
            self._end("lock")
        except BaseException:
            _MemoryFence(self, path, mine).release()
            raise
        return _MemoryFence(self, path, mine)

    def _wait_for_turn(self, path: str, mine: _Contender, deadline: float, on_wait: Callable[[Holder], None]) -> None:
        told: set[Holder] = set()
        while True:
            with self.service.turn:
                self._check_connected()
                queue = [
                    each for each in self.service.contenders[path] if each is mine or not is_dead_here(each.holder)
                ]
                self.service.contenders[path] = queue
                if mine not in queue:
                    queue.append(mine)
                if queue[0] is mine:
                    return
                first = queue[0].holder
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise messages.held(path, first)
                if first in told:
                    # Woken by every change; a holder that dies wakes nobody, so look again now and then.
                    self.service.turn.wait(min(remaining, 0.1))
                    continue
            told.add(first)
            on_wait(first)

    def watch(self, path: str, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call back after changes at the path or to its children; returns how to stop."""
        self._begin("watch")
        watch = _Watch(self, path, on_change)
        with self.service.turn:
            self.service.watches.append(watch)

        def stop() -> None:
            with self.service.turn:
                self.service.watches = [each for each in self.service.watches if each is not watch]

        self._end("watch")
        return stop

    def close(self) -> None:
        """End the session; locks and watches go with it."""
        self.service.lose(self)
        with self.service.turn:
            self.service.watches = [each for each in self.service.watches if each.client is not self]

    def _begin(self, verb: str) -> None:
        if self.service.interrupt:
            self.service.interrupt("before", verb)
        with self.service.turn:
            self._check_connected()

    def _end(self, verb: str) -> None:
        if self.service.interrupt:
            self.service.interrupt("after", verb)

    def _check_connected(self) -> None:
        if self.state is not Session.CONNECTED:
            raise Transient(
                f"the registry does not answer (session {self.state})", fix="repeat the command when it does"
            )


class _MemoryFence:
    """Holds while its contender is the first of its lock and the client is connected."""

    def __init__(self, client: MemoryCoordinator, path: str, mine: _Contender) -> None:
        self._client = client
        self._path = path
        self._mine = mine

    def check(self) -> None:
        """Raises Fenced when the session is not CONNECTED or the lock is not ours any more."""
        with self._client.service.turn:
            if self._client.state is not Session.CONNECTED:
                raise messages.lost(self._path, f"the session to the registry is {self._client.state}")
            if self._client.service.contenders.get(self._path, [])[:1] != [self._mine]:
                raise messages.lost(self._path, "the registry ended the session that held it")

    def release(self) -> None:
        """Give the lock back; nothing when it is lost already."""
        service = self._client.service
        with service.turn:
            rest = [each for each in service.contenders.get(self._path, []) if each is not self._mine]
            service.contenders[self._path] = rest
            service.turn.notify_all()


def _apply(nodes: dict[str, _Node], change: Put | Delete) -> None:
    path = change.path
    found = nodes.get(path)
    match change:
        case Put(version=None):
            if found is not None and found.content is not None:
                raise messages.exists_already(path)
            _make_parents(nodes, path)
            nodes[path] = _Node(encode(path, change.value), found.version + 1 if found else 0)
        case Put(version=int() as version):
            _check_version(path, version, found)
            nodes[path] = _Node(encode(path, change.value), version + 1)
        case Delete():
            _check_version(path, change.version, found)
            if any(_parent(each) == path for each in nodes):
                raise messages.has_children(path)
            del nodes[path]
        case _:
            raise Bug(f"{change!r} is no change of a record")


def _check_version(path: str, version: int, found: _Node | None) -> None:
    if found is None:
        raise messages.is_gone(path)
    if found.version != version:
        raise messages.changed(path, version)


def _make_parents(nodes: dict[str, _Node], path: str) -> None:
    parent = _parent(path)
    while parent:
        nodes.setdefault(parent, _Node(None, 0))
        parent = _parent(parent)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _name(path: str) -> str:
    return path.rpartition("/")[2]
