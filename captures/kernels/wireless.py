"""Kernels that read frames of 802.11, and the headers that capture tools write before them.

IEEE 802.11, section 9; radiotap (radiotap.org), Prism, AVS, Per-Packet Information (PPI). Of an
aggregate the first frame is read.
"""

import numpy as np

from phonehome.captures.kernels.headers import (
    LINK_MALFORMED,
    MALFORMED,
    NON_IP,
    NONE,
    READ,
    enclose,
    kind,
    link_cut,
    long_word,
    mac,
    odd,
    word,
)
from phonehome.captures.kernels.layout import HEADER_END, HEADER_MAC
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.kernels.record_walk import u16, u32

RADIOTAP, PRISM, AVS, PPI = 127, 119, 163, 192
WIRELESS = np.int64(105)
WIRELESS_PADDED = np.int64(-105)  # payload begins at a multiple of four
WIRELESS_SWAPPED = np.int64(-106)  # octets of two fields change places: CAPWAP
ENCRYPTED = kind("link", "encrypted")

TOOL_BYTES, FRAME_BYTES, SUBFRAME_BYTES = np.int64(8), np.int64(24), np.int64(14)
DATA = 2
TO_SYSTEM, FROM_SYSTEM, PROTECTED, ORDERED = 0x1, 0x2, 0x40, 0x80
NULL_DATA, QUALITY = 4, 8  # bits of the subtype of a data frame
AGGREGATE = 0x80
AVS_VERSION, AVS_MASK = 0x8021_1000, 0xFFFF_F000
PRISM_LONGEST = 4_096
RADIOTAP_TIME, RADIOTAP_FLAGS, RADIOTAP_MORE, RADIOTAP_PADDED = 1, 2, 1 << 31, 0x20
LONGEST_LINK_TYPE = np.int64(0xFFFF)
BIG, LITTLE = True, False


@part
def _sender(at, flags):
    """Where the address of the station stands that made the frame."""
    if flags & FROM_SYSTEM:
        return at + 24 if flags & TO_SYSTEM else at + 16
    return at + 10


@part
def wireless(data, at, what, found):
    """Read the header of a data frame: (outcome, place of what LLC says of it)."""
    end = found[HEADER_END]
    if at + 2 > end:
        return link_cut(found, FRAME_BYTES, at), at
    control, flags, sequence = np.int64(data[at]), np.int64(data[at + 1]), at + 22
    if what == WIRELESS_SWAPPED:
        control, flags, sequence = flags, control, at + 23
    subtype = control >> 4
    if control & 3 or control >> 2 & 3 != DATA or subtype & NULL_DATA:
        return NON_IP, at
    size = FRAME_BYTES
    if flags & TO_SYSTEM and flags & FROM_SYSTEM:
        size += 6
    is_aggregate = False
    if subtype & QUALITY:
        is_aggregate = at + size < end and data[at + size] & AGGREGATE != 0
        size += 2 if not flags & ORDERED else 6
    if at + size > end:
        return link_cut(found, size, at), at
    if flags & PROTECTED:
        odd(found, ENCRYPTED, NONE, NONE)
        return NON_IP, at
    if data[sequence] & 15:
        return NON_IP, at
    found[HEADER_MAC] = mac(data, _sender(at, flags))
    if what == WIRELESS_PADDED:
        size = size + 3 & ~3
    at += size
    if is_aggregate:
        if at + 14 > end:
            return link_cut(found, SUBFRAME_BYTES, at), at
        found[HEADER_MAC] = mac(data, at + 6)
        enclose(found, at + 14 + word(data, at + 12))
        at += 14
    return READ, at


@part
def _tool(found, at, length):
    """Skip a tool's header of a length: (outcome, place behind it)."""
    if length < 8:
        odd(found, LINK_MALFORMED, TOOL_BYTES, length)
        return MALFORMED, at
    if at + length > found[HEADER_END]:
        return link_cut(found, length, at), at
    return READ, at + length


@part
def _radiotap_is_padded(data, at, stop):
    present = u32(data, at + 4, LITTLE)
    place, more = at + 8, present
    while more & RADIOTAP_MORE and place + 4 <= stop:
        more = u32(data, place, LITTLE)
        place += 4
    if not present & RADIOTAP_FLAGS:
        return False
    if present & RADIOTAP_TIME:
        place += (at - place) % 8 + 8
    return place < stop and data[place] & RADIOTAP_PADDED != 0


@part
def _radiotap(data, at, found):
    outcome, behind = _tool(found, at, u16(data, at + 2, LITTLE))
    is_padded = outcome == READ and _radiotap_is_padded(data, at, behind)
    return outcome, behind, WIRELESS_PADDED if is_padded else WIRELESS


@part
def _avs(data, at, found):
    outcome, at = _tool(found, at, u32(data, at + 4, BIG))
    return outcome, at, WIRELESS


@part
def _prism(data, at, found):
    if long_word(data, at) & AVS_MASK == AVS_VERSION:
        return _avs(data, at, found)
    length = u32(data, at + 4, LITTLE)
    if length > PRISM_LONGEST:
        length = u32(data, at + 4, BIG)
    outcome, at = _tool(found, at, length)
    return outcome, at, WIRELESS


@part
def _ppi(data, at, found):
    inner = min(u32(data, at + 4, LITTLE), LONGEST_LINK_TYPE)
    outcome, at = _tool(found, at, u16(data, at + 2, LITTLE))
    return outcome, at, inner


@part
def tool_header(data, at, what, found):
    """Skip what a tool wrote before a frame: (outcome, place behind it, what stands there)."""
    if at + 8 > found[HEADER_END]:
        return link_cut(found, TOOL_BYTES, at), at, NONE
    if what == RADIOTAP:
        return _radiotap(data, at, found)
    if what == PRISM:
        return _prism(data, at, found)
    if what == AVS:
        return _avs(data, at, found)
    return _ppi(data, at, found)
