"""Every effect howdah can have, as data: an action says what and why, the executor knows how."""

from dataclasses import dataclass

from howdah.model.cluster import ClusterPhase
from howdah.model.roles import Role
from howdah.model.storage import Folders
from howdah.ports.engine import InstanceSpec, NetworkSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """An effect with its reason. ``host`` is where it happens; empty for the registry's records."""

    why: str
    host: str = ""

    def __str__(self) -> str:
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureImage(Action):
    """Have an image on the host: found, pulled or built."""

    kind: str
    reference: str

    def __str__(self) -> str:
        return f"image {self.kind} ({self.reference})"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsureNetwork(Action):
    """Make the cluster's network."""

    spec: NetworkSpec

    def __str__(self) -> str:
        return f"create network {self.spec.name} ({self.spec.subnet})"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepareFolders(Action):
    """Make and mark volumes, make scratch folders, write configuration: all that a host needs, in one go."""

    folders: Folders

    def __str__(self) -> str:
        return str(self.folders)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginFormat(Action):
    """Record that the data set is being formatted, under a new attempt's volumes."""

    attempt: int

    def __str__(self) -> str:
        return f"begin format (attempt {self.attempt})"


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatVolume(Action):
    """Run the software's own format on an empty volume, once."""

    spec: InstanceSpec
    volume: str

    def __str__(self) -> str:
        return f"format {self.spec.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishFormat(Action):
    """Read back what the format wrote, and record that the data set may serve."""

    volume: str

    def __str__(self) -> str:
        return "check format"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartInstance(Action):
    """Create a container and start it, or start it again."""

    instance: str
    spec: InstanceSpec

    def __str__(self) -> str:
        return f"start {self.instance} ({self.spec.memory})"


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitInstance(Action):
    """Wait until an instance is of use to others, and record its endpoint for them."""

    instance: str
    role: Role
    container: str

    def __str__(self) -> str:
        return f"ready {self.instance}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyHdfs(Action):
    """Write a block, read it back, remove it."""

    container: str

    def __str__(self) -> str:
        return "write a block and read it back"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopInstance(Action):
    """Ask an instance to end, and wait for it."""

    container: str
    timeout: int

    def __str__(self) -> str:
        return f"stop {self.container}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveInstance(Action):
    """Remove a container."""

    container: str

    def __str__(self) -> str:
        return f"remove {self.container}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveNetwork(Action):
    """Remove the cluster's network."""

    network: str

    def __str__(self) -> str:
        return f"remove network {self.network}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveBundles(Action):
    """Remove all the configuration of a cluster."""

    cluster: str

    def __str__(self) -> str:
        return "remove configuration"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveScratch(Action):
    """Remove all the scratch folders of a cluster."""

    cluster: str

    def __str__(self) -> str:
        return "remove scratch folders"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuryVolume(Action):
    """Rename a volume to a tombstone: from here on nothing can be started on it."""

    volume: str

    def __str__(self) -> str:
        return f"bury volume {self.volume[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveVolume(Action):
    """Delete a tombstone."""

    volume: str

    def __str__(self) -> str:
        return f"delete volume {self.volume[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPhase(Action):
    """Record where the cluster got to."""

    phase: ClusterPhase

    def __str__(self) -> str:
        return f"record {self.phase}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CondemnDataSet(Action):
    """Record that a person named this data to be destroyed."""

    def __str__(self) -> str:
        return "condemn data set"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetCluster(Action):
    """Remove the record of a cluster; give its data set back, or remove that record too when its volumes are gone."""

    with_data_set: bool

    def __str__(self) -> str:
        return "forget cluster and data set" if self.with_data_set else "forget cluster"
