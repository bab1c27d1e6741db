"""Packets added up by the kernel, against a slow twin that groups them one by one."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.decoding import sums
from phonehome.captures.decoding.contacts import ContactList
from phonehome.captures.decoding.packet_batches import (
    bins_table,
    contacts_table,
    others_table,
    sides_table,
)
from phonehome.captures.decoding.sums import Sums
from phonehome.captures.kernels.add_packets import PAUSE
from phonehome.captures.kernels.layout import (
    NO_TIME,
    PACKET_CONVERSATION,
    PACKET_FRAME,
    PACKET_FROM_B,
    PACKET_IP,
    PACKET_LINK,
    PACKET_NETWORK,
    PACKET_OUTBOUND,
    PACKET_OUTCOME,
    PACKET_PAYLOAD,
    PACKET_TIME,
    PACKET_TRANSPORT,
    PACKET_UNIQUE,
    PACKET_WIDTH,
    PACKET_WIRE,
)
from phonehome.captures.limits import Limits
from phonehome.captures.words import SECOND, SUMS
from tests.captures.reader import compile_once, interpreted

AMOUNTS = (
    PACKET_WIRE,
    PACKET_IP,
    PACKET_LINK,
    PACKET_NETWORK,
    PACKET_TRANSPORT,
    PACKET_PAYLOAD,
    PACKET_UNIQUE,
)
EDGES = [5 * SECOND, 20 * SECOND, 20 * SECOND + 1, 40 * SECOND]
TIMES = st.one_of(
    st.just(NO_TIME),
    st.integers(-3 * SECOND, 60 * SECOND),
    st.sampled_from([edge + off for edge in EDGES for off in (-1, 0, 1)]),
    st.integers(-2, 60).map(lambda seconds: seconds * SECOND),
)
PACKET = st.fixed_dictionaries(
    {
        PACKET_TIME: TIMES,
        PACKET_CONVERSATION: st.integers(-1, 5),
        PACKET_FROM_B: st.integers(0, 1),
        PACKET_OUTBOUND: st.integers(0, 2),
        PACKET_OUTCOME: st.integers(1, 6),
        **{place: st.integers(0, 1 << 40) for place in AMOUNTS[:-1]},
        PACKET_UNIQUE: st.one_of(st.just(0), st.integers(0, 1500)),
    }
)


def array(packets):
    """Packets as the loop writes them: a row per column; conversations have outcome 0."""
    rows = np.zeros((PACKET_WIDTH, len(packets)), dtype=np.int64)
    for at, packet in enumerate(packets):
        rows[PACKET_FRAME, at] = at + 1
        for place, value in packet.items():
            rows[place, at] = value
        if packet[PACKET_CONVERSATION] >= 0:
            rows[PACKET_OUTCOME, at] = 0
        else:
            rows[PACKET_FROM_B, at] = 0
    return rows


def added(packets, cuts=(), limits=None):
    """The sums of packets that come in several arrays."""
    asked = []

    def edges_of(first):
        asked.append(first)
        return np.array(EDGES, dtype=np.int64)

    result = Sums(edges_of, limits)
    rows = array(packets)
    edges = [0, *sorted({min(cut, len(packets)) for cut in cuts}), len(packets)]
    for low, high in pairwise(edges):
        result.add(np.ascontiguousarray(rows[:, low:high]), high - low)
    known = [p[PACKET_TIME] for p in packets if p[PACKET_TIME] != NO_TIME]
    assert asked == known[:1], "asked once, with the first time there is"
    return result


def expected(packets):
    """Sums per side and code, uploads per side, code and second, and sums per outcome."""
    sides, bins, others = defaultdict(list), defaultdict(int), defaultdict(list)
    for frame, packet in enumerate(packets, start=1):
        time, conversation = packet[PACKET_TIME], packet[PACKET_CONVERSATION]
        if conversation < 0:
            others[packet[PACKET_OUTCOME]].append((frame, packet))
            continue
        code = -1 if time == NO_TIME else bisect_right(EDGES, time)
        key = (conversation, packet[PACKET_FROM_B] == 1, code)
        sides[key].append((frame, packet))
        if packet[PACKET_UNIQUE]:
            bins[(*key, None if time == NO_TIME else time // SECOND)] += packet[PACKET_UNIQUE]
    return sides, bins, others


def told(members):
    """The sums of some packets, in the order of the table's columns."""
    times = [packet[PACKET_TIME] for _, packet in members if packet[PACKET_TIME] != NO_TIME]
    frames = [frame for frame, _ in members]
    return (
        len(members),
        *(sum(packet[place] for _, packet in members) for place in AMOUNTS),
        sum(packet[PACKET_OUTBOUND] == 2 for _, packet in members),
        sum(packet[PACKET_OUTBOUND] == 1 for _, packet in members),
        min(times, default=None),
        min(frames),
        max(times, default=None),
        max(frames),
    )


def plain(table):
    return table.with_columns(pl.col("first_time", "last_time").to_physical()).rows()


def told_contacts(packets, pause=PAUSE):
    """Contacts by side and code, then begin: payload sorted by time, parted by pauses."""
    sides = defaultdict(list)
    for frame, packet in enumerate(packets, start=1):
        time = packet[PACKET_TIME]
        if packet[PACKET_CONVERSATION] >= 0 and packet[PACKET_UNIQUE] and time != NO_TIME:
            key = packet[PACKET_CONVERSATION], packet[PACKET_FROM_B] == 1, bisect_right(EDGES, time)
            sides[key].append((time, frame, packet[PACKET_UNIQUE]))
    rows = []
    for key, members in sorted(sides.items()):
        pieces: list = []
        for member in sorted(members):
            if not pieces or member[0] - pieces[-1][-1][0] > pause:
                pieces.append([])
            pieces[-1].append(member)
        for piece in pieces:
            times, frames, sizes = zip(*piece, strict=True)
            found = times[0], times[-1], sum(sizes), len(piece), min(frames), max(frames)
            rows.append((*key, *found))
    return rows


@contextmanager
def little_room(closed: int, merged: int) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "CLOSED_ROWS", closed)
        patch.setattr(sums, "MERGE_ROWS", merged)
        patch.setattr(sums, "FIRST_OPEN", 1)
        yield


def assert_added(packets, cuts, closed, merged):
    with little_room(closed, merged):
        result = added(packets, cuts)
        bins = bins_table(result.bins())
        sides, of_time, others = expected(packets)
        of_side = [(*key, *told(of)) for key, of in sides.items()]
        of_outcome = [(key, *told(of)) for key, of in others.items()]
        assert plain(sides_table(result.sides())) == sorted(of_side)
        assert plain(others_table(result.others())) == sorted(of_outcome)
        assert result.width == 1
        assert contacts_table(result.contact_rows()).rows() == told_contacts(packets)
        keys = bins.drop("unique_bytes").columns
        merged_bins = bins.group_by(keys).agg(pl.col("unique_bytes").sum())
        assert sorted(merged_bins.rows(), key=repr) == sorted(
            ((*key, size) for key, size in of_time.items()), key=repr
        )


@settings(deadline=None, max_examples=150)
@given(
    packets=st.lists(PACKET, max_size=50),
    cuts=st.lists(st.integers(0, 50), max_size=4),
    closed=st.integers(2, 9),
    merged=st.integers(0, 12),
)
def test_sums_are_those_of_the_slow_twin(packets, cuts, closed, merged) -> None:
    compile_once()
    assert_added(packets, cuts, closed, merged)


@settings(deadline=None, max_examples=40)
@given(packets=st.lists(PACKET, max_size=30), closed=st.integers(2, 5))
def test_interpreted_they_are_too(packets, closed) -> None:
    with interpreted():
        assert_added(packets, [7], closed, 4)


@settings(deadline=None, max_examples=60)
@given(
    packets=st.lists(PACKET, min_size=1, max_size=50),
    cuts=st.lists(st.integers(0, 50), max_size=4),
    merged=st.integers(0, 6),
    most=st.integers(3, 8),
)
def test_bins_grow_wider_until_they_are_few_and_lose_nothing(packets, cuts, merged, most) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "MOST_BINS", most)
        with little_room(2, merged):
            result = added(packets, cuts)
            bins = bins_table(result.bins())
        seconds = {bin_ for *_, bin_ in expected(packets)[1]}
        width = 1
        while len({None if s is None else s // width for s in seconds}) > most:
            width *= 2
        assert result.width == width
        wanted: dict = defaultdict(int)
        for (*key, second), size in expected(packets)[1].items():
            wanted[*key, None if second is None else second // width] += size
        keys = bins.drop("unique_bytes").columns
        found = bins.group_by(keys).agg(pl.col("unique_bytes").sum()).rows()
        assert sorted(found, key=repr) == sorted(((*k, v) for k, v in wanted.items()), key=repr)


@pytest.mark.parametrize("count", [3, 40])
def test_many_bins_of_one_span_are_merged(count: int) -> None:
    packet = dict.fromkeys((PACKET_FROM_B, PACKET_OUTBOUND, PACKET_OUTCOME, *AMOUNTS), 0)
    packets = [
        packet
        | {PACKET_CONVERSATION: at % 2, PACKET_TIME: 21 * SECOND + at * SECOND // 4}
        | {PACKET_UNIQUE: 5}
        for at in range(count)
    ]
    assert_added(packets, [], 2, 0)


def test_bins_grow_wider_until_their_rows_are_few() -> None:
    packet = dict.fromkeys((PACKET_FROM_B, PACKET_OUTBOUND, PACKET_OUTCOME, *AMOUNTS), 0)
    packets = [
        packet | {PACKET_CONVERSATION: at % 4, PACKET_TIME: at * SECOND, PACKET_UNIQUE: 5}
        for at in range(64)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sums, "MOST_BIN_ROWS", 32)
        patch.setattr(sums, "FEW_BINS", 1)
        for cuts, merged in (((), 10_000), ((20, 40), 0)):
            with little_room(2, merged):
                result = added(packets, cuts)
                bins = bins_table(result.bins())
            pieces = {
                width: {(at % 4, bisect_right(EDGES, at * SECOND), at // width) for at in range(64)}
                for width in (1, 2, 4, 8, 16, 32)
            }
            enough = min(width for width, found in pieces.items() if len(found) <= 32)
            keys = ["conversation", "code", "bin"]
            assert result.width == enough
            assert set(bins.select(keys).rows()) == pieces[enough]
            assert bins["unique_bytes"].sum() == 5 * 64


@settings(deadline=None, max_examples=60)
@given(
    packets=st.lists(PACKET, min_size=1, max_size=50),
    cuts=st.lists(st.integers(0, 50), max_size=4),
    most=st.integers(1, 8),
)
def test_contacts_are_parted_by_longer_pauses_until_they_are_few(packets, cuts, most) -> None:
    with little_room(2, 0):
        result = added(packets, cuts, limits=Limits(contacts=most))
        found = contacts_table(result.contact_rows())
    pause = PAUSE
    while len(told_contacts(packets, pause)) > most and pause < 64 * PAUSE:
        pause *= 2
    wanted = told_contacts(packets, pause)
    assert result.contacts.pause == pause
    assert result.contacts.left_out == max(0, len(wanted) - most)
    kept = sorted(sorted(wanted, key=lambda row: (row[3], row[7]))[:most])
    assert sorted(found.rows()) == kept


def test_contacts_that_no_pause_makes_fewer_take_bounded_memory(monkeypatch) -> None:
    monkeypatch.setattr("phonehome.captures.decoding.contacts.MOST_HELD", 50)
    contacts = ContactList(10)
    for at in range(40):
        rows = np.zeros((20, 8), dtype=np.int64)
        rows[:, 0] = np.arange(20) + 20 * at
        rows[:, 2] = rows[:, 3] = at
        contacts.add(rows)
    assert contacts.table()[:, 0].tolist() == list(range(10))
    assert contacts.left_out == 40 * 20 - 10


def test_contacts_of_nothing_are_none() -> None:
    contacts = ContactList(10)
    assert contacts.table().shape == (0, 8)


def test_nothing_added_is_nothing() -> None:
    result = added([])
    sides, bins = sides_table(result.sides()), bins_table(result.bins())
    others = others_table(result.others())
    assert (sides.height, bins.height, others.height) == (0, 0, 0)
    assert set(SUMS) < set(sides.columns)
