"""A cluster's records, and the desired state that follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Network

from howdah.model.definition import Definition, Group
from howdah.model.roles import ROLES, Role, RoleTraits
from howdah.model.storage import DataSet
from howdah.units import Bytes

DOMAIN = "howdah"


class ClusterPhase(StrEnum):
    """Where a cluster is meant to be, and whether it got there."""

    LAUNCHING = "LAUNCHING"
    READY = "READY"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    DELETING = "DELETING"

    @property
    def wants_instances(self) -> bool:
        """Whether its instances are meant to run."""
        return self in (ClusterPhase.LAUNCHING, ClusterPhase.READY)


@dataclass(frozen=True, slots=True)
class Network:
    """A cluster's own network, in CIDR form.

    Fixed addresses come from the lower half, what comes and goes from the upper.
    """

    name: str
    subnet: str
    gateway: str
    dynamic_range: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """The record of a cluster.

    ``definition`` is the text that ``howdah export`` prints and ``launch`` accepts. ``label`` is what names and
    addresses are made
    of, fixed at creation. ``destroys_data`` is set by a delete that named the data. Times are UTC in ISO 8601.
    """

    name: str
    uuid: str
    label: str
    generation: int
    definition: str
    data_set: str
    phase: ClusterPhase
    network: Network
    created_at: str
    cause: str = ""
    expires_at: str = ""
    destroys_data: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """The record of an instance: where it is, and the number that nothing lower may act under."""

    instance: str
    role: Role
    group: str
    host: str
    address: str
    incarnation: int
    volume: str = ""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A ready instance as clients find it.

    It holds for one run of the container, the one that began at ``started_at``.
    """

    instance: str
    host: str
    name: str
    address: str
    ports: Mapping[str, int]
    started_at: str


@dataclass(frozen=True, slots=True)
class Instance:
    """One member of a role, with the settings of its group: what is wanted of it."""

    assignment: Assignment
    settings: Group
    cluster: str
    label: str

    @property
    def name(self) -> str:
        """``dn1``."""
        return self.assignment.instance

    @property
    def role(self) -> Role:
        """Its role."""
        return self.assignment.role

    @property
    def traits(self) -> RoleTraits:
        """What is fixed about its role."""
        return ROLES[self.assignment.role]

    @property
    def container(self) -> str:
        """The container's name on the engine."""
        return container_name(self.label, self.name)

    @property
    def host_name(self) -> str:
        """The name inside the cluster's network, right both ways."""
        return host_name(self.label, self.name)

    @property
    def memory(self) -> Bytes:
        """The container's limit."""
        return self.settings.memory


def container_name(label: str, instance: str) -> str:
    """``sales-dn1``: one DNS label, for it is half of Docker's reverse DNS."""
    return f"{label}-{instance}"


def host_name(label: str, instance: str) -> str:
    """``dn1.sales.howdah``."""
    return f"{instance}.{label}.{DOMAIN}"


def container_of(host: str) -> str:
    """The container behind a name inside a cluster's network: ``sales-dn1`` for ``dn1.sales.howdah``."""
    instance, label, *_ = host.split(".")
    return container_name(label, instance)


def page_port(network: Network) -> int:
    """Where ``howdah ui`` shows a cluster's pages unless the port is taken: one for each subnet."""
    return 20_000 + IPv4Network(network.subnet).network_address.packed[2]


def page_host(label: str, instance: str, port: int) -> str:
    """The name by which a browser on this machine asks for a daemon's pages (docs/decisions/0003)."""
    return f"{instance}-{port}.{label}.localhost"


@dataclass(frozen=True, slots=True)
class Desired:
    """What a cluster is meant to be: its record, its instances, its data set."""

    cluster: Cluster
    definition: Definition
    instances: tuple[Instance, ...]
    data_set: DataSet

    def of(self, role: Role) -> tuple[Instance, ...]:
        """The instances of a role, in order."""
        return tuple(instance for instance in self.instances if instance.role is role)

    def page(self, instance: Instance) -> str:
        """The address of an instance's own pages while ``howdah ui`` runs; empty where it has none."""
        port = instance.traits.ports.get("http")
        if port is None:
            return ""
        return f"http://{page_host(self.cluster.label, instance.name, port)}:{page_port(self.cluster.network)}/"

    def instance(self, name: str) -> Instance | None:
        """The instance of that name."""
        return next((instance for instance in self.instances if instance.name == name), None)
