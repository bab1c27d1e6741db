"""Uploads per phase and remote, and over time."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from phonehome.analyzer.flows import uploads as module
from phonehome.analyzer.flows.uploads import per_hour
from phonehome.analyzer.tables import Uploads
from tests.small_captures import (
    BEGIN,
    HOST,
    OTHER_REMOTE,
    PHONE,
    REMOTE,
    SECOND,
    arp,
    ethernet,
    household,
    lookup,
    udp,
)


def upload(seconds, size=100, remote=REMOTE, port=9_000):
    return ethernet(udp((PHONE, 4_000), (remote, port), b"x" * size)).at(seconds)


def test_a_row_is_a_phase_and_a_remote(analysed, timeline_file):
    timeline = timeline_file("0,10,active,a", "10,20,idle,b")
    frames = [upload(0, 10), upload(1, 20, port=9_001), upload(2, 5, OTHER_REMOTE), upload(15, 30)]
    table = analysed(frames, timelines=(timeline,)).uploads
    assert table.select("phase", "state", "remote_address", "up_unique_bytes").rows() == [
        (1, "active", REMOTE, 30),
        (1, "active", OTHER_REMOTE, 5),
        (2, "idle", REMOTE, 30),
    ]
    assert table["up_packets"].to_list() == [2, 1, 1]


def test_an_address_with_two_names_has_a_row_for_each(analysed):
    frames = [*lookup("a.example", REMOTE, at=0), upload(1, 10)]
    frames += [*lookup("b.example", REMOTE, port=40_001, at=2), upload(3, 20, port=9_001)]
    table = analysed(frames).uploads
    assert table.select("host", "up_unique_bytes").rows() == [("b.example", 20), ("a.example", 10)]


def test_rows_come_by_phase_then_most_uploaded_then_address(analysed, timeline_file):
    timeline = timeline_file("0,10,active,a", "10,20,idle,b")
    frames = [*household(), upload(3, 10), upload(3, 10, "95.216.3.4"), upload(12, 1)]
    frames.sort(key=lambda frame: frame.time)
    table = analysed(frames, timelines=(timeline,)).uploads
    keys = [
        (row["phase"], -row["up_unique_bytes"], row["remote_address"]) for row in table.to_dicts()
    ]
    assert keys == sorted(keys)
    assert table.columns == Uploads.column_names()


def test_each_flow_has_a_row_per_phase_and_they_add_up_to_the_uploads(analysed, timeline_file):
    timeline = timeline_file("0,10,active,a", "10,20,idle,b")
    frames = [upload(0, 10), upload(1, 20, port=9_001), upload(2, 5, OTHER_REMOTE), upload(15, 30)]
    found = analysed([*frames, *household()], timelines=(timeline,))
    table = found.flow_phases.join(found.flows, on="flow", suffix="_of_flow")
    assert set(table["role"]) == {"phone"}
    mine = table.filter(remote_address=REMOTE, remote_port=9_000)
    assert mine.select("phase", "state", "up_unique_bytes").rows() == [
        (1, "active", 10),
        (2, "idle", 30),
    ]
    keys = ["phase", "remote_address"]
    sums = ["up_packets", "down_packets", "up_unique_bytes", "down_unique_bytes"]
    of_flows, of_uploads = (
        of.group_by(keys).agg(pl.col(sums).sum()).sort(keys) for of in (table, found.uploads)
    )
    assert of_flows.equals(of_uploads)


def test_the_rate_is_per_hour_of_what_was_observed(analysed, timeline_file):
    timeline = timeline_file("0,3600,idle,night")
    table = analysed([upload(0), upload(1_800)], timelines=(timeline,)).uploads
    assert table["exposure"].to_list() == [timedelta(minutes=30)]
    assert table["up_unique_bytes_per_hour"].to_list() == [400.0]


def test_the_rate_of_much_is_no_other_number(analysed, timeline_file):
    timeline = timeline_file("0,3600,idle,night")
    frames = [upload(seconds, 60_000) for seconds in range(0, 1_801, 30)]
    table = analysed(frames, timelines=(timeline,)).uploads
    assert table["up_unique_bytes"].to_list() == [61 * 60_000]
    assert table["up_unique_bytes_per_hour"].to_list() == [2 * 61 * 60_000]


@pytest.mark.parametrize("amount", [0, 1, 2_562_047, 2_562_048, 10**12, 2**62])
def test_an_amount_of_any_size_has_its_rate(amount):
    made = pl.select(per_hour(pl.lit(amount), pl.lit(1_800 * SECOND)))
    assert made.item() == pytest.approx(2 * amount)
    assert pl.select(per_hour(pl.lit(amount), pl.lit(0))).item() is None


def test_a_moment_has_no_rate(analysed):
    table = analysed([upload(5)]).uploads
    assert table["up_unique_bytes_per_hour"].to_list() == [None]
    assert table["exposure"].to_list() == [timedelta(0)]


def test_a_remote_that_got_no_byte_of_payload_is_still_listed(analysed):
    table = analysed([upload(0, 0), upload(1)]).uploads
    assert table.select("up_packets", "up_unique_bytes").rows() == [(2, 100)]
    table = analysed([upload(0, 0)]).uploads
    assert table.select("up_packets", "up_unique_bytes").rows() == [(1, 0)]


def test_names_countries_and_holders_come_from_the_flows(analysed):
    analysis = analysed(household())
    columns = ["remote_address", "host", "country", "asn", "as_org"]
    flows = analysis.flows.filter(pl.col("role") == "phone").select(columns).unique()
    assert set(analysis.uploads.select(columns).rows()) == set(flows.rows())
    assert (HOST, "US") in set(analysis.uploads.select("host", "country").rows())


def test_moments_are_the_timeline_before_flows_are_added_up(analysed, timeline_file):
    timeline = timeline_file("0,10,active,a", "10,20,idle,b")
    sent = [upload(0.2, 10), upload(0.9, 20, port=9_001), upload(5, 40), upload(12, 7)]
    again = upload(0.3, 5)  # of the flow and the second of another packet
    analysis = analysed([*household(), *sent, again], timelines=(timeline,))
    table = analysis.moments.join(analysis.flows, on="flow", suffix="_of_flow")
    assert set(table["role"]) == {"phone"}
    mine = table.filter(remote_address=REMOTE, remote_port=9_000)
    assert [
        (phase, (start - BEGIN) // SECOND, up)
        for phase, start, up in mine.select(
            "phase", pl.col("start").to_physical(), "up_unique_bytes"
        ).rows()
    ] == [(1, 0, 15), (1, 5, 40), (2, 12, 7)]
    keys = ["start", "phase", "country"]
    of_flows, over_time = (
        of.filter(pl.col("up_unique_bytes") > 0)
        .group_by(keys)
        .agg(pl.col("up_unique_bytes").sum())
        .sort(keys)
        for of in (table, analysis.timeline)
    )
    assert of_flows.equals(over_time)


@pytest.mark.parametrize("size", [0, 10])
def test_what_is_no_upload_with_a_time_is_in_no_moment(analysed, size):
    answer = ethernet(udp((REMOTE, 9_000), (PHONE, 4_000), b"x" * 50)).at(2)
    timeless = replace(upload(0, 30), time=None)
    analysis = analysed([upload(1, size), answer, timeless])
    assert analysis.uploads["up_unique_bytes"].sum() == size + 30
    assert analysis.moments["up_unique_bytes"].to_list() == [size] * (size > 0)


def test_time_is_cut_into_bins_of_a_second(analysed):
    table = analysed([upload(0.2, 10), upload(0.9, 20), upload(5, 40)]).timeline
    assert [
        (start - BEGIN, up)
        for start, up in table.select(pl.col("start").to_physical(), "up_unique_bytes").iter_rows()
    ] == [(0, 30), (5 * SECOND, 40)]
    assert table["width"].unique().to_list() == [timedelta(seconds=1)]


def test_bins_keep_states_and_countries_apart(analysed, timeline_file):
    timeline = timeline_file("0,0.2,active,a")
    frames = [upload(0.5, 1), upload(0.6, 2, OTHER_REMOTE), upload(0.9, 4)]
    table = analysed(frames, timelines=(timeline,)).timeline
    assert table.select("state", "country", "up_unique_bytes").rows() == [
        ("active", "CN", 2),
        ("active", "US", 1),
        ("unknown", "US", 4),
    ]


def test_bins_of_two_captures_are_of_one_width(analysed, monkeypatch):
    monkeypatch.setattr("phonehome.captures.decoding.sums.MOST_BINS", 8)
    monkeypatch.setattr(module, "MOST_BINS", 8)
    long = [upload(4 * seconds) for seconds in range(20)]
    short = [upload(seconds) for seconds in range(3)]
    table = analysed(long, short).timeline
    assert table["width"].unique().to_list() == [timedelta(seconds=16)]
    assert table["up_unique_bytes"].sum() == 2_300
    assert all(start % (16 * SECOND) == 0 for start in table["start"].to_physical())


def test_bins_of_many_captures_are_widened_together(analysed, monkeypatch):
    monkeypatch.setattr(module, "MOST_BINS", 4)
    runs = [[upload(8 * number), upload(8 * number + 1)] for number in range(6)]
    table = analysed(*runs).timeline
    assert table.height <= 4
    assert table["up_unique_bytes"].sum() == 1_200


@pytest.mark.parametrize("table", ["uploads", "timeline"])
def test_a_capture_without_the_phones_traffic_has_empty_tables(analysed, table):
    analysis = analysed([arp()])
    assert getattr(analysis, table).height == 0
    assert analysis.summary.is_balanced
