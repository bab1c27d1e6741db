"""Blocks of every kind, in sections of every shape, against a model of what they say."""

import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.pcapng import MOST_INTERFACES
from tests.captures.building import (
    ETHERNET,
    RAW,
    START,
    Ethernet,
    Ipv4,
    Order,
    Pcapng,
    Record,
    Udp,
    records,
)
from tests.captures.reader import Tables, narrow, read

ORDERS: list[Order] = ["<", ">"]
FRAMES = [Ethernet(Ipv4(Udp(b"no. %d" % n))) for n in range(5)]
LENGTH = len(bytes(FRAMES[0]))
UNKNOWN_64 = b"\xff" * 8
COMMENT, FLAGS, HASH, DROPS, PACKET_ID, QUEUE, VERDICT = range(1, 8)
CUSTOM_OPTIONS = (2988, 2989, 19372, 19373)


def number(written: Pcapng, width: int, value: int) -> bytes:
    return value.to_bytes(width, "little" if written.order == "<" else "big")


def packet(
    written: Pcapng,
    record: Record,
    *options: tuple[int, bytes],
    interface: int = 0,
    end: bool = True,
) -> bytes:
    """An enhanced packet block with options."""
    lengths = struct.pack(f"{written.order}II", len(record.octets), record.length)
    head = number(written, 4, interface) + written.stamp(record.time // 1_000) + lengths
    said = b"".join(written.option(code, value) for code, value in options)
    padding = bytes(-len(record.octets) % 4)
    return written.block(6, head + record.octets + padding + said + bytes(4) * (end and bool(said)))


def drops(written: Pcapng, count: int) -> tuple[int, bytes]:
    return DROPS, number(written, 8, count)


def statistics(written: Pcapng, *options: tuple[int, bytes], interface: int = 0) -> bytes:
    body = number(written, 4, interface) + written.stamp(START // 1_000)
    return written.block(5, body + b"".join(written.option(*option) for option in options))


def section(written: Pcapng, blocks: bytes, *, length: int | None = None, minor: int = 0) -> bytes:
    """A section that says how long it is."""
    size = len(blocks) if length is None else length
    body = struct.pack(f"{written.order}IHHq", 0x1A2B3C4D, 1, minor, size)
    return written.block(0x0A0D0D0A, body) + blocks


def assert_whole(tables: Tables, packets: int) -> None:
    assert tables.words == ["conversation"] * packets
    assert tables.capture["damage"] is None
    assert tables.capture["unread_bytes"] == 0
    assert tables.kinds == []


@pytest.mark.parametrize("order", ORDERS)
def test_drops_beside_packets_are_added_up_per_interface(order: Order) -> None:
    written = Pcapng(order)
    first, second, third, fourth = records(*FRAMES[:4])
    file = written.section() + written.interface() * 3
    file += packet(written, first, drops(written, 3))
    file += packet(written, second, drops(written, 2**33), interface=1)
    file += packet(written, third, (COMMENT, b"odd"), drops(written, 4), (FLAGS, bytes(4)))
    file += packet(written, fourth, interface=2)
    tables = read(file)
    assert_whole(tables, 4)
    assert tables.capture["dropped_packets"] == 2**33 + 7


@pytest.mark.parametrize("order", ORDERS)
def test_statistics_and_packets_that_count_the_same_drops_are_not_added(order: Order) -> None:
    written = Pcapng(order)
    record = records(FRAMES[0])[0]
    interfaces = written.section() + written.interface() * 2
    beside = packet(written, record, drops(written, 5)) + packet(written, record, drops(written, 6))
    for said, expected in ((10, 11), (11, 11), (40, 40)):
        tables = read(interfaces + beside + written.statistics(0, said))
        assert tables.capture["dropped_packets"] == expected
        tables = read(interfaces + beside + written.statistics(1, said))
        assert tables.capture["dropped_packets"] == 11 + said
    sections = (interfaces + beside + written.statistics(0, 40)) * 2
    assert read(sections).capture["dropped_packets"] == 80


def test_no_drops_and_no_word_of_drops_are_told_apart() -> None:
    written = Pcapng()
    record = records(FRAMES[0])[0]
    file = written.section() + written.interface()
    assert read(file + packet(written, record)).capture["dropped_packets"] is None
    assert read(file + written.simple_packet(record)).capture["dropped_packets"] is None
    nothing = packet(written, record, drops(written, 0))
    assert read(file + nothing).capture["dropped_packets"] == 0
    assert read(file + written.statistics(drops=0)).capture["dropped_packets"] == 0


def test_drops_of_the_obsolete_packet_block_count_unless_they_are_not_known() -> None:
    written = Pcapng()
    record = records(FRAMES[0])[0]
    file = written.section() + written.interface()
    known = written.old_packet(record, drops=3) + written.old_packet(record, drops=4)
    unknown = written.old_packet(record, drops=0xFFFF)
    assert read(file + known + unknown).capture["dropped_packets"] == 7
    assert read(file + unknown).capture["dropped_packets"] is None


@pytest.mark.parametrize("order", ORDERS)
def test_drops_that_nobody_can_have_counted_are_not_known(order: Order) -> None:
    written = Pcapng(order)
    record = records(FRAMES[0])[0]
    file = written.section() + written.interface()
    for lie in (UNKNOWN_64, number(written, 8, 2**48), number(written, 8, 2**63)):
        beside = packet(written, record, (DROPS, lie))
        said = statistics(written, (5, lie)) + statistics(written, (7, lie))
        assert read(file + beside).capture["dropped_packets"] is None
        assert read(file + beside + said).capture["dropped_packets"] is None
    one_of_two = statistics(written, (5, UNKNOWN_64), (7, number(written, 8, 9)))
    assert read(file + packet(written, record) + one_of_two).capture["dropped_packets"] == 9
    most = packet(written, record, drops(written, 2**48 - 1)) * 3
    assert read(file + most).capture["dropped_packets"] == 2**48


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", range(6))
@pytest.mark.parametrize("end", [False, True])
def test_options_may_be_padded_custom_unknown_and_without_an_end(order, size: int, *, end) -> None:
    written = Pcapng(order)
    record = Record(bytes(FRAMES[0]))
    custom = [(code, number(written, 4, 32_473) + b"x" * size) for code in CUSTOM_OPTIONS]
    options = [(COMMENT, b"y" * size), *custom, (HASH, b"\x02" + b"z" * size), (0x7FFF, b"")]
    ids = [(PACKET_ID, number(written, 8, 7)), (QUEUE, bytes(4)), (VERDICT, bytes(size + 1))]
    flags = (FLAGS, number(written, 4, 0xFFFFFFF2))
    said = packet(written, record, *options, *ids, flags, drops(written, 8), end=end)
    plain = packet(written, record, drops(written, 1), (FLAGS, bytes(3)))
    tables = read(written.section() + written.interface() + said + plain)
    assert_whole(tables, 2)
    assert tables.packets["is_outbound"].to_list() == [True, None]
    assert tables.capture["dropped_packets"] == 9


@pytest.mark.parametrize("order", ORDERS)
def test_options_that_do_not_fit_are_read_up_to_there_and_told(order: Order) -> None:
    written = Pcapng(order)
    record = Record(bytes(FRAMES[0]))
    good = packet(written, record, drops(written, 1), (FLAGS, number(written, 4, 1)), end=False)
    lie = packet(written, record, drops(written, 2), (COMMENT, b"1234"), drops(written, 4))
    at = lie.index(b"1234") - 2
    lie = lie[:at] + number(written, 2, 60_000) + lie[at + 2 :]
    tables = read(written.section() + written.interface() + good + lie + good)
    assert tables.words == ["conversation"] * 3
    assert tables.capture["dropped_packets"] == 4
    assert tables.oddities.select("layer", "kind", "count").rows() == [
        ("block", "block_options", 1)
    ]
    assert tables.capture["damage"] is None


def test_options_of_other_blocks_that_do_not_fit_are_told_too() -> None:
    written = Pcapng()
    liar = struct.pack("<HH", 9, 4_000) + bytes(4)
    interface = written.block(1, struct.pack("<HHI", ETHERNET, 0, 0) + liar)
    said = written.block(5, struct.pack("<I", 0) + bytes(8) + liar)
    both = interface + written.packet(records(FRAMES[0])[0]) + said
    tables = read((written.section() + both) * 2)
    assert tables.words == ["conversation"] * 2
    assert tables.oddities.select("kind", "count").rows() == [("block_options", 4)]


def test_a_description_that_is_cut_is_still_an_interface() -> None:
    """Packets name interfaces by their place: one that is left out would shift all behind it."""
    written = Pcapng()
    ip = Record(bytes(Ipv4(Udp())))
    file = written.section() + written.block(1, bytes(4)) + written.interface(RAW)
    tables = read(file + written.packet(ip, 1) + written.packet(ip, 0))
    assert tables.words == ["conversation", "non_ip"]
    assert tables.capture["link_types"] == [RAW, 0xFFFF]
    assert tables.capture["damage"] is not None
    assert "block_damaged" in tables.kinds


def test_interfaces_beyond_all_measure_are_not_kept() -> None:
    written = Pcapng()
    packets = b"".join(written.packet(Record(bytes(FRAMES[0])), n) for n in (65_535, 65_536))
    tables = read(written.section() + written.interface() * (MOST_INTERFACES + 9) + packets)
    assert tables.words == ["conversation", "malformed"]
    assert sorted(tables.kinds) == ["block_damaged", "interface_unknown"]
    assert tables.capture["damage"].startswith("9 blocks passed over")


@pytest.mark.parametrize("order", ORDERS)
def test_sections_may_be_empty_minimal_and_know_their_length_or_not(order: Order) -> None:
    written = Pcapng(order)
    record = records(FRAMES[0])[0]
    blocks = written.interface() + written.packet(record)
    shapes = [
        written.section(),
        section(written, b""),
        section(written, blocks),
        section(written, blocks, length=-1),
        section(written, written.interface()),
        section(written, blocks, minor=2),
        section(written, blocks, length=2**40),
        written.section(written.option(1, b"x") + written.option(0, b"")) + blocks,
    ]
    for window in (64, 1 << 20):
        with narrow(window):
            assert_whole(read(b"".join(shapes)), 5)
    for shape in shapes[:2]:
        assert_whole(read(shape), 0)


@pytest.mark.parametrize("major", [0, 2, 0xFFFF])
@pytest.mark.parametrize("order", ORDERS)
def test_a_section_of_another_version_is_not_guessed_at(order: Order, major: int) -> None:
    written = Pcapng(order)
    body = struct.pack(f"{order}IHHq", 0x1A2B3C4D, major, 0, -1)
    other = written.block(0x0A0D0D0A, body)
    with pytest.raises(CaptureError, match=f"byte 12: pcapng version 1 expected, {major} found"):
        read(other)
    good = written.file(*FRAMES)
    tables = read(good + other + written.interface() + written.packet(records(FRAMES[0])[0]))
    assert tables.words == ["conversation"] * len(FRAMES)
    assert tables.oddities.select("kind", "offset", "got_bytes").rows() == [
        ("section_version", len(good) + 12, major)
    ]
    assert tables.capture["unread_bytes"] > 0


def test_a_section_header_too_short_for_one_ends_the_file_there() -> None:
    written = Pcapng()
    good = written.file(*FRAMES)
    for size in (4, 8, 12):
        short = written.block(0x0A0D0D0A, struct.pack("<IHHI", 0x1A2B3C4D, 1, 0, 0)[:size])
        tables = read(good + short + written.interface())
        assert tables.words == ["conversation"] * len(FRAMES)
        assert tables.kinds == ["section_header"]


@pytest.mark.parametrize("snaplen", [0, 1, 20, LENGTH - 1, LENGTH, LENGTH + 1])
def test_a_simple_packet_is_as_long_as_the_first_interface_allows(snaplen: int) -> None:
    written = Pcapng()
    kept = bytes(FRAMES[0])[: snaplen or None]
    block = written.block(3, struct.pack("<I", LENGTH) + kept)
    others = written.interface(RAW, snaplen=5) + written.secrets()
    tables = read(written.section() + written.interface(snaplen=snaplen) + others + block)
    assert tables.capture["packets"] == 1
    assert tables.capture["captured_bytes"] == len(kept)
    assert tables.capture["wire_bytes"] == LENGTH
    assert tables.capture["snapped_packets"] == (len(kept) < LENGTH)
    assert tables.packets["time"].to_list() == [None]


@dataclass
class Model:
    """What a reader must have understood of the blocks so far."""

    times: list[int | None] = field(default_factory=list)
    types: set[int] = field(default_factory=set)
    interfaces: list[tuple[int, int, int, int]] = field(default_factory=list)
    beside: dict[int, int] = field(default_factory=dict)
    said: dict[int, int] = field(default_factory=dict)
    dropped: list[int] = field(default_factory=list)
    others: int = 0

    def end_section(self) -> None:
        for place in self.beside.keys() | self.said.keys():
            self.dropped.append(max(self.beside.get(place, 0), self.said.get(place, 0)))
        self.interfaces, self.beside, self.said = [], {}, {}


UNITS = {None: 10**6, 0: 1, 3: 10**3, 6: 10**6, 9: 10**9, 0x80 + 10: 2**10, 0x80 + 20: 2**20}


def octets_of(link_type: int, model: Model) -> bytes:
    """A packet unlike all before it."""
    packet = Ipv4(Udp(b"no. %d" % len(model.times)))
    return bytes(packet if link_type == RAW else Ethernet(packet))


def drawn_section(data: st.DataObject, model: Model) -> bytes:
    written = Pcapng(data.draw(st.sampled_from(ORDERS)))
    draw_size = st.integers(0, 6)
    model.end_section()
    model.others += 1
    file = written.section(b"".join(written.option(n, b"s" * n) for n in range(2, 5)))
    for _ in range(data.draw(draw_size)):
        kind = data.draw(st.sampled_from("ippppsdnucx"))
        if kind == "i" or (kind in "psd" and not model.interfaces):
            link_type = data.draw(st.sampled_from([ETHERNET, RAW]))
            resolution = data.draw(st.sampled_from(list(UNITS)))
            offset = data.draw(st.sampled_from([None, 0, 3_600, -3_600]))
            model.interfaces.append((link_type, UNITS[resolution], offset or 0, 0))
            file += written.interface(link_type, 0, resolution, offset)
        elif kind == "p":
            file += drawn_packet(data, written, model)
        elif kind == "s":
            link_type = model.interfaces[0][0]
            file += written.simple_packet(Record(octets_of(link_type, model)))
            model.times.append(None)
            model.types.add(link_type)
        elif kind == "d":
            place = data.draw(st.integers(0, len(model.interfaces) - 1))
            model.said[place] = data.draw(st.integers(0, 2**40))
            model.others += 1
            file += written.statistics(place, model.said[place])
        else:
            model.others += 1
            blocks = {"n": written.names(), "c": written.custom(), "x": written.secrets()}
            unknown = data.draw(st.sampled_from([7, 9, 0x101, 0x7FFF_FFFF, 0x8000_0002]))
            octets = data.draw(st.binary(max_size=9))
            file += blocks.get(kind) or written.block(unknown, octets)
    return file


def drawn_packet(data: st.DataObject, written: Pcapng, model: Model) -> bytes:
    place = data.draw(st.integers(0, len(model.interfaces) - 1))
    link_type, unit, offset, _ = model.interfaces[place]
    seconds = data.draw(st.integers(1, 2**31))
    record = Record(octets_of(link_type, model), seconds * unit * 1_000)
    model.times.append((seconds + offset) * 10**9 if seconds + offset > 0 else None)
    model.types.add(link_type)
    options = []
    if data.draw(st.booleans()):
        lost = data.draw(st.integers(0, 2**40))
        model.beside[place] = model.beside.get(place, 0) + lost
        options.append(drops(written, lost))
    return packet(written, record, *options, interface=place)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_any_blocks_in_any_sections_say_what_the_model_says(data: st.DataObject) -> None:
    model = Model()
    file = b"".join(drawn_section(data, model) for _ in range(data.draw(st.integers(1, 4))))
    model.end_section()
    with narrow(data.draw(st.sampled_from([64, 300, 1 << 16])), data.draw(st.integers(1, 9))):
        tables = read(file)
    assert_whole(tables, len(model.times))
    assert tables.packets["time"].to_physical().to_list() == model.times
    assert tables.capture["link_types"] == sorted(model.types)
    assert tables.capture["other_blocks"] == model.others
    assert tables.capture["dropped_packets"] == (sum(model.dropped) if model.dropped else None)
