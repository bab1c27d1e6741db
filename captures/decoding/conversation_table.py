# Held by tests/captures/kernels/test_packet_loop.py: turns kernel state into a table.
"""State of the compiled loop as the conversations table: who talked to whom."""

import socket

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.captures.kernels.first_round_trips import OPENER
from phonehome.captures.kernels.layout import (
    CONVERSATION_FIRST,
    CONVERSATION_HALF,
    CONVERSATION_KEY,
    CONVERSATION_OPENER,
    CONVERSATION_REST,
    HALF_HEAD_LENGTH,
    HALF_MAC,
    HALF_WIDTH,
    KEY_WIDTH,
    KIND_APPLICATION,
    KIND_HANDSHAKE,
    KIND_KEEP_ALIVE,
    KINDS,
    KINDS_WIDTH,
    REST_HEAD,
    REST_WIDTH,
    TRIP_ACKNOWLEDGED,
    TRIP_ANSWERED,
    TRIP_HANDSHAKE,
    TRIP_HOP_LIMIT,
)
from phonehome.captures.tables import Conversations
from phonehome.captures.words import PROTOCOLS

IPV4 = 4
OPENERS = pl.Series([None, "a", "b"], dtype=pl.String)
TRIPS = {
    "handshake": TRIP_HANDSHAKE,
    "acknowledged": TRIP_ACKNOWLEDGED,
    "answered": TRIP_ANSWERED,
}
KINDS_OF = {
    "handshake": KIND_HANDSHAKE,
    "application": KIND_APPLICATION,
    "keep_alive": KIND_KEEP_ALIVE,
}
TCP, UDP, SCTP, UDPLITE = 6, 17, 132, 136


def conversations_table(states: NDArray[np.int64]) -> dy.DataFrame[Conversations]:
    """One row per conversation, in order of first packet; see `layout` for the array."""
    first = states[:, CONVERSATION_FIRST]
    keys = states[:, CONVERSATION_KEY : CONVERSATION_KEY + KEY_WIDTH].astype(np.uint64)
    meta = keys[:, 4]
    version, protocol = (meta >> np.uint64(48)), (meta >> np.uint64(32)) & np.uint64(0xFFFF)
    ports = np.stack([meta >> np.uint64(16), meta]).astype(np.uint16).astype(np.int64)
    has_ports = np.isin(protocol, (TCP, UDP, UDPLITE))
    rows = np.arange(len(first))
    opener = states[:, CONVERSATION_OPENER] & OPENER
    columns: dict[str, object] = {
        "conversation": rows.astype(np.int32),
        "protocol": _protocol_names(protocol),
        "opener": OPENERS.gather(_opener_end(opener, first)),
    }
    for name, place in TRIPS.items():
        taken = pl.Series(states[:, place].copy())
        columns[name] = taken.set(taken == 0, None).cast(pl.Duration("ns"))
    hops = pl.Series(states[:, TRIP_HOP_LIMIT].copy())
    columns["handshake_hop_limit"] = hops.set(hops == 0, None)
    for name, end in (("a", first), ("b", 1 - first)):
        half = CONVERSATION_HALF + end * HALF_WIDTH
        rest = CONVERSATION_REST + end * REST_WIDTH
        high, low = keys[rows, 2 * end], keys[rows, 2 * end + 1]
        columns[f"{name}_address"] = _addresses(version, high, low)
        columns[f"{name}_port"] = pl.Series(ports[end, rows]).set(pl.Series(~has_ports), None)
        columns[f"{name}_mac"] = _macs(states[rows, half + HALF_MAC])
        kinds = KINDS + end * KINDS_WIDTH
        for kind, place in KINDS_OF.items():
            columns[f"{name}_{kind}_bytes"] = states[rows, kinds + place]
        columns[f"{name}_head"] = _heads(
            states[rows[:, None], rest[:, None] + REST_HEAD + np.arange(2)],
            states[rows, half + HALF_HEAD_LENGTH],
        )
    schema = Conversations.create_empty().schema
    return Conversations.validate(
        pl.DataFrame({name: columns[name] for name in schema}, schema_overrides=schema)
    )


def _opener_end(opener: NDArray[np.int64], first: NDArray[np.int64]) -> NDArray[np.int64]:
    """0: nobody, 1: a, 2: b."""
    return np.where(opener == 0, 0, np.where(opener - 1 == first, 1, 2))


def _protocol_names(numbers: NDArray[np.uint64]) -> pl.Series:
    known, places = np.unique(numbers, return_inverse=True)
    names = [PROTOCOLS.get(number, str(number)) for number in known.tolist()]
    return pl.Series(names, dtype=pl.String).gather(places)


def _addresses(
    version: NDArray[np.uint64], high: NDArray[np.uint64], low: NDArray[np.uint64]
) -> pl.Series:
    """Addresses as text in their usual short form (RFC 5952 for IPv6)."""
    is_four = version == IPV4
    places = np.empty(len(version), dtype=np.int64)
    fours, places[is_four] = np.unique(low[is_four], return_inverse=True)
    pairs = np.stack([high[~is_four], low[~is_four]], axis=1)
    sixes, rows = np.unique(pairs, axis=0, return_inverse=True)
    places[~is_four] = rows.reshape(-1) + len(fours)
    texts = [socket.inet_ntop(socket.AF_INET, number.to_bytes(4)) for number in fours.tolist()]
    texts += [
        socket.inet_ntop(socket.AF_INET6, (first << 64 | last).to_bytes(16))
        for first, last in sixes.tolist()
    ]
    return pl.Series(texts, dtype=pl.String).gather(places)


def _macs(numbers: NDArray[np.int64]) -> pl.Series:
    known, places = np.unique(numbers, return_inverse=True)
    texts = [None if number < 0 else number.to_bytes(6).hex(":") for number in known.tolist()]
    return pl.Series(texts, dtype=pl.String).gather(places)


def _heads(parts: NDArray[np.int64], lengths: NDArray[np.int64]) -> list[bytes | None]:
    octets = np.ascontiguousarray(parts).astype(">i8").tobytes()
    return [
        octets[16 * row : 16 * row + length] if length else None
        for row, length in enumerate(lengths.tolist())
    ]
