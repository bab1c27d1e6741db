"""What the first bytes of an unknown protocol look like: text, random, structured, or too little.

Whether octets are evenly spread is asked with Pearson's chi-squared test of their 256 values,
which knows how many octets there are: of a few, nothing can be said. Random means encrypted or
compressed; nobody can tell these apart by their octets.
"""

from math import sqrt
from typing import NamedTuple

import numpy as np

LEAST = 256
"""Octets below which evenness says nothing: the test needs one of each value on average."""
LEAST_TEXT = 16
_VALUES = 256
_FREEDOM = _VALUES - 1
_Z_LIMIT = 4.0  # random octets are beyond it in less than one of 10,000 samples
_TEXT_SHARE = 0.95
_TEXT = np.zeros(_VALUES, dtype=np.bool_)
_TEXT[[9, 10, 13, *range(0x20, 0x7F)]] = True
_WIDTHS = (4, 2)
_PLACES = 9


class Content(NamedTuple):
    """What a sample looks like.

    Attributes:
        kind: one of `words.CONTENTS`.
        octets: how many there are.
        entropy: bits per octet, of 8; of few octets it is low whatever they are.
        framing: where a number stands that states the length, in words; None: nowhere.
    """

    kind: str
    octets: int
    entropy: float
    framing: str | None


def content(sample: bytes) -> Content:
    """What the first octets that a side sent look like; one message, if it was sent as one."""
    counts = np.bincount(np.frombuffer(sample, dtype=np.uint8), minlength=_VALUES)
    size = len(sample)
    shares = counts[counts > 0] / max(size, 1)
    entropy = float(-(shares * np.log2(shares)).sum()) + 0.0
    return Content(_kind(counts, size), size, entropy, framing(sample))


def _kind(counts: "np.ndarray[tuple[int], np.dtype[np.int64]]", size: int) -> str:
    if size >= LEAST_TEXT and counts[_TEXT].sum() >= _TEXT_SHARE * size:
        return "text"
    if size < LEAST:
        return "too_short"
    expected = size / _VALUES
    squared = float(((counts - expected) ** 2).sum()) / expected
    z = (squared - _FREEDOM) / sqrt(2 * _FREEDOM)
    return "random" if z < _Z_LIMIT else "structured"


def framing(sample: bytes) -> str | None:
    """Where in the head of a message a number states its length, or what follows the number.

    Tried are numbers of four and of two octets at the first places, both byte orders. A match is
    strong evidence for four octets; for two, chance makes one in some 1,000 messages.
    """
    size = len(sample)
    for width in _WIDTHS:
        for at in range(min(_PLACES, size - width)):
            number = sample[at : at + width]
            for stated, word in (
                (int.from_bytes(number, "big"), "big-endian"),
                (int.from_bytes(number, "little"), "little-endian"),
            ):
                if stated == size:
                    return f"length in {8 * width} bits, {word}, at {at}"
                if stated == size - at - width and stated:
                    return f"length of the rest in {8 * width} bits, {word}, at {at}"
    return None
