"""The libraries themselves are the oracle for whole files."""

import io

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from small_captures import gzipped

from captures.decompression import DecompressionError, Gzip, Zstd


class Dribble:
    """A stream that gives no more than so many octets at a time."""

    def __init__(self, octets: bytes, step: int) -> None:
        self._stream, self._step = io.BytesIO(octets), step

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._step))


def unfold(decoder: Gzip | Zstd, size: int, parts: list[bytes]) -> None:
    while part := decoder.read(size):
        assert len(part) <= size
        parts.append(part)


def unfolded(decoder: Gzip | Zstd, size: int) -> bytes:
    parts: list[bytes] = []
    unfold(decoder, size, parts)
    return b"".join(parts)


CONTENTS = st.builds(
    lambda piece, times, rest: piece * times + rest,
    st.binary(max_size=300),
    st.sampled_from([0, 1, 3, 2_000]),
    st.binary(max_size=300),
)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(CONTENTS, max_size=4),
    st.integers(1, 19),
    st.sampled_from([1, 3, 1_000_000]),
    st.sampled_from([1, 700, 1_000_000]),
)
def test_whole_files_unfold_to_what_was_folded(contents, level: int, step: int, size: int) -> None:
    expected = b"".join(contents)
    size = size if len(expected) < 5_000 else 1_000_000
    packer = zstandard.ZstdCompressor(level=level, write_checksum=level % 2 == 0)
    frames = Dribble(b"".join(map(packer.compress, contents)), step)
    assert unfolded(Zstd(frames), size) == expected
    members = b"".join(gzipped(content, min(level, 9)) for content in contents)
    if contents:
        assert unfolded(Gzip(Dribble(members, step)), size) == expected


@settings(deadline=None, max_examples=100)
@given(CONTENTS, st.data())
def test_every_frame_that_ends_early_is_told(content: bytes, data) -> None:
    for decoder, octets in (
        (Zstd, zstandard.ZstdCompressor(write_checksum=True).compress(content)),
        (Gzip, gzipped(content)),
    ):
        end = data.draw(st.integers(1, len(octets) - 1))
        parts: list[bytes] = []
        with pytest.raises(DecompressionError):
            unfold(decoder(io.BytesIO(octets[:end])), 1_000, parts)
        assert content.startswith(b"".join(parts))


def test_what_was_read_of_the_file_is_counted() -> None:
    octets = gzipped(bytes(1_000))
    decoder = Gzip(io.BytesIO(octets))
    decoder.read(10)
    assert decoder.taken == len(octets)
