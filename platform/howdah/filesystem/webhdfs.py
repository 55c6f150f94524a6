"""The calls of WebHDFS that are used, typed, and with errors of our own. The only importer of the ``hdfs`` library."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from hdfs.client import InsecureClient, _Request, _to_error
from hdfs.util import HdfsError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed
from urllib3.exceptions import HTTPError

from howdah.errors import Failed, NotFound, Transient
from howdah.filesystem.answers import refusal
from howdah.filesystem.checksums import FileChecksum
from howdah.filesystem.transport import cause
from howdah.filesystem.values import Count, Entry, ServerDefaults
from howdah.units import Bytes

T = TypeVar("T")
log = logging.getLogger(__name__)

PIECE = 2**20
"""Bytes read, summed and sent at a time."""
ANSWER_SECONDS = 60
"""For an answer, and for each piece of a file."""
WRITTEN_SECONDS = 180
"""For the word that a file is written: DataNodes flush the last block to the disk first (dfs.datanode.synconclose)."""
REPLICAS_TRIED = 3
CHECKSUM_TRIES = 6
"""NameNodes take no ``excludedatanodes`` for GETFILECHECKSUM: they name a replica at random, the dead one too."""
_NONE_LEFT = ("Failed to find datanode", "not excluded nodes")
"""What a NameNode says where every DataNode that it could name is left out."""


class Rename(StrEnum):
    """What a rename does about a target that exists."""

    KEEP = "NONE"
    REPLACE = "OVERWRITE"
    TO_TRASH = "TO_TRASH"


class _Client(InsecureClient):  # type: ignore[misc]  # the library has no types
    """The library's client with three more calls. The attribute's name is the call's: GETFILEBLOCKLOCATIONS."""

    _get_file_block_locations = _Request("GET")
    _get_server_defaults = _Request("GET")
    _check_access = _Request("GET")

    def resolve(self, hdfs_path: str) -> str:
        """Take the path as it is: the library would read ``#LATEST`` in a name as a command."""
        return hdfs_path

    def _request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        timeout = ANSWER_SECONDS if kwargs.get("data") is None else WRITTEN_SECONDS
        session: requests.Session = self._session
        return session.request(method, url, timeout=timeout, **kwargs)


class Unreachable(Transient):
    """A daemon did not answer, or broke off. ``host`` is its name inside the cluster."""

    def __init__(self, host: str, port: int | None, why: str, *, is_namenode: bool) -> None:
        daemon = "NameNode" if is_namenode else "DataNode"
        super().__init__(
            f"{daemon} {host}:{port} did not answer or broke off: {why}", fix="howdah status, then the same again"
        )
        self.host = host
        self.is_namenode = is_namenode


_LeftOut = dict[str, Unreachable]
"""Addresses of DataNodes that a NameNode is asked not to name again, and what was wrong with each."""


class WebHdfs:
    """HDFS over HTTP as one user. Paths are absolute and normal.

    ``url`` is the NameNode's, or several joined by ``;``. ``addresses`` gives the DataNodes' by name: a NameNode asked
    to leave one out knows it by nothing else. What only reads is tried twice, ``pause`` seconds apart.

    Every call raises NotFound for a path that is not there, UserError where HDFS refuses the request itself, Transient
    where a daemon is away or in safe mode, Failed for the rest.
    """

    def __init__(
        self, url: str, user: str, session: requests.Session, addresses: Mapping[str, str], pause: float = 1.0
    ) -> None:
        self.user = user
        self._client = _Client(url, user=user, session=session)
        self._session = session
        self._addresses = addresses
        self._defaults: ServerDefaults | None = None
        self._twice = Retrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(2),
            wait=wait_fixed(pause),
            reraise=True,
        )

    def close(self) -> None:
        """Close every connection."""
        self._session.close()

    def find(self, path: str) -> Entry | None:
        """The file or folder, or None."""
        try:
            return self.status(path)
        except NotFound:
            return None

    def status(self, path: str) -> Entry:
        """The file or folder."""
        return _entry(path, self._read(path, lambda: self._client.status(path)))

    def entries(self, folder: str) -> tuple[Entry, ...]:
        """What is in a folder, by name as HDFS sorts it."""
        answer = self._read(folder, lambda: _json(self._client._list_status(folder)))
        base = folder.rstrip("/")
        return tuple(_entry(f"{base}/{one['pathSuffix']}", one) for one in answer["FileStatuses"]["FileStatus"])

    def count(self, path: str) -> Count:
        """How much there is under a path."""
        found = self._read(path, lambda: self._client.content(path))
        return Count(
            path, found["directoryCount"], found["fileCount"], Bytes(found["length"]), Bytes(found["spaceConsumed"])
        )

    def checksum(self, path: str) -> FileChecksum | None:
        """The file's, or None for one that is still written."""
        for tries_left in reversed(range(CHECKSUM_TRIES)):
            try:
                with self._telling(path):
                    found = self._client.checksum(path)
                return FileChecksum(found["algorithm"], found["bytes"][: 2 * found["length"]])
            except Unreachable:
                if not tries_left:
                    raise
            except Failed as error:
                if "under construction" not in error.what:
                    raise
                break
        return None

    def block_lengths(self, path: str) -> tuple[int, ...]:
        """Of the file's blocks, in order. They differ where it was appended to by block or made of several files."""
        found = self._read(path, lambda: _json(self._client._get_file_block_locations(path)))
        return tuple(block["length"] for block in found["BlockLocations"]["BlockLocation"])

    def defaults(self) -> ServerDefaults:
        """What new files get. Asked once."""
        if self._defaults is None:
            found = self._read("/", lambda: _json(self._client._get_server_defaults("/")))["FsServerDefaults"]
            self._defaults = ServerDefaults(
                block_size=found["blockSize"],
                bytes_per_checksum=found["bytesPerChecksum"],
                is_crc32c=found["checksumType"] == 2,  # DataChecksum.Type.CRC32C
                trash_minutes=found["trashInterval"],
            )
        return self._defaults

    def trash_root(self, path: str) -> str:
        """Where the trash for a path is: in the user's home, or in the path's own encryption zone."""
        return str(self._read(path, lambda: _json(self._client._get_trash_root(path)))["Path"])

    def check_writable(self, folder: str) -> None:
        """Raise UserError where this user may not put anything there."""
        self._read(folder, lambda: self._client._check_access(folder, fsaction="-wx"))

    def make_folder(self, path: str, permission: str = "755") -> None:
        """With its parents; nothing where it is there."""
        with self._telling(path):
            self._client._mkdirs(path, permission=permission)

    def rename(self, source: str, target: str, existing: Rename = Rename.KEEP) -> None:
        """At once, whole. The target's folder must be there. Raises UserError for a target that is in the way."""
        with self._telling(source):
            self._client._rename(source, destination=target, renameoptions=str(existing))

    def delete(self, path: str, *, recursive: bool) -> bool:
        """For good; False where there was nothing."""
        with self._telling(path):
            return bool(_json(self._client._delete(path, recursive=recursive))["boolean"])

    def create(self, path: str, body: Iterable[bytes], block_size: int) -> None:
        """Write a file of what ``body`` yields, in the place of one that is there. A body may have a length.

        A DataNode that does not answer at all is left out; not one that breaks off: by then the body is used up.
        """
        left_out: _LeftOut = {}
        while True:
            try:
                with self._instead(left_out), self._telling(path):
                    answer = self._client._create(
                        path, overwrite=True, blocksize=block_size, createparent=False, **_without(left_out)
                    )
                with self._telling(path):
                    written = self._client._request("PUT", answer.headers["location"], data=body)
                    if not written.ok:
                        raise _to_error(written)
                return
            except Unreachable as error:
                if getattr(body, "has_begun", True) or not self._leave_out(error, left_out):
                    raise

    def read(self, entry: Entry) -> Iterator[bytes]:
        """The file's bytes. Goes on from another replica where a DataNode dies in the middle.

        Raises Failed where the file is replaced in that moment.
        """
        done = 0
        left_out: _LeftOut = {}
        while True:
            try:
                for piece in self._read_from(entry.path, done, left_out):
                    done += len(piece)
                    yield piece
                return
            except Unreachable as error:
                if not self._leave_out(error, left_out):
                    raise
                if done and _version(self.status(entry.path)) != _version(entry):
                    raise Failed(f"{entry.path} changed while it was read", fix="the same again") from error

    def _read_from(self, path: str, offset: int, left_out: _LeftOut) -> Iterator[bytes]:
        with self._instead(left_out), self._telling(path):
            answer = self._client._open(path, offset=offset, **_without(left_out))
        with answer, self._telling(path, answer.url):
            # Not iter_content: it passes every piece through two more generators.
            while piece := answer.raw.read(PIECE, decode_content=False):
                yield piece

    def _leave_out(self, error: Unreachable, left_out: _LeftOut) -> bool:
        address = self._addresses.get(error.host)
        if address is None or address in left_out or len(left_out) + 1 >= REPLICAS_TRIED:
            return False
        log.info("%s; going on without %s", error.what, error.host)
        left_out[address] = error
        return True

    @contextmanager
    def _instead(self, left_out: _LeftOut) -> Iterator[None]:
        """Where none is left, what was wrong with the first says more than that."""
        try:
            yield
        except Failed as error:
            if left_out and any(words in error.what for words in _NONE_LEFT):
                raise next(iter(left_out.values())) from error
            raise

    def _read(self, path: str, ask: Callable[[], T]) -> T:
        def told() -> T:
            with self._telling(path):
                return ask()

        return self._twice(told)

    @contextmanager
    def _telling(self, path: str, url: str = "") -> Iterator[None]:
        """Turn what the libraries raise into our own errors."""
        try:
            yield
        except HdfsError as error:
            raise refusal(error.exception, error.message, path) from None
        except UnicodeEncodeError:
            raise NotFound(f"{path!r} is not a name for HDFS: it is not UTF-8") from None
        except (requests.RequestException, HTTPError, OSError) as error:
            request = getattr(error, "request", None)
            parts = urlsplit(url or (request.url if request is not None else "") or self._client.url)
            is_namenode = f"{parts.scheme}://{parts.netloc}" in self._client.urls
            raise Unreachable(parts.hostname or "", parts.port, cause(error), is_namenode=is_namenode) from error


def _version(entry: Entry) -> tuple[int, int, datetime]:
    return entry.file_id, entry.length, entry.modified_at


def _without(left_out: _LeftOut) -> dict[str, str]:
    return {"excludedatanodes": ",".join(left_out)} if left_out else {}


def _json(answer: requests.Response) -> Any:
    return answer.json()


def _entry(path: str, status: Mapping[str, Any]) -> Entry:
    return Entry(
        path=path,
        is_folder=status["type"] == "DIRECTORY",
        length=Bytes(status["length"]),
        owner=status["owner"],
        group=status["group"],
        permission=status["permission"],
        replication=status["replication"],
        block_size=status["blockSize"],
        modified_at=_time(status["modificationTime"]),
        accessed_at=_time(status["accessTime"]),
        children=status.get("childrenNum", 0),
        file_id=status["fileId"],
        has_plain_checksum=not (status.get("ecBit") or status.get("encBit")),
    )


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
