"""What every kind of Volumes must do. Subclass it in a test module, with fixtures ``volumes`` and ``disk``."""

import hashlib
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from howdah.errors import Refused
from howdah.model.storage import HdfsVersionFile, ScratchFolder, VolumeIdentity, VolumeState
from howdah.ports.volumes import Volumes
from howdah.testing.expect import refusing
from howdah.units import Bytes


class Disk(Protocol):
    """What happens to disks and is not howdah's doing. ``MemoryVolumes`` has it; ``FolderDisk`` does it to folders."""

    def format(self, volume: str, cluster_id: str, block_pool_id: str = "", layout_version: int = -67) -> None:
        """A NameNode's folder after a complete format."""
        ...

    def half_format(self, volume: str, cluster_id: str, block_pool_id: str = "", layout_version: int = -67) -> None:
        """After a format that was killed: VERSION is written first, the image last."""
        ...

    def wipe(self, volume: str) -> None:
        """Someone has emptied the data folder."""
        ...

    def lose(self, volume: str) -> None:
        """The folder is not there any more."""
        ...

    def give_to(self, volume: str, identity: VolumeIdentity | None) -> None:
        """The folder has another's identity, or one that cannot be read."""
        ...


class FolderDisk:
    """The same on real folders; needs the rights to write in them."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, volume: str) -> Path:
        """Where a volume is."""
        return self._root / "volumes" / volume

    def format(self, volume: str, cluster_id: str, block_pool_id: str = "", layout_version: int = -67) -> None:
        """As a NameNode writes it: two images, the newer one with a sum that agrees."""
        self.half_format(volume, cluster_id, block_pool_id, layout_version)
        current = self.folder(volume) / "data/name/current"
        for number, content in (("0000000000000000000", b"first"), ("0000000000000000042", b"second")):
            image = current / f"fsimage_{number}"
            image.write_bytes(content)
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            image.with_name(image.name + ".md5").write_text(f"{digest} *{image.name}\n")

    def half_format(self, volume: str, cluster_id: str, block_pool_id: str = "", layout_version: int = -67) -> None:
        """VERSION alone, as java.util.Properties writes it."""
        current = self.folder(volume) / "data/name/current"
        current.mkdir(parents=True, exist_ok=True)
        for old in current.glob("fsimage_*"):
            old.unlink()
        (current / "VERSION").write_text(
            f"#Mon Jan 01 00:00:00 UTC 2026\nnamespaceID=1\nclusterID={cluster_id}\ncTime=1\nstorageType=NAME_NODE\n"
            f"blockpoolID={block_pool_id}\nlayoutVersion={layout_version}\n"
        )

    def wipe(self, volume: str) -> None:
        """Empty the data folder."""
        for entry in (self.folder(volume) / "data").iterdir():
            shutil.rmtree(entry)

    def lose(self, volume: str) -> None:
        """Delete it altogether."""
        shutil.rmtree(self.folder(volume))

    def give_to(self, volume: str, identity: VolumeIdentity | None) -> None:
        """Overwrite the identity: with one that is cut off in the middle for None."""
        file = self.folder(volume) / "identity/volume.json"
        text = file.read_text()
        if identity is None:
            file.write_text(text[: len(text) // 2])
            return
        file.write_text(json.dumps(json.loads(text) | asdict(identity)))


def identity_of(instance: str = "nn1", role: str = "namenode") -> VolumeIdentity:
    """A new volume of a new data set."""
    return VolumeIdentity(
        volume=str(uuid4()),
        data_set=str(uuid4()),
        data_set_name="sales",
        instance=instance,
        role=role,
        size=Bytes(2**30),
        incarnation=1,
        state=VolumeState.EMPTY,
        cluster_id="CID-1",
    )


class VolumesContract:
    """One test for each promise of ``howdah.ports.volumes.Volumes``."""

    def made(self, volumes: Volumes) -> VolumeIdentity:
        """A volume that is there."""
        identity = identity_of()
        assert volumes.create(identity, {"definition.yaml": "howdah: 1\n"})
        return identity

    def test_a_volume_appears_whole_and_is_found_as_it_was_made(self, volumes: Volumes, owner_uid: int) -> None:
        identity = self.made(volumes)
        survey = volumes.survey()
        found = survey.volume(identity.volume)
        assert found is not None
        assert found.identity == identity
        assert found.path == volumes.layout.volume(identity.volume)
        assert (found.is_empty, found.is_tombstone, found.version, found.has_image) == (True, False, None, False)
        assert found.owner_uid == owner_uid
        assert survey.free

    def test_making_it_again_changes_nothing(self, volumes: Volumes, disk: Disk) -> None:
        identity = self.made(volumes)
        disk.format(identity.volume, "CID-1")
        assert not volumes.create(identity, {})
        found = volumes.survey().volume(identity.volume)
        assert found is not None
        assert found.has_image

    def test_a_folder_of_another_is_not_taken_over(self, volumes: Volumes, disk: Disk) -> None:
        identity = self.made(volumes)
        other = replace(identity, data_set=str(uuid4()), data_set_name="marketing", instance="dn7")
        with refusing(Refused, identity.volume, "sales", "nn1", volumes.layout.volume(identity.volume)):
            volumes.create(other, {})
        with refusing(Refused, identity.volume, "sales", "nn1", volumes.layout.volume(identity.volume)):
            volumes.stamp(other, {})
        disk.give_to(identity.volume, other)
        with refusing(Refused, identity.volume, "marketing", "dn7"):
            volumes.create(identity, {})
        with refusing(Refused, identity.volume, "marketing", "dn7"):
            volumes.stamp(identity.used(), {})

    def test_an_identity_that_cannot_be_read_is_none_and_stays(self, volumes: Volumes, disk: Disk) -> None:
        identity = self.made(volumes)
        disk.give_to(identity.volume, None)
        found = volumes.survey().volume(identity.volume)
        assert found is not None
        assert found.identity is None
        with refusing(Refused, identity.volume, "cannot be read"):
            volumes.create(identity, {})
        with refusing(Refused, identity.volume, "cannot be read"):
            volumes.stamp(identity, {})

    def test_a_stamp_replaces_the_identity_of_its_owner(self, volumes: Volumes) -> None:
        identity = self.made(volumes)
        later = replace(identity.used(), incarnation=3)
        assert volumes.stamp(later, {"definition.yaml": "howdah: 1\nname: sales\n"})
        assert not volumes.stamp(later, {"definition.yaml": "howdah: 1\nname: sales\n"})
        assert volumes.stamp(later, {"definition.yaml": "howdah: 1\n"})
        found = volumes.survey().volume(identity.volume)
        assert found is not None
        assert found.identity == later

    def test_a_lower_incarnation_never_stamps(self, volumes: Volumes) -> None:
        identity = self.made(volumes)
        volumes.stamp(replace(identity, incarnation=5), {})
        with refusing(Refused, identity.volume, "incarnation 5", "4"):
            volumes.stamp(replace(identity, incarnation=4), {})

    def test_a_lost_volume_is_not_made_up(self, volumes: Volumes, disk: Disk) -> None:
        identity = self.made(volumes)
        disk.lose(identity.volume)
        assert volumes.survey().volume(identity.volume) is None
        with refusing(Refused, identity.volume, volumes.layout.volume(identity.volume)):
            volumes.stamp(identity, {})
        with refusing(Refused, identity.volume, volumes.layout.volume(identity.volume)):
            volumes.used(identity.volume)
        assert not volumes.bury(identity.volume)

    def test_a_format_is_seen_only_with_its_image(self, volumes: Volumes, disk: Disk) -> None:
        identity = self.made(volumes)
        disk.half_format(identity.volume, "CID-1", "BP-1-10.0.0.2-1", -67)
        half = volumes.survey().volume(identity.volume)
        assert half is not None
        assert half.version == HdfsVersionFile("CID-1", "BP-1-10.0.0.2-1", -67)
        assert (half.is_empty, half.has_image) == (False, False)
        disk.format(identity.volume, "CID-1", "BP-1-10.0.0.2-1", -67)
        whole = volumes.survey().volume(identity.volume)
        assert whole is not None
        assert whole.version == half.version
        assert whole.has_image

    def test_a_wiped_volume_is_empty_and_still_says_it_was_used(self, volumes: Volumes, disk: Disk) -> None:
        identity = self.made(volumes)
        disk.format(identity.volume, "CID-1")
        volumes.stamp(identity.used(), {})
        disk.wipe(identity.volume)
        found = volumes.survey().volume(identity.volume)
        assert found is not None
        assert found.identity == identity.used()
        assert (found.is_empty, found.version, found.has_image) == (True, None, False)

    def test_nothing_but_a_tombstone_is_removed(self, volumes: Volumes) -> None:
        identity = self.made(volumes)
        assert not volumes.remove(identity.volume)
        assert volumes.survey().volume(identity.volume) is not None
        assert volumes.bury(identity.volume)
        assert not volumes.bury(identity.volume)
        survey = volumes.survey()
        assert survey.volume(identity.volume) is None
        buried = next(one for one in survey.volumes if one.volume == identity.volume)
        assert buried.is_tombstone
        assert buried.identity == identity
        with refusing(Refused, identity.volume):
            volumes.create(identity, {})
        assert volumes.remove(identity.volume)
        assert not volumes.remove(identity.volume)
        assert all(one.volume != identity.volume for one in volumes.survey().volumes)

    def test_scratch_folders_go_with_their_cluster(self, volumes: Volumes) -> None:
        mine, other = str(uuid4()), str(uuid4())
        assert volumes.create_scratch(ScratchFolder(mine, "nm1", Bytes(2**30)))
        assert not volumes.create_scratch(ScratchFolder(mine, "nm1", Bytes(2**30)))
        volumes.create_scratch(ScratchFolder(mine, "nm2", Bytes(2**30)))
        volumes.create_scratch(ScratchFolder(other, "nm1", Bytes(2**30)))
        assert volumes.survey().scratch >= {(mine, "nm1"), (mine, "nm2"), (other, "nm1")}
        assert volumes.remove_scratch(mine)
        assert not volumes.remove_scratch(mine)
        left = volumes.survey().scratch
        assert (other, "nm1") in left
        assert all(cluster != mine for cluster, _ in left)

    def test_a_bundle_is_written_once_and_its_live_part_replaced(self, volumes: Volumes) -> None:
        cluster = str(uuid4())
        static, live = {"core-site.xml": "<configuration/>"}, {"hosts": "10.0.0.2 nn1\n", "dfs.hosts": "[]"}
        assert volumes.write_bundle(cluster, "nn1", "d1", static, live)
        assert not volumes.write_bundle(cluster, "nn1", "d1", static, live)
        assert not volumes.write_bundle(cluster, "nn1", "d1", {"core-site.xml": "other"}, live)
        assert volumes.write_bundle(cluster, "nn1", "d1", static, {"hosts": "10.0.0.3 nn1\n"})
        assert volumes.write_bundle(cluster, "nn1", "d2", static, {"hosts": "10.0.0.3 nn1\n"})
        assert {one for one in volumes.survey().bundles if one[0] == cluster} == {
            (cluster, "nn1", "d1"),
            (cluster, "nn1", "d2"),
        }
        assert volumes.remove_bundles(cluster)
        assert not volumes.remove_bundles(cluster)
        assert all(one[0] != cluster for one in volumes.survey().bundles)

    def test_eight_threads_share_the_volumes(self, volumes: Volumes) -> None:
        identities = [identity_of(f"dn{number}", "datanode") for number in range(4)] * 2
        with ThreadPoolExecutor(8) as threads:
            changes = list(threads.map(lambda identity: volumes.create(identity, {}), identities))
        assert sum(changes) == 4
        survey = volumes.survey()
        for identity in identities:
            found = survey.volume(identity.volume)
            assert found is not None
            assert found.identity == identity

    def test_paths_lie_below_the_root(self, volumes: Volumes) -> None:
        for path in (
            volumes.layout.volume("v"),
            volumes.layout.scratch("c", "i"),
            volumes.layout.static("c", "i", "d"),
            volumes.layout.live("c", "i"),
        ):
            assert path.startswith(volumes.layout.root + "/")
