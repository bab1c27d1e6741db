"""scapy is asked about link types that the loop does not know, around packets that are known."""

import struct
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.decoding import scapy_door
from phonehome.captures.decoding.scapy_door import Dissected, innermost_ip, is_available
from phonehome.captures.kernels.links import KNOWN_LINK_TYPES
from phonehome.captures.kernels.tool_tags import TOOL_LINK_TYPES
from phonehome.captures.limits import Limits
from tests.captures.building import (
    Ethernet,
    Icmp,
    Ip,
    Ipv4,
    Ipv6,
    Pcapng,
    Tcp,
    Udp,
    pcap,
    records,
)
from tests.captures.building import Raw as Octets
from tests.captures.carriers import gre, ppp
from tests.captures.reader import assert_accounts, narrow, read

V4, V6 = Ipv4(Udp(b"hello")), Ipv6(Tcp(b"hello"))
PPP_WITH_DIRECTION, RAW = 204, 101
scapy = pytest.mark.skipif(not is_available(), reason="scapy is not installed")


@scapy
@pytest.mark.parametrize("packet", [V4, V6])
def test_a_packet_of_a_rare_link_type_is_found(packet: Ip) -> None:
    found = innermost_ip(PPP_WITH_DIRECTION, b"\x01" + ppp(packet))
    assert found is not None
    assert found.at == 5
    assert found.layers[0] == "DIR_PPP"


@scapy
def test_the_innermost_packet_is_found() -> None:
    octets = b"\x01" + ppp(Ipv4(gre(Ethernet(V4), 0x6558)))
    found = innermost_ip(PPP_WITH_DIRECTION, octets)
    assert found is not None
    assert found.at == len(octets) - len(bytes(V4))
    assert found.layers[-3:] == ("IP", "GRE", "Ether")


@scapy
def test_a_packet_that_an_error_quotes_is_not_inside() -> None:
    error = Ipv4(Icmp(3, bytes(4) + bytes(V4)))
    found = innermost_ip(PPP_WITH_DIRECTION, b"\x01" + ppp(error))
    assert found is not None
    assert found.at == 5


@scapy
def test_where_there_is_no_packet_none_is_found() -> None:
    octets = bytes(Ethernet(V4))
    assert innermost_ip(147, octets) is None
    assert innermost_ip(PPP_WITH_DIRECTION, b"") is None
    assert innermost_ip(PPP_WITH_DIRECTION, b"\x01\xff\x03\xc0\x21" + bytes(40)) is None


@scapy
@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=90), st.integers(0, 60), st.sampled_from([1, 192, 204, 230, 276]))
def test_any_octets_are_dissected_or_not(noise: bytes, place: int, link_type: int) -> None:
    octets = (b"\x01" + ppp(Ipv4(Octets(noise, 47))))[: 90 - place] + noise[:place]
    found = innermost_ip(link_type, octets)
    assert found is None or 0 <= found.at < len(octets)


class Layer:
    """What scapy gives for a header: its name, its octets from there on, what is inside."""

    def __init__(self, original: bytes, payload: object) -> None:
        self.original, self.payload, self.name = original, payload, "a layer"


class IP(Layer):
    """As scapy calls it."""


class IPv6(Layer):
    """As scapy calls it."""


class Tunnel(Layer):
    """Anything else."""


class End:
    """Behind the last layer."""

    name = "NoPayload"


def with_link_type(monkeypatch: pytest.MonkeyPatch, reader: Callable[[bytes], Layer]) -> None:
    monkeypatch.setattr(scapy_door, "_link_types", lambda: {300: reader})


def test_layers_are_found_again_in_the_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = bytes(V6)
    outer = bytes(20) + b"\x01\x02" + inner
    octets = b"\xaa\xbb" + outer
    layers = Tunnel(octets, IP(outer, Tunnel(b"\x01\x02" + inner, IPv6(inner, End()))))
    with_link_type(monkeypatch, lambda _: layers)
    assert innermost_ip(300, octets) == Dissected(24, ("Tunnel", "IP", "Tunnel"))
    assert innermost_ip(301, octets) is None


def test_a_header_that_does_not_stand_in_the_octets_is_not_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layers = Tunnel(b"compressed", IPv6(bytes(V6), End()))
    with_link_type(monkeypatch, lambda _: layers)
    assert innermost_ip(300, b"compressed") is None


@pytest.mark.parametrize("fault", [struct.error, IndexError, RecursionError, ValueError])
def test_what_scapy_cannot_read_is_not_found(
    monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def reader(_: bytes) -> Layer:
        raise fault

    with_link_type(monkeypatch, reader)
    assert innermost_ip(300, b"octets") is None


class Enclosed:
    """A packet of a link type that only scapy knows: a direction, PPP, then IP."""

    def __init__(self, packet: Ip) -> None:
        self._octets = b"\x01" + ppp(packet)

    def __bytes__(self) -> bytes:
        return self._octets


PACKETS: tuple[Ip, ...] = (V4, V6, Ipv4(Tcp(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 80)))


@scapy
def test_a_capture_of_a_rare_link_type_gives_the_flows_of_the_bare_packets() -> None:
    bare = read(pcap(*PACKETS, link_type=RAW))
    with narrow():
        tables = read(pcap(*map(Enclosed, PACKETS), link_type=PPP_WITH_DIRECTION))
    assert_accounts(tables, [len(bytes(packet)) + 5 for packet in PACKETS])
    same = pl.exclude("wire_bytes", "link_bytes")
    assert tables.packets.select(same).equals(bare.packets.select(same))
    assert (tables.packets["link_bytes"] - bare.packets["link_bytes"]).to_list() == [5, 5, 5]
    assert tables.conversations.equals(bare.conversations)
    assert tables.sightings.equals(bare.sightings)
    assert tables.sightings["name"].to_list() == ["a.example"]
    assert tables.kinds == []
    assert tables.capture["link_types"] == [PPP_WITH_DIRECTION]


@scapy
def test_link_types_of_one_file_do_not_mix() -> None:
    written = Pcapng()
    octets = written.section() + written.interface(PPP_WITH_DIRECTION) + written.interface(RAW)
    for number, record in enumerate(records(*[Enclosed(V4), V6] * 3)):
        octets += written.packet(record, interface=number % 2)
    with narrow():
        tables = read(octets)
    assert tables.words == ["conversation"] * 6
    assert tables.packets["link_bytes"].to_list() == [5, 0] * 3


@scapy
def test_what_scapy_does_not_know_either_stays_an_oddity() -> None:
    tables = read(pcap(Octets(b"anything", 0), link_type=147))
    assert tables.words == ["non_ip"]
    assert tables.kinds == ["link_type_unknown"]


@scapy
def test_packets_beyond_the_limit_are_counted() -> None:
    limits = Limits(dissected_packets=2)
    with narrow():
        tables = read(pcap(*map(Enclosed, [V4] * 5), link_type=PPP_WITH_DIRECTION), limits)
    assert tables.words == ["conversation"] * 2 + ["non_ip"] * 3
    assert tables.limits_hit == {"dissected_packets": 3}


def test_without_scapy_the_link_type_is_an_oddity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scapy_door, "is_available", lambda: False)
    tables = read(pcap(Enclosed(V4), link_type=PPP_WITH_DIRECTION))
    assert tables.words == ["non_ip"]
    assert tables.oddities.row(0, named=True)["needed_bytes"] == PPP_WITH_DIRECTION


def test_the_loop_knows_the_link_types_that_scapy_is_not_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scapy_door, "is_available", lambda: False)
    known = KNOWN_LINK_TYPES | TOOL_LINK_TYPES
    for link_type in range(300):
        tables = read(pcap(Octets(bytes(64), 0), link_type=link_type))
        assert ("link_type_unknown" in tables.kinds) == (link_type not in known), link_type
