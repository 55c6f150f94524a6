import errno
import os
from collections import namedtuple
from pathlib import Path

import pytest

from howdah.errors import Conflict, Failed, NotFound, UserError
from howdah.filesystem.files import HdfsFiles
from howdah.filesystem.local import new_file, new_folder
from howdah.filesystem.webhdfs import Unreachable
from tests.unit.filesystem.fake_hdfs import FakeHdfs

CONTENT = bytes(range(256)) * 30


@pytest.mark.parametrize("content", [b"", b"a", CONTENT[:2000], CONTENT], ids=["empty", "1", "a block", "4 blocks"])
def test_a_file_arrives_whole_and_compared(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path, content: bytes) -> None:
    hdfs.put("/x", content)
    (copied,) = files.get("/x", tmp_path / "y")
    assert (tmp_path / "y").read_bytes() == content
    assert (copied.length, copied.verified) == (len(content), 1)
    assert os.listdir(tmp_path) == ["y"]


def test_a_file_of_unequal_blocks_is_compared_too(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/x", CONTENT[:5000], blocks=(2000, 700, 2000, 300))
    (copied,) = files.get("/x", tmp_path)
    assert copied.verified == 1


@pytest.mark.parametrize("what", ["encrypted", "still writing"])
def test_a_file_without_a_checksum_is_fetched_and_counted_as_such(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path, what: str
) -> None:
    hdfs.put("/x", CONTENT, is_encrypted=what == "encrypted")
    if what == "still writing":
        hdfs.is_still_writing.add("/x")
    (copied,) = files.get("/x", tmp_path)
    assert (copied.files, copied.verified) == (1, 0)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_another_checksum_leaves_nothing(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/x", CONTENT)
    hdfs.damages_reads = True
    with pytest.raises(Failed, match="checksum"):
        files.get("/x", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_there_needs_force(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/x", CONTENT)
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(UserError) as refused:
        files.get("/x", tmp_path)
    assert "--force" in refused.value.fix
    assert (tmp_path / "x").read_bytes() == b"old"
    files.get("/x", tmp_path, force=True)
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_a_failed_copy_keeps_the_old_file(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/x", CONTENT)
    hdfs.damages_reads = True
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(Failed):
        files.get("/x", tmp_path, force=True)
    assert (tmp_path / "x").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_datanode_that_dies_in_the_middle_is_replaced_by_another(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path
) -> None:
    hdfs.put("/x", CONTENT)
    hdfs.breaks_after["dn1.sales.howdah"] = 1234
    (copied,) = files.get("/x", tmp_path)
    assert (tmp_path / "x").read_bytes() == CONTENT
    assert copied.verified == 1


def test_a_file_replaced_in_that_moment_is_not_mixed(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/x", CONTENT)
    hdfs.breaks_after["dn1.sales.howdah"] = 1234
    pieces = files.cat("/x")
    first = next(pieces)
    assert first == CONTENT[:1234]
    hdfs.put("/x", CONTENT[::-1])
    with pytest.raises(Failed, match="changed"):
        list(pieces)


def test_datanodes_that_all_die_are_named(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/x", CONTENT)
    hdfs.breaks_after = {"dn1.sales.howdah": 10, "dn2.sales.howdah": 10}
    with pytest.raises(Unreachable, match=r"DataNode dn1\.sales\.howdah:9864"):
        files.get("/x", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_folder_arrives_whole(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/in/sub/empty")
    hdfs.put("/in/sub/x", CONTENT)
    hdfs.put("/in/y", b"y")
    (copied,) = files.get("/in", tmp_path)
    assert (tmp_path / "in" / "sub" / "x").read_bytes() == CONTENT
    assert (tmp_path / "in" / "y").read_bytes() == b"y"
    assert (tmp_path / "in" / "sub" / "empty").is_dir()
    assert (copied.files, copied.verified) == (2, 2)
    assert os.listdir(tmp_path) == ["in"]


def test_a_folder_that_fails_leaves_nothing(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/in/x", CONTENT)
    hdfs.damages_reads = True
    with pytest.raises(Failed):
        files.get("/in", tmp_path)
    assert os.listdir(tmp_path) == []


def test_a_folder_over_itself_keeps_what_else_is_there(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/in/sub/x", CONTENT)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "other").write_bytes(b"stays")
    files.get("/in", tmp_path, force=True)
    assert (tmp_path / "in" / "other").read_bytes() == b"stays"
    assert (tmp_path / "in" / "sub" / "x").read_bytes() == CONTENT


def test_several_files_need_a_folder(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/in/part-1", b"1")
    hdfs.put("/in/part-2", b"2")
    with pytest.raises(UserError, match="cannot all become"):
        files.get("/in/part-*", tmp_path / "y")
    assert len(files.get("/in/part-*", tmp_path)) == 2
    with pytest.raises(NotFound) as refused:
        files.get("/in/part-1", tmp_path / "no" / "y")
    assert "mkdir -p" in refused.value.fix


def test_a_disk_too_small_is_told_before(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(100, 0, 100))
    hdfs.put("/x", CONTENT)
    with pytest.raises(UserError) as refused:
        files.get("/x", tmp_path)
    assert "7.5 KiB do not fit" in refused.value.what
    assert "100 B are free" in refused.value.what


def test_a_disk_that_fills_up_is_one_line_and_leaves_nothing(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, piece: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("howdah.filesystem.download.os.write", full)
    hdfs.put("/x", CONTENT)
    with pytest.raises(Failed) as error:
        files.get("/x", tmp_path)
    assert error.value.what == f"{tmp_path / 'x'}: No space left on device"
    assert "make room" in error.value.fix
    assert os.listdir(tmp_path) == []


def test_two_that_fetch_the_same_do_not_mix(tmp_path: Path) -> None:
    target, temporary = tmp_path / "x", tmp_path / ".x"
    with new_file(target, temporary) as descriptor:
        with pytest.raises(Conflict), new_file(target, temporary):
            pass
        os.write(descriptor, b"first")
    assert target.read_bytes() == b"first"
    with (
        new_folder(tmp_path / "t", tmp_path / ".t"),
        pytest.raises(Conflict),
        new_folder(tmp_path / "t", tmp_path / ".t"),
    ):
        pass


def test_leftovers_of_one_that_was_killed_are_taken_up(tmp_path: Path) -> None:
    (tmp_path / ".x").write_bytes(b"a longer leftover")
    with new_file(tmp_path / "x", tmp_path / ".x") as descriptor:
        os.write(descriptor, b"new")
    assert (tmp_path / "x").read_bytes() == b"new"
    (tmp_path / ".t" / "old").mkdir(parents=True)
    with new_folder(tmp_path / "t", tmp_path / ".t") as folder:
        (folder / "new").mkdir()
    assert os.listdir(tmp_path / "t") == ["new"]
