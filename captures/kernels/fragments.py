"""Kernels that give later IP fragments the conversation of their first one.

A bounded table of open datagrams, found by address, protocol and identification. Fragments that
come ahead of their first one wait as rows; they are written when it comes, or as `fragment`
when it did not. A datagram is forgotten after 60 seconds (RFC 8200, section 4.5).
"""

import numpy as np

from phonehome.captures.kernels.conversations import mixed
from phonehome.captures.kernels.layout import (
    COUNT_PACKETS,
    COUNT_WAITING_FREE,
    FRAGMENT_KEY,
    FRAGMENT_LIFETIME,
    FRAGMENT_PENDING,
    FRAGMENT_PROBES,
    FRAGMENT_SLOTS,
    FRAGMENT_STATE,
    FRAGMENT_TIME,
    HEADER_FROM,
    HEADER_IDENTITY,
    HEADER_PROTOCOL,
    HEADER_TO,
    HEADER_VERSION,
    KEY_WIDTH,
    PACKET_OUTCOME,
    PACKET_WIDTH,
    WAITING_NEXT,
    WAITING_PACKET,
)
from phonehome.captures.kernels.machine_code import compiled, part
from phonehome.captures.words import OUTCOMES

WITHOUT_FIRST = OUTCOMES.index("fragment")
IPV4 = 4


@part
def write_waiting(slot, memory, packets):
    """Write the waiting rows of a slot as fragments whose first one was never seen."""
    slots, waiting, counts = memory.slots, memory.waiting, memory.counts
    row = slots[slot, FRAGMENT_PENDING]
    slots[slot, FRAGMENT_PENDING] = -1
    while row >= 0:
        following = waiting[row, WAITING_NEXT]
        out = counts[COUNT_PACKETS]
        for i in range(PACKET_WIDTH):
            packets[i, out] = waiting[row, WAITING_PACKET + i]
        packets[PACKET_OUTCOME, out] = WITHOUT_FIRST
        counts[COUNT_PACKETS] += 1
        release(row, waiting, counts)
        row = following


@part
def release(row, waiting, counts):
    """Give a waiting row back."""
    waiting[row, WAITING_NEXT] = counts[COUNT_WAITING_FREE]
    counts[COUNT_WAITING_FREE] = row


@compiled(results=0)
def write_all_waiting(memory, packets):
    """At the end of the capture: nothing waits any longer."""
    for slot in range(FRAGMENT_SLOTS):
        if memory.slots[slot, FRAGMENT_STATE]:
            write_waiting(slot, memory, packets)
            memory.slots[slot, FRAGMENT_STATE] = 0


@part
def _is_same(slot, slots, found, identity):
    return (
        slots[slot, FRAGMENT_KEY + 4] == identity
        and slots[slot, FRAGMENT_KEY] == found[HEADER_FROM]
        and slots[slot, FRAGMENT_KEY + 1] == found[HEADER_FROM + 1]
        and slots[slot, FRAGMENT_KEY + 2] == found[HEADER_TO]
        and slots[slot, FRAGMENT_KEY + 3] == found[HEADER_TO + 1]
    )


@part
def fragment_slot(memory, time, packets, seed):
    """Slot of this packet's datagram, and whether another one was pushed out for it.

    `packets` must have room for all rows that wait.
    """
    found, slots = memory.found, memory.slots
    identity = found[HEADER_VERSION] << 48 | found[HEADER_IDENTITY]
    if found[HEADER_VERSION] == IPV4:  # of IPv6 only the first fragment tells the protocol
        identity |= found[HEADER_PROTOCOL] << 32
    number = seed ^ np.uint64(identity)
    for i in range(KEY_WIDTH - 1):
        number = mixed(number ^ np.uint64(found[HEADER_FROM + i]))
    chosen, oldest, is_pushed = -1, 0, False
    for probe in range(FRAGMENT_PROBES):
        slot = np.int64((number + np.uint64(probe)) & np.uint64(FRAGMENT_SLOTS - 1))
        age = time - slots[slot, FRAGMENT_TIME]
        if slots[slot, FRAGMENT_STATE] and not -FRAGMENT_LIFETIME < age < FRAGMENT_LIFETIME:
            write_waiting(slot, memory, packets)
            slots[slot, FRAGMENT_STATE] = 0
        if not slots[slot, FRAGMENT_STATE]:
            if chosen < 0:
                chosen = slot
        elif _is_same(slot, slots, found, identity):
            return slot, False
        if probe == 0 or slots[slot, FRAGMENT_TIME] < slots[oldest, FRAGMENT_TIME]:
            oldest = slot
    if chosen < 0:
        chosen, is_pushed = oldest, True
        write_waiting(chosen, memory, packets)
    for i in range(KEY_WIDTH - 1):
        slots[chosen, FRAGMENT_KEY + i] = found[HEADER_FROM + i]
    slots[chosen, FRAGMENT_KEY + 4] = identity
    slots[chosen, FRAGMENT_STATE] = 1
    slots[chosen, FRAGMENT_TIME] = time
    slots[chosen, FRAGMENT_PENDING] = -1
    return chosen, is_pushed
