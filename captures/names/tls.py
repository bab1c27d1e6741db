"""The server name of a TLS ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3)."""

from collections.abc import Iterator
from typing import NamedTuple

from phonehome.captures.names.faults import Fault, Marks, Moment
from phonehome.captures.words import LONGEST_NAME

HANDSHAKE = 22
"""Type of the record that a ClientHello begins with: the first octet of its stream."""

_MAJOR = 3
_RECORD_HEADER = 5
_LONGEST_RECORD = (1 << 14) + 2048
_CLIENT_HELLO = 1
_HELLO_HEADER = 4
_BEFORE_LISTS = _HELLO_HEADER + 2 + 32
_LIST_WIDTHS = (1, 2, 1)  # of the lengths of session id, cipher suites, compression methods
_DTLS_WIDTHS = (1, *_LIST_WIDTHS)  # with a cookie behind the session id (RFC 6347, section 4.2.1)
_SERVER_NAME = 0
_HOST_NAME = 0


class Hello(NamedTuple):
    """What one ClientHello says.

    Attributes:
        name: octets of the server name; None where it names none.
        end: offset behind the name in the handshake message.
        fault: the lie at which reading stopped, or None.
        message: the handshake message, as far as it came.
    """

    name: bytes | None
    end: int = 0
    fault: Fault | None = None
    message: bytes = b""


def hello(message: bytes, *, is_dtls: bool = False) -> Hello:
    """The server name in a ClientHello, from its handshake header on, of DTLS without fragments.

    A message of which the end is missing gives the name if that is there.
    """
    size = len(message)
    at = _BEFORE_LISTS
    for width in _DTLS_WIDTHS if is_dtls else _LIST_WIDTHS:
        if at + width > size:
            return _short(message, at + width)
        at += width + int.from_bytes(message[at : at + width], "big")
    if at == size:
        return Hello(None)
    if at + 2 > size:
        return _short(message, at + 2)
    return _among_extensions(message, at + 2, at + 2 + (message[at] << 8 | message[at + 1]))


def _among_extensions(message: bytes, at: int, stop: int) -> Hello:
    """The server name in the extensions, which reach from `at` to `stop`."""
    size = len(message)
    while at < stop:
        if at + 4 > size:
            return _short(message, at + 4)
        end = at + 4 + (message[at + 2] << 8 | message[at + 3])
        if message[at] == 0 and message[at + 1] == _SERVER_NAME:
            return _server_name(message, at + 4, min(end, stop))
        at = end
    if at > stop:
        return Hello(None, fault=Fault("tls_malformed", at, stop))
    return _short(message, stop) if stop > size else Hello(None)


def _server_name(message: bytes, at: int, stop: int) -> Hello:
    """The first host name in the list of a server name extension, which ends at `stop`."""
    at += 2
    while at < stop:
        begin = at + 3
        if begin > len(message):
            return _short(message, begin)
        end = begin + (message[at + 1] << 8 | message[at + 2])
        if end > stop:
            return Hello(None, fault=Fault("tls_malformed", end - begin, max(stop - begin, 0)))
        if end > len(message):
            return _short(message, end)
        if message[at] == _HOST_NAME:
            return _checked(message[begin:end], end)
        at = end
    return Hello(None)


def _checked(name: bytes, end: int) -> Hello:
    """The name, if it is one."""
    if len(name) > LONGEST_NAME:
        return Hello(None, fault=Fault("name_too_long", len(name), LONGEST_NAME))
    return Hello(name, end) if name else Hello(None)


def _short(message: bytes, needed: int) -> Hello:
    """No name: a lie if `needed` lies beyond the length that the message states, else cut."""
    stated = _HELLO_HEADER + int.from_bytes(message[1:_HELLO_HEADER], "big")
    if needed > stated and len(message) >= _HELLO_HEADER:
        return Hello(None, fault=Fault("tls_malformed", needed, stated))
    return Hello(None)


def whole_hello(octets: bytes) -> Hello | None:
    """What the ClientHello says that a stream begins with, if one record here holds all of it.

    None where it is not all here, or where this is no ClientHello.
    """
    size = len(octets)
    if size < _RECORD_HEADER + _HELLO_HEADER or octets[0] != HANDSHAKE or octets[1] != _MAJOR:
        return None
    record_end = _RECORD_HEADER + (octets[3] << 8 | octets[4])
    stop = _RECORD_HEADER + _HELLO_HEADER + int.from_bytes(octets[6:9], "big")
    if octets[5] != _CLIENT_HELLO or stop > record_end or stop > size:
        return None
    message = octets[_RECORD_HEADER:stop]
    return hello(message)._replace(message=message)


class HelloReader:
    """A ClientHello that comes in several records or several pieces of a stream."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._record_left = 0
        self._message = bytearray()
        self._marks = Marks()
        self.is_over = False
        """Nothing more is expected: read, or no ClientHello."""

    @property
    def held_bytes(self) -> int:
        """What waits for the rest of the message costs this much."""
        return len(self._message) + self._marks.held_bytes

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Hello, Moment]]:
        """What the message says, once these next bytes of the stream complete it."""
        at = 0
        while at < len(octets) and not self.is_over:
            if self._record_left:
                begin, at = at, min(at + self._record_left, len(octets))
                self._message += octets[begin:at]
                self._record_left -= at - begin
                self.is_over = self._message[0] != _CLIENT_HELLO
                if not self.is_over and len(self._message) >= self._stated_bytes():
                    yield self._read(), moment
            else:
                begin, at = at, at + _RECORD_HEADER - len(self._header)
                self._header += octets[begin:at]
                if len(self._header) == _RECORD_HEADER:
                    self._open_record()
        self._marks.note(len(self._message), moment)

    def finish(self) -> Iterator[tuple[Hello, Moment]]:
        """What the message says as far as it came, with the moment that brought the name."""
        if self._message and self._message[0] == _CLIENT_HELLO:
            found = self._read()
            yield found, self._marks.reached(found.end)
        self.is_over = True

    def _open_record(self) -> None:
        """Take the header of a record; one that cannot carry a ClientHello ends reading."""
        length = int.from_bytes(self._header[3:], "big")
        is_handshake = self._header[0] == HANDSHAKE and self._header[1] == _MAJOR
        if is_handshake and 0 < length <= _LONGEST_RECORD:
            self._record_left = length
            self._header.clear()
        else:
            self.is_over = True

    def _stated_bytes(self) -> int:
        """Length of the message with its header; the header alone until that is there."""
        return _HELLO_HEADER + int.from_bytes(self._message[1:_HELLO_HEADER], "big")

    def _read(self) -> Hello:
        """What the message says, as far as it is there; afterwards there is none."""
        message = bytes(self._message[: self._stated_bytes()])
        found = hello(message)._replace(message=message)
        self._message.clear()
        self.is_over = True
        return found
