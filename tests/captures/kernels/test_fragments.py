"""Fragments are cut from whole packets, so that the sum of their payload is known."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import phonehome.captures.decoding.loop_memory
from phonehome.captures.kernels.layout import FRAGMENT_SLOTS
from tests.captures.building import (
    PHONE,
    REMOTE,
    SECOND,
    START,
    SYN,
    UDP,
    Ethernet,
    Extension,
    Fragment,
    Ip,
    Ipv4,
    Ipv6,
    Pcap,
    Raw,
    Record,
    Tcp,
    Transport,
    Udp,
    pcap,
    records,
)
from tests.captures.reader import Tables, assert_accounts, narrow, one, read

SIZES = (1480, 8, 64, 3)  # of four fragments of one datagram


def fragments(
    whole: Transport, packet: Ip, identity: int, sizes: tuple[int, ...] = SIZES
) -> list[Ethernet]:
    """Frames with the pieces of what an IP packet carries, the first one first."""
    octets, offset, cut = bytes(whole), 0, []
    for size in sizes:
        piece = Raw(octets[offset : offset + size], whole.protocol)
        is_more = offset + size < len(octets)
        if isinstance(packet, Ipv4):
            part: Ip = replace(
                packet, inner=piece, identity=identity, offset=offset, is_more=is_more
            )
        else:
            header = Fragment(offset, is_more=is_more, identity=identity)
            part = replace(packet, inner=piece, extensions=(*packet.extensions, header))
        cut.append(Ethernet(part))
        offset += size
    assert offset == len(octets)
    return cut


def datagram(from_port: int = 50_000, sizes: tuple[int, ...] = SIZES) -> Udp:
    return Udp(bytes(sum(sizes) - 8), from_port)


EMPTY = Raw(b"")
PACKETS = [Ipv4(EMPTY), Ipv4(EMPTY, options=bytes(8)), Ipv6(EMPTY)]


def wire(frames: list[Ethernet]) -> list[int]:
    return [len(bytes(frame)) for frame in frames]


@pytest.mark.parametrize("packet", PACKETS)
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_fragments_of_a_datagram_belong_together_in_any_order(packet: Ip, order) -> None:
    cut = fragments(datagram(), packet, 7)
    frames = [cut[n] for n in order]
    tables = read(pcap(*frames))
    assert tables.words == ["conversation"] * 4
    assert tables.packets["payload_bytes"].to_list() == [(1472, 8, 64, 3)[n] for n in order]
    assert tables.packets["unique_bytes"].sum() == sum(SIZES) - 8
    assert len(tables.conversations) == 1
    assert_accounts(tables, wire(frames))


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_fragments_of_a_segment_are_counted_in_its_stream(order) -> None:
    segment = Tcp(bytes(sum(SIZES) - 20), sequence=2**32 - 100)
    cut = fragments(segment, Ipv4(EMPTY), 7)
    opening = Ethernet(Ipv4(Tcp(sequence=2**32 - 101, flags=SYN)))
    tables = read(pcap(opening, *(cut[n] for n in order)))
    assert tables.words == ["conversation"] * 5
    assert tables.sum("unique_bytes") == len(segment.payload)
    again = read(pcap(opening, *(cut[n] for n in order), Ethernet(Ipv4(segment))))
    assert again.packets["unique_bytes"].to_list()[-1] == 0


def test_fragments_that_came_before_count_as_sent_before() -> None:
    segment = Tcp(bytes(sum(SIZES) - 20))
    frames = [Ethernet(Ipv4(segment)), *fragments(segment, Ipv4(EMPTY), 7)]
    assert read(pcap(*frames)).packets["unique_bytes"].to_list() == [1535, 0, 0, 0, 0]


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_interleaved_datagrams_are_kept_apart(order) -> None:
    packets = [(Ipv4(EMPTY), 7), (Ipv4(EMPTY), 8), (Ipv4(EMPTY, PHONE, "198.51.100.9"), 7)]
    packets += [(Ipv6(EMPTY), 7), (Ipv6(EMPTY), 2**32 - 7)]
    cuts = [
        fragments(datagram(port), packet, identity)
        for port, (packet, identity) in enumerate(packets, start=1)
    ]
    frames = [cut[n] for n in order for cut in cuts]
    tables = read(pcap(*frames))
    by_port = {
        port: tables.packets.filter(conversation=number)["payload_bytes"].sum()
        for number, port in tables.conversations.select("conversation", "a_port").iter_rows()
    }
    assert by_port == dict.fromkeys(range(1, 6), sum(SIZES) - 8)


@settings(deadline=None, max_examples=60)
@given(order=st.permutations(range(20)), is_narrow=st.booleans())
def test_the_order_of_fragments_changes_no_sum(order: list[int], *, is_narrow: bool) -> None:
    datagrams = [datagram(port) for port in range(1, 5)]
    frames = [
        frame
        for identity, whole in enumerate(datagrams)
        for frame in fragments(whole, Ipv4(EMPTY), identity)
    ]
    frames += fragments(Tcp(bytes(sum(SIZES) - 20)), Ipv4(EMPTY), 9)
    shuffled = [frames[n] for n in order]
    if is_narrow:
        with narrow():
            tables = read(pcap(*shuffled))
    else:
        tables = read(pcap(*shuffled))
    assert tables.words == ["conversation"] * 20
    assert tables.sum("unique_bytes") == 5 * sum(SIZES) - 4 * 8 - 20
    assert_accounts(tables, wire(shuffled))


@pytest.mark.parametrize("packet", PACKETS)
def test_fragments_whose_first_one_was_never_seen_are_told_apart(packet: Ip) -> None:
    later = fragments(datagram(), packet, 7)[1:]
    tables = read(pcap(*later, Ethernet(Ipv4(Udp(b"whole")))))
    assert tables.words == ["fragment"] * 3 + ["conversation"]
    assert tables.packets["payload_bytes"].to_list() == [8, 64, 3, 5]
    assert tables.packets["unique_bytes"].to_list() == [0, 0, 0, 5]
    assert_accounts(tables, [*wire(later), 47])


def test_a_first_fragment_alone_is_a_packet_of_its_conversation() -> None:
    first = fragments(datagram(), Ipv4(EMPTY), 7)[0]
    assert one(read(pcap(first)))["unique_bytes"] == 1472


def test_the_direction_of_a_fragment_is_that_of_its_first_one() -> None:
    down = Udp(bytes(sum(SIZES) - 8), 4_433, 50_000)
    answer = fragments(down, Ipv4(EMPTY, REMOTE, PHONE), 7)
    tables = read(pcap(Ethernet(Ipv4(Udp())), *answer[::-1]))
    assert tables.packets["is_from_b"].to_list() == [False] + [True] * 4


def test_the_first_fragment_tells_the_protocol_behind_extension_headers() -> None:
    """The fragment header names what follows it, which only the first fragment holds."""
    octets = Extension(60).after(UDP) + bytes(datagram(sizes=(56, 64)))
    pieces = [(0, octets[:64], True), (64, octets[64:], False)]
    frames = [
        Ethernet(Ipv6(Raw(piece, 60), extensions=(Fragment(offset, is_more=more, identity=3),)))
        for offset, piece, more in pieces
    ]
    for order in (frames, frames[::-1]):
        tables = read(pcap(*order))
        assert tables.words == ["conversation"] * 2
        assert tables.sum("unique_bytes") == 56 + 64 - 8


@pytest.mark.parametrize(("seconds", "word"), [(59, "conversation"), (61, "fragment")])
@pytest.mark.parametrize("is_first_first", [True, False])
def test_a_datagram_is_forgotten_after_a_minute(seconds: int, word: str, *, is_first_first) -> None:
    first, second = fragments(datagram(sizes=(800, 700)), Ipv4(EMPTY), 7, (800, 700))
    frames = [first, second] if is_first_first else [second, first]
    tables = read(Pcap().file(records(*frames, step=seconds * SECOND)))
    later = tables.words[1 if is_first_first else 0]
    assert later == word
    assert_accounts(tables, wire(frames))


def test_times_that_go_backwards_forget_no_packet() -> None:
    frames = [
        frame
        for identity in range(40)
        for frame in fragments(datagram(identity), Ipv4(EMPTY), identity)[::-1]
    ]
    times = np.random.default_rng(1).integers(0, 200, len(frames)).tolist()
    written = [
        Record(bytes(frame), START + time * SECOND)
        for frame, time in zip(frames, times, strict=True)
    ]
    tables = read(Pcap().file(written))
    assert set(tables.words) == {"conversation", "fragment"}
    assert_accounts(tables, wire(frames))


def test_a_packet_without_a_time_forgets_no_fragment() -> None:
    cut = fragments(datagram(), Ipv4(EMPTY), 7)
    tables = read(Pcap().file(records(*cut, time=0, step=0)))
    assert tables.words == ["conversation"] * 4


def flood(count: int, *, is_first_behind: bool) -> tuple[list[Ethernet], Tables]:
    """Later fragments of many datagrams, and all first ones behind them."""
    cuts = [
        fragments(
            datagram(n % 65_536, (16, 8)), Ipv4(EMPTY, to=f"203.0.{n >> 8}.{n & 255}"), 7, (16, 8)
        )
        for n in range(count)
    ]
    frames = [cut[1] for cut in cuts]
    if is_first_behind:
        frames += [cut[0] for cut in cuts]
    return frames, read(Pcap().file(records(*frames, step=1_000)))


def test_more_open_datagrams_than_there_is_room_for_lose_no_packet() -> None:
    frames, tables = flood(2 * FRAGMENT_SLOTS, is_first_behind=True)
    assert_accounts(tables, wire(frames))
    later = tables.packets.head(2 * FRAGMENT_SLOTS)["word"]
    pushed = (later == "fragment").sum()
    assert 0 < pushed < 2 * FRAGMENT_SLOTS
    assert tables.limits_hit["open_fragments"] >= pushed
    assert tables.packets.tail(2 * FRAGMENT_SLOTS)["word"].unique().to_list() == ["conversation"]


def test_more_waiting_fragments_than_there_is_room_for_lose_no_packet() -> None:
    room = phonehome.captures.decoding.loop_memory.WAITING
    count = room + 100
    later = [
        Ethernet(Ipv4(Raw(bytes(8), UDP), identity=7, offset=8 * (n % 8_000 + 2), is_more=True))
        for n in range(count)
    ]
    first = fragments(datagram(sizes=(16, 8)), Ipv4(EMPTY), 7, (16, 8))[0]
    tables = read(Pcap().file(records(*later, first, step=1_000)))
    assert_accounts(tables, wire([*later, first]))
    assert tables.words.count("fragment") == 100
    assert tables.limits_hit == {"open_fragments": 100}


def test_waiting_fragments_are_written_at_the_end_of_the_capture() -> None:
    with narrow():
        frames, tables = flood(300, is_first_behind=False)
    assert tables.words == ["fragment"] * 300
    assert_accounts(tables, wire(frames))


def test_fragments_sent_again_count_again_for_udp_only() -> None:
    cut = fragments(datagram(), Ipv4(EMPTY), 7)
    tables = read(pcap(*cut, *cut))
    assert tables.sum("unique_bytes") == 2 * (sum(SIZES) - 8)
    assert len(tables.conversations) == 1
