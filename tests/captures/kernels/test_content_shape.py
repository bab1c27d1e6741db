"""What octets look like: known kinds, how little is too little, and lengths in heads."""

import random
import zlib
from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.kernels.content_shape import ENTROPY_UNITS, LEAST, look, look_twice
from phonehome.captures.kernels.content_shape import framing as coded_framing
from phonehome.captures.kernels.layout import HEADER_WIDTH
from phonehome.captures.names.content_table import framing_words
from phonehome.captures.words import CONTENTS

SOURCE = random.Random(7)  # noqa: S311 - the same each time
FOUND = np.zeros(HEADER_WIDTH, dtype=np.int64)
TEXT = b'{"event": "open", "screen": 7, "label": "settings"}' * 12


def looked(sample):
    return look(np.frombuffer(sample, dtype=np.uint8), 0, len(sample), FOUND)


def kind_of(sample):
    return CONTENTS[looked(sample)[0]]


def entropy_of(sample):
    return looked(sample)[1] / ENTROPY_UNITS


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
    ],
    ids=range(9),
)
def test_octets_are_told_by_how_they_are_spread(sample, kind):
    assert kind_of(sample) == kind


@pytest.mark.parametrize(
    ("sample", "kind"),
    [
        (bytes(256) + SOURCE.randbytes(256), "mixed"),
        (SOURCE.randbytes(256) + bytes(256), "mixed"),
        (bytes(255) + SOURCE.randbytes(255), "structured"),
        (bytes(512), "structured"),
        (SOURCE.randbytes(512), "random"),
        (TEXT[:256] + TEXT[:256], "text"),
        (b"abc", "too_short"),
    ],
    ids=range(7),
)
def test_of_what_is_structured_each_half_is_looked_at(sample, kind):
    data = np.frombuffer(sample, dtype=np.uint8)
    assert CONTENTS[look_twice(data, 0, len(sample), FOUND)[0]] == kind
    assert look_twice(data, 0, len(sample), FOUND)[1] == looked(sample)[1]


def test_random_octets_are_seldom_taken_for_anything_else():
    for size in (LEAST, 400, 1_024):
        kinds = [kind_of(SOURCE.randbytes(size)) for _ in range(400)]
        assert kinds.count("random") >= 398


def test_entropy_is_in_bits_per_octet():
    assert entropy_of(bytes(100)) == 0
    assert entropy_of(bytes(range(256))) == pytest.approx(8)
    assert entropy_of(b"ab" * 50) == pytest.approx(1)


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
    data = np.frombuffer(sample, dtype=np.uint8)
    assert framing_words(coded_framing(data, 0, len(sample), len(sample))) == words


@given(st.binary(min_size=1, max_size=600))
def test_any_octets_have_some_look(octets):
    assert kind_of(octets) in CONTENTS
    shares = [octets.count(value) / len(octets) for value in set(octets)]
    assert entropy_of(octets) == pytest.approx(-sum(p * log2(p) for p in shares), abs=1e-5)
    data = np.frombuffer(octets, dtype=np.uint8)
    assert CONTENTS[look_twice(data, 0, len(octets), FOUND)[0]] in CONTENTS
    framing_words(coded_framing(data, 0, len(octets), len(octets)))
