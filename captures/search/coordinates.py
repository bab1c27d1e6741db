"""Finds a place in bytes: numbers near a latitude and a longitude, and geohashes around them."""

import re
from collections.abc import Iterator
from math import floor, log2
from typing import NamedTuple

from phonehome.captures.search.known_values import Identifier

_NEAR = 256
"""Octets within which latitude and longitude stand beside each other."""
_NUMBER = re.compile(rb"-?[0-9]{1,9}(?:\.[0-9]{1,15})?")
_DECIMALS = 3
_GEOHASH = b"0123456789bcdefghjkmnpqrstuvwxyz"
_GEOHASH_LENGTH = 6
_WORD = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SCALES = {
    "decimal degrees": 1,
    "degrees times 1,000,000": 10**6,
    "degrees times 10,000,000": 10**7,
}
_DIGITS = b"0123456789"


class Trigger(NamedTuple):
    """Octets that may begin a latitude, or that are a geohash.

    Attributes:
        octets: what to look for.
        steps: how a place became them.
        bits: how unlikely the whole is by chance, longitude included.
        place: latitude and longitude, multiplied by the scale; None: a geohash, which is whole.
        tolerance: how far a number may be off, multiplied likewise.
    """

    octets: bytes
    steps: tuple[str, ...]
    bits: float
    place: tuple[float, float] | None
    tolerance: float


def triggers(identifier: Identifier) -> Iterator[Trigger]:
    """What may begin this place in text; a number must then be read and its neighbour found."""
    latitude, longitude = identifier.place()
    tolerance = identifier.tolerance
    chance = 2 * tolerance / 180 * (2 * tolerance / 360)
    for name, scale in _SCALES.items():
        place = (latitude * scale, longitude * scale)
        for begin in _begins(place[0], tolerance * scale, is_whole=scale > 1):
            yield Trigger(begin, (name,), -log2(chance), place, tolerance * scale)
    for cell in sorted(_cells(latitude, longitude, tolerance)):
        bits = 5.0 * _GEOHASH_LENGTH
        yield Trigger(cell, ("geohash",), bits, None, 0.0)


def _begins(value: float, tolerance: float, *, is_whole: bool) -> set[bytes]:
    """First characters of all numbers within the tolerance."""
    low, high = abs(value) - tolerance, abs(value) + tolerance
    if not is_whole:
        return {f"{number}.".encode() for number in range(max(floor(low), 0), floor(high) + 1)}
    size = len(str(int(high)))
    kept = max(size - 5, 3)
    unit = 10 ** max(size - kept, 0)
    first, last = int(max(low, 0)) // unit, int(high) // unit
    return {str(number).encode() for number in range(first, last + 1) if number}


def is_place(octets: bytes, at: int, trigger: Trigger) -> bool:
    """Whether the number that begins here is the latitude, and the longitude stands near."""
    if trigger.place is None:
        before, behind = octets[at - 1 : at] if at else b"", octets[at + _GEOHASH_LENGTH :][:1]
        return before not in _WORD_OCTETS and (not behind or behind not in _CAPITALS)
    if octets[max(at - 1, 0) : at] in _PARTS_OF_NUMBERS:
        return False
    latitude, longitude = trigger.place
    begin = at - 1 if octets[max(at - 1, 0) : at] == b"-" else at
    found = _NUMBER.match(octets, begin)
    if found is None or not _is_near(found[0], latitude, trigger.tolerance):
        return False
    around = octets[max(at - _NEAR, 0) : at + _NEAR]
    return any(
        _is_near(number[0], longitude, trigger.tolerance) for number in _NUMBER.finditer(around)
    )


_PARTS_OF_NUMBERS = {bytes([octet]) for octet in _DIGITS + b"."}
_WORD_OCTETS = {bytes([octet]) for octet in _WORD}
_CAPITALS = {bytes([octet]) for octet in _WORD if octet not in _GEOHASH}


def _is_near(number: bytes, wanted: float, tolerance: float) -> bool:
    is_fine = abs(wanted) > 1000 or len(number.partition(b".")[2]) >= _DECIMALS  # noqa: PLR2004
    return is_fine and abs(float(number) - wanted) <= tolerance


def is_near_number(number: float, wanted: float, tolerance: float) -> bool:
    """Whether a number lies within the tolerance, in any scale in which apps send degrees."""
    return any(
        abs(number - wanted * scale) <= tolerance * scale
        for scale in _SCALES.values()
        if scale > 1 or number != int(number)  # a whole number of degrees is any small number
    )


def _cells(latitude: float, longitude: float, tolerance: float) -> set[bytes]:
    """Geohashes of the place and of what lies a tolerance beside it."""
    steps = (-tolerance, 0.0, tolerance)
    return {
        geohash(latitude + north, longitude + east, _GEOHASH_LENGTH)
        for north in steps
        for east in steps
    }


def geohash(latitude: float, longitude: float, length: int) -> bytes:
    """Niemeyer's geohash: bits of longitude and latitude in turns, five to a character."""
    ranges = [[-180.0, 180.0], [-90.0, 90.0]]
    values = (longitude, latitude)
    bits = 0
    for number in range(5 * length):
        low, high = ranges[number % 2]
        middle = (low + high) / 2
        is_upper = values[number % 2] >= middle
        bits = bits << 1 | is_upper
        ranges[number % 2] = [middle, high] if is_upper else [low, middle]
    return bytes(_GEOHASH[bits >> 5 * (length - 1 - at) & 31] for at in range(length))
