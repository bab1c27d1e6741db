"""Whatever a packet is, it has one row, and each of its bytes one place in that row."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from phonehome.captures.tables import Packets
from tests.captures.building import (
    ACK,
    LOOP,
    NULL,
    PHONE,
    RAW,
    REMOTE,
    SLL,
    SLL2,
    START,
    SYN,
    Ethernet,
    Extension,
    Family,
    Fragment,
    Icmp,
    Ipv4,
    Ipv6,
    Pcap,
    Pcapng,
    Raw,
    Record,
    Sll,
    Sll2,
    Tcp,
    Udp,
    pcap,
    records,
)
from tests.captures.reader import (
    assert_accounts,
    assert_same,
    interpreted,
    narrow,
    one,
    read,
)

SAMPLE = Path(__file__).resolve().parents[3] / "captures/samples/parrot-1.0/rep1.pcap"
ANSWER = Ipv4(Udp(b"answer", 4_433, 50_000), source=REMOTE, to=PHONE)
SEEDS = [
    Ipv4(Udp(bytes(64))),
    Ipv4(Tcp(bytes(64), options=bytes(12)), options=bytes(8)),
    Ipv4(Udp(bytes(64)), identity=5, is_more=True),
    Ipv4(Raw(bytes(64), 17), identity=5, offset=72),
    Ipv4(Icmp(8, bytes(64))),
    Ipv6(Tcp(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", to_port=80)),
    Ipv6(Udp(bytes(64)), extensions=(Extension(0), Extension(60, 2), Extension(51))),
    Ipv6(Udp(bytes(64)), extensions=(Fragment(0, is_more=True, identity=9),)),
    Ipv6(Raw(bytes(64), 17), extensions=(Fragment(72, identity=9),)),
]
LINKED = [
    *((1, bytes(Ethernet(seed, tags=(0x8100,) * (n % 3)))) for n, seed in enumerate(SEEDS)),
    *((SLL, bytes(Sll(seed))) for seed in SEEDS),
    *((SLL2, bytes(Sll2(seed))) for seed in SEEDS),
    *((NULL, bytes(Family(seed, 2, "<"))) for seed in SEEDS),
    *((LOOP, bytes(Family(seed, 2))) for seed in SEEDS),
    *((RAW, bytes(seed)) for seed in SEEDS),
]


@st.composite
def mutated(draw: st.DrawFn) -> tuple[int, list[Record]]:
    """Packets of one link type with wrong octets, cut, and with any original length."""
    link_type = draw(st.sampled_from([1, SLL, SLL2, NULL, LOOP, RAW]))
    octets = st.sampled_from([packet for kind, packet in LINKED if kind == link_type])
    written = []
    for packet in draw(st.lists(st.one_of(octets, octets, st.binary(max_size=80)), max_size=12)):
        data = bytearray(packet)
        places = st.tuples(st.integers(0, 79), st.sampled_from([0, 1, 0x7F, 0x80, 0xFF, 4, 0x45]))
        for place, octet in draw(st.lists(places, max_size=4)):
            if place < len(data):
                data[place] = octet
        captured = bytes(data[: draw(st.sampled_from([len(data), len(data), 0, 15, 34, 54, 60]))])
        original = draw(st.sampled_from([None, len(data), len(data) + 7, 0, 2**32 - 1]))
        written.append(Record(captured, START + draw(st.integers(0, 99)), original))
    return link_type, written


@settings(deadline=None, max_examples=150)
@given(mutated())
def test_any_octets_are_accounted_for(capture: tuple[int, list[Record]]) -> None:
    link_type, written = capture
    tables = read(Pcap(link_type).file(written))
    lengths = [max(record.length, len(record.octets)) for record in written]
    assert_accounts(tables, lengths)
    assert tables.capture["captured_bytes"] == sum(len(record.octets) for record in written)


@settings(deadline=None, max_examples=60)
@given(mutated())
def test_windows_and_batches_of_any_size_give_the_same_tables(capture) -> None:
    link_type, written = capture
    file = Pcap(link_type).file(written)
    whole = read(file)
    with narrow():
        assert_same(whole, read(file))


@settings(deadline=None, max_examples=100)
@given(mutated())
def test_machine_code_does_what_the_source_says(capture) -> None:
    link_type, written = capture
    file = Pcap(link_type).file(written)
    compiled = read(file)
    with interpreted():
        assert_same(compiled, read(file))


def test_a_batch_stays_as_it_is_while_reading_goes_on() -> None:
    with narrow():
        tables = read(pcap(*(Ethernet(Ipv4(Udp(bytes(n)))) for n in range(30))))
    assert tables.packets["payload_bytes"].to_list() == list(range(30))


def test_batches_keep_the_promise_of_their_table() -> None:
    frames = [octets for kind, octets in LINKED if kind == 1]
    for batch in Reading(SAMPLE).packets():
        assert Packets.is_valid(batch)
        assert batch.schema == Packets.create_empty().schema
    assert Packets.is_valid(read(pcap(*frames)).packets.drop("word"))


@pytest.fixture(scope="module")
def sample() -> list[Record]:
    """Packets of a sample capture, as a classic file keeps them."""
    data, at, found = SAMPLE.read_bytes(), 24, []
    while at < len(data):
        second, micro, captured, original = (
            int.from_bytes(data[at + n : at + n + 4], "little") for n in (0, 4, 8, 12)
        )
        octets = data[at + 16 : at + 16 + captured]
        found.append(Record(octets, second * 1_000_000_000 + micro * 1_000, original))
        at += 16 + captured
    return found


@pytest.mark.parametrize("snaplen", [54, 68, 96, 128, 256])
def test_a_snap_length_changes_no_volume(sample: list[Record], snaplen: int) -> None:
    whole = read(Pcap().file(sample))
    snapped = read(Pcap(snaplen=snaplen).file(record.snapped(snaplen) for record in sample))
    volumes = [column for column in whole.packets.columns if column.endswith("_bytes")]
    assert "wire_bytes" in volumes
    assert "unique_bytes" in volumes
    both = (whole.packets["word"] == "conversation") & (snapped.packets["word"] == "conversation")
    readable = sum(len(r.octets) <= snaplen or r.octets[12:14] == b"\x08\x00" for r in sample)
    assert both.sum() >= readable - whole.words.count("non_ip")
    of_both = whole.packets.filter(both).select(volumes)
    assert of_both.equals(snapped.packets.filter(both).select(volumes))
    assert_accounts(snapped, [record.length for record in sample])


def test_a_snap_length_inside_the_headers_keeps_the_volume_on_the_wire(
    sample: list[Record],
) -> None:
    snapped = read(Pcap(snaplen=34).file(record.snapped(34) for record in sample))
    assert_accounts(snapped, [record.length for record in sample])
    assert "conversation" not in snapped.words
    assert snapped.words.count("cut") == snapped.oddities["count"].sum()


def test_packets_beyond_the_limit_of_conversations_are_only_counted() -> None:
    frames = [Ethernet(Ipv4(Udp(b"hello", port))) for port in (1, 2, 3, 1, 3)]
    tables = read(pcap(*frames), Limits(conversations=2))
    assert tables.words == ["conversation", "conversation", "limit", "conversation", "limit"]
    assert tables.limits_hit == {"conversations": 2}
    assert tables.kinds == ["conversations_limit"] * 2
    assert len(tables.conversations) == 2
    assert_accounts(tables, [47] * 5)


def test_ten_thousand_conversations_are_told_apart() -> None:
    frames = [
        Ethernet(Ipv4(Udp(bytes(n % 7), port))) for n, port in enumerate([*range(10_000)] * 2)
    ]
    tables = read(pcap(*frames))
    assert tables.packets["conversation"].to_list() == [*range(10_000)] * 2
    assert tables.conversations["a_port"].to_list() == [*range(10_000)]


def test_a_record_longer_than_its_packet_counts_as_captured() -> None:
    octets = bytes(Ethernet(Ipv4(Udp(b"hello"))))
    tables = read(Pcap().file([Record(octets, original=10)]))
    assert one(tables)["wire_bytes"] == 47
    assert one(tables)["payload_bytes"] == 5
    assert tables.oddities.select("kind", "needed_bytes", "got_bytes").rows() == [
        ("captured_beyond_original", 47, 10)
    ]


def test_a_packet_of_an_interface_that_was_never_described_is_malformed() -> None:
    written = Pcapng()
    packet = records(Ethernet(Ipv4(Udp())))[0]
    tables = read(written.section() + written.interface() + written.packet(packet, interface=1))
    assert (tables.words, tables.kinds) == (["malformed"], ["interface_unknown"])
    assert one(tables)["time"] is None
    assert_accounts(tables, [42])


@pytest.mark.parametrize(
    ("flags", "is_outbound"), [(0, None), (1, False), (2, True), (3, None), (0xFFFFFFFE, True)]
)
def test_the_flags_of_a_packet_say_who_sent_it(flags: int, *, is_outbound: bool | None) -> None:
    written = Pcapng(">")
    packet = Record(bytes(Ethernet(Ipv4(Udp(b"odd")))), flags=flags)
    tables = read(written.section() + written.interface() + written.packet(packet))
    assert one(tables)["is_outbound"] is is_outbound


def test_of_each_kind_of_oddity_some_stand_alone_and_the_rest_is_a_count() -> None:
    frames = [Ethernet(Ipv4(Udp(), header_words=4))] * 25
    tables = read(pcap(*frames), Limits(oddities=10))
    assert tables.oddities["count"].to_list() == [15] + [1] * 10
    assert tables.oddities["frame"].to_list() == [None, *range(1, 11)]


def test_an_oddity_says_where_it_lies_in_the_file() -> None:
    tables = read(pcap(Ethernet(Ipv4(Udp())), Ethernet(Ipv4(Udp(), header_words=4))))
    place = tables.oddities.select("frame", "offset", "layer", "needed_bytes", "got_bytes")
    assert place.rows() == [(2, 24 + 16 + 42 + 16, "network", 16, 28)]


def test_the_end_that_sent_the_opening_syn_is_the_opener() -> None:
    answer = Ethernet(Ipv4(Tcp(flags=SYN | ACK, from_port=443, to_port=50_000), REMOTE, PHONE))
    syn = Ethernet(Ipv4(Tcp(flags=SYN)))
    plain = Ethernet(Ipv4(Tcp(from_port=50_001)))
    assert read(pcap(syn, answer)).conversations["opener"].to_list() == ["a"]
    assert read(pcap(answer, syn)).conversations["opener"].to_list() == ["b"]
    assert read(pcap(plain, answer)).conversations["opener"].to_list() == [None, None]


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 15, 16, 17, 400])
def test_the_first_sixteen_octets_of_each_end_are_kept(length: int) -> None:
    said = bytes(200 + n % 56 for n in range(length))
    first, second = Ethernet(Ipv4(Udp(said))), Ethernet(Ipv4(Udp(b"later")))
    heads = read(pcap(first, second, Ethernet(ANSWER))).conversations
    assert heads["a_head"].to_list() == [said[:16] or b"later"]
    assert heads["b_head"].to_list() == [b"answer"]


def test_link_addresses_are_those_that_each_end_sent_from() -> None:
    frames = [Ethernet(Ipv4(Udp())), Ethernet(ANSWER, source=bytes.fromhex("0a0b0c0d0eff"))]
    ends = read(pcap(*frames)).conversations.select("a_mac", "b_mac")
    assert ends.rows() == [("02:00:00:00:00:05", "0a:0b:0c:0d:0e:ff")]


def test_a_capture_without_packets_has_all_tables_empty() -> None:
    tables = read(pcap())
    made = (tables.packets, tables.conversations, tables.sightings, tables.oddities)
    assert all(table.is_empty() for table in made)
    assert tables.capture["packets"] == 0
    assert tables.capture["first_time"] is None
    assert tables.capture["damage"] is None


def test_an_end_that_talks_to_itself_is_a_conversation() -> None:
    tables = read(pcap(Ethernet(Ipv4(Udp(b"me", 7, 7), source=PHONE, to=PHONE))))
    assert tables.packets["is_from_b"].to_list() == [False]
    assert tables.conversations.select("a_address", "b_address").rows() == [(PHONE, PHONE)]
