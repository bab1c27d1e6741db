# Held by tests/captures/decoding/test_decoding_sums.py: kernel, against its slow twin.
"""Kernel that adds packets up: per conversation, direction and span of time.

Each direction has one open row (`SUM_*`). It is closed, which is written out, when a packet of
another span comes; so is its bin of time (`BIN_*`), when bytes of another bin come, and its
contact (`CONTACT_*`), when new payload comes behind a pause. What was closed before may be opened
again: rows of one key are merged by the caller.
"""

import numpy as np

from phonehome.captures.kernels.layout import (
    BIN_CODE,
    BIN_SIDE,
    BIN_START,
    BIN_UNIQUE,
    CLOSED_BINS,
    CLOSED_CONTACTS,
    CLOSED_SIDES,
    CONTACT_CODE,
    CONTACT_FIRST_FRAME,
    CONTACT_LAST,
    CONTACT_LAST_FRAME,
    CONTACT_PACKETS,
    CONTACT_SIDE,
    CONTACT_START,
    CONTACT_SUM,
    CONTACT_SUMS,
    CONTACT_UNIQUE,
    NO_TIME,
    OPEN_CONTACT,
    PACKET_CONVERSATION,
    PACKET_FRAME,
    PACKET_FROM_B,
    PACKET_IP,
    PACKET_LINK,
    PACKET_NETWORK,
    PACKET_OUTBOUND,
    PACKET_OUTCOME,
    PACKET_PAYLOAD,
    PACKET_TIME,
    PACKET_TRANSPORT,
    PACKET_UNIQUE,
    PACKET_WIRE,
    SIDE_NUMBER,
    SIDE_SUM,
    SUM_BIN,
    SUM_BIN_UNIQUE,
    SUM_CODE,
    SUM_FIRST_FRAME,
    SUM_FIRST_TIME,
    SUM_INBOUND,
    SUM_IP,
    SUM_LAST_FRAME,
    SUM_LAST_TIME,
    SUM_LINK,
    SUM_NETWORK,
    SUM_OUTBOUND,
    SUM_PACKETS,
    SUM_PAYLOAD,
    SUM_TRANSPORT,
    SUM_UNIQUE,
    SUM_WIDTH,
    SUM_WIRE,
)
from phonehome.captures.kernels.machine_code import compiled, part

NO_SPAN = np.int64(-1)
OUTBOUND, INBOUND = 2, 1
PAUSE = 1_000_000_000
"""Between two packets of a contact lies no more than this, ns."""


@part
def _add(row, packets, at):
    """Add a packet to an open row."""
    time, frame = packets[PACKET_TIME, at], packets[PACKET_FRAME, at]
    row[SUM_PACKETS] += 1
    row[SUM_WIRE] += packets[PACKET_WIRE, at]
    row[SUM_IP] += packets[PACKET_IP, at]
    row[SUM_LINK] += packets[PACKET_LINK, at]
    row[SUM_NETWORK] += packets[PACKET_NETWORK, at]
    row[SUM_TRANSPORT] += packets[PACKET_TRANSPORT, at]
    row[SUM_PAYLOAD] += packets[PACKET_PAYLOAD, at]
    row[SUM_UNIQUE] += packets[PACKET_UNIQUE, at]
    if packets[PACKET_OUTBOUND, at] == OUTBOUND:
        row[SUM_OUTBOUND] += 1
    elif packets[PACKET_OUTBOUND, at] == INBOUND:
        row[SUM_INBOUND] += 1
    if time != NO_TIME:
        if row[SUM_FIRST_TIME] == NO_TIME or time < row[SUM_FIRST_TIME]:
            row[SUM_FIRST_TIME] = time
        row[SUM_LAST_TIME] = max(row[SUM_LAST_TIME], time)  # NO_TIME is the smallest number
    if row[SUM_FIRST_FRAME] == 0 or frame < row[SUM_FIRST_FRAME]:
        row[SUM_FIRST_FRAME] = frame
    row[SUM_LAST_FRAME] = max(row[SUM_LAST_FRAME], frame)


@part
def _open(row, code):
    """Make a row open, with nothing added."""
    for i in range(SUM_WIDTH):
        row[i] = 0
    row[SUM_CODE] = code
    row[SUM_BIN] = NO_TIME
    row[SUM_FIRST_TIME] = NO_TIME
    row[SUM_LAST_TIME] = NO_TIME
    row[OPEN_CONTACT + CONTACT_PACKETS] = 0


@part
def _close_contact(row, number, contacts, closed):
    """Write the row's contact out, if one is open."""
    if row[OPEN_CONTACT + CONTACT_PACKETS]:
        out = contacts[closed[CLOSED_CONTACTS]]
        out[CONTACT_SIDE] = number
        out[CONTACT_CODE] = row[SUM_CODE]
        for i in range(CONTACT_SUMS):
            out[CONTACT_SUM + i] = row[OPEN_CONTACT + i]
        closed[CLOSED_CONTACTS] += 1
        row[OPEN_CONTACT + CONTACT_PACKETS] = 0


@part
def _add_contact(row, number, time, frame, unique, contacts, closed):
    """Add new payload to the row's contact; behind a pause, to another one."""
    if row[OPEN_CONTACT + CONTACT_PACKETS]:
        apart = time - row[OPEN_CONTACT + CONTACT_LAST]
        if apart > PAUSE or apart < -PAUSE:
            _close_contact(row, number, contacts, closed)
    if row[OPEN_CONTACT + CONTACT_PACKETS] == 0:
        row[OPEN_CONTACT + CONTACT_START] = time
        row[OPEN_CONTACT + CONTACT_LAST] = time
        row[OPEN_CONTACT + CONTACT_UNIQUE] = 0
        row[OPEN_CONTACT + CONTACT_FIRST_FRAME] = frame
        row[OPEN_CONTACT + CONTACT_LAST_FRAME] = frame
    row[OPEN_CONTACT + CONTACT_START] = min(row[OPEN_CONTACT + CONTACT_START], time)
    row[OPEN_CONTACT + CONTACT_LAST] = max(row[OPEN_CONTACT + CONTACT_LAST], time)
    row[OPEN_CONTACT + CONTACT_UNIQUE] += unique
    row[OPEN_CONTACT + CONTACT_PACKETS] += 1
    row[OPEN_CONTACT + CONTACT_LAST_FRAME] = max(row[OPEN_CONTACT + CONTACT_LAST_FRAME], frame)


@part
def _close_bin(row, number, bins, closed):
    """Write the row's bin out, if anything is in it."""
    if row[SUM_BIN_UNIQUE]:
        out = bins[closed[CLOSED_BINS]]
        out[BIN_SIDE] = number
        out[BIN_CODE] = row[SUM_CODE]
        out[BIN_START] = row[SUM_BIN]
        out[BIN_UNIQUE] = row[SUM_BIN_UNIQUE]
        closed[CLOSED_BINS] += 1
        row[SUM_BIN_UNIQUE] = 0


@part
def _close(row, number, sides, bins, contacts, closed):
    """Write a row out, its bin, and its contact."""
    _close_bin(row, number, bins, closed)
    _close_contact(row, number, contacts, closed)
    out = sides[closed[CLOSED_SIDES]]
    out[SIDE_NUMBER] = number
    for i in range(SUM_WIDTH):
        out[SIDE_SUM + i] = row[i]
    closed[CLOSED_SIDES] += 1


@part
def _span_of(time, edges):
    """How many edges are at this time or before it."""
    left, right = 0, edges.shape[0]
    while left < right:
        middle = (left + right) // 2
        if edges[middle] <= time:
            left = middle + 1
        else:
            right = middle
    return left


@part
def _is_full(sides, bins, contacts, closed):
    """No room is left for what one packet may close."""
    return (
        closed[CLOSED_SIDES] >= sides.shape[0]
        or closed[CLOSED_BINS] + 2 > bins.shape[0]
        or closed[CLOSED_CONTACTS] + 2 > contacts.shape[0]
    )


@compiled(results=1)
def add_packets(
    packets, first, last, edges, width, open_rows, others, sides, bins, contacts, closed
):
    """Add packets [first, last): the number of the first one not added.

    Stops early where no room is left for what may have to be closed.

    `packets` has a row per column (`PACKET_*`). `edges` are those of the spans of time, ns in
    order: a packet's code is how many of them are at its time or before it, -1 without a time.
    `width` is that of a bin, ns. `open_rows` has two rows per conversation, of end a and of end
    b; `others` one per outcome, for packets without a conversation. `sides`, `bins` and `contacts`
    take what is closed; `closed` counts each.
    """
    begin, end, start = np.int64(0), np.int64(0), np.int64(0)
    for at in range(first, last):
        conversation, time = packets[PACKET_CONVERSATION, at], packets[PACKET_TIME, at]
        if conversation < 0:
            _add(others[packets[PACKET_OUTCOME, at]], packets, at)
            continue
        if _is_full(sides, bins, contacts, closed):
            return at
        code, of_bin = NO_SPAN, np.int64(NO_TIME)
        if time != NO_TIME:
            code = _span_of(time, edges)
            if not begin <= time < end:
                start = time // width
                begin = start * width
                end = begin + width
            of_bin = start
        number = 2 * conversation + packets[PACKET_FROM_B, at]
        row = open_rows[number]
        if row[SUM_PACKETS] == 0:
            _open(row, code)
        elif row[SUM_CODE] != code:
            _close(row, number, sides, bins, contacts, closed)
            _open(row, code)
        _add(row, packets, at)
        if packets[PACKET_UNIQUE, at]:
            if row[SUM_BIN] != of_bin:
                _close_bin(row, number, bins, closed)
                row[SUM_BIN] = of_bin
            row[SUM_BIN_UNIQUE] += packets[PACKET_UNIQUE, at]
            if time != NO_TIME:
                frame, unique = packets[PACKET_FRAME, at], packets[PACKET_UNIQUE, at]
                _add_contact(row, number, time, frame, unique, contacts, closed)
    return last
