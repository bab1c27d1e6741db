"""Each tunnel is built around a packet that is known, and must not be seen where there is none."""

from collections.abc import Callable

import pytest

from tests.captures.building import (
    START,
    Ethernet,
    Ip,
    Ipv4,
    Ipv6,
    Pcap,
    Raw,
    Record,
    Tcp,
    Udp,
    pcap,
)
from tests.captures.carriers import (
    ETHER_IP,
    MPLS_IP,
    aggregate,
    capwap,
    erspan2,
    erspan3,
    geneve,
    gre,
    gtp,
    mpls,
    pptp,
    snap,
    teredo,
    vxlan,
    wireless,
)
from tests.captures.payloads import dns_answer
from tests.captures.reader import assert_accounts, one, read

V4 = Ipv4(Udp(b"hello", 1_111, 2_222), source="10.0.0.1", to="10.0.0.2")
V6 = Ipv6(Tcp(b"hello", 1_111, 2_222), source="fd00::1", to="fd00::2")
BOTH, FOUR, SIX = (V4, V6), (V4,), (V6,)


def udp(payload: bytes, port: int, from_port: int = 50_000) -> Ip:
    return Ipv4(Udp(payload, from_port, port))


Tunnel = Callable[[Ip], Ip]
PROMISED: dict[str, tuple[Tunnel, tuple[Ip, ...]]] = {
    "ip in ip": (Ipv4, BOTH),
    "ip in ipv6": (Ipv6, BOTH),
    "gre": (lambda p: Ipv4(gre(p, p.ethertype)), BOTH),
    "gre over ipv6": (lambda p: Ipv6(gre(p, p.ethertype)), BOTH),
    "gre with a checksum": (lambda p: Ipv4(gre(p, p.ethertype, checksum=True)), BOTH),
    "gre with a key": (lambda p: Ipv4(gre(p, p.ethertype, key=True)), BOTH),
    "gre with all": (
        lambda p: Ipv4(gre(p, p.ethertype, checksum=True, key=True, sequence=True)),
        BOTH,
    ),
    "gre of ethernet": (lambda p: Ipv4(gre(Ethernet(p), 0x6558, key=True)), BOTH),
    "gre of mpls": (lambda p: Ipv4(gre(mpls(p), 0x8847)), BOTH),
    "pptp": (lambda p: Ipv4(pptp(p)), BOTH),
    "pptp, acknowledging": (lambda p: Ipv4(pptp(p, is_acknowledged=True)), BOTH),
    "erspan I": (lambda p: Ipv4(gre(Ethernet(p), 0x88BE)), BOTH),
    "erspan II": (lambda p: Ipv4(erspan2(Ethernet(p, tags=(0x8100,)))), BOTH),
    "erspan III": (lambda p: Ipv4(erspan3(Ethernet(p))), BOTH),
    "erspan III, longer": (lambda p: Ipv4(erspan3(Ethernet(p), is_longer=True)), BOTH),
    "erspan III of ip": (lambda p: Ipv4(erspan3(p, kind=2)), BOTH),
    "ethernet in ip": (lambda p: Ipv4(Raw(b"\x30\0" + bytes(Ethernet(p)), ETHER_IP)), BOTH),
    "mpls in ip": (lambda p: Ipv4(Raw(mpls(p), MPLS_IP)), BOTH),
}
GUESSED: dict[str, tuple[Tunnel, tuple[Ip, ...]]] = {
    "vxlan": (lambda p: udp(vxlan(Ethernet(p)), 4789), BOTH),
    "vxlan with group policy": (lambda p: udp(vxlan(Ethernet(p), 0x88), 4789), BOTH),
    "vxlan of linux": (lambda p: udp(vxlan(Ethernet(p, tags=(0x8100,))), 8472), BOTH),
    "geneve": (lambda p: udp(geneve(Ethernet(p)), 6081), BOTH),
    "geneve with options": (lambda p: udp(geneve(Ethernet(p), options=63), 6081), BOTH),
    "geneve of ip": (lambda p: udp(geneve(p, p.ethertype), 6081), BOTH),
    "mpls in udp": (lambda p: udp(mpls(p), 6635), BOTH),
    "gtp": (lambda p: udp(gtp(p), 2152), BOTH),
    "gtp, from its port": (lambda p: udp(gtp(p), 9, 2152), BOTH),
    "gtp with a number": (lambda p: udp(gtp(p, flags=2), 2152), BOTH),
    "gtp with an extension": (lambda p: udp(gtp(p, 1), 2152), BOTH),
    "gtp with extensions": (lambda p: udp(gtp(p, 1, 2, 1, 3), 2152), BOTH),
    "teredo": (lambda p: udp(teredo(p), 3544), SIX),
    "teredo, from its port": (lambda p: udp(teredo(p), 9, 3544), SIX),
    "teredo with an origin": (lambda p: udp(teredo(p, is_origin=True), 3544), SIX),
    "teredo, authenticated": (lambda p: udp(teredo(p, client=4, is_origin=True), 3544), SIX),
    "capwap": (lambda p: udp(capwap(wireless(snap(p))), 5247), BOTH),
    "capwap, swapped": (lambda p: udp(capwap(wireless(snap(p), is_swapped=True)), 9, 5247), BOTH),
    "capwap of ethernet": (lambda p: udp(capwap(bytes(Ethernet(p)), is_native=False), 5247), BOTH),
}
TUNNELS = {**PROMISED, **GUESSED}
CASES = [
    pytest.param(around, inner, id=f"{name}, v{4 if inner is V4 else 6}")
    for name, (around, packets) in TUNNELS.items()
    for inner in packets
]


def ends(tables) -> list[tuple[str, int | None, str, int | None]]:
    columns = ("a_address", "a_port", "b_address", "b_port")
    return tables.conversations.select(columns).rows()


def is_inner(tables) -> bool:
    """Whether the packet of the tests, and no other, is counted."""
    return ends(tables) in (
        [("10.0.0.1", 1_111, "10.0.0.2", 2_222)],
        [("fd00::1", 1_111, "fd00::2", 2_222)],
    )


@pytest.mark.parametrize(("around", "inner"), CASES)
def test_the_innermost_packet_counts_and_the_rest_is_link_header(around, inner) -> None:
    octets = bytes(Ethernet(around(inner)))
    tables = read(pcap(octets))
    row = one(tables)
    assert is_inner(tables)
    assert (row["word"], row["payload_bytes"], row["unique_bytes"]) == ("conversation", 5, 5)
    assert row["ip_bytes"] == len(bytes(inner))
    assert row["link_bytes"] == len(octets) - len(bytes(inner))
    assert_accounts(tables, [len(octets)])
    assert tables.oddities.is_empty()


@pytest.mark.parametrize(("around", "inner"), CASES)
def test_where_the_inner_headers_were_not_captured_the_outer_packet_counts(around, inner) -> None:
    outer = around(inner)
    octets = bytes(Ethernet(outer))
    needed = len(octets) - 5  # headers inside, all but the payload
    first = octets.index(bytes(outer.inner)) + 8  # of the outer packet, with a header of UDP
    pieces = [Record(octets[:n], START, len(octets)) for n in range(first, len(octets) + 1)]
    tables = read(Pcap().file(pieces))
    assert set(tables.words) == {"conversation"}
    whole = tables.packets["ip_bytes"] == len(bytes(inner))
    assert whole.to_list() == [first + n >= needed for n in range(len(pieces))]
    assert_accounts(tables, [len(octets)] * len(pieces))


@pytest.mark.parametrize("name", PROMISED)
def test_a_packet_that_was_promised_and_cannot_be_read_is_odd(name: str) -> None:
    octets = bytes(Ethernet(PROMISED[name][0](V4)))
    cut = Record(octets[: len(octets) - 10], original=len(octets))
    tables = read(Pcap().file([cut]))
    assert (tables.words, tables.kinds) == (["conversation"], ["inner_packet_unread"])
    assert not is_inner(tables)


@pytest.mark.parametrize("name", [name for name, (_, inner) in GUESSED.items() if V4 in inner])
def test_a_packet_that_was_guessed_and_cannot_be_read_is_not_odd(name: str) -> None:
    octets = bytes(Ethernet(GUESSED[name][0](V4)))
    cut = Record(octets[: len(octets) - 10], original=len(octets))
    tables = read(Pcap().file([cut]))
    assert (tables.words, tables.kinds) == (["conversation"], [])
    assert not is_inner(tables)


LIARS = [
    Ipv4(Udp(b"hello"), total=500),
    Ipv4(Udp(b"hello"), total=21, header_words=6),
    Ipv4(Udp(b"hello", length=900)),
    Ipv4(Tcp(header_words=15)),
    Ipv6(Udp(b"hello"), length=500),
    Ipv4(Udp(b"hello"), header_words=4),
]


@pytest.mark.parametrize("name", GUESSED)
@pytest.mark.parametrize("liar", LIARS)
def test_what_contradicts_itself_behind_a_port_is_payload(name: str, liar: Ip) -> None:
    if name.startswith("teredo") and isinstance(liar, Ipv4):
        liar = Ipv6(Udp(b"hello", length=900))
    outer = GUESSED[name][0](liar)
    tables = read(pcap(Ethernet(outer)))
    assert one(tables)["ip_bytes"] == len(bytes(outer))
    assert ends(tables)[0][::2] == ("192.168.1.5", "203.0.113.7")
    assert tables.kinds == []


@pytest.mark.parametrize("name", PROMISED)
@pytest.mark.parametrize("liar", [LIARS[0], LIARS[4]])
def test_a_promised_packet_longer_than_what_carries_it_ends_with_it(name: str, liar: Ip) -> None:
    outer = PROMISED[name][0](liar)
    tables = read(pcap(Ethernet(outer)))
    is_guess = "mpls" in name  # a label does not tell what it carries
    assert one(tables)["ip_bytes"] == len(bytes(outer if is_guess else liar))
    assert tables.kinds == ([] if is_guess else ["ip_length_beyond_frame"])


NOT_TUNNELS = {
    "vxlan without its flag": udp(vxlan(Ethernet(V4), 0), 4789),
    "vxlan with something reserved": udp(vxlan(Ethernet(V4), reserved=1), 4789),
    "vxlan from its port": udp(vxlan(Ethernet(V4)), 9, 4789),
    "vxlan of arp": udp(vxlan(Ethernet(bytes(28))), 4789),
    "vxlan of nothing": udp(vxlan(b""), 4789),
    "geneve of another version": udp(geneve(Ethernet(V4), options=0x40), 6081),
    "geneve of arp": udp(geneve(bytes(28), 0x806), 6081),
    "geneve whose options are longer than it": udp(geneve(b"")[:1] + b"\0" * 7, 6081),
    "gtp that says hello": udp(gtp(V4, message=1), 2152),
    "gtp of another version": udp(b"\x50" + gtp(V4)[1:], 2152),
    "gtp longer than its datagram": udp(gtp(V4, length=4_000), 2152),
    "gtp with an extension of no length": udp(gtp(V4, flags=4)[:11] + b"\x85" + bytes(40), 2152),
    "gtp with too many extensions": udp(gtp(V4, *([1] * 17)), 2152),
    "gtp of something else": udp(gtp(b"\x12" * 60), 2152),
    "teredo of ipv4": udp(teredo(V4), 3544),
    "teredo of nothing": udp(teredo(b"", is_origin=True), 3544),
    "a fragment of capwap": udp(b"\0\x10\x43\x80" + capwap(wireless(snap(V4)))[4:], 5247),
    "capwap without a header": udp(b"\0\0\x43\0" + capwap(wireless(snap(V4)))[4:], 5247),
    "capwap that is encrypted": udp(b"\1" + capwap(wireless(snap(V4)))[1:], 5247),
    "capwap of another radio": udp(capwap(wireless(snap(V4)), binding=3), 5247),
    "gre of another version": Ipv4(gre(V4, version=2)),
    "gre with a route": Ipv4(gre(V4, routing=True)),
    "gre that keeps alive": Ipv4(gre(b"", 0)),
    "gre that ends at once": Ipv4(Raw(b"\0\0\x08", 47)),
    "pptp that only acknowledges": Ipv4(pptp(V4, is_acknowledged=True, is_empty=True)),
    "erspan III of something else": Ipv4(erspan3(bytes(60), kind=9)),
    "erspan III that ends at once": Ipv4(gre(bytes(3), 0x22EB, sequence=True)),
    "ethernet in ip, of another version": Ipv4(Raw(b"\x40\0" + bytes(Ethernet(V4)), ETHER_IP)),
    "ethernet in ip, of arp": Ipv4(Raw(b"\x30\0" + bytes(Ethernet(bytes(28))), ETHER_IP)),
}


@pytest.mark.parametrize("outer", NOT_TUNNELS.values(), ids=NOT_TUNNELS)
def test_what_is_no_tunnel_counts_as_it_is(outer: Ip) -> None:
    tables = read(pcap(Ethernet(outer)))
    assert one(tables)["ip_bytes"] == len(bytes(outer))
    assert one(tables)["link_bytes"] == 14
    assert tables.words == ["conversation"]
    assert tables.kinds == []


def test_sixteen_extension_headers_of_gtp_are_skipped() -> None:
    assert is_inner(read(pcap(Ethernet(udp(gtp(V4, *([1] * 16)), 2152)))))


def test_fragments_of_a_tunnel_count_as_the_tunnel() -> None:
    whole = bytes(gre(Ipv4(Udp(bytes(900)))))
    first = Ipv4(Raw(whole[:480], 47), identity=4, is_more=True)
    last = Ipv4(Raw(whole[480:], 47), identity=4, offset=480)
    tables = read(pcap(Ethernet(first), Ethernet(last)))
    assert tables.words == ["conversation"] * 2
    assert tables.conversations["protocol"].to_list() == ["gre"]
    assert tables.sum("payload_bytes") == len(whole)
    assert tables.kinds == []


def test_fragments_inside_a_tunnel_are_joined() -> None:
    datagram = bytes(Udp(bytes(900), 1_111, 2_222))
    first = Ipv4(Raw(datagram[:480], 17), "10.0.0.1", "10.0.0.2", identity=4, is_more=True)
    last = Ipv4(Raw(datagram[480:], 17), "10.0.0.1", "10.0.0.2", identity=4, offset=480)
    tables = read(pcap(*(Ethernet(udp(vxlan(Ethernet(p)), 4789)) for p in (first, last))))
    assert tables.words == ["conversation"] * 2
    assert is_inner(tables)
    assert tables.sum("payload_bytes") == 900


def test_names_are_found_inside_tunnels() -> None:
    answer = dns_answer(b"c.example", bytes([203, 0, 113, 9]))
    packet = Ipv4(Udp(answer, 53, 5_353), source="10.0.0.53", to="10.0.0.1")
    for around, inner in TUNNELS.values():
        if V4 in inner:
            tables = read(pcap(Ethernet(around(packet))))
            assert tables.sightings["name"].to_list() == ["c.example"]


def test_a_station_behind_an_access_point_is_the_sender() -> None:
    octets = capwap(wireless(aggregate(V4), subtype=8, quality=b"\x80\0"))
    tables = read(pcap(Ethernet(udp(octets, 5247), source=b"\x02" + bytes(4) + b"\x99")))
    assert is_inner(tables)
    assert tables.conversations["a_mac"].to_list() == ["02:00:00:00:00:05"]


def test_an_icmp_error_is_no_tunnel() -> None:
    error = Ipv4(Raw(b"\x03\x01" + bytes(6) + bytes(V4), 1))
    assert ends(read(pcap(Ethernet(error)))) == [("192.168.1.5", None, "203.0.113.7", None)]
