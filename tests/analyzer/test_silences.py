"""Silences of more than a day are not observed: not in phases, rates, claims, or what is said."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from analyzer.analysis import analyze
from analyzer.settings import Settings
from analyzer.silences import LONGEST_SILENCE, observed_spans, silences
from tests.small_captures import PHONE, REMOTE, connection, ethernet, pcap, put

START = datetime(2026, 9, 1, tzinfo=UTC)
DAY = 86_400
SECOND = 10**9


def flows(*rows):
    """Capture, first and last time of each flow in seconds."""
    return pl.DataFrame(
        [
            (capture, START + timedelta(seconds=first), START + timedelta(seconds=last))
            for capture, first, last in rows
        ],
        schema={
            "capture": pl.String,
            "first_time": pl.Datetime("ns", "UTC"),
            "last_time": pl.Datetime("ns", "UTC"),
        },
        orient="row",
    )


def found(*rows):
    table = silences(flows(*rows))
    return [
        tuple((edge - START).total_seconds() for edge in row)
        for row in table.select("after", "before").iter_rows()
    ]


def test_more_than_a_day_without_a_flow_is_a_silence():
    assert found(("a", 0, 10), ("a", 11 + DAY, 12 + DAY)) == [(10, 11 + DAY)]
    assert found(("a", 0, 10), ("a", 10 + DAY, 12 + DAY)) == []


def test_a_flow_that_lasts_is_no_silence():
    assert found(("a", 0, 3 * DAY), ("a", 5, 10), ("a", 2 * DAY, 2 * DAY)) == []


def test_what_lies_between_two_captures_is_no_silence_of_either():
    assert found(("a", 0, 10), ("b", 2 * DAY, 2 * DAY + 10)) == []


def test_another_capture_fills_a_silence():
    assert found(("a", 0, 1), ("a", 2 * DAY, 2 * DAY), ("b", 0, 2 * DAY)) == []


def test_no_flow_has_no_silence():
    assert found() == []


@pytest.mark.parametrize(
    ("rows", "spans"),
    [
        ([("a", 0, 10)], [(0, 10)]),
        ([("a", 0, 10), ("a", 3 * DAY, 3 * DAY + 5)], [(0, 10), (3 * DAY, 3 * DAY + 5)]),
    ],
)
def test_spans_are_what_silences_leave(rows, spans):
    first, last = int(START.timestamp()), int(START.timestamp()) + spans[-1][1]
    given = list(observed_spans(first * SECOND, last * SECOND, silences(flows(*rows))))
    assert given == [((first + low) * SECOND, (first + high) * SECOND) for low, high in spans]


def test_a_clock_that_jumps_is_observed_for_as_long_as_packets_came(tmp_path):
    packets = [
        *connection((PHONE, 50_001), (REMOTE, 80), [("up", b"x" * 100)]),
        *connection((PHONE, 50_002), (REMOTE, 80), [("up", b"x" * 100)]),
    ]
    half = len(packets) // 2
    frames = [
        ethernet(octets).at(place + (400 * DAY if place >= half else 0))
        for place, octets in enumerate(packets)
    ]
    analysis = analyze([put(tmp_path / "x.pcap", pcap(frames))], Settings(phones=(PHONE,)))
    exposure = analysis.phases["exposure"].sum()
    assert exposure == timedelta(seconds=len(packets) - 2)
    assert exposure > timedelta(0)
    assert timedelta(days=400) > LONGEST_SILENCE
    assert set(analysis.rates["exposure"].to_list()) == {exposure}
    assert all(row["end"] - row["start"] < LONGEST_SILENCE for row in analysis.stretches.to_dicts())
