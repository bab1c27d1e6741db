"""Kernels that read the headers of one packet: IP, TCP, UDP.

Each gets the bytes of the packet that were captured, [at, end), and its length on the wire. A
header that does not fit is `cut` where the wire had it, `malformed` where the wire had not.
"""

import numpy as np

from phonehome.captures.kernels.layout import (
    HEADER_ACKNOWLEDGED,
    HEADER_AT,
    HEADER_END,
    HEADER_FLAGS,
    HEADER_FRAGMENT,
    HEADER_FROM,
    HEADER_GOT,
    HEADER_IDENTITY,
    HEADER_IP,
    HEADER_IS_LAST,
    HEADER_NEEDED,
    HEADER_NETWORK,
    HEADER_ODDITY,
    HEADER_PAYLOAD,
    HEADER_PORT_FROM,
    HEADER_PORT_TO,
    HEADER_PROTOCOL,
    HEADER_SEQUENCE,
    HEADER_TO,
    HEADER_TRANSPORT,
    HEADER_VERSION,
    HEADER_WIRE_END,
)
from phonehome.captures.kernels.machine_code import part
from phonehome.captures.words import OUTCOMES, PACKET_ODDITIES


def kind(layer, name):
    """Place of an oddity in the list, typed: the compiler makes one version per literal."""
    return np.int64(PACKET_ODDITIES.index((layer, name)))


READ = np.int64(OUTCOMES.index("conversation"))
NON_IP = np.int64(OUTCOMES.index("non_ip"))
MALFORMED = np.int64(OUTCOMES.index("malformed"))
CUT = np.int64(OUTCOMES.index("cut"))

LINK_CUT = kind("link", "link_header_cut")
LINK_MALFORMED = kind("link", "link_header_malformed")
NETWORK_CUT = kind("network", "network_header_cut")
NETWORK_MALFORMED = kind("network", "network_header_malformed")
LENGTH_ZERO = kind("network", "ip_length_zero")
LENGTH_BEYOND = kind("network", "ip_length_beyond_frame")
EXTENSION_DEPTH = kind("network", "extension_headers_depth")
TRANSPORT_CUT = kind("transport", "transport_header_cut")
TRANSPORT_MALFORMED = kind("transport", "transport_header_malformed")
UDP_BEYOND = kind("transport", "udp_length_beyond_packet")

EXTENSIONS_LIMIT, EXTENSIONS_BYTES_LIMIT = np.int64(16), 2048
IPV4_BYTES, IPV6_BYTES, EXTENSION_BYTES = np.int64(20), np.int64(40), np.int64(8)
TCP_BYTES, UDP_BYTES = np.int64(20), np.int64(8)
NONE = np.int64(0)
ICMP, TCP, UDP, ICMP6, UDPLITE = 1, 6, 17, 58, 136
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION = 0, 43, 44, 51
DESTINATION, MOBILITY, HOST_IDENTITY, SHIM6 = 60, 135, 139, 140


@part
def word(data, at):
    """Two octets in network order."""
    return np.int64(data[at]) << 8 | np.int64(data[at + 1])


@part
def long_word(data, at):
    """Four octets in network order."""
    return word(data, at) << 16 | word(data, at + 2)


@part
def odd(found, kind, needed, got):
    """Note what is odd in this packet; the first thing stays."""
    if found[HEADER_ODDITY] < 0:
        found[HEADER_ODDITY] = kind
        found[HEADER_NEEDED] = needed
        found[HEADER_GOT] = got


@part
def short(found, kind_cut, kind_malformed, needed, at, end, wire_end):
    """Outcome of a header that needs more bytes than there are between `at` and `end`."""
    if at + needed <= wire_end:
        odd(found, kind_cut, needed, end - at)
        return CUT
    odd(found, kind_malformed, needed, wire_end - at)
    return MALFORMED


@part
def link_cut(found, needed, at):
    """Outcome of a link header that needs more bytes than were captured."""
    return short(found, LINK_CUT, LINK_CUT, needed, at, found[HEADER_END], found[HEADER_WIRE_END])


@part
def enclose(found, stop):
    """Nothing that follows reaches behind `stop`."""
    found[HEADER_WIRE_END] = min(found[HEADER_WIRE_END], stop)
    found[HEADER_END] = min(found[HEADER_END], stop)


@part
def mac(data, at):
    """A link address as a number, -1: all zeros."""
    value = np.int64(0)
    for i in range(6):
        value = value << 8 | np.int64(data[at + i])
    return value or np.int64(-1)


@part
def _length_on_wire(found, claimed, at, wire_end):
    """IP total length: what the header claims, as far as the frame can hold it."""
    rest = wire_end - at
    if claimed == 0:
        odd(found, LENGTH_ZERO, rest, NONE)
        return rest
    if claimed > rest:
        odd(found, LENGTH_BEYOND, claimed, rest)
        return rest
    return claimed


@part
def _ipv4(data, at, end, wire_end, found):
    if at + 20 > end:
        return short(found, NETWORK_CUT, NETWORK_MALFORMED, IPV4_BYTES, at, end, wire_end)
    header = (np.int64(data[at]) & 15) * 4
    claimed = word(data, at + 2)
    if header < 20 or (claimed and claimed < header):
        odd(found, NETWORK_MALFORMED, header, claimed)
        return MALFORMED
    if at + header > end:
        return short(found, NETWORK_CUT, NETWORK_MALFORMED, header, at, end, wire_end)
    found[HEADER_IP] = _length_on_wire(found, claimed, at, wire_end)
    found[HEADER_VERSION] = 4
    found[HEADER_NETWORK] = header
    found[HEADER_PROTOCOL] = data[at + 9]
    fragment = word(data, at + 6)
    if fragment & 0x3FFF:
        found[HEADER_FRAGMENT] = (fragment & 0x1FFF) * 8
        found[HEADER_IS_LAST] = 0 if fragment & 0x2000 else 1
        found[HEADER_IDENTITY] = word(data, at + 4)
    found[HEADER_FROM] = 0
    found[HEADER_FROM + 1] = long_word(data, at + 12)
    found[HEADER_TO] = 0
    found[HEADER_TO + 1] = long_word(data, at + 16)
    return READ


@part
def _long_long(data, at):
    return long_word(data, at) << 32 | long_word(data, at + 4)


@part
def _ipv6(data, at, end, wire_end, found):
    if at + 40 > end:
        return short(found, NETWORK_CUT, NETWORK_MALFORMED, IPV6_BYTES, at, end, wire_end)
    claimed = word(data, at + 4)
    found[HEADER_FROM] = _long_long(data, at + 8)
    found[HEADER_FROM + 1] = _long_long(data, at + 16)
    found[HEADER_TO] = _long_long(data, at + 24)
    found[HEADER_TO + 1] = _long_long(data, at + 32)
    found[HEADER_IP] = _length_on_wire(
        found, claimed + IPV6_BYTES if claimed else NONE, at, wire_end
    )
    found[HEADER_VERSION] = 6
    following, size, headers = np.int64(data[at + 6]), IPV6_BYTES, NONE
    packet_end = at + found[HEADER_IP]
    while (
        following == HOP_BY_HOP
        or following == FRAGMENT
        or following == DESTINATION
        or following == ROUTING
        or following == AUTHENTICATION
        or following == MOBILITY
        or following == HOST_IDENTITY
        or following == SHIM6
    ):
        headers += 1
        if headers > EXTENSIONS_LIMIT or size - 40 > EXTENSIONS_BYTES_LIMIT:
            odd(found, EXTENSION_DEPTH, headers, EXTENSIONS_LIMIT)
            return MALFORMED
        place = at + size
        if place + 8 > end:
            return short(
                found, NETWORK_CUT, NETWORK_MALFORMED, EXTENSION_BYTES, place, end, packet_end
            )
        if following == FRAGMENT:
            fragment = word(data, place + 2)
            if fragment & 0xFFF9:
                found[HEADER_FRAGMENT] = fragment & 0xFFF8
                found[HEADER_IS_LAST] = 0 if fragment & 1 else 1
                found[HEADER_IDENTITY] = long_word(data, place + 4)
            length = 8
        elif following == AUTHENTICATION:
            length = (np.int64(data[place + 1]) + 2) * 4
        else:
            length = (np.int64(data[place + 1]) + 1) * 8
        following = np.int64(data[place])
        size += length
        if at + size > packet_end:
            odd(found, NETWORK_MALFORMED, size, found[HEADER_IP])
            return MALFORMED
        if found[HEADER_FRAGMENT] > 0:
            break
    found[HEADER_NETWORK] = size
    found[HEADER_PROTOCOL] = following
    return READ


@part
def network(data, at, end, wire_end, found):
    """Read the IP header with all that stands before the transport header: the outcome.

    The version is believed where it stands, in the first four bits: some tools write the wrong
    ethertype (pymobiledevice3).
    """
    if at >= end:
        return short(found, NETWORK_CUT, NETWORK_MALFORMED, IPV4_BYTES, at, end, wire_end)
    found[HEADER_AT] = at
    version = data[at] >> 4
    if version == 4:
        return _ipv4(data, at, end, wire_end, found)
    if version == 6:
        return _ipv6(data, at, end, wire_end, found)
    odd(found, NETWORK_MALFORMED, IPV4_BYTES, end - at)
    return MALFORMED


@part
def _tcp(data, at, end, size, found):
    packet_end = at + size
    if at + 20 > end or size < 20:
        return short(
            found,
            TRANSPORT_CUT,
            TRANSPORT_MALFORMED,
            TCP_BYTES,
            at,
            min(end, packet_end),
            packet_end,
        )
    header = (np.int64(data[at + 12]) >> 4) * 4
    if header < 20 or header > size:
        odd(found, TRANSPORT_MALFORMED, header, size)
        return MALFORMED
    found[HEADER_SEQUENCE] = long_word(data, at + 4)
    found[HEADER_ACKNOWLEDGED] = long_word(data, at + 8)
    found[HEADER_FLAGS] = data[at + 13]
    found[HEADER_TRANSPORT] = header
    found[HEADER_PAYLOAD] = size - header
    return READ


@part
def _udp(data, at, end, size, found):
    packet_end = at + size
    if at + 8 > end or size < 8:
        return short(
            found,
            TRANSPORT_CUT,
            TRANSPORT_MALFORMED,
            UDP_BYTES,
            at,
            min(end, packet_end),
            packet_end,
        )
    claimed = word(data, at + 4)
    if claimed and claimed < 8 and found[HEADER_PROTOCOL] == UDP:
        odd(found, TRANSPORT_MALFORMED, UDP_BYTES, claimed)
        return MALFORMED
    found[HEADER_TRANSPORT] = 8
    found[HEADER_PAYLOAD] = size - 8
    if found[HEADER_PROTOCOL] == UDP and claimed and found[HEADER_FRAGMENT] < 0:
        if claimed > size:
            odd(found, UDP_BEYOND, claimed, size)
        else:
            found[HEADER_PAYLOAD] = claimed - 8
    return READ


@part
def transport(data, end, found):
    """Read the transport header: the outcome. A later fragment is payload all through.

    Payload of a protocol other than TCP and UDP is what stands behind the IP header; of ICMP
    only what an echo carries, behind its eight octets: the rest is control.
    """
    at = found[HEADER_AT] + found[HEADER_NETWORK]
    size = found[HEADER_IP] - found[HEADER_NETWORK]
    protocol = found[HEADER_PROTOCOL]
    if found[HEADER_FRAGMENT] > 0:
        found[HEADER_PAYLOAD] = size
        return READ
    if protocol == TCP or protocol == UDP or protocol == UDPLITE:
        if at + 4 <= end and size >= 4:
            found[HEADER_PORT_FROM] = word(data, at)
            found[HEADER_PORT_TO] = word(data, at + 2)
        if protocol == TCP:
            return _tcp(data, at, end, size, found)
        return _udp(data, at, end, size, found)
    found[HEADER_PAYLOAD] = size
    if protocol == ICMP or protocol == ICMP6:
        request = 8 if protocol == ICMP else 128
        reply = 0 if protocol == ICMP else 129
        is_echo = at < end and size > 8 and (data[at] == request or data[at] == reply)
        found[HEADER_TRANSPORT] = 8 if is_echo else size
        found[HEADER_PAYLOAD] = size - found[HEADER_TRANSPORT]
    return READ
