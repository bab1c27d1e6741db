# Held by tests/captures/kernels/test_packet_loop.py: kernel, against its slow twin.
"""Kernels of the conversation table: which of the capture's conversations a packet belongs to.

Open addressing over row numbers; a conversation's key is its two ends in sorted order, so that
both directions find the same row. The hash is seeded anew in each run, rows are numbered by
first packet: no capture can choose its collisions, and the seed shows in no output.
"""

import numpy as np

from phonehome.captures.kernels.layout import (
    CONVERSATION_FIRST,
    CONVERSATION_HALF,
    CONVERSATION_KEY,
    CONVERSATION_WIDTH,
    COUNT_CONVERSATIONS,
    HALF_LIST,
    HALF_MAC,
    HALF_WANTED,
    HALF_WIDTH,
    HEADER_FROM,
    HEADER_KEY,
    HEADER_PORT_FROM,
    HEADER_PORT_TO,
    HEADER_PROTOCOL,
    HEADER_TO,
    HEADER_VERSION,
    KEY_WIDTH,
)
from phonehome.captures.kernels.machine_code import compiled, part


@part
def mixed(number):
    """64 bits in which every bit depends on every bit of the number (splitmix64)."""
    number ^= number >> np.uint64(30)
    number *= np.uint64(0xBF58476D1CE4E5B9)
    number ^= number >> np.uint64(27)
    number *= np.uint64(0x94D049BB133111EB)
    return number ^ number >> np.uint64(31)


@part
def make_key(found):
    """Write the key of the packet's conversation: 1 if the higher end sent it, else 0."""
    from_port, to_port = found[HEADER_PORT_FROM], found[HEADER_PORT_TO]
    from_high, from_low = found[HEADER_FROM], found[HEADER_FROM + 1]
    to_high, to_low = found[HEADER_TO], found[HEADER_TO + 1]
    is_higher = from_high > to_high or (
        from_high == to_high and (from_low > to_low or (from_low == to_low and from_port > to_port))
    )
    if is_higher:
        from_high, to_high = to_high, from_high
        from_low, to_low = to_low, from_low
        from_port, to_port = to_port, from_port
    found[HEADER_KEY], found[HEADER_KEY + 1] = from_high, from_low
    found[HEADER_KEY + 2], found[HEADER_KEY + 3] = to_high, to_low
    found[HEADER_KEY + 4] = (
        found[HEADER_VERSION] << 48 | found[HEADER_PROTOCOL] << 32 | from_port << 16 | to_port
    )
    return 1 if is_higher else 0


@part
def hashed(row, at, seed):
    """Hash of the key that begins at a place of a row."""
    number, secret = seed, seed | np.uint64(1)
    for i in range(KEY_WIDTH):
        number = (number ^ np.uint64(row[at + i])) * secret
    return mixed(number)


@part
def place_of(table, states, row, at, seed):
    """Place in the table where the key in `row[at:]` is, or where it would be put."""
    mask = table.shape[0] - 1
    place = np.int64(hashed(row, at, seed)) & mask
    while True:
        other = table[place]
        if other < 0 or (
            states[other, 1] == row[at + 1]
            and states[other, 3] == row[at + 3]
            and states[other, 4] == row[at + 4]
            and states[other, 0] == row[at]
            and states[other, 2] == row[at + 2]
        ):
            return place
        place = (place + 1) & mask


@part
def add_conversation(place, table, states, found, counts, side):
    """Number of a conversation that begins with the key that was found, sent by this side."""
    row = counts[COUNT_CONVERSATIONS]
    counts[COUNT_CONVERSATIONS] += 1
    table[place] = row
    for i in range(CONVERSATION_WIDTH):
        states[row, i] = 0
    for i in range(KEY_WIDTH):
        states[row, CONVERSATION_KEY + i] = found[HEADER_KEY + i]
    states[row, CONVERSATION_FIRST] = side
    for end in range(2):
        half = CONVERSATION_HALF + end * HALF_WIDTH
        states[row, half + HALF_LIST] = -1
        states[row, half + HALF_WANTED] = -1
        states[row, half + HALF_MAC] = -1
    return row


@compiled(results=0)
def rehash(table, states, count, seed):
    """Fill an empty table (all -1) with the first rows of the states."""
    for row in range(count):
        table[place_of(table, states, states[row], CONVERSATION_KEY, seed)] = row
