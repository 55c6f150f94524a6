"""The Coordinator port: versioned records, a lock with a fence, and the state of the session."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Session(StrEnum):
    """SUSPENDED: start nothing new. LOST: you hold nothing."""

    CONNECTED = "CONNECTED"
    SUSPENDED = "SUSPENDED"
    LOST = "LOST"


Value = Mapping[str, Any]
"""A record's content: JSON, checked by whoever reads it into a type."""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A record and the version that a write of it must name."""

    value: Value
    version: int


@dataclass(frozen=True, slots=True)
class Put:
    """Part of a transaction: create (version None) or replace exactly that version."""

    path: str
    value: Value
    version: int | None


@dataclass(frozen=True, slots=True)
class Delete:
    """Part of a transaction: delete exactly that version."""

    path: str
    version: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, for the one who is told.

    ``process`` identifies the process well enough to know whether it still lives.
    """

    who: str
    what: str
    since: str
    process: str


class Fence(Protocol):
    """Proof of holding a lock. It narrows the window, it does not close it."""

    def check(self) -> None:
        """Raises Fenced when the session is not CONNECTED or the lock is not ours any more."""
        ...

    def release(self) -> None:
        """Give the lock back; nothing when it is lost already."""
        ...


class Coordinator(Protocol):
    """Records by path. Every call raises Transient where the service does not answer in time."""

    def session(self) -> Session:
        """The state of the session now."""
        ...

    def read(self, path: str) -> Versioned | None:
        """The record, or None."""
        ...

    def children(self, path: str) -> tuple[str, ...]:
        """The names below a path, sorted; none where the path is not there."""
        ...

    def commit(self, *changes: Put | Delete) -> None:
        """All or nothing.

        Missing parents are made. Raises Conflict where a version is not the one named, UserError over 256 KiB.
        """
        ...

    def delete_tree(self, path: str) -> bool:
        """The record and all below it; False where there is none."""
        ...

    def lock(self, path: str, holder: Holder, wait: float, on_wait: Callable[[Holder], None]) -> Fence:
        """Take the lock, waiting up to ``wait`` seconds.

        A holder on this machine whose process is dead is put aside at once.

        Raises Conflict naming the holder when the time is up.
        """
        ...

    def watch(self, path: str, on_change: Callable[[], None]) -> Callable[[], None]:
        """Call back after changes at the path or to its children; returns how to stop."""
        ...

    def close(self) -> None:
        """End the session; locks go with it."""
        ...
