"""Every octet string that gives an identifier away, made once for a whole run."""

import base64
from collections.abc import Iterator, Sequence
from math import log2
from typing import NamedTuple

from phonehome.captures.search.coordinates import Trigger, triggers
from phonehome.captures.search.encodings import Form, forms
from phonehome.captures.search.known_values import Identifier

LEAST_OCTETS = 4
MOST_OCTETS = 1_024
"""Octets of a value; in hexadecimal digits or UTF-16 it must be a pattern that hyperscan takes."""
LEAST_BITS = 24.0
_DIGITS, _HEX_DIGITS = b"0123456789", b"0123456789abcdefABCDEF"
_SPACE, _DELETE = 0x20, 0x7F
_BITS_OF_DIGIT, _BITS_OF_TEXT, _BITS_OF_64 = log2(10), 4.0, 6.0


class Pattern(NamedTuple):
    """Octets to look for.

    Attributes:
        octets: the octets.
        identifier: place of the identifier in the list.
        steps: how the value became them, the outermost step first.
        bits: how unlikely it is that the octets at one place are these by chance: 2 ** -bits.
        is_caseless: letters count in either case.
        alphabet: the octets among which it would not stand alone: a number inside a longer
            number is another number. Nothing: it may stand anywhere.
        trigger: what must be asked before it counts; None: nothing.
    """

    octets: bytes
    identifier: int
    steps: tuple[str, ...]
    bits: float
    is_caseless: bool = False
    alphabet: bytes = b""
    trigger: Trigger | None = None


def patterns(identifiers: Sequence[Identifier]) -> list[Pattern]:
    """All patterns of all identifiers; of equal ones of an identifier the first, simplest.

    Raises:
        ValueError: an identifier is too short to be told from chance, or too long to be looked
            for; names it by its label.
    """
    found: dict[tuple[int, bytes, bool], Pattern] = {}
    for number, identifier in enumerate(identifiers):
        _refuse(identifier)
        for pattern in _of(number, identifier):
            key = pattern.octets.lower() if pattern.is_caseless else pattern.octets
            is_shadowed = (number, pattern.octets.lower(), True) in found
            if not is_shadowed:
                found.setdefault((number, key, pattern.is_caseless), pattern)
    return list(found.values())


def _refuse(identifier: Identifier) -> None:
    """A value that anybody could have sent is none, though its digest is long."""
    octets = identifier.content or identifier.value.strip().encode()
    if not identifier.content and len(octets) > MOST_OCTETS:
        raise ValueError(f"{identifier.label}: longer than {MOST_OCTETS:,} octets")
    if identifier.kind != "coordinates" and _bits(octets) < LEAST_BITS:
        raise ValueError(f"{identifier.label}: too short to be told from chance")


def _of(number: int, identifier: Identifier) -> Iterator[Pattern]:
    if identifier.kind == "coordinates":
        for trigger in triggers(identifier):
            yield Pattern(trigger.octets, number, trigger.steps, trigger.bits, trigger=trigger)
        return
    for form in forms(identifier):
        for pattern in _wrapped(number, form):
            if len(pattern.octets) >= LEAST_OCTETS and pattern.bits >= LEAST_BITS:
                yield pattern


def _wrapped(number: int, form: Form) -> Iterator[Pattern]:
    """A form as it is, and in what apps wrap it."""
    for pattern in _in_wraps(number, form):
        most = pattern.bits if form.most_bits is None else form.most_bits
        yield pattern._replace(bits=min(pattern.bits, most))


def _in_wraps(number: int, form: Form) -> Iterator[Pattern]:
    """The same, each as unlikely as octets of its kind are."""
    bits = _bits(form.octets)
    if form.is_text:
        yield _text(number, form.steps, form.octets)
        yield _text(number, ("reversed", *form.steps), form.octets[::-1])
        for codec in ("utf-16-le", "utf-16-be"):
            wide = form.octets.decode().encode(codec)
            is_ascii = form.octets.isascii()
            yield Pattern(wide, number, ("UTF-16", *form.steps), bits, is_caseless=is_ascii)
    elif form.is_found_bare:
        yield Pattern(form.octets, number, form.steps, bits)
    if form.is_wrapped:
        yield _text(number, ("hex", *form.steps), form.octets.hex().encode())
        for octets in _in_base64(form.octets):
            yield Pattern(
                octets, number, ("base64", *form.steps), min(_BITS_OF_64 * len(octets), bits)
            )


def _text(number: int, steps: tuple[str, ...], octets: bytes) -> Pattern:
    """A text in any case; one of digits stands alone. Letters beyond ASCII have one case here."""
    alphabet = next((digits for digits in (_DIGITS, _HEX_DIGITS) if not octets.strip(digits)), b"")
    return Pattern(
        octets,
        number,
        steps,
        _bits(octets),
        is_caseless=octets.isascii(),
        alphabet=alphabet,
    )


def _bits(octets: bytes) -> float:
    """How unlikely octets are by chance, where such octets are what a place holds."""
    if not octets.strip(_DIGITS):
        return _BITS_OF_DIGIT * len(octets)
    if all(_SPACE <= octet < _DELETE for octet in octets):
        return _BITS_OF_TEXT * len(octets)
    return 8.0 * len(octets)


def _in_base64(octets: bytes) -> Iterator[bytes]:
    """What of base64 does not depend on the octets around these, at each of three places."""
    seen = set()
    for before, skipped in ((0, 0), (1, 2), (2, 3)):
        whole = (before + len(octets)) * 8 // 6
        encoded = base64.b64encode(b"\0" * before + octets)[skipped:whole]
        for found in (encoded, encoded.translate(bytes.maketrans(b"+/", b"-_"))):
            if found not in seen:
                seen.add(found)
                yield found
