"""The Engine port on a Docker Engine."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from howdah.engines.docker import bodies, dialing, execution, images, instances, networks
from howdah.engines.docker.connection import Connection
from howdah.engines.docker.execution import DockerExecStream
from howdah.engines.docker.helper import DockerHelper
from howdah.errors import UserError
from howdah.ports.engine import (
    Capacity,
    ExecResult,
    ImageState,
    InstanceSpec,
    InstanceState,
    Lines,
    NetworkSpec,
    NetworkState,
    Usage,
)
from howdah.units import Bytes

Route = Literal["auto", "relay"]
"""How ``dial`` goes: straight where there is a route, or always through the engine."""


def _no_image() -> str:
    raise UserError("no image was named for root's work on the host", fix="howdah image build")


class DockerEngine:
    """A Docker Engine, safe to use from several threads. Connects at the first call.

    ``address`` is as in DOCKER_HOST; without one, the docker command line's own rules apply (``find_address``).
    ``helper_image`` names an image with Python 3.11 or later.
    """

    def __init__(
        self,
        address: str = "",
        *,
        environment: Mapping[str, str] = os.environ,
        route: Route = "auto",
        helper_image: Callable[[], str] = _no_image,
    ) -> None:
        self.helper_image = helper_image
        self._engine = Connection(address, environment)
        self._route = route
        self._routes = dialing.Routes()

    @property
    def address(self) -> str:
        """Where the engine is."""
        return self._engine.address.url

    def capacity(self) -> Capacity:
        """What the host has."""
        info = self._engine.ask("ask the engine about its host", lambda client: client.info())
        version = self._engine.ask("ask the engine about itself", lambda client: client.version())
        return Capacity(
            engine_version=version["Version"],
            api_version=version["ApiVersion"],
            architecture=info["Architecture"],
            operating_system=info["OperatingSystem"],
            cpus=info["NCPU"],
            memory=Bytes(info["MemTotal"]),
            cgroup=int(info.get("CgroupVersion") or 1),
            storage_driver=info["Driver"],
        )

    def ensure_network(self, spec: NetworkSpec) -> bool:
        """Make the network. Raises UserError where the subnet overlaps another, naming its owner."""
        return networks.ensure_network(self._engine, spec)

    def networks(self) -> tuple[NetworkState, ...]:
        """Every network of the engine, ours or not."""
        return networks.networks(self._engine)

    def remove_network(self, name: str) -> bool:
        """Remove it; False where there was none."""
        return networks.remove_network(self._engine, name)

    def ensure_instance(self, spec: InstanceSpec) -> bool:
        """Create and start the container, or start it again. The same name with other labels is a Conflict."""
        return instances.ensure_instance(self._engine, spec)

    def run_once(self, spec: InstanceSpec, timeout: float) -> ExecResult:
        """Run a container to its end and remove it."""
        return instances.run_once(self._engine, spec, timeout)

    def stop(self, name: str, timeout: int) -> bool:
        """Ask it to end, kill it after ``timeout`` seconds. False where it was not running or is gone."""
        return instances.stop(self._engine, name, timeout)

    def remove(self, name: str) -> bool:
        """Kill and remove it; False where there was none."""
        return instances.remove(self._engine, name)

    def list(self, labels: Mapping[str, str]) -> tuple[InstanceState, ...]:
        """Every container, running or not, that has all these labels (an empty value matches any)."""
        return instances.list_instances(self._engine, labels)

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
        return execution.run(self._engine, name, argv, stdin, user, environment)

    def exec_stream(self, name: str, argv: tuple[str, ...], *, user: str = "") -> DockerExecStream:
        """Start a command in a running container and follow it."""
        return DockerExecStream(self._engine, *execution.start(self._engine, name, argv, stdin=True, user=user))

    def shell(self, name: str, argv: tuple[str, ...]) -> int:
        """Join this process's terminal to a command in the container; returns its exit code."""
        return execution.shell(self._engine, name, argv)

    def logs(self, name: str, *, follow: bool = False, tail: int | None = None) -> Iterator[str]:
        """The container's output, a line at a time, without line ends."""
        return instances.logs(self._engine, name, follow, tail)

    def usage(self, name: str) -> Usage:
        """What it uses now."""
        return instances.usage(self._engine, name)

    def dial(self, name: str, port: int) -> socket.socket:
        """A byte stream to a port inside the container: straight where a route exists, else relayed."""
        found = dialing.running(self._engine, name)
        if self._route == "auto" and self._routes.has_route(self._engine, found):
            return dialing.straight(name, bodies.address(found), port)
        return dialing.relayed(self._engine, name, found, port)

    def has_route(self, name: str) -> bool:
        """Whether this machine reaches the container's address itself."""
        return self._route == "auto" and self._routes.has_route(self._engine, dialing.running(self._engine, name))

    def open_helper(self, root: str) -> DockerHelper:
        """Start the one container that may do root's work, with ``root`` (created if need be) mounted at its path."""
        return DockerHelper(self._engine, self.helper_image(), root)

    def image(self, reference: str) -> ImageState | None:
        """The image, or None."""
        return images.image(self._engine, reference)

    def images(self, label: str) -> tuple[ImageState, ...]:
        """Every image that carries the label."""
        return images.images(self._engine, label)

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
        """Build a folder with one of its Dockerfiles. Raises Failed with the last lines of output."""
        how = images.Build(reference, context, dockerfile, target, arguments, labels)
        images.build_image(self._engine, how, progress)

    def import_image(self, reference: str, rootfs: Path, *, changes: Iterable[str], labels: Mapping[str, str]) -> None:
        """Make an image of a root file system in a tar file."""
        images.import_image(self._engine, reference, rootfs, changes, labels)

    def pull_image(self, reference: str, progress: Lines) -> None:
        """Fetch it from a registry. Raises Failed where it cannot be had."""
        images.pull_image(self._engine, reference, progress)

    def remove_image(self, reference: str) -> bool:
        """Remove it; False where there was none."""
        return images.remove_image(self._engine, reference)
