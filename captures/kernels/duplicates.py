"""Kernel that recognises a packet that was captured twice, on two interfaces.

A capture on all interfaces holds what one of them hands to another once for each. A copy is a
packet with the same IP header and the same begin of what follows, on another interface, within a
few milliseconds; time to live and check sums, which differ on the way, are not looked at. The
same packet again on the same interface is no copy: it was sent again.
"""

import numpy as np

from phonehome.captures.kernels.headers import TCP, UDP, long_word
from phonehome.captures.kernels.layout import (
    HEADER_AT,
    HEADER_FRAGMENT,
    HEADER_IP,
    HEADER_NETWORK,
    HEADER_PROTOCOL,
    HEADER_VERSION,
    NO_TIME,
    RECENT_HASH,
    RECENT_INTERFACE,
    RECENT_SLOTS,
    RECENT_TIME,
    RECORD_AT,
    RECORD_CAPTURED,
    RECORD_INTERFACE,
    RECORD_TIME,
)
from phonehome.captures.kernels.links import SLL2
from phonehome.captures.kernels.machine_code import part

SLL2_INDEX = 4  # its header names the interface, at this place
COMPARED_BYTES = 96  # of what follows the IP header
MOST_APART_NS = 10_000_000
PRIME = np.uint64(0x100000001B3)
TCP_CHECK, UDP_CHECK = 16, 6
BUCKET = np.int64(8)  # packets that share a place
SEED = np.uint64(0x9E3779B97F4A7C15)  # the same in each run: no bound rests on it


@part
def interface_of(data, record, interfaces, link_type):
    """Which interface a record was captured on; 0 where the capture has one, or does not say."""
    place = record[RECORD_AT] + SLL2_INDEX
    if link_type == SLL2 and record[RECORD_CAPTURED] >= 8:
        return (record[RECORD_INTERFACE] + 1) << 32 | long_word(data, place)
    if interfaces.shape[0] > 1:
        return record[RECORD_INTERFACE] + 1
    return np.int64(0)


@part
def _mixed_in(value, number):
    value = (value ^ np.uint64(number)) * PRIME
    return value ^ value >> np.uint64(29)


@part
def _identity(data, end, found, seed):
    """What a packet and its copies share, as one number."""
    at, network = found[HEADER_AT], found[HEADER_NETWORK]
    value = _mixed_in(seed, found[HEADER_IP])
    if found[HEADER_VERSION] == 4:
        value = _mixed_in(value, long_word(data, at + 4))
        begin = at + 12
    else:
        begin = at + 8
    for place in range(begin, at + network):
        value = _mixed_in(value, data[place])
    check = np.int64(-2)
    if found[HEADER_FRAGMENT] <= 0:
        if found[HEADER_PROTOCOL] == TCP:
            check = at + network + TCP_CHECK
        elif found[HEADER_PROTOCOL] == UDP:
            check = at + network + UDP_CHECK
    value = _mixed_in(value, found[HEADER_PROTOCOL])
    last = min(end, at + min(found[HEADER_IP], network + COMPARED_BYTES))
    for place in range(at + network, last):
        if place != check and place != check + 1:
            value = _mixed_in(value, data[place])
    return np.int64(value)


@part
def is_copy(data, record, end, interface, memory):
    """Whether the packet whose headers were read is a copy of one on another interface.

    A place is kept until eight packets that were met later share it; which do does not depend on
    the run, so that two runs find the same copies.
    """
    time = record[RECORD_TIME]
    if time == NO_TIME:
        return False
    hashed = _identity(data, end, memory.found, SEED)
    first = (hashed & (RECENT_SLOTS // BUCKET - 1)) * BUCKET
    chosen = first
    for place in range(first, first + BUCKET):
        recent = memory.recent[place]
        if recent[RECENT_HASH] == hashed:
            chosen = place
            apart = time - recent[RECENT_TIME]
            if recent[RECENT_INTERFACE] != interface and -MOST_APART_NS <= apart <= MOST_APART_NS:
                return True
            break
        if recent[RECENT_TIME] < memory.recent[chosen, RECENT_TIME]:
            chosen = place
    recent = memory.recent[chosen]
    recent[RECENT_HASH] = hashed
    recent[RECENT_INTERFACE] = interface
    recent[RECENT_TIME] = time
    return False
