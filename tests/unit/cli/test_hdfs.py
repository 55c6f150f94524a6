import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from howdah.cli.showing_files import entry
from howdah.errors import Failed, HowdahError, NotFound, Refused, Transient, UserError
from howdah.filesystem.values import LARGE_FILES, Copied, Count, Entry, Removed
from howdah.units import Bytes
from tests.unit.cli.conftest import Howdah, WorldClient, WorldInstallation

MOMENT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
FILE = Entry("/data/a.txt", False, Bytes(12), "hadoop", "supergroup", "644", 2, 2**27, MOMENT, MOMENT, 0, 7)
FOLDER = replace(FILE, path="/data", is_folder=True, length=Bytes(0), permission="1777", replication=0)


@dataclass
class FakeFiles:
    """An HDFS of one file. ``called`` is what was asked of it."""

    called: list[tuple[Any, ...]] = field(default_factory=list)
    files: int = 1
    trash_minutes: int = 60
    error: HowdahError | None = None

    def __enter__(self) -> "FakeFiles":
        return self

    def __exit__(self, *error: object) -> None:
        self.called.append(("close",))

    def ls(self, *paths: str, recursive: bool = False) -> Iterator[Entry]:
        self.called.append(("ls", paths, recursive))
        if self.error:
            raise self.error
        return iter((FOLDER, FILE))

    def put(self, local: str, remote: str, *, force: bool, progress: Callable[..., None]) -> Copied:
        progress(local, 6, 12)
        self.called.append(("put", local, remote, force))
        return Copied(local, f"{remote}/{local}", 1, Bytes(12), 1)

    def get(self, remote: str, local: str, *, force: bool, progress: Callable[..., None]) -> tuple[Copied, ...]:
        self.called.append(("get", remote, local, force))
        return (Copied(remote, local, 3, Bytes(12), 2),)

    def cat(self, *paths: str) -> Iterator[bytes]:
        return iter((b"one\xff", b"two"))

    def count(self, *paths: str) -> tuple[Count, ...]:
        return tuple(Count(path, 1, self.files, Bytes(5), Bytes(10)) for path in paths)

    def du(self, *paths: str, summary: bool = False) -> tuple[Count, ...]:
        return self.count(*paths or (".",))

    def rm(self, *paths: str, recursive: bool, skip_trash: bool) -> tuple[Removed, ...]:
        self.called.append(("rm", paths, recursive, skip_trash))
        return tuple(Removed(path, "" if skip_trash else f"/user/hadoop/.Trash/Current{path}") for path in paths)

    def mv(self, source: str, target: str) -> tuple[tuple[str, str], ...]:
        return ((source, f"{target}{source}"),)

    def mkdir(self, path: str, *, parents: bool) -> bool:
        return not parents

    def stat(self, *paths: str) -> tuple[Entry, ...]:
        return (FILE,)


@pytest.fixture
def files(howdah: Howdah) -> FakeFiles:
    found = FakeFiles()

    class FilesClient(WorldClient):
        def files(self, name: str) -> Any:
            if name != "demo":
                raise NotFound(f"there is no cluster {name!r}")
            return found

    howdah.make_client = lambda progress: FilesClient(WorldInstallation(howdah.world), progress)
    return found


def test_ls_looks_like_hadoop_s(howdah: Howdah, files: FakeFiles) -> None:
    assert howdah.well("hdfs", "demo", "ls", "-R", "/data").splitlines() == [
        "drwxrwxrwt   - hadoop   supergroup            0 2026-01-31 12:30 /data",
        "-rw-r--r--   2 hadoop   supergroup           12 2026-01-31 12:30 /data/a.txt",
    ]
    assert files.called == [("ls", ("/data",), True), ("close",)]


@pytest.mark.parametrize(
    ("permission", "shown"), [("755", "rwxr-xr-x"), ("0", "---------"), ("1770", "rwxrwx--T"), ("1777", "rwxrwxrwt")]
)
def test_a_mode_is_shown_in_letters(permission: str, shown: str) -> None:
    assert entry(replace(FILE, permission=permission))[1:10] == shown


def test_lists_have_keys_that_stay(howdah: Howdah, files: FakeFiles) -> None:
    (_, found) = json.loads(howdah.well("hdfs", "demo", "ls", "--json"))
    assert sorted(found) == sorted(
        [
            *("path", "is_folder", "length", "owner", "group", "permission", "replication", "block_size"),
            *("modified_at", "accessed_at", "children", "inode"),
        ]
    )
    assert json.loads(howdah.well("hdfs", "demo", "stat", "/data/a.txt", "--json")) == [found]
    (counted,) = json.loads(howdah.well("hdfs", "demo", "du", "-s", "/data", "--json"))
    assert counted == {"path": "/data", "length": 5, "space": 10, "files": 1, "folders": 1}


def test_several_files_are_copied_in_one_command(howdah: Howdah, files: FakeFiles) -> None:
    shown = howdah.well("hdfs", "demo", "put", "-f", "a", "b", "/data")
    assert shown == "a is at /data/a: 1 file, 12 B, compared\nb is at /data/b: 1 file, 12 B, compared\n"
    assert files.called[:2] == [("put", "a", "/data", True), ("put", "b", "/data", True)]
    assert "2 of them compared" in howdah.well("hdfs", "demo", "get", "/data", ".")


def test_cat_leaves_bytes_as_they_are(howdah: Howdah, files: FakeFiles) -> None:
    assert howdah("hdfs", "demo", "cat", "/data/a.txt").stdout_bytes == b"one\xfftwo"


def test_rm_says_where_it_lies_now(howdah: Howdah, files: FakeFiles) -> None:
    shown = howdah.well("hdfs", "demo", "rm", "-r", "/data")
    assert shown == "/data is in the trash for 1h: /user/hadoop/.Trash/Current/data\n"
    assert howdah.well("hdfs", "demo", "rm", "--skip-trash", "/data") == "/data is removed for good\n"


def test_much_is_not_removed_for_good_without_a_word(howdah: Howdah, files: FakeFiles) -> None:
    files.files = LARGE_FILES + 1
    words = ("hdfs", "demo", "rm", "-r", "--skip-trash", "/data")
    for answer in (None, "", "y\n", "no\n"):
        result = howdah(*words, answer=answer)
        assert result.exit_code == 3
        assert str(files.files) in result.stderr
    assert not [call for call in files.called if call[0] == "rm"]
    assert howdah(*words, answer="yes\n").exit_code == 0
    assert howdah(*words, "--yes").exit_code == 0
    files.trash_minutes = 0
    assert howdah("hdfs", "demo", "rm", "-r", "/data").exit_code == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [(NotFound("x"), 2), (UserError("x"), 2), (Refused("x"), 3), (Transient("x"), 125), (Failed("x"), 1)],
)
def test_what_hdfs_says_is_told_apart_from_not_reaching_it(
    howdah: Howdah, files: FakeFiles, error: HowdahError, code: int
) -> None:
    files.error = error
    assert howdah("hdfs", "demo", "ls").exit_code == code
    assert howdah("hdfs", "dem", "ls").exit_code == 125


def test_the_other_verbs_say_what_they_did(howdah: Howdah, files: FakeFiles) -> None:
    assert howdah.well("hdfs", "demo", "mv", "/a", "/b", "/data") == "/a is now /data/a\n/b is now /data/b\n"
    assert howdah.well("hdfs", "demo", "mkdir", "/a") == "/a is made\n"
    assert howdah.well("hdfs", "demo", "mkdir", "-p", "/a") == "/a is there already\n"
    assert "12 B" in howdah.well("hdfs", "demo", "stat", "/data/a.txt")


def test_a_cluster_without_a_namenode_is_125(howdah: Howdah) -> None:
    howdah.well("launch", "single", "--name", "demo")
    howdah.world.engine.is_down = True
    assert howdah("hdfs", "demo", "ls").exit_code == 125
