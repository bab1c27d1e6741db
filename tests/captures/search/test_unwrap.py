"""What octets hold when they are undone, bounded whatever they claim."""

import base64
import random
import zlib

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.search.budget import FREE_OCTETS, MOST_OCTETS, RATIO, Budget
from phonehome.captures.search.unwrap import MOST_PIECES, deflated, of_brotli, unfolded
from tests.small_captures import gzipped

TEXT = b"what was folded is found again, and again, and again"


def undone(octets):
    return list(unfolded(octets, Budget(len(octets))))


def held(octets, step):
    return [one.octets for one in undone(octets) if one.step == step]


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
    assert undo(folded, Budget(len(folded))) == TEXT
    assert undo(b"\xff\xfenot that", Budget(10)) == b""


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
    assert sum(len(one.octets) for one in undone(bomb * 3)) <= MOST_OCTETS


def test_a_small_bomb_unfolds_to_so_many_times_its_size():
    bomb = gzipped(gzipped(bytes(1 << 20)) * 64)
    assert len(bomb) * RATIO < MOST_OCTETS
    assert sum(len(one.octets) for one in undone(bomb)) <= max(FREE_OCTETS, len(bomb) * RATIO)


@pytest.mark.parametrize("undo", [of_brotli, deflated])
def test_a_bomb_without_a_mark_too(undo):
    octets = bytes(16 << 20)
    bomb = brotli.compress(octets, quality=1) if undo is of_brotli else zlib.compress(octets)[2:]
    budget = Budget(1 << 20)
    assert len(undo(bomb, budget)) == MOST_OCTETS
    assert (budget.left, budget.left_out) == (0, 1)
    assert undo(bomb, budget) == b""


def test_so_many_pieces_of_a_kind_are_undone_and_no_more():
    runs = b" ".join([base64.b64encode(TEXT)] * (3 * MOST_PIECES))
    assert len(held(runs, "base64")) == MOST_PIECES
    marks = b"\x1f\x8b\x08" * (3 * MOST_PIECES)
    assert held(marks, "gzip") == []


@given(st.binary(max_size=400))
def test_any_octets_are_undone_without_a_fault(octets):
    for one in undone(octets):
        assert 0 <= one.begin <= one.end <= len(octets)


def test_gzip_of_a_part_gives_that_part():
    folded = gzipped(TEXT * 100)
    assert held(folded[:60], "gzip")[0].startswith(TEXT[:20])


@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
@pytest.mark.parametrize("width", [60, 64, 76])
def test_lines_of_base64_are_one_text(width, line_break):
    folded = base64.b64encode(gzipped(random.Random(1).randbytes(400)))  # noqa: S311 - no secret
    lines = [folded[at : at + width] for at in range(0, len(folded), width)]
    octets = b"data\r\n" + line_break.join(lines) + line_break + b"\r\nbehind it"
    (found,) = (one for one in undone(octets) if one.step == "base64")
    assert found.octets == base64.b64decode(folded)
    assert octets[found.begin : found.end].split(line_break)[0] == lines[0]


@pytest.mark.parametrize(
    "lines",
    [(b"A" * 59, b"B" * 59), (b"A" * 60, b"B" * 62), (b"A" * 76, b"B" * 70, b"C" * 70)],
    ids=["short", "longer", "behind the last"],
)
def test_lines_that_no_encoder_breaks_so_are_not_joined(lines):
    *joined, last = held(b"\n".join(lines), "base64")
    assert last == base64.b64decode(lines[-1] + b"=" * (-len(lines[-1]) % 4))[: len(last)]
    assert len(joined) == 1
