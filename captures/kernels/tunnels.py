"""Kernels that find the packet which an IP packet carries.

IP in IP (RFC 2003), IPv6 in IPv4 (RFC 4213), GRE (RFC 2784, 2890; 2637 for PPTP), NVGRE
(RFC 7637), ERSPAN, EtherIP (RFC 3378), MPLS in IP and UDP (RFC 4023, 7510), VXLAN (RFC 7348),
Geneve (RFC 8926), GTP-U (3GPP TS 29.281), Teredo (RFC 4380), CAPWAP (RFC 5415).

What stands inside is told by the number that `links` knows it by. A protocol number promises
a packet; a port only lets one be guessed.
"""

import numpy as np

from phonehome.captures.kernels.headers import UDP, enclose, word
from phonehome.captures.kernels.layout import (
    HEADER_AT,
    HEADER_END,
    HEADER_FRAGMENT,
    HEADER_NETWORK,
    HEADER_PAYLOAD,
    HEADER_PORT_FROM,
    HEADER_PORT_TO,
    HEADER_PROTOCOL,
    HEADER_TRANSPORT,
)
from phonehome.captures.kernels.links import (
    BY_ETHERTYPE,
    ETHERNET,
    ETHERTYPE_MPLS,
    PPP,
    RAW,
    is_ip,
)
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.kernels.wireless import WIRELESS, WIRELESS_SWAPPED

NOTHING = np.int64(-1)
IN_IPV4, IN_IPV6, GRE, ETHER_IP, MPLS_IP = 4, 41, 47, 97, 137
PORT_VXLAN, PORT_VXLAN_LINUX, PORT_GENEVE, PORT_MPLS = 4789, 8472, 6081, 6635
PORT_GTP, PORT_TEREDO, PORT_CAPWAP = 2152, 3544, 5247
LOWEST_PORT, HIGHEST_PORT = 2152, 8472

GRE_CHECKSUM, GRE_ROUTING, GRE_KEY, GRE_SEQUENCE, GRE_ACKNOWLEDGED = 15, 14, 13, 12, 7
GRE_ERSPAN, GRE_ERSPAN3, GRE_PPP = 0x88BE, 0x22EB, 0x880B
ERSPAN3_ETHERNET, ERSPAN3_IP = 0, 2
GTP_PACKET, GTP_EXTENSIONS_LIMIT = 255, np.int64(16)
TEREDO_AUTHENTICATION, TEREDO_ORIGIN = 1, 0


@part
def _erspan3(data, at, end):
    """Behind an ERSPAN header of type III: what it mirrors, and where."""
    if at + 12 > end:
        return NOTHING, at
    rest = word(data, at + 10)
    at += 20 if rest & 1 else 12
    if rest >> 10 & 31 == ERSPAN3_ETHERNET:
        return ETHERNET, at
    if rest >> 10 & 31 == ERSPAN3_IP:
        return RAW, at
    return NOTHING, at


@part
def _point_to_point(data, at, end, flags):
    """Behind a GRE header of version 1: PPP, if the packet carries any (RFC 2637)."""
    if at + 8 > end or not flags >> GRE_SEQUENCE & 1 or word(data, at + 4) == 0:
        return NOTHING, at
    return PPP, at + 12 + 4 * (flags >> GRE_ACKNOWLEDGED & 1)


@part
def _gre(data, at, end):
    if at + 4 > end:
        return NOTHING, at
    flags, protocol = word(data, at), word(data, at + 2)
    if flags & 7 == 1 and protocol == GRE_PPP:
        return _point_to_point(data, at, end, flags)
    if flags & 7 or flags >> GRE_ROUTING & 1:
        return NOTHING, at
    has_sequence = flags >> GRE_SEQUENCE & 1
    at += 4 + 4 * ((flags >> GRE_CHECKSUM & 1) + (flags >> GRE_KEY & 1) + has_sequence)
    if protocol == GRE_ERSPAN:
        return ETHERNET, at + 8 * has_sequence
    if protocol == GRE_ERSPAN3:
        return _erspan3(data, at, end)
    return BY_ETHERTYPE | protocol, at


@part
def _vxlan(data, at, end):
    """The flag says that the network identifier is valid; reserved octets are zero."""
    if at + 8 > end or not data[at] & 8 or data[at + 7]:
        return NOTHING, at
    return ETHERNET, at + 8


@part
def _geneve(data, at, end):
    if at + 8 > end or data[at] >> 6 or data[at + 7]:
        return NOTHING, at
    options = (np.int64(data[at]) & 63) * 4
    return BY_ETHERTYPE | word(data, at + 2), at + 8 + options


@part
def _gtp(data, at, end, wire_end):
    """A user packet behind the header and its extension headers, each of a length in words."""
    if at + 8 > end or data[at] >> 4 != 3 or data[at + 1] != GTP_PACKET:
        return NOTHING, at
    if at + 8 + word(data, at + 2) > wire_end:
        return NOTHING, at
    flags = data[at] & 7
    at += 8
    if flags:
        at += 4
        if at > end:
            return NOTHING, at
        following = data[at - 1] if flags & 4 else 0
        for _ in range(GTP_EXTENSIONS_LIMIT):
            if following == 0:
                break
            if at >= end or data[at] == 0 or at + 4 * np.int64(data[at]) > end:
                return NOTHING, at
            at += 4 * np.int64(data[at])
            following = data[at - 1]
        if following:
            return NOTHING, at
    return (RAW if is_ip(data, at, end, wire_end) else NOTHING), at


@part
def _teredo(data, at, end, wire_end):
    """An IPv6 packet behind what authenticates it and what tells its origin."""
    if at + 13 <= end and word(data, at) == TEREDO_AUTHENTICATION:
        at += 13 + np.int64(data[at + 2]) + np.int64(data[at + 3])
    if at + 8 <= end and word(data, at) == TEREDO_ORIGIN:
        at += 8
    if at < end and data[at] >> 4 == 6 and is_ip(data, at, end, wire_end):
        return RAW, at
    return NOTHING, at


@part
def _capwap(data, at, end):
    """A frame of a station: Ethernet, or 802.11, whose control octets some swap."""
    if at + 8 > end or data[at]:
        return NOTHING, at
    size, flags = (np.int64(data[at + 1]) >> 3) * 4, word(data, at + 2)
    is_native, is_fragment = flags >> 8 & 1, flags >> 7 & 1
    binding = word(data, at + 1) >> 1 & 31
    at += size
    if size < 8 or is_fragment or at + 2 > end:
        return NOTHING, at
    if not is_native:
        return ETHERNET, at
    if binding != 1:
        return NOTHING, at
    return (WIRELESS if data[at] & 0x0F == 8 else WIRELESS_SWAPPED), at


@part
def _is_far(port):
    """Whether a port is none that tunnels use: most are."""
    return port < LOWEST_PORT or port > HIGHEST_PORT


@part
def _in_datagram(data, at, end, wire_end, port_from, port_to):
    if _is_far(port_to) and _is_far(port_from):
        return NOTHING, at
    if port_to == PORT_VXLAN or port_to == PORT_VXLAN_LINUX:
        return _vxlan(data, at, end)
    if port_to == PORT_GENEVE:
        return _geneve(data, at, end)
    if port_to == PORT_MPLS:
        return BY_ETHERTYPE | ETHERTYPE_MPLS, at
    if port_to == PORT_GTP or port_from == PORT_GTP:
        return _gtp(data, at, end, wire_end)
    if port_to == PORT_TEREDO or port_from == PORT_TEREDO:
        return _teredo(data, at, end, wire_end)
    if port_to == PORT_CAPWAP or port_from == PORT_CAPWAP:
        return _capwap(data, at, end)
    return NOTHING, at


@part
def _in_packet(data, at, end, protocol):
    if protocol == IN_IPV4 or protocol == IN_IPV6:
        return RAW, at
    if protocol == GRE:
        return _gre(data, at, end)
    if protocol == MPLS_IP:
        return BY_ETHERTYPE | ETHERTYPE_MPLS, at
    if protocol == ETHER_IP and at + 2 <= end and data[at] == 0x30:
        return ETHERNET, at + 2
    return NOTHING, at


@part
def tunnel(data, found):
    """What the packet carries that was just read: (what, where); NOTHING: no other packet.

    What is found lies within the packet: it bounds what follows. A fragment carries pieces, which
    are counted where they travel.
    """
    protocol = found[HEADER_PROTOCOL]
    at = found[HEADER_AT] + found[HEADER_NETWORK] + found[HEADER_TRANSPORT]
    if found[HEADER_FRAGMENT] >= 0:
        return NOTHING, at
    wire_end = at + found[HEADER_PAYLOAD]
    end = min(found[HEADER_END], wire_end)
    if protocol == UDP:
        port_from, port_to = found[HEADER_PORT_FROM], found[HEADER_PORT_TO]
        what, at = _in_datagram(data, at, end, wire_end, port_from, port_to)
    else:
        what, at = _in_packet(data, at, end, protocol)
    if what != NOTHING:
        enclose(found, wire_end)
    return what, at
