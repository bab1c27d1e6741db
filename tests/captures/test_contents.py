"""What octets look like: known kinds, how little is too little, and lengths in heads."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.contents import LEAST, content, framing

SOURCE = random.Random(7)  # noqa: S311 - the same each time
TEXT = b'{"event": "open", "screen": 7, "label": "settings"}' * 12


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        (SOURCE.randbytes(1_024), "random"),
        (SOURCE.randbytes(LEAST), "random"),
        (SOURCE.randbytes(LEAST - 1), "too_short"),
        (zlib.compress(SOURCE.randbytes(90).hex().encode() * 9)[:60], "too_short"),
        (TEXT, "text"),
        (TEXT[:20], "text"),
        (b"abc", "too_short"),
        (bytes(1_000), "structured"),
        (bytes(range(64)) * 8, "structured"),
        (b"", "too_short"),
    ],
    ids=range(10),
)
def test_octets_are_told_by_how_they_are_spread(sample, kind):
    assert content(sample).kind == kind


def test_random_octets_are_seldom_taken_for_anything_else():
    for size in (LEAST, 400, 1_024):
        kinds = [content(SOURCE.randbytes(size)).kind for _ in range(400)]
        assert kinds.count("random") >= 398


def test_entropy_is_in_bits_per_octet():
    assert content(bytes(100)).entropy == 0
    assert content(bytes(range(256))).entropy == pytest.approx(8)
    assert content(b"ab" * 50).entropy == pytest.approx(1)


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ((24).to_bytes(4, "big") + bytes(20), "length in 32 bits, big-endian, at 0"),
        (
            (20).to_bytes(4, "little") + b"x" * 20,
            "length of the rest in 32 bits, little-endian, at 0",
        ),
        (
            b"\x17\xf1\x04" + (300).to_bytes(2, "big") + b"x" * 300,
            "length of the rest in 16 bits, big-endian, at 3",
        ),
        (b"x" * 50, None),
        (b"", None),
        (b"\0\0", None),
    ],
)
def test_a_length_in_the_head_is_found(sample, words):
    assert framing(sample) == words


@given(st.binary(max_size=600))
def test_any_octets_have_some_look(octets):
    found = content(octets)
    assert 0 <= found.entropy <= 8
    assert found.octets == len(octets)
