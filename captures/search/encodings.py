"""What octets stand for one value: text, numbers, digests."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator
from math import log2
from typing import NamedTuple

from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.spellings import bare, cases, is_hex, spellings

_DIGESTS = ("md5", "sha1", "sha256")
_DIGEST_WORDS = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}
_MOST_NUMBER = 1 << 64
_FOUR, _EIGHT = 1 << 32, 1 << 64
_SEVEN_BITS = 0x7F
_PIECE = 24
_PIECES = 8
_EDGE = 1_024
_LEAST_DISTINCT = 8
_TRIES = 64


class Form(NamedTuple):
    """One way in which a value becomes octets.

    Attributes:
        steps: what was done to the value, the last step first: `("SHA-256", "lower case")`.
        octets: what comes of it.
        is_text: it is text that may be in any case.
        is_wrapped: apps wrap it further: in base64, in hexadecimal digits, as UTF-16.
        is_found_bare: it is looked for as it is; a text in one case is found in any case anyway.
        most_bits: how unlikely it is by chance at most; None: as unlikely as such octets are.
    """

    steps: tuple[str, ...]
    octets: bytes
    is_text: bool = False
    is_wrapped: bool = False
    is_found_bare: bool = True
    most_bits: float | None = None


def forms(identifier: Identifier) -> Iterator[Form]:
    """All forms of a value; of a planted file some of its pieces and its digests."""
    if identifier.content:
        yield from _pieces(identifier.content)
        yield from _digests({"": identifier.content}, ())
        return
    texts = spellings(identifier)
    for name, text in texts.items():
        yield Form(_named(name), text.encode(), is_text=True, is_wrapped=True)
        for case, other in list(cases(text).items())[1:]:
            steps = (*_named(case), *_named(name))
            yield Form(steps, other.encode(), is_wrapped=True, is_found_bare=False)
    for name, text in texts.items():
        of = {case: other.encode() for case, other in cases(text).items()}
        for case, octets in of.items():
            yield from _digests({case: octets}, _named(name))
            yield from _keyed(octets, identifier.keys, (*_named(case), *_named(name)))
    yield from _quoted(texts)
    yield from _numbers(identifier)


def _quoted(texts: dict[str, str]) -> Iterator[Form]:
    """As forms write spaces. Where another escape stands beside it, that is undone anyway."""
    for name, text in texts.items():
        if " " in text:
            yield Form(
                ("URL-encoded", *_named(name)), text.replace(" ", "+").encode(), is_text=True
            )


def _named(name: str) -> tuple[str, ...]:
    return (name,) if name else ()


def _digests(of: dict[str, bytes], behind: tuple[str, ...]) -> Iterator[Form]:
    for case, octets in of.items():
        for algorithm in _DIGESTS:
            digest = hashlib.new(algorithm, octets, usedforsecurity=False).digest()
            steps = (_DIGEST_WORDS[algorithm], *_named(case), *behind)
            yield Form(steps, digest, is_wrapped=True)


def _keyed(octets: bytes, keys: tuple[bytes, ...], behind: tuple[str, ...]) -> Iterator[Form]:
    for number, key in enumerate(keys, start=1):
        for algorithm in _DIGESTS:
            digest = hmac.new(key, octets, algorithm).digest()
            steps = (f"HMAC-{_DIGEST_WORDS[algorithm]} with key {number}", *behind)
            yield Form(steps, digest, is_wrapped=True)


def _numbers(identifier: Identifier) -> Iterator[Form]:
    """The value as a number, and as the octets that its hexadecimal digits stand for."""
    digits = bare(identifier)
    if is_hex(identifier):
        octets = bytes.fromhex(digits)
        yield Form(("octets",), octets, is_wrapped=True)
        yield Form(("octets, last first",), octets[::-1])
        number = int(digits, 16)
        if number < _MOST_NUMBER:
            text = str(number)
            yield Form(("decimal number",), text.encode(), is_text=True, is_wrapped=True)
            yield from integers(number)
        elif len(octets) == 16:  # noqa: PLR2004 - a UUID in the order of Microsoft's GUID
            mixed = octets[3::-1] + octets[5:3:-1] + octets[7:5:-1] + octets[8:]
            yield Form(("octets of a GUID",), mixed)
    if digits.isascii() and digits.isdigit() and int(digits) < _MOST_NUMBER:
        yield from integers(int(digits))


def integers(number: int) -> Iterator[Form]:
    """A number as protobuf and C write it; what is shorter than four octets is left out."""
    yield Form(("varint",), varint(number))
    if number < _FOUR:
        yield Form(("32-bit number, little-endian",), number.to_bytes(4, "little"))
        yield Form(("32-bit number, big-endian",), number.to_bytes(4, "big"))
    elif number < _EIGHT:
        yield Form(("64-bit number, little-endian",), number.to_bytes(8, "little"))
        yield Form(("64-bit number, big-endian",), number.to_bytes(8, "big"))


def varint(number: int) -> bytes:
    """A number in groups of seven bits, the lowest first (protobuf's encoding)."""
    groups = bytearray()
    while number > _SEVEN_BITS:
        groups.append(number & _SEVEN_BITS | 0x80)
        number >>= 7
    groups.append(number)
    return bytes(groups)


def _pieces(content: bytes) -> Iterator[Form]:
    """Pieces of a file from its begin to its end, enough to recognise a part of it.

    The head and the end of a file are those of every file of its format, so none is taken from
    there if there is enough else. A piece of few different octets may stand in any file: one that
    has no other pieces is found by its digests.
    """
    edge = min(_EDGE, max(len(content) - _PIECES * _PIECE, 0) // 4)
    most = max(len(content) - 2 * edge - _PIECE, 0)
    slots = sorted({edge + most * number // (_PIECES - 1) for number in range(_PIECES)})
    for number, at in enumerate(slots, start=1):
        piece = _telling(content, at, most // (_PIECES - 1), len(content) - edge)
        if len(content) <= _PIECE or len(set(piece)) >= _LEAST_DISTINCT:
            steps = (f"piece {number} of {len(slots)}",)
            yield Form(steps, piece, is_wrapped=True, most_bits=entropy(piece))


def _telling(content: bytes, at: int, size: int, end: int) -> bytes:
    """The first piece behind a place, within a size, of those in which most octets differ."""
    last = max(min(at + size, end) - _PIECE, at)
    step = max((last - at) // _TRIES, 1)
    tries = (content[begin : begin + _PIECE] for begin in range(at, last + 1, step))
    return max(tries, key=lambda piece: len(set(piece)))


def entropy(octets: bytes) -> float:
    """Shannon's entropy of all these octets, in bits."""
    counts = Counter(octets).values()
    return -sum(count * log2(count / len(octets)) for count in counts)
