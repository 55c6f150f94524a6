"""Docker's stream format: an eight-byte head (stream, three zeros, length), then that many bytes.

From the Engine API reference, "Attach to a container", stream format.
"""

import struct
from collections.abc import Callable, Iterator

from howdah.errors import Bug, Transient

HEAD = 8
CHUNK = 64 * 1024
STDOUT, STDERR, SYSTEM_ERROR = 1, 2, 3


def demultiplex(read: Callable[[int], bytes]) -> Iterator[tuple[bool, bytes]]:
    """Pairs of (is standard error, bytes), as they come: a frame is not waited for.

    ``read`` gives up to that many bytes, none at the end. Raises Transient where the stream ends within a frame.
    """
    while head := _read_head(read):
        stream, length = struct.unpack(">BxxxL", head)
        if stream not in (0, STDOUT, STDERR, SYSTEM_ERROR) or head[1:4] != b"\0\0\0":
            raise Bug(f"the engine sent {head!r} where the head of a frame belongs")
        while length:
            piece = read(min(length, CHUNK))
            if not piece:
                raise Transient(f"the engine ended a stream with {length} bytes missing", fix="try again")
            length -= len(piece)
            yield stream in (STDERR, SYSTEM_ERROR), piece


def collect(pieces: Iterator[tuple[bool, bytes]]) -> tuple[bytes, bytes]:
    """Everything of (standard output, standard error)."""
    stdout, stderr = bytearray(), bytearray()
    for is_error, piece in pieces:
        (stderr if is_error else stdout).extend(piece)
    return bytes(stdout), bytes(stderr)


def lines(pieces: Iterator[bytes]) -> Iterator[str]:
    """Text a line at a time, without line ends; what is not UTF-8 is replaced."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode("utf-8", "replace").rstrip("\r")
    if rest:
        yield rest.decode("utf-8", "replace").rstrip("\r")


def _read_head(read: Callable[[int], bytes]) -> bytes:
    head = b""
    while len(head) < HEAD:
        piece = read(HEAD - len(head))
        if not piece:
            if head:
                raise Transient("the engine ended a stream within the head of a frame", fix="try again")
            return b""
        head += piece
    return head
