"""What a TLS server says in the clear: ServerHello, and the certificates of TLS up to 1.2.

RFC 8446, section 4.1.3; RFC 5246, sections 7.4.2 and 7.4.1.3. In TLS 1.3 the certificates are
encrypted, and reading ends with the ServerHello.
"""

from collections.abc import Iterator
from typing import NamedTuple

from phonehome.captures.names.faults import Fault, Moment

TLS_1_3 = 0x0304
_HANDSHAKE = 22
_MAJOR = 3
_RECORD_HEADER = 5
_MESSAGE_HEADER = 4
_LONGEST_RECORD = (1 << 14) + 2048
_LONGEST_MESSAGE = 65_536
_SERVER_HELLO, _NEW_TICKET, _CERTIFICATE = 2, 4, 11
_LENGTH_OF_CERTIFICATE = 3
_BEFORE_SESSION = _MESSAGE_HEADER + 2 + 32
_ALPN, _SUPPORTED_VERSIONS = 16, 43


class ServerHello(NamedTuple):
    """What one ServerHello says.

    Attributes:
        version: the version that the server chose, as its number; 0x0304 is TLS 1.3.
        cipher: the cipher suite that it chose, as its number.
        alpn: the application protocol that it chose in the clear; None: none there.
        fault: the lie at which reading stopped, or None.
    """

    version: int
    cipher: int
    alpn: bytes | None = None
    fault: Fault | None = None


class Certificate(NamedTuple):
    """The server's own certificate, first of its chain.

    Attributes:
        der: as sent.
        fault: a lie about its length, or None; then there is no certificate.
    """

    der: bytes
    fault: Fault | None = None


def server_hello(message: bytes) -> ServerHello | None:
    """What a whole ServerHello says, from its handshake header on; None: it is too short."""
    at = _BEFORE_SESSION
    if len(message) <= at or len(message) < at + 4 + message[at]:
        return None
    version = message[4] << 8 | message[5]
    at += 1 + message[at]
    cipher = message[at] << 8 | message[at + 1]
    at += 3
    alpn = None
    end = min(at + 2 + int.from_bytes(message[at : at + 2], "big"), len(message))
    at += 2
    while at + 4 <= end:
        kind, length = message[at] << 8 | message[at + 1], message[at + 2] << 8 | message[at + 3]
        content = message[at + 4 : at + 4 + length]
        if at + 4 + length > end:
            return ServerHello(version, cipher, alpn, Fault("tls_malformed", at + 4 + length, end))
        if kind == _SUPPORTED_VERSIONS and length == 2:  # noqa: PLR2004 - a version
            version = content[0] << 8 | content[1]
        elif kind == _ALPN and length > 3 and content[2] == length - 3:  # noqa: PLR2004
            alpn = content[3:]
        at += 4 + length
    return ServerHello(version, cipher, alpn)


def first_certificate(message: bytes) -> Certificate | None:
    """The first of a Certificate message, from its handshake header on; None: it has none."""
    begin = _MESSAGE_HEADER + 2 * _LENGTH_OF_CERTIFICATE
    if len(message) < begin:
        return None
    length = int.from_bytes(message[begin - _LENGTH_OF_CERTIFICATE : begin], "big")
    if begin + length > len(message):
        return Certificate(b"", Fault("tls_malformed", begin + length, len(message)))
    return Certificate(message[begin : begin + length]) if length else None


class _Said(NamedTuple):
    """What whole handshake messages say, how many bytes they take, and whether that is all."""

    found: list[ServerHello | Certificate]
    used: int
    is_over: bool


def _messages(content: bytes | bytearray) -> _Said:
    """What the handshake messages say that are whole, up to the last that is of use."""
    found: list[ServerHello | Certificate] = []
    at, size = 0, len(content)
    while at + _MESSAGE_HEADER <= size:
        kind, begin = content[at], at
        end = at + _MESSAGE_HEADER + int.from_bytes(content[at + 1 : at + _MESSAGE_HEADER], "big")
        if end - begin > _LONGEST_MESSAGE:
            return _Said(found, at, is_over=True)
        if end > size:
            break
        at = end
        said: ServerHello | Certificate | None = None
        if kind == _SERVER_HELLO:
            said = server_hello(bytes(content[begin:end]))
        elif kind == _CERTIFICATE:
            said = first_certificate(bytes(content[begin:end]))
        if said is not None:
            found.append(said)
        is_followed = isinstance(said, ServerHello) and said.version < TLS_1_3
        if not is_followed and kind != _NEW_TICKET:
            return _Said(found, at, is_over=True)
    return _Said(found, at, is_over=False)


def whole_flight(octets: bytes) -> list[ServerHello | Certificate] | None:
    """What a server says whose records are here up to its certificate, or its end in TLS 1.3.

    None where they are not all here.
    """
    found: list[ServerHello | Certificate] = []
    content = b""
    at, size = 0, len(octets)
    while at + _RECORD_HEADER <= size and octets[at] == _HANDSHAKE and octets[at + 1] == _MAJOR:
        begin = at + _RECORD_HEADER
        at = begin + (octets[at + 3] << 8 | octets[at + 4])
        if at > size or not begin < at <= begin + _LONGEST_RECORD:
            return None
        content += octets[begin:at]
        said = _messages(content)
        found += said.found
        if said.is_over:
            return found
        content = content[said.used :]
    return None


class ServerReader:
    """The begin of what a server sends, in any records and any pieces."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._record_left = 0
        self._message = bytearray()
        self.is_over = False
        """Nothing more is expected: read, or encrypted from here on."""

    @property
    def held_bytes(self) -> int:
        """Bytes that wait for the rest of their message."""
        return len(self._message)

    def feed(
        self, octets: bytes, moment: Moment
    ) -> Iterator[tuple[ServerHello | Certificate, Moment]]:
        """What the messages say that these next bytes of the stream complete."""
        at = 0
        while at < len(octets) and not self.is_over:
            if self._record_left:
                begin, at = at, min(at + self._record_left, len(octets))
                self._message += octets[begin:at]
                self._record_left -= at - begin
                said = _messages(self._message)
                self.is_over = said.is_over
                del self._message[: said.used if not said.is_over else None]
                yield from ((found, moment) for found in said.found)
            else:
                begin, at = at, at + _RECORD_HEADER - len(self._header)
                self._header += octets[begin:at]
                if len(self._header) == _RECORD_HEADER:
                    self._open_record()

    def finish(self) -> Iterator[tuple[ServerHello | Certificate, Moment]]:
        """Nothing: of a message that never completes nothing is said."""
        self.is_over = True
        yield from ()

    def _open_record(self) -> None:
        """Take the header of a record; one that is no handshake ends reading."""
        length = int.from_bytes(self._header[3:], "big")
        is_handshake = self._header[0] == _HANDSHAKE and self._header[1] == _MAJOR
        if is_handshake and 0 < length <= _LONGEST_RECORD:
            self._record_left = length
            self._header.clear()
        else:
            self.is_over = True
