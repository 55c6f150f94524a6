"""Files and folders of this machine that appear whole or not at all."""

import errno
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from howdah.errors import Conflict, Failed, HowdahError, NotFound, UserError
from howdah.units import Bytes

NAME_LIMIT = 255
"""Bytes in one name, here and in HDFS (dfs.namenode.fs-limits.max-component-length)."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file to upload: where it is, and its place below what was named (empty for that itself)."""

    path: Path
    place: str
    length: int


@dataclass(frozen=True, slots=True)
class LocalTree:
    """What an upload is of. ``folders`` are places, parents first; None for a single file."""

    folders: tuple[str, ...] | None
    files: tuple[LocalFile, ...]


def scan(path: Path) -> LocalTree:
    """Everything to upload, found and checked before the first byte goes. Links are followed, as Hadoop follows them.

    Raises NotFound, and UserError for what is neither file nor folder, a name that is not UTF-8, and a link to a
    folder it is in.
    """
    with telling(path):
        if not path.exists():
            raise NotFound(f"there is no file or folder {path} on this machine")
        if not path.is_dir():
            return LocalTree(None, (_file(path, ""),))
        folders: list[str] = []
        files: list[LocalFile] = []
        _scan_folder(path, "", folders, files, ())
        return LocalTree(tuple(folders), tuple(files))


def _scan_folder(path: Path, place: str, folders: list[str], files: list[LocalFile], above: tuple[Path, ...]) -> None:
    real = path.resolve()
    if real in above:
        raise UserError(f"{path} is a link to a folder that it is in", fix="leave the link out")
    for item in sorted(path.iterdir()):
        here = f"{place}/{item.name}" if place else item.name
        try:
            here.encode()
        except UnicodeEncodeError:
            raise UserError(f"{str(item)!r} has a name that is not UTF-8", fix="rename it") from None
        if item.is_dir():
            folders.append(here)
            _scan_folder(item, here, folders, files, (*above, real))
        else:
            files.append(_file(item, here))


def _file(path: Path, place: str) -> LocalFile:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{path} is neither a file nor a folder", fix="pipe it in: … | howdah hdfs NAME put - /in/x")
    return LocalFile(path, place, status.st_size)


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """One line for what the operating system says of a local file."""
    try:
        yield
    except (FileExistsError, PermissionError, NotADirectoryError, IsADirectoryError, FileNotFoundError) as error:
        raise UserError(f"{error.filename or path}: {error.strerror}") from error
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        fix = "make room on this machine's disk, then the same again" if full else ""
        raise Failed(f"{error.filename or path}: {error.strerror or error}", fix=fix) from error


def check_room(folder: Path, length: int) -> None:
    """Raise UserError where the disk has less than ``length`` bytes left, before anything is fetched."""
    with telling(folder):
        free = Bytes(shutil.disk_usage(folder).free)
    if length > free:
        raise UserError(
            f"{Bytes(length)} do not fit into {folder}: {free} are free", fix="make room, or name another disk"
        )


def temporary_name(name: str, *origin: str, prefix: str) -> str:
    """The same for the same copy, so that repeating one that was killed takes up its leftovers, and no other's."""
    token = hashlib.sha256("\0".join(origin).encode("utf-8", "surrogateescape")).hexdigest()[:8]
    room = NAME_LIMIT - len(prefix) - len(token) - 1
    return f"{prefix}{name.encode()[:room].decode('utf-8', 'ignore')}.{token}"


@contextmanager
def new_file(target: Path, temporary: Path) -> Iterator[int]:
    """A descriptor to write to; the file gets its name once all of it is on the disk.

    Whatever goes wrong, the temporary file is removed. Raises Conflict where another process has it.
    """
    with telling(temporary):
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        _hold(descriptor, temporary)
        with _removing(temporary), telling(target):
            os.ftruncate(descriptor, 0)
            yield descriptor
            os.fsync(descriptor)
            os.replace(temporary, target)
            _sync_folder(target.parent)
    finally:
        os.close(descriptor)


@contextmanager
def new_folder(target: Path, temporary: Path) -> Iterator[Path]:
    """A folder to fill; it gets its name at the end. Raises Conflict where another has it."""
    with telling(temporary):
        temporary.mkdir(exist_ok=True)
        descriptor = os.open(temporary, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        _hold(descriptor, temporary)
        with _removing(temporary), telling(target):
            for leftover in temporary.iterdir():
                _remove(leftover)
            yield temporary
            os.fsync(descriptor)
            os.rename(temporary, target)
            _sync_folder(target.parent)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, temporary: Path) -> None:
    """The lock goes with the process, however it ends; so what is there and not locked is a leftover."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever had it may have given it its name since it was opened.
        is_ours = os.path.samestat(os.fstat(descriptor), os.stat(temporary))
    except (BlockingIOError, FileNotFoundError):
        is_ours = False
    if not is_ours:
        raise Conflict(f"another process fetches the same to {temporary.parent}", fix="wait for its end")


@contextmanager
def _removing(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(OSError, HowdahError):
            _remove(temporary)
        raise


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
