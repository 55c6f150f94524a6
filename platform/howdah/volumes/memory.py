"""Volumes in memory, with the behaviour of plain ones, for tests. A test can also do to them what happens to disks.

One object is the disk and the client at once: it stays when a test kills what uses it.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from howdah.errors import Refused, Transient
from howdah.model.layout import HostLayout
from howdah.model.storage import Folders, FoundVolume, HdfsVersionFile, ScratchFolder, Survey, VolumeIdentity
from howdah.units import Bytes


@dataclass
class MemoryVolume:
    """One folder. ``identity`` is None when its file cannot be read."""

    identity: VolumeIdentity | None
    documents: dict[str, str] = field(default_factory=dict)
    is_empty: bool = True
    version: HdfsVersionFile | None = None
    has_image: bool = False
    used: Bytes = Bytes(0)


@dataclass
class MemoryBundle:
    """One instance's bundle: static parts by digest, and the live part."""

    static: dict[str, dict[str, str]] = field(default_factory=dict)
    live: dict[str, str] | None = None


class MemoryVolumes:
    """The Volumes port in memory.

    ``is_down`` makes every call Transient, as on a host that does not answer. ``free`` is what the survey says.
    ``exists`` fits ``MemoryEngine(exists=…)``.
    """

    def __init__(self, root: str = "/var/lib/howdah", *, free: Bytes = Bytes(2**40)) -> None:
        self.layout = HostLayout(root)
        self.free = free
        self.is_down = False
        self.live: dict[str, MemoryVolume] = {}
        self.tombstones: dict[str, MemoryVolume] = {}
        self.scratch: set[tuple[str, str]] = set()
        self.bundles: dict[tuple[str, str], MemoryBundle] = {}
        self._lock = threading.RLock()

    def survey(self) -> Survey:
        """Everything there is."""
        with self._answering():
            live = [self._found(uuid, volume, False) for uuid, volume in sorted(self.live.items())]
            buried = [self._found(uuid, volume, True) for uuid, volume in sorted(self.tombstones.items())]
            digests = (
                (cluster, instance, digest)
                for (cluster, instance), bundle in self.bundles.items()
                for digest in bundle.static
            )
            return Survey(tuple(buried + live), frozenset(digests), frozenset(self.scratch), self.free)

    def create(self, identity: VolumeIdentity, documents: Mapping[str, str]) -> bool:
        """Make the volume. Raises Refused where a folder of that uuid has another identity."""
        with self._answering():
            if identity.volume in self.tombstones:
                raise Refused(
                    f"volume {identity.volume} of {_owner(identity)} is buried in "
                    f"{self.layout.tombstone(identity.volume)}",
                    fix="remove it to the end first, then make one with another uuid",
                )
            found = self.live.get(identity.volume)
            if found is None:
                self.live[identity.volume] = MemoryVolume(identity, dict(documents))
                return True
            if found.identity != identity:
                raise Refused(
                    f"volume {identity.volume} was to be made for {_owner(identity)}, but "
                    f"{self.layout.volume(identity.volume)} is there and belongs to {_owner(found.identity)}",
                    fix="find out what made it; move it elsewhere if nothing needs it",
                )
            return False

    def stamp(self, identity: VolumeIdentity, documents: Mapping[str, str]) -> bool:
        """Replace the identity. Raises Refused where it is missing, another's, or has a higher incarnation."""
        with self._answering():
            volume = self._volume(identity.volume)
            found, path = volume.identity, self.layout.volume(identity.volume)
            if found is None or _key(found) != _key(identity):
                raise Refused(
                    f"volume {identity.volume} at {path} belongs to {_owner(found)}, not to {_owner(identity)}",
                    fix="find out how it came there",
                )
            if found.incarnation > identity.incarnation:
                raise Refused(
                    f"volume {identity.volume} of {_owner(found)} at {path} has incarnation {found.incarnation}, "
                    f"which {identity.incarnation} is below",
                    fix="run the command again: another one has got further",
                )
            changed = found != identity or any(volume.documents.get(name) != text for name, text in documents.items())
            volume.identity = identity
            volume.documents |= documents
            return changed

    def prepare(self, folders: Folders) -> bool:
        """All of these, one after the other."""
        changes = [self.create(each, folders.documents) for each in folders.made]
        changes += [self.stamp(each, folders.documents) for each in folders.stamped]
        changes += [self.create_scratch(each) for each in folders.scratch]
        changes += [self.write_bundle(b.cluster, b.instance, b.digest, b.static, b.live) for b in folders.bundles]
        return any(changes)

    def used(self, volume: str) -> Bytes:
        """The bytes in its data folder. Raises Refused where it is missing."""
        with self._answering():
            return self._volume(volume).used

    def documents(self, volume: str) -> Mapping[str, str]:
        """What is kept beside the identity."""
        with self._answering():
            return dict(self.live[volume].documents) if volume in self.live else {}

    def bury(self, volume: str) -> bool:
        """Rename it to a tombstone. False where there is none."""
        with self._answering():
            if volume not in self.live:
                return False
            if volume in self.tombstones:
                raise Refused(
                    f"volume {volume} of {_owner(self.live[volume].identity)} is at {self.layout.volume(volume)} and "
                    f"buried in {self.layout.tombstone(volume)} as well",
                    fix="find out which of the two is right, and move the other elsewhere",
                )
            self.tombstones[volume] = self.live.pop(volume)
            return True

    def remove(self, volume: str) -> bool:
        """Delete the tombstone of that uuid, and only a tombstone; False where there is none."""
        with self._answering():
            return self.tombstones.pop(volume, None) is not None

    def create_scratch(self, folder: ScratchFolder) -> bool:
        """Make the scratch folder."""
        with self._answering():
            before = len(self.scratch)
            self.scratch.add((folder.cluster, folder.instance))
            return len(self.scratch) > before

    def remove_scratch(self, cluster: str) -> bool:
        """Delete every scratch folder of a cluster."""
        with self._answering():
            gone = {key for key in self.scratch if key[0] == cluster}
            self.scratch -= gone
            return bool(gone)

    def write_bundle(
        self, cluster: str, instance: str, digest: str, static: Mapping[str, str], live: Mapping[str, str]
    ) -> bool:
        """Write both parts. A static part of the same digest is left alone, live files are replaced."""
        with self._answering():
            bundle = self.bundles.setdefault((cluster, instance), MemoryBundle())
            changed = digest not in bundle.static or bundle.live != dict(live)
            bundle.static.setdefault(digest, dict(static))
            bundle.live = dict(live)
            return changed

    def remove_bundles(self, cluster: str) -> bool:
        """Delete every bundle of a cluster."""
        with self._answering():
            gone = [key for key in self.bundles if key[0] == cluster]
            for key in gone:
                del self.bundles[key]
            return bool(gone)

    def close(self) -> None:
        """Nothing is held."""

    # What only a test does

    def exists(self, path: str) -> bool:
        """Whether a container could mount that path."""
        with self._lock:
            folders = {self.layout.volume(uuid) for uuid in self.live}
            folders |= {f"{folder}/{part}" for folder in folders for part in ("identity", "data")}
            folders |= {self.layout.scratch(*key) for key in self.scratch}
            for key, bundle in self.bundles.items():
                folders |= {self.layout.static(*key, digest) for digest in bundle.static}
                folders |= {self.layout.live(*key)} if bundle.live is not None else set()
            return path in folders

    def format(self, volume: str, cluster_id: str, block_pool_id: str = "", layout_version: int = -67) -> None:
        """As after a complete format, or a DataNode's first start."""
        self.half_format(volume, cluster_id, block_pool_id, layout_version)
        self.live[volume].has_image = True

    def half_format(self, volume: str, cluster_id: str, block_pool_id: str = "", layout_version: int = -67) -> None:
        """As after a format that was killed: VERSION is written first, the image last."""
        one = self.live[volume]
        one.is_empty = False
        one.version = HdfsVersionFile(cluster_id, block_pool_id, layout_version)
        one.has_image = False

    def wipe(self, volume: str) -> None:
        """Someone has emptied its data folder."""
        one = self.live[volume]
        one.is_empty, one.version, one.has_image, one.used = True, None, False, Bytes(0)

    def lose(self, volume: str) -> None:
        """Its folder is not there any more: a disk that is not mounted."""
        del self.live[volume]

    def give_to(self, volume: str, identity: VolumeIdentity | None) -> None:
        """Its folder has another's identity (a copy), or none that can be read."""
        self.live.setdefault(volume, MemoryVolume(None)).identity = identity

    def _volume(self, uuid: str) -> MemoryVolume:
        if uuid not in self.live:
            raise Refused(f"volume {uuid} is not at {self.layout.volume(uuid)}", fix="bring the folder back")
        return self.live[uuid]

    def _found(self, uuid: str, volume: MemoryVolume, is_tombstone: bool) -> FoundVolume:
        found = FoundVolume(uuid, self.layout.volume(uuid), volume.identity, volume.is_empty)
        if is_tombstone:
            return replace(found, path=self.layout.tombstone(uuid), is_tombstone=True)
        return replace(found, version=volume.version, has_image=volume.has_image)

    def _answering(self) -> threading.RLock:
        if self.is_down:
            raise Transient(f"the host of {self.layout.root} does not answer", fix="start its engine")
        return self._lock


def _owner(identity: VolumeIdentity | None) -> str:
    if identity is None:
        return "nobody that can be told: its identity cannot be read"
    return (
        f"instance {identity.instance} of data set {identity.data_set_name} ({identity.data_set}), "
        f"incarnation {identity.incarnation}"
    )


def _key(identity: VolumeIdentity) -> tuple[str, str, str]:
    return identity.volume, identity.data_set, identity.instance
