import io
import os
from pathlib import Path

import pytest

from howdah.errors import Failed, NotFound, Transient, UserError
from howdah.filesystem.files import HdfsFiles
from howdah.filesystem.webhdfs import Unreachable
from tests.unit.filesystem.fake_hdfs import PROTECTED, FakeHdfs

CONTENT = bytes(range(256)) * 30


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "x"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("content", [b"", b"a", CONTENT[:2000], CONTENT], ids=["empty", "1", "a block", "4 blocks"])
def test_a_file_arrives_whole_and_compared(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    copied = files.put(tmp_path / "x", "/y")
    assert hdfs.files() == {"/y": content}
    assert (copied.target, copied.files, copied.length, copied.verified) == ("/y", 1, len(content), 1)


def test_it_is_never_seen_half_written(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    files.put(source, "/y")
    written = [one.split()[2] for one in hdfs.requests if " CREATE " in one]
    assert all(path.startswith("/._COPYING_.y.") for path in written)


@pytest.mark.parametrize("remote", ["/in", "/in/", "/in/x", "/../in/./"])
def test_an_existing_folder_takes_it_in(hdfs: FakeHdfs, files: HdfsFiles, source: Path, remote: str) -> None:
    hdfs.put("/in")
    assert files.put(source, remote).target == "/in/x"


def test_a_file_that_is_there_needs_force(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    hdfs.put("/in/x", b"old")
    with pytest.raises(UserError) as refused:
        files.put(source, "/in")
    assert "--force" in refused.value.fix
    assert hdfs.files() == {"/in/x": b"old"}
    files.put(source, "/in", force=True)
    assert hdfs.files() == {"/in/x": CONTENT}


def test_a_file_that_appears_meanwhile_is_not_replaced(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    hdfs.before_rename = lambda fake: fake.put("/y", b"theirs")
    with pytest.raises(UserError, match="already exists"):
        files.put(source, "/y")
    assert hdfs.files() == {"/y": b"theirs"}


@pytest.mark.parametrize(
    ("remote", "says", "fix"),
    [
        ("/no/x", "there is no folder /no in HDFS", "mkdir -p /no"),
        ("/no/", "there is no folder /no in HDFS", "mkdir -p /no"),
        ("/file/x", "/file is a file", ""),
        ("/dir/x", "/dir/x is a folder", "another"),
        (PROTECTED, "user joe may not write", "HADOOP_USER_NAME"),
        ("s3a://bucket/x", "s3a://bucket", "alone"),
        ("", "empty", "path of HDFS"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_a_byte_is_sent(
    hdfs: FakeHdfs, files: HdfsFiles, source: Path, remote: str, says: str, fix: str
) -> None:
    hdfs.put("/file", b"")
    hdfs.put("/dir/x/x")
    hdfs.put(PROTECTED)
    if remote == "/dir/x":
        remote = "/dir"
    with pytest.raises(UserError) as refused:
        files.put(source, remote)
    assert says in refused.value.what
    assert fix in refused.value.fix
    assert not [one for one in hdfs.requests if "CREATE" in one]


def test_a_copy_with_another_checksum_is_removed(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    hdfs.damages_writes = True
    with pytest.raises(Failed, match="checksum"):
        files.put(source, "/y")
    assert hdfs.files() == {}


def test_a_datanode_that_dies_in_the_middle_is_named_and_nothing_is_left(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(b"x" * 5_000_000)
    hdfs.breaks_after["dn1.sales.howdah"] = 70_000
    with pytest.raises(Unreachable, match=r"DataNode dn1\.sales\.howdah"):
        files.put(tmp_path / "x", "/y")
    assert hdfs.files() == {}


def test_a_file_is_sent_again_through_another_datanode_where_one_dies(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(b"x" * 5_000_000)
    hdfs.breaks_after["dn1.sales.howdah"] = 70_000

    def die(path: str, done: int, total: int | None) -> None:
        hdfs.down = {"dn1.sales.howdah"}

    assert files.put(tmp_path / "x", "/y", progress=die).verified == 1
    assert hdfs.files() == {"/y": b"x" * 5_000_000}


def test_a_datanode_that_does_not_answer_is_left_out(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    hdfs.down = {"dn1.sales.howdah"}
    assert files.put(source, "/y").verified == 1
    assert hdfs.files() == {"/y": CONTENT}
    hdfs.down = {"dn1.sales.howdah", "dn2.sales.howdah"}
    with pytest.raises(Unreachable, match=r"DataNode dn1\.sales\.howdah:9864"):
        files.put(source, "/z")


def test_safe_mode_is_said_in_one_line(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    hdfs.is_in_safe_mode = True
    with pytest.raises(Transient) as error:
        files.put(source, "/y")
    assert "safe mode" in error.value.what
    assert "\n" not in error.value.what


def test_a_file_that_grows_while_it_is_copied_is_no_copy(hdfs: FakeHdfs, files: HdfsFiles, source: Path) -> None:
    def grow(path: str, done: int, total: int | None) -> None:
        if done == 0:
            with source.open("ab") as more:
                more.write(b"more")

    with pytest.raises(Failed, match="changed"):
        files.put(source, "/y", progress=grow)
    # What was on its way to a DataNode may come after the temporary file was removed, and make it again.
    assert "/y" not in hdfs.nodes


def test_an_interrupted_copy_leaves_nothing(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 3_000_000)

    def interrupt(path: str, done: int, total: int | None) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.put(tmp_path / "x", "/y", progress=interrupt)
    assert "/y" not in hdfs.nodes


def test_the_same_copy_takes_up_the_leftovers_of_one_that_was_killed(
    hdfs: FakeHdfs, files: HdfsFiles, source: Path
) -> None:
    files.put(source, "/y")
    leftover = next(one.split()[2] for one in hdfs.requests if " CREATE " in one)
    del hdfs.nodes["/y"]
    hdfs.put(leftover, b"half")
    files.put(source, "/y")
    assert hdfs.files() == {"/y": CONTENT}


def test_progress_is_told_from_nothing_to_all(files: HdfsFiles, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x" * 2_500_000)
    told: list[tuple[int, int | None]] = []
    files.put(tmp_path / "x", "/y", progress=lambda path, done, total: told.append((done, total)))
    assert told[0] == (0, 2_500_000)
    assert told[-1] == (2_500_000, 2_500_000)
    assert len(told) > 2


def test_standard_input_becomes_a_file(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    copied = files.put("-", "/y", stdin=io.BytesIO(CONTENT))
    assert hdfs.files() == {"/y": CONTENT}
    assert (copied.length, copied.verified) == (len(CONTENT), 1)


def test_standard_input_needs_a_file_name(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in")
    with pytest.raises(UserError) as refused:
        files.put("-", "/in", stdin=io.BytesIO(b""))
    assert refused.value.fix == "name the file: /in/NAME"


def tree(folder: Path) -> Path:
    (folder / "t" / "sub" / "empty").mkdir(parents=True)
    (folder / "t" / "a b%25+c#LATEST?e;f&g=é[1]").write_bytes(b"odd")
    (folder / "t" / "sub" / "x").write_bytes(CONTENT)
    (folder / "t" / "zero").write_bytes(b"")
    return folder / "t"


def test_a_folder_arrives_whole_with_its_empty_folders(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.put("/in")
    copied = files.put(tree(tmp_path), "/in")
    assert hdfs.files() == {"/in/t/a b%25+c#LATEST?e;f&g=é[1]": b"odd", "/in/t/sub/x": CONTENT, "/in/t/zero": b""}
    assert "/in/t/sub/empty" in hdfs.nodes
    assert (copied.files, copied.verified) == (3, 3)


def test_a_folder_that_fails_leaves_nothing(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    hdfs.damages_writes = True
    with pytest.raises(Failed):
        files.put(tree(tmp_path), "/t")
    assert set(hdfs.nodes) == {"/"}


def test_a_folder_put_into_itself_again_keeps_what_else_is_there(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path
) -> None:
    hdfs.put("/t/other", b"stays")
    hdfs.put("/t/zero", b"replaced")
    with pytest.raises(UserError):
        files.put(tree(tmp_path), "/")
    files.put(tmp_path / "t", "/", force=True)
    assert hdfs.content("/t/other") == b"stays"
    assert hdfs.content("/t/zero") == b""
    assert len(hdfs.files()) == 4


@pytest.mark.parametrize(
    ("name", "says"), [("a:b", "`:`"), (os.fsdecode(b"\xff"), "UTF-8")], ids=["colon", "not UTF-8"]
)
def test_names_that_hdfs_has_no_room_for_are_told_before_anything_is_sent(
    hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path, name: str, says: str
) -> None:
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / name).write_bytes(b"")
    with pytest.raises(UserError, match=says):
        files.put(tmp_path / "t", "/t")
    assert set(hdfs.nodes) == {"/"}


def test_what_is_no_file_is_refused(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match="neither a file nor a folder"):
        files.put(tmp_path / "pipe", "/y")
    with pytest.raises(NotFound, match="on this machine"):
        files.put(tmp_path / "nix", "/y")
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "loop").symlink_to(tmp_path / "t")
    with pytest.raises(UserError, match="link"):
        files.put(tmp_path / "t", "/t")


def test_a_long_name_has_room_for_the_temporary_one(hdfs: FakeHdfs, files: HdfsFiles, tmp_path: Path) -> None:
    name = "é" * 127
    (tmp_path / name).write_bytes(b"x")
    files.put(tmp_path / name, "/")
    assert hdfs.files() == {f"/{name}": b"x"}
    assert all(len(one.split()[2].encode()) <= 256 for one in hdfs.requests)
