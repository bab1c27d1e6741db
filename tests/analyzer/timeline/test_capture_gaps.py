"""Silences of more than a day are not observed: not in phases, rates, claims, or what is said."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.claims.tables import tables_in, tables_of
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.timeline.capture_gaps import (
    LONGEST_SILENCE,
    bins_of,
    observed_spans,
    silences,
)
from phonehome.reports.exports.folder import write
from tests.small_captures import LAPTOP_MAC, PHONE, REMOTE, connection, ethernet, pcap, put, udp

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


def bins(*starts, width=16):
    """Bins of time with payload, by their begin in seconds; None: without a time."""
    begins = [None if at is None else START + timedelta(seconds=at) for at in starts]
    return pl.DataFrame(
        {"start": begins, "width": [timedelta(seconds=width)] * len(begins)},
        schema={"start": pl.Datetime("ns", "UTC"), "width": pl.Duration("ns")},
    )


def found(*rows, payload=None):
    table = silences(flows(*rows), payload)
    return [
        tuple((edge - START).total_seconds() for edge in row)
        for row in table.select("after", "before").iter_rows()
    ]


def test_more_than_a_day_without_a_flow_is_a_silence():
    assert found(("a", 0, 10), ("a", 11 + DAY, 12 + DAY)) == [(10, 11 + DAY)]
    assert found(("a", 0, 10), ("a", 10 + DAY, 12 + DAY)) == []


def test_a_flow_that_lasts_is_no_silence():
    assert found(("a", 0, 3 * DAY), ("a", 5, 10), ("a", 2 * DAY, 2 * DAY)) == []


def test_one_flow_on_both_sides_of_a_silence_does_not_fill_it():
    payload = bins(0, 16, None, 20 * DAY)
    assert found(("a", 3, 20 * DAY + 9), payload=payload) == [(32, 20 * DAY)]
    both = [("a", 3, 20 * DAY + 9), ("a", 0, 3_600), ("a", 5 * DAY, 5 * DAY)]
    assert found(*both, payload=payload) == [(3_600, 5 * DAY), (5 * DAY, 20 * DAY)]


def test_a_flow_that_lasts_and_carries_payload_is_no_silence():
    payload = bins(*range(0, 20 * DAY, DAY // 2))
    assert found(("a", 3, 20 * DAY - 1), payload=payload) == []


def test_bins_that_are_wide_tell_nothing():
    half = DAY // 2
    assert found(("a", 3, 20 * DAY), payload=bins(0, 19 * DAY, width=half)) != []
    assert found(("a", 3, 20 * DAY), payload=bins(0, 19 * DAY, width=half + 1)) == []


@pytest.mark.parametrize("seed", range(20))
def test_bins_change_nothing_where_no_flow_lasts_for_more_than_a_day(seed):
    rng = np.random.default_rng(seed)
    rows = [
        (str(rng.choice(["a", "b"])), begin, begin + int(rng.integers(0, DAY + 1)))
        for begin in rng.integers(0, 40 * DAY, 12).tolist()
    ]
    payload = bins(*(row[1] // 16 * 16 for row in rows))
    assert found(*rows, payload=payload) == found(*rows)


def test_numbered_bins_begin_where_their_number_says():
    first = int(START.timestamp()) // 4
    table = bins_of(pl.DataFrame({"bin": [first, first + 2, None]}), 4)
    assert table.equals(bins(0, 8, None, width=4))


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


def two_hours_of_one_flow():
    """Twenty days apart, a packet a minute up and an answer to it."""
    return [
        ethernet(udp(*way, b"x" * size)).at(day * DAY + minute * 60 + size / 1_000)
        for day in (0, 20)
        for minute in range(60)
        for way, size in (
            (((PHONE, 4_500), (REMOTE, 4_500)), 100),
            (((REMOTE, 4_500), (PHONE, 4_500)), 20),
        )
    ]


def test_one_flow_on_both_sides_of_a_silence_is_not_observed_time(tmp_path):
    frames = sorted(two_hours_of_one_flow(), key=lambda frame: frame.time)
    capture = put(tmp_path / "x.pcap", pcap(frames))
    analysis = analyze([capture], Settings(phones=(PHONE,)))
    assert analysis.flows.height == 1
    (phase,) = analysis.phases.to_dicts()
    observed = 2 * timedelta(minutes=59)
    assert observed <= phase["exposure"] <= observed + timedelta(seconds=4)
    assert set(analysis.rates["exposure"].to_list()) == {phase["exposure"]}
    tables = tables_of(analysis)
    assert timedelta(microseconds=tables.silence(()) / 1_000) == (
        phase["end"] - phase["start"] - phase["exposure"]
    )
    write(analysis, tmp_path / "saved", formats=frozenset({"parquet"}), force=False, started=START)
    saved = tables_in(tmp_path / "saved")
    assert saved.exposure(()) == tables.exposure(())
    assert saved.silence(()) == tables.silence(())


def test_what_other_devices_send_shows_that_something_was_captured(tmp_path):
    lasting = [
        ethernet(udp(("192.168.1.99", 4_500), (REMOTE, 4_500), b"x"), LAPTOP_MAC).at(at)
        for at in range(0, 20 * DAY, DAY // 2)
    ]
    frames = sorted([*two_hours_of_one_flow(), *lasting], key=lambda frame: frame.time)
    capture = put(tmp_path / "x.pcap", pcap(frames))
    analysis = analyze([capture], Settings(phones=(PHONE,)))
    assert set(analysis.flows["role"]) == {"phone", "bystander"}
    (phase,) = analysis.phases.to_dicts()
    assert phase["exposure"] == phase["end"] - phase["start"]
    assert tables_of(analysis).silence(()) == 0


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
