"""The composition root: the only place that names adapters."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from howdah.clock import Clock, SystemClock
from howdah.clusters import Clusters
from howdah.coordination.memory import MemoryCoordinator, MemoryService
from howdah.coordination.records import Records
from howdah.coordination.zookeeper import Credentials, ZooKeeperCoordinator
from howdah.engines.docker import DockerEngine
from howdah.errors import UserError
from howdah.imaging.builder import ImageSettings
from howdah.imaging.certificates import added_certificates
from howdah.imaging.shelf import Shelf
from howdah.model.layout import DEFAULT_ROOT
from howdah.planning.adoption import Adoption
from howdah.planning.registry import PORT, REGISTRY
from howdah.ports.coordinator import Coordinator
from howdah.probes.daemons import DaemonProbe
from howdah.reconcile.loop import Reconciler
from howdah.reconcile.ports import HostPorts, Outside
from howdah.reconcile.progress import Progress
from howdah.reconcile.registry import Registry
from howdah.volumes.plain import PlainVolumes

LOCAL = "local"
"""The name of the one host of an installation without an inventory."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are, from the environment; see docs/reference/environment.md.

    ``zookeeper`` is ``host:port[,host:port]`` of a registry of one's own, ``credentials`` a file with
    ``user:password`` for it.
    """

    zookeeper: str = ""
    credentials: str = ""
    route: Literal["auto", "relay"] = "auto"
    image_registry: str = ""
    debian_mirror: str = ""
    root: str = DEFAULT_ROOT

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the variables. Raises UserError for a value that means nothing."""
        route = environment.get("HOWDAH_DIAL", "auto")
        if route not in ("auto", "relay"):
            raise UserError(f"HOWDAH_DIAL is {route!r}", fix="auto (the default) or relay")
        root = environment.get("HOWDAH_ROOT", DEFAULT_ROOT)
        if not root.startswith("/") or root == "/":
            raise UserError(f"HOWDAH_ROOT is {root!r}", fix="an absolute path of a folder on the engine's host")
        return cls(
            zookeeper=environment.get("HOWDAH_ZOOKEEPER", ""),
            credentials=environment.get("HOWDAH_ZOOKEEPER_CREDENTIALS", ""),
            route="relay" if route == "relay" else "auto",
            image_registry=environment.get("HOWDAH_REGISTRY", ""),
            debian_mirror=environment.get("HOWDAH_DEBIAN_MIRROR", ""),
            root=root.rstrip("/"),
        )


class Installation:
    """Everything wired together, made at first use and closed at the end."""

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings.of(os.environ)
        self.clock = clock or SystemClock()
        self._records: Records | None = None

    @cached_property
    def engine(self) -> DockerEngine:
        """The engine the user points at: DOCKER_HOST, the context, the socket."""
        return DockerEngine(route=self.settings.route)

    @cached_property
    def images(self) -> Shelf:
        """Where images come from."""
        settings = ImageSettings(
            registry=self.settings.image_registry,
            mirror=self.settings.debian_mirror,
            certificates=added_certificates(os.environ),
        )
        return Shelf(self.engine, settings, self.clock)

    @cached_property
    def host(self) -> HostPorts:
        """The ports of the one host."""
        self.engine.helper_image = self.images.helper
        volumes = PlainVolumes(self.engine, self.settings.root)
        return HostPorts(self.engine, volumes, DaemonProbe(self.engine, self.clock), self.images)

    @cached_property
    def outside(self) -> Outside:
        """Every host, and the time."""
        return Outside({LOCAL: self.host}, self.clock)

    def records(self) -> Records:
        """The records as they are; empty ones where there is no registry yet. Raises Refused where it was lost."""
        if self._records is None:
            found = self._own_registry() if self.settings.zookeeper else self._registry.find()
            if found is None:
                return Records(MemoryCoordinator(MemoryService()))
            self._records = found
        return self._records

    def records_to_change(self, progress: Progress) -> Records:
        """The records; the embedded registry is started where need be."""
        self._registry.prepare(progress)
        if self._records is None:
            found = self._own_registry() if self.settings.zookeeper else self._registry.find_or_start(progress)
            found.initialise()
            self._records = found
        return self._records

    def adopt(self, progress: Progress) -> Adoption:
        """Rebuild the embedded registry's records."""
        if self.settings.zookeeper:
            raise UserError(
                "HOWDAH_ZOOKEEPER names a registry of your own", fix="unset it to adopt into the embedded one"
            )
        return self._registry.adopt(progress)

    def reconciler(self, records: Records) -> Reconciler:
        """What brings clusters from what is to what should be."""
        return Reconciler(self.outside, records)

    def clusters(self, records: Records) -> Clusters:
        """The verbs on clusters."""
        return Clusters(self.reconciler(records))

    def close(self) -> None:
        """End the session and give back the helper."""
        if self._records is not None:
            self._records.coordinator.close()
        if "host" in self.__dict__:
            self.host.volumes.close()

    @property
    def _registry(self) -> Registry:
        return Registry(LOCAL, self.host, self.clock, self._connect)

    def _connect(self, credentials: str) -> Coordinator:
        def dial(_host: str, _port: int) -> socket.socket:
            return self.engine.dial(REGISTRY, PORT)

        return ZooKeeperCoordinator(f"{REGISTRY}:{PORT}", _credentials(credentials, REGISTRY), dial=dial)

    def _own_registry(self) -> Records:
        path = self.settings.credentials
        if not path:
            raise UserError(
                "HOWDAH_ZOOKEEPER is set without HOWDAH_ZOOKEEPER_CREDENTIALS", fix="name a file with user:password"
            )
        try:
            credentials = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise UserError(f"the credentials in {path} cannot be read: {error.strerror}") from None
        found = Records(ZooKeeperCoordinator(self.settings.zookeeper, _credentials(credentials, path)))
        try:
            if not found.is_initialised():
                self._registry.check_new()
        except BaseException:
            found.coordinator.close()
            raise
        return found


def _credentials(text: str, place: str) -> Credentials:
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise UserError("the credentials are not of the form user:password", place=place)
    return Credentials(user, password)
