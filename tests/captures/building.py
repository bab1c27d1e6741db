"""Builds captures of a few bytes: layers of a packet, records, pcap and pcapng files.

Layers nest, the outermost first: `bytes(Ethernet(Ipv4(Udp(b"hello"))))`.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, IPv6Address
from typing import Literal, SupportsBytes

PHONE, REMOTE = "192.168.1.5", "203.0.113.7"
PHONE6, REMOTE6 = "fd00::5", "2001:db8::7"
PHONE_MAC, REMOTE_MAC = bytes.fromhex("020000000005"), bytes.fromhex("020000000007")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
IP_IN_IP, IPV6_IN_IP = 4, 41
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60
ETHERNET, NULL, LOOP, RAW, SLL, SLL2 = 1, 0, 108, 101, 113, 276
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND
Order = Literal["<", ">"]


@dataclass(frozen=True)
class Tcp:
    """A TCP segment; `header_words` lies about the length of its header."""

    payload: bytes = b""
    from_port: int = 50_000
    to_port: int = 443
    sequence: int = 1_000
    flags: int = ACK
    options: bytes = b""
    header_words: int | None = None
    protocol = TCP

    def __bytes__(self) -> bytes:
        words = 5 + len(self.options) // 4 if self.header_words is None else self.header_words
        ports = struct.pack(">HH", self.from_port, self.to_port)
        numbers = struct.pack(">II", self.sequence & 0xFFFFFFFF, 0)
        rest = struct.pack(">BBHHH", words << 4 & 0xFF, self.flags, 1024, 0, 0)
        return ports + numbers + rest + self.options + self.payload


@dataclass(frozen=True)
class Udp:
    """A UDP datagram; `length` lies about its length."""

    payload: bytes = b""
    from_port: int = 50_000
    to_port: int = 4_433
    length: int | None = None
    protocol = UDP

    def __bytes__(self) -> bytes:
        length = 8 + len(self.payload) if self.length is None else self.length
        return struct.pack(">HHHH", self.from_port, self.to_port, length, 0) + self.payload


@dataclass(frozen=True)
class Icmp:
    """An ICMP message of a type, with what follows its first four octets."""

    kind: int
    body: bytes = bytes(4)
    protocol: int = ICMP

    def __bytes__(self) -> bytes:
        return bytes([self.kind, 0, 0, 0]) + self.body


@dataclass(frozen=True)
class Raw:
    """Bytes as they are, under a protocol number."""

    octets: bytes
    protocol: int = 253

    def __bytes__(self) -> bytes:
        return self.octets


Transport = Tcp | Udp | Icmp | Raw


@dataclass(frozen=True)
class Ipv4:
    """An IPv4 packet; `total` and `header_words` lie about its lengths."""

    inner: "Transport | Ip"
    source: str = PHONE
    to: str = REMOTE
    options: bytes = b""
    identity: int = 0
    offset: int = 0
    is_more: bool = False
    total: int | None = None
    header_words: int | None = None
    ethertype = 0x0800
    protocol = IP_IN_IP

    def __bytes__(self) -> bytes:
        payload = bytes(self.inner)
        words = 5 + len(self.options) // 4 if self.header_words is None else self.header_words
        total = 20 + len(self.options) + len(payload) if self.total is None else self.total
        fragment = self.offset // 8 | (0x2000 if self.is_more else 0)
        first = struct.pack(">BBHHH", 0x40 | words, 0, total, self.identity, fragment)
        middle = struct.pack(">BBH", 64, self.inner.protocol, 0)
        ends = IPv4Address(self.source).packed + IPv4Address(self.to).packed
        return first + middle + ends + self.options + payload


@dataclass(frozen=True)
class Extension:
    """An IPv6 extension header of a kind: 8 octets and 8 (authentication: 4) per unit."""

    kind: int
    units: int = 0

    def after(self, following: int) -> bytes:
        if self.kind == AUTHENTICATION:
            return bytes([following, self.units + 1]) + bytes(6 + 4 + 4 * self.units)
        return bytes([following, self.units]) + bytes(6 + 8 * self.units)


@dataclass(frozen=True)
class Fragment:
    """An IPv6 fragment header."""

    offset: int = 0
    is_more: bool = False
    identity: int = 0
    kind = FRAGMENT

    def after(self, following: int) -> bytes:
        field = self.offset | (1 if self.is_more else 0)
        return struct.pack(">BBHI", following, 0, field, self.identity)


@dataclass(frozen=True)
class Ipv6:
    """An IPv6 packet with extension headers; `length` lies about its payload length."""

    inner: "Transport | Ip"
    source: str = PHONE6
    to: str = REMOTE6
    extensions: tuple[Extension | Fragment, ...] = ()
    length: int | None = None
    ethertype = 0x86DD
    protocol = IPV6_IN_IP

    def __bytes__(self) -> bytes:
        kinds = [extension.kind for extension in self.extensions] + [self.inner.protocol]
        pairs = zip(self.extensions, kinds[1:], strict=True)
        behind = b"".join(extension.after(following) for extension, following in pairs)
        behind += bytes(self.inner)
        length = len(behind) if self.length is None else self.length
        ends = IPv6Address(self.source).packed + IPv6Address(self.to).packed
        return struct.pack(">IHBB", 0x60000000, length, kinds[0], 64) + ends + behind


Ip = Ipv4 | Ipv6


@dataclass(frozen=True)
class Ethernet:
    """An Ethernet frame; `tags` are the ethertypes of VLAN tags, the outermost first."""

    inner: Ip | bytes
    tags: tuple[int, ...] = ()
    ethertype: int | None = None
    source: bytes = PHONE_MAC
    to: bytes = REMOTE_MAC
    trailer: bytes = b""

    def __bytes__(self) -> bytes:
        tags = b"".join(struct.pack(">HH", tag, 7) for tag in self.tags)
        kind = struct.pack(">H", _ethertype(self.inner, self.ethertype))
        return self.to + self.source + tags + kind + bytes(self.inner) + self.trailer


def _ethertype(inner: Ip | bytes, stated: int | None) -> int:
    if stated is not None:
        return stated
    return 0x0806 if isinstance(inner, bytes) else inner.ethertype


@dataclass(frozen=True)
class Sll:
    """A Linux cooked frame of the first version; packet type 4 is outgoing, 0 to us."""

    inner: Ip
    packet_type: int = 0
    address: bytes = PHONE_MAC

    def __bytes__(self) -> bytes:
        address = self.address.ljust(8, b"\0")
        head = struct.pack(">HHH", self.packet_type, 1, len(self.address))
        return head + address + struct.pack(">H", self.inner.ethertype) + bytes(self.inner)


@dataclass(frozen=True)
class Sll2:
    """A Linux cooked frame of the second version."""

    inner: Ip
    packet_type: int = 0
    address: bytes = PHONE_MAC

    def __bytes__(self) -> bytes:
        head = struct.pack(
            ">HHIHBB", self.inner.ethertype, 0, 3, 1, self.packet_type, len(self.address)
        )
        return head + self.address.ljust(8, b"\0") + bytes(self.inner)


@dataclass(frozen=True)
class Family:
    """A frame behind four octets of address family (link types 0 and 108)."""

    inner: Ip
    family: int = 2
    order: Order = ">"

    def __bytes__(self) -> bytes:
        return struct.pack(f"{self.order}I", self.family) + bytes(self.inner)


@dataclass(frozen=True)
class Record:
    """A packet as it lies in a file: what was captured, how long it was, when it came.

    What only pcapng says: flags, and how many packets were lost before it.
    """

    octets: bytes
    time: int = START
    original: int | None = None
    flags: int | None = None
    drops: int | None = None

    @property
    def length(self) -> int:
        return len(self.octets) if self.original is None else self.original

    def snapped(self, snaplen: int) -> "Record":
        return replace(self, octets=self.octets[:snaplen], original=self.length)


def records(*frames: SupportsBytes, time: int = START, step: int = SECOND) -> list[Record]:
    """Whole frames, one after the other, in steps of time."""
    return [Record(bytes(frame), time + i * step) for i, frame in enumerate(frames)]


@dataclass(frozen=True)
class Pcap:
    """How a classic file is written."""

    link_type: int = ETHERNET
    order: Order = "<"
    is_nano: bool = False
    is_kuznetzov: bool = False
    snaplen: int = 262_144
    version: tuple[int, int] = (2, 4)

    @property
    def record_header(self) -> int:
        return 24 if self.is_kuznetzov else 16

    def header(self) -> bytes:
        magic = 0xA1B23C4D if self.is_nano else 0xA1B2CD34 if self.is_kuznetzov else 0xA1B2C3D4
        numbers = (magic, *self.version, 0, 0, self.snaplen, self.link_type)
        return struct.pack(f"{self.order}IHHIIII", *numbers)

    def record(self, record: Record) -> bytes:
        second, rest = divmod(record.time, SECOND)
        fraction = rest if self.is_nano else rest // 1_000
        numbers = (second, fraction, len(record.octets), record.length)
        more = bytes(8) if self.is_kuznetzov else b""
        return struct.pack(f"{self.order}IIII", *numbers) + more + record.octets

    def file(self, written: Iterable[Record]) -> bytes:
        return self.header() + b"".join(self.record(record) for record in written)


def pcap(*frames: SupportsBytes, link_type: int = ETHERNET) -> bytes:
    """A classic file of whole frames, a second apart."""
    return Pcap(link_type=link_type).file(records(*frames))


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)


@dataclass(frozen=True)
class Pcapng:
    """How blocks are written: all numbers in one order."""

    order: Order = "<"

    def option(self, code: int, value: bytes) -> bytes:
        return struct.pack(f"{self.order}HH", code, len(value)) + _padded(value)

    def block(self, kind: int, body: bytes) -> bytes:
        length = 12 + len(_padded(body))
        ends = struct.pack(f"{self.order}I", length)
        return struct.pack(f"{self.order}I", kind) + ends + _padded(body) + ends

    def section(self, options: bytes = b"") -> bytes:
        body = struct.pack(f"{self.order}IHHq", 0x1A2B3C4D, 1, 0, -1)
        return self.block(0x0A0D0D0A, body + options)

    def interface(
        self,
        link_type: int = ETHERNET,
        snaplen: int = 0,
        resolution: int | None = None,
        offset: int | None = None,
    ) -> bytes:
        options = b""
        if resolution is not None:
            options += self.option(9, bytes([resolution]))
        if offset is not None:
            options += self.option(14, struct.pack(f"{self.order}q", offset))
        if options:
            options += self.option(0, b"")
        body = struct.pack(f"{self.order}HHI", link_type, 0, snaplen)
        return self.block(1, body + options)

    def stamp(self, number: int) -> bytes:
        return struct.pack(f"{self.order}II", number >> 32, number & 0xFFFFFFFF)

    def packet(self, record: Record, interface: int = 0, stamp: int | None = None) -> bytes:
        """An enhanced packet block; without a stamp of its own, its time in microseconds."""
        number = record.time // 1_000 if stamp is None else stamp
        lengths = struct.pack(f"{self.order}II", len(record.octets), record.length)
        head = struct.pack(f"{self.order}I", interface) + self.stamp(number) + lengths
        options = b""
        if record.flags is not None:
            options = self.option(1, b"said by a test")
            options += self.option(2, struct.pack(f"{self.order}I", record.flags))
        if record.drops is not None:
            options += self.option(4, struct.pack(f"{self.order}Q", record.drops))
        options += self.option(0, b"") if options else b""
        return self.block(6, head + _padded(record.octets) + options)

    def simple_packet(self, record: Record) -> bytes:
        return self.block(3, struct.pack(f"{self.order}I", record.length) + record.octets)

    def old_packet(self, record: Record, interface: int = 0, drops: int = 0) -> bytes:
        lengths = struct.pack(f"{self.order}II", len(record.octets), record.length)
        head = struct.pack(f"{self.order}HH", interface, drops)
        return self.block(2, head + self.stamp(record.time // 1_000) + lengths + record.octets)

    def names(self) -> bytes:
        return self.block(4, struct.pack(f"{self.order}HH", 0, 0))

    def statistics(self, interface: int = 0, drops: int | None = None) -> bytes:
        options = b""
        if drops is not None:
            options = self.option(5, struct.pack(f"{self.order}Q", drops)) + self.option(0, b"")
        body = struct.pack(f"{self.order}I", interface) + self.stamp(START // 1_000)
        return self.block(5, body + options)

    def secrets(self) -> bytes:
        line = b"CLIENT_RANDOM 00 00\n"
        return self.block(10, struct.pack(f"{self.order}II", 0x544C534B, len(line)) + line)

    def custom(self) -> bytes:
        return self.block(0xBAD, struct.pack(f"{self.order}I", 62_652) + b"said by no one")

    def file(self, *frames: SupportsBytes, link_type: int = ETHERNET) -> bytes:
        """One section, one interface, whole frames a second apart."""
        packets = b"".join(self.packet(record) for record in records(*frames))
        return self.section() + self.interface(link_type) + packets


@dataclass(frozen=True)
class Snoop:
    """How a file of snoop is written; `padding` is what a record is rounded up to."""

    data_link: int = 4
    version: int = 2
    padding: int = 4

    def header(self) -> bytes:
        return b"snoop\0\0\0" + struct.pack(">II", self.version, self.data_link)

    def record(self, record: Record, drops: int = 0) -> bytes:
        second, rest = divmod(record.time, SECOND)
        padding = bytes(-len(record.octets) % self.padding)
        length = 24 + len(record.octets) + len(padding)
        numbers = (record.length, len(record.octets), length, drops, second, rest // 1_000)
        return struct.pack(">6I", *numbers) + record.octets + padding

    def file(self, *written: Record, drops: tuple[int, ...] = ()) -> bytes:
        counts = drops or (0,) * len(written)
        pairs = zip(written, counts, strict=True)
        return self.header() + b"".join(self.record(record, count) for record, count in pairs)
