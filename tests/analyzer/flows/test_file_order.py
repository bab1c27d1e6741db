"""Spans of time are drawn, and a slow twin says from all pairs what belongs together."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.analyzer.flows.file_order import (
    LARGEST_GAP,
    in_order_of_time,
    rotation,
    rotation_notes,
)
from phonehome.captures.reading import Reading
from tests.small_captures import household, pcap

BEGIN = datetime(2026, 6, 2, 12, tzinfo=UTC)
GAP = int(LARGEST_GAP.total_seconds())


def table_of(*rows):
    """Captures by name, first and last second (None: no time), and link types."""
    return pl.DataFrame(
        [
            (
                name,
                None if first is None else BEGIN + timedelta(seconds=first),
                None if last is None else BEGIN + timedelta(seconds=last),
                list(links),
            )
            for name, first, last, links in rows
        ],
        schema={
            "capture": pl.String,
            "first_time": pl.Datetime("ns", "UTC"),
            "last_time": pl.Datetime("ns", "UTC"),
            "link_types": pl.List(pl.Int64),
        },
        orient="row",
    )


def series_of(table):
    groups = rotation(table).group_by("series", maintain_order=True).agg("capture")
    return groups["capture"].to_list()


def test_files_of_one_recording_are_ordered_by_their_packets_and_not_by_their_names():
    """As `tcpdump -C` names them: the tenth file sorts before the second."""
    names = ["cap.pcap", "cap.pcap1", "cap.pcap10", "cap.pcap2", "cap.pcap9"]
    begins = [0, 100, 1_000, 200, 900]
    table = table_of(
        *((name, begin, begin + 99, [1]) for name, begin in zip(names, begins, strict=True))
    )
    assert [names[place] for place in in_order_of_time(table)] == [
        "cap.pcap",
        "cap.pcap1",
        "cap.pcap2",
        "cap.pcap9",
        "cap.pcap10",
    ]
    assert series_of(table) == [["cap.pcap", "cap.pcap1", "cap.pcap2"], ["cap.pcap9", "cap.pcap10"]]
    notes = rotation_notes(table)
    assert notes[0].endswith(
        ": cap.pcap2 begins before cap.pcap10; cap.pcap9 begins before cap.pcap10."
    )
    words = "{} files that continue one another, at most 1 s apart."
    assert notes[1].startswith(f"cap.pcap to cap.pcap2: {words.format(3)}")
    assert notes[2].startswith(f"cap.pcap9 to cap.pcap10: {words.format(2)}")
    assert len(notes) == 3


@pytest.mark.parametrize(
    ("gap", "links", "is_one"),
    [
        (0, [1], True),
        (GAP, [1], True),
        (GAP + 1, [1], False),
        (-1, [1], False),
        (5, [101], False),
        (5, [1, 101], False),
    ],
)
def test_a_capture_continues_another_of_its_kind_that_just_ended(gap, links, is_one):
    table = table_of(("a", 0, 500, [1]), ("b", 500 + gap, 900, links))
    assert series_of(table) == ([["a", "b"]] if is_one else [["a"], ["b"]])
    row = rotation(table).row(1, named=True)
    assert row["continues"] == ("a" if is_one else None)
    assert row["gap"] == (timedelta(seconds=gap) if is_one else None)
    assert row["overlaps"] == ("a" if gap < 0 else None)


def test_captures_that_overlap_are_told_with_the_one_that_lasts_longest():
    table = table_of(
        ("long", 0, 1_000, [1]), ("inside", 10, 20, [1]), ("later", 500, 2_000, [1]), *many()
    )
    assert rotation(table)["overlaps"].to_list()[:3] == [None, "long", "long"]
    found = rotation_notes(table)
    assert found[0].startswith("long and inside cover the same time")
    assert found[1].startswith("long and later cover the same time")
    assert found[3] == "4 more captures begin before an earlier one ends."


def many():
    return [(f"n{n}", 3_000 + n, 4_000, [1]) for n in range(6)]


def test_a_capture_without_a_time_stands_last_and_in_no_series():
    table = table_of(("none", None, None, [1]), ("b", 7, 8, [1]), ("a", 1, 2, [1]))
    assert in_order_of_time(table) == [2, 1, 0]
    assert series_of(table) == [["a", "b"]]


def test_one_capture_and_captures_far_apart_need_no_note():
    assert rotation_notes(table_of(("a", 0, 5, [1]))) == []
    assert rotation_notes(table_of(("a", 0, 5, [1]), ("b", 5_000, 5_005, [1]))) == []
    assert rotation_notes(table_of(("a", None, None, [1]))) == []


def test_a_capture_that_was_cut_in_two_is_one_series(tmp_path):
    frames = household()
    for name, part in (
        ("b.pcap", frames[: len(frames) // 2]),
        ("a.pcap", frames[len(frames) // 2 :]),
    ):
        (tmp_path / name).write_bytes(pcap(part))
    rows = []
    for name in ("a.pcap", "b.pcap"):
        reading = Reading(tmp_path / name)
        for _ in reading.packets():
            pass
        rows.append(reading.capture())
    table = pl.concat(rows)
    assert in_order_of_time(table) == [1, 0]
    assert series_of(table) == [["b.pcap", "a.pcap"]]


SPANS = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 90), st.sampled_from([(1,), (101,), (1, 101)])),
    max_size=12,
)


@given(SPANS)
def test_what_is_said_of_each_capture_follows_from_all_pairs(drawn):
    spans = [
        (f"c{n}", first, first + length, links) for n, (first, length, links) in enumerate(drawn)
    ]
    table = table_of(*spans)
    ordered = sorted(spans, key=lambda span: span[1])
    assert [spans[place] for place in in_order_of_time(table)] == ordered
    found = rotation(table)
    assert found["capture"].to_list() == [span[0] for span in ordered]
    for place, (row, span) in enumerate(zip(found.iter_rows(named=True), ordered, strict=True)):
        earlier, later = ordered[:place], ordered[place + 1 :]
        end = max((other[2] for other in earlier), default=None)
        overlapped = {other[0] for other in earlier if other[2] == end and end > span[1]}
        assert (row["overlaps"] in overlapped) if overlapped else row["overlaps"] is None
        last = [other for other in earlier if other[2] == end][-1:]
        is_next = bool(last) and last[0][3] == span[3] and 0 <= span[1] - end <= GAP
        assert row["continues"] == (last[0][0] if is_next else None)
        assert (row["position"] == 1) == (not is_next)
        if is_next:
            before = found.row(by_predicate=pl.col("capture") == last[0][0], named=True)
            assert (row["series"], row["position"]) == (before["series"], before["position"] + 1)
            assert row["gap"] == timedelta(seconds=span[1] - end)
        ahead = [other for other in later if spans.index(other) < spans.index(span)]
        first = min(ahead, key=spans.index)[0] if ahead else None
        assert row["given_behind"] == first
    assert found["series"].unique(maintain_order=True).to_list() == list(
        range(1, found["series"].n_unique() + 1)
    )
