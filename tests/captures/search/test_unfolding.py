"""What octets hold when they are undone, bounded whatever they claim."""

import base64
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from captures.search.unfolding import MOST_OCTETS, MOST_PIECES, deflated, of_brotli, unfolded
from tests.small_captures import gzipped

TEXT = b"what was folded is found again, and again, and again"


def held(octets, step):
    return [one.octets for one in unfolded(octets) if one.step == step]


@pytest.mark.parametrize(
    ("step", "folded"),
    [
        ("gzip", gzipped(TEXT)),
        ("zlib", zlib.compress(TEXT)),
        ("zstd", zstandard.compress(TEXT)),
        ("base64", base64.b64encode(TEXT)),
        ("base64", base64.urlsafe_b64encode(b"\xfb\xff" + TEXT)),
        ("hex", TEXT.hex().encode()),
        ("URL-encoded", TEXT.replace(b" ", b"%20")),
        ("JSON escapes", TEXT.replace(b",", b"\\u002c")),
    ],
)
def test_what_was_folded_is_found_wherever_it_stands(step, folded):
    assert any(TEXT in one for one in held(b"before=" + folded + b" behind", step))


@pytest.mark.parametrize("undo", [of_brotli, deflated])
def test_what_has_no_mark_is_undone_where_a_head_says_so(undo):
    folded = brotli.compress(TEXT)
    if undo is deflated:
        folded = zlib.compress(TEXT)[2:-4]
    assert undo(folded) == TEXT
    assert undo(b"\xff\xfenot that") == b""


@pytest.mark.parametrize(
    "bomb",
    [
        gzipped(bytes(64 << 20)),
        zlib.compress(bytes(64 << 20)),
        zstandard.compress(bytes(64 << 20)),
    ],
    ids=["gzip", "zlib", "zstd"],
)
def test_a_bomb_unfolds_to_no_more_than_is_stated(bomb):
    for one in unfolded(bomb):
        assert len(one.octets) <= MOST_OCTETS


def test_a_bomb_of_brotli_too():
    assert len(of_brotli(brotli.compress(bytes(16 << 20), quality=1))) <= MOST_OCTETS + (1 << 16)


def test_so_many_pieces_of_a_kind_are_undone_and_no_more():
    runs = b" ".join([base64.b64encode(TEXT)] * (3 * MOST_PIECES))
    assert len(held(runs, "base64")) == MOST_PIECES
    marks = b"\x1f\x8b\x08" * (3 * MOST_PIECES)
    assert held(marks, "gzip") == []


@given(st.binary(max_size=400))
def test_any_octets_are_undone_without_a_fault(octets):
    for one in unfolded(octets):
        assert 0 <= one.begin <= one.end <= len(octets)


def test_gzip_of_a_part_gives_that_part():
    folded = gzipped(TEXT * 100)
    assert held(folded[:60], "gzip")[0].startswith(TEXT[:20])
