"""What there is in HDFS and what was done to it, as values."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from howdah.units import Bytes

Progress = Callable[[str, int, int | None], None]
"""Told after each piece: the file's path, the bytes done, and the bytes there are, or None where nobody knows yet."""


def no_progress(path: str, done: int, total: int | None) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of HDFS. ``length`` is in bytes, 0 for a folder; ``permission`` is octal."""

    path: str
    is_folder: bool
    length: Bytes
    owner: str
    group: str
    permission: str
    replication: int
    block_size: int
    modified_at: datetime
    accessed_at: datetime
    children: int
    file_id: int
    has_plain_checksum: bool = True
    """Not so for an erasure-coded or encrypted file: what the DataNodes sum is not the file's own bytes."""

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Count:
    """What is under a path, itself included. ``space`` counts every replica."""

    path: str
    folders: int
    files: int
    length: Bytes
    space: Bytes


LARGE_FILES = 100
"""Hadoop's own limit for ``-rm -safely`` (hadoop.shell.delete.limit.num.files)."""
LARGE_LENGTH = Bytes(10 * 2**30)


def is_large(counts: tuple[Count, ...]) -> bool:
    """Whether removing so much is worth a question."""
    return (
        sum(count.files + count.folders for count in counts) > LARGE_FILES
        or sum(count.length for count in counts) > LARGE_LENGTH
    )


@dataclass(frozen=True, slots=True)
class Copied:
    """A file, or a folder with everything in it, that is whole on the other side.

    ``verified`` is how many of ``files`` were compared by checksum as well as by length: all of them but those whose
    checksum HDFS cannot tell (erasure-coded, encrypted, still being written).
    """

    source: str
    target: str
    files: int
    length: Bytes
    verified: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed, and where it lies in the trash; ``trash`` is empty where it is gone for good."""

    path: str
    trash: str


@dataclass(frozen=True, slots=True)
class ServerDefaults:
    """What the NameNode gives new files. ``trash_minutes`` is 0 where the trash is off."""

    block_size: int
    bytes_per_checksum: int
    is_crc32c: bool
    trash_minutes: int
