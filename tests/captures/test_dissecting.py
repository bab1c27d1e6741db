"""scapy is asked about link types that the loop does not know, around packets that are known."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from captures import dissecting
from captures.dissecting import Dissected, innermost_ip, is_available
from tests.captures.building import Ethernet, Icmp, Ip, Ipv4, Ipv6, Raw, Tcp, Udp
from tests.captures.carriers import gre, ppp

V4, V6 = Ipv4(Udp(b"hello")), Ipv6(Tcp(b"hello"))
PPP_WITH_DIRECTION = 204
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
    octets = (b"\x01" + ppp(Ipv4(Raw(noise, 47))))[: 90 - place] + noise[:place]
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
    monkeypatch.setattr(dissecting, "_link_types", lambda: {300: reader})


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
