"""Plain streams cut into pieces: messages of HTTP, or what one end said before the other did."""

from collections.abc import Iterator
from typing import NamedTuple

from phonehome.captures.names.faults import Moment
from phonehome.captures.names.http import Request, Response, is_begin, is_response_begin
from phonehome.captures.names.http_bodies import Body, unfolded
from phonehome.captures.names.http_messages import HttpReader

STREAM_DATA = "stream data"
_ENOUGH_TO_JUDGE = 40
_KNOWN_CODINGS = {b"gzip", b"x-gzip", b"deflate", b"zstd"}
_HTTP2 = b"PRI * HTTP/2"


class Piece(NamedTuple):
    """A piece of what one end said: when it began, what it is, its octets, its stream of HTTP/2."""

    moment: Moment
    what: str
    octets: bytes
    is_request: bool = False
    stream: int = 0


def unpacked(octets: bytes, coding: bytes, what: str, most: int) -> tuple[str, bytes]:
    """The body of a message without its content coding, and what to call it.

    Of a coding that cannot be undone here (brotli; several; a body that is cut before anything
    came) the octets are as sent, and the name says which it is.
    """
    if not coding or coding.strip().lower() == b"identity":
        return what, octets
    plain = unfolded(octets, coding, most) if coding.strip().lower() in _KNOWN_CODINGS else b""
    if plain:
        return what, plain
    return f"{what} ({coding.decode('latin-1')[:32]})", octets


class _Heads(HttpReader):
    """A reader of HTTP that keeps the octets of the heads that it read."""

    def __init__(self, *, is_response: bool, most: int) -> None:
        super().__init__(is_response=is_response, most=most)
        self.heads: list[bytes] = []

    def _parse(self, head: bytes) -> Request | Response | None:
        found = super()._parse(head)
        if found is not None:
            self.heads.append(head)
        return found


class Direction:
    """One direction of a stream whose octets come in order.

    Args:
        most: longest piece.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = bytearray()
        self._begun = Moment(0, 0)
        self._http: _Heads | None = None
        self._is_judged = False
        self._side = "request"
        self._coding = b""
        self._head_moment = Moment(0, 0)
        self.left_out = 0
        """Octets of bodies beyond the longest piece."""

    @property
    def held_bytes(self) -> int:
        """What waits for more of its message."""
        return len(self._held) + (self._http.held_bytes if self._http else 0)

    def feed(self, octets: bytes, moment: Moment) -> Iterator[Piece]:
        """The pieces that these next octets complete."""
        if not self._is_judged:
            octets = self._judge(octets)
        if self._http is not None and not self._http.is_over:
            yield from self._said(self._http, self._http.feed(octets, moment))
            return
        if not self._held:
            self._begun = moment
        self._held += octets
        while len(self._held) >= self._most:
            yield Piece(self._begun, STREAM_DATA, bytes(self._held[: self._most]))
            del self._held[: self._most]
            self._begun = moment

    def pause(self) -> Iterator[Piece]:
        """The piece that ends because the other end speaks; HTTP tells its ends itself."""
        if self._held:
            yield Piece(self._begun, STREAM_DATA, bytes(self._held))
            self._held.clear()

    def finish(self) -> Iterator[Piece]:
        """What is left, as far as it came."""
        if self._http is not None and not self._http.is_over:
            yield from self._said(self._http, self._http.finish())
        yield from self.pause()

    def _judge(self, octets: bytes) -> bytes:
        """Decide by the first octets whether the stream is HTTP/1."""
        begin = octets[:_ENOUGH_TO_JUDGE]
        self._is_judged = True
        is_response = is_response_begin(begin)
        if (is_begin(begin) or is_response) and not begin.startswith(_HTTP2):
            self._side = "response" if is_response else "request"
            self._http = _Heads(is_response=is_response, most=self._most)
        return octets

    def _said(
        self, reader: _Heads, said: Iterator[tuple[Request | Response | Body, Moment]]
    ) -> Iterator[Piece]:
        for found, moment in said:
            if isinstance(found, Body):
                self.left_out += max(0, found.size - len(found.octets))
                name = f"http {self._side} body"
                what, octets = unpacked(found.octets, self._coding, name, self._most)
                if octets:
                    yield Piece(self._head_moment, what, octets)
                continue
            self._coding, self._head_moment = found.coding, moment
            is_request = isinstance(found, Request)
            yield Piece(moment, f"http {self._side} head", reader.heads.pop(0), is_request)


class Http2Direction:
    """Messages of HTTP/2 that one end sends, by stream.

    Args:
        most: longest piece.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: dict[int, tuple[Moment, bytes, str, bytearray]] = {}
        self.left_out = 0
        """Octets of bodies beyond the longest piece."""

    @property
    def held_bytes(self) -> int:
        """What waits for more of its message."""
        return sum(len(body) for *_, body in self._open.values())

    def headers(
        self, stream: int, pairs: list[tuple[str, str]], moment: Moment, *, is_last: bool
    ) -> Iterator[Piece]:
        """A block of headers, a line each."""
        names = {name.lower(): value for name, value in pairs}
        is_request = ":method" in names
        side = "response" if ":status" in names else "request"
        if not is_request and ":status" not in names and stream in self._open:
            side = self._open[stream][2]  # trailers
        lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        octets = lines.encode("utf-8", "surrogateescape")[: self._most]
        yield Piece(moment, f"http2 {side} head", octets, is_request, stream)
        coding = names.get("content-encoding", "").encode("latin-1", "replace")
        if stream not in self._open:
            self._open[stream] = (moment, coding, side, bytearray())
        if is_last:
            yield from self._close(stream)

    def data(
        self, stream: int, octets: bytes, moment: Moment, *, is_whole: bool, is_last: bool
    ) -> Iterator[Piece]:
        """Data of a message: its next octets, or all of them."""
        _, _, _, body = self._open.setdefault(stream, (moment, b"", "request", bytearray()))
        if is_whole:
            body.clear()
        self.left_out += max(0, len(body) + len(octets) - self._most)
        body += octets[: max(0, self._most - len(body))]
        if is_last:
            yield from self._close(stream)

    def finish(self) -> Iterator[Piece]:
        """What is left, as far as it came."""
        for stream in list(self._open):
            yield from self._close(stream)

    def _close(self, stream: int) -> Iterator[Piece]:
        moment, coding, side, body = self._open.pop(stream)
        if body:
            name = f"http2 {side} body"
            what, octets = unpacked(bytes(body), coding, name, self._most)
            yield Piece(moment, what, octets, stream=stream)
