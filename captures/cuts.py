"""Kernels that cut out the bytes that may hold a name, and the first bytes of each direction.

What a stream wants is decided at the begin of a message: a TLS ClientHello wants its record or
its whole handshake message, an HTTP request its head, DNS over TCP the stream's first part.
Anything else wants nothing.
"""

import numpy as np

from captures.compiled import part
from captures.excerpts import DATAGRAM, DNS_STREAM, QUIC, REQUEST_DATAGRAM, STREAM
from captures.headers import long_word, word
from captures.hellos import read_hello
from captures.layout import (
    CONVERSATION_FIRST,
    COUNT_EXCERPT_BYTES,
    COUNT_EXCERPTS,
    EXCERPT_CONVERSATION,
    EXCERPT_FRAME,
    EXCERPT_FROM_B,
    EXCERPT_INCARNATION,
    EXCERPT_KIND,
    EXCERPT_LENGTH,
    EXCERPT_MESSAGE,
    EXCERPT_NAME_AT,
    EXCERPT_NAME_LENGTH,
    EXCERPT_POSITION,
    EXCERPT_SHAPE,
    EXCERPT_START,
    EXCERPT_TIME,
    HALF_HEAD_LENGTH,
    HALF_WANTED,
    HEADER_PORT_FROM,
    HEADER_PORT_TO,
    REST_HEAD,
    REST_INCARNATION,
    REST_MESSAGE,
)
from captures.sequences import rest_of

DNS, SSDP, HTTPS = 53, 1900, 443
QUIC_V2 = 0x6B3343CF
MOST_INITIALS = 12  # datagrams per direction of a conversation that may begin a connection
HEAD_LIMIT = 16
HELLO_WAITS = 16_384  # of a stream whose begin is not there yet, this much is kept


@part
def keep_head(state, half, data, at, end):
    """Remember the first payload bytes of this direction."""
    length = min(HEAD_LIMIT, end - at)
    if state[half + HALF_HEAD_LENGTH] or length <= 0:
        return
    state[half + HALF_HEAD_LENGTH] = length
    for half_head in range(2):
        value = np.uint64(0)
        for i in range(8):
            octet = (
                np.uint64(data[at + half_head * 8 + i])
                if half_head * 8 + i < length
                else np.uint64(0)
            )
            value = value << np.uint64(8) | octet
        state[rest_of(half) + REST_HEAD + half_head] = np.int64(value)


@part
def is_client_hello(data, at, end):
    """A TLS record of type handshake begins here, with a ClientHello as far as can be seen."""
    return (
        at + 3 <= end
        and data[at] == 0x16
        and data[at + 1] == 3
        and data[at + 2] <= 4
        and (at + 6 > end or data[at + 5] == 1)
    )


@part
def is_http_request(data, at, end):
    """A request line may begin here: a word in capitals, a space, and something printable."""
    length = 0
    while length < 20 and at + length < end:
        octet = data[at + length]
        if octet == 0x20:
            return length >= 3 and at + length + 1 < end and data[at + length + 1] > 0x20
        if not (0x41 <= octet <= 0x5A or octet == 0x2D or octet == 0x5F):
            return False
        length += 1
    return False


@part
def _wanted_of_hello(data, at, end, limit):
    """Length of the record that holds the ClientHello; a bound where it takes more than one."""
    if at + 9 > end:
        return limit
    record = word(data, at + 3)
    message = np.int64(data[at + 6]) << 16 | word(data, at + 7)
    if message + 4 <= record:
        return min(record + 5, limit)
    return limit


@part
def _wanted_of_request(data, at, end, limit):
    """Length of the request head that begins here; a bound if its end is not in this piece."""
    for i in range(at, min(end, at + limit) - 3):
        if data[i] == 13 and data[i + 1] == 10 and data[i + 2] == 13 and data[i + 3] == 10:
            return i + 4 - at
    return limit


@part
def cut_out(row, output, counts, data, at, end):
    """Copy these bytes to the excerpts; the rest of the row is filled by the caller."""
    start = counts[COUNT_EXCERPT_BYTES]
    length = end - at
    for i in range(length):
        output.excerpt_data[start + i] = data[at + i]
    counts[COUNT_EXCERPT_BYTES] = start + length
    counts[COUNT_EXCERPTS] += 1
    row[EXCERPT_START] = start
    row[EXCERPT_LENGTH] = length
    row[EXCERPT_NAME_LENGTH] = -1
    row[EXCERPT_SHAPE] = 0


@part
def is_quic_begin(data, at, end):
    """A packet that begins a connection of QUIC may stand here: Initial, or Google's CHLO."""
    if at + 20 > end:
        return False
    first = data[at]
    if first & 0x80 == 0:  # Google's own header: version and connection ID are there
        return first & 0x09 == 0x09 and data[at + 9] == 0x51 and data[at + 10] == 0x30
    if first & 0x40 == 0:
        return False
    version, kind = long_word(data, at + 1), first >> 4 & 3
    if version == QUIC_V2:
        return kind == 1
    is_google = version >> 16 == 0x5130 or version >> 16 == 0x5430
    is_draft = version >> 8 == 0xFF0000 or version >> 8 == 0xFACEB0
    is_reserved = version & 0x0F0F0F0F == 0x0A0A0A0A
    return kind == 0 and (version == 1 or is_draft or is_google or is_reserved)


@part
def _is_initial(state, half, data, at, end, to_port, is_from_b):
    """Whether a datagram may begin a connection of QUIC, and not too many before it did.

    Of the end that did not send first only what goes to the port of HTTPS.
    """
    if (is_from_b and to_port != HTTPS) or not is_quic_begin(data, at, end):
        return False
    state[half + HALF_WANTED] += 1  # it begins at -1, and means the end of a message in TCP alone
    return state[half + HALF_WANTED] < MOST_INITIALS


@part
def cut_datagram(state, half, memory, output, data, at, end, packet):
    """Cut out a whole UDP payload if it is a DNS answer, a request of SSDP, or begins QUIC.

    `packet` is (frame, time, conversation, is_from_b).
    """
    counts, found = memory.counts, memory.found
    from_port, to_port = found[HEADER_PORT_FROM], found[HEADER_PORT_TO]
    kind = np.int64(DATAGRAM)
    if from_port == DNS:
        if end - at < 12 or data[at + 2] < 128:
            return
    elif from_port == SSDP or to_port == SSDP:
        if not is_http_request(data, at, end):
            return
        kind = np.int64(REQUEST_DATAGRAM)
    elif _is_initial(state, half, data, at, end, to_port, packet[3]):
        kind = np.int64(QUIC)
    else:
        return
    row = output.excerpts[counts[COUNT_EXCERPTS]]
    row[EXCERPT_FRAME], row[EXCERPT_TIME] = packet[0], packet[1]
    row[EXCERPT_CONVERSATION], row[EXCERPT_FROM_B] = packet[2], packet[3]
    row[EXCERPT_KIND] = kind
    row[EXCERPT_INCARNATION], row[EXCERPT_MESSAGE], row[EXCERPT_POSITION] = 0, 0, 0
    cut_out(row, output, counts, data, at, end)


@part
def cut_segment(state, half, memory, output, data, at, end, packet, position, bounds):
    """Cut out what a message in this TCP stream wants of this segment.

    `position` is the stream position of the segment's first payload byte.
    """
    counts, found, limit = memory.counts, memory.found, bounds.stream_bytes
    wanted = state[half + HALF_WANTED]
    is_dns = found[HEADER_PORT_FROM] == DNS or found[HEADER_PORT_TO] == DNS
    kind = DNS_STREAM if is_dns else STREAM
    name_at, name_length, shape = at, np.int64(-1), np.int64(0)
    if is_dns:
        wanted = limit
    elif wanted < 0 or position >= wanted:
        begins = np.int64(0)
        if is_client_hello(data, at, end):
            begins = _wanted_of_hello(data, at, end, limit)
            found_end = min(end, at + begins)
            name_at, name_length, shape = read_hello(data, at, found_end, bounds.seed)
        elif is_http_request(data, at, end):
            begins = max(_wanted_of_request(data, at, end, limit), min(end - at, limit))
        if begins:
            state[rest_of(half) + REST_MESSAGE] = position
            wanted = position + begins
            state[half + HALF_WANTED] = wanted
        elif wanted < 0:
            if position <= 0:
                state[half + HALF_WANTED] = 0
                return
            wanted = np.int64(HELLO_WAITS)
    if position >= wanted or position < state[rest_of(half) + REST_MESSAGE]:
        return
    row = output.excerpts[counts[COUNT_EXCERPTS]]
    row[EXCERPT_FRAME], row[EXCERPT_TIME] = packet[0], packet[1]
    row[EXCERPT_CONVERSATION], row[EXCERPT_FROM_B] = packet[2], packet[3]
    row[EXCERPT_KIND] = kind
    row[EXCERPT_INCARNATION] = state[rest_of(half) + REST_INCARNATION]
    row[EXCERPT_MESSAGE] = 0 if is_dns else state[rest_of(half) + REST_MESSAGE]
    row[EXCERPT_POSITION] = position
    cut_out(row, output, counts, data, at, min(end, at + wanted - position))
    if name_length >= 0:
        row[EXCERPT_NAME_AT] = row[EXCERPT_START] + name_at - at
        row[EXCERPT_NAME_LENGTH] = name_length
        row[EXCERPT_SHAPE] = shape
        state[rest_of(half) + REST_MESSAGE] = wanted


@part
def side_is_b(state, side):
    """Whether this side is end b, the one that did not send first."""
    return 1 if side != state[CONVERSATION_FIRST] else 0
