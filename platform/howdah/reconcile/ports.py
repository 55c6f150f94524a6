"""What the reconciler holds of each host, and of the outside as a whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from howdah.clock import Clock
from howdah.planning.containers import Images
from howdah.ports.engine import Engine
from howdah.ports.probe import Probe
from howdah.ports.volumes import Volumes


class ImageSource(Protocol):
    """Where images come from (howdah.imaging)."""

    def references(self, hadoop: str, spark: str | None) -> Images:
        """The references of the images for these versions, without looking for them."""
        ...

    def helper(self) -> str:
        """The reference of the image that the helper container is made of."""
        ...

    def ensure(self, kind: str, reference: str, progress: Callable[[str], None]) -> bool:
        """Have it on the host: found, pulled or built. Returns whether anything was done."""
        ...


@dataclass(frozen=True, slots=True)
class HostPorts:
    """The ports of one host."""

    engine: Engine
    volumes: Volumes
    probe: Probe
    images: ImageSource


@dataclass(frozen=True, slots=True)
class Outside:
    """Every host by name, and the time."""

    hosts: Mapping[str, HostPorts]
    clock: Clock

    def close(self) -> None:
        """Give back what the hosts hold for us."""
        for host in self.hosts.values():
            host.volumes.close()
