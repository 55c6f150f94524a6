"""From this machine to HDFS: under a temporary name, compared, then renamed."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from howdah.errors import Failed, HowdahError, NotFound, UserError
from howdah.filesystem.checksums import BlockHash
from howdah.filesystem.local import LocalFile, scan, telling, temporary_name
from howdah.filesystem.remote_paths import absolute, inside, parent
from howdah.filesystem.values import Copied, Progress
from howdah.filesystem.webhdfs import PIECE, Rename, Unreachable, WebHdfs
from howdah.units import Bytes

PREFIX = "._COPYING_."
"""Not Hadoop's suffix but its word: what begins with a dot, jobs that read the folder pass over."""
STDIN = "-"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Upload:
    """Copies into HDFS."""

    hdfs: WebHdfs
    progress: Progress
    force: bool

    def path(self, source: Path, remote: str) -> Copied:
        """A file or a folder with everything in it. An existing target folder takes it in.

        A new folder appears whole. One that exists, with ``force``, gets file after file, each of them whole; what else
        is in it stays.
        """
        tree = scan(source)
        name = source.name or source.resolve().name
        _check_names([name, *(file.place for file in tree.files), *(tree.folders or ())])
        target, exists = self._target(name, remote, is_folder=tree.folders is not None)
        origin = (socket.gethostname(), str(source.resolve()), target)
        if tree.folders is None:
            verified = self._file(tree.files[0], target, origin)
        elif exists:
            for place in tree.folders:
                self.hdfs.make_folder(inside(target, place))
            verified = sum(self._file(file, inside(target, file.place), origin) for file in tree.files)
        else:
            with self._temporary(target, origin) as temporary:
                self.hdfs.delete(temporary, recursive=True)
                self.hdfs.make_folder(temporary)
                for place in tree.folders:
                    self.hdfs.make_folder(inside(temporary, place))
                verified = sum(self._write_file(file, inside(temporary, file.place)) for file in tree.files)
                self.hdfs.rename(temporary, target)
        length = sum(file.length for file in tree.files)
        return Copied(str(source), target, len(tree.files), Bytes(length), verified)

    def stream(self, source: BinaryIO, remote: str) -> Copied:
        """What comes until the end of a stream, as one file."""
        target, _ = self._target("", remote, is_folder=False)
        # A stream cannot be read again, so there is nothing to take up, and every one has a name of its own.
        with self._temporary(target, (socket.gethostname(), str(os.getpid()), os.urandom(8).hex())) as temporary:
            body = _Body(source, "standard input", self.progress, self._hash())
            verified = self._write(body, temporary)
            self.hdfs.rename(temporary, target, self._existing)
        return Copied(STDIN, target, 1, Bytes(body.done), verified)

    def _file(self, file: LocalFile, target: str, origin: tuple[str, ...]) -> int:
        with self._temporary(target, origin) as temporary:
            verified = self._write_file(file, temporary)
            self.hdfs.rename(temporary, target, self._existing)
        return verified

    @property
    def _existing(self) -> Rename:
        return Rename.REPLACE if self.force else Rename.KEEP

    def _target(self, name: str, remote: str, *, is_folder: bool) -> tuple[str, bool]:
        """The path it gets, and whether it is there already, which ``force`` allows."""
        path = absolute(remote, self.hdfs.user)
        found = self.hdfs.find(path)
        if found and found.is_folder:
            if not name:
                raise UserError(f"{path} is a folder of HDFS", fix=f"name the file: {inside(path, 'NAME')}")
            path = inside(path, name)
            found = self.hdfs.find(path)
        elif remote.endswith("/"):
            raise NotFound(f"there is no folder {path} in HDFS", fix=f"howdah hdfs NAME mkdir -p {path}")
        folder = parent(path)
        if found is None:
            above = self.hdfs.find(folder)
            if above is None:
                raise NotFound(f"there is no folder {folder} in HDFS", fix=f"howdah hdfs NAME mkdir -p {folder}")
            if not above.is_folder:
                raise UserError(f"{folder} is a file of HDFS, so nothing can be put in it")
        elif found.is_folder != is_folder:
            here, there = ("folder", "file") if is_folder else ("file", "folder")
            raise UserError(f"{path} is a {there} of HDFS, and a {here} does not replace it", fix="name another target")
        elif not self.force:
            raise UserError(f"{path} exists already in HDFS", fix="--force replaces it, or name another target")
        self.hdfs.check_writable(folder)
        return path, found is not None

    def _write_file(self, file: LocalFile, path: str) -> int:
        """A file can be read again, so where the DataNode that takes it in dies, it is sent once more by another."""
        try:
            return self._write_file_once(file, path)
        except Unreachable as error:
            if error.is_namenode:
                raise
            log.info("%s; %s is sent again", error.what, file.path)
            return self._write_file_once(file, path)

    def _write_file_once(self, file: LocalFile, path: str) -> int:
        with telling(file.path), file.path.open("rb", buffering=0) as source:
            body = _SizedBody(source, str(file.path), self.progress, self._hash(), file.length)
            return self._write(body, path)

    def _hash(self) -> BlockHash:
        defaults = self.hdfs.defaults()
        return BlockHash(defaults.bytes_per_checksum, (defaults.block_size,), is_crc32c=defaults.is_crc32c)

    def _write(self, body: "_Body", path: str) -> int:
        """Write, and compare what HDFS has. Returns 1 where the checksum could be compared, 0 where only the length."""
        defaults = self.hdfs.defaults()
        self.hdfs.create(path, body, defaults.block_size)
        checksum = self.hdfs.checksum(path)
        if checksum is not None and checksum.md5 == body.hash.hexdigest():
            return 1
        entry = self.hdfs.status(path)
        if entry.length != body.done:
            raise Failed(f"{body.name}: {body.done} bytes were sent, HDFS has {int(entry.length)}; its copy is removed")
        as_computed = (defaults.bytes_per_checksum, defaults.is_crc32c, defaults.block_size)
        if (
            checksum is None
            or not entry.has_plain_checksum
            or (checksum.bytes_per_checksum, checksum.is_crc32c, entry.block_size) != as_computed
        ):
            log.info("the checksum of %s cannot be compared: %s", path, checksum)
            return 0
        raise Failed(
            f"{body.name}: HDFS's checksum of it differs from this machine's; its copy is removed", fix="again"
        )

    @contextmanager
    def _temporary(self, target: str, origin: tuple[str, ...]) -> Iterator[str]:
        """A name beside the target, which is removed whatever goes wrong."""
        name = temporary_name(target.rpartition("/")[2], *origin, prefix=PREFIX)
        path = inside(parent(target), name)
        try:
            yield path
        except BaseException as error:
            if not self._is_gone(path) and isinstance(error, HowdahError):
                error.what += f"; a part of it may be left at {path} in HDFS"
            raise

    def _is_gone(self, path: str) -> bool:
        try:
            self.hdfs.delete(path, recursive=True)
        except HowdahError as error:
            log.info("%s could not be removed: %s", path, error.what)
            with suppress(HowdahError):
                return self.hdfs.find(path) is None
            return False
        return True


class _Body:
    """The bytes of a file on their way; what is sent is summed. ``done`` counts them."""

    def __init__(self, source: BinaryIO, name: str, progress: Progress, hashing: BlockHash) -> None:
        self.name = name
        self.done = 0
        self.hash = hashing
        self.has_begun = False
        self._source = source
        self._progress = progress

    def __iter__(self) -> Iterator[bytes]:
        self.has_begun = True
        self._progress(self.name, 0, self._total)
        while piece := self._next():
            # Summed while the socket's buffer empties, and counted once the network has it.
            self.hash.update(piece)
            yield piece
            self.done += len(piece)
            self._progress(self.name, self.done, self._total)

    @property
    def _total(self) -> int | None:
        return None

    def _next(self) -> bytes:
        with telling(Path(self.name)):
            return self._source.read(PIECE) or b""


class _SizedBody(_Body):
    """Of a known length, which is told before; a file that changes under the hands is no copy."""

    def __init__(self, source: BinaryIO, name: str, progress: Progress, hashing: BlockHash, length: int) -> None:
        super().__init__(source, name, progress, hashing)
        self._length = length

    def __len__(self) -> int:
        return self._length

    @property
    def _total(self) -> int | None:
        return self._length

    def _next(self) -> bytes:
        piece = super()._next()
        if len(piece) + self.done > self._length or (not piece and self.done < self._length):
            raise Failed(f"{self.name} changed while it was copied; its copy in HDFS is removed", fix="the same again")
        return piece


def _check_names(places: list[str]) -> None:
    for place in places:
        if ":" in place:
            raise UserError(f"{place} has a `:` in its name, which HDFS does not allow", fix="rename it")
