"""Volumes and data sets: what persists, who owns it, and whether it may serve."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self
from uuid import UUID, uuid5

from howdah.model.roles import Role
from howdah.units import Bytes


class VolumeState(StrEnum):
    """Whether a volume was ever given data. A USED one that is found empty was wiped."""

    EMPTY = "EMPTY"
    USED = "USED"


@dataclass(frozen=True, slots=True)
class VolumeIdentity:
    """What ``identity/volume.json`` says: written by rename, never edited by what runs on the volume."""

    volume: str
    data_set: str
    data_set_name: str
    instance: str
    role: str
    size: Bytes
    incarnation: int
    state: VolumeState
    cluster_id: str
    """The HDFS clusterID that howdah chose for the data set."""

    def used(self) -> Self:
        """The same volume after its first data."""
        return replace(self, state=VolumeState.USED)


@dataclass(frozen=True, slots=True)
class HdfsVersionFile:
    """The facts of a ``current/VERSION`` file under a volume's data."""

    cluster_id: str
    block_pool_id: str
    layout_version: int


@dataclass(frozen=True, slots=True)
class FoundVolume:
    """A folder under a host's volume root, as it was read.

    ``identity`` is None where there is no readable identity file. ``is_empty`` tells of ``data/``. ``has_image`` is
    True
    when a NameNode's name folder holds an ``fsimage`` whose MD5 matches the sum beside it.
    """

    volume: str
    path: str
    identity: VolumeIdentity | None
    is_empty: bool
    is_tombstone: bool = False
    version: HdfsVersionFile | None = None
    has_image: bool = False
    owner_uid: int = 10001


class DataSetState(StrEnum):
    """Only READY serves; the others say which transition is under way."""

    NEW = "NEW"
    FORMATTING = "FORMATTING"
    READY = "READY"
    DESTROYING = "DESTROYING"


@dataclass(frozen=True, slots=True)
class VolumeClaim:
    """The volume that a data set has for one instance, and the host it is pinned to."""

    volume: str
    instance: str
    role: Role
    host: str
    size: Bytes


@dataclass(frozen=True, slots=True)
class DataSet:
    """The named set of a cluster's volumes with its HDFS identity; it outlives the cluster.

    ``lease`` is the uuid of the cluster that has it, or empty. ``definition`` is the text that last served it, so
    that it can be
    launched again without a file.
    """

    uuid: str
    name: str
    state: DataSetState
    cluster_id: str
    format_attempt: int
    claims: tuple[VolumeClaim, ...]
    lease: str
    definition: str
    last_cluster: str = ""
    block_pool_id: str = ""
    layout_version: int = 0
    hadoop: str = ""

    def claim(self, instance: str) -> VolumeClaim | None:
        """The claim of one instance, or None where it has no volume."""
        return next((claim for claim in self.claims if claim.instance == instance), None)


def volume_uuid(data_set: str, instance: str, attempt: int) -> str:
    """The uuid of a volume follows from its data set, so that a launch that is taken up again makes no second one.

    ``attempt`` is the number of the format attempt: a half-formatted volume is never used again.
    """
    return str(uuid5(UUID(data_set), f"{instance}/{attempt}"))


@dataclass(frozen=True, slots=True)
class ScratchFolder:
    """A folder of one instance that goes with the cluster."""

    cluster: str
    instance: str
    size: Bytes


@dataclass(frozen=True, slots=True)
class BundleFiles:
    """The configuration of one instance by file name: ``static`` under its digest, ``live`` replaced in place."""

    cluster: str
    instance: str
    digest: str
    static: Mapping[str, str] = field(repr=False)
    live: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Folders:
    """Folders that a host is to have: volumes to make, volumes to stamp anew, scratch, bundles.

    ``documents`` are kept beside the identity of every volume that is made or stamped.
    """

    made: tuple[VolumeIdentity, ...] = ()
    stamped: tuple[VolumeIdentity, ...] = ()
    scratch: tuple[ScratchFolder, ...] = ()
    bundles: tuple[BundleFiles, ...] = ()
    documents: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.made or self.stamped or self.scratch or self.bundles)

    def __str__(self) -> str:
        kinds = (
            (self.made, "make {} volumes"),
            (self.stamped, "mark {} volumes"),
            (self.scratch, "make {} scratch folders"),
            (self.bundles, "write {} configurations"),
        )
        return ", ".join(text.format(len(items)) for items, text in kinds if items) or "nothing"


@dataclass(frozen=True, slots=True)
class Survey:
    """What one look at a host's volume root found."""

    volumes: tuple[FoundVolume, ...] = ()
    bundles: frozenset[tuple[str, str, str]] = field(default_factory=frozenset)
    """(cluster uuid, instance, static digest) of every complete bundle."""
    scratch: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """(cluster uuid, instance)."""
    free: Bytes | None = None
    """Of the disk; None where nobody could look, because there is no image yet to look with."""

    def volume(self, uuid: str) -> FoundVolume | None:
        """The live (not tombstoned) volume of that uuid."""
        return next((v for v in self.volumes if v.volume == uuid and not v.is_tombstone), None)
