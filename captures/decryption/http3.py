"""Streams of QUIC cut into pieces: messages of HTTP/3 where they hold such, else as they are.

tshark 4.0 comes without what unpacks the headers of HTTP/3 (QPACK), so they stay packed: most of
their text is in a code of Huffman's, in which no text search finds anything.
"""

from collections.abc import Iterator

from phonehome.captures.decryption.messages import STREAM_DATA, Piece
from phonehome.captures.names.faults import Moment
from phonehome.captures.names.quic import varint
from phonehome.captures.names.reassembly import Assembly

_DATA, _HEADERS = 0, 1
_INITIATOR_AND_KIND = 4
_REQUESTS = 0  # streams that the client opened, both ends speak on


def frames(octets: bytes) -> list[tuple[int, bytes]]:
    """Frames of a stream of requests (RFC 9114, section 7.1), the last one as far as it came."""
    found, at = [], 0
    while at < len(octets):
        try:
            kind, at = varint(octets, at)
            length, at = varint(octets, at)
        except IndexError:
            break
        found.append((kind, octets[at : at + length]))
        at += length
    return found


class QuicStream:
    """One direction of a stream of QUIC, put together and kept until it ends.

    Args:
        stream: its number.
        is_client: the client sends it.
        most: octets of it that are kept.
    """

    def __init__(self, stream: int, *, is_client: bool, most: int) -> None:
        self._is_request_stream = stream % _INITIATOR_AND_KIND == _REQUESTS
        self._side = "request" if is_client else "response"
        self._most = most
        self._assembly = Assembly(0)
        self._octets = bytearray()
        self._begun: Moment | None = None
        self._end: int | None = None
        self.left_out = 0
        """Octets beyond what is kept."""

    @property
    def held_bytes(self) -> int:
        """What waits for more."""
        return len(self._octets) + self._assembly.held_bytes

    @property
    def opened_bytes(self) -> int:
        """Octets that came, each once, without a gap before them."""
        return self._assembly.position

    def feed(self, offset: int, octets: bytes, moment: Moment, *, is_last: bool) -> None:
        """Take a frame."""
        self._begun = self._begun or moment
        if is_last:
            self._end = offset + len(octets)
        came = self._assembly.add(offset, octets, moment)
        room = max(0, self._most - len(self._octets))
        self.left_out += max(0, len(came) - room)
        self._octets += came[:room]

    @property
    def is_over(self) -> bool:
        """All of it is here."""
        return self._end is not None and self._assembly.position >= self._end

    def finish(self) -> Iterator[Piece]:
        """What it said, as far as it came."""
        octets, begun = bytes(self._octets), self._begun or Moment(0, 0)
        self._octets.clear()
        if not octets:
            return
        if not self._is_request_stream or octets[0] != _HEADERS:
            yield Piece(begun, STREAM_DATA, octets)
            return
        content = frames(octets)
        is_request = self._side == "request"
        for kind, packed in content:
            if kind == _HEADERS:
                what = f"http3 {self._side} head (packed)"
                yield Piece(begun, what, packed, is_request)
                is_request = False  # what follows are trailers
        body = b"".join(part for kind, part in content if kind == _DATA)
        if body:
            yield Piece(begun, f"http3 {self._side} body", body)
