"""A slow twin keeps every byte position of a stream in a set."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from phonehome.captures.limits import Limits
from tests.captures.building import (
    ACK,
    PHONE,
    REMOTE,
    SYN,
    Ethernet,
    Ipv4,
    Pcap,
    Record,
    Tcp,
    pcap,
    records,
)
from tests.captures.reader import narrow, read

NUMBERS = 1 << 32
GIGABYTE = 1_000_000_000


@dataclass
class Twin:
    """One direction of a TCP conversation, byte by byte.

    Position 0 is behind the SYN, or the first sequence number seen where there is none. A SYN
    with another number begins anew. A number stands for the position nearest to the end of all
    that was seen. One byte just below all that was seen is a probe, and so is a single byte that
    a stream is met with in its middle. Where more gaps are open than `gap_limit`, the lower half
    counts as seen.
    """

    gap_limit: int = 1_000
    base: int | None = None
    seen: set[int] = field(default_factory=set)
    limit_hits: int = 0

    def unique_bytes(self, segment: Tcp) -> int:
        sequence, length = segment.sequence % NUMBERS, len(segment.payload)
        if segment.flags & SYN:
            sequence = (sequence + 1) % NUMBERS
        if self.base is None or (segment.flags & SYN and sequence != self.base):
            is_probe = length == 1 and not segment.flags & SYN
            self.base, self.seen = (sequence + is_probe) % NUMBERS, set()
        if not length:
            return 0
        low, end = (min(self.seen), max(self.seen) + 1) if self.seen else (0, 0)
        half = NUMBERS // 2
        position = end + (sequence - self.base - end + half) % NUMBERS - half
        if length == 1 and position + 1 == low:
            return 0
        new = set(range(position, position + length)) - self.seen
        self.seen |= new
        self._close_gap()
        return len(new)

    def _close_gap(self) -> None:
        ordered = sorted(self.seen)
        gaps = [(a + 1, b) for a, b in pairwise(ordered) if b > a + 1]
        if len(gaps) > self.gap_limit:
            self.limit_hits += 1
            for gap in gaps[: max((len(gaps) + 1) // 2, 1)]:
                self.seen |= set(range(*gap))


def frame_of(segment: Tcp) -> Ethernet:
    if segment.from_port == 443:
        return Ethernet(Ipv4(segment, source=REMOTE, to=PHONE))
    return Ethernet(Ipv4(segment))


def unique(*segments: Tcp) -> list[int]:
    return read(pcap(*map(frame_of, segments))).packets["unique_bytes"].to_list()


def payload(length: int) -> bytes:
    return b"\x17" * length


BEGINS = st.sampled_from([0, 1, 5_000, 2**31 - 9, 2**31, 2**32 - 40, 2**32 - 17, 2**32 - 1])
SEGMENTS = st.builds(
    lambda offset, length, flags, is_down, begin: Tcp(
        payload(length),
        from_port=443 if is_down else 50_000,
        to_port=50_000 if is_down else 443,
        sequence=begin + offset,
        flags=flags,
    ),
    offset=st.integers(-3, 60),
    length=st.sampled_from([0, 1, 1, 2, 3, 8, 20]),
    flags=st.sampled_from([ACK] * 12 + [SYN, SYN | ACK]),
    is_down=st.booleans(),
    begin=st.shared(BEGINS),
)
STREAMS = st.lists(SEGMENTS, min_size=1, max_size=40)


def expected(segments: list[Tcp], gap_limit: int) -> tuple[list[int], int]:
    twins = {443: Twin(gap_limit), 50_000: Twin(gap_limit)}
    new = [twins[segment.from_port].unique_bytes(segment) for segment in segments]
    return new, sum(twin.limit_hits for twin in twins.values())


@settings(deadline=None, max_examples=150)
@given(STREAMS)
def test_new_bytes_are_those_at_positions_never_seen(segments: list[Tcp]) -> None:
    assert unique(*segments) == expected(segments, 1_000)[0]


@settings(deadline=None, max_examples=60)
@given(STREAMS)
def test_streams_are_followed_from_window_to_window(segments: list[Tcp]) -> None:
    with narrow():
        found = unique(*segments)
    assert found == expected(segments, 1_000)[0]


@settings(deadline=None, max_examples=100)
@given(segments=STREAMS, gap_limit=st.integers(0, 4))
@example(segments=[Tcp(payload(1), sequence=n) for n in (0, 10, 20, 5, 15)], gap_limit=1)
def test_beyond_the_limit_of_gaps_the_lowest_counts_as_seen(
    segments: list[Tcp], gap_limit: int
) -> None:
    tables = read(pcap(*map(frame_of, segments)), Limits(open_gaps=gap_limit))
    new, hits = expected(segments, gap_limit)
    assert tables.packets["unique_bytes"].to_list() == new
    assert tables.limits_hit == ({"open_gaps": hits} if hits else {})


def test_a_limit_of_gaps_is_counted_in_a_packet_that_is_odd_for_another_reason() -> None:
    packets = [Ipv4(Tcp(payload(2), sequence=10 * n), total=0) for n in range(4)]
    tables = read(pcap(*map(Ethernet, packets)), Limits(open_gaps=1))
    assert tables.limits_hit == {"open_gaps": 2}


@pytest.mark.parametrize("gaps", [7, 8, 9, 100, 1_000])
def test_gaps_are_filled_in_any_order(gaps: int) -> None:
    order = np.random.default_rng(gaps).permutation(gaps).tolist()
    islands = [Tcp(payload(4), sequence=1_000 + 10 * n) for n in range(gaps)]
    fillings = [Tcp(payload(6), sequence=1_004 + 10 * n) for n in order]
    again = [Tcp(payload(10 * gaps), sequence=1_000)]
    assert unique(*islands, *fillings, *again) == [4] * gaps + [6] * gaps + [0]


def test_a_syn_takes_one_number_and_repeated_it_changes_nothing() -> None:
    opening = Tcp(sequence=99, flags=SYN)
    first = Tcp(payload(5), sequence=100)
    assert unique(opening, opening, first, opening, first) == [0, 0, 5, 0, 0]


def test_data_in_a_syn_stand_behind_it() -> None:
    opening = Tcp(payload(5), sequence=99, flags=SYN)
    assert unique(opening, opening, Tcp(payload(7), sequence=100)) == [5, 0, 2]


def test_ports_used_again_begin_a_stream_of_their_own() -> None:
    first = [Tcp(sequence=99, flags=SYN), Tcp(payload(50), sequence=100)]
    second = [Tcp(sequence=119, flags=SYN), Tcp(payload(10), sequence=120)]
    assert unique(*first, *second, second[1]) == [0, 50, 0, 10, 0]


def test_a_stream_met_with_a_probe_has_sent_nothing() -> None:
    probe = Tcp(payload(1), sequence=99)
    assert unique(probe, probe, probe, Tcp(payload(5), sequence=100)) == [0, 0, 0, 5]


def test_probes_below_what_was_seen_bring_nothing() -> None:
    opening, data = Tcp(sequence=99, flags=SYN), Tcp(payload(5), sequence=100)
    probe = replace(data, payload=payload(1), sequence=99)
    assert unique(opening, probe, data, probe) == [0, 0, 5, 0]
    assert unique(data, probe) == [5, 0]


def test_each_direction_has_a_stream_of_its_own() -> None:
    up = Tcp(payload(5), sequence=100)
    down = replace(up, from_port=443, to_port=50_000)
    assert unique(up, down, up, down) == [5, 5, 0, 0]


def test_five_gigabytes_are_counted_to_the_byte() -> None:
    count, length, begin = 77_000, 65_000, NUMBERS - 12_345
    head = bytes(Ethernet(Ipv4(Tcp(), total=40 + length)))
    template = Pcap().record(Record(head, original=54 + length))
    written = np.tile(np.frombuffer(template, dtype=np.uint8), (count, 1))
    sequences = (begin + length * np.arange(count)) % NUMBERS
    at = 16 + 14 + 20 + 4
    written[:, at : at + 4] = sequences.astype(">u4").view(np.uint8).reshape(count, 4)
    tables = read(Pcap().header() + written.tobytes())
    assert tables.sum("unique_bytes") == count * length == tables.sum("payload_bytes")
    assert tables.sum("wire_bytes") == count * (length + 54)
    assert tables.capture["snapped_packets"] == count


def test_five_gigabytes_of_offloaded_segments_are_counted_to_the_byte() -> None:
    lengths = [GIGABYTE + n for n in range(5)]
    sequences = [7 + sum(lengths[:n]) for n in range(5)]
    head = [bytes(Ethernet(Ipv4(Tcp(sequence=number), total=0))) for number in sequences]
    pieces = [
        Record(octets, original=54 + length) for octets, length in zip(head, lengths, strict=True)
    ]
    tables = read(Pcap().file([*pieces, pieces[-1]]))
    assert tables.packets["unique_bytes"].to_list() == [*lengths, 0]


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(12)), st.sampled_from([0, NUMBERS - 30, NUMBERS - 1]))
def test_the_order_of_segments_changes_no_total(order: list[int], begin: int) -> None:
    opening = Tcp(sequence=begin - 1, flags=SYN)
    segments = [Tcp(payload(7), sequence=begin + 5 * n) for n in order]
    assert sum(unique(opening, *segments)) == 5 * 11 + 7


def test_a_frame_says_its_time_and_number_in_the_order_of_the_file() -> None:
    tables = read(Pcap().file(records(*map(frame_of, [Tcp(), Tcp(), Tcp()]), step=-1_000_000_000)))
    assert tables.packets["frame"].to_list() == [1, 2, 3]
    assert tables.capture["backward_steps"] == 2
    assert tables.capture["first_time"] < tables.capture["last_time"]
