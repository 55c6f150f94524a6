"""One cluster as it is meant to be and as it is, with the questions that plans ask of the pair."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from howdah.hadoop.bundles import Bundle, bundle
from howdah.model.cluster import Desired, Instance
from howdah.model.roles import Role
from howdah.model.storage import FoundVolume
from howdah.planning.containers import Images, labels_of
from howdah.planning.observed import LABEL_CLUSTER, LABEL_ROLE, ONE_OFF, HostState, Observed
from howdah.ports.engine import InstanceState, Phase


class Found(Enum):
    """What an instance's container is."""

    ABSENT = "absent"
    STALE = "stale"
    """Of a lower incarnation, with another configuration, or at another address."""
    DOWN = "down"
    UNREADY = "unready"
    """It runs, and this run of it has no endpoint on record."""
    UP = "up"


@dataclass(frozen=True, slots=True)
class View:
    """Desired and observed, side by side."""

    desired: Desired
    observed: Observed
    images: Images
    bundles: Mapping[str, Bundle]

    @classmethod
    def of(cls, desired: Desired, observed: Observed, images: Images) -> "View":
        """With the bundle of every instance, made once."""
        return cls(desired, observed, images, {i.name: bundle(desired, i) for i in desired.instances})

    def hosts(self) -> list[tuple[str, HostState]]:
        """Every host that answered."""
        return [(name, state) for name, state in self.observed.hosts.items() if isinstance(state, HostState)]

    def host(self, instance: Instance) -> HostState:
        """The instance's host; plans are made only when it answered."""
        state = self.observed.known(instance.assignment.host)
        assert state is not None, instance.assignment.host
        return state

    def container(self, instance: Instance) -> InstanceState | None:
        """The instance's container."""
        return self.observed.instance(instance.assignment.host, instance.container)

    def found(self, instance: Instance) -> Found:
        """What the instance's container is."""
        container = self.container(instance)
        if container is None:
            return Found.ABSENT
        wanted = labels_of(instance, self.bundles[instance.name].digest)
        if any(container.labels.get(key) != value for key, value in wanted.items()):
            return Found.STALE
        if container.address != instance.assignment.address:
            # Disconnected by hand; or made just before its engine was killed, which then forgot the address asked for.
            return Found.STALE
        if container.phase is not Phase.RUNNING:
            return Found.DOWN
        endpoint = self.observed.endpoints.get(instance.name)
        return Found.UP if endpoint and endpoint.started_at == container.started_at else Found.UNREADY

    def volume(self, instance: Instance) -> FoundVolume | None:
        """The instance's volume."""
        return self.observed.volume(instance.assignment.host, instance.assignment.volume)

    def tombstone(self, instance: Instance) -> FoundVolume | None:
        """The instance's volume, where it is buried and there is none in its place."""
        found = self.host(instance).survey.volumes
        own = [volume for volume in found if volume.volume == instance.assignment.volume]
        return own[0] if own and all(volume.is_tombstone for volume in own) else None

    def one_offs(self) -> list[tuple[str, InstanceState]]:
        """Containers that were to run once, left behind by an interruption."""
        return [
            (host, container)
            for host, state in self.hosts()
            for container in state.instances
            if container.labels.get(LABEL_CLUSTER) == self.desired.cluster.uuid
            and container.labels.get(LABEL_ROLE) == ONE_OFF
        ]

    @property
    def namenode(self) -> Instance:
        """The one NameNode."""
        return self.desired.of(Role.NAMENODE)[0]

    @property
    def has_format(self) -> bool:
        """Whether the NameNode's volume carries a whole format of this data set: clusterID, image and its MD5."""
        volume = self.volume(self.namenode)
        if volume is None or volume.version is None:
            return False
        return volume.has_image and volume.version.cluster_id == self.desired.data_set.cluster_id
