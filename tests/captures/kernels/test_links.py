"""Each link header is built around a packet that is known; what it says must not change."""

import struct
from collections.abc import Callable

import pytest

from phonehome.captures.kernels.links import IPV4, IPV6, KNOWN_LINK_TYPES, RAW_BSD, RAW_OPENBSD
from phonehome.captures.words import BARE_LINK_TYPES
from tests.captures.building import (
    NULL,
    PHONE_MAC,
    RAW,
    SLL,
    SLL2,
    START,
    Ethernet,
    Family,
    Ip,
    Ipv4,
    Ipv6,
    Pcap,
    Record,
    Sll,
    Tcp,
    Udp,
    pcap,
)
from tests.captures.carriers import (
    MPLS_TYPE,
    PPPOE_TYPE,
    cisco,
    fabric,
    mpls,
    ppi,
    ppp,
    pppoe,
    radiotap,
    snap,
    wireless,
)
from tests.captures.reader import assert_accounts, one, read

V4, V6 = Ipv4(Udp(b"hello")), Ipv6(Tcp(b"hello"))
PPP, PPP_HDLC, PPP_ETHERNET, CISCO, WIRELESS, PPI = 9, 50, 51, 104, 105, 192

Frame = Callable[[Ip], bytes]
LINKS: dict[str, tuple[int, Frame, int]] = {
    "ppp": (PPP, ppp, 4),
    "ppp without address": (PPP, lambda p: ppp(p, is_framed=False), 2),
    "ppp with a short protocol": (PPP, lambda p: ppp(p, is_short=True), 3),
    "ppp, all short": (PPP, lambda p: ppp(p, is_framed=False, is_short=True), 1),
    "ppp like hdlc": (PPP_HDLC, ppp, 4),
    "cisco's framing in ppp": (PPP, cisco, 4),
    "cisco's framing, multicast": (PPP_HDLC, lambda p: cisco(p, 0x8F), 4),
    "cisco's framing": (CISCO, cisco, 4),
    "ppp over ethernet, bare": (PPP_ETHERNET, pppoe, 8),
    "ppp over ethernet": (1, lambda p: bytes(Ethernet(pppoe(p), ethertype=PPPOE_TYPE)), 22),
    "ppp over ethernet in a vlan": (
        1,
        lambda p: bytes(Ethernet(pppoe(p), tags=(0x8100,), ethertype=PPPOE_TYPE)),
        26,
    ),
    "mpls": (1, lambda p: bytes(Ethernet(mpls(p), ethertype=MPLS_TYPE)), 22),
    "mpls multicast": (1, lambda p: bytes(Ethernet(mpls(p, 20), ethertype=0x8848)), 18),
    "mpls in ppp": (PPP, lambda p: b"\xff\x03\x02\x81" + mpls(p), 12),
    "mpls in cisco's framing": (CISCO, lambda p: b"\x0f\0\x88\x47" + mpls(p, 9), 8),
    "fabric path": (1, fabric, 30),
    "snap": (1, lambda p: bytes(Ethernet(snap(p), ethertype=8 + len(bytes(p)))), 22),
    "ppi of ethernet": (PPI, lambda p: ppi(bytes(Ethernet(p)), 1), 26),
    "ppi of bare ip": (PPI, lambda p: ppi(bytes(p), RAW), 12),
    "an ethertype for a family": (NULL, lambda p: bytes(Family(p, p.ethertype, "<")), 4),
    "sixteen bits of family": (NULL, lambda p: bytes(Family(p, 0x0F000000 | p.ethertype)), 4),
    "winsock's family": (NULL, lambda p: bytes(Family(p, 23, "<")), 4),
}
CARRIERS = [pytest.param(*link, id=name) for name, link in LINKS.items()]


@pytest.mark.parametrize("packet", [V4, V6], ids=["v4", "v6"])
@pytest.mark.parametrize(("link_type", "frame", "link_bytes"), CARRIERS)
def test_the_same_packet_counts_the_same_on_any_link(link_type, frame, link_bytes, packet) -> None:
    tables = read(pcap(frame(packet), link_type=link_type))
    row = one(tables)
    assert (row["word"], row["payload_bytes"]) == ("conversation", 5)
    assert (row["ip_bytes"], row["link_bytes"]) == (len(bytes(packet)), link_bytes)
    assert_accounts(tables, [len(bytes(packet)) + link_bytes])
    assert tables.oddities.is_empty()


@pytest.mark.parametrize(("link_type", "frame", "link_bytes"), CARRIERS)
def test_headers_that_were_not_captured_are_cut(link_type, frame, link_bytes) -> None:
    octets = frame(V4)
    whole = link_bytes + 28
    cut = [Record(octets[:n], START, len(octets)) for n in range(whole + 1)]
    tables = read(Pcap(link_type).file(cut))
    assert tables.words == ["cut"] * whole + ["conversation"]
    assert_accounts(tables, [len(octets)] * (whole + 1))


@pytest.mark.parametrize(("link_type", "frame", "link_bytes"), CARRIERS)
def test_a_frame_that_ends_inside_its_headers_is_no_conversation(
    link_type, frame, link_bytes
) -> None:
    octets = frame(V4)
    tables = read(Pcap(link_type).file([Record(octets[:n]) for n in range(link_bytes + 28)]))
    assert set(tables.words) <= {"malformed", "non_ip"}
    assert tables.words[-1] in {"malformed", "non_ip"}
    assert_accounts(tables, list(range(link_bytes + 28)))


@pytest.mark.parametrize("number", [99, 147, 215])
def test_a_link_type_that_nobody_knows_is_named(number: int) -> None:
    tables = read(pcap(Ethernet(V4), link_type=number))
    assert tables.words == ["non_ip"]
    assert tables.oddities.select("kind", "needed_bytes").rows() == [("link_type_unknown", number)]
    assert tables.capture["link_types"] == [number]


def test_a_link_type_that_nobody_knows_inside_another_is_named() -> None:
    for number, named in ((147, 147), (0x1_0800, 0xFFFF), (2**32 - 1, 0xFFFF)):
        tables = read(pcap(ppi(bytes(V4), number), link_type=PPI))
        assert tables.oddities["needed_bytes"].to_list() == [named]


@pytest.mark.parametrize("protocol", [0xC021, 0x8021, 0x3D, 0xFD, 0x2B])
def test_ppp_that_carries_no_ip_is_no_ip(protocol: int) -> None:
    frame = b"\xff\x03" + struct.pack(">H", protocol) + bytes(V4)
    assert read(pcap(frame, link_type=PPP)).words == ["non_ip"]


def test_a_session_that_is_being_set_up_is_no_ip() -> None:
    frame = Ethernet(pppoe(V4, code=9), ethertype=PPPOE_TYPE)
    assert read(pcap(frame)).words == ["non_ip"]


@pytest.mark.parametrize(
    ("length", "payload", "kinds"),
    [(35, 5, []), (32, 2, ["ip_length_beyond_frame"]), (60_000, 5, [])],
)
def test_the_length_of_a_session_frame_ends_its_packet(length, payload, kinds) -> None:
    frame = Ethernet(pppoe(V4, length=length), ethertype=PPPOE_TYPE)
    tables = read(pcap(frame))
    assert (one(tables)["payload_bytes"], tables.kinds) == (payload, kinds)
    assert_accounts(tables, [14 + 6 + 35])


@pytest.mark.parametrize("count", [1, 15, 16, 17, 300])
def test_up_to_sixteen_labels_are_skipped(count: int) -> None:
    frame = Ethernet(mpls(V4, *range(20, 20 + count)), ethertype=MPLS_TYPE)
    tables = read(pcap(frame))
    if count <= 16:
        assert one(tables)["link_bytes"] == 14 + 4 * count
    else:
        assert (tables.words, tables.kinds) == (["malformed"], ["layers_depth"])


@pytest.mark.parametrize("content", [bytes(40), b"\x12" * 40, b"\x45" + bytes(50), b"\x60" * 60])
def test_labels_before_something_else_are_no_ip(content: bytes) -> None:
    assert read(pcap(Ethernet(mpls(content), ethertype=MPLS_TYPE))).words == ["non_ip"]


@pytest.mark.parametrize("label", [0, 2])
def test_a_label_that_says_ip_is_believed(label: int) -> None:
    frame = Ethernet(mpls(b"\x12" * 40, label), ethertype=MPLS_TYPE)
    assert read(pcap(frame)).words == ["malformed"]


@pytest.mark.parametrize("device", [512, 519, 65_534])
@pytest.mark.parametrize("content", [bytes(V4), bytes(V6), b"\x45" * 60, bytes(60)])
def test_a_cooked_frame_of_a_device_without_link_header_may_hold_bare_ip(device, content) -> None:
    first = struct.pack(">HHH", 0, device, 0) + bytes(10) + content
    second = bytes(8) + struct.pack(">HBB", device, 0, 0) + bytes(8) + content
    is_packet = content in {bytes(V4), bytes(V6)}
    for link_type, octets in ((SLL, first), (SLL2, second)):
        words = read(pcap(octets, link_type=link_type)).words
        assert words == ["conversation" if is_packet else "non_ip"]


def test_a_cooked_frame_of_ethernet_needs_a_protocol() -> None:
    octets = bytearray(bytes(Sll(V4)))
    octets[14:16] = bytes(2)
    assert read(pcap(bytes(octets), link_type=SLL)).words == ["non_ip"]


@pytest.mark.parametrize("depth", [1, 15, 16, 17, 40])
def test_headers_nest_sixteen_deep(depth: int) -> None:
    octets = bytes(V4)
    for number in range(depth):
        octets = ppi(octets, PPI if number else RAW)
    tables = read(pcap(octets, link_type=PPI))
    if depth <= 16:
        assert one(tables)["link_bytes"] == 12 * depth
    else:
        assert (tables.words, tables.kinds) == (["malformed"], ["layers_depth"])
    assert_accounts(tables, [len(octets)])


def test_a_frame_in_a_frame_in_a_frame_is_read() -> None:
    octets = radiotap(wireless(bytes.fromhex("aaaa030000008864") + pppoe(V4)))
    row = one(read(pcap(octets, link_type=127)))
    assert (row["word"], row["ip_bytes"]) == ("conversation", 33)
    assert row["link_bytes"] == 8 + 24 + 8 + 8


def test_the_sender_of_the_innermost_frame_counts() -> None:
    outer = bytes(6) + b"\x02" + bytes(5) + b"\x65\x58"
    tables = read(pcap(outer + bytes(Ethernet(V4))))
    assert tables.conversations["a_mac"].to_list() == [":".join(f"{n:02x}" for n in PHONE_MAC)]


def test_the_link_types_without_a_header_are_those_that_the_loop_passes_through() -> None:
    bare = {RAW, RAW_BSD, RAW_OPENBSD, IPV4, IPV6}
    assert set(BARE_LINK_TYPES) == bare
    assert bare < KNOWN_LINK_TYPES
