"""ClientHellos of DTLS, in one datagram or in fragments (RFC 6347, section 4.2; RFC 9147)."""

from collections import OrderedDict
from collections.abc import Iterator

from phonehome.captures.names.faults import Moment

_HANDSHAKE = 22
_MAJOR = 0xFE
_RECORD_HEADER = 13
_MESSAGE_HEADER = 12
_CLIENT_HELLO = 1
_LONGEST_MESSAGE = 16_384
_MOST_OPEN = 1_024

Side = tuple[int, int]
"""Conversation, and whether end b sent it."""


class _Message:
    """A ClientHello of which a fragment is missing."""

    __slots__ = ("content", "is_known")

    def __init__(self, size: int) -> None:
        self.content = bytearray(size)
        self.is_known = bytearray(size)


class DtlsReader:
    """Puts ClientHellos together, datagram by datagram."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[Side, int], _Message] = OrderedDict()

    def read(self, side: Side, octets: bytes, moment: Moment) -> Iterator[tuple[bytes, Moment]]:
        """The ClientHellos that this datagram completes, each with a header as TLS has it."""
        at = 0
        while at + _RECORD_HEADER <= len(octets):
            kind, major = octets[at], octets[at + 1]
            epoch = octets[at + 3] << 8 | octets[at + 4]
            length = octets[at + 11] << 8 | octets[at + 12]
            if kind != _HANDSHAKE or major != _MAJOR or epoch or length < _MESSAGE_HEADER:
                return
            at += _RECORD_HEADER
            yield from (
                (message, moment) for message in self._fragments(side, octets[at : at + length])
            )
            at += length

    def _fragments(self, side: Side, record: bytes) -> Iterator[bytes]:
        """The messages that the fragments of one record complete."""
        at = 0
        while at + _MESSAGE_HEADER <= len(record):
            size = int.from_bytes(record[at + 1 : at + 4], "big")
            number = record[at + 4] << 8 | record[at + 5]
            offset = int.from_bytes(record[at + 6 : at + 9], "big")
            length = int.from_bytes(record[at + 9 : at + 12], "big")
            begin = at + _MESSAGE_HEADER
            at = begin + length
            is_hello = record[begin - _MESSAGE_HEADER] == _CLIENT_HELLO
            if not is_hello or offset + length > size or not 0 < size <= _LONGEST_MESSAGE:
                return
            message = self._message(side, number, size, offset, record[begin:at])
            if message is not None:
                yield bytes((_CLIENT_HELLO,)) + size.to_bytes(3, "big") + message

    def _message(
        self, side: Side, number: int, size: int, offset: int, fragment: bytes
    ) -> bytes | None:
        """The message, if this fragment completes it."""
        if len(fragment) == size:
            return fragment
        key = (side, number)
        message = self._open.get(key)
        if message is None or len(message.content) != size:
            message = self._open[key] = _Message(size)
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)
        end = offset + len(fragment)
        message.content[offset:end] = fragment
        message.is_known[offset:end] = b"\1" * len(fragment)
        if 0 in message.is_known:
            return None
        del self._open[key]
        return bytes(message.content)
