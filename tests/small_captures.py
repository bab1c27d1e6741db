"""Builds small captures: frames of a household with a phone, and files of every container."""

import gzip
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

SECOND = 1_000_000_000
BEGIN = 1_790_600_000 * SECOND  # 2026-09-28T13:33:20Z

PHONE, PHONE_SIX = "192.168.43.17", "fd00:43::17"
ROUTER, LAPTOP, PRINTER = "192.168.43.1", "192.168.43.23", "192.168.43.29"
REMOTE, OTHER_REMOTE, REMOTE_SIX = "52.23.61.14", "113.96.232.10", "2a01:4f8:c17:b0f::2"
PHONE_MAC, ROUTER_MAC, LAPTOP_MAC = "0a1b2c3d4e17", "0200430000fe", "06a1b2c3d423"
HOST = "api.parrot.example"

FIN, SYN, PUSH, ACK = 1, 2, 8, 16
ETHERNET, RAW, SLL = 1, 101, 113


@dataclass(frozen=True)
class Frame:
    """One frame: its octets, its time in ns (None: the file gives it none), its true length."""

    octets: bytes
    time: int | None = BEGIN
    length: int | None = None
    flags: int | None = None  # pcapng epb_flags
    comment: bytes | None = None  # pcapng opt_comment

    def at(self, seconds: float) -> "Frame":
        return replace(self, time=BEGIN + round(seconds * SECOND))


def packet(sender: str, receiver: str, protocol: int, body: bytes, *, hops: int = 64) -> bytes:
    """An IP packet of the version of its addresses."""
    source, target = ip_address(sender), ip_address(receiver)
    if source.version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 7, 0, hops, protocol, 0)
    else:
        head = struct.pack("!IHBB", 6 << 28, len(body), protocol, hops)
    return head + source.packed + target.packed + body


def tcp(  # noqa: PLR0913 - the fields of a segment
    sender: tuple[str, int],
    receiver: tuple[str, int],
    payload: bytes = b"",
    *,
    seq: int = 1,
    ack: int = 1,
    flags: int = PUSH | ACK,
    hops: int = 64,
) -> bytes:
    head = struct.pack("!HHIIBBHHH", sender[1], receiver[1], seq, ack, 0x50, flags, 65_535, 0, 0)
    return packet(sender[0], receiver[0], 6, head + payload, hops=hops)


def udp(
    sender: tuple[str, int], receiver: tuple[str, int], payload: bytes, *, hops: int = 64
) -> bytes:
    head = struct.pack("!HHHH", sender[1], receiver[1], 8 + len(payload), 0)
    return packet(sender[0], receiver[0], 17, head + payload, hops=hops)


def ethernet(octets: bytes, sender: str = PHONE_MAC, receiver: str = ROUTER_MAC) -> Frame:
    kind = "0800" if octets[0] >> 4 == 4 else "86dd"
    return Frame(bytes.fromhex(receiver + sender + kind) + octets)


def cooked(octets: bytes, packet_type: int, sender: str = PHONE_MAC) -> Frame:
    """A frame as Linux cooked capture writes it; type 4 was sent by us, type 0 came to us."""
    kind = 0x0800 if octets[0] >> 4 == 4 else 0x86DD
    head = struct.pack("!HHH", packet_type, 1, 6) + bytes.fromhex(sender) + b"\0\0"
    return Frame(head + struct.pack("!H", kind) + octets)


def arp() -> Frame:
    return Frame(bytes.fromhex("ffffffffffff" + LAPTOP_MAC + "0806" + "00" * 28))


def dns_answer(name: str, address: str, number: int = 1) -> bytes:
    """A response with one question and one answer."""
    packed = ip_address(address).packed
    kind = 1 if len(packed) == 4 else 28
    question = _labels(name) + struct.pack("!HH", kind, 1)
    answer = b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(packed)) + packed
    return struct.pack("!HHHHHH", number, 0x8180, 1, 1, 0, 0) + question + answer


def dns_question(name: str, number: int = 1) -> bytes:
    head = struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0)
    return head + _labels(name) + struct.pack("!HH", 1, 1)


def _labels(name: str) -> bytes:
    parts = [part.encode() for part in name.split(".")]
    return b"".join(bytes([len(part)]) + part for part in parts) + b"\0"


def client_hello(name: str) -> bytes:
    """A TLS record with a ClientHello that asks for this name."""
    entry = b"\0" + struct.pack("!H", len(name)) + name.encode()
    listed = struct.pack("!H", len(entry)) + entry
    extension = struct.pack("!HH", 0, len(listed)) + listed
    body = b"\x03\x03" + bytes(32) + b"\0" + b"\0\x02\x13\x01" + b"\x01\0"
    body += struct.pack("!H", len(extension)) + extension
    shake = b"\x01" + len(body).to_bytes(3) + body
    return b"\x16\x03\x01" + struct.pack("!H", len(shake)) + shake


def lookup(name: str, address: str, port: int = 40_000, at: float = 0.0) -> list[Frame]:
    """The phone asks the router for a name, and gets an address."""
    phone, router = (PHONE, port), (ROUTER, 53)
    return [
        ethernet(udp(phone, router, dns_question(name))).at(at),
        ethernet(udp(router, phone, dns_answer(name, address)), ROUTER_MAC, PHONE_MAC).at(at + 0.1),
    ]


def connection(
    local: tuple[str, int],
    remote: tuple[str, int],
    messages: Sequence[tuple[str, bytes]],
) -> list[bytes]:
    """The packets of a TCP connection: opened, these messages (`up` or `down`), closed."""
    seq = {"up": 1_000, "down": 9_000}
    ends = {"up": (local, remote), "down": (remote, local)}
    packets = [
        tcp(local, remote, seq=999, ack=0, flags=SYN),
        tcp(remote, local, seq=8_999, ack=1_000, flags=SYN | ACK),
    ]
    for way, octets in messages:
        other = "down" if way == "up" else "up"
        packets.append(tcp(*ends[way], octets, seq=seq[way], ack=seq[other]))
        seq[way] += len(octets)
    packets.append(tcp(local, remote, seq=seq["up"], ack=seq["down"], flags=FIN | ACK))
    return packets


def household(sent: int = 900) -> list[Frame]:
    """Thirty seconds with everything: names, uploads both ways, again, local, others, ARP."""
    tls = [("up", client_hello(HOST)), ("down", b"d" * 700), ("up", b"u" * sent)]
    api = connection((PHONE, 50_001), (REMOTE, 443), tls)
    push = connection((PHONE_SIX, 50_002), (REMOTE_SIX, 5223), [("up", b"p" * 90)])
    nearby = connection((PHONE, 50_003), (PRINTER, 631), [("up", b"q" * 40), ("down", b"a" * 50)])
    others = connection((LAPTOP, 51_000), (OTHER_REMOTE, 443), [("up", b"o" * 333)])
    frames = [
        *lookup(HOST, REMOTE, at=0.5),
        *(_either_way(octets, (PHONE, PHONE_SIX), PHONE_MAC) for octets in (*api, *push, *nearby)),
        _either_way(api[4], (PHONE,), PHONE_MAC),  # the upload once more
        ethernet(udp((PHONE, 50_004), (OTHER_REMOTE, 8081), b"beacon" * 20)),
        *(_either_way(octets, (LAPTOP,), LAPTOP_MAC) for octets in others),
        arp(),
        ethernet(udp((PHONE, 5353), ("224.0.0.251", 5353), bytes(12))),
    ]
    return [frame.at(place * 30 / len(frames)) for place, frame in enumerate(frames)]


def _either_way(octets: bytes, own: Iterable[str], mac: str) -> Frame:
    """The frame of a packet that an own address sent or got."""
    packed = {ip_address(address).packed for address in own}
    source = octets[12:16] if octets[0] >> 4 == 4 else octets[8:24]
    return (
        ethernet(octets, mac, ROUTER_MAC) if source in packed else ethernet(octets, ROUTER_MAC, mac)
    )


def pcap(
    frames: Iterable[Frame], *, order: str = "<", unit: int = 1_000, link_type: int = ETHERNET
) -> bytes:
    """A classic capture; `unit` is ns per tick: 1000 or 1. A frame without a time gets 0."""
    magic = 0xA1B2C3D4 if unit == 1_000 else 0xA1B23C4D
    data = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link_type)]
    for frame in frames:
        seconds, rest = divmod(frame.time or 0, SECOND)
        lengths = len(frame.octets), frame.length or len(frame.octets)
        data += [struct.pack(order + "IIII", seconds, rest // unit, *lengths), frame.octets]
    return b"".join(data)


def pcapng(
    frames: Iterable[Frame], *, order: str = "<", link_type: int = ETHERNET, resolution: int = 9
) -> bytes:
    """A pcapng capture with one section and one interface, ticks of 10^-resolution seconds."""
    section = struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)
    option = struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    interface = struct.pack(order + "HHI", link_type, 0, 262_144) + option
    blocks = [_block(order, 0x0A0D0D0A, section), _block(order, 1, interface)]
    for frame in frames:
        ticks = (frame.time or 0) // 10 ** (9 - resolution)
        lengths = len(frame.octets), frame.length or len(frame.octets)
        if frame.time is None:  # simple packet block
            blocks.append(_block(order, 3, struct.pack(order + "I", lengths[1]) + frame.octets))
            continue
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, *lengths)
        padded = frame.octets + bytes(-len(frame.octets) % 4)
        tail = b""
        if frame.comment is not None:
            tail += struct.pack(order + "HH", 1, len(frame.comment)) + frame.comment
            tail += bytes(-len(frame.comment) % 4)
        if frame.flags is not None:
            tail += struct.pack(order + "HHI", 2, 4, frame.flags)
        tail += struct.pack(order + "HH", 0, 0) if tail else b""
        blocks.append(_block(order, 6, head + padded + tail))
    return b"".join(blocks)


def _block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def gzipped(octets: bytes, level: int = 9) -> bytes:
    """A gzip member without the hour of its making, so that tests are named alike everywhere."""
    return gzip.compress(octets, level, mtime=0)


def put(path: Path, data: bytes) -> Path:
    """Write a file, compressed if its name says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzipped(data) if path.suffix == ".gz" else data)
    return path
