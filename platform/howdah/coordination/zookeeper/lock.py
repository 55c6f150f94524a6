"""The lock: each who asks makes an ephemeral node with the next number, and the lowest number has it.

ZooKeeper's own recipe (https://zookeeper.apache.org/doc/current/recipes.html, Locks), with two things that
kazoo's does not do: a holder of this machine whose process is dead is put aside at once, where its session
would last for seconds more, and the one who waits is told for whom.
"""

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass

from howdah.coordination import messages
from howdah.coordination.codec import Malformed, from_json
from howdah.coordination.encoding import canonical, decode
from howdah.coordination.holder import is_dead_here
from howdah.coordination.zookeeper.client import Client
from howdah.coordination.zookeeper.operations import Absent, Interrupted, NotEmpty
from howdah.errors import Failed, HowdahError, Transient
from howdah.ports.coordinator import Fence, Holder, Session

log = logging.getLogger(__name__)

_LOOK_EVERY = 0.5
"""In seconds: a holder's process that dies tells nobody, so those who wait on its machine look."""

_DIGITS = 10
"""ZooKeeper ends the name of a sequential node with so many."""


@dataclass(frozen=True, slots=True)
class _Contender:
    path: str
    holder: Holder


def acquire(client: Client, path: str, holder: Holder, wait: float, on_wait: Callable[[Holder], None]) -> Fence:
    """Take the lock, in the order of asking. Raises Transient, and Conflict when ``wait`` seconds are up."""
    # Whose node is whose must be known even when the answer to its creation is lost.
    prefix = f"{uuid.uuid4().hex}-"
    content = canonical(path, asdict(holder))
    deadline = time.monotonic() + wait
    told: set[Holder] = set()
    try:
        epoch, mine = _ask_for(client, path, prefix, content)
        while True:
            ahead = _ahead(client, path, mine)
            if ahead is None or client.epoch != epoch:
                # The session was lost while waiting, and the place in the queue with it.
                epoch, mine = _ask_for(client, path, prefix, content)
                continue
            living = [each for each in ahead if not _put_aside(client, each)]
            if not living:
                return ZooKeeperFence(client, path, mine, epoch)
            first = living[0].holder
            if first not in told:
                told.add(first)
                on_wait(first)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise messages.held(path, first)
            _wait_for(client, living[-1], min(remaining, _LOOK_EVERY))
    except BaseException:
        _leave(client, path, prefix)
        raise


class ZooKeeperFence:
    """Holds while the session in which the lock was taken lives and our node is there."""

    def __init__(self, client: Client, path: str, node: str, epoch: int) -> None:
        self._client = client
        self._path = path
        self._node = node
        self._epoch = epoch

    def check(self) -> None:
        """Raises Fenced when the session is not CONNECTED, or the lock is not ours or may not be."""
        state = self._client.session
        if state is not Session.CONNECTED:
            raise messages.lost(self._path, f"the session with the registry is {state}")
        if self._client.epoch != self._epoch:
            raise messages.lost(self._path, "the session that held it has ended")
        try:
            node = self._client.find(f"{self._path}/{self._node}", within=self._client.within / 2)
        except Transient as error:
            raise messages.lost(self._path, "the registry does not answer, so whether it is is not known") from error
        if node is None or node.owner != self._client.session_id or self._client.epoch != self._epoch:
            raise messages.lost(self._path, "the registry ended the session that held it")

    def release(self) -> None:
        """Give the lock back; nothing when it is lost already. Does not wait for a registry that is away."""
        _leave(self._client, self._path, self._node)


def _ask_for(client: Client, path: str, prefix: str, content: bytes) -> tuple[int, str]:
    """Make our node, at most one. Returns the epoch from before it was made, and its name."""
    while True:
        epoch = client.epoch
        try:
            return epoch, client.create_sequential(f"{path}/{prefix}", content).rpartition("/")[2]
        except Absent:
            client.make_folder(path)
        except Interrupted:
            client.settle()
            if made := _named(client, path, prefix):
                return epoch, made[0]


def _named(client: Client, path: str, prefix: str) -> list[str]:
    return [name for name in client.children(path) or () if name.startswith(prefix)]


def _ahead(client: Client, path: str, mine: str) -> list[_Contender] | None:
    """Who asked before us, the holder first; None when we are not in the queue."""
    names = sorted(client.children(path) or (), key=lambda name: name[-_DIGITS:])
    if mine not in names:
        return None
    found = []
    for name in names[: names.index(mine)]:
        node = client.find(f"{path}/{name}")
        if node:
            found.append(_Contender(f"{path}/{name}", _holder(f"{path}/{name}", node.content)))
    return found


def _holder(path: str, content: bytes) -> Holder:
    try:
        return from_json(Holder, decode(path, content))
    except Malformed as error:
        raise Failed(f"{path} does not say who holds the lock: {error}", fix="delete it if nothing runs") from error


def _put_aside(client: Client, contender: _Contender) -> bool:
    """Remove the node of a dead process. Its name is never used again, so that no other's can be hit."""
    if not is_dead_here(contender.holder):
        return False
    if client.remove(contender.path):
        log.info("put aside the lock %s of %s, whose process is dead", contender.path, contender.holder.who)
    return True


def _wait_for(client: Client, contender: _Contender, seconds: float) -> None:
    """Until the one before us has gone; only one is woken for each that goes."""
    has_gone = threading.Event()
    if client.find(contender.path, lambda _: has_gone.set()):
        has_gone.wait(seconds)


def _leave(client: Client, path: str, prefix: str) -> None:
    """Remove our node; in the background when the registry is away, for the session may outlive that."""
    if client.session is Session.CONNECTED:
        try:
            return _remove(client, path, prefix)
        except HowdahError:
            pass
    if not client.is_closed:
        threading.Thread(target=_remove_later, args=(client, path, prefix), daemon=True).start()
    return None


def _remove_later(client: Client, path: str, prefix: str) -> None:
    while not client.is_closed:
        try:
            return _remove(client, path, prefix)
        except HowdahError as error:
            log.info("the lock %s is not given back yet: %s", path, error.what)
    return None


def _remove(client: Client, path: str, prefix: str) -> None:
    for name in _named(client, path, prefix):
        client.remove(f"{path}/{name}")
    with contextlib.suppress(NotEmpty):
        # The folder of a lock that nobody wants; who asks at this moment makes it anew.
        client.remove(path)
