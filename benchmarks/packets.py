"""The packets of a benchmark capture: from flows to rows in the order of the file.

A row knows its flow, direction, time, TCP numbers and where its payload comes from:
a message of the flow, or a stretch of a pool of random bytes.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from benchmarks.messages import SEGMENT
from benchmarks.plan import Flows, Kind

DATAGRAM = 1_250  # payload bytes of a full QUIC datagram
POOL = 1 << 24  # random bytes that payloads are cut from
LEAST_TCP = 9  # three to open, three of hello, three to close
LEAST_UDP = 4
RETRANSMITTED = 0.01  # of all packets
OUT_OF_ORDER = 0.003  # of the pieces of bulk data
OPENING = 6  # packets of handshake and hello
BURST_ENDS = 0.06  # of the packets, how many are followed by a pause
PAUSE = 200  # times as long as a gap within a burst
SYN, FIN, ACK, PUSH = 0x02, 0x01, 0x10, 0x08
NO_BODY = -1
OPEN, PLAIN_RECORD, SHORT_HEADER, LONG_HEADER = (
    0,
    1,
    2,
    3,
)  # what a payload from the pool begins with


@dataclass(frozen=True, slots=True)
class Packets:
    """One entry per packet in every array, in the order of the file.

    Attributes:
        time: microseconds since 1970.
        flow: index of the flow.
        is_up: whether the phone sent it.
        size: payload bytes.
        seq: TCP sequence number, else 0.
        ack: TCP acknowledgement number, else 0.
        flags: TCP flags, else 0.
        body: index of the message that is its payload, or `NO_BODY`.
        source: where its payload starts in the pool, when it has no body.
        opening: what a payload from the pool begins with.
    """

    time: np.ndarray
    flow: np.ndarray
    is_up: np.ndarray
    size: np.ndarray
    seq: np.ndarray
    ack: np.ndarray
    flags: np.ndarray
    body: np.ndarray
    source: np.ndarray
    opening: np.ndarray

    def take(self, rows: np.ndarray) -> "Packets":
        """The packets at these rows, in this order."""
        return Packets(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True, slots=True)
class Positions:
    """Where each packet stands in its flow, one entry per packet, flow after flow.

    Attributes:
        counts: packets of each flow.
        first: row of the first packet of each flow.
        flow: index of the flow.
        place: packets before it in its flow.
        from_end: packets after it in its flow.
    """

    counts: np.ndarray
    first: np.ndarray
    flow: np.ndarray
    place: np.ndarray
    from_end: np.ndarray


def _positions(counts: np.ndarray) -> Positions:
    """The rows of flows of so many packets."""
    flow = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    first = np.cumsum(counts) - counts
    place = np.arange(len(flow)) - first[flow]
    return Positions(counts, first, flow, place, counts[flow] - 1 - place)


def _counts(flows: Flows, total: int) -> np.ndarray:
    """Packets of each flow: two for a question, shares of the rest by weight.

    Raises:
        ValueError: there are too few packets for so many flows.
    """
    is_udp = (flows.kind == Kind.QUIC) | (flows.kind == Kind.OPAQUE_UDP)
    least = np.where(is_udp, LEAST_UDP, LEAST_TCP)
    least[flows.kind == Kind.DNS] = 2
    spare = total - int(least.sum())
    if spare < 0:
        raise ValueError(f"packets: expected at least {least.sum()} for these flows, got {total}")
    weight = np.where(flows.kind == Kind.DNS, 0, flows.weight)
    edges = np.floor(np.cumsum(weight) / weight.sum() * spare).astype(np.int64)
    edges[weight.nonzero()[0][-1] :] = spare
    return least + np.diff(edges, prepend=0)


def _running(values: np.ndarray, at: Positions) -> np.ndarray:
    """The sum of the values before each row, within its flow."""
    before = np.cumsum(values, dtype=np.int64) - values
    return before - before[at.first][at.flow]


def _bulk(rng: np.random.Generator, flows: Flows, flow: np.ndarray) -> tuple[np.ndarray, ...]:
    """Direction and payload bytes of packets in the middle of a flow.

    Of ten packets about six carry a full payload, one a partial one, two and a half
    acknowledge in the other direction, the rest are small messages that way.
    """
    rows = len(flow)
    is_udp = np.isin(flows.kind, (Kind.QUIC, Kind.OPAQUE_UDP))[flow]
    lot = rng.random(rows, np.float32)
    is_bulk = lot < 0.70
    is_up = (rng.random(rows, np.float32) < flows.up_share[flow]) == is_bulk
    full = np.where(is_udp, DATAGRAM, SEGMENT)
    size = np.where(lot < 0.62, full, rng.integers(40, 1_200, rows, np.int32))
    size = np.where(lot >= 0.70, np.where(is_udp, 34, 0), size)
    small = rng.integers(50, 500, rows, np.int32)
    is_small = (lot >= 0.95) & (flows.kind[flow] != Kind.HTTP)  # one request, one body
    size = np.where(is_small, small, size).astype(np.int32)
    return is_up, np.where(flows.kind[flow] == Kind.OPAQUE_UDP, np.minimum(size, 172), size)


def _gaps(rng: np.random.Generator, flows: Flows, at: Positions) -> np.ndarray:
    """Microseconds between a packet and the next one of its flow.

    Openings take half a round trip a packet. Later packets come in bursts with pauses,
    scaled so that a flow lasts as long as planned.
    """
    rows = len(at.flow)
    raw = rng.standard_exponential(rows, np.float32)
    raw *= np.where(rng.random(rows, np.float32) < BURST_ENDS, PAUSE, 1)
    raw[at.place < OPENING - 1] = 0
    raw[at.from_end == 0] = 1  # so that no sum is zero; nothing follows it
    total = np.bincount(at.flow, raw, len(at.counts))
    scale = np.maximum(flows.duration - 3 * flows.round_trip, 1_000) / total
    gaps = np.maximum((raw * scale[at.flow]).astype(np.int64), 1)
    return np.where(at.place < OPENING - 1, flows.round_trip[at.flow] // 2, gaps)


def _roles(flows: Flows, lengths: np.ndarray, at: Positions) -> np.ndarray:
    """Which message each packet carries, or `NO_BODY`."""
    kind = flows.kind[at.flow]
    has_handshake = np.isin(kind, (Kind.TLS, Kind.HTTP))
    slot = np.full(len(at.flow), NO_BODY)
    for place, message in ((3, 0), (4, 1), (5, 2)):
        slot[has_handshake & (at.place == place)] = message
    slot[np.isin(kind, (Kind.QUIC, Kind.DNS)) & (at.place == 0)] = 0
    slot[(kind == Kind.DNS) & (at.from_end == 0)] = 2
    body = np.where(slot == NO_BODY, NO_BODY, 3 * at.flow + slot)
    return np.where(lengths[body] == 0, NO_BODY, body).astype(np.int32)


def _is_tcp(flows: Flows, at: Positions) -> np.ndarray:
    """Whether each packet belongs to a TCP flow."""
    return np.isin(flows.kind, (Kind.TLS, Kind.HTTP, Kind.OPAQUE_TCP))[at.flow]


def _directions(
    flows: Flows, at: Positions, bulk_up: np.ndarray, *, has_body: np.ndarray
) -> np.ndarray:
    """Whether the phone sent each packet: an opening and an ending around the bulk."""
    is_tcp = _is_tcp(flows, at)
    opens_up = np.isin(at.place, (0, 2, 3)) | ((at.place == 4) & has_body)
    is_up = np.where(at.place < 2, at.place == 0, bulk_up)
    is_up = np.where(is_tcp & (at.place < OPENING), opens_up, is_up)
    return np.where(is_tcp & (at.from_end < 3), at.from_end != 1, is_up)


def _sizes(
    flows: Flows, at: Positions, bulk: np.ndarray, sent: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Payload bytes of each packet; `sent` is its message, and the length of each message."""
    body, lengths = sent
    has_body = body != NO_BODY
    is_bare = (at.place < 3) | (at.from_end < 3) | ((at.place == 4) & ~has_body)
    size = np.where(has_body, lengths[body], bulk)
    return np.where(_is_tcp(flows, at) & is_bare, 0, size).astype(np.int32)


def _flags(is_tcp: np.ndarray, at: Positions, size: np.ndarray) -> np.ndarray:
    """TCP flags of each packet."""
    flags = np.where(is_tcp, ACK, 0)
    flags[is_tcp & (size > 0)] |= PUSH
    flags[is_tcp & (at.place == 0)] = SYN
    flags[is_tcp & (at.place == 1)] |= SYN
    flags[is_tcp & ((at.from_end == 1) | (at.from_end == 2))] |= FIN
    return flags.astype(np.uint8)


def _numbers(
    rng: np.random.Generator, at: Positions, is_up: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sequence and acknowledgement numbers, for `used` numbers a packet, modulo 2**32."""
    started = rng.integers(0, 1 << 32, (2, len(at.counts)))
    up = started[0][at.flow] + _running(np.where(is_up, used, 0), at)
    down = started[1][at.flow] + _running(np.where(is_up, 0, used), at)
    seq, ack = np.where(is_up, up, down), np.where(is_up, down, up)
    return (seq & 0xFFFFFFFF).astype(np.uint32), (ack & 0xFFFFFFFF).astype(np.uint32)


def _openings(kind: np.ndarray, place: np.ndarray, size: np.ndarray) -> np.ndarray:
    """What payloads from the pool begin with, so that they look like their protocol."""
    opening = np.full(len(kind), OPEN, np.uint8)
    opening[(kind == Kind.TLS) & (size > 5)] = PLAIN_RECORD
    opening[(kind == Kind.QUIC) & (place > 2)] = SHORT_HEADER
    opening[(kind == Kind.QUIC) & (place <= 2)] = LONG_HEADER
    return opening


def _shuffled(rng: np.random.Generator, packets: Packets, place: np.ndarray) -> np.ndarray:
    """The times, with a few pairs of neighbours of a direction swapped on the way."""
    is_data = (packets.size > 0) & (place >= OPENING)
    is_pair = is_data[:-1] & is_data[1:] & (packets.flow[:-1] == packets.flow[1:])
    is_pair &= packets.is_up[:-1] == packets.is_up[1:]
    picked = (is_pair & (rng.random(len(is_pair), np.float32) < OUT_OF_ORDER)).nonzero()[0]
    picked = picked[np.diff(picked, prepend=-2) > 1]
    time = packets.time.copy()
    time[picked], time[picked + 1] = packets.time[picked + 1], packets.time[picked]
    return time


def _with_retransmissions(
    rng: np.random.Generator, flows: Flows, packets: Packets, extra: int
) -> Packets:
    """The packets and copies of some of them, a round trip and a half later."""
    candidates = ((packets.flags != 0) & (packets.size > 0)).nonzero()[0]
    picked = rng.choice(candidates, extra, replace=extra > len(candidates))
    rows = np.concatenate([np.arange(len(packets.time)), picked])
    time = packets.time[rows]
    time[len(packets.time) :] += flows.round_trip[packets.flow[picked]] * 3 // 2
    return replace(packets.take(rows), time=time)


def _in_flow_order(
    rng: np.random.Generator, flows: Flows, at: Positions, bodies: list[bytes]
) -> Packets:
    """The packets of each flow as they were sent, flow after flow."""
    lengths = np.array([len(message) for message in bodies])
    body = _roles(flows, lengths, at)
    bulk_up, bulk_size = _bulk(rng, flows, at.flow)
    is_tcp = _is_tcp(flows, at)
    is_up = _directions(flows, at, bulk_up, has_body=body != NO_BODY)
    size = _sizes(flows, at, bulk_size, (body, lengths))
    flags = _flags(is_tcp, at, size)
    seq, ack = _numbers(rng, at, is_up, size + ((flags & (SYN | FIN)) != 0))
    return Packets(
        time=flows.start[at.flow] + _running(_gaps(rng, flows, at), at),
        flow=at.flow,
        is_up=is_up,
        size=size,
        seq=np.where(is_tcp, seq, 0),
        ack=np.where(flags & ACK, ack, 0),
        flags=flags,
        body=body,
        source=rng.integers(0, POOL - 2 * SEGMENT, len(at.flow), np.int32),
        opening=_openings(flows.kind[at.flow], at.place, size),
    )


def draw_packets(seed: int, flows: Flows, total: int, bodies: list[bytes]) -> Packets:
    """All packets of a capture in the order of time.

    Args:
        seed: the same seed gives the same packets.
        flows: from `draw_flows`.
        total: how many packets, retransmissions included.
        bodies: from `messages`.

    Raises:
        ValueError: there are too few packets for so many flows.
    """
    rng = np.random.default_rng([seed, 3])
    extra = round(total * RETRANSMITTED)
    at = _positions(_counts(flows, total - extra))
    packets = _in_flow_order(rng, flows, at, bodies)
    packets = replace(packets, time=_shuffled(rng, packets, at.place))
    packets = _with_retransmissions(rng, flows, packets, extra)
    return packets.take(np.argsort(packets.time, kind="stable"))
