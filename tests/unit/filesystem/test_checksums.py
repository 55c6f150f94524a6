"""Against what Hadoop 3.5.0 answered for the same bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.filesystem.checksums import BlockHash, FileChecksum

MIB = 2**20
CONTENT = bytes(range(256)) * (4096 * 4) + b"tail."


@pytest.mark.parametrize(
    ("content", "blocks", "expected"),
    [
        (b"", [MIB], "70bc8f4b72a86921468bf8e8441dce51"),
        (b"x", [128 * MIB], "a9cd0ae05717c9946b82622c96440c92"),
        (b"abc", [128 * MIB], "648db27a367e242e5349fe9ccfdab0ea"),
        (CONTENT[:700], [MIB], "3901148a7df010f0cb6ed60277c3730f"),
        (CONTENT[:MIB], [MIB], "0e676adb4261d919c6bb465c056b50cc"),
        (CONTENT[: 3 * MIB - 7], [MIB], "1d0f0c3e087a183539e5301c61bbe79d"),
        (CONTENT[: 3 * MIB + 5], [MIB], "9850a1da845f723e38159d9fd34b0823"),
        (CONTENT[: 4 * MIB + 5], [MIB], "6510bb28e9f65e160ad578d84d4503ab"),
        (CONTENT[:MIB] + CONTENT[:1500] + CONTENT[:2000], [MIB, 1500, 2000], "bbf7e7c22ca506ee030435904b96057f"),
    ],
    ids=["empty", "1", "3", "700", "one whole block", "3 blocks", "4 blocks", "5 blocks", "made of 3 files"],
)
def test_the_checksum_is_the_one_hadoop_computes(content: bytes, blocks: list[int], expected: str) -> None:
    hashing = BlockHash(512, blocks, is_crc32c=True)
    hashing.update(content)
    assert hashing.hexdigest() == expected


@given(
    st.binary(max_size=5000), st.lists(st.integers(1, 700)), st.lists(st.integers(1, 900), min_size=1), st.booleans()
)
def test_it_does_not_depend_on_how_the_bytes_arrive(
    content: bytes, cuts: list[int], blocks: list[int], is_crc32c: bool
) -> None:
    whole = BlockHash(64, blocks, is_crc32c=is_crc32c)
    whole.update(content)
    parts = BlockHash(64, blocks, is_crc32c=is_crc32c)
    at = 0
    for cut in cuts:
        parts.update(content[at : at + cut])
        at += cut
    parts.update(content[at:])
    assert parts.hexdigest() == whole.hexdigest()


def test_the_answer_of_webhdfs_is_taken_apart() -> None:
    value = "000002000000000000040000" + "8b0967884e9125390f6e0fd2686fd743"
    checksum = FileChecksum("MD5-of-262144MD5-of-512CRC32C", value)
    assert (checksum.bytes_per_checksum, checksum.is_crc32c) == (512, True)
    assert checksum.md5 == "8b0967884e9125390f6e0fd2686fd743"


@pytest.mark.parametrize("algorithm", ["COMPOSITE-CRC32C", "MD5-of-512GZIP", ""])
def test_a_checksum_of_another_kind_is_not_compared(algorithm: str) -> None:
    checksum = FileChecksum(algorithm, "78d8d089")
    assert checksum.bytes_per_checksum is None
    assert checksum.md5 == ""
