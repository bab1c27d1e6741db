"""Phases: which of them a packet is in, and how much of each was observed."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.analyzer.timeline.phases import OUTSIDE, WHOLE, WITHOUT_TIME, CapturePhases, phases
from phonehome.analyzer.timeline.sources import PhoneStates, Source
from phonehome.analyzer.timeline.spans import Span
from tests.small_captures import (
    BEGIN,
    OTHER_REMOTE,
    PHONE,
    REMOTE,
    SECOND,
    ethernet,
    household,
    pcapng,
    udp,
)


def span(start, end, state="idle", *, is_relative=False, source=None):
    return Span(
        start=start,
        end=end,
        is_relative=is_relative,
        state=state,
        label=f"{start}-{end}",
        source=source or f"t.csv:{start}",
    )


def known(*spans, first=None):
    return CapturePhases.of(
        PhoneStates((Source(Path("t.csv"), list(spans), is_written=True),)), first
    )


def codes(of, *times):
    series = pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("ns", "UTC"))
    return of.codes(series).to_list()


def described(table):
    return [
        (row["label"], row["state"], row["start"], row["end"], row["exposure"])
        for row in table.with_columns(
            pl.col("start", "end").to_physical(), pl.col("exposure").to_physical()
        ).to_dicts()
    ]


def upload(seconds, octets=b"x" * 100, remote=REMOTE):
    return ethernet(udp((PHONE, 4_000), (remote, 9_000), octets)).at(seconds)


def per_phase(analysis):
    return dict(
        analysis.uploads.join(analysis.phases.select("phase", "label"), on="phase")
        .group_by("label")
        .agg(pl.col("up_unique_bytes").sum())
        .iter_rows()
    )


def test_a_span_holds_its_start_and_not_its_end():
    assert codes(known(span(10, 20)), 9, 10, 19, 20) == [0, 1, 1, 2]


def test_where_spans_touch_the_later_one_holds_the_edge():
    assert codes(known(span(10, 20), span(20, 30)), 19, 20, 29, 30) == [1, 3, 3, 4]


def test_a_gap_between_spans_is_a_stretch_of_its_own():
    assert codes(known(span(10, 20), span(25, 30)), 19, 20, 24, 25, 31) == [1, 2, 2, 3, 4]


def test_a_packet_without_a_time_has_a_code_of_its_own():
    assert codes(known(span(10, 20)), None, 15, None) == [-1, 1, -1]
    assert codes(known(), None, 15) == [-1, 0]


@settings(deadline=None, max_examples=100)
@given(
    edges=st.lists(st.integers(-5, 40), min_size=2, max_size=8, unique=True),
    times=st.lists(st.one_of(st.none(), st.integers(-10, 50)), max_size=20),
)
def test_codes_are_what_looking_at_every_span_says(edges, times):
    ordered = sorted(edges)[: len(edges) // 2 * 2]
    spans = [span(*ordered[at : at + 2]) for at in range(0, len(ordered), 2)]
    found = codes(known(*spans), *times)
    for time, code in zip(times, found, strict=True):
        holding = [
            at for at, one in enumerate(spans) if time is not None and one.start <= time < one.end
        ]
        assert code == (-1 if time is None else code)
        assert [code // 2] * (code % 2) == holding if time is not None else code == -1


def test_without_a_timeline_the_whole_capture_is_one_unknown_phase():
    table, numbers = phases([(known(), [(100, 900)], {0})])
    assert described(table) == [(WHOLE, "unknown", 100, 900, 800)]
    assert numbers == [{0: 1}]
    assert table["source"].to_list() == ["none"]


def test_without_a_timeline_several_captures_are_one_phase_with_what_was_observed():
    table, numbers = phases([(known(), [(100, 200)], {0}), (known(), [(500, 900)], {0})])
    assert described(table) == [(WHOLE, "unknown", 100, 900, 500)]
    assert numbers == [{0: 1}, {0: 1}]


def test_captures_that_overlap_count_once_as_observed():
    table, _ = phases([(known(), [(100, 200)], {0}), (known(), [(150, 300)], {0})])
    assert described(table)[0][-1] == 200


def test_packets_without_any_time_are_a_phase_without_begin_and_end():
    table, numbers = phases([(known(span(5, 6)), [], {-1})])
    assert described(table) == [(WITHOUT_TIME, "unknown", None, None, 0)]
    assert numbers == [{-1: 1}]


def test_a_capture_without_conversations_still_has_the_phases_it_observed():
    table, numbers = phases([(known(span(100, 200), span(200, 300)), [(150, 250)], set())])
    assert [(row[0], row[4]) for row in described(table)] == [("100-200", 50), ("200-300", 50)]
    assert numbers == [{1: 1, 3: 2}]


def test_spans_outside_the_capture_are_no_phases():
    of = known(span(0, 50), span(60, 100), span(200, 300), span(301, 400))
    table, _ = phases([(of, [(100, 300)], {4, 6})])
    assert [row[0] for row in described(table)] == [OUTSIDE, "200-300", OUTSIDE]


def test_a_span_that_begins_with_the_last_packet_is_a_phase_of_no_exposure():
    table, numbers = phases([(known(span(200, 300)), [(100, 200)], {0, 1})])
    assert described(table) == [
        (OUTSIDE, "unknown", 100, 200, 100),
        ("200-300", "idle", 200, 300, 0),
    ]
    assert numbers == [{0: 1, 1: 2}]


def test_stretches_outside_end_where_the_captures_and_the_spans_do():
    of = known(span(200, 300), span(400, 500))
    table, _ = phases([(of, [(100, 600)], {0, 1, 2, 3, 4})])
    assert described(table) == [
        (OUTSIDE, "unknown", 100, 200, 100),
        ("200-300", "idle", 200, 300, 100),
        (OUTSIDE, "unknown", 300, 400, 100),
        ("400-500", "idle", 400, 500, 100),
        (OUTSIDE, "unknown", 500, 600, 100),
    ]
    assert table["source"].to_list()[0] == "uncovered"


def test_captures_under_one_timeline_share_its_phases():
    of = known(span(100, 200))
    table, numbers = phases([(of, [(50, 150)], {0, 1}), (of, [(180, 260)], {1, 2})])
    assert described(table) == [
        (OUTSIDE, "unknown", 50, 100, 50),
        ("100-200", "idle", 100, 200, 70),
        (OUTSIDE, "unknown", 200, 260, 60),
    ]
    assert numbers == [{0: 1, 1: 2}, {1: 2, 2: 3}]


def test_seconds_from_the_first_packet_make_phases_of_each_capture():
    spans = [span(0, 10, "active", is_relative=True, source="t.csv:2")]
    captures = [
        (known(*spans, first=first), [(first, first + 20)], {1, 2}) for first in (1_000, 5_000)
    ]
    table, numbers = phases(captures)
    assert described(table) == [
        ("0-10", "active", 1_000, 1_010, 10),
        (OUTSIDE, "unknown", 1_010, 1_020, 10),
        ("0-10", "active", 5_000, 5_010, 10),
        (OUTSIDE, "unknown", 5_010, 5_020, 10),
    ]
    assert numbers == [{1: 1, 2: 2}, {1: 3, 2: 4}]


def test_a_later_captures_time_before_its_spans_holds_none_of_an_earlier_one():
    spans = [span(5, 10, "active", is_relative=True)]
    captures = [
        (known(*spans, first=first), [(first, first + 20)], {0, 1, 2}) for first in (1_000, 5_000)
    ]
    table, _ = phases(captures)
    assert sum(row[-1] for row in described(table)) == 40
    assert [row[2:] for row in described(table) if row[0] == OUTSIDE] == [
        (1_000, 1_005, 5),
        (1_010, 1_020, 10),
        (5_000, 5_005, 5),
        (5_010, 5_020, 10),
    ]


@settings(deadline=None, max_examples=100)
@given(
    edges=st.lists(st.integers(0, 60), max_size=6, unique=True),
    observed=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=4),
)
def test_all_that_captures_observed_is_in_exactly_one_phase(edges, observed):
    ordered = sorted(edges)[: len(edges) // 2 * 2]
    of = known(*(span(*ordered[at : at + 2]) for at in range(0, len(ordered), 2)))
    captures = []
    for first, length in observed:
        moments = np.arange(first, first + length + 1)
        captures.append((of, [(first, first + length)], set(codes(of, *moments.tolist()))))
    table, _ = phases(captures)
    seconds = {moment for first, length in observed for moment in range(first, first + length)}
    assert table["exposure"].to_physical().sum() == len(seconds)
    uncovered = table.filter(pl.col("exposure").to_physical() > 0)
    assert (uncovered["end"] > uncovered["start"]).all()


def test_packets_on_the_edges_are_counted_where_they_belong(analysed, timeline_file):
    timeline = timeline_file("1,2,active,first", "2,3,idle,second")
    frames = [upload(0)]
    for seconds, size in ((1, 10), (1.999999999, 20), (2, 30), (2.999999999, 40), (3, 50)):
        frames.append(upload(seconds, b"x" * size))
    analysis = analysed(frames, container=pcapng, timelines=(timeline,))
    assert per_phase(analysis) == {OUTSIDE: 150, "first": 30, "second": 70}
    assert analysis.summary.is_balanced


def test_a_flow_across_phases_is_split_between_them(analysed, timeline_file):
    timeline = timeline_file("0,10,active,in use", "10,30,idle,screen off")
    analysis = analysed(household(), timelines=(timeline,))
    whole = analysed(household())
    assert set(per_phase(analysis)) == {"in use", "screen off"}
    assert analysis.uploads["up_unique_bytes"].sum() == whole.uploads["up_unique_bytes"].sum()
    assert analysis.summary.exposure_by_state["active"] == 10
    parts = analysis.uploads.filter(pl.col("remote_address") == REMOTE)
    assert len(parts) == 2


def test_seconds_count_from_the_first_packet_in_the_file(analysed, timeline_file):
    timeline = timeline_file("0,10,active,in use")
    analysis = analysed([upload(5), upload(0), upload(14.9), upload(15)], timelines=(timeline,))
    start = analysis.phases.filter(pl.col("label") == "in use")["start"].to_physical()[0]
    assert start == BEGIN + 5 * SECOND
    assert per_phase(analysis) == {OUTSIDE: 200, "in use": 200}


def test_packets_without_time_stamps_are_counted_in_a_phase_of_their_own(analysed, timeline_file):
    frames = [upload(0), upload(1)]
    frames = [type(frame)(frame.octets, None) for frame in frames]
    analysis = analysed(frames, container=pcapng, timelines=(timeline_file("0,10,idle,x"),))
    assert analysis.phases.select("label", "start", "end").rows() == [(WITHOUT_TIME, None, None)]
    assert analysis.summary.up_unique_bytes == 200
    assert analysis.uploads["up_unique_bytes_per_hour"].to_list() == [None]
    assert analysis.summary.idle_share is None
    assert analysis.summary.is_balanced
    assert analysis.timeline["start"].to_list() == [None]


def test_half_of_the_packets_without_a_time_are_kept_apart(analysed):
    frames = [upload(1), type(upload(0))(upload(0).octets, None), upload(3)]
    analysis = analysed(frames, container=pcapng)
    assert per_phase(analysis) == {WITHOUT_TIME: 100, WHOLE: 200}
    assert analysis.summary.is_balanced


@pytest.mark.parametrize("gap", [0.0, 3_600.0])
def test_two_captures_under_seconds_are_two_runs_of_the_same_phases(analysed, timeline_file, gap):
    timeline = timeline_file("0,10,active,in use", "10,20,idle,screen off")
    runs = [
        [upload(start + at, remote=OTHER_REMOTE) for at in (0, 5, 15, 30)]
        for start in (0.0, 31 + gap)
    ]
    analysis = analysed(*runs, timelines=(timeline,))
    assert per_phase(analysis) == {"in use": 400, "screen off": 200, OUTSIDE: 200}
    assert analysis.summary.exposure_by_state == {
        "active": 20.0,
        "background": 0.0,
        "idle": 20.0,
        "unknown": 20.0,
    }
