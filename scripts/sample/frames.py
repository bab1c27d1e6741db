"""Bytes of packets: new addresses with right checksums, Ethernet frames, traffic that is not ours.

Everything here is pure: bytes and numbers in, bytes and numbers out.
"""

import ipaddress
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import dns.message

PHONE_MAC = bytes.fromhex("0a1b2c3d4e17")
ROUTER_MAC = bytes.fromhex("0200430000fe")
LAPTOP_MAC = bytes.fromhex("06a1b2c3d423")
PRINTER_MAC = bytes.fromhex("06a1b2c3d429")
BROADCAST_MAC = b"\xff" * 6

IPV4_TYPE, ARP_TYPE, IPV6_TYPE = 0x0800, 0x0806, 0x86DD
TCP, UDP, ICMPV6 = 6, 17, 58
_CHECKSUM_AT = {TCP: 16, UDP: 6, ICMPV6: 2}
_IPV6_HEADER = 40


@dataclass(frozen=True)
class Anchor:
    """Ties a moment of the recording to a moment of the plan, both in nanoseconds."""

    recorded_ns: int
    planned_ns: int


def spread(recorded_ns: int, anchors: Sequence[Anchor]) -> int:
    """The planned time of a packet: the last anchor before it, plus the real time since.

    Gaps inside a step stay as they were; the time between steps is what grows.

    Raises:
        ValueError: the packet is earlier than the first anchor, or so much later than its own
            that it would pass the next one.
    """
    found = [number for number, anchor in enumerate(anchors) if anchor.recorded_ns <= recorded_ns]
    if not found:
        raise ValueError(f"packet at {recorded_ns} ns is earlier than every step")
    anchor = anchors[found[-1]]
    planned = anchor.planned_ns + recorded_ns - anchor.recorded_ns
    following = anchors[found[-1] + 1 :]
    if following and planned >= following[0].planned_ns:
        raise ValueError(f"packet at {recorded_ns} ns: its step runs into the next one")
    return planned


def internet_checksum(data: bytes) -> int:
    """The 16-bit one's complement sum of RFC 1071, over data of any length."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def readdress(
    packet: bytes, addresses: Mapping[bytes, bytes], hop_limits: Mapping[bytes, int] | None = None
) -> bytes:
    """The IP packet with its addresses replaced, where a replacement is given, and checksums anew.

    What an address sends that has a hop limit (as it is replaced) gets that one: a recording
    network has no routers. Identification, sequence numbers, ports and payload stay as they were.

    Raises:
        ValueError: the packet is neither IPv4 nor IPv6, is a fragment, or carries a protocol whose
            checksum is not known here.
    """
    version = packet[0] >> 4
    if version == 4:  # noqa: PLR2004 - the version field of RFC 791
        source, target = packet[12:16], packet[16:20]
        source, target = addresses.get(source, source), addresses.get(target, target)
        hops = (hop_limits or {}).get(source, packet[8])
        return _ipv4_with(packet, source, target, hops)
    if version == 6:  # noqa: PLR2004 - the version field of RFC 8200
        source, target = packet[8:24], packet[24:40]
        source, target = addresses.get(source, source), addresses.get(target, target)
        hops = (hop_limits or {}).get(source, packet[7])
        return _ipv6_with(packet, source, target, hops)
    raise ValueError(f"IP version: expected 4 or 6, got {version}")


def _ipv4_with(packet: bytes, source: bytes, target: bytes, hops: int) -> bytes:
    if struct.unpack_from("!H", packet, 6)[0] & 0x3FFF:
        raise ValueError("IPv4 packet: expected a whole one, got a fragment")
    length = (packet[0] & 15) * 4
    header = bytearray(packet[:length])
    header[8], header[12:16], header[16:20] = hops, source, target
    header[10:12] = b"\0\0"
    header[10:12] = struct.pack("!H", internet_checksum(bytes(header)))
    pseudo = source + target + struct.pack("!HH", packet[9], len(packet) - length)
    return bytes(header) + _segment_with_checksum(packet[9], pseudo, packet[length:])


def _ipv6_with(packet: bytes, source: bytes, target: bytes, hops: int) -> bytes:
    segment = packet[_IPV6_HEADER:]
    pseudo = source + target + struct.pack("!II", len(segment), packet[6])
    segment = _segment_with_checksum(packet[6], pseudo, segment)
    return packet[:7] + bytes([hops]) + source + target + segment


def _segment_with_checksum(protocol: int, pseudo: bytes, segment: bytes) -> bytes:
    if protocol not in _CHECKSUM_AT:
        raise ValueError(f"protocol: expected one of {sorted(_CHECKSUM_AT)}, got {protocol}")
    at = _CHECKSUM_AT[protocol]
    blank = segment[:at] + b"\0\0" + segment[at + 2 :]
    value = internet_checksum(pseudo + blank)
    if protocol == UDP and value == 0:
        value = 0xFFFF  # zero would say that there is no checksum (RFC 768)
    return blank[:at] + struct.pack("!H", value) + blank[at + 2 :]


def ethernet(packet: bytes, *, source: bytes, target: bytes) -> bytes:
    """The IP packet in an Ethernet frame."""
    kind = IPV4_TYPE if packet[0] >> 4 == 4 else IPV6_TYPE  # noqa: PLR2004 - version field
    return target + source + struct.pack("!H", kind) + packet


def ip_packet(protocol: int, source: str, target: str, segment: bytes, *, hops: int = 64) -> bytes:
    """An IP packet around a transport segment, with right checksums."""
    left, right = ipaddress.ip_address(source).packed, ipaddress.ip_address(target).packed
    if len(left) == 4:  # noqa: PLR2004 - bytes of an IPv4 address
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, hops, protocol, 0)
    else:
        header = struct.pack("!IHBB", 0x60000000, len(segment), protocol, hops)
    return readdress(header + left + right + segment, {})


def udp_segment(source_port: int, target_port: int, payload: bytes) -> bytes:
    """A UDP datagram whose checksum is still to be set."""
    return struct.pack("!HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def tcp_segment(
    ports: tuple[int, int], numbers: tuple[int, int], flags: int, payload: bytes = b""
) -> bytes:
    """A TCP segment without options whose checksum is still to be set."""
    return struct.pack("!HHIIBBHHH", *ports, *numbers, 0x50, flags, 64_240, 0, 0) + payload


def noise(phone_ipv4: str, phone_ipv6: str) -> list[tuple[float, bytes]]:
    """What else is on the air of a hotspot: seconds after the first phase begins, and the frame.

    ARP, DHCP, mDNS and neighbour discovery of the phone, and the talk of two other devices.
    """
    found = [
        *_arrival(phone_ipv4),
        *_local(phone_ipv4, phone_ipv6),
        *_others(),
    ]
    return sorted(found, key=lambda moment: moment[0])


def _arp(operation: int, source: tuple[bytes, str], target: tuple[bytes, str]) -> bytes:
    body = struct.pack("!HHBBH", 1, IPV4_TYPE, 6, 4, operation)
    for mac, address in (source, target):
        body += mac + ipaddress.ip_address(address).packed
    to = BROADCAST_MAC if operation == 1 else target[0]
    return to + source[0] + struct.pack("!H", ARP_TYPE) + body


def _dhcp(kind: int, operation: int, address: str) -> bytes:
    head = struct.pack("!BBBBIHH", operation, 1, 6, 0, 0x17171717, 0, 0)
    own = ipaddress.ip_address(address if operation == 2 else "0.0.0.0").packed  # noqa: PLR2004,S104 - BOOTREPLY; no binding
    head += bytes(4) + own + bytes(8) + PHONE_MAC.ljust(16, b"\0") + bytes(192)
    requested = b"\x32\x04" + ipaddress.ip_address(address).packed if operation == 1 else b""
    return head + b"\x63\x82\x53\x63" + bytes([53, 1, kind]) + requested + b"\xff"


def _arrival(phone: str) -> list[tuple[float, bytes]]:
    request = ip_packet(
        UDP,
        "0.0.0.0",  # noqa: S104 - an unconfigured sender, nothing is bound
        "255.255.255.255",
        udp_segment(68, 67, _dhcp(3, 1, phone)),
    )
    answer = ip_packet(UDP, "192.168.43.1", phone, udp_segment(67, 68, _dhcp(5, 2, phone)))
    router, own, nobody = (ROUTER_MAC, "192.168.43.1"), (PHONE_MAC, phone), bytes(6)
    return [
        (-28.0, ethernet(request, source=PHONE_MAC, target=BROADCAST_MAC)),
        (-27.991, ethernet(answer, source=ROUTER_MAC, target=PHONE_MAC)),
        (-27.5, _arp(1, own, (nobody, "192.168.43.1"))),
        (-27.4985, _arp(2, router, own)),
        (1700.25, _arp(1, router, (nobody, phone))),
        (1700.2531, _arp(2, own, router)),
    ]


def _local(phone_ipv4: str, phone_ipv6: str) -> list[tuple[float, bytes]]:
    query = dns.message.make_query("_googlecast._tcp.local.", "PTR", id=0, flags=0).to_wire()
    mdns = ip_packet(UDP, phone_ipv4, "224.0.0.251", udp_segment(5353, 5353, query), hops=255)
    group = bytes.fromhex("01005e0000fb")
    router = "fe80::43:fe"
    packed = ipaddress.ip_address(phone_ipv6).packed
    solicited = "ff02::1:ff" + f"{packed[13]:02x}:{packed[14]:02x}{packed[15]:02x}"
    asked = struct.pack("!BBHI", 135, 0, 0, 0) + packed + b"\x01\x01" + ROUTER_MAC
    told = struct.pack("!BBHI", 136, 0, 0, 0x60000000) + packed + b"\x02\x01" + PHONE_MAC
    solicitation = ip_packet(ICMPV6, router, solicited, asked, hops=255)
    advertisement = ip_packet(ICMPV6, phone_ipv6, router, told, hops=255)
    group6 = b"\x33\x33\xff" + packed[13:]
    return [
        (12.75, ethernet(mdns, source=PHONE_MAC, target=group)),
        (13.76, ethernet(mdns, source=PHONE_MAC, target=group)),
        (2210.5, ethernet(mdns, source=PHONE_MAC, target=group)),
        (1340.125, ethernet(solicitation, source=ROUTER_MAC, target=group6)),
        (1340.1263, ethernet(advertisement, source=PHONE_MAC, target=ROUTER_MAC)),
    ]


def _others() -> list[tuple[float, bytes]]:
    laptop, printer, site = "192.168.43.23", "192.168.43.29", "140.82.121.4"
    page = ip_packet(UDP, laptop, printer, udp_segment(50_123, 161, bytes(range(48))))
    out, back = (49_811, 443), (443, 49_811)
    up = [
        (1250.0, tcp_segment(out, (7000, 0), 0x02)),
        (1250.031, tcp_segment(out, (7001, 90_001), 0x10)),
        (1250.0312, tcp_segment(out, (7001, 90_001), 0x18, b"\x17\x03\x03\x00\x40" + bytes(64))),
    ]
    down = [
        (1250.0305, tcp_segment(back, (90_000, 7001), 0x12)),
        (1250.062, tcp_segment(back, (90_001, 7070), 0x10)),
    ]
    return [
        (1180.0, ethernet(page, source=LAPTOP_MAC, target=PRINTER_MAC)),
        *[
            (
                at,
                ethernet(
                    ip_packet(TCP, laptop, site, segment), source=LAPTOP_MAC, target=ROUTER_MAC
                ),
            )
            for at, segment in up
        ],
        *[
            (
                at,
                ethernet(
                    ip_packet(TCP, site, laptop, segment), source=ROUTER_MAC, target=LAPTOP_MAC
                ),
            )
            for at, segment in down
        ],
    ]
