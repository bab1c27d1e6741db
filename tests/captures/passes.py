"""Reads a set of captures and writes what every table says, for one pass to hold to another.

Run as `python -m tests.captures.passes FILE` under the environment of the pass.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path

from phonehome.captures.errors import CaptureError
from phonehome.captures.kernels.machine_code import machine
from phonehome.captures.limits import Limits
from tests.captures.building import (
    NULL,
    RAW,
    SLL,
    SLL2,
    SYN,
    Ethernet,
    Extension,
    Family,
    Fragment,
    Icmp,
    Ipv4,
    Ipv6,
    Order,
    Pcap,
    Pcapng,
    Raw,
    Record,
    Sll,
    Sll2,
    Snoop,
    Tcp,
    Udp,
    records,
)
from tests.captures.carriers import (
    avs,
    capwap,
    cisco,
    erspan2,
    erspan3,
    geneve,
    gre,
    gtp,
    mpls,
    ppi,
    ppp,
    pppoe,
    pptp,
    prism,
    radiotap,
    snap,
    teredo,
    vxlan,
    wireless,
)
from tests.captures.initials import V2, crypto, initial
from tests.captures.payloads import dns_answer, hello
from tests.captures.reader import Tables, narrow, read, read_path

SAMPLES = Path(__file__).resolve().parents[2] / "captures/samples"
HELLO = hello(b"app.example")
PACKETS = [
    Ipv4(Udp(b"hello")),
    Ipv4(Tcp(sequence=2**32 - 5, flags=SYN)),
    Ipv4(Tcp(HELLO[:70], sequence=2**32 - 4)),
    Ipv4(Tcp(HELLO[70:], sequence=66, options=bytes(12)), options=bytes(40)),
    Ipv4(Tcp(HELLO, sequence=2**32 - 4)),
    Ipv4(Tcp(b"GET /a HTTP/1.1\r\nHost: b.example\r\n\r\n", 5, 80, sequence=2**31)),
    Ipv4(Tcp(b"late", 5, 80, sequence=2**31 + 400)),
    Ipv4(Tcp(b"later", 5, 80, sequence=2**31 + 200)),
    Ipv4(Icmp(8, bytes(40))),
    Ipv4(Udp(bytes(40)), identity=9, is_more=True),
    Ipv4(Raw(bytes(40), 17), identity=9, offset=48),
    Ipv6(Udp(bytes(40)), extensions=(Extension(0, 3), Extension(51, 2), Extension(60))),
    Ipv6(Raw(bytes(40), 17), extensions=(Fragment(48, identity=77),)),
    Ipv6(Udp(bytes(40)), extensions=(Extension(60), Fragment(is_more=True, identity=77))),
    Ipv6(Tcp(b"\xff" * 16), source="ffff:ffff::ffff", to="8000::1"),
    Ipv4(Udp(initial(crypto(0, HELLO[5:70]), number=0), to_port=443)),
    Ipv4(Udp(initial(crypto(65, HELLO[70:]), number=1), to_port=443)),
    Ipv6(Udp(initial(crypto(0, HELLO[5:]), version=V2, width=4), to_port=8_853)),
    Ipv6(Udp(b"\x0d" + bytes(8) + b"Q043" + bytes(30), to_port=443)),
]
INNER = PACKETS[0]
WIRELESS = wireless(snap(INNER))
CARRIED = [
    (1, Ethernet(pppoe(INNER), ethertype=0x8864)),
    (1, Ethernet(mpls(INNER), ethertype=0x8847)),
    (9, ppp(INNER)),
    (51, pppoe(INNER)),
    (104, cisco(INNER)),
    (105, WIRELESS),
    (119, prism(WIRELESS)),
    (127, radiotap(WIRELESS, (3,), bytes(9))),
    (163, avs(WIRELESS)),
    (192, ppi(WIRELESS)),
    (RAW, Ipv4(Ipv6(INNER))),
    (RAW, Ipv4(gre(INNER, checksum=True, key=True, sequence=True))),
    (RAW, Ipv4(pptp(INNER, is_acknowledged=True))),
    (RAW, Ipv4(erspan2(Ethernet(INNER)))),
    (RAW, Ipv4(erspan3(Ethernet(INNER), is_longer=True))),
    (RAW, Ipv4(Udp(vxlan(Ethernet(INNER)), 9, 4789))),
    (RAW, Ipv4(Udp(geneve(Ethernet(INNER), options=2), 9, 6081))),
    (RAW, Ipv4(Udp(gtp(INNER, 1, 2), 9, 2152))),
    (RAW, Ipv4(Udp(teredo(PACKETS[14], client=2, is_origin=True), 9, 3544))),
    (RAW, Ipv4(Udp(capwap(WIRELESS), 9, 5247))),
]


def mutants(count: int) -> Iterator[Record]:
    """Packets with wrong octets, the same in every pass."""
    chance = random.Random(7)  # noqa: S311 - the same each time is the point
    for number in range(count):
        octets = bytearray(bytes(Ethernet(PACKETS[number % len(PACKETS)])))
        for _ in range(chance.randrange(4)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        kept = octets[: chance.choice([len(octets), chance.randrange(len(octets) + 1)])]
        yield Record(bytes(kept), 10**18 + number, chance.choice([None, len(octets), 2**32 - 1]))


def captures() -> Iterator[tuple[str, bytes]]:
    """Captures in which every kernel has work."""
    frames = [Ethernet(packet, tags=(0x8100,) * (n % 3)) for n, packet in enumerate(PACKETS)]
    frames += [Ethernet(Ipv4(Udp(dns_answer(b"c.example", bytes([203, 0, 113, 9])), 53, 5)))]
    orders: tuple[Order, Order] = ("<", ">")
    for order in orders:
        yield f"pcap {order}", Pcap(order=order, is_nano=True).file(records(*frames, step=10**7))
        written = Pcapng(order)
        packets = records(*frames)
        blocks = [written.section(), written.interface(resolution=0x8A, offset=5)]
        blocks += [written.packet(Record(p.octets, p.time, flags=2, drops=7)) for p in packets]
        blocks += [written.interface(SLL), written.simple_packet(packets[0]), written.names()]
        blocks += [
            written.old_packet(packets[0], drops=5),
            written.statistics(drops=3),
            written.custom(),
        ]
        yield f"pcapng {order}", b"".join(blocks)
        yield f"old {order}", Pcap(order=order, version=(2, 3)).file(records(*frames))
    yield "snoop", Snoop().file(*records(*frames))
    yield "raw", Pcap(RAW).file(records(*PACKETS))
    yield "cooked", Pcap(SLL).file(records(*map(Sll, PACKETS)))
    yield "mutants", Pcap().file(mutants(900))
    for link_type in sorted({number for number, _ in CARRIED}):
        carried = [frame for number, frame in CARRIED if number == link_type]
        yield f"link type {link_type}", Pcap(link_type).file(records(*carried))
    many = [Ethernet(Ipv4(Tcp(bytes(5), n // 4, sequence=70 * (n % 4)))) for n in range(1_200)]
    yield "many", Pcap().file(records(*many))


def cut_short() -> Iterator[bytes]:
    """Files that end inside the headers of their only packet: nothing to read lies behind it."""
    linked = [(RAW, bytes(PACKETS[n])) for n in (0, 3, 8, 9, 11, 12, 13, 14)]
    linked += [(SLL, bytes(Sll(PACKETS[0]))), (SLL2, bytes(Sll2(PACKETS[14])))]
    linked += [(NULL, bytes(Family(PACKETS[0])))]
    linked += [(1, bytes(Ethernet(PACKETS[0], tags=(0x8100,) * 2)))]
    for link_type, octets in linked:
        for end in range(min(len(octets), 72)):
            yield Pcap(link_type).file([Record(octets[:end], original=len(octets))])
    for link_type, frame in CARRIED:
        octets = bytes(frame)
        for end in range(len(octets) - 5):
            yield Pcap(link_type).file([Record(octets[:end], original=len(octets))])


def told(tables: Tables) -> dict[str, str]:
    """Digest of each table, and the capture's row as it is."""
    frames = (tables.packets, tables.conversations, tables.sightings, tables.oddities)
    names = ("packets", "conversations", "sightings", "oddities")
    return {
        **{
            name: hashlib.sha256(repr(frame.rows()).encode()).hexdigest()
            for name, frame in zip(names, frames, strict=True)
        },
        "capture": repr(tables.capture),
        "limits": repr(tables.limits_hit),
    }


def main(out: Path) -> None:
    said: dict[str, object] = {}
    for name, octets in captures():
        said[name] = told(read(octets))
        with narrow():
            said[f"{name}, narrow"] = told(read(octets, Limits(open_gaps=1, conversations=40)))
        for end in (len(octets) // 2, len(octets) - 1):
            try:
                said[f"{name} to {end}"] = told(read(octets[:end]))
            except CaptureError as error:
                said[f"{name} to {end}"] = str(error)
    rows = [read(octets).packets.drop("time").rows() for octets in cut_short()]
    said["cut short"] = hashlib.sha256(repr(rows).encode()).hexdigest()
    sample = SAMPLES / "parrot-2.0/rep1.pcapng"
    said["sample"] = told(read_path(sample))
    said["is compiled"] = machine.entry is not None
    out.write_text(json.dumps(said, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
