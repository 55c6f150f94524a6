"""A NameNode and DataNodes that speak WebHDFS over socket pairs: as much of it as the client uses, and its faults."""

import hashlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from posixpath import dirname
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import google_crc32c

from howdah.errors import Transient

NAMENODE = "nn1.sales.howdah"
DATANODES = ("dn1.sales.howdah", "dn2.sales.howdah")
ADDRESSES = {"dn1.sales.howdah": "10.0.0.21", "dn2.sales.howdah": "10.0.0.22"}
BLOCK_SIZE = 2000
BYTES_PER_CHECKSUM = 512
PROTECTED = "/protected"


class Remote(Exception):
    """A RemoteException, with its HTTP status."""

    def __init__(self, status: int, exception: str, message: str) -> None:
        self.status = status
        self.body = {"RemoteException": {"exception": exception, "javaClassName": f"x.{exception}", "message": message}}


@dataclass
class Node:
    """A file, or a folder where ``content`` is None."""

    number: int
    content: bytes | None = None
    is_encrypted: bool = False
    blocks: tuple[int, ...] = ()


@dataclass
class FakeHdfs:
    """``nodes`` by path. The other fields are what goes wrong."""

    nodes: dict[str, Node] = field(default_factory=lambda: {"/": Node(1)})
    requests: list[str] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    """Hosts that cannot be dialled."""
    breaks_after: dict[str, int] = field(default_factory=dict)
    """A DataNode to the bytes of an answer after which it breaks off."""
    damages_writes: bool = False
    damages_reads: bool = False
    is_in_safe_mode: bool = False
    is_still_writing: set[str] = field(default_factory=set)
    trash_minutes: int = 1440
    before_rename: Callable[["FakeHdfs"], None] | None = None
    threads: list[threading.Thread] = field(default_factory=list)

    def dial(self, host: str, port: int) -> socket.socket:
        """Howdah's way in."""
        if host in self.down:
            raise Transient(f"container of {host} does not run")
        ours, theirs = socket.socketpair()

        def serve() -> None:
            with theirs, suppress(BrokenPipeError, ConnectionResetError):
                _handler(self, host)(theirs, (host, port), None)  # type: ignore[arg-type]

        thread = threading.Thread(target=serve, daemon=True)
        self.threads.append(thread)
        thread.start()
        return ours

    def put(self, path: str, content: bytes | None = None, **about: Any) -> None:
        """Make a file, or a folder, and the folders above."""
        if dirname(path) not in self.nodes:
            self.put(dirname(path))
        self.nodes[path] = Node(len(self.requests) * 1000 + len(self.nodes), content, **about)

    def content(self, path: str) -> bytes:
        """Of a file."""
        found = self.nodes[path].content
        assert found is not None
        return found

    def files(self) -> dict[str, bytes]:
        """Every file."""
        return {path: node.content for path, node in self.nodes.items() if node.content is not None}

    def status(self, path: str, name: str) -> dict[str, Any]:
        """A FileStatus."""
        node = self.nodes[path]
        return {
            "type": "DIRECTORY" if node.content is None else "FILE",
            "length": len(node.content or b""),
            "owner": "hadoop",
            "group": "hadoop",
            "permission": "644",
            "replication": 2,
            "blockSize": BLOCK_SIZE,
            "modificationTime": 1_790_000_000_000 + node.number,
            "accessTime": 1_790_000_000_000,
            "childrenNum": len(self.children(path)),
            "fileId": node.number,
            "pathSuffix": name,
            **({"encBit": True} if node.is_encrypted else {}),
        }

    def children(self, path: str) -> list[str]:
        """Paths of what is in a folder."""
        return sorted(one for one in self.nodes if one != "/" and dirname(one) == path)

    def need(self, path: str) -> Node:
        """The node, or Hadoop's complaint."""
        if path not in self.nodes:
            raise Remote(404, "FileNotFoundException", f"File does not exist: {path}")
        return self.nodes[path]

    def below(self, path: str) -> list[str]:
        """The path and everything under it."""
        return [one for one in self.nodes if one == path or one.startswith(f"{path.rstrip('/')}/")]

    def blocks(self, path: str) -> list[int]:
        """Lengths of a file's blocks."""
        node = self.nodes[path]
        if node.blocks:
            return list(node.blocks)
        length = len(node.content or b"")
        return [min(BLOCK_SIZE, length - at) for at in range(0, length, BLOCK_SIZE)]

    def checksum(self, path: str) -> dict[str, Any]:
        """Step by step as Hadoop does it."""
        content, digests, at = self.content(path), b"", 0
        for length in self.blocks(path):
            block = content[at : at + length]
            at += length
            crcs = [
                google_crc32c.value(block[i : i + BYTES_PER_CHECKSUM]) for i in range(0, length, BYTES_PER_CHECKSUM)
            ]
            digests += hashlib.md5(struct.pack(f">{len(crcs)}I", *crcs)).digest()
        size = 32
        while size < len(digests):
            size *= 2
        value = hashlib.md5(digests.ljust(size, b"\0")).hexdigest()
        return {
            "algorithm": f"MD5-of-4MD5-of-{BYTES_PER_CHECKSUM}CRC32C" if content else "MD5-of-0MD5-of-0CRC32",
            "bytes": f"{BYTES_PER_CHECKSUM:08x}{4:016x}{value}00000000",
            "length": 28,
        }


def _handler(hdfs: FakeHdfs, host: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            parts = urlsplit(self.path)
            path = unquote(parts.path.removeprefix("/webhdfs/v1")) or "/"
            self.ask = {name: values[0] for name, values in parse_qs(parts.query).items()}
            operation = self.ask["op"]
            hdfs.requests.append(f"{host.partition('.')[0]} {operation} {path}")
            try:
                node = hdfs.nodes.get(path)
                if hdfs.is_in_safe_mode and self.command != "GET":
                    raise Remote(403, "SafeModeException", f"Cannot do {path}. Name node is in safe mode.\nIt waits.")
                if host == NAMENODE and operation in ("CREATE", "OPEN", "GETFILECHECKSUM"):
                    self.redirect(operation, path)
                else:
                    getattr(self, operation.lower())(path, node)
            except Remote as refused:
                self.answer(refused.body, refused.status)

        do_GET = do_PUT = do_DELETE = handle_one  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self, body: Any, status: int = 200) -> None:
            text = json.dumps(body).encode() if body is not None else b""
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def redirect(self, operation: str, path: str) -> None:
            if operation != "CREATE":
                hdfs.need(path)
            left_out = self.ask.get("excludedatanodes", "").split(",")
            # For a checksum the real one takes no notice of what is to be left out, and turns from one to the other.
            turned = DATANODES if operation != "GETFILECHECKSUM" or len(hdfs.requests) % 2 else DATANODES[::-1]
            may_leave_out = operation != "GETFILECHECKSUM"
            to = next((one for one in turned if not may_leave_out or ADDRESSES[one] not in left_out), None)
            if to is None:
                raise Remote(403, "IOException", "Failed to find datanode, suggest to check cluster health.")
            query = urlsplit(self.path).query
            self.send_response(307)
            self.send_header("Location", f"http://{to}:9864/webhdfs/v1{quote(path)}?{query}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def create(self, path: str, node: Node | None) -> None:
            content = self.body()
            self.close_connection = True
            if dirname(path) not in hdfs.nodes:
                raise Remote(404, "FileNotFoundException", f"Parent directory doesn't exist: {dirname(path)}\n\tat x")
            if content is None:
                hdfs.put(path, b"partial")
                return
            if hdfs.damages_writes:
                content = content[:-1] + bytes([content[-1] ^ 1])
            hdfs.put(path, content)
            self.answer(None, 201)

        def body(self) -> bytes | None:
            """What was sent; None where the DataNode dies on the way."""
            limit = hdfs.breaks_after.get(host)
            if "Content-Length" in self.headers:
                length = int(self.headers["Content-Length"])
                content = self.rfile.read(length if limit is None else min(limit, length))
                return None if limit is not None or len(content) < length else content
            content = b""
            while size := int(self.rfile.readline() or b"0", 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return content

        def open(self, path: str, node: Node | None) -> None:
            content = hdfs.content(path)[int(self.ask.get("offset", 0)) :]
            if hdfs.damages_reads and content:
                content = bytes([content[0] ^ 1]) + content[1:]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: hdfs.breaks_after.get(host, len(content))])
            self.close_connection = True

        def getfilestatus(self, path: str, node: Node | None) -> None:
            hdfs.need(path)
            self.answer({"FileStatus": hdfs.status(path, "")})

        def liststatus(self, path: str, node: Node | None) -> None:
            hdfs.need(path)
            found = [hdfs.status(one, one.rpartition("/")[2]) for one in hdfs.children(path)]
            self.answer({"FileStatuses": {"FileStatus": found}})

        def getcontentsummary(self, path: str, node: Node | None) -> None:
            hdfs.need(path)
            found = [hdfs.nodes[one].content for one in hdfs.below(path)]
            length = sum(len(one or b"") for one in found)
            folders = found.count(None)
            summary = {"directoryCount": folders, "fileCount": len(found) - folders}
            self.answer({"ContentSummary": {**summary, "length": length, "spaceConsumed": 2 * length}})

        def getfilechecksum(self, path: str, node: Node | None) -> None:
            self.close_connection = True
            if path in hdfs.is_still_writing:
                raise Remote(403, "IOException", f"Fail to get checksum, since file {path} is under construction.")
            self.answer({"FileChecksum": hdfs.checksum(path)})

        def getfileblocklocations(self, path: str, node: Node | None) -> None:
            blocks = [{"length": length} for length in hdfs.blocks(path)]
            self.answer({"BlockLocations": {"BlockLocation": blocks}})

        def getserverdefaults(self, path: str, node: Node | None) -> None:
            defaults = {"blockSize": BLOCK_SIZE, "bytesPerChecksum": BYTES_PER_CHECKSUM, "checksumType": 2}
            self.answer({"FsServerDefaults": {**defaults, "trashInterval": hdfs.trash_minutes}})

        def gettrashroot(self, path: str, node: Node | None) -> None:
            self.answer({"Path": f"/user/{self.ask['user.name']}/.Trash"})

        def checkaccess(self, path: str, node: Node | None) -> None:
            if path == PROTECTED:
                text = f'Permission denied: user=joe, access=WRITE, inode="{path}":hadoop:staff:drwxr-xr-x'
                raise Remote(403, "AccessControlException", text)
            self.answer(None)

        def mkdirs(self, path: str, node: Node | None) -> None:
            above = path
            while above != "/":
                if above in hdfs.nodes and hdfs.nodes[above].content is not None:
                    raise Remote(403, "ParentNotDirectoryException", f"{above} (is not a directory)")
                above = dirname(above)
            if node is None:
                hdfs.put(path)
            self.answer({"boolean": True})

        def delete(self, path: str, node: Node | None) -> None:
            found = hdfs.below(path)
            if len(found) > 1 and self.ask.get("recursive", "false").lower() != "true":
                raise Remote(403, "PathIsNotEmptyDirectoryException", f"`{path} is non empty'")
            for one in found:
                del hdfs.nodes[one]
            self.answer({"boolean": bool(found)})

        def rename(self, path: str, node: Node | None) -> None:
            target, option = self.ask["destination"], self.ask["renameoptions"]
            if hdfs.before_rename:
                hook, hdfs.before_rename = hdfs.before_rename, None
                hook(hdfs)
            hdfs.need(path)
            if dirname(target) not in hdfs.nodes:
                text = f"rename destination parent {target} not found."
                raise Remote(404, "FileNotFoundException", text)
            if target in hdfs.nodes and option != "OVERWRITE":
                raise Remote(403, "FileAlreadyExistsException", f"rename destination {target} already exists")
            for one in hdfs.below(path):
                hdfs.nodes[target + one[len(path) :]] = hdfs.nodes.pop(one)
            self.answer(None)

    return Handler
