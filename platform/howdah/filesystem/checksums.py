"""HDFS's checksum of a file, computed from its bytes, so that a copy is compared from end to end.

DataNodes keep a CRC of every ``bytes_per_checksum`` bytes. A file's checksum is the MD5 over its blocks' MD5s, each of
them over the block's CRCs: ``MD5-of-262144MD5-of-512CRC32C``. WebHDFS answers this one whatever
``dfs.checksum.combine.mode`` says: WebHdfsHandler.onGetFileChecksum of 3.5.0 calls DFSClient.getFileChecksum, which
does not look at the mode. The CRC of the whole file that ``hdfs dfs -checksum`` shows cannot be had without a JVM.
"""

import hashlib
import re
import sys
import zlib
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_ALGORITHM = re.compile(r"MD5-of-\d+MD5-of-(\d+)(CRC32C?)")
_MD5_AT = slice(24, 56)
"""In the hexadecimal text, after 4 bytes of bytes per CRC and 8 of CRCs per block (MD5MD5CRC32FileChecksum.write)."""


@dataclass(frozen=True, slots=True)
class FileChecksum:
    """As HDFS tells it: ``algorithm`` in Hadoop's words, ``value`` in hexadecimal."""

    algorithm: str
    value: str

    @property
    def bytes_per_checksum(self) -> int | None:
        """Of the CRCs it is made of; 0 for an empty file; None where it is of a kind that is not computed here."""
        match = _ALGORITHM.fullmatch(self.algorithm)
        return int(match[1]) if match else None

    @property
    def is_crc32c(self) -> bool:
        """The CRC with Castagnoli's polynomial, Hadoop's default, not zlib's."""
        return self.algorithm.endswith("CRC32C")

    @property
    def md5(self) -> str:
        """The part that is the same for the same bytes in the same blocks."""
        return self.value[_MD5_AT] if len(self.value) >= _MD5_AT.stop else ""


class BlockHash:
    """The MD5 of the MD5s of the CRCs, fed piece by piece.

    ``blocks`` are the lengths of the file's blocks; the last one counts for all that follow. It takes a quarter of a
    second for 1 GiB, most of it in the calls for 2 million CRCs.
    """

    def __init__(self, bytes_per_checksum: int, blocks: Iterable[int], *, is_crc32c: bool) -> None:
        self._step = bytes_per_checksum
        self._crc = _crc32c() if is_crc32c else zlib.crc32
        self._blocks = iter(blocks)
        self._block = hashlib.md5(usedforsecurity=False)
        self._room = self._size = next(self._blocks)
        self._rest = b""
        self._digests = b""

    def update(self, piece: bytes) -> None:
        """The next bytes of the file."""
        while len(piece) > self._room:
            head, piece = piece[: self._room], piece[self._room :]
            self._add(head)
            self._end_block()
        self._add(piece)

    def hexdigest(self) -> str:
        """After the last piece."""
        if self._room < self._size:
            self._end_block()
        # DataOutputBuffer.getData(), over which Hadoop takes the MD5, is the whole buffer: 32 bytes, doubled as needed.
        padded = 32
        while padded < len(self._digests):
            padded *= 2
        return hashlib.md5(self._digests.ljust(padded, b"\0"), usedforsecurity=False).hexdigest()

    def _add(self, piece: bytes) -> None:
        self._room -= len(piece)
        if self._rest:
            piece = self._rest + piece
        crc, step = self._crc, self._step
        whole = len(piece) - len(piece) % step
        crcs = array("I", [crc(piece[at : at + step]) for at in range(0, whole, step)])
        if sys.byteorder == "little":
            crcs.byteswap()
        self._block.update(crcs)
        self._rest = piece[whole:]

    def _end_block(self) -> None:
        if self._rest:
            self._block.update(self._crc(self._rest).to_bytes(4, "big"))
        self._digests += self._block.digest()
        self._block = hashlib.md5(usedforsecurity=False)
        self._rest = b""
        self._room = self._size = next(self._blocks, self._size)


def _crc32c() -> Callable[[bytes], int]:
    from google_crc32c import value

    return value  # type: ignore[no-any-return]
