"""From HDFS to this machine: into a temporary file, compared, on the disk, then renamed."""

import os
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import Failed, NotFound, UserError
from howdah.filesystem.checksums import BlockHash, FileChecksum
from howdah.filesystem.local import check_room, new_file, new_folder, telling, temporary_name
from howdah.filesystem.values import Copied, Entry, Progress
from howdah.filesystem.webhdfs import WebHdfs
from howdah.units import Bytes


@dataclass(frozen=True, slots=True)
class Download:
    """Copies out of HDFS."""

    hdfs: WebHdfs
    progress: Progress
    force: bool

    def entries(self, entries: tuple[Entry, ...], local: Path) -> tuple[Copied, ...]:
        """Files and folders with everything in them. An existing local folder takes them in; several need one."""
        takes_in = local.is_dir()
        if len(entries) > 1 and not takes_in:
            raise UserError(f"{len(entries)} files and folders of HDFS cannot all become {local}", fix=f"mkdir {local}")
        if not local.absolute().parent.is_dir():
            raise NotFound(
                f"there is no folder {local.absolute().parent} on this machine", fix=f"mkdir -p {local.parent}"
            )
        targets = [(entry, local / entry.name if takes_in and entry.name else local) for entry in entries]
        for entry, target in targets:
            self._check_target(entry, target)
        return tuple(self._entry(entry, target) for entry, target in targets)

    def _check_target(self, entry: Entry, target: Path) -> None:
        if not target.exists() and not target.is_symlink():
            return
        if not self.force:
            raise UserError(
                f"{target} exists already on this machine", fix="--force replaces it, or name another target"
            )
        if target.is_dir() != entry.is_folder:
            here, there = ("folder", "file") if target.is_dir() else ("file", "folder")
            raise UserError(f"{target} is a {here}, and a {there} does not replace it", fix="name another target")

    def _entry(self, entry: Entry, target: Path) -> Copied:
        if not entry.is_folder:
            check_room(target.absolute().parent, entry.length)
            verified = self._file(entry, target)
            return Copied(entry.path, str(target), 1, entry.length, verified)
        folders, files = self._walk(entry)
        length = Bytes(sum(file.length for file in files))
        check_room(target.absolute().parent, length)
        if target.exists():
            for folder in folders:
                with telling(target):
                    (target / self._place(folder, entry)).mkdir(exist_ok=True)
            verified = sum(self._file(file, target / self._place(file, entry)) for file in files)
        else:
            with new_folder(target, self._temporary(entry, target)) as temporary:
                for folder in folders:
                    (temporary / self._place(folder, entry)).mkdir()
                verified = sum(self._file(file, temporary / self._place(file, entry)) for file in files)
        return Copied(entry.path, str(target), len(files), length, verified)

    def _walk(self, folder: Entry) -> tuple[list[Entry], list[Entry]]:
        """Everything in a folder: its folders, parents first, and its files."""
        folders: list[Entry] = []
        files: list[Entry] = []
        waiting = [folder]
        while waiting:
            for entry in self.hdfs.entries(waiting.pop().path):
                (folders if entry.is_folder else files).append(entry)
                if entry.is_folder:
                    waiting.append(entry)
        return folders, files

    @staticmethod
    def _place(entry: Entry, root: Entry) -> str:
        return entry.path[len(root.path.rstrip("/")) + 1 :]

    def _temporary(self, entry: Entry, target: Path) -> Path:
        name = temporary_name(target.name, self.hdfs.user, entry.path, str(target.absolute()), prefix="._COPYING_.")
        return target.absolute().parent / name

    def _file(self, entry: Entry, target: Path) -> int:
        """Returns 1 where the checksum could be compared, 0 where only the length could."""
        checksum = self.hdfs.checksum(entry.path) if entry.has_plain_checksum else None
        hashing = self._hash(entry, checksum)
        with new_file(target, self._temporary(entry, target)) as descriptor:
            done = 0
            self.progress(entry.path, 0, entry.length)
            for piece in self.hdfs.read(entry):
                if hashing:
                    hashing.update(piece)
                _write(descriptor, piece)
                done += len(piece)
                self.progress(entry.path, done, entry.length)
            # A file that is still written has no checksum, and may have grown.
            if done < entry.length or (checksum and done > entry.length):
                raise Failed(
                    f"{entry.path} should have {int(entry.length)} bytes, and {done} came; they are removed",
                    fix="again",
                )
            if checksum and hashing and hashing.hexdigest() != checksum.md5:
                raise Failed(
                    f"{entry.path} came with another checksum than HDFS has for it; the copy is removed", fix="again"
                )
        return 1 if hashing else 0

    def _hash(self, entry: Entry, checksum: FileChecksum | None) -> BlockHash | None:
        if checksum is None or checksum.bytes_per_checksum is None:
            return None
        is_one_block = entry.length <= entry.block_size
        blocks = (entry.block_size,) if is_one_block else self.hdfs.block_lengths(entry.path)
        return BlockHash(checksum.bytes_per_checksum or 1, blocks, is_crc32c=checksum.is_crc32c)


def _write(descriptor: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(descriptor, view) :]
