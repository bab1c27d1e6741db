"""Kernels that read what a tool wrote around a packet: which app owns it, which way it went.

Trailer of PCAPdroid, header of PKTAP, attributes of NFLOG, options of a pcapng block. What the
tool added is taken off the record, so that it counts nowhere. A tag is shipped as bytes when a
conversation gets its first one, and when it gets another one, a few times.
"""

import numpy as np

from phonehome.captures.kernels.cut_excerpts import cut_out
from phonehome.captures.kernels.excerpts import MARK, OWNER
from phonehome.captures.kernels.headers import NONE, kind, long_word, odd, word
from phonehome.captures.kernels.layout import (
    CONVERSATION_OWNER,
    COUNT_EXCERPTS,
    EXCERPT_CONVERSATION,
    EXCERPT_FRAME,
    EXCERPT_FROM_B,
    EXCERPT_INCARNATION,
    EXCERPT_KIND,
    EXCERPT_MESSAGE,
    EXCERPT_POSITION,
    EXCERPT_TIME,
    HEADER_AGAIN,
    HEADER_MARK_AT,
    HEADER_MARK_BYTES,
    HEADER_OUTBOUND,
    HEADER_TAG,
    HEADER_TAG_AT,
    HEADER_TAG_BYTES,
    HEADER_TAG_HASH,
    HEADER_TAG_VALUE,
    INTERFACE_PROCESSES,
    RECORD_AT,
    RECORD_CAPTURED,
    RECORD_INTERFACE,
    RECORD_OPTIONS,
    RECORD_OPTIONS_END,
    RECORD_ORDER,
    RECORD_ORIGINAL,
)
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.kernels.record_walk import OPTION_END, u16, u32

TAG_TRAILER, TAG_PKTAP, TAG_PKTAP2 = np.int64(1), np.int64(2), np.int64(3)
TAG_NFLOG, TAG_COMMENT, TAG_PROCESS = np.int64(4), np.int64(5), np.int64(6)
IS_MALFORMED, IS_CUT = np.int64(-1), np.int64(-2)  # instead of a link type
TAG_BYTES_LIMIT = np.int64(1024)
TAGS_BYTES = 2 * TAG_BYTES_LIMIT  # of what one packet may bring: a tag and a mark
TAGS_LIMIT = 4  # per conversation
HASH_BITS = 56
LITTLE = False  # byte order of PCAPdroid's check sum and of PKTAP

ETHERNET, RAW, NFLOG, PKTAP, PKTAP_USER = 1, np.int64(101), 239, 258, 149
TOOL_HEADER_CUT = kind("link", "tool_header_cut")
TOOL_HEADER_MALFORMED = kind("link", "tool_header_malformed")

TRAILER_MAGIC = 0x01072021
TRAILER_BYTES, FAKE_ETHERNET_BYTES = 32, 14
UNKNOWN_UID = 0xFFFFFFFF
TOOL_LINK_TYPES = frozenset((NFLOG, PKTAP, PKTAP_USER))
PKTAP_BYTES, PKTAP_LONGEST, PKTAP2_BYTES = np.int64(108), 2048, np.int64(40)
PKTAP_KNOWN_BYTES = 156
PKTAP_PACKET = 1
PKTAP_IN, PKTAP_OUT, PKTAP_AGAIN, PKTAP_VERSION_2 = 0x1, 0x2, 0x8000, 0x80000
NFLOG_BYTES = np.int64(4)
NFLOG_HEADER, NFLOG_PAYLOAD, NFLOG_UID, NFLOG_GID = 1, 9, 11, 14
HOOK_IN, HOOK_OUT = 1, 3
OPTION_COMMENT, OPTION_PROCESS, OPTION_EFFECTIVE_PROCESS = 1, 32769, 32771


@part
def crc32(data, at, end, table):
    """CRC-32 of some bytes (IEEE 802.3), eight at a time; `table` is `memory.crc_table`."""
    crc = np.int64(0xFFFFFFFF)
    while at + 8 <= end:
        crc ^= u32(data, at, LITTLE)
        crc = (
            table[7, crc & 255]
            ^ table[6, crc >> 8 & 255]
            ^ table[5, crc >> 16 & 255]
            ^ table[4, crc >> 24]
            ^ table[3, np.int64(data[at + 4])]
            ^ table[2, np.int64(data[at + 5])]
            ^ table[1, np.int64(data[at + 6])]
            ^ table[0, np.int64(data[at + 7])]
        )
        at += 8
    for i in range(at, end):
        crc = crc >> 8 ^ table[0, (crc ^ np.int64(data[i])) & 255]
    return crc ^ 0xFFFFFFFF


@part
def _tag(found, tag, at, length, value, hashed):
    """Note a tag; its hash is never zero, which stands for none."""
    found[HEADER_TAG] = tag
    found[HEADER_TAG_AT] = at
    found[HEADER_TAG_BYTES] = min(length, TAG_BYTES_LIMIT)
    found[HEADER_TAG_VALUE] = value
    found[HEADER_TAG_HASH] = hashed & (1 << HASH_BITS) - 1 | 1


@part
def _hashed(data, at, end, number):
    """FNV-1a of some bytes, going on from a number."""
    value = np.uint64(number)
    for i in range(at, end):
        value = (value ^ np.uint64(data[i])) * np.uint64(0x100000001B3)
    return np.int64(value)


@part
def _take(record, at, captured, original):
    """Make the record what the tool did not add; it stays within what the record was."""
    room = record[RECORD_ORIGINAL] - (at - record[RECORD_AT])
    record[RECORD_AT] = at
    record[RECORD_CAPTURED] = captured
    record[RECORD_ORIGINAL] = max(min(original, room), captured)


@part
def _trailer(data, record, found, crc_table):
    """Take PCAPdroid's trailer and fake Ethernet header off: whether they were there."""
    at, captured = record[RECORD_AT], record[RECORD_CAPTURED]
    if captured != record[RECORD_ORIGINAL] or captured < FAKE_ETHERNET_BYTES + TRAILER_BYTES + 20:
        return False
    for i in range(at, at + 12):
        if data[i]:
            return False
    end = at + captured - TRAILER_BYTES
    if long_word(data, end) != TRAILER_MAGIC:
        return False
    if crc32(data, at, end + 28, crc_table) != u32(data, end + 28, LITTLE):
        return False
    packet = at + FAKE_ETHERNET_BYTES
    claimed = word(data, packet + 2) if data[packet] >> 4 == 4 else word(data, packet + 4) + 40
    padding = end - packet - claimed
    length = claimed if 0 <= padding <= 3 else end - packet
    if long_word(data, end + 4) != UNKNOWN_UID:
        _tag(found, TAG_TRAILER, end + 4, np.int64(24), NONE, _hashed(data, end + 4, end + 28, 0))
    _take(record, packet, length, length)
    return True


@part
def _is_bare(data, record):
    """A whole IPv4 packet stands where an Ethernet header should: PCAPdroid had no room for it.

    Its length is that of the frame, its header sums up (RFC 1071), and where the ethertype
    would be stands none that is known.
    """
    at, captured = record[RECORD_AT], record[RECORD_CAPTURED]
    if captured < 20 or data[at] != 0x45 or word(data, at + 2) != record[RECORD_ORIGINAL]:
        return False
    total = NONE
    for i in range(10):
        total += word(data, at + 2 * i)
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    ethertype = word(data, at + 12)
    return total == 0xFFFF and ethertype != 0x0800 and ethertype != 0x86DD


@part
def _said_direction(found, flags, is_in, is_out):
    if flags & is_out:
        found[HEADER_OUTBOUND] = 2
    elif flags & is_in:
        found[HEADER_OUTBOUND] = 1


@part
def _malformed(found, needed, got):
    odd(found, TOOL_HEADER_MALFORMED, needed, got)
    return IS_MALFORMED


@part
def _cut(found, needed, got):
    odd(found, TOOL_HEADER_CUT, needed, got)
    return IS_CUT


@part
def _pktap(data, record, found):
    """Take a PKTAP header off: link type of what follows, or why there is none."""
    at, captured = record[RECORD_AT], record[RECORD_CAPTURED]
    if captured < PKTAP2_BYTES:
        return _cut(found, PKTAP2_BYTES, captured)
    flags = u32(data, at + 36, LITTLE)
    _said_direction(found, flags, PKTAP_IN, PKTAP_OUT)
    found[HEADER_AGAIN] = 1 if flags & PKTAP_AGAIN else 0
    if flags & PKTAP_VERSION_2:
        length, inner, tag = np.int64(data[at]), u16(data, at + 6, LITTLE), TAG_PKTAP2
        if length < PKTAP2_BYTES:
            return _malformed(found, PKTAP2_BYTES, length)
    else:
        length, inner, tag = u32(data, at, LITTLE), u32(data, at + 8, LITTLE), TAG_PKTAP
        if length < PKTAP_BYTES or length > PKTAP_LONGEST:
            return _malformed(found, PKTAP_BYTES, length)
        if u32(data, at + 4, LITTLE) != PKTAP_PACKET:
            return _malformed(found, NONE, u32(data, at + 4, LITTLE))
    if length > captured:
        return _cut(found, length, captured)
    known = min(length, PKTAP_KNOWN_BYTES)
    if tag == TAG_PKTAP:
        hashed = _hashed(data, at + 52, at + 73, 0)
        hashed = _hashed(data, at + 84, at + 105, hashed)
    else:
        hashed = _hashed(data, at + 28, at + 36, 0)
    _tag(found, tag, at, known if tag == TAG_PKTAP else length, NONE, hashed)
    _take(record, at + length, captured - length, record[RECORD_ORIGINAL] - length)
    return RAW if inner == 12 else inner


@part
def _nflog(data, record, found):
    """Take an NFLOG header off, and all attributes but the packet: as `_pktap`.

    Lengths and types are in the order of the machine that wrote them, which the first tells.
    """
    at, captured = record[RECORD_AT], record[RECORD_CAPTURED]
    if captured < NFLOG_BYTES + 4:
        return _cut(found, NFLOG_BYTES + 4, captured)
    place, end = at + NFLOG_BYTES, at + captured
    is_big = u16(data, place + 2, LITTLE) > 0xFF
    tag_at, tag_end = NONE, NONE
    while place + 4 <= end:
        length, attribute = u16(data, place, is_big), u16(data, place + 2, is_big)
        if length < 4:
            return _malformed(found, NFLOG_BYTES, length)
        if attribute == NFLOG_PAYLOAD:
            if tag_end:
                hashed = _hashed(data, tag_at, tag_end, 0)
                _tag(found, TAG_NFLOG, tag_at, tag_end - tag_at, NONE, hashed)
            _take(record, place + 4, min(length - 4, end - place - 4), length - 4)
            return RAW
        if place + length > end:
            return _cut(found, place + length - at, captured)
        if attribute == NFLOG_HEADER and length >= 8:
            hook = data[place + 6]
            if hook == HOOK_OUT:
                found[HEADER_OUTBOUND] = 2
            elif hook == HOOK_IN:
                found[HEADER_OUTBOUND] = 1
        elif (attribute == NFLOG_UID or attribute == NFLOG_GID) and length == 8:
            if tag_end == 0:
                tag_at = place
            if tag_end == 0 or tag_end == place:
                tag_end = place + 8
        place += length + 3 & ~3
    return _cut(found, place + 4 - at, captured)


@part
def _is_mark(data, at, length):
    """A comment marks a phase: it begins with `phase:`."""
    return (
        length >= 6
        and data[at] == 0x70
        and data[at + 1] == 0x68
        and data[at + 2] == 0x61
        and data[at + 3] == 0x73
        and data[at + 4] == 0x65
        and data[at + 5] == 0x3A
    )


@part
def _options(data, record, interfaces, interface, found):
    """Read a tag from the options of the packet's block: a comment, or a Darwin process."""
    at, end = record[RECORD_OPTIONS], record[RECORD_OPTIONS_END]
    is_big = record[RECORD_ORDER] != 0
    process = np.int64(-1)
    while at + 4 <= end:
        code, length = u16(data, at, is_big), u16(data, at + 2, is_big)
        if code == OPTION_END or at + 4 + length > end:
            break
        if code == OPTION_COMMENT and _is_mark(data, at + 4, length):
            found[HEADER_MARK_AT] = at + 4
            found[HEADER_MARK_BYTES] = min(length, TAG_BYTES_LIMIT)
        elif code == OPTION_COMMENT and found[HEADER_TAG] == 0 and length:
            kept = min(length, TAG_BYTES_LIMIT)
            hashed = _hashed(data, at + 4, at + 4 + kept, 0)
            _tag(found, TAG_COMMENT, at + 4, kept, NONE, hashed)
        elif length == 4 and (
            code == OPTION_EFFECTIVE_PROCESS or (code == OPTION_PROCESS and process < 0)
        ):
            process = u32(data, at + 4, is_big) + interfaces[interface, INTERFACE_PROCESSES]
        at += 4 + (length + 3 & ~3)
    if process >= 0 and found[HEADER_TAG] != TAG_PKTAP and found[HEADER_TAG] != TAG_PKTAP2:
        _tag(found, TAG_PROCESS, NONE, NONE, process, process << 1)


@part
def tool_header(data, record, interfaces, link_type, memory):
    """Read what a tool wrote around the packet, and take it off the record: the link type left.

    `IS_CUT` or `IS_MALFORMED` where a header that must be there cannot be read.
    """
    found = memory.found
    if link_type == ETHERNET:
        if record[RECORD_CAPTURED] >= 20:
            first = data[record[RECORD_AT]]
            if (first == 0 and _trailer(data, record, found, memory.crc_table)) or (
                first == 0x45 and _is_bare(data, record)
            ):
                link_type = RAW
    elif link_type == PKTAP or link_type == PKTAP_USER:
        link_type = _pktap(data, record, found)
    elif link_type == NFLOG:
        link_type = _nflog(data, record, found)
    if record[RECORD_OPTIONS_END] > record[RECORD_OPTIONS]:
        _options(data, record, interfaces, record[RECORD_INTERFACE], found)
    return link_type


@part
def note_mark(data, frame, time, memory, output):
    """Ship the comment of a packet that marks a phase."""
    found, counts = memory.found, memory.counts
    excerpt = output.excerpts[counts[COUNT_EXCERPTS]]
    excerpt[EXCERPT_FRAME] = frame
    excerpt[EXCERPT_TIME] = time
    excerpt[EXCERPT_CONVERSATION] = 0
    excerpt[EXCERPT_FROM_B] = 0
    excerpt[EXCERPT_KIND] = MARK
    excerpt[EXCERPT_INCARNATION] = 0
    excerpt[EXCERPT_MESSAGE] = 0
    excerpt[EXCERPT_POSITION] = 0
    at = found[HEADER_MARK_AT]
    cut_out(excerpt, output, counts, data, at, at + found[HEADER_MARK_BYTES])


@part
def note_owner(data, state, row, is_from_b, frame, time, memory, output):
    """Ship the packet's tag, if its conversation had none, or another one, up to a few."""
    found, counts = memory.found, memory.counts
    known = state[CONVERSATION_OWNER]
    hashed, times = known >> 4, known & 15
    if hashed == found[HEADER_TAG_HASH] or times >= TAGS_LIMIT:
        return
    state[CONVERSATION_OWNER] = found[HEADER_TAG_HASH] << 4 | times + 1
    excerpt = output.excerpts[counts[COUNT_EXCERPTS]]
    excerpt[EXCERPT_FRAME] = frame
    excerpt[EXCERPT_TIME] = time
    excerpt[EXCERPT_CONVERSATION] = row
    excerpt[EXCERPT_FROM_B] = is_from_b
    excerpt[EXCERPT_KIND] = OWNER
    excerpt[EXCERPT_INCARNATION] = 0
    excerpt[EXCERPT_MESSAGE] = found[HEADER_TAG]
    excerpt[EXCERPT_POSITION] = found[HEADER_TAG_VALUE]
    at = found[HEADER_TAG_AT]
    cut_out(excerpt, output, counts, data, at, at + found[HEADER_TAG_BYTES])
