"""What tools write around a packet: taken off every count, and read for its owner."""

import struct
from dataclasses import dataclass

import polars as pl
import pytest

from phonehome.captures.limits import Limits
from tests.captures.building import (
    ETHERNET,
    PHONE,
    RAW,
    REMOTE,
    SECOND,
    START,
    Ethernet,
    Ipv4,
    Ipv6,
    Pcap,
    Record,
    Tcp,
    Udp,
    records,
)
from tests.captures.carriers import trailer
from tests.captures.reader import Tables, narrow, read

NFLOG, PKTAP, PKTAP_USER = 239, 258, 149
OUT = bytes(Ipv4(Tcp(b"hello", 50_000, 443, sequence=1), source=PHONE, to=REMOTE))
BACK = bytes(Ipv4(Tcp(b"welcome", 443, 50_000, sequence=1), source=REMOTE, to=PHONE))
OTHER = bytes(Ipv4(Udp(b"question", 50_001, 53), source=PHONE, to=REMOTE))
SIX = bytes(Ipv6(Udp(b"question", 50_002, 53)))


def pktap(packet: bytes, *, dlt: int = 12, flags: int = 2, pid: int = 7, **names: object) -> bytes:
    """A packet behind a PKTAP header of version 1."""
    comm, effective = names.get("comm", b"daemon"), names.get("effective", b"Parrot")
    head = struct.pack(
        "<III24sIIIIi17s3xIHHi17s3xII8s32s",
        *(156, 1, dlt, b"en0", flags, 2, 0, 0, pid, comm, 0, 6, 0),
        *(names.get("epid", 99), effective, 0, 6, b"", b""),
    )
    assert len(head) == 156
    return head + packet


def pktap2(packet: bytes, *, pid: int, epid: int, comm: bytes, effective: bytes) -> bytes:
    """A packet behind a PKTAP header of version 2: names at offsets."""
    names = comm + b"\0" + effective + b"\0"
    length = 40 + len(names)
    head = struct.pack(
        "<BBBBBBHHHHHIIIiiI",
        *(length, 0, 0, 0, 40 if comm else 0, 40 + len(comm) + 1 if effective else 0, 12),
        *(0, 0, 6, 6, 2, 0, 0, pid, epid, 0x80000 | 2),
    )
    assert len(head) == 40
    return head + names + packet


def nflog(packet: bytes, order: str, *, uid: int | None = None, hook: int = 3) -> bytes:
    """A packet among the attributes of NFLOG, lengths and types in this order."""

    def attribute(kind: int, value: bytes) -> bytes:
        return struct.pack(f"{order}HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)

    parts = [attribute(1, struct.pack(">HBx", 0x0800, hook)), attribute(10, b"log\0")]
    if uid is not None:
        parts += [attribute(11, struct.pack(">I", uid)), attribute(14, struct.pack(">I", uid + 1))]
    return struct.pack(">BBH", 2, 0, 0) + b"".join(parts) + attribute(9, packet)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


@dataclass
class Blocks:
    """A pcapng file of packets with options."""

    order: str = "<"
    link_type: int = RAW

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(f"{self.order}I", 12 + len(body))
        return struct.pack(f"{self.order}I", kind) + size + body + size

    def head(self) -> bytes:
        section = struct.pack(f"{self.order}IHHq", 0x1A2B3C4D, 1, 0, -1)
        interface = struct.pack(f"{self.order}HHI", self.link_type, 0, 0)
        return self.block(0x0A0D0D0A, section) + self.block(1, interface)

    def packet(self, packet: bytes, *options: tuple[int, bytes], at: int = 0) -> bytes:
        micros = (START + at * SECOND) // 1000
        fixed = struct.pack(
            f"{self.order}5I", 0, micros >> 32, micros & 0xFFFFFFFF, len(packet), len(packet)
        )
        padded = packet + bytes(-len(packet) % 4)
        tail = b"".join(option(self.order, *one) for one in options)
        return self.block(6, fixed + padded + (tail + bytes(4) if options else b""))

    def uid_map(self, uid: int, package: bytes, name: bytes) -> bytes:
        fixed = struct.pack(f"{self.order}IHBBiBB", 62652, 1, 1, 0, uid, len(package), len(name))
        return self.block(0xBAD, fixed + package + name)

    def process(self, pid: int, name: bytes) -> bytes:
        return self.block(
            0x80000001, struct.pack(f"{self.order}I", pid) + option(self.order, 2, name) + bytes(4)
        )


def owners(tables: Tables) -> list[tuple]:
    """Conversation, frame, source, uid, pid, name, package."""
    table = tables.owners.select("conversation", "frame", "source", "uid", "pid", "name", "package")
    return table.rows()


def assert_bare(tables: Tables, *packets: bytes) -> None:
    """The packets count as they would without anything around them."""
    bare = read(Pcap(RAW).file(records(*packets)))
    counts = pl.exclude("time", "is_outbound")
    assert tables.packets.select(counts).equals(bare.packets.select(counts))
    assert tables.sum("wire_bytes") == sum(map(len, packets))
    ends = pl.exclude("a_mac", "b_mac")
    assert tables.conversations.select(ends).equals(bare.conversations.select(ends))


@pytest.mark.parametrize("padding", [None, 0, 3])
def test_pcapdroids_trailer_counts_nowhere_and_names_the_app(padding) -> None:
    frames = [trailer(p, 10_123, b"org.parrot.chat", padding=padding) for p in (OUT, BACK, SIX)]
    tables = read(Pcap(ETHERNET).file(records(*frames)))
    assert_bare(tables, OUT, BACK, SIX)
    owner = "pcapdroid_trailer", 10_123, None, "org.parrot.chat", None
    assert owners(tables) == [(0, 1, *owner), (1, 3, *owner)]


def test_a_trailer_without_a_user_names_nobody() -> None:
    tables = read(Pcap(ETHERNET).file(records(trailer(OUT, -1, b""))))
    assert_bare(tables, OUT)
    assert owners(tables) == []


@pytest.mark.parametrize("place", [-1, -32, -28, 20])
def test_what_looks_like_a_trailer_but_sums_up_otherwise_is_payload(place: int) -> None:
    frame = bytearray(trailer(OUT, 10_123, b"org.parrot.chat"))
    frame[place] ^= 1
    tables = read(Pcap(ETHERNET).file(records(bytes(frame))))
    assert owners(tables) == []
    assert tables.sum("wire_bytes") == len(frame)


def test_a_packet_too_long_for_its_trailer_is_met_without_ethernet_header() -> None:
    total = sum(struct.unpack(">10H", BACK[:20]))
    check = 0xFFFF - (total & 0xFFFF) - (total >> 16)  # the field itself is zero
    bare = BACK[:10] + check.to_bytes(2) + BACK[12:]
    tables = read(Pcap(ETHERNET).file(records(trailer(OUT, 5, b"x"), bare)))
    assert_bare(tables, OUT, bare)


def test_an_ethernet_frame_that_begins_like_ip_is_one() -> None:
    frame = bytearray(bytes(Ethernet(Ipv4(Udp(b"hello")))))
    frame[0] = 0x45
    tables = read(Pcap(ETHERNET).file(records(bytes(frame))))
    assert tables.words == ["conversation"]
    assert tables.sum("link_bytes") == 14


@pytest.mark.parametrize("link_type", [PKTAP, PKTAP_USER])
def test_pktap_names_the_process_for_which_another_worked(link_type: int) -> None:
    frames = [pktap(OUT), pktap(BACK, flags=1), pktap(OTHER, epid=-1, effective=b"")]
    tables = read(Pcap(link_type).file(records(*frames)))
    assert_bare(tables, OUT, BACK, OTHER)
    assert owners(tables) == [
        (0, 1, "pktap", None, 99, "Parrot", None),
        (1, 3, "pktap", None, 7, "daemon", None),
    ]
    assert tables.packets["is_outbound"].to_list() == [True, False, True]


def test_pktap_of_version_2_is_read_too() -> None:
    frames = [
        pktap2(OUT, pid=7, epid=99, comm=b"daemon", effective=b"Parrot"),
        pktap2(OTHER, pid=8, epid=-1, comm=b"Parrot", effective=b""),
    ]
    tables = read(Pcap(PKTAP).file(records(*frames)))
    assert_bare(tables, OUT, OTHER)
    assert owners(tables) == [
        (0, 1, "pktap", None, 99, "Parrot", None),
        (1, 2, "pktap", None, 8, "Parrot", None),
    ]


@pytest.mark.parametrize("dlt", [ETHERNET, 12, 0])
def test_behind_pktap_stands_what_it_says(dlt: int) -> None:
    inner = {
        12: OUT,
        ETHERNET: bytes(Ethernet(Ipv4(Tcp(b"hello")))),
        0: struct.pack("<I", 2) + OUT,
    }[dlt]
    tables = read(Pcap(PKTAP).file(records(pktap(inner, dlt=dlt))))
    assert tables.words == ["conversation"]
    assert tables.sum("wire_bytes") == len(inner)


@pytest.mark.parametrize("order", "<>")
def test_nflog_gives_the_user_to_both_directions(order: str) -> None:
    frames = [nflog(OUT, order, uid=10_123), nflog(BACK, order, hook=1), nflog(OTHER, order)]
    tables = read(Pcap(NFLOG).file(records(*frames)))
    assert_bare(tables, OUT, BACK, OTHER)
    assert owners(tables) == [(0, 1, "nflog", 10_123, None, None, None)]
    assert tables.owners["gid"].to_list() == [10_124]
    assert tables.packets["is_outbound"].to_list() == [True, False, True]


@pytest.mark.parametrize("make", [pktap, lambda packet: nflog(packet, "<", uid=5)])
def test_a_tools_header_cut_anywhere_is_told_or_harmless(make) -> None:
    whole = make(OUT)
    link_type = PKTAP if make is pktap else NFLOG
    for end in range(1, len(whole)):
        record = Record(whole[:end], START, original=len(whole))
        tables = read(Pcap(link_type).file([record]))
        assert tables.words[0] in ("conversation", "cut", "malformed"), end
        assert tables.words[0] == "conversation" or tables.kinds, end


@pytest.mark.parametrize("order", "<>")
def test_pcapdroids_map_names_the_users_of_its_comments(order: str) -> None:
    file = Blocks(order)
    octets = file.head() + file.packet(OUT, (1, b"u-10123")) + file.packet(BACK, (1, b"u--1"))
    octets += file.packet(OTHER, (2, struct.pack(f"{order}I", 2)), (1, b"u-1000"))
    octets += file.uid_map(10_123, b"org.parrot.chat", b"Parrot")
    tables = read(octets)
    assert_bare(tables, OUT, BACK, OTHER)
    assert owners(tables) == [
        (0, 1, "pcapdroid_comment", 10_123, None, "Parrot", "org.parrot.chat"),
        (1, 3, "pcapdroid_comment", 1_000, None, None, None),
    ]


@pytest.mark.parametrize("order", "<>")
def test_darwins_processes_are_counted_from_each_section(order: str) -> None:
    file = Blocks(order)
    number = f"{order}I"
    octets = file.head() + file.process(5, b"launchd") + file.process(6, b"Parrot")
    octets += file.packet(OUT, (32769, struct.pack(number, 0)), (32771, struct.pack(number, 1)))
    octets += file.head() + file.process(7, b"Other")
    octets += file.packet(OTHER, (32769, struct.pack(number, 0)))
    octets += file.packet(SIX, (32769, struct.pack(number, 9)))
    assert owners(read(octets)) == [
        (0, 1, "darwin", None, 6, "Parrot", None),
        (1, 2, "darwin", None, 7, "Other", None),
    ]


COMMENTS = {
    b"PID: 12, ProcName: nsurlsessiond, EPID: 34, EProcName: Parrot, SVC: 0": (
        *("pymobiledevice3", None, 34, "Parrot", None),
    ),
    b"PID: 12, ProcName: Parrot, EPID: -1, EProcName: , SVC: 0": (
        *("pymobiledevice3", None, 12, "Parrot", None),
    ),
    b"PID: 77\nCmd: /usr/bin/curl\nArgs: curl https://example.org": (
        *("ptcpdump", None, 77, "curl", None),
    ),
    b"org.parrot.chat": ("antmonitor", None, None, "org.parrot.chat", None),
}


@pytest.mark.parametrize("comment", COMMENTS)
def test_comments_of_other_tools_name_the_app(comment: bytes) -> None:
    file = Blocks()
    tables = read(file.head() + file.packet(OUT, (1, comment)))
    assert owners(tables) == [(0, 1, *COMMENTS[comment])]


@pytest.mark.parametrize(
    "comment", [b"", b"phase: idle", b"u-", b"retransmission?", b"\xff" * 2000]
)
def test_other_comments_name_nobody(comment: bytes) -> None:
    file = Blocks()
    tables = read(file.head() + file.packet(OUT, (1, comment)))
    assert owners(tables) == []
    assert_bare(tables, OUT)


def test_a_conversation_that_changes_hands_tells_a_few_owners() -> None:
    file = Blocks()
    octets = file.head()
    for at in range(12):
        octets += file.packet(OUT, (1, b"u-%d" % (10_000 + at)), at=at)
    assert [row[3] for row in owners(read(octets))] == [10_000, 10_001, 10_002, 10_003]


def test_windows_of_any_size_give_the_same_owners() -> None:
    file = Blocks()
    octets = file.head() + b"".join(
        file.packet(bytes(Ipv4(Udp(b"x" * at, at, 53))), (1, b"u-%d" % at), at=at)
        for at in range(1, 40)
    )
    wanted = owners(read(octets))
    with narrow():
        assert owners(read(octets, Limits())) == wanted
    assert len(wanted) == 39


@pytest.mark.parametrize("order", "<>")
def test_options_that_lie_about_their_length_end_the_options(order: str) -> None:
    file = Blocks(order)
    for length in (5, 8, 100, 65_535):
        lie = struct.pack(f"{order}HH", 1, length) + b"u-5\0"
        block = bytearray(file.packet(OUT, (1, b"u-5\0")))
        at = bytes(block).index(struct.pack(f"{order}HH", 1, 4) + b"u-5\0")
        block[at : at + len(lie)] = lie
        tables = read(file.head() + bytes(block))
        assert tables.words == ["conversation"]
        assert owners(tables) == []


def test_what_tools_add_is_counted() -> None:
    plain = trailer(OUT, 10_001, b"Parrot", padding=0)
    tables = read(Pcap(ETHERNET).file(records(plain, plain)))
    assert tables.capture["tool_bytes"] == 2 * (len(plain) - len(OUT))
    assert tables.capture["wire_bytes"] == 2 * len(OUT)
    assert read(Pcap(RAW).file(records(OUT))).capture["tool_bytes"] == 0


def test_what_a_phone_marks_as_sent_again_is_held_against_the_stream() -> None:
    later = bytes(Ipv4(Tcp(b"again", 50_000, 443, sequence=6), source=PHONE, to=REMOTE))
    bare = bytes(Ipv4(Tcp(b"", 50_000, 443, sequence=6), source=PHONE, to=REMOTE))
    again = 0x8000 | 2
    frames = [pktap(OUT), pktap(OUT, flags=again), pktap(later, flags=again)]
    tables = read(Pcap(PKTAP).file(records(*frames, pktap(bare, flags=again), pktap(later))))
    assert tables.packets["unique_bytes"].to_list() == [5, 0, 5, 0, 0]
    assert tables.capture["marked_again_packets"] == 2
    assert tables.capture["marked_again_new_packets"] == 1


def test_packets_longer_than_links_carry_are_counted() -> None:
    sizes = (1_460, 1_461, 20_000)
    packets = [
        Ipv4(Tcp(bytes(size), sequence=number * 30_000)) for number, size in enumerate(sizes)
    ]
    tables = read(Pcap(RAW).file(records(*packets)))
    assert tables.capture["giant_packets"] == 2


def test_an_nflog_packet_longer_than_its_frame_is_as_long_as_the_frame_allows() -> None:
    """Found by fuzzing: the bytes that the tool added were fewer than none."""
    whole = bytearray(nflog(OUT, "<"))
    at = whole.index(OUT) - 4
    assert whole[at + 2 : at + 4] == (9).to_bytes(2, "little")
    whole[at : at + 2] = (40_000).to_bytes(2, "little")
    tables = read(Pcap(NFLOG).file(records(bytes(whole))))
    assert tables.capture["tool_bytes"] == at + 4
    assert tables.sum("wire_bytes") == len(whole) - at - 4
