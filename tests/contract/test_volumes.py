"""The Volumes contract: on the fake, on plain folders of this machine, and on those of a Docker Engine's host."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from howdah.engines.docker import DockerEngine
from howdah.engines.memory import MemoryEngine
from howdah.errors import Failed, Transient
from howdah.model.storage import HdfsVersionFile, ScratchFolder
from howdah.ports.engine import Engine, Helper
from howdah.testing.expect import refusing
from howdah.testing.volumes_contract import FolderDisk, VolumesContract, identity_of
from howdah.units import Bytes
from howdah.volumes.memory import MemoryVolumes
from howdah.volumes.plain import PlainVolumes

USER = 10001 if os.geteuid() == 0 else os.geteuid()
"""Only root can give a folder to another user."""


class TestMemoryVolumes(VolumesContract):
    @pytest.fixture
    def volumes(self) -> MemoryVolumes:
        return MemoryVolumes()

    @pytest.fixture
    def disk(self, volumes: MemoryVolumes) -> MemoryVolumes:
        return volumes

    @pytest.fixture
    def owner_uid(self) -> int:
        return 10001

    def test_a_host_that_is_down_is_transient(self, volumes: MemoryVolumes) -> None:
        volumes.is_down = True
        with refusing(Transient):
            volumes.survey()

    def test_what_can_be_mounted(self, volumes: MemoryVolumes) -> None:
        identity = self.made(volumes)
        folder = volumes.layout.volume(identity.volume)
        volumes.write_bundle("c1", "nn1", "d1", {}, {})
        volumes.create_scratch(ScratchFolder("c1", "nm1", Bytes(1)))
        mounted = [
            f"{folder}/data",
            f"{folder}/identity",
            volumes.layout.static("c1", "nn1", "d1"),
            volumes.layout.live("c1", "nn1"),
            volumes.layout.scratch("c1", "nm1"),
        ]
        assert all(volumes.exists(path) for path in mounted)
        volumes.bury(identity.volume)
        assert not volumes.exists(f"{folder}/data")


class PlainContract(VolumesContract):
    """What holds for folders besides."""

    def test_ownership_and_rights(self, volumes: PlainVolumes, disk: FolderDisk, owner_uid: int) -> None:
        identity = self.made(volumes)
        folder = disk.folder(identity.volume)
        assert (folder / "identity/definition.yaml").read_text() == "howdah: 1\n"
        assert (folder / "identity/definition.yaml").stat().st_mode & 0o777 == 0o600
        assert (folder / "identity/volume.json").stat().st_mode & 0o777 == 0o644
        assert (folder / "identity").stat().st_mode & 0o777 == 0o755
        inner = (folder / "data").stat()
        assert (inner.st_mode & 0o777, inner.st_uid, inner.st_gid) == (0o700, owner_uid, owner_uid)
        volumes.create_scratch(ScratchFolder("c1", "nm1", Bytes(1)))
        assert Path(volumes.layout.scratch("c1", "nm1")).stat().st_uid == owner_uid

    def test_what_a_killed_creation_has_left_is_cleared(self, volumes: PlainVolumes, disk: FolderDisk) -> None:
        self.made(volumes)
        left = disk.folder(f".new-{uuid4()}-77")
        (left / "identity").mkdir(parents=True)
        identity = self.made(volumes)
        assert not left.exists()
        assert volumes.survey().volume(identity.volume) is not None

    def test_a_datanode_has_its_block_pool_in_a_folder(self, volumes: PlainVolumes, disk: FolderDisk) -> None:
        identity = self.made(volumes)
        current = disk.folder(identity.volume) / "data/data/current"
        (current / "BP-7-10.0.0.2-7").mkdir(parents=True)
        (current / "VERSION").write_text("storageID=DS-1\nclusterID=CID-1\nlayoutVersion=-57\n")
        found = volumes.survey().volume(identity.volume)
        assert found is not None
        assert found.version == HdfsVersionFile("CID-1", "BP-7-10.0.0.2-7", -57)

    def test_an_image_whose_sum_does_not_agree_is_none(self, volumes: PlainVolumes, disk: FolderDisk) -> None:
        identity = self.made(volumes)
        disk.format(identity.volume, "CID-1")
        current = disk.folder(identity.volume) / "data/name/current"
        for image in (one for one in current.iterdir() if one.name.startswith("fsimage") and not one.suffix):
            image.write_bytes(b"damaged")
        found = volumes.survey().volume(identity.volume)
        assert found is not None
        assert not found.has_image

    def test_what_is_used_is_what_the_disk_holds(self, volumes: PlainVolumes, disk: FolderDisk) -> None:
        identity = self.made(volumes)
        before = volumes.used(identity.volume)
        inner = disk.folder(identity.volume) / "data"
        (inner / "block").write_bytes(b"x" * 2**20)
        os.link(inner / "block", inner / "linked")
        assert 2**20 <= volumes.used(identity.volume) - before < 2 * 2**20

    def test_live_files_change_under_a_container_that_reads(self, volumes: PlainVolumes) -> None:
        volumes.write_bundle("c1", "nn1", "d1", {"bin/topology": "#!/bin/sh\n"}, {"hosts": "old", "gone": "x"})
        live = Path(volumes.layout.live("c1", "nn1"))
        mounted = live.stat().st_ino
        with (live / "hosts").open() as reader:
            volumes.write_bundle("c1", "nn1", "d1", {}, {"hosts": "new"})
            assert reader.read() == "old"
        assert live.stat().st_ino == mounted
        assert sorted(entry.name for entry in live.iterdir()) == ["hosts"]
        assert (live / "hosts").read_text() == "new"
        script = Path(volumes.layout.static("c1", "nn1", "d1")) / "bin/topology"
        assert script.stat().st_mode & 0o777 == 0o755

    def test_no_name_leads_out_of_the_root(self, volumes: PlainVolumes) -> None:
        with refusing(Failed, "cannot be the name"):
            volumes.remove_scratch("..")
        with refusing(Failed, "cannot be the name"):
            volumes.write_bundle("c1", "nn1", "d9", {"../../x": ""}, {})
        with refusing(Failed, "cannot be the name"):
            volumes.bury("../volumes")


class Opened:
    """An engine that keeps the helpers it opened, so that a test can end one."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.helpers: list[Helper] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self.engine, name)

    def open_helper(self, root: str) -> Helper:
        self.helpers.append(self.engine.open_helper(root))
        return self.helpers[-1]


class TestPlainVolumes(PlainContract):
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        return tmp_path / "howdah"

    @pytest.fixture
    def opened(self) -> Opened:
        return Opened(MemoryEngine())

    @pytest.fixture
    def volumes(self, opened: Opened, root: Path) -> PlainVolumes:
        return PlainVolumes(opened, str(root), container_user=USER)  # type: ignore[arg-type]  # by __getattr__

    @pytest.fixture
    def disk(self, root: Path) -> FolderDisk:
        return FolderDisk(root)

    @pytest.fixture
    def owner_uid(self) -> int:
        return USER

    def test_a_helper_that_has_ended_is_followed_by_another(self, opened: Opened, volumes: PlainVolumes) -> None:
        identity = self.made(volumes)
        opened.helpers[-1].close()
        assert volumes.survey().volume(identity.volume) is not None
        assert len(opened.helpers) == 2
        volumes.close()


@pytest.fixture(scope="module")
def docker_volumes(based_engine: DockerEngine) -> Iterator[PlainVolumes]:
    """On a folder that this machine and the engine's host share."""
    with tempfile.TemporaryDirectory(prefix="howdah-test-", ignore_cleanup_errors=True) as folder:
        volumes = PlainVolumes(based_engine, f"{folder}/howdah")
        try:
            yield volumes
        finally:
            volumes.close()


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="looks into folders of the containers' user: needs root")
class TestPlainVolumesThroughDocker(PlainContract):
    @pytest.fixture
    def volumes(self, docker_volumes: PlainVolumes) -> PlainVolumes:
        return docker_volumes

    @pytest.fixture
    def disk(self, docker_volumes: PlainVolumes) -> FolderDisk:
        return FolderDisk(Path(docker_volumes.layout.root))

    @pytest.fixture
    def owner_uid(self) -> int:
        return 10001

    def test_a_survey_of_many_volumes_is_one_quick_call(self, volumes: PlainVolumes) -> None:
        for number in range(5):
            volumes.create(identity_of(f"dn{number}", "datanode"), {})
        assert len(volumes.survey().volumes) >= 5


def test_an_engine_that_is_down_is_transient(tmp_path: Path) -> None:
    engine = MemoryEngine()
    engine.is_down = True
    with refusing(Transient):
        PlainVolumes(engine, str(tmp_path)).survey()
