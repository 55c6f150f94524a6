"""An engine in memory, with the behaviour of the Docker one, for tests: whole clusters in milliseconds.

One object is the host and the client at once: it stays when a test kills what uses it. Programs do not run; what they
would have done is up to the test: ``on_start``, ``on_run``, ``on_exec`` and ``on_dial``.
"""

import hashlib
import ipaddress
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from howdah.engines.memory_commands import MemoryExecStream, MemoryHelper
from howdah.errors import Conflict, Failed, NotFound, Refused, Transient, UserError
from howdah.ports.engine import (
    Capacity,
    ExecResult,
    ImageState,
    InstanceSpec,
    InstanceState,
    Lines,
    NetworkSpec,
    NetworkState,
    Phase,
    Usage,
)
from howdah.units import Bytes

Serve = Callable[[socket.socket], None]
TERMINATED = 143


@dataclass
class MemoryContainer:
    """A container: what was asked for, and how it is."""

    spec: InstanceSpec
    phase: Phase = Phase.CREATED
    address: str = ""
    started_at: str = ""
    exit_code: int | None = None
    was_out_of_memory: bool = False
    lines: list[str] = field(default_factory=list)


class MemoryEngine:
    """The Engine port in memory, safe to use from several threads.

    ``exists`` says whether a mount's source is there (``MemoryVolumes.exists``). A test may set the other attributes:
    ``is_down`` makes every call Transient; ``on_start`` returns the exit code with which a container ends at once, or
    None; ``on_run`` and ``on_exec`` answer for programs; ``on_dial`` returns what serves a port's end of a connection,
    in a thread of its own, or None where nothing listens.
    """

    def __init__(
        self,
        *,
        exists: Callable[[str], bool] = os.path.exists,
        images: Iterable[str] = (),
        memory: Bytes = Bytes(64 * 2**30),
        cpus: int = 16,
    ) -> None:
        self.exists = exists
        self.is_down = False
        self.on_start: Callable[[InstanceSpec], int | None] = lambda spec: None
        self.on_run: Callable[[InstanceSpec], ExecResult] = lambda spec: ExecResult(0, b"", b"")
        self.on_exec: Callable[[str, tuple[str, ...], bytes], ExecResult] = lambda name, argv, stdin: ExecResult(
            0, b"", b""
        )
        self.on_dial: Callable[[str, int], Serve | None] = lambda name, port: None
        self.memory, self.cpus = memory, cpus
        self.containers: dict[str, MemoryContainer] = {}
        self.network_specs: dict[str, NetworkSpec] = {}
        self.known_images: dict[str, ImageState] = {}
        self._starts = 0
        self._lock = threading.RLock()
        for reference in images:
            self.add_image(reference)

    # What only a test does

    def add_image(self, reference: str, labels: Mapping[str, str] | None = None) -> None:
        """As if it had been built."""
        digest = "sha256:" + hashlib.sha256(reference.encode()).hexdigest()
        self.known_images[reference] = ImageState(reference, digest, Bytes(2**28), (digest,), dict(labels or {}))

    def crash(self, name: str, exit_code: int = 1, *, out_of_memory: bool = False) -> None:
        """Its process ends by itself."""
        with self._lock:
            self._end(self.containers[name], exit_code)
            self.containers[name].was_out_of_memory = out_of_memory

    def leave_created(self, spec: InstanceSpec) -> None:
        """As after a kill between create and start."""
        with self._lock:
            self.containers[spec.name] = MemoryContainer(spec)

    # The port

    def capacity(self) -> Capacity:
        """What the host has."""
        with self._answering():
            return Capacity("20.10.24", "1.41", "x86_64", "Memory", self.cpus, self.memory, 1, "memory")

    def ensure_network(self, spec: NetworkSpec) -> bool:
        """Make the network. Raises UserError where the subnet overlaps another, naming its owner."""
        with self._answering():
            existing = self.network_specs.get(spec.name)
            if existing is not None:
                if dict(existing.labels) != dict(spec.labels) or existing.subnet != spec.subnet:
                    raise Conflict(
                        f"network {spec.name} is there with labels {dict(existing.labels)} and subnet "
                        f"{existing.subnet}, wanted with {dict(spec.labels)} and {spec.subnet}",
                        fix="remove it if nothing needs it",
                    )
                return False
            wanted = ipaddress.ip_network(spec.subnet)
            for other in self.network_specs.values():
                if wanted.overlaps(ipaddress.ip_network(other.subnet)):
                    raise UserError(
                        f"subnet {spec.subnet} of network {spec.name} is taken: "
                        f"network {other.name} has {other.subnet}",
                        fix="choose another subnet",
                    )
            self.network_specs[spec.name] = spec
            return True

    def networks(self) -> tuple[NetworkState, ...]:
        """Every network."""
        with self._answering():
            specs = sorted(self.network_specs.values(), key=lambda spec: spec.name)
            return tuple(NetworkState(spec.name, (spec.subnet,), dict(spec.labels)) for spec in specs)

    def remove_network(self, name: str) -> bool:
        """Remove it; False where there was none."""
        with self._answering():
            users = [one.spec.name for one in self._running() if one.spec.network == name]
            if users:
                fix = "remove those containers first"
                raise Failed(f"network {name} is still used by {', '.join(sorted(users))}", fix=fix)
            return self.network_specs.pop(name, None) is not None

    def ensure_instance(self, spec: InstanceSpec) -> bool:
        """Create the container and start it, or start it again. The same name with other labels is a Conflict."""
        with self._answering():
            existing = self.containers.get(spec.name)
            if existing is not None:
                self._check_labels(existing, spec)
                if existing.phase is Phase.RUNNING:
                    return False
            self._check_image(spec)
            self._check_mounts(spec)
            address = self._free_address(spec)
            container = self.containers.setdefault(spec.name, MemoryContainer(spec))
            container.address = address
            self._starts += 1
            container.phase, container.exit_code, container.was_out_of_memory = Phase.RUNNING, None, False
            container.started_at = f"2000-01-01T00:00:00.{self._starts:09d}Z"
            exit_code = self.on_start(spec)
            if exit_code is not None:
                self._end(container, exit_code)
            return True

    def run_once(self, spec: InstanceSpec, timeout: float) -> ExecResult:
        """Run a container to its end and remove it."""
        with self._answering():
            existing = self.containers.get(spec.name)
            if existing is not None:
                self._check_labels(existing, spec)
                del self.containers[spec.name]
            self._check_image(spec)
            self._check_mounts(spec)
            self.containers[spec.name] = MemoryContainer(spec, Phase.RUNNING, self._free_address(spec))
        try:
            return self.on_run(spec)
        finally:
            with self._lock:
                self.containers.pop(spec.name, None)

    def stop(self, name: str, timeout: int) -> bool:
        """Ask it to end. False where it was not running or is not there."""
        with self._answering():
            container = self.containers.get(name)
            if container is None or container.phase is not Phase.RUNNING:
                return False
            self._end(container, TERMINATED)
            return True

    def remove(self, name: str) -> bool:
        """Kill and remove it; False where there was none."""
        with self._answering():
            return self.containers.pop(name, None) is not None

    def list(self, labels: Mapping[str, str]) -> tuple[InstanceState, ...]:
        """Every container that has all these labels (an empty value matches any)."""
        with self._answering():
            return tuple(
                InstanceState(
                    name,
                    one.phase,
                    dict(one.spec.labels),
                    one.spec.image,
                    one.address or one.spec.address,
                    one.started_at,
                    one.exit_code,
                    one.was_out_of_memory,
                )
                for name, one in sorted(self.containers.items())
                if all(key in one.spec.labels and value in ("", one.spec.labels[key]) for key, value in labels.items())
            )

    def exec(
        self,
        name: str,
        argv: tuple[str, ...],
        *,
        stdin: bytes = b"",
        user: str = "",
        environment: Mapping[str, str] | None = None,
    ) -> ExecResult:
        """What ``on_exec`` answers."""
        with self._answering():
            if name not in self.containers:
                raise NotFound(f"run {argv[0]} in container {name}: there is no such container")
            self._check_running(name)
        return self.on_exec(name, argv, stdin)

    def exec_stream(self, name: str, argv: tuple[str, ...], *, user: str = "") -> MemoryExecStream:
        """What ``on_exec`` answers, once its standard input has ended."""
        with self._answering():
            if name not in self.containers:
                raise NotFound(f"run {argv[0]} in container {name}: there is no such container")
            self._check_running(name)
        return MemoryExecStream(lambda stdin: self.on_exec(name, argv, stdin))

    def shell(self, name: str, argv: tuple[str, ...]) -> int:
        """The exit code of what ``on_exec`` answers."""
        return self.exec(name, argv).exit_code

    def logs(self, name: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """The container's ``lines``."""
        with self._answering():
            if name not in self.containers:
                raise NotFound(f"there is no container {name}")
            lines = list(self.containers[name].lines)
            return iter(lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])

    def usage(self, name: str) -> Usage:
        """A quarter of its limit, and a second."""
        with self._answering():
            if name not in self.containers:
                raise NotFound(f"there is no container {name}")
            return Usage(Bytes(self.containers[name].spec.memory // 4), 1.0)

    def dial(self, name: str, port: int) -> socket.socket:
        """One end of a pair whose other end ``on_dial`` serves. Raises Transient where nothing listens."""
        with self._answering():
            self._check_running(name)
        serve = self.on_dial(name, port)
        if serve is None:
            raise Transient(f"container {name} does not answer on port {port}: nothing listens")
        ours, theirs = socket.socketpair()

        def serving() -> None:
            with theirs, suppress(OSError):
                serve(theirs)

        threading.Thread(target=serving, name=f"{name}:{port}", daemon=True).start()
        return ours

    def has_route(self, name: str) -> bool:
        """Never: there is no network."""
        with self._answering():
            self._check_running(name)
            return False

    def open_helper(self, root: str) -> MemoryHelper:
        """Runs programs on this machine, as this user."""
        with self._answering():
            Path(root).mkdir(parents=True, exist_ok=True)
            return MemoryHelper(self.check_answers)

    def image(self, reference: str) -> ImageState | None:
        """The image, or None."""
        with self._answering():
            return self.known_images.get(reference)

    def images(self, label: str) -> tuple[ImageState, ...]:
        """Every image that carries the label."""
        with self._answering():
            return tuple(one for _, one in sorted(self.known_images.items()) if label in one.labels)

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
        """It is there afterwards."""
        with self._answering():
            if not (context / dockerfile).is_file():
                raise NotFound(f"there is no {dockerfile} in {context}")
            self.add_image(reference, labels)
            progress(f"Successfully tagged {reference}")

    def import_image(self, reference: str, rootfs: Path, *, changes: Iterable[str], labels: Mapping[str, str]) -> None:
        """It is there afterwards."""
        with self._answering():
            if not rootfs.is_file():
                raise NotFound(f"there is no root file system {rootfs}")
            self.add_image(reference, labels)

    def pull_image(self, reference: str, progress: Lines) -> None:
        """There is no registry."""
        with self._answering():
            raise Failed(f"pull image {reference}: there is no registry")

    def remove_image(self, reference: str) -> bool:
        """Remove it; False where there was none."""
        with self._answering():
            return self.known_images.pop(reference, None) is not None

    def check_answers(self) -> None:
        """Raises Transient while ``is_down``."""
        if self.is_down:
            raise Transient("the engine in memory does not answer", fix="start the engine")

    def _answering(self) -> threading.RLock:
        self.check_answers()
        return self._lock

    def _running(self) -> Iterator[MemoryContainer]:
        return (one for one in self.containers.values() if one.phase is Phase.RUNNING)

    def _check_running(self, name: str) -> None:
        container = self.containers.get(name)
        if container is None:
            raise Transient(f"container {name} is not there", fix="start it")
        if container.phase is not Phase.RUNNING:
            raise Transient(f"container {name} does not run", fix="start it")

    def _check_labels(self, existing: MemoryContainer, spec: InstanceSpec) -> None:
        if dict(existing.spec.labels) != dict(spec.labels):
            raise Conflict(
                f"container {spec.name} is there with labels {dict(existing.spec.labels)}, "
                f"wanted with {dict(spec.labels)}",
                fix="remove it if nothing needs it",
            )

    def _check_image(self, spec: InstanceSpec) -> None:
        if spec.image not in self.known_images:
            fix = "howdah image build"
            raise NotFound(f"image {spec.image} of container {spec.name} is not on the engine", fix=fix)

    def _check_mounts(self, spec: InstanceSpec) -> None:
        for mount in spec.mounts:
            if not self.exists(mount.source):
                raise Refused(
                    f"container {spec.name} needs the folder {mount.source}, which is not on the host",
                    fix="find out what removed it: an empty one in its place would hide the loss",
                )

    def _free_address(self, spec: InstanceSpec) -> str:
        """The fixed address, or the next of the dynamic range. Only running containers hold theirs, as in Docker."""
        if not spec.network:
            return ""
        network = self.network_specs.get(spec.network)
        if network is None:
            fix = "run the same command again"
            raise NotFound(f"container {spec.name}: network {spec.network} not found", fix=fix)
        taken = {one.address: one.spec.name for one in self._running() if one.spec.network == spec.network}
        if not spec.address:
            hosts = (str(one) for one in ipaddress.ip_network(network.dynamic_range).hosts())
            return next(one for one in hosts if one not in taken and one != network.gateway)
        if spec.address in taken:
            owner = taken[spec.address]
            raise Conflict(
                f"address {spec.address} of container {spec.name} is in use on network {spec.network} "
                f"by container {owner}",
                fix=f"remove {owner} if nothing needs it",
            )
        if ipaddress.ip_address(spec.address) not in ipaddress.ip_network(network.subnet):
            raise Failed(f"address {spec.address} of container {spec.name} is not in {network.subnet}")
        return spec.address

    @staticmethod
    def _end(container: MemoryContainer, exit_code: int) -> None:
        container.phase, container.exit_code = Phase.EXITED, exit_code
