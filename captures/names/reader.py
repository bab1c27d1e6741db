"""Names that addresses bear, as the packets of a capture say, and what else the same bytes tell.

Names come from DNS, TLS ClientHello and certificate, QUIC, HTTP Host, and look-ups over HTTP.

The frame of a sighting is the one that completes the message: where pieces come out of order,
the one that closes the last gap. Of a message that never completes it is the frame that brought
the last byte of the name.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import dataframely as dy

from phonehome.captures.kernels.excerpts import (
    DATAGRAM,
    DNS_STREAM,
    DTLS,
    MARK,
    MMTLS_BYTES,
    OWNER,
    QUIC,
    REQUEST_DATAGRAM,
    SAMPLE,
    SERVER_HELLO,
    Excerpts,
)
from phonehome.captures.limits import Limits
from phonehome.captures.names import dns, fingerprints, http, mmtls, tls
from phonehome.captures.names.certificates import certified, host_of
from phonehome.captures.names.client_table import HelloList
from phonehome.captures.names.content_table import ContentList
from phonehome.captures.names.dtls import DtlsReader
from phonehome.captures.names.faults import Fault, Moment, spelled
from phonehome.captures.names.http_bodies import KEPT_BYTES, Body, Framing
from phonehome.captures.names.http_exchanges import ExchangeList
from phonehome.captures.names.http_messages import HttpReader
from phonehome.captures.names.mmtls_table import RecordSums
from phonehome.captures.names.quic import QuicHello, QuicReader, Side
from phonehome.captures.names.reassembly import Assembly
from phonehome.captures.names.server_hello import (
    Certificate,
    ServerHello,
    ServerReader,
    whole_flight,
)
from phonehome.captures.names.server_table import ServerList
from phonehome.captures.names.sightings import FaultList, SightingList
from phonehome.captures.tables import (
    Certificates,
    Contents,
    Conversations,
    Exchanges,
    Hellos,
    MmtlsRecords,
    Oddities,
    RequestParts,
    ServerHellos,
    Sightings,
)

PENDING_BYTES = 64 << 20
"""Memory for messages of which a piece is missing."""

_SETTLED_MESSAGES = 1 << 16
_STREAM_COST_BYTES = 1_024
_MOST_WAITING_BYTES = 1 << 20
_BEGIN_BYTES = 40
_KIND_OF_HELLO = 5
_CLIENT_HELLO = 1
_HELLO = b"\x01"
_RESPONSE = b"HTTP/1."
_MOST_HIDING = 10_000

Finding = (
    dns.Answers
    | tls.Hello
    | http.Request
    | http.Response
    | Body
    | ServerHello
    | Certificate
    | mmtls.Record
)
Key = tuple[int, int, int, int]
"""Conversation, whether end b sent it, incarnation, position at which the message begins."""


class _Reader(Protocol):
    """Reads messages of one direction of a stream, whose bytes come in order."""

    is_over: bool

    @property
    def held_bytes(self) -> int: ...

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Finding, Moment]]: ...

    def finish(self) -> Iterator[tuple[Finding, Moment]]: ...


def _reader(begin: bytes, opener: mmtls.RecordSink | None) -> _Reader | None:
    """Who reads a stream that begins like this; None: a few more bytes tell."""
    if begin[0] == tls.HANDSHAKE and begin[1:2] != b"\xf1":
        if len(begin) <= _KIND_OF_HELLO:
            return None
        return tls.HelloReader() if begin[_KIND_OF_HELLO] == _CLIENT_HELLO else ServerReader()
    if begin[0] in mmtls.KINDS:
        return mmtls.RecordReader(is_keeping=opener is not None)
    is_response = begin.startswith(_RESPONSE)
    if not is_response and _RESPONSE.startswith(begin):
        return None
    most = KEPT_BYTES if opener is None else MMTLS_BYTES
    return HttpReader(is_response=is_response, most=most)


def _all_said(
    octets: bytes, moment: Moment, opener: mmtls.RecordSink | None
) -> Sequence[Finding] | None:
    """What one piece says, if what began in it ends with it; else None."""
    reader = _reader(octets, opener)
    if reader is None:
        return None
    said = [found for found, _ in reader.feed(octets, moment)]
    is_between = isinstance(reader, HttpReader) and reader.is_between
    return said if reader.is_over or is_between else None


class _Stream:
    """A message of which more is to come, or a stream of messages."""

    __slots__ = ("_begin", "_opener", "assembly", "cost_bytes", "is_dns", "reader")

    def __init__(self, position: int, opener: mmtls.RecordSink | None, *, is_dns: bool) -> None:
        self._begin = b""
        self._opener = opener
        self.assembly = Assembly(position)
        self.cost_bytes = 0
        self.is_dns = is_dns
        self.reader: _Reader | None = dns.MessageReader() if is_dns else None

    def held_bytes(self) -> int:
        """What waits for another piece costs this much."""
        reader = self.reader.held_bytes if self.reader else len(self._begin)
        return self.assembly.held_bytes + reader

    def is_over(self) -> bool:
        """Whether nothing more is expected of this message."""
        if self.reader is None:
            return False
        is_between = isinstance(self.reader, HttpReader) and self.reader.is_between
        return self.reader.is_over or (is_between and not self.assembly.held_bytes)

    def most_bytes(self, usual: int) -> int:
        """Bytes of it that are read."""
        return MMTLS_BYTES if isinstance(self.reader, mmtls.RecordReader) else usual

    def feed(self, octets: bytes, moment: Moment) -> Iterator[tuple[Finding, Moment]]:
        """What is found with the next bytes; the first ones tell who reads them."""
        if self.reader is None and octets:
            octets = self._begin + octets
            self._begin = b""
            self.reader = _reader(octets, self._opener)
            if self.reader is None:
                self._begin = octets
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
        opener: opens records of MMTLS with keys; None: there are none.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        pending_bytes: int = PENDING_BYTES,
        opener: mmtls.RecordSink | None = None,
    ) -> None:
        self._opener = opener
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
        self._dtls = DtlsReader()
        self.hiding_names: set[str] = set()
        """Names whose servers take Encrypted Client Hello, as answers of DNS say."""
        self._servers = ServerList(limits.names)
        self._exchanges = ExchangeList(limits.exchanges)
        self._records = RecordSums(limits.names)
        self._contents = ContentList(limits.names)
        self._takers: dict[type, Callable[[Any, Key, Moment], None]] = {
            dns.Answers: self._note_answers,
            tls.Hello: self._note_hello,
            http.Request: self._note_request,
            http.Response: self._note_response,
            Body: self._note_body,
            ServerHello: self._note_server_hello,
            Certificate: self._note_certificate,
            mmtls.Record: self._note_record,
        }

    @property
    def limits_hit(self) -> dict[str, int]:
        """How often each limit left something out; a limit that never did is not in it.

        `names` counts sightings, `stream_bytes` and `pending_bytes` messages, `http_headers`
        requests, `exchanges` requests or responses.
        """
        hit = self._limits_hit + Counter(
            pending_bytes=self._quic.given_up, exchanges=self._exchanges.left_out
        )
        return dict(hit + Counter(names=self._sightings.left_out))

    def add(self, excerpts: Excerpts) -> None:  # noqa: C901, PLR0912 - one branch per kind
        """Read the pieces of the next window."""
        is_hello, is_sample = excerpts.kind == SERVER_HELLO, excerpts.kind == SAMPLE
        is_read = is_hello | is_sample
        if is_read.any():
            self._servers.add_read(excerpts, is_hello)
            self._contents.add_read(excerpts, is_sample)
            excerpts = excerpts.only(~is_read)
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
            if kind in {OWNER, MARK}:
                continue
            if kind == DATAGRAM:
                self._note(dns.answers(octets), key, moment)
            elif kind == QUIC:
                for said in self._quic.read(key[:2], octets, moment):
                    self._note_quic(*said)
            elif kind == DTLS:
                for message, when in self._dtls.read(key[:2], octets, moment):
                    hello = tls.hello(message, is_dtls=True)._replace(message=message)
                    self._keep_hello(hello, key[:2], when, fingerprints.DTLS)
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

    def server_hellos(self) -> dy.DataFrame[ServerHellos]:
        """All ServerHellos, by frame; to be asked for after `sightings`."""
        return self._servers.hellos()

    def certificates(self) -> dy.DataFrame[Certificates]:
        """All certificates that were sent in the clear; to be asked for after `sightings`."""
        return self._servers.certificates()

    def exchanges(self) -> dy.DataFrame[Exchanges]:
        """All requests of HTTP/1 with their responses; to be asked for after `sightings`."""
        return self._exchanges.table()

    def request_parts(self) -> dy.DataFrame[RequestParts]:
        """What requests of HTTP/1 carry; to be asked for after `sightings`."""
        return self._exchanges.parts()

    def mmtls_records(self) -> dy.DataFrame[MmtlsRecords]:
        """All records of MMTLS, added up; to be asked for after `sightings`."""
        return self._records.table()

    def contents(self) -> dy.DataFrame[Contents]:
        """What conversations look like that begin like nothing known."""
        return self._contents.table()

    def oddities(self) -> dy.DataFrame[Oddities]:
        """Messages that lie, to be asked for after `sightings`; kinds are `readings.FAULTS`."""
        return self._faults.table()

    def _note_quic(self, side: Side, moment: Moment, said: QuicHello) -> None:
        """Keep what one connection of QUIC says of itself."""
        self._fault(said.fault, moment)
        if said.message:
            found = tls.hello(said.message)._replace(message=said.message)
            self._keep_hello(found, side, moment, fingerprints.QUIC)
        elif said.name:
            self._sightings.add(moment, side, "quic_sni", spelled(said.name))

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
        if octets[0] == tls.HANDSHAKE and octets[_KIND_OF_HELLO : _KIND_OF_HELLO + 1] == _HELLO:
            found = tls.whole_hello(octets)
            if found is None:
                return False
        elif octets[0] in mmtls.KINDS or octets.startswith(_RESPONSE[: len(octets)]):
            return self._read_whole(key, octets, moment)
        elif http.is_begin(octets[:_BEGIN_BYTES]):
            if http.head_end(octets, 0) != len(octets):
                return False
            found = http.request(octets)
            if found is not None and found.framing != Framing(0):
                return False
        self._note(found, key, moment)
        self._settle(key, key[3] + len(octets))
        return True

    def _read_whole(self, key: Key, octets: bytes, moment: Moment) -> bool:
        """Read what one piece holds, if what began in it ends with it; else False."""
        said = (
            whole_flight(octets)
            if octets[0] == tls.HANDSHAKE
            else _all_said(octets, moment, self._opener)
        )
        if said is None:
            return False
        for found in said:
            self._note(found, key, moment)
        self._settle(key, key[3] + len(octets))
        return True

    def _follow(
        self, key: Key, position: int, octets: bytes, moment: Moment, *, is_dns: bool = False
    ) -> None:
        """Add a piece to a message that takes several, or to a stream of messages."""
        stream = self._open.get(key)
        if stream is None:
            begin = self._settled.get(key, key[3])
            stream = self._open[key] = _Stream(begin, self._opener, is_dns=is_dns)
        most = stream.most_bytes(self._stream_bytes)
        room = len(octets) if is_dns else max(key[3] + most - position, 0)
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
        """Keep what one message says."""
        if found is not None:
            self._takers[type(found)](found, key, moment)

    def _note_answers(self, found: dns.Answers, key: Key, moment: Moment) -> None:
        """Keep the addresses that a response of DNS gives."""
        self._fault(found.fault, moment)
        for address, name in found.pairs:
            self._sightings.add(moment, key[:2], "dns", name, address)
        if found.hiding and len(self.hiding_names) < _MOST_HIDING:
            self.hiding_names.update(found.hiding)

    def _note_hello(self, found: tls.Hello, key: Key, moment: Moment) -> None:
        """Keep what a ClientHello says."""
        self._keep_hello(found, key[:2], moment, fingerprints.TLS)

    def _keep_hello(self, found: tls.Hello, side: Side, moment: Moment, transport: str) -> None:
        """Keep the fault, the fingerprint and the name of a ClientHello."""
        self._fault(found.fault, moment)
        name = spelled(found.name or b"")
        self._hellos.add(moment, side, name, found.message, transport)
        if name:
            source = "quic_sni" if transport == fingerprints.QUIC else "sni"
            self._sightings.add(moment, side, source, name)

    def _note_response(self, found: http.Response, key: Key, moment: Moment) -> None:
        """Keep a response of HTTP."""
        self._exchanges.answer(key[:3], moment, found)

    def _note_server_hello(self, found: ServerHello, key: Key, moment: Moment) -> None:
        """Keep what a ServerHello says."""
        self._fault(found.fault, moment)
        self._servers.add(moment, key[:2], found)

    def _note_record(self, found: mmtls.Record, key: Key, moment: Moment) -> None:
        """Add up a record of MMTLS."""
        self._records.add(key[:2], [(found, moment)])
        if self._opener is not None:
            self._opener.take(key[:2], found, moment)

    def _fault(self, fault: Fault | None, moment: Moment) -> None:
        if fault is not None:
            self._faults.add(moment.frame, fault)

    def _note_request(self, found: http.Request, key: Key, moment: Moment) -> None:
        """Keep a request, and the host that it names."""
        self._fault(found.fault, moment)
        if found.is_cut:
            self._limits_hit["http_headers"] += 1
        self._exchanges.ask(key[:3], moment, found)
        name = spelled(found.name or b"")
        if name:
            self._sightings.add(moment, key[:2], "http_host", name)

    def _note_body(self, found: Body, key: Key, moment: Moment) -> None:
        """Keep the names that the answer to a look-up gives, and records inside a request."""
        if self._exchanges.is_short_link(key[:3]):
            reader = mmtls.RecordReader(is_keeping=self._opener is not None)
            for record, when in reader.feed(found.octets, moment):
                self._note_record(record, key, when)
        for address, name in self._exchanges.take(key[:3], found):
            self._sightings.add(moment, key[:2], "httpdns", name, address)

    def _note_certificate(self, found: Certificate, key: Key, moment: Moment) -> None:
        """Keep a certificate, and the host that it is for."""
        said = certified(found.der) if found.fault is None else None
        fault = said.fault if said else found.fault
        self._fault(fault, moment)
        if said is None or said.fault is not None:
            return
        self._servers.add_certificate(moment, key[:2], said)
        name = host_of(said.names, said.subject)
        if name:
            self._sightings.add(moment, key[:2], "certificate", name)
