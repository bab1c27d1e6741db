"""802.11 frames are built field by field around a packet that is known."""

import pytest

from tests.captures.building import START, Ipv4, Ipv6, Pcap, Record, Tcp, Udp, pcap
from tests.captures.carriers import aggregate, avs, ppi, prism, radiotap, snap, wireless
from tests.captures.reader import assert_accounts, one, read

V4, V6 = Ipv4(Udp(b"hello")), Ipv6(Tcp(b"hello"))
WIRELESS, PRISM, RADIOTAP, AVS, PPI = 105, 119, 127, 163, 192
QUALITY, PROTECTED, ORDERED = 8, 0x40, 0x80
FLAGS = 2  # present word of radiotap: a field of flags
TIME_AND_FLAGS = 3
PADDED = b"\x20"

FRAMES = {
    "bare": (WIRELESS, lambda f: f, 0),
    "radiotap": (RADIOTAP, radiotap, 8),
    "radiotap with fields": (RADIOTAP, lambda f: radiotap(f, (0x6F,), bytes(20)), 28),
    "radiotap with many words": (RADIOTAP, lambda f: radiotap(f, (0xA000_0000,) * 3 + (2,)), 20),
    "prism": (PRISM, prism, 144),
    "prism, big-endian": (PRISM, lambda f: prism(f, ">"), 144),
    "avs": (AVS, avs, 64),
    "avs under prism's number": (PRISM, avs, 64),
    "ppi": (PPI, ppi, 12),
}
TOOLS = [pytest.param(*frame, id=name) for name, frame in FRAMES.items()]


@pytest.mark.parametrize("packet", [V4, V6], ids=["v4", "v6"])
@pytest.mark.parametrize(("link_type", "around", "before"), TOOLS)
def test_the_same_frame_counts_the_same_behind_any_header(
    link_type, around, before, packet
) -> None:
    octets = around(wireless(snap(packet)))
    tables = read(pcap(octets, link_type=link_type))
    row = one(tables)
    assert (row["word"], row["payload_bytes"]) == ("conversation", 5)
    assert (row["ip_bytes"], row["link_bytes"]) == (len(bytes(packet)), before + 24 + 8)
    assert_accounts(tables, [len(octets)])
    assert tables.oddities.is_empty()
    assert tables.conversations["a_mac"].to_list() == ["02:00:00:00:00:05"]


@pytest.mark.parametrize(("link_type", "around", "before"), TOOLS)
def test_headers_that_were_not_captured_are_cut(link_type, around, before) -> None:
    octets = around(wireless(snap(V4)))
    whole = before + 32 + 28
    tables = read(
        Pcap(link_type).file([Record(octets[:n], START, len(octets)) for n in range(whole + 1)])
    )
    assert tables.words == ["cut"] * whole + ["conversation"]


@pytest.mark.parametrize(("link_type", "around", "before"), TOOLS[1:])
@pytest.mark.parametrize("length", [0, 7])
def test_a_header_shorter_than_its_own_fields_is_malformed(
    link_type, around, before, length
) -> None:
    octets = bytearray(around(wireless(snap(V4))))
    is_short = link_type in {RADIOTAP, PPI}
    is_big = octets[0] == 0x80 or (octets[0] == 0 and link_type == PRISM)
    size = 2 if is_short else 4
    at = 2 if is_short else 4
    octets[at : at + size] = length.to_bytes(size, "big" if is_big else "little")
    tables = read(pcap(bytes(octets), link_type=link_type))
    assert (tables.words, tables.kinds) == (["malformed"], ["link_header_malformed"])
    assert before > 0


@pytest.mark.parametrize("flags", [0, 1, 2, 3])
@pytest.mark.parametrize("quality", [b"", bytes(2)])
def test_each_way_through_an_access_point_is_read(flags: int, quality: bytes) -> None:
    subtype = QUALITY if quality else 0
    octets = wireless(snap(V4), flags=flags, subtype=subtype, quality=quality)
    tables = read(pcap(octets, link_type=WIRELESS))
    assert one(tables)["link_bytes"] == (30 if flags == 3 else 24) + len(quality) + 8
    assert tables.conversations["a_mac"].to_list() == ["02:00:00:00:00:05"]


def test_control_of_high_throughput_is_header() -> None:
    octets = wireless(snap(V4), flags=1 | ORDERED, subtype=QUALITY, quality=bytes(6))
    assert one(read(pcap(octets, link_type=WIRELESS)))["link_bytes"] == 24 + 6 + 8


def test_of_an_aggregate_the_first_frame_is_read() -> None:
    body = aggregate(V4, Ipv4(Udp(b"other", 1, 2)))
    octets = wireless(body, subtype=QUALITY, quality=b"\x80\0")
    tables = read(pcap(octets, link_type=WIRELESS))
    assert one(tables)["link_bytes"] == len(octets) - 33
    assert tables.conversations["a_port"].to_list() == [50_000]
    assert_accounts(tables, [len(octets)])


def test_the_length_in_an_aggregate_ends_its_packet() -> None:
    body = bytearray(aggregate(V4))
    body[12:14] = (8 + 30).to_bytes(2, "big")
    tables = read(
        pcap(wireless(bytes(body), subtype=QUALITY, quality=b"\x80\0"), link_type=WIRELESS)
    )
    assert (one(tables)["payload_bytes"], tables.kinds) == (2, ["ip_length_beyond_frame"])


def test_an_aggregate_that_was_not_captured_is_cut() -> None:
    octets = wireless(aggregate(V4), subtype=QUALITY, quality=b"\x80\0")
    for end in range(24 + 2 + 14 + 8 + 28):
        file = Pcap(WIRELESS).file([Record(octets[:end], original=len(octets))])
        assert read(file).words == ["cut"]


@pytest.mark.parametrize("around", [lambda f: f, radiotap])
def test_an_encrypted_frame_is_no_ip_and_says_so(around) -> None:
    octets = around(wireless(snap(V4), flags=1 | PROTECTED))
    tables = read(pcap(octets, link_type=WIRELESS if octets[0] == 8 else RADIOTAP))
    assert (tables.words, tables.kinds) == (["non_ip"], ["encrypted"])


def test_frames_that_carry_no_packet_are_no_ip() -> None:
    frames = [
        *(wireless(snap(V4), kind=kind) for kind in (0, 1, 3)),
        wireless(snap(V4), subtype=4),
        wireless(snap(V4), subtype=12, quality=bytes(2)),
        wireless(snap(V4), fragment=1),
        wireless(bytes(40)),
    ]
    tables = read(pcap(*frames, link_type=WIRELESS))
    assert tables.words == ["non_ip"] * len(frames)
    assert tables.kinds == []


@pytest.mark.parametrize(
    ("present", "fields"),
    [((FLAGS,), PADDED), ((TIME_AND_FLAGS,), bytes(8) + PADDED)],
)
def test_padding_before_the_packet_is_skipped_where_radiotap_says_so(present, fields) -> None:
    frame = wireless(snap(V4), subtype=QUALITY, quality=bytes(2), padding=2)
    row = one(read(pcap(radiotap(frame, present, fields), link_type=RADIOTAP)))
    assert (row["word"], row["ip_bytes"]) == ("conversation", 33)
    assert row["link_bytes"] == 8 + len(fields) + 24 + 2 + 2 + 8


def test_fields_begin_behind_the_last_word_at_a_multiple_of_their_size() -> None:
    frame = wireless(snap(V4), subtype=QUALITY, quality=bytes(2), padding=2)
    octets = radiotap(frame, (TIME_AND_FLAGS | 1 << 31, 0), bytes(4) + bytes(8) + PADDED)
    assert read(pcap(octets, link_type=RADIOTAP)).words == ["conversation"]


def test_a_check_sequence_behind_the_packet_belongs_to_the_link() -> None:
    octets = radiotap(wireless(snap(V4)), (FLAGS,), b"\x10") + bytes(4)
    row = one(read(pcap(octets, link_type=RADIOTAP)))
    assert (row["payload_bytes"], row["link_bytes"]) == (5, 9 + 32 + 4)
