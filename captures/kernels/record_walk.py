# Held by tests/captures/files/test_containers.py: kernels that find records.
"""Kernels that walk a window of a capture from record to record, without looking inside.

Each returns how far it got, how many records it found, and why it came back (`layout.WALK_*`).
The window may end anywhere: a record that is not whole is left for the next window.
"""

import numpy as np

from phonehome.captures.kernels.layout import (
    INTERFACE_BROKEN_OPTIONS,
    INTERFACE_DROPS,
    INTERFACE_OFFSET,
    INTERFACE_RESOLUTION,
    INTERFACE_SNAPLEN,
    NO_TIME,
    RECORD_AT,
    RECORD_CAPTURED,
    RECORD_DIRECTION,
    RECORD_INTERFACE,
    RECORD_OPTIONS,
    RECORD_OPTIONS_END,
    RECORD_ORDER,
    RECORD_ORIGINAL,
    RECORD_TIME,
    WALK_BAD,
    WALK_FULL,
    WALK_MORE,
    WALK_SPECIAL,
)
from phonehome.captures.kernels.machine_code import compiled, part

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
PACKET_BLOCK = 2
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
OPTION_END = 0
OPTION_FLAGS = 2
OPTION_DROPS = 4
MOST_DROPS = 1 << 48  # nobody counted more; all ones stand for "not known"
DROPS_UNKNOWN = 0xFFFF  # of the obsolete packet block

LENGTHS_AS_STATED, LENGTHS_IN_DOUBT, LENGTHS_SWAPPED = 0, 1, 2  # of a pcap record
SNOOP_RECORD = 24
BIG = True

BILLION = 1_000_000_000
HIGHEST_SECOND = 9_223_372_035  # more seconds do not fit into 64 bits of nanoseconds


@part
def u16(data, at, is_big):
    """The two octets at a place, as a number."""
    first, second = np.int64(data[at]), np.int64(data[at + 1])
    return first << 8 | second if is_big else second << 8 | first


@part
def u32(data, at, is_big):
    """The four octets at a place, as a number."""
    first, second = u16(data, at, is_big), u16(data, at + 2, is_big)
    return first << 16 | second if is_big else second << 16 | first


@compiled(results=3)
def pcap_records(data, end, records, is_big, is_nano, header_bytes, lengths, record_limit):
    """Records of a pcap window: (position, count, why).

    The length captured stands before the original one, or behind it, or it is the shorter one.
    Times are seconds and a fraction, unsigned; a fraction of a second or more is kept as it is.
    Zero is what tools write that know no time.
    """
    at, count = 0, 0
    while at + header_bytes <= end:
        if count == records.shape[0]:
            return at, count, WALK_FULL
        captured, original = u32(data, at + 8, is_big), u32(data, at + 12, is_big)
        if lengths == LENGTHS_SWAPPED or (lengths == LENGTHS_IN_DOUBT and captured > original):
            captured, original = original, captured
        if captured > record_limit:
            return at, count, WALK_BAD
        if at + header_bytes + captured > end:
            break
        fraction = u32(data, at + 4, is_big)
        record = records[count]
        record[RECORD_AT] = at + header_bytes
        record[RECORD_CAPTURED] = captured
        record[RECORD_ORIGINAL] = original
        time = u32(data, at, is_big) * BILLION + (fraction if is_nano else fraction * 1000)
        record[RECORD_TIME] = time or NO_TIME
        record[RECORD_INTERFACE] = 0
        record[RECORD_DIRECTION] = 0
        record[RECORD_OPTIONS] = 0
        record[RECORD_OPTIONS_END] = 0
        count += 1
        at += header_bytes + captured
    return at, count, WALK_MORE


@part
def nanoseconds(high, low, resolution, offset):
    """Time stamp of 64 bits, in units of a pcapng resolution, as ns; NO_TIME beyond 64 bits.

    A time before 1970 is none: no packet was captured then.
    """
    stamp = np.uint64(high) << np.uint64(32) | np.uint64(low)
    exponent = resolution & 0x7F
    if resolution & 0x80:
        if exponent > 63:
            return NO_TIME
        shift = np.uint64(exponent)
        seconds = np.int64(stamp >> shift)
        rest = stamp & ((np.uint64(1) << shift) - np.uint64(1))
        if exponent > 30:
            rest >>= np.uint64(exponent - 30)
            shift = np.uint64(30)
        nanos = np.int64((rest * np.uint64(BILLION)) >> shift)
    else:
        if exponent > 19:
            return NO_TIME
        unit = np.uint64(1)
        for _ in range(exponent):
            unit *= np.uint64(10)
        seconds = np.int64(stamp // unit)
        rest = stamp % unit
        for _ in range(exponent, 9):
            rest *= np.uint64(10)
        for _ in range(9, exponent):
            rest //= np.uint64(10)
        nanos = np.int64(rest)
    if seconds < 0 or seconds > HIGHEST_SECOND or not -HIGHEST_SECOND < offset < HIGHEST_SECOND:
        return NO_TIME
    seconds += offset
    if seconds < 0 or seconds > HIGHEST_SECOND:
        return NO_TIME
    return seconds * BILLION + nanos


@part
def lost(interfaces, interface, drops):
    """Count packets that were lost on an interface; a number that none can be is let be."""
    if 0 <= drops < MOST_DROPS:
        known = max(interfaces[interface, INTERFACE_DROPS], 0)
        interfaces[interface, INTERFACE_DROPS] = min(known + drops, MOST_DROPS)


@part
def packet_options(data, record, interfaces, interface):
    """Read the options of a packet block that say something of every packet, up to one that breaks.

    The direction of the packet: 0 nothing, 1 inbound, 2 outbound; and how many were lost before
    it. What says who owns the packet is read later, in `tags`.
    """
    at, end = record[RECORD_OPTIONS], record[RECORD_OPTIONS_END]
    is_big = record[RECORD_ORDER] != 0
    while at + 4 <= end:
        code, length = u16(data, at, is_big), u16(data, at + 2, is_big)
        value = at + 4
        if code == OPTION_END:
            return
        if value + length > end:
            interfaces[interface, INTERFACE_BROKEN_OPTIONS] += 1
            return
        if code == OPTION_FLAGS and length == 4:
            flags = u32(data, value, is_big) & 3
            if record[RECORD_DIRECTION] == 0 and flags < 3:
                record[RECORD_DIRECTION] = flags
        elif code == OPTION_DROPS and length == 8:
            first, second = u32(data, value, is_big), u32(data, value + 4, is_big)
            high, low = (first, second) if is_big else (second, first)
            if high < MOST_DROPS >> 32:
                lost(interfaces, interface, high << 32 | low)
        at = value + (length + 3 & ~3)


@compiled(results=3)
def pcapng_blocks(data, end, records, interfaces, is_big, block_limit):
    """Records of a pcapng window: (position, count, why).

    Stops at every block that holds no packet, for Python to read. A packet of an unknown
    interface is a record of interface -1.
    """
    at, count = 0, 0
    while at + 12 <= end:
        if count == records.shape[0]:
            return at, count, WALK_FULL
        kind = u32(data, at, is_big)
        if kind == SECTION_HEADER:
            return at, count, WALK_SPECIAL
        length = u32(data, at + 4, is_big)
        if length < 12 or length > block_limit:
            return at, count, WALK_BAD
        padded = length + 3 & ~3
        if at + padded > end:
            break
        if u32(data, at + padded - 4, is_big) != length:
            return at, count, WALK_BAD
        if kind != ENHANCED_PACKET and kind != SIMPLE_PACKET and kind != PACKET_BLOCK:
            return at, count, WALK_SPECIAL
        record = records[count]
        record[RECORD_DIRECTION] = 0
        record[RECORD_OPTIONS] = 0
        record[RECORD_OPTIONS_END] = 0
        if kind == SIMPLE_PACKET:
            if length < 16:
                return at, count, WALK_BAD
            original = u32(data, at + 8, is_big)
            interface, body, captured = 0, at + 12, min(original, length - 16)
            if interfaces.shape[0] and interfaces[0, INTERFACE_SNAPLEN]:
                captured = min(captured, interfaces[0, INTERFACE_SNAPLEN])
            time = NO_TIME
        else:
            if length < 32:
                return at, count, WALK_BAD
            interface = (
                u32(data, at + 8, is_big) if kind == ENHANCED_PACKET else u16(data, at + 8, is_big)
            )
            captured, original = u32(data, at + 20, is_big), u32(data, at + 24, is_big)
            body = at + 28
            if captured > length - 32:
                return at, count, WALK_BAD
            time = NO_TIME
            if interface < interfaces.shape[0]:
                time = nanoseconds(
                    u32(data, at + 12, is_big),
                    u32(data, at + 16, is_big),
                    interfaces[interface, INTERFACE_RESOLUTION],
                    interfaces[interface, INTERFACE_OFFSET],
                )
            record[RECORD_OPTIONS] = body + (captured + 3 & ~3)
            record[RECORD_OPTIONS_END] = at + padded - 4
            record[RECORD_ORDER] = 1 if is_big else 0
            if interface < interfaces.shape[0]:
                packet_options(data, record, interfaces, interface)
                if kind == PACKET_BLOCK:
                    drops = u16(data, at + 10, is_big)
                    if drops != DROPS_UNKNOWN:
                        lost(interfaces, interface, drops)
        record[RECORD_AT] = body
        record[RECORD_CAPTURED] = captured
        record[RECORD_ORIGINAL] = original
        record[RECORD_TIME] = time or NO_TIME
        record[RECORD_INTERFACE] = interface if interface < interfaces.shape[0] else -1
        count += 1
        at += padded
    return at, count, WALK_MORE


@compiled(results=3)
def snoop_records(data, end, records, interfaces, record_limit):
    """Records of a snoop window (RFC 1761, section 4): (position, count, why).

    Each says how many packets were lost since the begin; the highest of these stays.
    """
    at, count = 0, 0
    while at + SNOOP_RECORD <= end:
        if count == records.shape[0]:
            return at, count, WALK_FULL
        captured, length = u32(data, at + 4, BIG), u32(data, at + 8, BIG)
        if captured > record_limit or not captured <= length - SNOOP_RECORD <= record_limit + 8:
            return at, count, WALK_BAD
        if at + length > end:
            break
        record = records[count]
        record[RECORD_AT] = at + SNOOP_RECORD
        record[RECORD_CAPTURED] = captured
        record[RECORD_ORIGINAL] = u32(data, at, BIG)
        time = u32(data, at + 16, BIG) * BILLION + u32(data, at + 20, BIG) * 1000
        record[RECORD_TIME] = time or NO_TIME
        record[RECORD_INTERFACE] = 0
        record[RECORD_DIRECTION] = 0
        record[RECORD_OPTIONS] = 0
        record[RECORD_OPTIONS_END] = 0
        drops = u32(data, at + 12, BIG)
        interfaces[0, INTERFACE_DROPS] = max(interfaces[0, INTERFACE_DROPS], drops)
        count += 1
        at += length
    return at, count, WALK_MORE
