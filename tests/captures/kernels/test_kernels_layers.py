"""Packets in packets: how deep, what happens beyond, and that every byte stays accounted for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.captures.building import START, Ethernet, Ip, Ipv4, Ipv6, Pcap, Record, Tcp, Udp, pcap
from tests.captures.carriers import gre, gtp, mpls, ppi, pppoe, radiotap, snap, vxlan, wireless
from tests.captures.kernels.test_tunnels import TUNNELS, V4, is_inner
from tests.captures.reader import assert_accounts, assert_same, interpreted, one, read

LINKS = {
    1: lambda packet: bytes(Ethernet(packet)),
    9: lambda packet: b"\xff\x03\0\x21" + bytes(packet),
    51: pppoe,
    105: lambda packet: wireless(snap(packet)),
    127: lambda packet: radiotap(wireless(snap(packet)), (3,), bytes(9)),
    192: lambda packet: ppi(bytes(Ethernet(packet)), 1),
}
OUTER = [around for around, inner in TUNNELS.values() if V4 in inner]


@pytest.mark.parametrize("depth", [1, 8, 16, 17, 18, 60])
def test_packets_nest_sixteen_deep(depth: int) -> None:
    packet: Ip = V4
    for number in range(depth):
        packet = Ipv6(packet) if number % 2 else Ipv4(packet)
    tables = read(pcap(Ethernet(packet)))
    if depth <= 16:
        assert is_inner(tables)
        assert one(tables)["link_bytes"] == 14 + len(bytes(packet)) - len(bytes(V4))
    else:
        assert (tables.words, tables.kinds) == (["malformed"], ["layers_depth"])
    assert_accounts(tables, [14 + len(bytes(packet))])


@pytest.mark.parametrize("depth", [1, 8, 9, 30])
def test_link_headers_inside_tunnels_count_as_depth(depth: int) -> None:
    packet: Ip = V4
    for _ in range(depth):
        packet = Ipv4(gre(Ethernet(packet), 0x6558))
    tables = read(pcap(Ethernet(packet)))
    if depth <= 8:
        assert is_inner(tables)
    else:
        assert (tables.words, tables.kinds) == (["malformed"], ["layers_depth"])


def test_tunnels_of_all_kinds_nest() -> None:
    packet = Ipv4(Udp(gtp(Ipv4(gre(mpls(V4), 0x8847))), 2_152, 2_152))
    packet = Ipv4(Udp(vxlan(Ethernet(Ipv6(packet), tags=(0x8100,))), 9, 4789))
    assert is_inner(read(pcap(Ethernet(packet))))


def test_the_last_packet_that_can_be_read_counts() -> None:
    broken = Ipv4(Udp(b"hello", length=3))
    middle = Ipv4(broken, source="10.9.9.9", to="10.8.8.8")
    tables = read(pcap(Ethernet(Ipv4(middle))))
    assert tables.conversations["a_address"].to_list() == ["10.9.9.9"]
    assert tables.kinds == ["inner_packet_unread"]
    assert one(tables)["ip_bytes"] == len(bytes(middle))


def test_what_is_odd_outside_is_told_before_what_is_odd_inside() -> None:
    inner = Ipv4(Udp(b"hello", length=900))
    tables = read(pcap(Ethernet(Ipv4(inner, total=0))))
    assert tables.kinds == ["ip_length_zero"]
    assert one(tables)["payload_bytes"] == 5


def test_a_segment_inside_a_tunnel_that_the_network_card_will_cut_is_read() -> None:
    packet = Ipv4(Tcp(bytes(3_000)), total=0)
    tables = read(pcap(Ethernet(Ipv4(Udp(vxlan(Ethernet(packet)), 9, 4789)))))
    assert one(tables)["payload_bytes"] == 3_000
    assert tables.kinds == ["ip_length_zero"]


@st.composite
def carried(draw: st.DrawFn) -> tuple[int, list[Record]]:
    """Packets in packets with wrong octets, cut, and with any original length."""
    link_type = draw(st.sampled_from(sorted(LINKS)))
    written = []
    for _ in range(draw(st.integers(1, 8))):
        packet = draw(st.sampled_from([V4, Ipv4(Tcp(bytes(40))), Ipv4(Udp(bytes(9)), identity=3)]))
        for around in draw(st.lists(st.sampled_from(OUTER), max_size=4)):
            packet = around(packet)
        data = bytearray(LINKS[link_type](packet))
        for place, octet in draw(st.lists(st.tuples(st.integers(0, 199), st.integers(0, 255)))):
            if place < len(data):
                data[place] = octet
        captured = bytes(data[: draw(st.sampled_from([len(data), len(data), 20, 60, 90, 130]))])
        original = draw(st.sampled_from([None, len(data), len(data) + 7, 0, 2**32 - 1]))
        written.append(Record(captured, START, original))
    return link_type, written


@settings(deadline=None, max_examples=150)
@given(carried())
def test_any_octets_are_accounted_for(capture: tuple[int, list[Record]]) -> None:
    link_type, written = capture
    tables = read(Pcap(link_type).file(written))
    assert_accounts(tables, [max(record.length, len(record.octets)) for record in written])


@settings(deadline=None, max_examples=60)
@given(carried())
def test_machine_code_does_what_the_source_says(capture: tuple[int, list[Record]]) -> None:
    link_type, written = capture
    file = Pcap(link_type).file(written)
    compiled = read(file)
    with interpreted():
        assert_same(compiled, read(file))
