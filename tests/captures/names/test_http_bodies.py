"""Bodies: where they end, what of them is kept, and what they unfold to."""

import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.http_bodies import (
    KEPT_BYTES,
    UNFOLDED_BYTES,
    Body,
    BodyReader,
    Framing,
    unfolded,
)
from tests.small_captures import gzipped

CHUNKED = Framing(None, is_chunked=True)
CHUNKS = b"5\r\nfirst\r\n0006 ;x\r\nsecond\r\n0\r\nA: b\r\n\r\n"


def fed(framing, stream, size):
    """A reader that was fed a stream in pieces of this size, and what it took of it."""
    reader = BodyReader(framing)
    taken = 0
    for begin in range(0, len(stream), size):
        taken += reader.feed(stream[begin : begin + size])
    return reader, taken


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_body_ends_where_its_framing_says(size):
    reader, taken = fed(Framing(5), b"abcdefgh", size)
    assert (reader.body(), taken, reader.is_over) == (Body(b"abcde", 5, is_whole=True), 5, True)
    reader, taken = fed(CHUNKED, CHUNKS + b"next", size)
    assert (reader.body(), taken) == (Body(b"firstsecond", 11, is_whole=True), len(CHUNKS))
    reader, taken = fed(Framing(None), b"abcdefgh", size)
    assert (reader.body(), taken) == (Body(b"abcdefgh", 8, is_whole=False), 8)


def test_of_a_body_that_is_cut_the_begin_is_there():
    reader, _ = fed(Framing(10), b"abc", 2)
    assert reader.body() == Body(b"abc", 3, is_whole=False)
    reader, _ = fed(CHUNKED, CHUNKS[:18], 2)
    assert reader.body().octets == b"first"
    assert not reader.is_over


@pytest.mark.parametrize("line", [b"x\r\n", b"-1\r\n", b"1" * 300, b"5\r\nfirstX\r\n"])
def test_a_lie_between_chunks_ends_the_body(line):
    reader, _ = fed(CHUNKED, line, 4)
    assert reader.is_over
    assert not reader.body().is_whole


def test_of_a_long_body_the_first_part_is_kept_and_all_of_it_counted():
    reader, _ = fed(Framing(3 * KEPT_BYTES), bytes(3 * KEPT_BYTES), 10_000)
    assert reader.body() == Body(bytes(KEPT_BYTES), 3 * KEPT_BYTES, is_whole=False)
    assert reader.held_bytes == KEPT_BYTES


def test_an_empty_body_is_over_at_once():
    assert BodyReader(Framing(0)).is_over
    reader, _ = fed(CHUNKED, b"0\r\n\r\n", 1)
    assert reader.body() == Body(b"", 0, is_whole=True)


@given(st.binary(max_size=200), st.integers(1, 9), st.sampled_from([CHUNKED, Framing(None)]))
def test_any_octets_are_taken_or_end_it(stream, size, framing):
    reader, taken = fed(framing, stream, size)
    assert taken == len(stream) or reader.is_over
    assert len(reader.body().octets) <= len(stream)


TEXT = b"an answer " * 50
DEFLATED = zlib.compressobj(wbits=-15)


@pytest.mark.parametrize(
    ("coding", "octets"),
    [
        (b"", TEXT),
        (b" Identity ", TEXT),
        (b"gzip", gzipped(TEXT)),
        (b"x-gzip", gzipped(TEXT)),
        (b"deflate", zlib.compress(TEXT)),
        (b"deflate", DEFLATED.compress(TEXT) + DEFLATED.flush()),
        (b"zstd", zstandard.compress(TEXT)),
    ],
    ids=["none", "identity", "gzip", "x-gzip", "zlib", "raw deflate", "zstd"],
)
def test_what_is_packed_is_unfolded(coding, octets):
    assert unfolded(octets, coding) == TEXT
    assert TEXT.startswith(unfolded(octets[: len(octets) // 2], coding))


@pytest.mark.parametrize("coding", [b"br", b"gzip, gzip", b"nonsense"])
def test_a_coding_that_is_not_known_gives_nothing(coding):
    assert unfolded(TEXT, coding) == b""


@pytest.mark.parametrize("pack", [gzip.GzipFile, zstandard.ZstdCompressor], ids=["gzip", "zstd"])
def test_a_bomb_unfolds_to_its_bound(pack):
    plain = bytes(64 << 20)
    is_gzip = pack is gzip.GzipFile
    bomb = gzipped(plain) if is_gzip else pack().compress(plain)
    assert len(unfolded(bomb, b"gzip" if is_gzip else b"zstd")) == UNFOLDED_BYTES


@given(st.binary(max_size=100), st.sampled_from([b"gzip", b"deflate", b"zstd"]))
def test_any_octets_unfold_or_do_not(octets, coding):
    unfolded(octets, coding)
    unfolded(gzipped(b"x" * 100)[:20] + octets, coding)
