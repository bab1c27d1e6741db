"""A packet captured on two interfaces counts once; one that was sent twice counts twice."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.captures.building import (
    ETHERNET,
    PHONE,
    RAW,
    REMOTE,
    SLL2,
    START,
    Ethernet,
    Fragment,
    Ipv4,
    Ipv6,
    Pcap,
    Pcapng,
    Raw,
    Record,
    Tcp,
    Udp,
)
from tests.captures.reader import Tables, narrow, read

MS = 1_000_000
UPLOAD = bytes(Ipv4(Udp(b"upload" * 50), source=PHONE, to=REMOTE, identity=7))
SEGMENT = bytes(Ipv4(Tcp(b"segment" * 50, sequence=1), source=PHONE, to=REMOTE, identity=8))
SIX = bytes(Ipv6(Udp(b"upload" * 50)))


def cooked(packet: bytes, interface: int) -> bytes:
    """A packet as captured on this interface, behind an SLL2 header."""
    ethertype = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return ethertype + bytes(2) + interface.to_bytes(4) + bytes(12) + packet


def on_any(*packets: tuple[bytes, int, int]) -> Tables:
    """Tables of an SLL2 capture of (packet, interface, ms)."""
    frames = [Record(cooked(p, interface), START + at * MS) for p, interface, at in packets]
    return read(Pcap(SLL2).file(frames))


def changed(packet: bytes, **octets: int) -> bytes:
    """The packet with other octets at places such as `at8`."""
    new = bytearray(packet)
    for place, octet in octets.items():
        new[int(place.removeprefix("at"))] = octet
    return bytes(new)


@pytest.mark.parametrize("packet", [UPLOAD, SEGMENT, SIX])
def test_the_second_interface_is_a_copy(packet: bytes) -> None:
    tables = on_any((packet, 1, 0), (packet, 2, 3))
    assert tables.words == ["conversation", "duplicate"]
    assert tables.packets["unique_bytes"].to_list()[1] == 0
    assert tables.packets["conversation"].to_list() == [0, None]
    assert tables.capture["packets"] == 2
    assert tables.sum("wire_bytes") == 2 * (20 + len(packet))


@pytest.mark.parametrize("packet", [UPLOAD, SEGMENT, SIX])
def test_the_same_interface_sent_it_again(packet: bytes) -> None:
    assert on_any((packet, 1, 0), (packet, 1, 3)).words == ["conversation"] * 2


def test_each_time_it_is_sent_again_has_its_own_copy() -> None:
    tables = on_any(*((UPLOAD, 1 + n % 2, 100 * (n // 2) + n % 2) for n in range(6)))
    assert tables.words == ["conversation", "duplicate"] * 3


@pytest.mark.parametrize(
    ("apart", "word"), [(10, "duplicate"), (-10, "duplicate"), (11, "conversation")]
)
def test_a_copy_comes_within_milliseconds(apart: int, word: str) -> None:
    assert on_any((UPLOAD, 1, 100), (UPLOAD, 2, 100 + apart)).words[1] == word


@pytest.mark.parametrize(
    ("packet", "octets"),
    [
        (UPLOAD, {"at8": 63, "at10": 1, "at11": 2, "at26": 3, "at27": 4}),  # hops, check sums
        (SEGMENT, {"at8": 63, "at10": 1, "at11": 2, "at36": 3, "at37": 4}),
        (SIX, {"at7": 63, "at46": 3, "at47": 4}),
    ],
)
def test_what_changes_on_the_way_makes_no_other_packet(packet: bytes, octets) -> None:
    assert on_any((packet, 1, 0), (changed(packet, **octets), 2, 1)).words[1] == "duplicate"


@pytest.mark.parametrize(
    ("packet", "place"),
    [
        *((UPLOAD, place) for place in (5, 9, 15, 19, 21, 40, 115)),
        *((SEGMENT, place) for place in (4, 27, 33, 60)),
        *((SIX, place) for place in (23, 60)),
    ],
)
def test_any_other_difference_makes_another_packet(packet: bytes, place: int) -> None:
    other = changed(packet, **{f"at{place}": packet[place] ^ 1})
    assert on_any((packet, 1, 0), (other, 2, 1)).words[1] != "duplicate"


def test_a_capture_of_one_interface_has_no_copies() -> None:
    for link_type, wrapped in ((RAW, UPLOAD), (ETHERNET, bytes(Ethernet(Ipv4(Udp(b"hello")))))):
        frames = [Record(wrapped, START + at) for at in range(2)]
        assert read(Pcap(link_type).file(frames)).words == ["conversation"] * 2


@pytest.mark.parametrize("order", "<>")
def test_interfaces_of_pcapng_are_told_apart(order) -> None:
    written = Pcapng(order)
    first, second = Record(UPLOAD, START), Record(UPLOAD, START + MS)
    octets = written.section() + written.interface(RAW) + written.interface(RAW)
    octets += written.packet(first, 0) + written.packet(second, 1) + written.packet(second, 1)
    assert read(octets).words == ["conversation", "duplicate", "duplicate"]


def test_fragments_have_copies_too() -> None:
    parts = [
        bytes(Ipv4(Udp(bytes(40)), identity=9, is_more=True)),
        bytes(Ipv4(Raw(b"x" * 40, 17), identity=9, offset=48)),
        bytes(Ipv6(Udp(bytes(40)), extensions=(Fragment(is_more=True, identity=77),))),
    ]
    tables = on_any(*((p, interface, 0) for p in parts for interface in (1, 2)))
    assert tables.words == ["conversation", "duplicate"] * 3


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 2), st.integers(0, 30)), max_size=30))
def test_copies_are_those_of_the_slow_twin_in_windows_of_any_size(sent) -> None:
    packets = [bytes(Ipv4(Udp(b"%d" % n), identity=n)) for n in range(6)]
    known: dict[int, tuple[int, int]] = {}
    words = []
    for number, interface, at in sent:
        other, when = known.get(number, (interface, 0))
        if other != interface and abs(at - when) <= 10:
            words.append("duplicate")
        else:
            known[number] = interface, at
            words.append("conversation")
    frames = [Record(cooked(packets[n], interface), START + at * MS) for n, interface, at in sent]
    octets = Pcap(SLL2).file(frames)
    assert read(octets).words == words
    with narrow():
        assert read(octets).words == words


def test_without_a_time_nothing_is_a_copy() -> None:
    frames = [Record(cooked(UPLOAD, interface), 0) for interface in (1, 2)]
    assert read(Pcap(SLL2).file(frames)).words == ["conversation"] * 2


def test_copies_among_very_many_packets_are_found_alike_in_each_run() -> None:
    """A place for each hash alone lost some, and which ones changed from run to run."""
    packets = [bytes(Ipv4(Udp(b"%d" % n), identity=n)) for n in range(1_000)]
    frames = [Record(cooked(octets, 1), START) for octets in packets]
    frames += [Record(cooked(octets, 2), START + MS) for octets in packets]
    first = read(Pcap(SLL2).file(frames)).words
    assert first == ["conversation"] * 1_000 + ["duplicate"] * 1_000
    assert read(Pcap(SLL2).file(frames)).words == first
