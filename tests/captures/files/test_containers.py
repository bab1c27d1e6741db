"""Files are written field by field, and then lie about one of them."""

import struct
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.errors import CaptureError
from phonehome.captures.limits import Limits
from tests.captures.building import (
    RAW,
    SLL,
    START,
    Ethernet,
    Ipv4,
    Order,
    Pcap,
    Pcapng,
    Record,
    Sll,
    Udp,
    records,
)
from tests.captures.reader import Tables, narrow, one, read

ORDERS: list[Order] = ["<", ">"]
FRAMES = [Ethernet(Ipv4(Udp(b"no. %d" % n))) for n in range(5)]
LENGTH = len(bytes(FRAMES[0]))
EXACT = START + 123_456_789


def nanoseconds(tables: Tables) -> list[int | None]:
    return tables.packets["time"].to_physical().to_list()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("is_nano", [False, True])
def test_classic_files_are_read_in_both_orders_and_resolutions(order, *, is_nano: bool) -> None:
    written = Pcap(order=order, is_nano=is_nano)
    tables = read(written.file([Record(bytes(FRAMES[0]), EXACT, 4_000)]))
    assert nanoseconds(tables) == [EXACT if is_nano else EXACT // 1_000 * 1_000]
    assert (one(tables)["wire_bytes"], one(tables)["payload_bytes"]) == (4_000, 5)
    assert (tables.capture["format"], tables.capture["unread_bytes"]) == ("pcap", 0)
    assert tables.capture["damage"] is None
    assert tables.capture["captured_bytes"] == LENGTH
    assert tables.capture["snapped_packets"] == 1


@pytest.mark.parametrize("order", ORDERS)
def test_kuznetzovs_longer_record_headers_are_skipped(order) -> None:
    written = Pcap(order=order, is_kuznetzov=True)
    tables = read(written.file(records(*FRAMES)))
    assert tables.words == ["conversation"] * 5
    assert tables.capture["unread_bytes"] == 0


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("minor", range(5))
def test_old_versions_wrote_the_original_length_first(order, minor: int) -> None:
    """All before 2.3 did; of 2.3 there are both kinds, told by which of the two is the shorter."""
    frame = bytes(FRAMES[0])
    numbers = [START // 10**9, 0]
    lengths = [LENGTH, 4_000]
    file = Pcap(order=order, version=(2, minor)).header()
    for is_swapped in {0: [True], 1: [True], 2: [True], 3: [True, False], 4: [False]}[minor]:
        pair = lengths[::-1] if is_swapped else lengths
        file += struct.pack(f"{order}IIII", *numbers, *pair) + frame
    tables = read(file)
    assert set(tables.words) == {"conversation"}
    assert set(tables.packets["wire_bytes"]) == {4_000}
    assert tables.capture["captured_bytes"] == LENGTH * len(tables.packets)
    assert (tables.capture["unread_bytes"], tables.capture["damage"]) == (0, None)


def test_a_lie_of_an_old_version_is_told_with_the_length_that_it_is() -> None:
    lie = struct.pack("<IIII", 1, 1, 60, 2**31) + bytes(60)
    tables = read(Pcap(version=(2, 2)).header() + lie)
    assert tables.oddities.select("kind", "needed_bytes").rows() == [("record_length", 2**31)]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(("kind", "link_type"), [(6, 1), (9, 6), (15, 10), (24, 0)])
def test_aix_counts_nanoseconds_and_has_names_of_its_own_for_links(order, kind, link_type) -> None:
    written = Pcap(kind, order, is_nano=True, version=(2, 2))
    file = written.file([Record(bytes(FRAMES[0]), EXACT)])
    file = struct.pack(f"{order}I", 0xA1B2C3D4) + file[4:]
    tables = read(file)
    assert tables.capture["link_types"] == [link_type]
    assert nanoseconds(tables) == [EXACT]
    assert tables.capture["captured_bytes"] == LENGTH


@pytest.mark.parametrize("second", [0, 1, 2**31 - 1, 2**31, 2**32 - 1])
@pytest.mark.parametrize("fraction", [0, 999_999, 1_000_000, 2**31, 2**32 - 1])
@pytest.mark.parametrize("is_nano", [False, True])
def test_classic_times_are_unsigned_and_zero_is_none(second, fraction, *, is_nano) -> None:
    head = struct.pack("<IIII", second, fraction, LENGTH, LENGTH)
    tables = read(Pcap(is_nano=is_nano).header() + head + bytes(FRAMES[0]))
    time = second * 10**9 + fraction * (1 if is_nano else 1_000)
    assert nanoseconds(tables) == [time or None]


@pytest.mark.parametrize("major", [0, 1, 3, 543])
def test_a_classic_file_of_another_version_is_refused(major: int) -> None:
    with pytest.raises(CaptureError, match=f"byte 4: pcap version 2 expected, {major}.4 found"):
        read(Pcap(version=(major, 4)).file([]))


@pytest.mark.parametrize("order", ORDERS)
def test_every_block_is_read_in_both_orders(order) -> None:
    written = Pcapng(order)
    packets = records(*FRAMES)
    blocks = [
        written.section(written.option(4, b"a tool") + written.option(0, b"")),
        written.interface(resolution=6),
        written.secrets(),
        written.packet(packets[0]),
        written.names(),
        written.simple_packet(packets[1]),
        written.custom(),
        written.old_packet(packets[2]),
        written.block(0x7777, b"odd"),
        written.statistics(drops=7),
        written.packet(packets[3]),
    ]
    tables = read(b"".join(blocks))
    assert tables.words == ["conversation"] * 4
    assert nanoseconds(tables) == [START, None, START + 2 * 10**9, START + 3 * 10**9]
    assert tables.capture["other_blocks"] == 6
    assert tables.capture["secrets_blocks"] == 1
    assert tables.capture["dropped_packets"] == 7
    assert tables.capture["unread_bytes"] == 0
    assert tables.capture["damage"] is None
    assert tables.sum("wire_bytes") == 4 * LENGTH


def test_a_section_may_have_another_order_and_interfaces_of_its_own() -> None:
    little, big = Pcapng("<"), Pcapng(">")
    packet = records(FRAMES[0])[0]
    cooked = Record(bytes(Sll(Ipv4(Udp()))))
    file = little.section() + little.interface() + little.packet(packet)
    file += big.section() + big.interface(SLL) + big.interface(resolution=9)
    file += big.packet(cooked) + big.packet(packet, 1, stamp=EXACT)
    file += little.section() + little.packet(packet)
    tables = read(file)
    assert tables.words == ["conversation"] * 3 + ["malformed"]
    assert nanoseconds(tables) == [START, START, EXACT, None]
    assert tables.capture["link_types"] == [1, SLL]


def test_many_interfaces_are_told_apart() -> None:
    written = Pcapng()
    types = [1, SLL, RAW] * 20
    file = written.section() + b"".join(map(written.interface, types))
    octets = {1: bytes(FRAMES[0]), SLL: bytes(Sll(Ipv4(Udp()))), RAW: bytes(Ipv4(Udp()))}
    for place, link_type in enumerate(types):
        later = place * 20_000_000  # ns: within 10 ms it would be a copy
        file += written.packet(Record(octets[link_type], START + later), place)
    tables = read(file)
    assert tables.words == ["conversation"] * 60
    assert tables.capture["link_types"] == [1, RAW, SLL]


def test_drops_are_the_sum_over_interfaces_of_what_each_said_last() -> None:
    written = Pcapng()
    file = written.section() + written.interface() * 2
    file += written.statistics(0, 5) + written.statistics(0, 9) + written.statistics(1, 2)
    file += written.section() + written.interface() + written.statistics(0, 100)
    assert read(file).capture["dropped_packets"] == 111
    silent = written.section() + written.interface() + written.statistics(0)
    assert read(silent).capture["dropped_packets"] is None


def test_a_simple_packet_is_as_long_as_the_first_interface_lets_it() -> None:
    written = Pcapng()
    octets = bytes(FRAMES[0])
    file = written.section() + written.interface(snaplen=43)
    file += written.block(3, struct.pack("<I", len(octets)) + octets[:43])
    tables = read(file)
    assert (one(tables)["wire_bytes"], tables.capture["captured_bytes"]) == (LENGTH, 43)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("place", ["before", "after"])
def test_options_that_lie_about_their_length_end_the_list(order, place: str) -> None:
    written = Pcapng(order)
    lie = struct.pack(f"{order}HH", 1, 60_000) + b"abcd"
    good = written.option(9, b"\x09")
    options = lie + good if place == "before" else good + lie
    body = struct.pack(f"{order}HHI", 1, 0, 0) + options
    file = written.section() + written.block(1, body)
    tables = read(file + written.packet(records(FRAMES[0])[0], stamp=EXACT))
    time = EXACT if place == "after" else None
    assert nanoseconds(tables) == [time]


UNITS = [(byte, 2 ** (byte & 0x7F) if byte & 0x80 else 10**byte) for byte in range(256)]


@pytest.mark.parametrize("offset", [None, 0, 3_600, -3_600, -(2**63), 2**63 - 1, 2**62])
def test_every_resolution_tells_the_exact_time_or_none(offset: int | None) -> None:
    written = Pcapng()
    now, packet = START // 10**9, records(FRAMES[0])[0]
    stamps = [0, 1, 2**64 - 1, 1_700_000_000, 1_700_000_000_000_000]
    file, claims = b"", []
    for resolution, unit in UNITS:
        file += written.section() + written.interface(resolution=resolution, offset=offset)
        for stamp in [*stamps, (now - (offset or 0)) * unit + unit // 3]:
            if 0 <= stamp < 2**64:
                file += written.packet(packet, stamp=stamp)
                claims.append((unit, stamp))
    found = nanoseconds(read(file))
    for (unit, stamp), time in zip(claims, found, strict=True):
        told = stamp * 10**9 // unit + (offset or 0) * 10**9
        if time is not None:
            assert abs(time - told) <= 1
        elif (offset or 0) in (0, 3_600, -3_600) and unit <= 10**9:
            assert told <= 0 or told >= 2**63 - 10**9


def test_a_clock_that_cannot_reach_our_century_tells_no_time() -> None:
    """Finer than 10**-10 seconds, 64 bits since 1970 end in 1975: the resolution is a lie."""
    written = Pcapng()
    packet = records(FRAMES[0])[0]
    for resolution in [*range(11, 128), *range(0x80 + 35, 0x100)]:
        file = written.section() + written.interface(resolution=resolution)
        tables = read(file + written.packet(packet, stamp=1_700_000_000_000_000))
        assert nanoseconds(tables) == [None]


def test_no_time_is_before_1970() -> None:
    written = Pcapng()
    for offset in (-(2**63), -(2**62), -9_223_372_036, -1_700_000_001):
        file = written.section() + written.interface(offset=offset)
        tables = read(file + written.packet(records(FRAMES[0])[0]))
        assert nanoseconds(tables) == [None]


LIES = [0, 1, 3, 4, 11, 12, 31, 32, 2**31 - 1, 2**31 + 1, 2**32 - 1]


def lengths_of(written: Pcapng) -> Iterator[tuple[bytes, int, int]]:
    """A file, the place of a length field in it, and where the block of that field begins."""
    packet = Record(bytes(FRAMES[0]), flags=2)
    blocks = [
        written.section(written.option(4, b"a tool")),
        written.interface(resolution=6, offset=0),
        written.packet(packet),
        written.simple_packet(packet),
        written.old_packet(packet),
        written.names(),
        written.statistics(drops=1),
        written.secrets(),
        written.custom(),
        written.packet(packet),
    ]
    file = b"".join(blocks)
    begin = 0
    for block in blocks:
        inner = {6: [20, 24], 3: [8], 2: [20, 24]}.get(
            struct.unpack(f"{written.order}I", block[:4])[0], []
        )
        for field in [4, len(block) - 4, *inner]:
            yield file, begin + field, begin
        begin += len(block)


@pytest.mark.parametrize("order", ORDERS)
def test_no_length_in_a_block_is_believed_unchecked(order) -> None:
    for file, place, begin in lengths_of(Pcapng(order)):
        left = len(file) - begin
        for lie in [*LIES, left, left + 1, left - 1]:
            told = file[:place] + struct.pack(f"{order}I", lie) + file[place + 4 :]
            whole = [n for n in packet_ends(file) if n <= begin]
            tables = read(told)
            assert tables.capture["packets"] >= len(whole)
            assert tables.capture["packets"] <= 4
            assert tables.sum("wire_bytes") == tables.capture["wire_bytes"]
            is_told = tables.capture["damage"] is not None or bool(tables.kinds)
            assert is_told or tables.capture["packets"] == 4


def packet_ends(file: bytes) -> list[int]:
    """Where each packet block of a small file ends."""
    order = "big" if file[8] == 0x1A else "little"
    at, ends = 0, []
    while at < len(file):
        kind = int.from_bytes(file[at : at + 4], order)
        at += int.from_bytes(file[at + 4 : at + 8], order)
        if kind in (2, 3, 6):
            ends.append(at)
    return ends


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("lie", [0, 1, LENGTH - 1, LENGTH + 1, 262_144, 262_145, *LIES[-4:]])
def test_no_length_in_a_classic_record_is_believed_unchecked(order, lie: int) -> None:
    written = Pcap(order=order)
    packets = [written.record(record) for record in records(*FRAMES)]
    at = 24 + len(packets[0]) * 2
    file = written.header() + b"".join(packets)
    told = file[: at + 8] + struct.pack(f"{order}I", lie) + file[at + 12 :]
    tables = read(told)
    assert tables.words[:2] == ["conversation"] * 2
    assert tables.capture["damage"] is not None
    assert tables.capture["unread_bytes"] > 0
    if lie > 262_144:
        assert tables.capture["packets"] == 2
        assert tables.capture["unread_bytes"] == len(file) - at
        assert tables.oddities.select("layer", "kind", "offset").rows() == [
            ("file", "record_length", at)
        ]


@pytest.mark.parametrize(
    ("written", "is_narrow"), [(Pcap(), True), (Pcap(order=">", is_kuznetzov=True), False)]
)
def test_a_classic_file_cut_anywhere_keeps_all_whole_records(written: Pcap, *, is_narrow) -> None:
    packets = [written.record(record) for record in records(*FRAMES[:2])]
    file = written.header() + b"".join(packets)
    for end in range(24, len(file)):
        whole, rest = divmod(end - 24, len(packets[0]))
        assert_cut(file[:end], whole, rest, is_narrow=is_narrow)


@pytest.mark.slow
@pytest.mark.parametrize(("order", "is_narrow"), [("<", True), (">", False)])
def test_a_block_file_cut_anywhere_keeps_all_whole_blocks(order, *, is_narrow) -> None:
    written = Pcapng(order)
    packets = records(*FRAMES[:3])
    blocks = [
        written.section(),
        written.interface(),
        written.packet(packets[0]),
        written.statistics(drops=1),
        written.simple_packet(packets[1]),
        written.section(),
        written.interface(),
        written.old_packet(packets[2]),
    ]
    file = b"".join(blocks)
    ends = [sum(map(len, blocks[: n + 1])) for n in range(len(blocks))]
    packet_ends = [ends[2], ends[4], ends[7]]
    for end in range(12, len(file)):
        begin = max([0, *(n for n in ends if n <= end)])
        assert_cut(file[:end], sum(n <= end for n in packet_ends), end - begin, is_narrow=is_narrow)


def assert_cut(file: bytes, packets: int, rest: int, *, is_narrow: bool) -> None:
    if is_narrow:
        with narrow():
            tables = read(file)
    else:
        tables = read(file)
    assert tables.words == ["conversation"] * packets
    assert tables.capture["unread_bytes"] == rest
    assert (tables.capture["damage"] is not None) == (rest > 0)
    assert tables.kinds == (["record_cut"] if rest else [])
    assert tables.oddities["offset"].to_list() == ([len(file) - rest] if rest else [])


@pytest.mark.parametrize("end", range(24))
def test_less_than_a_classic_header_is_refused(end: int) -> None:
    with pytest.raises(CaptureError):
        read(Pcap().header()[:end])


@pytest.mark.parametrize("end", range(12))
def test_less_than_a_section_header_is_refused(end: int) -> None:
    with pytest.raises(CaptureError):
        read(Pcapng().section()[:end])


def test_a_byte_order_mark_of_another_kind_is_refused() -> None:
    with pytest.raises(CaptureError, match="byte 8: byte order mark expected, 00000000"):
        read(Pcapng().section().replace(struct.pack("<I", 0x1A2B3C4D), bytes(4)))


def test_a_later_section_with_a_broken_mark_ends_the_file_there() -> None:
    written = Pcapng()
    good = written.file(*FRAMES)
    tables = read(good + written.section().replace(struct.pack("<I", 0x1A2B3C4D), bytes(4)))
    assert tables.words == ["conversation"] * 5
    assert tables.kinds == ["byte_order_mark"]
    assert tables.capture["unread_bytes"] > 0


def test_a_record_that_claims_four_gigabytes_takes_no_memory() -> None:
    written = Pcap()
    head = struct.pack("<IIII", 1, 1, 2**32 - 1, 2**32 - 1)
    tables = read(written.file(records(FRAMES[0])) + head + bytes(100))
    assert tables.words == ["conversation"]
    assert tables.capture["unread_bytes"] == 116
    assert tables.oddities.select("kind", "needed_bytes", "got_bytes").rows() == [
        ("record_length", 2**32 - 1, 262_144)
    ]


def test_a_block_that_claims_four_gigabytes_takes_no_memory() -> None:
    written = Pcapng()
    tables = read(written.file(FRAMES[0]) + struct.pack("<II", 0xBAD, 2**32 - 4) + bytes(100))
    assert tables.words == ["conversation"]
    assert tables.capture["unread_bytes"] == 108
    assert tables.kinds == ["block_length"]


@pytest.mark.parametrize("excess", [0, 1])
def test_the_longest_record_is_the_one_that_limits_allow(excess: int) -> None:
    octets = bytes(Ethernet(Ipv4(Udp(bytes(900)))))
    limits = Limits(record_bytes=len(octets) - excess, block_bytes=len(octets) + 34 - 4 * excess)
    classic = read(Pcap().file([Record(octets)]), limits)
    blocks = read(Pcapng().file(octets), limits)
    assert classic.words == blocks.words == ([] if excess else ["conversation"])
    assert bool(classic.kinds) == bool(blocks.kinds) == bool(excess)


def test_a_record_may_be_larger_than_the_window() -> None:
    octets = bytes(Ethernet(Ipv4(Udp(bytes(20_000)))))
    with narrow():
        tables = read(Pcap().file([Record(octets)] * 3) + b"tail")
    assert tables.words == ["conversation"] * 3
    assert tables.capture["unread_bytes"] == 4


def test_a_packet_that_lies_inside_its_block_is_passed_over_and_told() -> None:
    written = Pcapng()
    good = records(*FRAMES[:2])
    lie = bytearray(written.packet(good[0]))
    lie[20:24] = struct.pack("<I", LENGTH + 50)
    file = written.section() + written.interface() + bytes(lie) + written.packet(good[1])
    tables = read(file)
    assert tables.words == ["conversation"]
    assert tables.capture["damage"] is not None
    assert tables.kinds == ["block_damaged"]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_octets_behind_a_magic_number_are_read_or_refused(data) -> None:
    order = data.draw(st.sampled_from(ORDERS))
    base = data.draw(
        st.sampled_from([Pcap(order=order).file(records(*FRAMES)), Pcapng(order).file(*FRAMES)])
    )
    octets = bytearray(base)
    for _ in range(data.draw(st.integers(0, 6))):
        place = data.draw(st.integers(4, len(octets) - 1))
        octets[place] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        octets += data.draw(st.binary(max_size=60))
    try:
        tables = read(bytes(octets))
    except CaptureError:
        return
    assert tables.sum("wire_bytes") == tables.capture["wire_bytes"]
    assert len(tables.packets) == tables.capture["packets"]
    assert (tables.capture["unread_bytes"] == 0) or tables.capture["damage"]
