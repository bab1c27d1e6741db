"""Fields of a protobuf message, found without its description, by its wire format alone.

protobuf.dev/programming-guides/encoding. A message says nothing of its own length, so whatever
reads as fields from its first octet to its last is taken for one.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

MOST_FIELDS = 4_096
MOST_DEPTH = 8
_VARINT, _EIGHT, _OCTETS, _FOUR = 0, 1, 2, 5
_MOST_SHIFT = 63
_MOST_NUMBER = 1 << 29
_LEAST_MESSAGE = 2


class Field(NamedTuple):
    """One field.

    Attributes:
        path: numbers of the fields around it and its own, with dots between.
        begin: place of its value's first octet in the outermost message.
        end: place behind its last one.
        numbers: what the value is, if it is a number: each way to read it.
    """

    path: str
    begin: int
    end: int
    numbers: tuple[float, ...]


def fields(octets: bytes) -> list[Field]:
    """All fields, outer before inner; nothing where the octets are no message."""
    message = _Message(octets)
    return message.fields if message.walk(0, len(octets), "", 0) else []


class _Message:
    """A message, walked from its begin."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self.fields: list[Field] = []

    def walk(self, at: int, end: int, path: str, depth: int) -> bool:
        """Whether these octets are fields from the first to the last; those are kept then."""
        if end - at < _LEAST_MESSAGE or depth > MOST_DEPTH:
            return False
        kept = len(self.fields)
        while at < end and len(self.fields) < MOST_FIELDS:
            key, at = _varint(self._octets, at, end)
            number, kind = key >> 3, key & 7
            size = 0
            if kind == _OCTETS and at >= 0:
                size, at = _varint(self._octets, at, end)
            stop = self._stop(at, end, kind, size)
            if stop < 0 or not 0 < number < _MOST_NUMBER:
                del self.fields[kept:]
                return False
            own = f"{path}.{number}" if path else str(number)
            self.fields.append(Field(own, at, stop, tuple(self._numbers(at, stop, kind))))
            if kind == _OCTETS:
                self.walk(at, stop, own, depth + 1)
            at = stop
        return True

    def _stop(self, at: int, end: int, kind: int, size: int) -> int:
        """Place behind a value; -1: it does not fit, or there is no such kind."""
        if at < 0:
            return -1
        if kind == _VARINT:
            return _varint(self._octets, at, end)[1]
        size = {_EIGHT: 8, _FOUR: 4, _OCTETS: size}.get(kind, -1)
        return at + size if 0 <= size <= end - at else -1

    def _numbers(self, at: int, stop: int, kind: int) -> Iterator[float]:
        """Each way to read a number: plain, signed, zigzag; whole, floating."""
        if kind == _VARINT:
            value = _varint(self._octets, at, stop)[0]
            yield value
            yield value - (1 << 64) if value >> 63 else value
            yield (value >> 1) ^ -(value & 1)
        elif kind in {_FOUR, _EIGHT}:
            part = self._octets[at:stop]
            yield struct.unpack("<i" if kind == _FOUR else "<q", part)[0]
            yield struct.unpack("<f" if kind == _FOUR else "<d", part)[0]


def _varint(octets: bytes, at: int, end: int) -> tuple[int, int]:
    """A number and the place behind it, which is -1 where there is no number."""
    value = shift = 0
    while 0 <= at < end and shift <= _MOST_SHIFT:
        octet = octets[at]
        value |= (octet & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not octet & 0x80:
            return value, at
    return 0, -1
