"""Kernels that add up what TLS and QUIC send by kind: handshake, application data, keep-alive.

Of TLS the record headers say it (RFC 8446, section 5.1), as long as the stream comes in order;
where it does not, or a header was not captured, nothing more of the direction is counted. TLS 1.3
sends the end of its handshake as application data. Of QUIC, packets with a long header are its
handshake (RFC 9000, section 17.2), and their datagrams count for it as a whole.
"""

import numpy as np

from phonehome.captures.kernels.layout import (
    CONVERSATION_HALF,
    HALF_HAS,
    HALF_WIDTH,
    KIND_APPLICATION,
    KIND_HANDSHAKE,
    KIND_KEEP_ALIVE,
    KIND_PARTIAL,
    KINDS,
    KINDS_WIDTH,
)
from phonehome.captures.kernels.machine_code import part

HEADER = 5
MAJOR = 3
FIRST_TYPE, LAST_TYPE, APPLICATION, HEARTBEAT = 20, 24, 23, 24
LONGEST = 18_432
LOST = np.int64(1)
SHIFT = 40
"""A header that is cut by the end of a segment: how many of its octets are here, above them."""


@part
def count_datagram(state, side, data, begin, payload):
    """Add a datagram that may be of QUIC's handshake; all others are application data."""
    if data[begin] & 0x80:
        state[KINDS + side * KINDS_WIDTH + KIND_HANDSHAKE] += payload


@part
def _add_record(state, at, header):
    """Add the record with this header: bytes of it, 0 where it cannot be one."""
    kind, version, length = header >> 32, header >> 16 & 0xFFFF, header & 0xFFFF
    if kind < FIRST_TYPE or kind > LAST_TYPE or version >> 8 != MAJOR or length > LONGEST:
        return np.int64(0)
    whole = HEADER + length
    if kind == APPLICATION:
        state[at + KIND_APPLICATION] += whole
    elif kind == HEARTBEAT:
        state[at + KIND_KEEP_ALIVE] += whole
    else:
        state[at + KIND_HANDSHAKE] += whole
    return whole


@part
def count_records(state, side, data, begin, end, position, payload):
    """Add the records that begin in a segment of a TCP stream.

    `begin` and `end` enclose what was captured of its payload, `position` is that of the first
    octet in the stream.
    """
    half = CONVERSATION_HALF + side * HALF_WIDTH
    record, stop = state[half + HALF_HAS] - 2, position + payload
    if record < 0 or record >= stop:  # lost, or all of it is inside a record
        return
    at = KINDS + side * KINDS_WIDTH
    partial = state[at + KIND_PARTIAL]
    while record + (partial >> SHIFT) < stop:
        place = record + (partial >> SHIFT)
        if place < position:  # something before this segment is missing
            return
        if place - position >= end - begin:
            state[half + HALF_HAS] = LOST
            return
        count = (partial >> SHIFT) + 1
        octets = (partial & (1 << SHIFT) - 1) << 8 | np.int64(data[begin + place - position])
        partial = count << SHIFT | octets
        if count == HEADER:
            whole = _add_record(state, at, octets)
            if whole == 0:
                state[half + HALF_HAS] = LOST
                return
            record += whole
            partial = np.int64(0)
    state[half + HALF_HAS] = record + 2
    state[at + KIND_PARTIAL] = partial
