import socket
from typing import Any

import pytest

from howdah.errors import Failed, NotFound, Refused, Transient, UserError
from howdah.filesystem.files import HdfsFiles, open_files, user_of
from howdah.filesystem.transport import session
from howdah.filesystem.values import Count, is_large
from howdah.filesystem.webhdfs import Unreachable, WebHdfs
from howdah.model.cluster import Endpoint
from howdah.units import Bytes
from tests.unit.filesystem.conftest import NOW
from tests.unit.filesystem.fake_hdfs import ADDRESSES, FakeHdfs

TRASH = "/user/hadoop/.Trash/Current"


def listed(files: HdfsFiles, *paths: str, recursive: bool = False) -> list[str]:
    return [entry.path for entry in files.ls(*paths, recursive=recursive)]


def test_ls_shows_what_is_in_folders_and_files_themselves(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/b/c", b"c")
    hdfs.put("/in/a", b"a")
    assert listed(files, "/in") == ["/in/a", "/in/b"]
    assert listed(files, "/in/a") == ["/in/a"]
    assert listed(files, "/in", recursive=True) == ["/in/a", "/in/b", "/in/b/c"]


def test_relative_paths_begin_at_home(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/user/hadoop/x", b"")
    hdfs.put("/user/y", b"")
    assert listed(files) == ["/user/hadoop/x"]
    assert listed(files, "x", "../y") == ["/user/hadoop/x", "/user/y"]
    assert listed(files, "hdfs:///user/y", "//user//y/") == ["/user/y"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/in/*", "/in/a1 /in/a2 /in/b1 /in/[x]"),
        ("/in/a?", "/in/a1 /in/a2"),
        ("/in/[ab]1", "/in/a1 /in/b1"),
        ("/in/[^a]1", "/in/b1"),
        ("/in/[!a]1", "/in/b1"),
        ("/in/[a-b]2", "/in/a2"),
        ("/in/{a1,b*}", "/in/a1 /in/b1"),
        ("/*/a1", "/in/a1 /out/a1"),
        ("/{in,out}/a1", "/in/a1 /out/a1"),
        ("/in/[x]", "/in/[x]"),
        ("/in/\\[x\\]", "/in/[x]"),
        ("/in/a.", ""),
    ],
)
def test_patterns_are_hadoops(hdfs: FakeHdfs, files: HdfsFiles, pattern: str, expected: str) -> None:
    for name in ("in/a1", "in/a2", "in/b1", "in/[x]", "out/a1"):
        hdfs.put(f"/{name}", b"")
    if expected:
        assert set(listed(files, pattern)) == set(expected.split())
    else:
        with pytest.raises(NotFound):
            listed(files, pattern)


@pytest.mark.parametrize("pattern", ["/in/[ab", "/in/{a,b", "/in/[z-a]*"])
def test_a_pattern_that_is_not_one_says_so(files: HdfsFiles, hdfs: FakeHdfs, pattern: str) -> None:
    hdfs.put("/in/x", b"")
    with pytest.raises(UserError, match="pattern"):
        listed(files, pattern)


def test_what_is_not_there_has_a_nearest(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/orders", b"")
    hdfs.put("/in/customers", b"")
    with pytest.raises(NotFound) as missing:
        listed(files, "/in/order")
    assert "/in/order in HDFS" in missing.value.what
    assert missing.value.fix == "did you mean `orders`?"
    with pytest.raises(NotFound, match="/in/orders is a file"):
        listed(files, "/in/orders/x/y")
    with pytest.raises(NotFound) as missing:
        listed(files, "/nowhere/x")
    assert missing.value.fix == "in / there is in"


def test_cat_joins_files_and_refuses_folders_before_the_first_byte(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/a", b"one")
    hdfs.put("/in/b", b"two")
    assert b"".join(files.cat("/in/*")) == b"onetwo"
    with pytest.raises(UserError, match="is a folder"):
        files.cat("/in/a", "/in")


def test_du_stat_count_and_checksum(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/sub/a", b"12345")
    hdfs.put("/in/b", b"1")
    assert [(one.path, one.length, one.space) for one in files.du("/in")] == [("/in/b", 1, 2), ("/in/sub", 5, 10)]
    assert files.du("/in", summary=True) == files.count("/in") == (Count("/in", 2, 2, Bytes(6), Bytes(12)),)
    (entry,) = files.stat("/in/b")
    assert (entry.name, entry.length, entry.permission, entry.modified_at.tzname()) == ("b", 1, "644", "UTC")
    checksum = files.checksum("/in/b")
    assert checksum is not None
    assert checksum.bytes_per_checksum == 512


def test_a_large_removal_is_worth_a_question() -> None:
    assert not is_large((Count("/a", 1, 99, Bytes(0), Bytes(0)),))
    assert is_large((Count("/a", 1, 50, Bytes(0), Bytes(0)), Count("/b", 1, 50, Bytes(0), Bytes(0))))
    assert is_large((Count("/a", 0, 1, Bytes(11 * 2**30), Bytes(0)),))


def test_rm_moves_to_the_trash_and_says_where(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/x", b"x")
    (removed,) = files.rm("/in/x")
    assert removed.trash == f"{TRASH}/in/x"
    assert hdfs.files() == {f"{TRASH}/in/x": b"x"}
    assert files.mv(removed.trash, "/in/x") == ((f"{TRASH}/in/x", "/in/x"),)
    assert hdfs.files() == {"/in/x": b"x"}


def test_a_name_taken_in_the_trash_gets_the_time(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    for content in (b"1", b"2", b"3"):
        hdfs.put("/in/x", content)
        files.rm("/in/x")
    assert hdfs.files() == {f"{TRASH}/in/x": b"1", f"{TRASH}/in/x{NOW}": b"2", f"{TRASH}/in/x{NOW + 1}": b"3"}


def test_a_file_in_the_trash_where_a_folder_must_be_gets_out_of_the_way(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in", b"a file of that name")
    files.rm("/in")
    hdfs.put("/in/sub/x", b"x")
    (removed,) = files.rm("/in/sub/x")
    assert removed.trash == f"{TRASH}/in{NOW}/sub/x"
    assert hdfs.content(removed.trash) == b"x"


def test_the_trash_renamed_in_that_moment_is_made_again(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    def checkpoint(fake: FakeHdfs) -> None:
        for path in fake.below(TRASH):
            fake.nodes[path.replace("Current", "260102000000")] = fake.nodes.pop(path)

    hdfs.put("/in/x", b"x")
    hdfs.before_rename = checkpoint
    (removed,) = files.rm("/in/x")
    assert hdfs.content(removed.trash) == b"x"


def test_a_folder_needs_recursive_and_nothing_goes_before_all_may(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/a", b"")
    hdfs.put("/in/sub/b", b"")
    with pytest.raises(UserError, match="is a folder"):
        files.rm("/in/a", "/in/sub")
    assert set(hdfs.files()) == {"/in/a", "/in/sub/b"}
    files.rm("/in/sub", recursive=True)
    assert set(hdfs.files()) == {"/in/a", f"{TRASH}/in/sub/b"}


def test_skip_trash_is_for_good(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/in/x", b"x")
    (removed,) = files.rm("/in", recursive=True, skip_trash=True)
    assert removed.trash == ""
    assert hdfs.files() == {}


@pytest.mark.parametrize("path", ["/", f"{TRASH}/x", "/user/hadoop/.Trash", "/user/hadoop", "/user", "/in/.."])
def test_what_is_in_the_trash_or_holds_it_is_not_trashed(hdfs: FakeHdfs, files: HdfsFiles, path: str) -> None:
    hdfs.put(f"{TRASH}/x", b"x")
    with pytest.raises(Refused):
        files.rm(path, recursive=True)
    assert hdfs.files() == {f"{TRASH}/x": b"x"}
    if path not in ("/", "/in/.."):
        files.rm(path, recursive=True, skip_trash=True)
        assert hdfs.files() == {}


def test_a_name_like_the_trashs_is_not_the_trash(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/user/hadoop/.Trash2", b"x")
    assert files.rm("/user/hadoop/.Trash2")[0].trash == f"{TRASH}/user/hadoop/.Trash2"


def test_without_a_trash_nothing_goes_unsaid(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.trash_minutes = 0
    hdfs.put("/x", b"x")
    with pytest.raises(UserError) as refused:
        files.rm("/x")
    assert "--skip-trash" in refused.value.fix
    assert hdfs.files() == {"/x": b"x"}


def test_mv_goes_into_folders_and_replaces_nothing(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.put("/a", b"a")
    hdfs.put("/b", b"b")
    hdfs.put("/in")
    with pytest.raises(UserError, match="already exists"):
        files.mv("/a", "/b")
    with pytest.raises(UserError, match="cannot all become"):
        files.mv("/[ab]", "/c")
    with pytest.raises(NotFound, match="no folder /no"):
        files.mv("/a", "/no/a")
    assert files.mv("/[ab]", "/in") == (("/a", "/in/a"), ("/b", "/in/b"))


def test_mkdir(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    with pytest.raises(NotFound) as refused:
        files.mkdir("/a/b")
    assert "-p" in refused.value.fix
    assert files.mkdir("/a/b", parents=True)
    assert not files.mkdir("/a/b", parents=True)
    with pytest.raises(UserError, match="exists already"):
        files.mkdir("/a/b")


def test_a_read_survives_one_moment_without_the_namenode(hdfs: FakeHdfs) -> None:
    moments = iter([True, False])

    def dial(host: str, port: int) -> socket.socket:
        if next(moments, False):
            raise Transient("it starts again")
        return hdfs.dial(host, port)

    with HdfsFiles(WebHdfs("http://nn1.sales.howdah:9870", "hadoop", session(dial), ADDRESSES, pause=0)) as files:
        assert listed(files, "/") == []


def test_a_namenode_that_is_away_is_named_with_the_cause(hdfs: FakeHdfs, files: HdfsFiles) -> None:
    hdfs.down = {"nn1.sales.howdah"}
    with pytest.raises(Unreachable) as error:
        listed(files, "/")
    assert "NameNode nn1.sales.howdah:9870" in error.value.what
    assert "container of nn1.sales.howdah does not run" in error.value.what


def test_the_other_namenode_is_asked_where_one_is_away(hdfs: FakeHdfs) -> None:
    hdfs.down = {"nn2.sales.howdah"}
    url = "http://nn2.sales.howdah:9870;http://nn1.sales.howdah:9870"
    with HdfsFiles(WebHdfs(url, "hadoop", session(hdfs.dial), ADDRESSES, pause=0)) as files:
        assert listed(files, "/") == []


class Dialled:
    """An engine that only dials."""

    def __init__(self, hdfs: FakeHdfs) -> None:
        self.hdfs = hdfs
        self.containers: list[str] = []

    def dial(self, name: str, port: int) -> socket.socket:
        self.containers.append(name)
        label, instance = name.split("-")
        return self.hdfs.dial(f"{instance}.{label}.howdah", port)


def endpoint(instance: str, port: int) -> Endpoint:
    name = f"{instance}.sales.howdah"
    return Endpoint(instance, "local", name, ADDRESSES.get(name, "10.0.0.11"), {"http": port}, "now")


def test_names_lead_to_containers(hdfs: FakeHdfs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.invalid:3128")
    hdfs.put("/x", b"x")
    engine: Any = Dialled(hdfs)
    endpoints = {"nn1": endpoint("nn1", 9870), "dn1": endpoint("dn1", 9864)}
    with open_files(engine, "sales", endpoints, "hadoop") as files:
        assert b"".join(files.cat("/x")) == b"x"
    assert set(engine.containers) == {"sales-nn1", "sales-dn1"}


def test_a_redirect_out_of_the_cluster_is_not_followed(hdfs: FakeHdfs) -> None:
    hdfs.put("/x", b"x")
    engine: Any = Dialled(hdfs)
    nn1 = Endpoint("nn1", "local", "nn1.other.howdah", "10.0.0.11", {"http": 9870}, "now")
    with open_files(engine, "sales", {"nn1": nn1}, "hadoop") as files, pytest.raises(Failed, match=r"nn1\.other"):
        listed(files, "/")


def test_a_cluster_without_a_ready_namenode_says_so(hdfs: FakeHdfs) -> None:
    engine: Any = Dialled(hdfs)
    with pytest.raises(Transient, match="no NameNode of sales is ready"):
        open_files(engine, "sales", {"dn1": endpoint("dn1", 9864)})


def test_whose_name_is_used() -> None:
    assert user_of({}) == "hadoop"
    assert user_of({"HADOOP_USER_NAME": "joe"}) == "joe"
    assert user_of({"HADOOP_USER_NAME": ""}) == "hadoop"
