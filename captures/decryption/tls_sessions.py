# Held by tests/captures/decryption/test_session.py: each piece is its.
"""Connections of TLS and QUIC as tshark tells of them, and what they said in the clear."""

from collections import OrderedDict
from collections.abc import Iterator

from phonehome.captures.decryption.http3 import QuicStream
from phonehome.captures.decryption.keylogs import Keys
from phonehome.captures.decryption.messages import Direction, Http2Direction, Piece
from phonehome.captures.decryption.plaintext import Attempt, Opened
from phonehome.captures.decryption.tshark_output import CLIENT_HELLO, SERVER_HELLO, QuicFrame, Said
from phonehome.captures.limits import Limits
from phonehome.captures.names.faults import Moment

_NO_TIME = -1


class _Connection:
    """One connection: its account, and what its ends are in the middle of saying."""

    def __init__(self, attempt: Attempt, most: int) -> None:
        self.attempt = attempt
        self._most = most
        self._streams = {True: Direction(most), False: Direction(most)}
        self._http2 = {True: Http2Direction(most), False: Http2Direction(most)}
        self._quic: dict[tuple[bool, int], QuicStream] = {}
        self._speaker: bool | None = None
        self._quic_held = 0
        self.held_bytes = 0

    def is_from_client(self, said: Said) -> bool:
        return said.source == self.attempt.client

    def take(self, said: Said) -> Iterator[tuple[bool, Piece]]:
        """The pieces that a packet completes, each with whether the client sent it."""
        is_client = self.is_from_client(said)
        moment = Moment(said.frame, _NO_TIME if said.time is None else said.time)
        if said.protocol == "tcp":
            yield from self._take_tls(said, moment, is_client=is_client)
        for frame in said.quic:
            yield from self._take_frame(frame, moment, is_client=is_client)
        self.held_bytes = self._quic_held + sum(
            self._streams[side].held_bytes + self._http2[side].held_bytes for side in (True, False)
        )

    def finish(self) -> Iterator[tuple[bool, Piece]]:
        """What is left of all that its ends said."""
        for side in (True, False):
            for part in (self._streams[side], self._http2[side]):
                yield from ((side, piece) for piece in part.finish())
        for (side, _), stream in self._quic.items():
            yield from ((side, piece) for piece in stream.finish())
        self.held_bytes = self._quic_held = 0

    @property
    def left_out(self) -> int:
        """Octets that were opened and are in no piece."""
        return sum(
            self._streams[side].left_out + self._http2[side].left_out for side in (True, False)
        ) + sum(stream.left_out for stream in self._quic.values())

    def _take_tls(
        self, said: Said, moment: Moment, *, is_client: bool
    ) -> Iterator[tuple[bool, Piece]]:
        if said.octets and self._speaker is not None and self._speaker != is_client:
            before = self._speaker
            yield from ((before, piece) for piece in self._streams[before].pause())
        for octets in said.octets:
            self._speaker = is_client
            self.attempt.opened_bytes[is_client] += len(octets)
            for piece in self._streams[is_client].feed(octets, moment):
                yield is_client, piece
        self.attempt.opened_bytes[is_client] += said.http2_bytes
        sender = self._http2[is_client]
        for frame in said.http2:
            if frame.headers is not None:
                pieces = sender.headers(frame.stream, frame.headers, moment, is_last=frame.is_last)
            else:
                pieces = sender.data(
                    frame.stream,
                    frame.octets,
                    moment,
                    is_whole=frame.is_whole,
                    is_last=frame.is_last,
                )
            yield from ((is_client, piece) for piece in pieces)

    def _take_frame(
        self, frame: QuicFrame, moment: Moment, *, is_client: bool
    ) -> Iterator[tuple[bool, Piece]]:
        key = (is_client, frame.stream)
        stream = self._quic.get(key)
        if stream is None:
            stream = self._quic[key] = QuicStream(
                frame.stream, is_client=is_client, most=self._most
            )
        opened, held = stream.opened_bytes, stream.held_bytes
        stream.feed(frame.offset, frame.octets, moment, is_last=frame.is_last)
        self.attempt.opened_bytes[is_client] += stream.opened_bytes - opened
        if stream.is_over:
            yield from ((is_client, piece) for piece in stream.finish())
        self._quic_held += stream.held_bytes - held


class Connections:
    """All connections of a capture, fed with what tshark says of its packets.

    Args:
        keys: the keys that there are.
        limits: `opened_piece_bytes`, `opened_bytes` and `conversations` apply here.
    """

    def __init__(self, keys: Keys, limits: Limits) -> None:
        self._keys = keys
        self._limits = limits
        self._all: OrderedDict[tuple[str, int], _Connection] = OrderedDict()
        self._held_bytes = 0
        self.seen_randoms: set[bytes] = set()
        """Randoms of the clients whose connections there are keys for."""
        self.limits_hit: dict[str, int] = {}
        """How often each limit left something out."""

    def take(self, said: Said) -> Iterator[Opened]:
        """The pieces that a packet completes."""
        key = (said.protocol, said.connection)
        connection = self._all.get(key)
        if connection is None:
            if len(self._all) >= self._limits.conversations:
                self._hit("conversations")
                return
            connection = self._all[key] = _Connection(
                _attempt(said), self._limits.opened_piece_bytes
            )
        self._note_hellos(connection.attempt, said)
        before = connection.held_bytes
        yield from _opened(connection, connection.take(said))
        self._held_bytes += connection.held_bytes - before
        self._all.move_to_end(key)
        if self._held_bytes > self._limits.opened_bytes:
            yield from self._give_up()

    def finish(self) -> Iterator[Opened]:
        """What is left of all connections."""
        for connection in self._all.values():
            yield from _opened(connection, connection.finish())
            if connection.left_out:
                self._hit("opened_piece_bytes")

    def attempts(self) -> list[Attempt]:
        """What became of each connection."""
        return [connection.attempt for connection in self._all.values()]

    def _give_up(self) -> Iterator[Opened]:
        """Hand on what the connections that were silent longest are in the middle of."""
        for connection in self._all.values():
            if self._held_bytes <= self._limits.opened_bytes // 2:
                return
            if connection.held_bytes:
                self._held_bytes -= connection.held_bytes
                self._hit("opened_bytes")
                yield from _opened(connection, connection.finish())

    def _hit(self, limit: str) -> None:
        self.limits_hit[limit] = self.limits_hit.get(limit, 0) + 1

    def _note_hellos(self, attempt: Attempt, said: Said) -> None:
        for kind, random in said.hellos:
            if kind == CLIENT_HELLO:
                if not attempt.has_hello:
                    attempt.client, attempt.server = said.source, said.destination
                attempt.has_hello = True
                attempt.keys_source = attempt.keys_source or self._keys.sources.get(random)
                if random in self._keys.sources:
                    self.seen_randoms.add(random)
            elif kind == SERVER_HELLO:
                attempt.has_answer = True


def _attempt(said: Said) -> Attempt:
    """The account of a connection of which this is the first packet."""
    is_answer = any(kind == SERVER_HELLO for kind, _ in said.hellos)
    ends = (said.destination, said.source) if is_answer else (said.source, said.destination)
    layer = "tls" if said.protocol == "tcp" else "quic"
    return Attempt(said.protocol, *ends, said.frame, layer)


def _opened(connection: _Connection, pieces: Iterator[tuple[bool, Piece]]) -> Iterator[Opened]:
    """Pieces of a connection with their ends."""
    attempt = connection.attempt
    for is_client, piece in pieces:
        attempt.requests += piece.is_request
        ends = (attempt.client, attempt.server)
        source, destination = ends if is_client else reversed(ends)
        yield Opened(
            attempt.protocol,
            *source,
            *destination,
            piece.moment.frame,
            None if piece.moment.time == _NO_TIME else piece.moment.time,
            attempt.layer,
            piece.what,
            piece.octets,
            piece.stream,
        )
