# Held by tests/captures/names/test_reader.py: kernel; what it cuts is read there.
"""Kernels that cut out the bytes that may hold a name, and the first bytes of each direction.

What a stream wants is decided at the begin of a message: a TLS ClientHello wants its record or
its whole handshake message, a server of TLS up to 1.2 its records up to the certificate, an HTTP
message its head and the body if that is short, MMTLS and DNS over TCP the stream's first part.
Anything else wants nothing.
"""

import numpy as np

from phonehome.captures.kernels.client_hello import read_hello, read_server_hello
from phonehome.captures.kernels.content_shape import framing, look_twice
from phonehome.captures.kernels.excerpts import (
    DATAGRAM,
    DNS_STREAM,
    DTLS,
    MMTLS_BYTES,
    PAYLOAD,
    QUIC,
    REQUEST_DATAGRAM,
    SAMPLE,
    SERVER_HELLO,
    STREAM,
)
from phonehome.captures.kernels.headers import TCP, long_word, word
from phonehome.captures.kernels.layout import (
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
    HEADER_PAYLOAD,
    HEADER_PORT_FROM,
    HEADER_PORT_TO,
    HEADER_PROTOCOL,
    REST_HEAD,
    REST_INCARNATION,
    REST_MESSAGE,
)
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.kernels.sequences import rest_of
from phonehome.captures.words import CONTENTS

DNS, SSDP, HTTPS = 53, 1900, 443
QUIC_V2 = 0x6B3343CF
MOST_INITIALS = 12  # datagrams per direction of a conversation that may begin a connection
HEAD_LIMIT = 16
HELLO_WAITS = 16_384  # of a stream whose begin is not there yet, this much is kept
LONGEST_FLIGHT = 32_768  # of a server's records before what is encrypted
SAMPLE_BYTES = 512  # of what begins like nothing known
CONTENT_KINDS = np.int64(len(CONTENTS))


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
def is_server_hello(data, at, end):
    """A TLS record of type handshake begins here, with a ServerHello or a Certificate."""
    return (
        at + 6 <= end
        and data[at] == 0x16
        and data[at + 1] == 3
        and data[at + 2] <= 4
        and (data[at + 5] == 2 or data[at + 5] == 11)
    )


@part
def is_http_response(data, at, end):
    """A status line of HTTP/1 may begin here."""
    return (
        at + 8 <= end
        and data[at] == 0x48
        and data[at + 1] == 0x54
        and data[at + 2] == 0x54
        and data[at + 3] == 0x50
        and data[at + 4] == 0x2F
        and data[at + 5] == 0x31
        and data[at + 6] == 0x2E
    )


@part
def is_mmtls(data, at, end):
    """A record of MMTLS begins here: type, version, a length that is not zero."""
    if at + 5 > end or data[at + 1] != 0xF1 or (data[at + 2] != 3 and data[at + 2] != 4):
        return False
    kind = data[at]
    is_known = kind == 0x15 or kind == 0x16 or kind == 0x17 or kind == 0x19
    return is_known and (data[at + 3] | data[at + 4]) != 0


@part
def _wanted_of_flight(data, at, end, limit):
    """Length of a server's handshake records, of which not all may be in this piece."""
    begin, limit = at, min(limit, np.int64(LONGEST_FLIGHT))
    while at < end:
        if data[at] != 0x16:
            return min(at - begin, limit)
        if at + 5 > end:
            return limit
        at += 5 + word(data, at + 3)
    return min(at - begin, limit)


@part
def _is_length_line(data, at, end):
    """The line that begins here is Content-Length, in any case."""
    if at + 15 > end or data[at + 7] != 0x2D:
        return False
    return (
        data[at] | 0x20 == 0x63
        and data[at + 1] | 0x20 == 0x6F
        and data[at + 3] | 0x20 == 0x74
        and data[at + 6] | 0x20 == 0x74
        and data[at + 8] | 0x20 == 0x6C
        and data[at + 12] | 0x20 == 0x74
        and data[at + 13] | 0x20 == 0x68
    )


@part
def _number_behind(data, at, end):
    """The number behind the next colon of a line; -1: there is none."""
    while at < end and data[at] != 0x3A and data[at] != 0x0A:
        at += 1
    at += 1
    while at < end and (data[at] == 0x20 or data[at] == 0x09):
        at += 1
    value = np.int64(-1)
    while at < end and 0x30 <= data[at] <= 0x39 and value < 1 << 48:
        value = max(value, np.int64(0)) * 10 + np.int64(data[at]) - 0x30
        at += 1
    return value


@part
def _wanted_of_message(data, at, end, limit, most, unstated):
    """Length of the HTTP message that begins here: its head, and its body if that is short.

    Short is what has no more than `most` octets. `unstated` is what is wanted of a body of which
    the head does not state the length. A bound if the end of the head is not in this piece.
    """
    length = np.int64(-1)
    for i in range(at, min(end, at + limit) - 3):
        if data[i] != 13 or data[i + 1] != 10:
            continue
        if data[i + 2] == 13 and data[i + 3] == 10:
            head = i + 4 - at
            if length < 0:
                length = np.int64(unstated)
            return head if length > most else min(head + length, max(limit, head))
        if length < 0 and _is_length_line(data, i + 2, end):
            length = _number_behind(data, i + 2, end)
    return limit


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
def _say_sample(memory, output, data, at, end, packet):
    """Say what the first payload of a side looks like that begins like nothing known."""
    counts, found = memory.counts, memory.found
    looked_at = min(end, at + SAMPLE_BYTES)
    kind, entropy = look_twice(data, at, looked_at, found)
    row = output.excerpts[counts[COUNT_EXCERPTS]]
    row[EXCERPT_FRAME], row[EXCERPT_TIME] = packet[0], packet[1]
    row[EXCERPT_CONVERSATION], row[EXCERPT_FROM_B] = packet[2], packet[3]
    row[EXCERPT_KIND] = SAMPLE
    row[EXCERPT_INCARNATION] = 0
    row[EXCERPT_MESSAGE], row[EXCERPT_POSITION] = looked_at - at, entropy
    cut_out(row, output, counts, data, at, at)
    row[EXCERPT_SHAPE] = framing(data, at, looked_at, found[HEADER_PAYLOAD]) * CONTENT_KINDS + kind


@part
def _is_dtls_hello(data, at, end):
    """A handshake record of DTLS begins here, in the clear, with a ClientHello."""
    return (
        at + 25 < end
        and data[at] == 0x16
        and data[at + 1] == 0xFE
        and data[at + 2] >= 0xFC
        and data[at + 3] == 0
        and data[at + 4] == 0
        and data[at + 13] == 1
    )


@part
def cut_datagram(state, half, memory, output, data, at, end, packet):
    """Cut out a whole UDP payload if it is a DNS answer, a request of SSDP, or begins QUIC or DTLS.

    Of the first one that is nothing of the kind, its begin.

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
    elif _is_dtls_hello(data, at, end) and state[half + HALF_WANTED] < MOST_INITIALS:
        state[half + HALF_WANTED] += 1
        kind = np.int64(DTLS)
    elif state[half + HALF_WANTED] < 0 and end > at and not is_quic_begin(data, at, end):
        state[half + HALF_WANTED] = 0
        _say_sample(memory, output, data, at, end, packet)
        return
    else:
        return
    row = output.excerpts[counts[COUNT_EXCERPTS]]
    row[EXCERPT_FRAME], row[EXCERPT_TIME] = packet[0], packet[1]
    row[EXCERPT_CONVERSATION], row[EXCERPT_FROM_B] = packet[2], packet[3]
    row[EXCERPT_KIND] = kind
    row[EXCERPT_INCARNATION], row[EXCERPT_MESSAGE], row[EXCERPT_POSITION] = 0, 0, 0
    cut_out(row, output, counts, data, at, end)


@part
def _wanted(data, at, end, limit, most):
    """Length of the message that begins here, and whether it is a ClientHello; 0: none does."""
    if is_client_hello(data, at, end):
        return _wanted_of_hello(data, at, end, limit), True
    if is_server_hello(data, at, end):
        return _wanted_of_flight(data, at, end, limit), False
    if is_http_response(data, at, end):
        wanted = _wanted_of_message(data, at, end, limit, most, most)
        return max(wanted, min(end - at, limit)), False
    if is_http_request(data, at, end):
        wanted = _wanted_of_message(data, at, end, limit, most, 0)
        return max(wanted, min(end - at, limit)), False
    if is_mmtls(data, at, end):
        return np.int64(MMTLS_BYTES), False
    return np.int64(0), False


@part
def _before_hello(data, at, end):
    """Bytes of a ChangeCipherSpec record that stands before a ClientHello; 0: none does.

    A client whose server asked for another hello may send one first (RFC 8446, appendix D.4).
    """
    is_change = at + 6 < end and data[at] == 0x14 and data[at + 1] == 3 and word(data, at + 3) == 1
    return np.int64(6) if is_change and is_client_hello(data, at + 6, end) else np.int64(0)


@part
def cut_segment(state, half, memory, output, data, at, end, packet, position, bounds):
    """Cut out what a message in this TCP stream wants of this segment.

    `position` is the stream position of the segment's first payload byte.
    """
    counts, found, limit = memory.counts, memory.found, bounds.stream_bytes
    wanted = state[half + HALF_WANTED]
    is_dns = found[HEADER_PORT_FROM] == DNS or found[HEADER_PORT_TO] == DNS
    kind = np.int64(DNS_STREAM) if is_dns else np.int64(STREAM)
    name_at, name_length, shape = at, np.int64(-1), np.int64(0)
    if is_dns:
        wanted = limit
    elif wanted < 0 or position >= wanted:
        skipped = _before_hello(data, at, end)
        at, position = at + skipped, position + skipped
        begins, is_hello = _wanted(data, at, end, limit, bounds.body_bytes)
        if begins:
            found_end = min(end, at + begins)
            if is_hello:
                name_at, name_length, shape = read_hello(data, at, found_end, bounds.seed)
            else:
                shape = read_server_hello(data, at, found_end)
            state[rest_of(half) + REST_MESSAGE] = position
            wanted = position + begins
            state[half + HALF_WANTED] = wanted
        elif wanted < 0:
            if position <= 0:
                state[half + HALF_WANTED] = 0
                _say_sample(memory, output, data, at, end, packet)
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
    if name_length < 0 and shape > 0:
        row[EXCERPT_KIND] = SERVER_HELLO
        cut_out(row, output, counts, data, at, at)
        row[EXCERPT_SHAPE] = shape
        state[rest_of(half) + REST_MESSAGE] = wanted
        return
    cut_out(row, output, counts, data, at, min(end, at + wanted - position))
    if name_length >= 0:
        row[EXCERPT_NAME_AT] = row[EXCERPT_START] + name_at - at
        row[EXCERPT_NAME_LENGTH] = name_length
        row[EXCERPT_SHAPE] = shape
        state[rest_of(half) + REST_MESSAGE] = wanted


@part
def _is_sealed(state, half, is_datagram):
    """Whether this direction began like TLS or QUIC, so that its payload tells nothing."""
    head = state[rest_of(half) + REST_HEAD]
    first, version = head >> 56 & 255, head >> 24 & 0xFFFFFFFF
    if state[half + HALF_HEAD_LENGTH] < 5:
        return False
    if is_datagram:
        is_draft = version >> 8 == 0xFF0000
        return first & 0xC0 == 0xC0 and (version == 1 or version == QUIC_V2 or is_draft)
    return 0x14 <= first <= 0x17 and head >> 48 & 255 == 3 and head >> 40 & 255 <= 4


@part
def cut_payload(state, half, memory, output, data, at, end, packet, position):
    """Cut out all payload of a packet, unless it is of a direction that is encrypted as a whole."""
    counts, found = memory.counts, memory.found
    is_datagram = found[HEADER_PROTOCOL] != TCP
    if _is_sealed(state, half, is_datagram):
        return
    row = output.excerpts[counts[COUNT_EXCERPTS]]
    row[EXCERPT_FRAME], row[EXCERPT_TIME] = packet[0], packet[1]
    row[EXCERPT_CONVERSATION], row[EXCERPT_FROM_B] = packet[2], packet[3]
    row[EXCERPT_KIND] = PAYLOAD
    row[EXCERPT_INCARNATION] = 0 if is_datagram else state[rest_of(half) + REST_INCARNATION]
    row[EXCERPT_MESSAGE], row[EXCERPT_POSITION] = (1 if is_datagram else 0), position
    cut_out(row, output, counts, data, at, end)
    row[EXCERPT_SHAPE] = found[HEADER_PORT_FROM] << 16 | found[HEADER_PORT_TO]


@part
def side_is_b(state, side):
    """Whether this side is end b, the one that did not send first."""
    return 1 if side != state[CONVERSATION_FIRST] else 0
