"""Packets are built layer by layer, so that their lengths are known without reading them."""

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.captures.building import (
    AUTHENTICATION,
    DESTINATION,
    HOP_BY_HOP,
    ICMP6,
    LOOP,
    NULL,
    PHONE,
    RAW,
    REMOTE,
    ROUTING,
    SLL,
    SLL2,
    START,
    Ethernet,
    Extension,
    Family,
    Fragment,
    Icmp,
    Ip,
    Ipv4,
    Ipv6,
    Pcap,
    Raw,
    Record,
    Sll,
    Sll2,
    Tcp,
    Udp,
    pcap,
)
from tests.captures.building import (
    ETHERNET as ETHERNET_TYPE,
)
from tests.captures.reader import assert_accounts, one, read

MOBILITY, HOST_IDENTITY, SHIM6 = 135, 139, 140
V4, V6 = Ipv4(Udp(b"hello")), Ipv6(Tcp(b"hello"))
LINKS = [
    (ETHERNET_TYPE, Ethernet, 14),
    (SLL, Sll, 16),
    (SLL2, Sll2, 20),
    (NULL, Family, 4),
    (LOOP, Family, 4),
    *((link_type, bytes, 0) for link_type in (RAW, 12, 14, 228, 229)),
]


@pytest.mark.parametrize("packet", [V4, V6])
@pytest.mark.parametrize(("link_type", "frame", "link_bytes"), LINKS)
def test_the_same_packet_counts_the_same_on_any_link(link_type, frame, link_bytes, packet) -> None:
    tables = read(pcap(frame(packet), link_type=link_type))
    row = one(tables)
    assert (row["word"], row["payload_bytes"]) == ("conversation", 5)
    assert (row["ip_bytes"], row["link_bytes"]) == (len(bytes(packet)), link_bytes)
    assert_accounts(tables, [len(bytes(packet)) + link_bytes])
    assert tables.capture["link_types"] == [link_type]
    assert tables.oddities.is_empty()


@pytest.mark.parametrize(("link_type", "frame", "link_bytes"), LINKS)
def test_a_link_header_that_was_not_captured_is_cut(link_type, frame, link_bytes) -> None:
    octets = bytes(frame(V4))
    whole = link_bytes + 28
    cut = [Record(octets[:n], START, len(octets)) for n in range(whole + 1)]
    tables = read(Pcap(link_type).file(cut))
    assert tables.words == ["cut"] * whole + ["conversation"]
    assert_accounts(tables, [len(octets)] * (whole + 1))


@pytest.mark.parametrize(("link_type", "frame", "link_bytes"), LINKS)
def test_a_packet_that_ends_inside_its_headers_is_malformed(link_type, frame, link_bytes) -> None:
    octets = bytes(frame(V4))
    short = [Record(octets[:n], START) for n in range(link_bytes + 28)]
    tables = read(Pcap(link_type).file(short))
    assert set(tables.words) == {"malformed"}
    assert_accounts(tables, list(range(link_bytes + 28)))


def test_a_link_type_that_nobody_knows_is_no_ip() -> None:
    tables = read(pcap(Ethernet(V4), link_type=147))
    assert tables.words == ["non_ip"]
    assert tables.kinds == ["link_type_unknown"]


def test_the_length_of_a_frame_check_sequence_is_no_part_of_the_link_type() -> None:
    tables = read(pcap(Ethernet(V4), link_type=1 | 0x24000000))
    assert tables.words == ["conversation"]
    assert tables.capture["link_types"] == [1]


@pytest.mark.parametrize("depth", range(21))
@pytest.mark.parametrize("tag", [0x8100, 0x88A8, 0x9100])
def test_up_to_eight_tags_are_skipped(depth: int, tag: int) -> None:
    tables = read(pcap(Ethernet(V4, tags=(tag,) * depth)))
    row = one(tables)
    if depth <= 8:
        assert (row["word"], row["link_bytes"]) == ("conversation", 14 + 4 * depth)
        assert tables.kinds == []
    else:
        assert (row["word"], tables.kinds) == ("malformed", ["vlan_depth"])
    assert_accounts(tables, [14 + 4 * depth + 33])


def test_two_hundred_tags_end_like_nine() -> None:
    tables = read(pcap(*(Ethernet(V4, tags=(0x8100,) * n) for n in (9, 200))))
    assert tables.words == ["malformed", "malformed"]


def test_frames_without_ip_are_no_ip() -> None:
    arp = Ethernet(bytes(28))
    llc = Ethernet(bytes(38), ethertype=38)
    tagged = Ethernet(bytes(28), tags=(0x8100,))
    assert read(pcap(arp, llc, tagged)).words == ["non_ip"] * 3


def test_snap_says_its_ethertype_behind_a_length() -> None:
    snap = bytes.fromhex("aaaa030000000800") + bytes(V4)
    row = one(read(pcap(Ethernet(snap, ethertype=len(snap)))))
    assert (row["word"], row["link_bytes"], row["ip_bytes"]) == ("conversation", 22, 33)


@pytest.mark.parametrize("ethertype", [0x0800, 0x86DD])
def test_the_version_in_the_packet_outweighs_the_ethertype(ethertype: int) -> None:
    tables = read(pcap(Ethernet(V4, ethertype=ethertype), Ethernet(V6, ethertype=ethertype)))
    assert tables.packets["ip_bytes"].to_list() == [33, 65]


@pytest.mark.parametrize("version", [0, 1, 5, 7, 15])
def test_a_version_that_does_not_exist_is_malformed(version: int) -> None:
    octets = bytes([version << 4]) + bytes(V4)[1:]
    assert read(pcap(octets, link_type=RAW)).words == ["malformed"]


@pytest.mark.parametrize(
    ("family", "order"), [(2, "<"), (2, ">"), (10, "<"), (24, "<"), (28, "<"), (30, "<"), (30, ">")]
)
def test_address_families_are_read_in_both_orders(family: int, order) -> None:
    assert read(pcap(Family(V6, family, order), link_type=NULL)).words == ["conversation"]


def test_another_address_family_is_no_ip() -> None:
    assert read(pcap(Family(V4, 7), link_type=NULL)).words == ["non_ip"]


@pytest.mark.parametrize("frame", [Sll, Sll2])
def test_cooked_frames_say_who_sent_them(frame) -> None:
    link_type = SLL if frame is Sll else SLL2
    frames = [frame(V4, packet_type=n) for n in (0, 4, 1, 2, 3)]
    tables = read(pcap(*frames, link_type=link_type))
    assert tables.packets["is_outbound"].to_list() == [False, True, None, None, None]
    assert tables.conversations["a_mac"].to_list() == ["02:00:00:00:00:05"]


@pytest.mark.parametrize("frame", [Sll, Sll2])
@pytest.mark.parametrize("length", [0, 1, 4, 8])
def test_a_link_address_that_has_not_six_octets_is_none(frame, length: int) -> None:
    link_type = SLL if frame is Sll else SLL2
    tables = read(pcap(frame(V4, address=b"\x02" * length), link_type=link_type))
    assert tables.conversations["a_mac"].to_list() == [None]


def test_a_link_address_of_zeros_is_none() -> None:
    tables = read(pcap(Ethernet(V4, source=bytes(6))))
    assert tables.conversations["a_mac"].to_list() == [None]


@pytest.mark.parametrize("words", range(11))
def test_ipv4_options_are_header(words: int) -> None:
    packet = Ipv4(Udp(b"hello"), options=b"\x01" * 4 * words)
    row = one(read(pcap(Ethernet(packet))))
    assert row["network_header_bytes"] == 20 + 4 * words
    assert (row["transport_header_bytes"], row["payload_bytes"]) == (8, 5)


@pytest.mark.parametrize("words", range(5))
def test_an_ipv4_header_of_less_than_twenty_octets_is_malformed(words: int) -> None:
    tables = read(pcap(Ethernet(Ipv4(Udp(), header_words=words))))
    assert (tables.words, tables.kinds) == (["malformed"], ["network_header_malformed"])


@pytest.mark.parametrize("total", [1, 19, 23])
def test_an_ipv4_packet_shorter_than_its_header_is_malformed(total: int) -> None:
    assert read(pcap(Ethernet(Ipv4(Udp(), options=bytes(4), total=total)))).words == ["malformed"]


def test_padding_behind_a_packet_belongs_to_the_link() -> None:
    row = one(read(pcap(Ethernet(V4, trailer=bytes(13)))))
    assert (row["ip_bytes"], row["link_bytes"], row["payload_bytes"]) == (33, 14 + 13, 5)


@pytest.mark.parametrize(
    "packet", [Ipv4(Tcp(b"x" * 3_000), total=0), Ipv6(Tcp(b"x" * 3_000), length=0)]
)
def test_a_length_of_zero_is_taken_from_the_frame(packet: Ip) -> None:
    tables = read(pcap(Ethernet(packet)))
    assert one(tables)["payload_bytes"] == 3_000
    assert one(tables)["ip_bytes"] == len(bytes(packet))
    assert tables.kinds == ["ip_length_zero"]


@pytest.mark.parametrize(
    "packet", [Ipv4(Tcp(b"hello"), total=4_000), Ipv6(Tcp(b"hello"), length=4_000)]
)
def test_a_length_beyond_the_frame_ends_with_the_frame(packet: Ip) -> None:
    tables = read(pcap(Ethernet(packet)))
    assert one(tables)["payload_bytes"] == 5
    assert tables.kinds == ["ip_length_beyond_frame"]
    assert_accounts(tables, [14 + len(bytes(packet))])


@pytest.mark.parametrize(
    "kinds", list(permutations((HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION, 135), 3))
)
def test_ipv6_extension_headers_are_header_in_any_order(kinds: tuple[int, ...]) -> None:
    extensions = tuple(Extension(kind, units) for units, kind in enumerate(kinds))
    packet = Ipv6(Udp(b"hello"), extensions=extensions)
    row = one(read(pcap(Ethernet(packet))))
    assert row["network_header_bytes"] == len(bytes(packet)) - 13
    assert (row["word"], row["payload_bytes"]) == ("conversation", 5)


@pytest.mark.parametrize(
    "kind", [HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION, MOBILITY, HOST_IDENTITY, SHIM6]
)
def test_each_kind_of_extension_header_is_walked(kind: int) -> None:
    packet = Ipv6(Tcp(b"hello"), extensions=(Extension(kind, 1),))
    assert one(read(pcap(Ethernet(packet))))["payload_bytes"] == 5


@pytest.mark.parametrize("count", [15, 16, 17, 60])
def test_up_to_sixteen_extension_headers_are_walked(count: int) -> None:
    packet = Ipv6(Udp(b"hello"), extensions=(Extension(DESTINATION),) * count)
    tables = read(pcap(Ethernet(packet)))
    if count <= 16:
        assert tables.words == ["conversation"]
    else:
        assert (tables.words, tables.kinds) == (["malformed"], ["extension_headers_depth"])


def test_an_extension_header_beyond_the_packet_is_malformed() -> None:
    packet = Ipv6(Udp(b"hello"), extensions=(Extension(DESTINATION, 1),))
    octets = bytearray(bytes(packet))
    octets[41] = 40
    tables = read(pcap(bytes(octets), link_type=RAW))
    assert (tables.words, tables.kinds) == (["malformed"], ["network_header_malformed"])


def test_a_fragment_header_of_a_whole_packet_makes_no_fragment() -> None:
    packet = Ipv6(Udp(b"hello"), extensions=(Fragment(identity=7),))
    row = one(read(pcap(Ethernet(packet))))
    assert (row["word"], row["network_header_bytes"]) == ("conversation", 48)


@pytest.mark.parametrize("words", range(16))
def test_tcp_options_are_header_as_far_as_the_packet_goes(words: int) -> None:
    tables = read(pcap(Ethernet(Ipv4(Tcp(bytes(16), header_words=words)))))
    row = one(tables)
    if 5 <= words <= 9:
        assert (row["transport_header_bytes"], row["payload_bytes"]) == (4 * words, 36 - 4 * words)
    else:
        assert (row["word"], tables.kinds) == ("malformed", ["transport_header_malformed"])


@pytest.mark.parametrize("size", range(20))
def test_a_tcp_header_needs_twenty_octets(size: int) -> None:
    tables = read(pcap(Ethernet(Ipv4(Raw(bytes(size), protocol=6)))))
    assert (tables.words, tables.kinds) == (["malformed"], ["transport_header_malformed"])


@pytest.mark.parametrize("length", range(8))
def test_a_udp_length_below_its_header_is_malformed_but_for_zero(length: int) -> None:
    row = one(read(pcap(Ethernet(Ipv4(Udp(b"hello", length=length))))))
    assert row["word"] == ("malformed" if length else "conversation")
    assert row["payload_bytes"] == (0 if length else 5)


def test_what_udp_does_not_count_as_its_own_belongs_to_the_link() -> None:
    tables = read(pcap(Ethernet(Ipv4(Udp(b"hello", length=10)))))
    assert (one(tables)["payload_bytes"], one(tables)["link_bytes"]) == (2, 14 + 3)
    assert_accounts(tables, [47])


def test_a_udp_length_beyond_the_packet_ends_with_the_packet() -> None:
    tables = read(pcap(Ethernet(Ipv4(Udp(b"hello", length=900)))))
    assert (one(tables)["payload_bytes"], tables.kinds) == (5, ["udp_length_beyond_packet"])


@pytest.mark.parametrize(
    ("kind", "is_echo"), [(8, True), (0, True), (3, False), (11, False), (13, False)]
)
def test_only_echoes_carry_payload_in_icmp(kind: int, *, is_echo: bool) -> None:
    row = one(read(pcap(Ethernet(Ipv4(Icmp(kind, bytes(4 + 56)))))))
    assert row["payload_bytes"] == (56 if is_echo else 0)
    assert row["payload_bytes"] + row["transport_header_bytes"] == 64


@pytest.mark.parametrize(
    ("kind", "is_echo"), [(128, True), (129, True), (1, False), (8, False), (135, False)]
)
def test_only_echoes_carry_payload_in_icmp6(kind: int, *, is_echo: bool) -> None:
    row = one(read(pcap(Ethernet(Ipv6(Icmp(kind, bytes(4 + 56), protocol=ICMP6))))))
    assert row["payload_bytes"] == (56 if is_echo else 0)
    assert row["payload_bytes"] + row["transport_header_bytes"] == 64


@pytest.mark.parametrize("length", range(9))
def test_a_message_without_room_for_an_echo_is_control(length: int) -> None:
    row = one(read(pcap(Ethernet(Ipv4(Raw(b"\x08".ljust(length, b"\0")[:length], protocol=1))))))
    assert (row["word"], row["payload_bytes"]) == ("conversation", 0)
    assert row["transport_header_bytes"] == length


@pytest.mark.parametrize("protocol", [2, 47, 50, 89, 132, 253])
def test_of_another_protocol_all_is_payload(protocol: int) -> None:
    tables = read(pcap(Ethernet(Ipv4(Raw(bytes(30), protocol)))))
    row = one(tables)
    assert (row["payload_bytes"], row["unique_bytes"], row["transport_header_bytes"]) == (30, 30, 0)
    assert tables.conversations["a_port"].to_list() == [None]


PORTS = st.integers(0, 65_535)
LENGTHS = st.integers(0, 300)
TRANSPORTS = st.one_of(
    st.builds(
        lambda length, words, a, b: Tcp(bytes(length), a, b, options=bytes(4 * words)),
        LENGTHS,
        st.integers(0, 10),
        PORTS,
        PORTS,
    ),
    st.builds(lambda length, a, b: Udp(bytes(length), a, b), LENGTHS, PORTS, PORTS),
)
EXTENSIONS = st.lists(
    st.builds(
        Extension,
        st.sampled_from([HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION, MOBILITY]),
        st.integers(0, 5),
    ),
    max_size=5,
).map(tuple)
PACKETS = st.one_of(
    st.builds(lambda t, words: Ipv4(t, options=bytes(4 * words)), TRANSPORTS, st.integers(0, 10)),
    st.builds(lambda t, extensions: Ipv6(t, extensions=extensions), TRANSPORTS, EXTENSIONS),
)
FRAMES = st.builds(
    lambda packet, tags, trailer: Ethernet(packet, tags=(0x8100,) * tags, trailer=bytes(trailer)),
    PACKETS,
    st.integers(0, 8),
    st.integers(0, 30),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(FRAMES, min_size=1, max_size=12), st.data())
def test_lengths_are_known_from_the_moment_the_headers_are(frames: list[Ethernet], data) -> None:
    snaplens = [data.draw(st.integers(0, len(bytes(frame)))) for frame in frames]
    whole = [bytes(frame) for frame in frames]
    pieces = [Record(o[:n], START, len(o)) for o, n in zip(whole, snaplens, strict=True)]
    tables = read(Pcap().file(pieces))
    assert_accounts(tables, [len(octets) for octets in whole])
    for frame, snaplen, row in zip(
        frames, snaplens, tables.packets.iter_rows(named=True), strict=True
    ):
        inner, packet = frame.inner.inner, bytes(frame.inner)
        fixed = 20 if isinstance(inner, Tcp) else 8
        before = len(bytes(frame)) - len(frame.trailer) - len(packet)
        network = len(packet) - len(bytes(inner))
        if snaplen < before + network + fixed:
            assert row["word"] == "cut"
            continue
        assert row["word"] == "conversation"
        assert row["ip_bytes"] == len(packet)
        assert row["link_bytes"] == before + len(frame.trailer)
        assert row["network_header_bytes"] == network
        assert row["transport_header_bytes"] == len(bytes(inner)) - len(inner.payload)
        assert row["payload_bytes"] == len(inner.payload)


@settings(deadline=None, max_examples=60)
@given(PACKETS)
def test_both_directions_find_the_same_conversation(packet: Ip) -> None:
    inner = replace(packet.inner, from_port=packet.inner.to_port, to_port=packet.inner.from_port)
    answer = replace(packet, inner=inner, source=packet.to, to=packet.source)
    tables = read(pcap(Ethernet(packet), Ethernet(answer), Ethernet(packet)))
    assert tables.packets["conversation"].to_list() == [0, 0, 0]
    assert tables.packets["is_from_b"].to_list() == [False, True, False]
    ends = tables.conversations.select("a_address", "a_port", "b_address", "b_port").row(0)
    assert ends == (packet.source, packet.inner.from_port, packet.to, packet.inner.to_port)


def test_addresses_are_text_in_their_short_form() -> None:
    packet = Ipv6(Udp(), source="2001:0db8:0000:0000:0000:0000:0000:0001", to="::ffff:1.2.3.4")
    tables = read(pcap(Ethernet(packet), Ethernet(Ipv4(Udp()))))
    columns = tables.conversations.select("a_address", "b_address")
    assert columns.rows() == [("2001:db8::1", "::ffff:1.2.3.4"), (PHONE, REMOTE)]
