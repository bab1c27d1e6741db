"""Packets added up: in one step or in many, the sums are the same, and bins stay few."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer import tally
from analyzer.tally import SIDE, SUMS, Tally
from analyzer.timelines import Span
from captures.tables import Packets

SECOND = 1_000_000_000


def packets(rows):
    """Packets from (seconds or None, conversation or None, is_from_b, outcome, bytes, outbound)."""
    return Packets.validate(
        pl.DataFrame(
            [
                {
                    "frame": frame,
                    "time": None if seconds is None else int(seconds * SECOND),
                    "conversation": conversation,
                    "is_from_b": is_from_b,
                    "outcome": outcome,
                    "is_outbound": is_outbound,
                    "wire_bytes": size + 42,
                    "ip_bytes": size + 28,
                    "link_bytes": 14,
                    "network_header_bytes": 20,
                    "transport_header_bytes": 8,
                    "payload_bytes": size,
                    "unique_bytes": size // 2,
                }
                for frame, (
                    seconds,
                    conversation,
                    is_from_b,
                    outcome,
                    size,
                    is_outbound,
                ) in enumerate(rows, start=1)
            ],
            schema=Packets.create_empty().schema,
        )
    )


def added(table, *cuts, spans=()):
    result = Tally(list(spans))
    edges = [0, *sorted(cuts), table.height]
    for low, high in pairwise(edges):
        result.add(table[low:high])
    return result.result()


def same(one, other):
    return (
        one.sides.equals(other.sides)
        and one.outcomes.equals(other.outcomes)
        and one.width == other.width
        and one.bins.equals(other.bins)
    )


ROW = st.tuples(
    st.one_of(st.none(), st.integers(-5, 60)),
    st.integers(0, 3),
    st.booleans(),
    st.just(0),
    st.integers(0, 100),
    st.one_of(st.none(), st.booleans()),
)
OTHER_ROW = st.tuples(
    st.integers(0, 60),
    st.none(),
    st.just(value=False),
    st.integers(1, 6),
    st.just(0),
    st.none(),
)


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.one_of(ROW, OTHER_ROW), min_size=1, max_size=40),
    cuts=st.lists(st.integers(0, 40), max_size=4),
    data=st.data(),
)
def test_in_one_step_or_in_many_the_sums_are_the_same(rows, cuts, data):
    spans = [
        Span(
            start=5 * SECOND,
            end=20 * SECOND,
            is_relative=False,
            state="idle",
            label="x",
            source="t:2",
        )
    ]
    table = packets(rows)
    whole = added(table, spans=spans)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "MERGE_ROWS", data.draw(st.integers(0, 6)))
        assert same(added(table, *[cut for cut in cuts if cut <= table.height], spans=spans), whole)
    of_conversations = table.filter(pl.col("conversation").is_not_null())
    for name in SUMS:
        assert whole.sides[name].sum() == of_conversations[name].sum()
        assert whole.sides[name].sum() + whole.outcomes[name].sum() == table[name].sum()
    assert whole.sides["packets"].sum() + whole.outcomes["packets"].sum() == table.height
    assert whole.bins["unique_bytes"].sum() == of_conversations["unique_bytes"].sum()
    assert whole.sides.select(SIDE).is_unique().all()


def test_nothing_added_is_nothing():
    result = Tally([]).result()
    assert (result.sides.height, result.bins.height, result.outcomes.height) == (0, 0, 0)
    assert result.width == 1


def test_a_side_knows_its_first_and_last_packet_whatever_their_order():
    table = packets(
        [(9, 0, False, 0, 10, None), (3, 0, False, 0, 10, None), (None, 0, False, 0, 10, None)]
    )
    rows = added(table, 1).sides.with_columns(pl.col("first_time", "last_time").to_physical())
    (timed,) = rows.filter(pl.col("code") == 0).to_dicts()
    assert (timed["first_time"], timed["last_time"]) == (3 * SECOND, 9 * SECOND)
    assert (timed["first_frame"], timed["packets"]) == (1, 2)
    (untimed,) = rows.filter(pl.col("code") == -1).to_dicts()
    assert (untimed["first_time"], untimed["first_frame"]) == (None, 3)


def test_marks_of_direction_are_counted_only_where_the_file_has_them():
    table = packets(
        [(1, 0, False, 0, 1, True), (2, 0, False, 0, 1, False), (3, 0, False, 0, 1, None)]
    )
    (row,) = added(table).sides.to_dicts()
    assert (row["outbound_packets"], row["inbound_packets"], row["packets"]) == (1, 1, 3)


def test_bins_are_a_second_wide_while_they_are_few():
    table = packets([(second, 0, False, 0, 10, None) for second in (0, 0.5, 0.999, 1, 7)])
    result = added(table)
    assert result.width == 1
    assert result.bins.select("bin", "unique_bytes").rows() == [(0, 15), (1, 5), (7, 5)]


@pytest.mark.parametrize("merge_rows", [0, 3, 10**6])
def test_bins_double_until_they_are_few_and_keep_their_sum(monkeypatch, merge_rows):
    monkeypatch.setattr(tally, "MOST_BINS", 4)
    monkeypatch.setattr(tally, "MERGE_ROWS", merge_rows)
    table = packets([(second, 0, False, 0, 10, None) for second in range(-7, 40)])
    result = added(table, *range(1, 47))
    assert result.width == 16
    assert result.bins["bin"].to_list() == [-1, 0, 1, 2]
    assert result.bins["unique_bytes"].to_list() == [35, 80, 80, 40]


def test_a_far_away_packet_costs_one_bin_and_not_the_time_between(monkeypatch):
    monkeypatch.setattr(tally, "MOST_BINS", 4)
    result = added(packets([(0, 0, False, 0, 10, None), (4_000_000_000, 0, False, 0, 10, None)]))
    assert (result.width, result.bins.height) == (1, 2)


def test_packets_that_carry_nothing_new_have_no_bin():
    result = added(packets([(1, 0, False, 0, 0, None), (2, 0, False, 0, 1, None)]))
    assert result.bins.height == 0
    assert result.sides["packets"].to_list() == [2]


def test_seconds_of_the_timeline_count_from_the_first_packet_that_has_a_time():
    span = Span(start=0, end=10 * SECOND, is_relative=True, state="idle", label="x", source="t:2")
    table = packets(
        [(None, 0, False, 0, 1, None), (100, 0, False, 0, 1, None), (109, 0, False, 0, 1, None)]
    )
    for cuts in ((), (1,), (1, 2)):
        result = added(table, *cuts, spans=[span])
        assert dict(result.sides.select("code", "packets").iter_rows()) == {-1: 1, 1: 2}
        assert result.phases.spans[0].start == 100 * SECOND
