"""Searches the payload of a capture for identifiers, while it is read.

Streams are put together first. Of HTTP/1 each head and each body is one content, its transfer
and content codings undone; what is nothing of the kind is searched in pieces that overlap.
"""

from collections import OrderedDict
from collections.abc import Iterator

import dataframely as dy
import polars as pl

from phonehome.captures.decryption.plaintext import Opened
from phonehome.captures.kernels.excerpts import PAYLOAD, Excerpts
from phonehome.captures.kernels.layout import NO_TIME
from phonehome.captures.names import http
from phonehome.captures.names.faults import Marks, Moment
from phonehome.captures.names.http_bodies import Body
from phonehome.captures.names.http_messages import HttpReader, Said
from phonehome.captures.names.reassembly import Assembly
from phonehome.captures.search.budget import Budget, CaptureBudget
from phonehome.captures.search.hits import HitList, Place
from phonehome.captures.search.layers import Found, Looker
from phonehome.captures.search.unwrap import deflated, of_brotli
from phonehome.captures.tables import Searched

PIECE_BYTES = 256 << 10
"""Octets of a stream that are looked into at once."""
BODY_BYTES = 8 << 20
PENDING_BYTES = 64 << 20
"""Memory for all streams that are not over."""
_STREAM_COST = 2_048
_DNS = 53
_DNS_HEAD = 12
_MOST_LABEL = 63
_ENOUGH_TO_JUDGE = 40
_OF_BROTLI = " (br)"
_LAYERS = {"sni": "tls", "certificate": "tls", "quic_sni": "quic"}

Key = tuple[int, int, int]
"""Conversation, whether end b sent it, incarnation."""


class _Search:
    """Looks into the contents of one capture, within what they may cost all together."""

    def __init__(self, looker: Looker) -> None:
        self.overlap = looker.overlap
        self.hits = HitList()
        self._looker = looker
        self._whole = CaptureBudget()

    def budget(self, octets: bytes) -> Budget:
        """What a content may unfold to."""
        return self._whole.of_content(len(octets))

    def look(self, octets: bytes, budget: Budget | None = None) -> list[Found]:
        """What stands in a content; the budget is of what held it, if that is known."""
        budget = budget or self.budget(octets)
        found = self._looker.look(octets, budget)
        self.hits.left_out += budget.left_out
        return found

    def look_into_brotli(self, octets: bytes) -> list[Found]:
        """What stands in what a head says to be Brotli; in itself, where it is not that."""
        budget = self.budget(octets)
        return self.look_into_held("Brotli", of_brotli(octets, budget), octets, budget)

    def look_into_held(self, step: str, held: bytes, octets: bytes, budget: Budget) -> list[Found]:
        """What stands in what was unfolded; in the octets, where that is nothing."""
        found = self.look(held or octets, budget)
        return [one._replace(steps=(step, *one.steps)) for one in found] if held else found


class _Stream:
    """One direction of a TCP connection, put together and looked into."""

    def __init__(self, side: tuple[int, int], search: _Search) -> None:
        self._side = side
        self._search = search
        self.assembly: Assembly | None = None
        self._held = bytearray()
        self._passed = 0
        self._seen: set[tuple[int, int]] = set()
        self._marks = Marks()
        self._reader: HttpReader | None = None
        self._is_judged = False
        self._coding = b""
        self._part = "stream"
        self._last = Moment(1, NO_TIME)

    @property
    def held_bytes(self) -> int:
        """Memory that it takes, about."""
        reader = self._reader.held_bytes if self._reader else 0
        waiting = self.assembly.held_bytes if self.assembly else 0
        return _STREAM_COST + len(self._held) + self._marks.held_bytes + reader + waiting

    def add(self, position: int, octets: bytes, moment: Moment) -> int:
        """Take a segment: how many octets of the stream are new in their order."""
        if self.assembly is None:
            self.assembly = Assembly(position)
        ready = self.assembly.add(position, octets, moment)
        self._take(ready, moment)
        return len(ready)

    def finish(self) -> int:
        """Look into what is left: octets that stood behind gaps."""
        behind = 0
        while self.assembly is not None and (piece := self.assembly.skip_gap()) is not None:
            self._take(*piece)
            behind += len(piece[0])
        if self._reader is not None:
            self._said(self._reader, self._reader.finish())
            self._hold(self._reader.rest, self._last)
        self._look()
        return behind

    def _take(self, octets: bytes, moment: Moment) -> None:
        if not octets:
            return
        if not self._is_judged:
            octets = self._judged(octets)
        if self._reader is not None:
            self._last = moment
            self._said(self._reader, self._reader.feed(octets, moment))
            if not self._reader.is_over:
                return
            octets = self._reader.rest
            self._reader = None
        self._hold(octets, moment)

    def _hold(self, octets: bytes, moment: Moment) -> None:
        """Keep octets that are no message of HTTP until there are enough to look into."""
        self._held += octets
        self._marks.note(self._passed + len(self._held), moment)
        if len(self._held) >= PIECE_BYTES:
            self._look()

    def _judged(self, octets: bytes) -> bytes:
        """All octets so far, if they begin a message of HTTP."""
        begin = bytes(self._held) + octets
        self._is_judged = len(begin) >= _ENOUGH_TO_JUDGE or b"\n" in begin
        is_response = http.is_response_begin(begin[:_ENOUGH_TO_JUDGE])
        if is_response or http.is_begin(begin[:_ENOUGH_TO_JUDGE]):
            self._reader = HttpReader(is_response=is_response, most=BODY_BYTES)
            self._part = "response" if is_response else "request"
            self._is_judged = True
            self._held.clear()
            self._marks = Marks()
            return begin
        return octets

    def _said(self, reader: HttpReader, messages: Iterator[tuple[Said, Moment]]) -> None:
        """Look into heads and bodies of HTTP."""
        for said, moment in messages:
            if isinstance(said, Body):
                self._look_into_body(said, moment)
            else:
                self._coding = said.coding.strip().lower()
                self._note(f"{self._part} head", self._search.look(reader.head), moment)

    def _look_into_body(self, body: Body, moment: Moment) -> None:
        """Look into a body; gzip, zlib and zstd are found by their marks, the rest is named."""
        octets = body.octets
        if self._coding == b"br":
            found = self._search.look_into_brotli(octets)
        elif self._coding == b"deflate" and octets[:1] != b"\x78":
            budget = self._search.budget(octets)
            held = deflated(octets, budget)
            found = self._search.look_into_held("deflate", held, octets, budget)
        else:
            found = self._search.look(octets)
        self._note(f"{self._part} body", found, moment)

    def _note(self, part: str, found: list[Found], moment: Moment) -> None:
        self._search.hits.add(Place(*self._side, "http", part), found, moment)

    def _look(self) -> None:
        """Look into what is held, and keep as much of it as a pattern may span."""
        octets = bytes(self._held)
        seen = set()
        for one in self._search.look(octets):
            begin = self._passed + one.at
            seen.add((one.identifier, begin))
            if (one.identifier, begin) not in self._seen:
                moment = self._marks.reached(begin + 1)
                place = Place(*self._side, "tcp", "stream")
                self._search.hits.add(place, [one], moment, self._passed)
        self._seen = seen
        gone = max(len(octets) - self._search.overlap, 0)
        self._passed += gone
        del self._held[:gone]


class Searcher:
    """Searches the payload of one capture.

    Args:
        looker: what to look for.

    Attributes:
        hits: what was found.
    """

    def __init__(self, looker: Looker) -> None:
        self._search = _Search(looker)
        self.hits = self._search.hits
        self._open: OrderedDict[Key, _Stream] = OrderedDict()
        self._pending = 0
        self._searched: dict[tuple[int, int], int] = {}

    def add(self, excerpts: Excerpts) -> None:
        """Search the payload of the next window."""
        for at in (excerpts.kind == PAYLOAD).nonzero()[0].tolist():
            start, length = int(excerpts.start[at]), int(excerpts.length[at])
            octets = excerpts.data[start : start + length].tobytes()
            moment = Moment(int(excerpts.frame[at]), int(excerpts.time[at]))
            side = int(excerpts.conversation[at]), int(excerpts.is_from_b[at])
            if excerpts.message[at]:
                self._datagram(side, octets, moment, int(excerpts.shape[at]))
            else:
                key = (*side, int(excerpts.incarnation[at]))
                self._segment(key, int(excerpts.position[at]), octets, moment)

    def look_into_opened(self, piece: Opened, conversation: int, *, is_from_b: bool) -> None:
        """Search what a key has opened."""
        side = conversation, int(is_from_b)
        place = Place(*side, piece.layer.partition("-")[0], piece.what)
        moment = Moment(piece.frame, NO_TIME if piece.time is None else piece.time)
        is_brotli = piece.what.endswith(_OF_BROTLI)
        look = self._search.look_into_brotli if is_brotli else self._search.look
        found = look(piece.octets)
        self.hits.add(place, found, moment)

    def finish(self) -> None:
        """Search what is still held; to be called once, at the end."""
        while self._open:
            self._close(next(iter(self._open)))

    def look_into_names(self, sightings: pl.DataFrame) -> None:
        """Search the names of servers that TLS and QUIC carry, each once per conversation."""
        named = sightings.filter(pl.col("source").is_in(list(_LAYERS))).unique(
            ["conversation", "name", "source"], maintain_order=True
        )
        columns = ("conversation", "is_from_b", "source", "name", "frame", "time")
        for conversation, is_from_b, source, name, frame, time in named.select(
            *columns[:-1], pl.col("time").to_physical()
        ).iter_rows():
            place = Place(conversation, int(is_from_b), _LAYERS[source], "server name")
            moment = Moment(frame, NO_TIME if time is None else time)
            self.hits.add(place, self._search.look(name.encode()), moment)

    def searched(self) -> dy.DataFrame[Searched]:
        """Octets that were searched, per conversation and direction, in this order."""
        rows = [(*side, octets) for side, octets in sorted(self._searched.items())]
        schema = {"conversation": pl.Int32, "is_from_b": pl.Int64, "octets": pl.Int64}
        return Searched.validate(pl.DataFrame(rows, schema=schema, orient="row"), cast=True)

    def _count(self, side: tuple[int, int], octets: int) -> None:
        self._searched[side] = self._searched.get(side, 0) + octets

    def _datagram(self, side: tuple[int, int], octets: bytes, moment: Moment, ports: int) -> None:
        self._count(side, len(octets))
        is_dns = _DNS in {ports >> 16, ports & 0xFFFF}
        place = Place(*side, "dns" if is_dns else "udp", "datagram")
        found = self._search.look(octets)
        if not found and is_dns:
            found = self._search.look(_dotted(octets))
        self.hits.add(place, found, moment)

    def _segment(self, key: Key, position: int, octets: bytes, moment: Moment) -> None:
        stream = self._open.get(key)
        if stream is None:
            stream = self._open[key] = _Stream(key[:2], self._search)
        else:
            self._pending -= stream.held_bytes
        self._open.move_to_end(key)
        self._count(key[:2], stream.add(position, octets, moment))
        self._pending += stream.held_bytes
        while self._pending > PENDING_BYTES and self._open:
            self._close(next(iter(self._open)))

    def _close(self, key: Key) -> None:
        stream = self._open.pop(key)
        self._pending -= stream.held_bytes
        self._count(key[:2], stream.finish())


def _dotted(message: bytes) -> bytes:
    """The first name of a DNS message with dots between its labels; nothing where there is none."""
    labels, at = [], _DNS_HEAD
    while at < len(message) and 0 < message[at] <= _MOST_LABEL:
        labels.append(message[at + 1 : at + 1 + message[at]])
        at += 1 + message[at]
    return b".".join(labels)
