"""What is really there: read from the engines and the volumes at one moment, never remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from howdah.model.cluster import Endpoint
from howdah.model.layout import HostLayout
from howdah.model.storage import FoundVolume, Survey
from howdah.ports.engine import InstanceState, NetworkState

LABEL_CLUSTER = "howdah.cluster"
LABEL_ROLE = "howdah.role"
LABEL_INSTANCE = "howdah.instance"
LABEL_INCARNATION = "howdah.incarnation"
LABEL_BUNDLE = "howdah.bundle"
ONE_OFF = "format"
"""The role label of containers that run once and are removed."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """A host that did not answer. It is not an empty host."""

    cause: str


@dataclass(frozen=True, slots=True)
class HostState:
    """A host that answered."""

    layout: HostLayout
    survey: Survey
    instances: tuple[InstanceState, ...] = ()
    networks: tuple[NetworkState, ...] = ()


@dataclass(frozen=True, slots=True)
class Observed:
    """Every host a cluster has to do with, and the endpoints that are on record."""

    hosts: Mapping[str, HostState | Unknown]
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)

    def known(self, host: str) -> HostState | None:
        """The host, or None where it is Unknown or not in the inventory."""
        state = self.hosts.get(host)
        return state if isinstance(state, HostState) else None

    def instance(self, host: str, container: str) -> InstanceState | None:
        """The container of that name on a host that answered."""
        state = self.known(host)
        return next((i for i in state.instances if i.name == container), None) if state else None

    def volume(self, host: str, uuid: str) -> FoundVolume | None:
        """The volume on a host that answered."""
        state = self.known(host)
        return state.survey.volume(uuid) if state else None
