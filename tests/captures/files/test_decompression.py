"""The libraries themselves are the oracle for whole files."""

import contextlib
import io
import zlib

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.files.decompression import DecompressionError, Gzip, Lz4, Zipped, Zstd
from tests.small_captures import gzipped


class Dribble:
    """A stream that gives no more than so many octets at a time."""

    def __init__(self, octets: bytes, step: int) -> None:
        self._stream, self._step = io.BytesIO(octets), step

    def read(self, size: int, /) -> bytes:
        return self._stream.read(min(size, self._step))


def unfold(decoder: Gzip | Lz4 | Zipped | Zstd, size: int, parts: list[bytes]) -> None:
    while part := decoder.read(size):
        assert len(part) <= size
        parts.append(part)


def unfolded(decoder: Gzip | Lz4 | Zipped | Zstd, size: int) -> bytes:
    parts: list[bytes] = []
    unfold(decoder, size, parts)
    return b"".join(parts)


def lz4_frame(content: bytes, level: int = 1) -> bytes:
    """A frame that differs with the level in everything that a frame may say of itself."""
    return lz4.frame.compress(
        content,
        block_size=(level % 4 + 4),
        block_linked=level % 2 == 0,
        content_checksum=level % 3 != 0,
        block_checksum=level % 5 == 0,
        store_size=level % 4 == 0,
    )


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def zipped(octets: bytes, content: bytes, *, is_deflated: bool, step: int = 1_000_000) -> Zipped:
    raw, crc = Dribble(octets, step), zlib.crc32(content)
    return Zipped(raw, is_deflated=is_deflated, size=len(content), crc=crc)


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
    frames = Dribble(b"".join(lz4_frame(content, level) for content in contents), step)
    assert unfolded(Lz4(frames), size) == expected
    members = b"".join(gzipped(content, min(level, 9)) for content in contents)
    if contents:
        assert unfolded(Gzip(Dribble(members, step)), size) == expected


@settings(deadline=None, max_examples=100)
@given(CONTENTS, st.data())
def test_every_frame_that_ends_early_is_told(content: bytes, data) -> None:
    for decoder, octets in (
        (Zstd, zstandard.ZstdCompressor(write_checksum=True).compress(content)),
        (Gzip, gzipped(content)),
        (Lz4, lz4_frame(content)),
    ):
        end = data.draw(st.integers(1, len(octets) - 1))
        parts: list[bytes] = []
        with pytest.raises(DecompressionError):
            unfold(decoder(io.BytesIO(octets[:end])), 1_000, parts)
        assert content.startswith(b"".join(parts))


@settings(deadline=None, max_examples=100)
@given(CONTENTS, st.booleans(), st.sampled_from([1, 3, 1_000_000]), st.data())
def test_a_member_of_an_archive_is_held_against_what_is_said_of_it(
    content: bytes, is_deflated, step: int, data
) -> None:
    octets = deflated(content) if is_deflated else content
    whole = zipped(octets, content, is_deflated=is_deflated, step=step)
    assert unfolded(whole, 1_000_000) == content
    assert whole.taken == len(octets)
    assert whole.read(1) == b""
    end = data.draw(st.integers(0, max(0, len(octets) - 1)))
    for told, octets_told in (
        (content, octets[:end]),
        (content + b"more", octets),
        (bytes(len(content) - 1) + b"\0" if content.strip(b"\0") else b"other", octets),
    ):
        if (told, octets_told) == (content, octets):
            continue
        parts: list[bytes] = []
        decoder = zipped(octets_told, told, is_deflated=is_deflated)
        with pytest.raises(DecompressionError):
            unfold(decoder, 1_000, parts)
        assert content.startswith(b"".join(parts))
        with pytest.raises(DecompressionError):
            decoder.read(1)


@settings(deadline=None, max_examples=200)
@given(st.sampled_from([Gzip, Lz4, Zstd]), CONTENTS, st.data())
def test_wrong_octets_are_decoded_or_told(kind, content: bytes, data) -> None:
    packed = {Gzip: gzipped, Lz4: lz4_frame, Zstd: zstandard.ZstdCompressor().compress}[kind]
    octets = bytearray(packed(content))
    for _ in range(data.draw(st.integers(1, 3))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DecompressionError):
        unfolded(kind(io.BytesIO(octets)), 1_000)


def test_a_block_longer_than_any_may_be_is_not_waited_for() -> None:
    octets = lz4_frame(b"content")
    header = octets[: octets.index(b"content") - 4]
    endless = header + (1 << 23).to_bytes(4, "little") + bytes(64)
    with pytest.raises(DecompressionError, match="lz4: a block of 8388608 bytes"):
        Lz4(io.BytesIO(endless)).read(1)


def test_what_was_read_of_the_file_is_counted() -> None:
    octets = gzipped(bytes(1_000))
    decoder = Gzip(io.BytesIO(octets))
    decoder.read(10)
    assert decoder.taken == len(octets)
