"""Records of MMTLS, the encryption of WeChat's own, in a stream or in a body of HTTP.

Layout as published by Citizen Lab (wechat-security-report, docs/mmtls-layer). What is inside the
records is encrypted and not looked at, but for the hello, which states the clock of the phone.
"""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

from phonehome.captures.names.faults import Moment

SHORT_LINK = b"/mmtls/"
"""Begin of the path of an HTTP request whose body is records."""
KINDS = {0x15: "alert", 0x16: "handshake", 0x17: "data", 0x19: "early"}
VERSIONS = (0xF103, 0xF104)
LONGEST = 0xFFFF
_HEADER = 5
_HELLO_BYTES = 256
_BEFORE_SUITES = 8
_SUITE_BYTES = 2
_RANDOM_BYTES = 32
_CLIENT = 1


class Hello(NamedTuple):
    """What the hello of a client says in the clear.

    Attributes:
        time: clock of the client in seconds since 1970.
        suites: cipher suites offered, in order, each in four hexadecimal digits, between commas.
    """

    time: int
    suites: str


class Record(NamedTuple):
    """One record.

    Attributes:
        kind: one of `KINDS`.
        size: bytes in it.
        hello: what it says if it is the hello of a client; else None.
        octets: all of it with its header, where a reader was to keep that; else empty.
    """

    kind: str
    size: int
    hello: Hello | None = None
    octets: bytes = b""


class RecordSink(Protocol):
    """Takes each record while a capture is read, as what opens records with keys does."""

    def take(self, side: tuple[int, int], record: Record, moment: Moment) -> None:
        """Take a record.

        Args:
            side: conversation, and whether end b sends.
            record: the record, with its octets.
            moment: when it was complete.
        """
        ...


def client_hello(content: bytes) -> Hello | None:
    """What a ClientHello says; None where this is none, or where it is cut."""
    if len(content) <= _BEFORE_SUITES or content[4] != _CLIENT or content[6] != 0xF1:  # noqa: PLR2004
        return None
    end = _BEFORE_SUITES + content[7] * _SUITE_BYTES
    suites = content[_BEFORE_SUITES:end]
    stated = content[end + _RANDOM_BYTES : end + _RANDOM_BYTES + 4]
    if len(stated) < 4:  # noqa: PLR2004
        return None
    return Hello(int.from_bytes(stated, "big"), suites.hex(",", _SUITE_BYTES))


def is_begin(octets: bytes | bytearray) -> bool:
    """Whether a record can begin like this."""
    return (
        len(octets) >= _HEADER
        and octets[0] in KINDS
        and (octets[1] << 8 | octets[2]) in VERSIONS
        and bool(octets[3] | octets[4])
    )


class RecordReader:
    """Records that come in any pieces of a stream.

    Args:
        is_keeping: hand on the octets of each record.
    """

    def __init__(self, *, is_keeping: bool = False) -> None:
        self._is_keeping = is_keeping
        self._most = LONGEST if is_keeping else _HELLO_BYTES
        self._header = b""
        self._held = bytearray()
        self._left = 0
        self._kind = 0
        self._size = 0
        self.is_over = False
        """Nothing more is expected: what follows is no record."""

    @property
    def held_bytes(self) -> int:
        """Bytes that wait for the rest of their record."""
        return len(self._held)

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Record, Moment]]:
        """The records that these next bytes of the stream complete."""
        at = 0
        while at < len(octets) and not self.is_over:
            if self._left:
                end = min(at + self._left, len(octets))
                self._held += octets[at : min(end, at + self._most - len(self._held))]
                self._left -= end - at
                at = end
            else:
                begin, at = at, min(at + _HEADER - len(self._held), len(octets))
                self._held += octets[begin:at]
                if len(self._held) == _HEADER:
                    self._open()
                continue
            if not self._left:
                kind = KINDS[self._kind]
                is_hello = kind in {"handshake", "early"}
                content = bytes(self._held)
                self._held.clear()
                hello = client_hello(content) if is_hello else None
                whole = self._header + content if self._is_keeping else b""
                yield Record(kind, self._size, hello, whole), moment

    def finish(self) -> Iterator[tuple[Record, Moment]]:
        """Nothing: a record of which the end is missing does not count."""
        self.is_over = True
        yield from ()

    def _open(self) -> None:
        """Take the header of a record."""
        if is_begin(self._held):
            self._kind = self._held[0]
            self._header = bytes(self._held)
            self._left = self._size = self._held[3] << 8 | self._held[4]
        else:
            self.is_over = True
        self._held.clear()
