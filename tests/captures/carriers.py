"""Builds what stands around an IP packet: link headers other than Ethernet's, and tunnels.

Each function gives octets; lengths and types follow the document that the kernel names.
"""

import struct
import zlib
from typing import SupportsBytes

from tests.captures.building import PHONE_MAC, REMOTE_MAC, Ethernet, Ip, Ipv6, Raw

ACCESS_POINT = bytes.fromhex("0200000000aa")
GRE, ETHER_IP, MPLS_IP = 47, 97, 137
IPV4_TYPE, IPV6_TYPE, ETHERNET_TYPE, MPLS_TYPE, PPPOE_TYPE = 0x800, 0x86DD, 0x6558, 0x8847, 0x8864


def ppp(packet: Ip, *, is_framed: bool = True, is_short: bool = False) -> bytes:
    number = 0x57 if isinstance(packet, Ipv6) else 0x21
    protocol = bytes([number]) if is_short else struct.pack(">H", number)
    return (b"\xff\x03" if is_framed else b"") + protocol + bytes(packet)


def pppoe(packet: Ip, *, code: int = 0, length: int | None = None) -> bytes:
    session = ppp(packet, is_framed=False)
    return struct.pack(">BBHH", 0x11, code, 7, length or len(session)) + session


def cisco(packet: Ip, first: int = 0x0F) -> bytes:
    return bytes([first, 0]) + struct.pack(">H", packet.ethertype) + bytes(packet)


def mpls(packet: SupportsBytes, *labels: int) -> bytes:
    entries = [label << 12 | 64 for label in labels or (18, 19)]
    entries[-1] |= 0x100
    return b"".join(struct.pack(">I", entry) for entry in entries) + bytes(packet)


def fabric(packet: Ip) -> bytes:
    """Ethernet in Cisco FabricPath: a tag of two octets between two headers."""
    return bytes(12) + b"\x89\x03\x00\x40" + bytes(Ethernet(packet))


def snap(packet: Ip) -> bytes:
    return bytes.fromhex("aaaa03000000") + struct.pack(">H", packet.ethertype) + bytes(packet)


def wireless(  # noqa: PLR0913 - a frame has that many fields
    body: bytes,
    *,
    flags: int = 1,
    subtype: int = 0,
    quality: bytes = b"",
    fragment: int = 0,
    kind: int = 2,
    padding: int = 0,
    is_swapped: bool = False,
) -> bytes:
    """A frame from the phone; `flags` 1 goes to an access point, 2 comes from one, 3 both."""
    addresses = {
        0: REMOTE_MAC + PHONE_MAC + ACCESS_POINT,
        1: ACCESS_POINT + PHONE_MAC + REMOTE_MAC,
        2: REMOTE_MAC + ACCESS_POINT + PHONE_MAC,
        3: ACCESS_POINT + ACCESS_POINT + REMOTE_MAC,
    }[flags & 3]
    control = bytes([subtype << 4 | kind << 2, flags])
    sequence = bytes([fragment, 0x12])
    if is_swapped:
        control, sequence = control[::-1], sequence[::-1]
    last = PHONE_MAC if flags & 3 == 3 else b""
    head = control + bytes(2) + addresses + sequence + last + quality
    return head + bytes(padding) + body


def aggregate(*packets: Ip) -> bytes:
    """Frames of several packets in one (A-MSDU), each at a multiple of four."""
    frames = []
    for packet in packets:
        body = snap(packet)
        frame = REMOTE_MAC + PHONE_MAC + struct.pack(">H", len(body)) + body
        frames.append(frame + bytes(-len(frame) % 4))
    return b"".join(frames)


def radiotap(frame: bytes, present: tuple[int, ...] = (0,), fields: bytes = b"") -> bytes:
    words = b"".join(struct.pack("<I", word) for word in present)
    return struct.pack("<BBH", 0, 0, 4 + len(words) + len(fields)) + words + fields + frame


def prism(frame: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}II", 0x44, 144) + bytes(136) + frame


def avs(frame: bytes) -> bytes:
    return struct.pack(">II", 0x80211001, 64) + bytes(56) + frame


def ppi(frame: bytes, link_type: int = 105) -> bytes:
    return struct.pack("<BBHI", 0, 0, 12, link_type) + bytes(4) + frame


def gre(  # noqa: PLR0913 - the same
    octets: SupportsBytes,
    ethertype: int = IPV4_TYPE,
    *,
    checksum: bool = False,
    key: bool = False,
    sequence: bool = False,
    version: int = 0,
    routing: bool = False,
) -> Raw:
    flags = checksum << 15 | routing << 14 | key << 13 | sequence << 12 | version
    options = b"".join(bytes([9] * 4) for is_there in (checksum, key, sequence) if is_there)
    return Raw(struct.pack(">HH", flags, ethertype) + options + bytes(octets), GRE)


def pptp(packet: Ip, *, is_acknowledged: bool = False, is_empty: bool = False) -> Raw:
    """GRE of version 1, which numbers what carries data, and acknowledges."""
    body = b"" if is_empty else ppp(packet)
    flags = 0x2001 | (0 if is_empty else 0x1000) | is_acknowledged << 7
    head = struct.pack(">HHHH", flags, 0x880B, len(body), 5)
    return Raw(head + bytes(4 * ((not is_empty) + is_acknowledged)) + body, GRE)


def erspan2(frame: SupportsBytes) -> Raw:
    return gre(b"\x10\x01" + bytes(6) + bytes(frame), 0x88BE, sequence=True)


def erspan3(octets: SupportsBytes, kind: int = 0, *, is_longer: bool = False) -> Raw:
    head = b"\x20\x01" + bytes(8) + struct.pack(">H", kind << 10 | is_longer)
    return gre(head + bytes(8 if is_longer else 0) + bytes(octets), 0x22EB, sequence=True)


def vxlan(frame: SupportsBytes, flags: int = 8, reserved: int = 0) -> bytes:
    return bytes([flags, 0, 0, 0, 0, 0, 4, reserved]) + bytes(frame)


def geneve(octets: SupportsBytes, ethertype: int = ETHERNET_TYPE, options: int = 0) -> bytes:
    head = struct.pack(">BBH", options, 0, ethertype) + b"\x00\x00\x09\x00"
    return head + bytes(4 * options) + bytes(octets)


def gtp(
    packet: SupportsBytes,
    *extensions: int,
    flags: int = 0,
    message: int = 255,
    length: int | None = None,
) -> bytes:
    """A user packet; each extension header is as many words long as its number says."""
    option = b""
    if flags or extensions:
        option = b"\x00\x01\x00" + (b"\x85" if extensions else b"\x00")
    for place, words in enumerate(extensions):
        following = 0x85 if place + 1 < len(extensions) else 0
        option += bytes([words]) + bytes(4 * words - 2) + bytes([following])
    body = option + bytes(packet)
    first = 0x30 | flags | (4 if extensions else 0)
    return struct.pack(">BBHI", first, message, len(body) if length is None else length, 9) + body


def teredo(packet: SupportsBytes, *, client: int | None = None, is_origin: bool = False) -> bytes:
    head = b""
    if client is not None:
        head += struct.pack(">HBB", 1, client, 2) + bytes(client + 2 + 9)
    return head + (bytes(8) if is_origin else b"") + bytes(packet)


def capwap(octets: bytes, *, is_native: bool = True, binding: int = 1, more: int = 0) -> bytes:
    """A data message: eight octets of header, and what a station sent."""
    words = 2 + more
    first = words << 19 | 1 << 14 | binding << 9 | is_native << 8
    return (
        struct.pack(">BBH", 0, first >> 16 & 0xFF, first & 0xFFFF) + bytes(4 * words - 4) + octets
    )


def trailer(packet: bytes, uid: int, app: bytes, *, padding: int | None = None) -> bytes:
    """A packet as PCAPdroid writes it with its extensions on."""
    padding = -(14 + len(packet)) % 4 if padding is None else padding
    ethertype = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    frame = bytes(12) + ethertype + packet + bytes(padding)
    frame += struct.pack(">Ii20s", 0x01072021, uid, app)
    return frame + struct.pack("<I", zlib.crc32(frame))
