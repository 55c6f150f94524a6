"""The Probe port: what the daemons say of themselves. Readings, never an exception for "not there yet"."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NameNodeReading:
    """From the NameNode's JMX. ``live`` are the host names of live DataNodes; ``checkpoint_age`` in seconds."""

    is_active: bool
    safe_mode: str
    live: frozenset[str]
    dead: frozenset[str]
    missing_blocks: int
    under_replicated: int
    cluster_id: str
    block_pool_id: str
    capacity: int
    used: int
    files: int
    checkpoint_age: int | None


@dataclass(frozen=True, slots=True)
class ResourceManagerReading:
    """From the ResourceManager's REST API. ``running`` are the host names of NodeManagers in state RUNNING."""

    is_started: bool
    running: frozenset[str]
    unhealthy: frozenset[str]
    applications: int


@dataclass(frozen=True, slots=True)
class NotYet:
    """The daemon did not give a reading, and why, in a few words."""

    why: str


class Probe(Protocol):
    """Asks daemons by container name; each call is bounded by a time-out of its own, in seconds."""

    def namenode(self, container: str) -> NameNodeReading | NotYet:
        """What the NameNode says."""
        ...

    def resourcemanager(self, container: str) -> ResourceManagerReading | NotYet:
        """What the ResourceManager says."""
        ...

    def round_trip(self, namenode: str) -> NotYet | None:
        """Write a block into HDFS, read it back and remove it. None when it came back the same."""
        ...

    def answers(self, container: str, port: int) -> NotYet | None:
        """None when something accepts connections there."""
        ...
