"""Names that addresses bear, as the packets of a capture say: DNS, TLS ClientHello, HTTP Host.

The frame of a sighting is the one that completes the message: where pieces come out of order,
the one that closes the last gap. Of a message that never completes it is the frame that brought
the last byte of the name.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from typing import Protocol

import dataframely as dy

from captures import dns, fingerprints, http, tls
from captures.assembly import Assembly
from captures.excerpts import DATAGRAM, DNS_STREAM, OWNER, QUIC, REQUEST_DATAGRAM, Excerpts
from captures.hello_lists import HelloList
from captures.limits import Limits
from captures.quic import QuicHello, QuicReader, Side
from captures.readings import Moment, spelled
from captures.sightings import FaultList, SightingList
from captures.tables import Conversations, Hellos, Oddities, Sightings

PENDING_BYTES = 64 << 20
"""Memory for messages of which a piece is missing."""

_SETTLED_MESSAGES = 1 << 16
_STREAM_COST_BYTES = 1_024
_MOST_WAITING_BYTES = 1 << 20
_BEGIN_BYTES = 40

Finding = dns.Answers | tls.Hello | http.Request
Key = tuple[int, int, int, int]
"""Conversation, whether end b sent it, incarnation, position at which the message begins."""


class _Reader(Protocol):
    """Reads messages of one direction of a stream, whose bytes come in order."""

    is_over: bool

    @property
    def held_bytes(self) -> int: ...

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Finding, Moment]]: ...

    def finish(self) -> Iterator[tuple[Finding, Moment]]: ...


class _Stream:
    """A message of which more is to come, or a stream of messages."""

    __slots__ = ("assembly", "cost_bytes", "is_dns", "reader")

    def __init__(self, position: int, *, is_dns: bool) -> None:
        self.assembly = Assembly(position)
        self.cost_bytes = 0
        self.is_dns = is_dns
        self.reader: _Reader | None = dns.MessageReader() if is_dns else None

    def held_bytes(self) -> int:
        """What waits for another piece costs this much."""
        return self.assembly.held_bytes + (self.reader.held_bytes if self.reader else 0)

    def is_over(self) -> bool:
        """Whether nothing more is expected."""
        return self.reader is not None and self.reader.is_over

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Finding, Moment]]:
        """What is found with the next bytes; the first octet tells who reads them."""
        if self.reader is None and octets:
            is_hello = octets[0] == tls.HANDSHAKE
            self.reader = tls.HelloReader() if is_hello else http.RequestReader()
        if self.reader is not None and octets:
            yield from self.reader.feed(octets, moment)

    def finish(self) -> Iterator[tuple[Finding, Moment]]:
        """What is found in what is there; of DNS, also behind the bytes that never came."""
        if self.reader is not None:
            yield from self.reader.finish()
        while self.is_dns and (piece := self.assembly.skip_gap()) is not None:
            yield from self.feed(*piece)


class NameReader:
    """Reads names from the excerpts of a capture, window by window.

    Args:
        limits: `stream_bytes`, `names` and `oddities` apply here.
        pending_bytes: memory for messages of which a piece is missing; beyond it, the oldest
            message is read as far as it came, and given up.
    """

    def __init__(self, limits: Limits, *, pending_bytes: int = PENDING_BYTES) -> None:
        self._stream_bytes = limits.stream_bytes
        self._most_pending_bytes = pending_bytes
        self._pending_bytes = 0
        self._open: OrderedDict[Key, _Stream] = OrderedDict()
        self._settled: OrderedDict[Key, int] = OrderedDict()
        self._limits_hit: Counter[str] = Counter()
        self._sightings = SightingList(limits.names)
        self._faults = FaultList(limits.oddities)
        self._hellos = HelloList(limits.names)
        self._quic = QuicReader()

    @property
    def limits_hit(self) -> dict[str, int]:
        """How often each limit left something out; a limit that never did is not in it.

        `names` counts sightings, `stream_bytes` and `pending_bytes` messages, `http_headers`
        requests.
        """
        hit = self._limits_hit + Counter(pending_bytes=self._quic.given_up)
        return dict(hit + Counter(names=self._sightings.left_out))

    def add(self, excerpts: Excerpts) -> None:  # noqa: C901 - one branch per kind
        """Read the pieces of the next window."""
        data = excerpts.data.tobytes()
        keys = zip(
            excerpts.conversation.tolist(),
            excerpts.is_from_b.tolist(),
            excerpts.incarnation.tolist(),
            excerpts.message.tolist(),
            strict=True,
        )
        pieces = zip(
            excerpts.kind.tolist(),
            keys,
            excerpts.position.tolist(),
            excerpts.start.tolist(),
            (excerpts.start + excerpts.length).tolist(),
            map(Moment, excerpts.frame.tolist(), excerpts.time.tolist()),
            excerpts.name_at.tolist(),
            excerpts.name_length.tolist(),
            excerpts.shape.tolist(),
            strict=True,
        )
        for kind, key, position, start, stop, moment, name_at, name_length, shape in pieces:
            if name_length >= 0:
                name = data[name_at : name_at + name_length].decode("ascii")
                if name:
                    self._sightings.add(moment, key[:2], "sni", name)
                self._hellos.add_shape(moment, key[:2], name, shape, data[start + 5 : stop])
                continue
            octets = data[start:stop]
            if kind == OWNER:
                continue
            if kind == DATAGRAM:
                self._note(dns.answers(octets), key, moment)
            elif kind == QUIC:
                for said in self._quic.read(key[:2], octets, moment):
                    self._note_quic(*said)
            elif kind == REQUEST_DATAGRAM:
                self._note(http.request(octets), key, moment)
            elif octets and kind == DNS_STREAM:
                self._follow(key, position, octets, moment, is_dns=True)
            elif octets:
                self._read_piece(key, position, octets, moment)

    def sightings(self, conversations: dy.DataFrame[Conversations]) -> dy.DataFrame[Sightings]:
        """All sightings, by frame, then in the order in which they were said.

        Ends the reading: messages that are still incomplete are read as far as they came. The
        address of an SNI or a Host is the one that it was sent to; that of a DNS name stands in
        the answer. One row per frame, address, port, name and source.
        """
        for key in list(self._open):
            self._close(key)
        for said in self._quic.finish():
            self._note_quic(*said)
        return self._sightings.table(conversations)

    def hellos(self) -> dy.DataFrame[Hellos]:
        """All ClientHellos, by frame; to be asked for after `sightings`."""
        return self._hellos.table()

    def oddities(self) -> dy.DataFrame[Oddities]:
        """Messages that lie, to be asked for after `sightings`; kinds are `readings.FAULTS`."""
        return self._faults.table()

    def _note_quic(self, side: Side, moment: Moment, said: QuicHello) -> None:
        """Keep what one connection of QUIC says of itself."""
        if said.fault is not None:
            self._faults.add(moment.frame, said.fault)
        name = spelled(said.name or b"")
        if said.message:
            found = tls.hello(said.message)
            if found.fault is not None:
                self._faults.add(moment.frame, found.fault)
            name = spelled(found.name or b"")
            self._hellos.add(moment, side, name, said.message, fingerprints.QUIC)
        if name:
            self._sightings.add(moment, side, "quic_sni", name)

    def _read_piece(self, key: Key, position: int, octets: bytes, moment: Moment) -> None:
        """Read a piece of a stream; what is settled is passed over, behind it begins another."""
        while (settled := self._settled.get(key)) is not None:
            octets = octets[max(settled - position, 0) :]
            if not octets:
                return
            position = max(settled, position)
            key = (*key[:3], position)
        if key in self._open or position != key[3] or not self._read_at_once(key, octets, moment):
            self._follow(key, position, octets, moment)

    def _read_at_once(self, key: Key, octets: bytes, moment: Moment) -> bool:
        """Read a message that begins and ends with this piece; False: it takes more pieces."""
        found: Finding | None = None
        body_bytes = 0
        if octets[0] == tls.HANDSHAKE:
            found = tls.whole_hello(octets)
            if found is None:
                return False
        elif http.is_begin(octets[:_BEGIN_BYTES]):
            if http.head_end(octets, 0) != len(octets):
                return False
            found = http.request(octets)
            body_bytes = found.body_bytes if found else 0
        self._note(found, key, moment)
        self._settle(key, key[3] + len(octets) + body_bytes)
        return True

    def _follow(
        self, key: Key, position: int, octets: bytes, moment: Moment, *, is_dns: bool = False
    ) -> None:
        """Add a piece to a message that takes several, or to a stream of messages."""
        stream = self._open.get(key)
        if stream is None:
            begin = self._settled.get(key, key[3])
            stream = self._open[key] = _Stream(begin, is_dns=is_dns)
        room = len(octets) if is_dns else max(key[3] + self._stream_bytes - position, 0)
        fresh = stream.assembly.add(position, octets[:room], moment)
        for found, when in stream.feed(fresh, moment):
            self._note(found, key, when)
        if stream.is_over():
            self._close(key)
        elif room < len(octets) or stream.assembly.held_bytes > _MOST_WAITING_BYTES:
            self._give_up(key, "stream_bytes")
        else:
            self._account(stream)

    def _account(self, stream: _Stream) -> None:
        """Note what a stream costs now; give up the oldest ones while all cost too much."""
        cost_bytes = _STREAM_COST_BYTES + stream.held_bytes()
        self._pending_bytes += cost_bytes - stream.cost_bytes
        stream.cost_bytes = cost_bytes
        while self._pending_bytes > self._most_pending_bytes and self._open:
            self._give_up(next(iter(self._open)), "pending_bytes")

    def _give_up(self, key: Key, limit: str) -> None:
        """Close a stream before its time; it counts if something in it was incomplete."""
        if self._open[key].held_bytes():
            self._limits_hit[limit] += 1
        self._close(key)

    def _close(self, key: Key) -> None:
        """Read a stream as far as it came, and expect nothing more of it."""
        stream = self._open.pop(key)
        self._pending_bytes -= stream.cost_bytes
        for found, when in stream.finish():
            self._note(found, key, when)
        self._settle(key, stream.assembly.position)

    def _settle(self, key: Key, position: int) -> None:
        """Remember up to where a message is read, so that its bytes count once."""
        if position <= key[3]:
            return  # nothing of it was read: the next piece begins it anew
        self._settled[key] = position
        if len(self._settled) > _SETTLED_MESSAGES:
            self._settled.popitem(last=False)

    def _note(self, found: Finding | None, key: Key, moment: Moment) -> None:
        """Keep the names and the fault that one message holds."""
        if found is None:
            return
        if found.fault is not None:
            self._faults.add(moment.frame, found.fault)
        if isinstance(found, dns.Answers):
            for address, name in found.pairs:
                self._sightings.add(moment, key[:2], "dns", name, address)
            return
        if isinstance(found, http.Request) and found.is_cut:
            self._limits_hit["http_headers"] += 1
        name = spelled(found.name or b"")
        if isinstance(found, tls.Hello):
            self._hellos.add(moment, key[:2], name, found.message)
        if name:
            source = "sni" if isinstance(found, tls.Hello) else "http_host"
            self._sightings.add(moment, key[:2], source, name)
