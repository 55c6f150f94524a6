import io
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howdah.engines.docker.frames import collect, demultiplex, lines
from howdah.errors import Bug, Transient


def frame(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(content)) + content


def in_pieces(content: bytes, size: int) -> Callable[[int], bytes]:
    """A socket that gives at most ``size`` bytes at a time."""
    source = io.BytesIO(content)
    return lambda wanted: source.read(min(wanted, size))


@given(st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=50)), max_size=10), st.integers(1, 20))
def test_the_streams_come_apart_whatever_the_pieces(frames: list[tuple[int, bytes]], size: int) -> None:
    sent = b"".join(frame(stream, content) for stream, content in frames)
    stdout, stderr = collect(demultiplex(in_pieces(sent, size)))
    assert stdout == b"".join(content for stream, content in frames if stream == 1)
    assert stderr == b"".join(content for stream, content in frames if stream == 2)


def test_a_frame_is_not_waited_for() -> None:
    pieces = demultiplex(in_pieces(frame(1, b"abcdef"), 9))
    assert next(pieces) == (False, b"abcdef"[:6])
    assert next(demultiplex(in_pieces(frame(2, b"abcdef"), 4))) == (True, b"abcd")


@pytest.mark.parametrize("cut", [3, 8, 10])
def test_an_end_in_the_middle_is_transient(cut: int) -> None:
    with pytest.raises(Transient):
        collect(demultiplex(in_pieces(frame(1, b"abcdef")[:cut], 100)))


def test_what_is_no_frame_is_a_bug() -> None:
    with pytest.raises(Bug):
        collect(demultiplex(in_pieces(b"HTTP/1.1 200 OK", 100)))


def test_the_engines_own_errors_are_standard_error() -> None:
    assert collect(demultiplex(in_pieces(frame(3, b"no such file"), 100))) == (b"", b"no such file")


@given(st.lists(st.sampled_from(["", "one", "zwei", "drei ü"])), st.integers(1, 5))
def test_lines_come_whole(texts: list[str], size: int) -> None:
    sent = "".join(f"{text}\n" for text in texts).encode()
    assert list(lines(sent[i : i + size] for i in range(0, len(sent), size))) == texts


def test_a_last_line_without_an_end_counts_and_bad_text_is_replaced() -> None:
    assert list(lines(iter([b"one\r\ntw", b"o\xff"]))) == ["one", "two\N{REPLACEMENT CHARACTER}"]
