"""Part of the loop that says what the first bytes of an unknown protocol look like.

Whether octets are evenly spread is asked with Pearson's chi-squared test of their 256 values,
which knows how many octets there are: of a few, nothing can be said. Random means encrypted or
compressed; nobody can tell these apart by their octets.
"""

import numpy as np

from phonehome.captures.kernels.headers import long_word, word
from phonehome.captures.kernels.layout import HEADER_SPREAD
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.words import CONTENTS

TEXT, RANDOM, STRUCTURED, TOO_SHORT, MIXED = (
    np.int64(CONTENTS.index(name))
    for name in ("text", "random", "structured", "too_short", "mixed")
)
LEAST = 256  # octets: the test needs one of each value on average
LEAST_TEXT = 16
VALUES = 256
Z_LIMIT = 4.0  # random octets are beyond it in less than one of 1,000 samples
TEXT_PARTS = 20  # one of so many may be no text
PLACES = 9  # of the head, at which a length is looked for
ENTROPY_UNITS = 1e6


@part
def _is_text(octet):
    return 0x20 <= octet <= 0x7E or octet == 9 or octet == 10 or octet == 13


@part
def _spread(data, at, end, found):
    """Count each value, in the scratch row; how many octets are text."""
    for value in range(VALUES):
        found[HEADER_SPREAD + value] = 0
    text = np.int64(0)
    for place in range(at, end):
        octet = np.int64(data[place])
        found[HEADER_SPREAD + octet] += 1
        if _is_text(octet):
            text += 1
    return text


@part
def look(data, at, end, found):
    """What octets look like, as a place in `words.CONTENTS`, and their entropy in microbits."""
    size = end - at
    text = _spread(data, at, end, found)
    squares, logs = 0.0, 0.0
    for value in range(VALUES):
        count = float(found[HEADER_SPREAD + value])
        squares += count * count
        if count > 1.0:
            logs += count * np.log2(count)
    entropy = np.int64(round((np.log2(float(size)) - logs / size) * ENTROPY_UNITS))
    if size >= LEAST_TEXT and (size - text) * TEXT_PARTS <= size:
        return TEXT, entropy
    if size < LEAST:
        return TOO_SHORT, entropy
    z = (squares * VALUES / size - size - (VALUES - 1)) / np.sqrt(2.0 * (VALUES - 1))
    return (RANDOM if z < Z_LIMIT else STRUCTURED), entropy


@part
def look_twice(data, at, end, found):
    """As `look`, but for what is structured though one half of it alone is random: mixed.

    A half is looked at where it is long enough for the test.
    """
    kind, entropy = look(data, at, end, found)
    middle = (at + end) // 2
    if kind == STRUCTURED and middle - at >= LEAST:
        first, _ = look(data, at, middle, found)
        second, _ = look(data, middle, end, found)
        if (first == RANDOM) != (second == RANDOM):
            return MIXED, entropy
    return kind, entropy


@part
def _little(number, width):
    """The number with its octets in the other order."""
    swapped = np.int64(0)
    for _ in range(width):
        swapped = swapped << 8 | number & 255
        number >>= 8
    return swapped


@part
def framing(data, at, end, size):
    """Where in the head of a message of this size a number states its length; 0: nowhere.

    Tried are numbers of four and of two octets at the first places, in both byte orders, that
    state the length of all or of what follows them. Of two octets chance makes one match in some
    1,800 messages: 36 trials, each one in 65,536. Decoded by `content_lists.framing_words`.
    """
    for is_short in range(2):
        width = 2 if is_short else 4
        for place in range(PLACES):
            if at + place + width > end:
                break
            big = word(data, at + place) if is_short else long_word(data, at + place)
            rest = size - place - width
            for is_little in range(2):
                stated = _little(big, width) if is_little else np.int64(big)
                code = np.int64(1 + (place * 2 + is_short) * 4 + is_little * 2)
                if stated == size:
                    return code
                if stated == rest and stated > 0:
                    return code + 1
    return np.int64(0)
