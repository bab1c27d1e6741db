"""Frames as bytes: Ethernet, IPv4 or IPv6, TCP or UDP headers, and the payload behind them.

Headers are made for many packets at once, one row each; the few different layouts are
made one after the other.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.packets import (
    LONG_HEADER,
    NO_BODY,
    PLAIN_RECORD,
    POOL,
    SHORT_HEADER,
    SYN,
    Packets,
)
from benchmarks.plan import Flows

ETHERNET = 14
PHONE_MAC = bytes.fromhex("02a1b2c3d4e5")
ROUTER_MAC = bytes.fromhex("02005e000001")
PHONE_V4 = bytes([192, 168, 43, 17])
PHONE_V6 = bytes.fromhex("24098a001e0246a1000000fffe3c4d5e")
TCP, UDP = 6, 17
PLAIN_OPTIONS = bytes.fromhex("0101080a") + bytes(8)  # timestamps
SYN_OPTIONS = bytes.fromhex("0204056c0402080a") + bytes(8) + bytes.fromhex("01030308")
OPENINGS = {
    PLAIN_RECORD: b"\x17\x03\x03",
    SHORT_HEADER: b"\x45",
    LONG_HEADER: b"\xe0\x00\x00\x00\x01\x00\x08",
}


@dataclass(frozen=True, slots=True)
class Payloads:
    """Where payloads come from: whole messages, and a pool of random bytes."""

    bodies: list[bytes]
    pool: bytes


def payload_sources(seed: int, bodies: list[bytes]) -> Payloads:
    """The messages, beside a pool of random bytes from the seed."""
    return Payloads(bodies, np.random.default_rng([seed, 4]).bytes(POOL))


def header_sizes(flows: Flows, packets: Packets) -> np.ndarray:
    """Bytes before the payload of each packet, link header included."""
    network = np.where(flows.is_v6[packets.flow], 40, 20)
    transport = np.where(packets.flags == 0, 8, np.where(packets.flags & SYN, 40, 32))
    return ETHERNET + network + transport


def _put(rows: np.ndarray, column: int, values: np.ndarray, width: int) -> None:
    """Write a number per row in network order."""
    for place in range(width):
        rows[:, column + place] = (values >> (8 * (width - 1 - place))) & 0xFF


def _put_ends(rows: np.ndarray, column: int, ends: tuple[np.ndarray, bytes, np.ndarray]) -> None:
    """Write source and destination side by side: the phone first on the way up."""
    is_up, phone, remote = ends
    width = len(phone)
    local = np.broadcast_to(np.frombuffer(phone, np.uint8), (len(rows), width))
    up = is_up[:, None]
    rows[:, column : column + width] = np.where(up, local, remote)
    rows[:, column + width : column + 2 * width] = np.where(up, remote, local)


def _put_checksum(rows: np.ndarray) -> None:
    """Write the checksum of the IPv4 headers (RFC 1071); those of TCP and UDP are not computed."""
    words = rows[:, ETHERNET : ETHERNET + 20].astype(np.int64)
    total = (words[:, 0::2] * 256 + words[:, 1::2]).sum(axis=1)
    for _ in range(2):
        total = (total & 0xFFFF) + (total >> 16)
    _put(rows, ETHERNET + 10, total ^ 0xFFFF, 2)


def _put_network(rows: np.ndarray, flows: Flows, packets: Packets, *, is_v6: bool) -> None:
    """Write Ethernet and IP headers."""
    remote = flows.addresses[flows.remote[packets.flow]]
    inner = rows.shape[1] - ETHERNET + packets.size
    protocol = np.where(packets.flags == 0, UDP, TCP)
    hops = np.where(packets.is_up, 64, 49)
    rows[:, :6] = np.frombuffer(ROUTER_MAC, np.uint8)
    rows[:, 6:12] = np.frombuffer(PHONE_MAC, np.uint8)
    rows[~packets.is_up, :12] = np.frombuffer(PHONE_MAC + ROUTER_MAC, np.uint8)
    if is_v6:
        _put(rows, 12, np.full(len(rows), 0x86DD60), 3)
        _put(rows, ETHERNET + 4, inner - 40, 2)
        rows[:, ETHERNET + 6], rows[:, ETHERNET + 7] = protocol, hops
        _put_ends(rows, ETHERNET + 8, (packets.is_up, PHONE_V6, remote))
        return
    _put(rows, 12, np.full(len(rows), 0x080045), 3)
    _put(rows, ETHERNET + 2, inner, 2)
    _put(rows, ETHERNET + 4, packets.source, 2)  # any number will do
    rows[:, ETHERNET + 6] = 0x40  # do not fragment
    rows[:, ETHERNET + 8], rows[:, ETHERNET + 9] = hops, protocol
    _put_ends(rows, ETHERNET + 12, (packets.is_up, PHONE_V4, remote[:, :4]))
    _put_checksum(rows)


def _put_transport(rows: np.ndarray, column: int, flows: Flows, packets: Packets) -> None:
    """Write TCP or UDP headers from a column on."""
    local, remote = flows.local_port[packets.flow], flows.remote_port[packets.flow]
    _put(rows, column, np.where(packets.is_up, local, remote), 2)
    _put(rows, column + 2, np.where(packets.is_up, remote, local), 2)
    length = rows.shape[1] - column
    if length == 8:
        _put(rows, column + 4, packets.size + 8, 2)
        _put(rows, column + 6, packets.source | 1, 2)  # zero is illegal over IPv6
        return
    _put(rows, column + 4, packets.seq, 4)
    _put(rows, column + 8, packets.ack, 4)
    rows[:, column + 12], rows[:, column + 13] = length << 2, packets.flags
    _put(rows, column + 14, np.full(len(rows), 0xFFFF), 2)
    options = SYN_OPTIONS if length == 40 else PLAIN_OPTIONS
    rows[:, column + 20 :] = np.frombuffer(options, np.uint8)
    _put(rows, column + 20 + options.index(b"\x08\x0a") + 2, packets.time // 1_000, 4)


def _headers(flows: Flows, packets: Packets, width: int, *, is_v6: bool) -> np.ndarray:
    """The headers of packets that share a layout, one row each."""
    rows = np.zeros((len(packets.time), width), np.uint8)
    _put_network(rows, flows, packets, is_v6=is_v6)
    _put_transport(rows, ETHERNET + (40 if is_v6 else 20), flows, packets)
    return rows


def write_headers(out: np.ndarray, at: np.ndarray, flows: Flows, packets: Packets) -> None:
    """Write the headers of each packet into `out` from its offset on."""
    sizes = header_sizes(flows, packets)
    is_v6 = flows.is_v6[packets.flow]
    for width in np.unique(sizes).tolist():
        for family in (False, True):
            picked = ((sizes == width) & (is_v6 == family)).nonzero()[0]
            if len(picked):
                rows = _headers(flows, packets.take(picked), width, is_v6=family)
                out[at[picked][:, None] + np.arange(width)] = rows


def write_payloads(out: np.ndarray, at: np.ndarray, packets: Packets, sources: Payloads) -> None:
    """Write the payload of each packet into `out` from its offset on."""
    view, pool, bodies = memoryview(out), memoryview(sources.pool), sources.bodies
    columns = (at, packets.size, packets.body, packets.source)
    for start, size, body, source in zip(*(column.tolist() for column in columns), strict=True):
        if body == NO_BODY:
            view[start : start + size] = pool[source : source + size]
        else:
            view[start : start + size] = bodies[body]
    is_pooled = packets.body == NO_BODY
    for opening, text in OPENINGS.items():
        starts = at[is_pooled & (packets.opening == opening)]
        out[starts[:, None] + np.arange(len(text))] = np.frombuffer(text, np.uint8)
    records = is_pooled & (packets.opening == PLAIN_RECORD)
    inside = packets.size[records] - 5
    out[at[records] + 3], out[at[records] + 4] = inside >> 8, inside & 0xFF
