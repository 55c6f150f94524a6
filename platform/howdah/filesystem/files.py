"""The files of a cluster's HDFS, as its own command line has them."""

import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from howdah.clock import Clock, SystemClock
from howdah.errors import Failed, NotFound, Transient, UserError
from howdah.filesystem import trash
from howdah.filesystem.checksums import FileChecksum
from howdah.filesystem.download import Download
from howdah.filesystem.remote_paths import absolute, expand, inside, parent
from howdah.filesystem.transport import session
from howdah.filesystem.upload import STDIN, Upload
from howdah.filesystem.values import Copied, Count, Entry, Progress, Removed, no_progress
from howdah.filesystem.webhdfs import WebHdfs
from howdah.hadoop import layout
from howdah.model.cluster import Endpoint, container_of, host_name
from howdah.model.roles import ROLES, Role
from howdah.ports.engine import Engine


def user_of(environment: Mapping[str, str]) -> str:
    """Whose name the requests carry: HADOOP_USER_NAME, as Hadoop's clients take it, else the user of the containers.

    Without Kerberos it is a name, not a proof: it guards against mistakes.
    """
    return environment.get("HADOOP_USER_NAME") or layout.USER


def open_files(engine: Engine, label: str, endpoints: Mapping[str, Endpoint], user: str | None = None) -> "HdfsFiles":
    """The files of the cluster with this label, as ``user`` (``user_of`` the environment). Close them at the end.

    Nothing is asked of the cluster yet. Raises Transient where no NameNode is ready.
    """
    prefix = ROLES[Role.NAMENODE].prefix
    namenodes = [one for name, one in sorted(endpoints.items()) if name.rstrip("0123456789") == prefix]
    if not namenodes:
        raise Transient(f"no NameNode of {label} is ready", fix="howdah status says what it waits for")
    suffix = host_name(label, "")

    def dial(host: str, port: int) -> socket.socket:
        if not host.endswith(suffix) or host.count(".") != suffix.count("."):
            raise Failed(f"HDFS sent this client to {host}, which is no instance of {label}")
        return engine.dial(container_of(host), port)

    url = ";".join(f"http://{one.name}:{one.ports['http']}" for one in namenodes)
    addresses = {one.name: one.address for one in endpoints.values() if one.address}
    return HdfsFiles(WebHdfs(url, user or user_of(os.environ), session(dial), addresses))


class HdfsFiles:
    """What ``hdfs dfs`` does, without a JVM. Paths may be relative to the user's home and have Hadoop's patterns.

    Every call raises NotFound for what is not there, UserError for what HDFS does not allow, Transient where a daemon
    is away or in safe mode, Failed for the rest.
    """

    def __init__(self, hdfs: WebHdfs, clock: Clock | None = None) -> None:
        self._hdfs = hdfs
        self._clock = clock or SystemClock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._hdfs.close()

    def ls(self, *paths: str, recursive: bool = False) -> Iterator[Entry]:
        """What is in the folders, and the files themselves; with ``recursive`` each folder before what is in it."""
        entries = expand(self._hdfs, paths or (".",))
        return self._list(entries, recursive=recursive)

    def _list(self, entries: Iterable[Entry], *, recursive: bool) -> Iterator[Entry]:
        for entry in entries:
            if not entry.is_folder:
                yield entry
                continue
            for inner in self._hdfs.entries(entry.path):
                yield inner
                if recursive and inner.is_folder:
                    yield from self._list((inner,), recursive=True)

    def put(
        self,
        local: str | Path,
        remote: str,
        *,
        force: bool = False,
        progress: Progress = no_progress,
        stdin: BinaryIO | None = None,
    ) -> Copied:
        """Copy a file, a folder, or standard input (``-``) into HDFS; it appears whole and compared, or not at all.

        An existing target folder takes it in, a target file needs ``force``, the folder above must be there. Raises
        Failed where the checksums differ or the file changed under the hands; what was written is removed then.
        """
        upload = Upload(self._hdfs, progress, force)
        if str(local) == STDIN:
            return upload.stream(stdin or sys.stdin.buffer, remote)
        return upload.path(Path(local), remote)

    def get(
        self, remote: str, local: str | Path, *, force: bool = False, progress: Progress = no_progress
    ) -> tuple[Copied, ...]:
        """Copy files and folders out of HDFS, each of which appears whole, compared and on the disk, or not at all.

        An existing local folder takes them in, a local file needs ``force``. Raises UserError where the disk has no
        room for them, Failed where it fills up, and where the checksums differ; what was written is removed then.
        """
        return Download(self._hdfs, progress, force).entries(expand(self._hdfs, (remote,)), Path(local))

    def cat(self, *paths: str) -> Iterator[bytes]:
        """The bytes of the files, one after the other."""
        entries = expand(self._hdfs, paths)
        for entry in entries:
            if entry.is_folder:
                raise UserError(
                    f"{entry.path} is a folder of HDFS", fix=f"howdah hdfs NAME cat '{inside(entry.path, '*')}'"
                )
        return (piece for entry in entries for piece in self._hdfs.read(entry))

    def count(self, *paths: str) -> tuple[Count, ...]:
        """How much there is under each path: what to ask about before a large ``rm -r`` (``values.is_large``)."""
        return tuple(self._hdfs.count(entry.path) for entry in expand(self._hdfs, paths))

    def rm(self, *paths: str, recursive: bool = False, skip_trash: bool = False) -> tuple[Removed, ...]:
        """Move to the trash, where it stays for ``trash_minutes``; ``mv`` of ``Removed.trash`` brings it back.

        With ``skip_trash`` it is gone for good. Everything is looked at before the first is moved. Raises UserError for
        a folder without ``recursive``, Refused for /, and without ``skip_trash`` for what is in the trash or holds it.
        """
        entries = expand(self._hdfs, paths)
        for entry in entries:
            trash.check(self._hdfs, entry, recursive=recursive, skip_trash=skip_trash)
        return tuple(trash.remove(self._hdfs, self._clock, entry, skip_trash=skip_trash) for entry in entries)

    @property
    def trash_minutes(self) -> int:
        """How long the trash keeps things; 0 where it is off."""
        return self._hdfs.defaults().trash_minutes

    def mv(self, source: str, target: str) -> tuple[tuple[str, str], ...]:
        """Rename, into the target where that is a folder. Returns pairs of old and new path. Replaces nothing."""
        entries = expand(self._hdfs, (source,))
        path = absolute(target, self._hdfs.user)
        found = self._hdfs.find(path)
        is_folder = found is not None and found.is_folder
        if len(entries) > 1 and not is_folder:
            raise UserError(
                f"{len(entries)} files and folders cannot all become {path}", fix=f"howdah hdfs NAME mkdir {path}"
            )
        if not is_folder and self._hdfs.find(parent(path)) is None:
            raise NotFound(
                f"there is no folder {parent(path)} in HDFS", fix=f"howdah hdfs NAME mkdir -p {parent(path)}"
            )
        moves = tuple((entry.path, inside(path, entry.name) if is_folder else path) for entry in entries)
        for old, new in moves:
            self._hdfs.rename(old, new)
        return moves

    def mkdir(self, path: str, *, parents: bool = False) -> bool:
        """Make a folder; with ``parents`` those above it too, and one that is there is no error. False where it was."""
        full = absolute(path, self._hdfs.user)
        found = self._hdfs.find(full)
        if found:
            if parents and found.is_folder:
                return False
            raise UserError(
                f"{full} exists already in HDFS", fix="" if not found.is_folder else "-p makes that no error"
            )
        if not parents and self._hdfs.find(parent(full)) is None:
            raise NotFound(f"there is no folder {parent(full)} in HDFS", fix="-p makes it too")
        self._hdfs.make_folder(full)
        return True

    def du(self, *paths: str, summary: bool = False) -> tuple[Count, ...]:
        """How much there is in each file and folder of the folders, or with ``summary`` in each path."""
        entries = expand(self._hdfs, paths or (".",))
        if not summary:
            entries = tuple(self._list(entries, recursive=False))
        return tuple(self._hdfs.count(entry.path) for entry in entries)

    def stat(self, *paths: str) -> tuple[Entry, ...]:
        """The files and folders themselves."""
        return expand(self._hdfs, paths)

    def checksum(self, path: str) -> FileChecksum | None:
        """Of one file, as WebHDFS tells it; None where HDFS cannot, for one that is still written."""
        return self._hdfs.checksum(absolute(path, self._hdfs.user))
