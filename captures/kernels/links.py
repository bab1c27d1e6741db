"""Kernels that read link headers, one inside the other, down to an IP header.

What stands at a place is told by a number: a link type (pcap-linktype(7)), or an ethertype
above `BY_ETHERTYPE`. What encloses a header bounds it: `HEADER_END` and `HEADER_WIRE_END`.
"""

import numpy as np

from phonehome.captures.kernels.headers import (
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
from phonehome.captures.kernels.layout import (
    HEADER_END,
    HEADER_LAYERS,
    HEADER_MAC,
    HEADER_OUTBOUND,
    HEADER_WIRE_END,
)
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.kernels.wireless import (
    AVS,
    PPI,
    PRISM,
    RADIOTAP,
    WIRELESS,
    WIRELESS_PADDED,
    WIRELESS_SWAPPED,
    tool_header,
    wireless,
)

NEXT = np.int64(-1)  # another header follows
BY_ETHERTYPE = np.int64(1 << 16)

LINK_TYPE_UNKNOWN = kind("link", "link_type_unknown")
VLAN_DEPTH = kind("link", "vlan_depth")
LAYERS_DEPTH = kind("network", "layers_depth")

NULL, LOOP = 0, 108
ETHERNET, RAW = np.int64(1), np.int64(101)
RAW_BSD, RAW_OPENBSD, IPV4, IPV6 = 12, 14, 228, 229
SLL, SLL2 = 113, 276
PPP, CISCO = np.int64(9), np.int64(104)
PPP_HDLC, PPP_ETHERNET = 50, 51

_LINK_TYPES: tuple[int | np.int64, ...] = (
    *(ETHERNET, RAW, RAW_BSD, RAW_OPENBSD, IPV4, IPV6, NULL, LOOP, SLL, SLL2),
    *(PPP, PPP_HDLC, PPP_ETHERNET, CISCO, WIRELESS, RADIOTAP, PRISM, AVS, PPI),
)
KNOWN_LINK_TYPES = frozenset(int(number) for number in _LINK_TYPES)
"""Link types that are read here; `tags` knows those of tools besides."""

LAYERS_LIMIT = np.int64(16)
VLAN_TAGS_LIMIT, LABELS_LIMIT = np.int64(8), np.int64(16)
ETHERNET_BYTES, SLL_BYTES, SLL2_BYTES = np.int64(14), np.int64(16), np.int64(20)
TAG_BYTES, FAMILY_BYTES, LABEL_BYTES = np.int64(4), np.int64(4), np.int64(4)
PPP_BYTES, PPPOE_BYTES, CISCO_BYTES = np.int64(4), np.int64(6), np.int64(4)
SNAP_BYTES, FABRIC_BYTES = np.int64(8), 2

ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86DD
ETHERTYPE_MPLS, ETHERTYPE_MPLS_MULTICAST = np.int64(0x8847), np.int64(0x8848)
ETHERTYPE_PPPOE, ETHERTYPE_PPP = 0x8864, 0x880B
ETHERTYPE_ETHERNET, ETHERTYPE_FABRIC = 0x6558, 0x8903
LOWEST_ETHERTYPE = 0x600
PPP_IPV4, PPP_IPV6, PPP_MPLS, PPP_MPLS_MULTICAST = 0x21, 0x57, 0x281, 0x283
LABEL_IPV4, LABEL_IPV6 = 0, 2
DEVICE_PPP, DEVICE_RAW, DEVICE_NONE = 512, 519, 65_534


@part
def is_ip(data, at, end, wire_end):
    """Whether an IP header may stand here: version and lengths make sense."""
    if at >= end:
        return False
    first, rest = np.int64(data[at]), wire_end - at
    if first >> 4 == 4:
        header = (first & 15) * 4
        if header < 20 or rest < header:
            return False
        return at + 4 > end or header <= word(data, at + 2) <= rest
    if first >> 4 == 6:
        return rest >= 40 and (at + 6 > end or word(data, at + 4) + 40 <= rest)
    return False


@part
def _ethernet(data, at, found):
    if at + 14 > found[HEADER_END]:
        return link_cut(found, ETHERNET_BYTES, at), at, NONE
    found[HEADER_MAC] = mac(data, at + 6)
    ethertype = word(data, at + 12)
    if ethertype == ETHERTYPE_IPV4:
        return READ, at + 14, NONE
    return NEXT, at + 14, BY_ETHERTYPE | ethertype


@part
def _labels(data, at, found):
    """Skip a stack of MPLS labels (RFC 3032); what it carries is guessed where no label tells."""
    end = found[HEADER_END]
    for _ in range(LABELS_LIMIT):
        if at + 4 > end:
            return link_cut(found, LABEL_BYTES, at), at, NONE
        entry = long_word(data, at)
        at += 4
        if entry & 0x100:
            label = entry >> 12
            if label == LABEL_IPV4 or label == LABEL_IPV6:
                return READ, at, NONE
            if is_ip(data, at, end, found[HEADER_WIRE_END]) or at == end < found[HEADER_WIRE_END]:
                return READ, at, NONE
            return NON_IP, at, NONE
    odd(found, LAYERS_DEPTH, LABELS_LIMIT + 1, LABELS_LIMIT)
    return MALFORMED, at, NONE


@part
def _pppoe(data, at, found):
    """A session's frame of PPP over Ethernet (RFC 2516, section 4)."""
    if at + 6 > found[HEADER_END]:
        return link_cut(found, PPPOE_BYTES, at), at, NONE
    if data[at] != 0x11 or data[at + 1] != 0:
        return NON_IP, at, NONE
    enclose(found, at + 6 + word(data, at + 4))
    return NEXT, at + 6, PPP


@part
def _by_ethertype(data, at, ethertype, found):
    """Skip VLAN tags and SNAP from an ethertype, or length, on."""
    end, tags = found[HEADER_END], NONE
    while ethertype == 0x8100 or ethertype == 0x88A8 or ethertype == 0x9100:
        tags += 1
        if tags > VLAN_TAGS_LIMIT:
            odd(found, VLAN_DEPTH, tags, VLAN_TAGS_LIMIT)
            return MALFORMED, at, NONE
        if at + 4 > end:
            return link_cut(found, TAG_BYTES, at), at, NONE
        ethertype = word(data, at + 2)
        at += 4
    if ethertype < LOWEST_ETHERTYPE:
        if at + 2 <= end and (data[at] != 0xAA or data[at + 1] != 0xAA):
            return NON_IP, at, NONE
        if at + 8 > found[HEADER_WIRE_END]:
            return NON_IP, at, NONE
        if at + 8 > end:
            return link_cut(found, SNAP_BYTES, at), at, NONE
        if word(data, at + 3):
            return NON_IP, at, NONE
        ethertype = word(data, at + 6)
        at += 8
    if ethertype == ETHERTYPE_IPV4 or ethertype == ETHERTYPE_IPV6:
        return READ, at, NONE
    if ethertype == ETHERTYPE_MPLS or ethertype == ETHERTYPE_MPLS_MULTICAST:
        return _labels(data, at, found)
    if ethertype == ETHERTYPE_PPPOE:
        return _pppoe(data, at, found)
    if ethertype == ETHERTYPE_PPP:
        return NEXT, at, PPP
    if ethertype == ETHERTYPE_ETHERNET:
        return NEXT, at, ETHERNET
    if ethertype == ETHERTYPE_FABRIC:
        return NEXT, at + FABRIC_BYTES, ETHERNET
    return NON_IP, at, NONE


@part
def _ppp(data, at, found):
    """PPP with or without address and control, or Cisco's framing in its place (RFC 1547)."""
    if at + 4 > found[HEADER_END]:
        return link_cut(found, PPP_BYTES, at), at, NONE
    if (data[at] == 0x0F or data[at] == 0x8F) and data[at + 1] == 0:
        return NEXT, at, CISCO
    if data[at] == 0xFF and data[at + 1] == 3:
        at += 2
    protocol = np.int64(data[at])
    if protocol & 1:
        at += 1
    else:
        protocol = word(data, at)
        at += 2
    if protocol == PPP_IPV4 or protocol == PPP_IPV6:
        return READ, at, NONE
    if protocol == PPP_MPLS or protocol == PPP_MPLS_MULTICAST:
        return NEXT, at, BY_ETHERTYPE | ETHERTYPE_MPLS
    return NON_IP, at, NONE


@part
def _cisco(data, at, found):
    if at + 4 > found[HEADER_END]:
        return link_cut(found, CISCO_BYTES, at), at, NONE
    return NEXT, at + 4, BY_ETHERTYPE | word(data, at + 2)


@part
def _cooked(data, at, found, is_second):
    """Linux cooked frames of both versions; some devices have no protocol but IP."""
    size = SLL2_BYTES if is_second else SLL_BYTES
    if at + size > found[HEADER_END]:
        return link_cut(found, size, at), at, NONE
    if is_second:
        direction, ethertype, device = np.int64(data[at + 10]), word(data, at), word(data, at + 8)
        length, address = np.int64(data[at + 11]), at + 12
    else:
        direction, ethertype, device = word(data, at), word(data, at + 14), word(data, at + 2)
        length, address = word(data, at + 4), at + 6
    found[HEADER_MAC] = mac(data, address) if length == 6 else np.int64(-1)
    if direction == 4:
        found[HEADER_OUTBOUND] = 2
    elif direction == 0:
        found[HEADER_OUTBOUND] = 1
    at += size
    if (
        ethertype == 0
        and (device == DEVICE_PPP or device == DEVICE_RAW or device == DEVICE_NONE)
        and is_ip(data, at, found[HEADER_END], found[HEADER_WIRE_END])
    ):
        return READ, at, NONE
    return NEXT, at, BY_ETHERTYPE | ethertype


@part
def _swapped(number):
    return (
        (number & 0xFF) << 24 | (number & 0xFF00) << 8 | number >> 8 & 0xFF00 | number >> 24 & 0xFF
    )


@part
def _family(data, at, found, is_any_order):
    """An address family in four octets; some loopbacks write an ethertype in its place."""
    if at + 4 > found[HEADER_END]:
        return link_cut(found, FAMILY_BYTES, at), at, NONE
    family = long_word(data, at)
    if is_any_order and family > 0xFFFF:
        swapped = _swapped(family)
        family = swapped if swapped <= 0xFFFF else family & 0xFFFF
    if (
        family == 2
        or family == 10
        or family == 23
        or family == 24
        or family == 28
        or family == 30
        or family == ETHERTYPE_IPV4
        or family == ETHERTYPE_IPV6
    ):
        return READ, at + 4, NONE
    return NON_IP, at, NONE


@part
def _header(data, at, what, found):
    """Read one link header: (outcome or NEXT, place behind it, what stands there)."""
    if what == ETHERNET:
        return _ethernet(data, at, found)
    if what == RAW or what == IPV4 or what == IPV6 or what == RAW_BSD or what == RAW_OPENBSD:
        return READ, at, NONE
    if what >= BY_ETHERTYPE:
        return _by_ethertype(data, at, what & 0xFFFF, found)
    if what == SLL or what == SLL2:
        return _cooked(data, at, found, what == SLL2)
    if what == NULL or what == LOOP:
        return _family(data, at, found, what == NULL)
    if what == PPP or what == PPP_HDLC:
        return _ppp(data, at, found)
    if what == PPP_ETHERNET:
        return _pppoe(data, at, found)
    if what == CISCO:
        return _cisco(data, at, found)
    if what == WIRELESS or what == WIRELESS_PADDED or what == WIRELESS_SWAPPED:
        outcome, at = wireless(data, at, what, found)
        return NEXT if outcome == READ else outcome, at, BY_ETHERTYPE
    if what == RADIOTAP or what == PRISM or what == AVS or what == PPI:
        outcome, at, what = tool_header(data, at, what, found)
        return NEXT if outcome == READ else outcome, at, what
    odd(found, LINK_TYPE_UNKNOWN, what, NONE)
    return NON_IP, at, NONE


@part
def link(data, at, what, found):
    """Read link headers from one of a kind on: (outcome, place of the IP header)."""
    while True:
        outcome, at, what = _header(data, at, what, found)
        if outcome != NEXT:
            return outcome, at
        if what < BY_ETHERTYPE:
            found[HEADER_LAYERS] += 1
            if found[HEADER_LAYERS] > LAYERS_LIMIT:
                odd(found, LAYERS_DEPTH, LAYERS_LIMIT + 1, LAYERS_LIMIT)
                return MALFORMED, at
