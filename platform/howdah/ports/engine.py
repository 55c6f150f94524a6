"""The Engine port: a host's container engine."""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from howdah.units import Bytes


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the host in a container. A missing source is an error, never created."""

    source: str
    target: str
    is_read_only: bool = False


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network of one cluster. ``dynamic_range`` is the part of the subnet for what comes and goes."""

    name: str
    subnet: str
    gateway: str
    dynamic_range: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NetworkState:
    """A network as the engine has it; ``subnets`` in CIDR form."""

    name: str
    subnets: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InstanceSpec:
    """Everything an engine needs to run one container. Security is not an option: it is the same for all of them.

    Every container runs with all capabilities dropped, no-new-privileges, a read-only root, a tmpfs on /tmp and a
    bounded log.
    ``stop_timeout`` is in seconds. ``user`` is ``uid:gid``.
    """

    name: str
    image: str
    command: tuple[str, ...]
    hostname: str
    network: str
    labels: Mapping[str, str]
    memory: Bytes
    address: str = ""
    aliases: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    cpus: float | None = None
    pids: int = 4096
    tmp_size: Bytes = Bytes(256 * 2**20)
    stop_timeout: int = 20
    user: str = "10001:10001"


class Phase(StrEnum):
    """What an engine says of a container."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    EXITED = "exited"


@dataclass(frozen=True, slots=True)
class InstanceState:
    """A container as the engine has it. ``started_at`` tells one run of it from the next (the engine's own text)."""

    name: str
    phase: Phase
    labels: Mapping[str, str]
    image: str = ""
    address: str = ""
    started_at: str = ""
    exit_code: int | None = None
    was_out_of_memory: bool = False


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command in a container left behind."""

    exit_code: int
    stdout: bytes
    stderr: bytes


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the host has. ``memory`` in bytes, ``cgroup`` is 1 or 2."""

    engine_version: str
    api_version: str
    architecture: str
    operating_system: str
    cpus: int
    memory: Bytes
    cgroup: int
    storage_driver: str


@dataclass(frozen=True, slots=True)
class ImageState:
    """An image as the engine has it.

    ``size`` counts shared layers too. ``layers`` are the digests of the file system.
    """

    reference: str
    digest: str
    size: Bytes
    layers: tuple[str, ...]
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Usage:
    """What a container uses now: bytes of memory without the page cache, and CPU seconds since it started."""

    memory: Bytes
    cpu_seconds: float


Lines = Callable[[str], None]
"""Where progress goes, a line at a time."""


class Engine(Protocol):
    """A container engine.

    Verbs are idempotent and return whether they changed anything. All of them raise Transient where the engine does
    not answer, and
    Failed with the engine's own words where it refuses. Creating under a name that something else has raises Conflict.
    """

    def capacity(self) -> Capacity:
        """What the host has."""
        ...

    def ensure_network(self, spec: NetworkSpec) -> bool:
        """Make the network. Raises UserError where the subnet overlaps another, naming its owner."""
        ...

    def networks(self) -> tuple[NetworkState, ...]:
        """Every network of the engine, ours or not."""
        ...

    def remove_network(self, name: str) -> bool:
        """Remove it; False where there was none."""
        ...

    def ensure_instance(self, spec: InstanceSpec) -> bool:
        """Create the container and start it, or start it again. The same name with other labels is a Conflict."""
        ...

    def run_once(self, spec: InstanceSpec, timeout: float) -> ExecResult:
        """Run a container to its end and remove it."""
        ...

    def stop(self, name: str, timeout: int) -> bool:
        """Ask it to end, kill it after ``timeout`` seconds. False where it was not running or is not there."""
        ...

    def remove(self, name: str) -> bool:
        """Kill and remove it; False where there was none."""
        ...

    def list(self, labels: Mapping[str, str]) -> tuple[InstanceState, ...]:
        """Every container, running or not, that has all these labels (an empty value matches any)."""
        ...

    def exec(
        self,
        name: str,
        argv: tuple[str, ...],
        *,
        stdin: bytes = b"",
        user: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """Run a command in a running container and wait for its end."""
        ...

    def exec_stream(self, name: str, argv: tuple[str, ...], *, user: str = "") -> "ExecStream":
        """Start a command in a running container and follow it."""
        ...

    def shell(self, name: str, argv: tuple[str, ...]) -> int:
        """Join this process's terminal to a command in the container; returns its exit code."""
        ...

    def logs(self, name: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """The container's output, a line at a time, without line ends."""
        ...

    def usage(self, name: str) -> Usage:
        """What it uses now."""
        ...

    def dial(self, name: str, port: int) -> socket.socket:
        """A byte stream to a port inside the container.

        Straight where a route exists, else relayed through the engine's API.

        Raises Transient where nothing listens or the container does not run.
        """
        ...

    def has_route(self, name: str) -> bool:
        """Whether this machine reaches the container's address itself."""
        ...

    def open_helper(self, root: str) -> "Helper":
        """Start the one container that may do root's work on the host.

        ``root`` is made if need be, mounted at its path.
        """
        ...

    def image(self, reference: str) -> ImageState | None:
        """The image, or None."""
        ...

    def images(self, label: str) -> tuple[ImageState, ...]:
        """Every image that carries the label."""
        ...

    def build_image(
        self,
        reference: str,
        context: Path,
        *,
        dockerfile: str,
        target: str,
        arguments: Mapping[str, str],
        labels: Mapping[str, str],
        progress: Lines,
    ) -> None:
        """Build a folder with one of its Dockerfiles (a path inside it).

        Raises Failed with the last lines of output.
        """
        ...

    def import_image(self, reference: str, rootfs: Path, *, changes: Iterable[str], labels: Mapping[str, str]) -> None:
        """Make an image of a root file system in a tar file."""
        ...

    def pull_image(self, reference: str, progress: Lines) -> None:
        """Fetch it from a registry. Raises Failed where it cannot be had."""
        ...

    def remove_image(self, reference: str) -> bool:
        """Remove it; False where there was none."""
        ...


class ExecStream(Protocol):
    """A command that runs: its output as it comes, then its exit code."""

    def __iter__(self) -> Iterator[tuple[bool, bytes]]:
        """Pairs of (is standard error, bytes)."""
        ...

    def exit_code(self) -> int:
        """After the last output."""
        ...

    def write(self, data: bytes) -> None:
        """To its standard input."""
        ...

    def close_stdin(self) -> None:
        """End its standard input."""
        ...


class Helper(Protocol):
    """Root's work on one host for the length of one plan.

    It is removed when closed, and by itself after ten minutes.
    """

    def call(self, program: str, request: bytes) -> bytes:
        """Run a Python program with the request on its standard input. Raises Failed with its standard error."""
        ...

    def close(self) -> None:
        """Remove it."""
        ...
