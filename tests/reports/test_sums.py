from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from reports import sums

CHAT = "com.example.chat"


@pytest.fixture
def part(rich):
    return sums.counted(rich)


def with_app(analysis, app, *, is_app_known=True):
    return replace(analysis, summary=replace(analysis.summary, app=app, is_app_known=is_app_known))


def test_all_traffic_counts_without_an_app(rich, part):
    assert part.uploads.height == rich.uploads.height
    assert part.rest_up_unique_bytes == 0


def test_an_app_counts_alone_and_the_others_are_the_remainder(rich):
    mine = sums.counted(with_app(rich, CHAT))
    assert set(mine.uploads["app"]) == {CHAT}
    assert set(mine.flows["app"]) == {CHAT}
    assert (
        mine.uploads["up_unique_bytes"].sum() + mine.rest_up_unique_bytes
        == rich.uploads["up_unique_bytes"].sum()
    )


def test_all_traffic_counts_where_apps_cannot_be_told_apart(rich):
    blind = sums.counted(with_app(rich, CHAT, is_app_known=False))
    assert blind.uploads.height == rich.uploads.height


def test_flows_that_are_not_the_phones_do_not_count(rich):
    flows = rich.flows.with_columns(
        role=pl.when(pl.col("flow") == 1).then(pl.lit("bystander")).otherwise("role")
    )
    assert sums.counted(replace(rich, flows=flows)).flows.height == rich.flows.height - 1


def test_countries_add_up_and_unknown_comes_last(rich, part):
    countries = sums.by_country(part.uploads, rich.places)
    assert countries["up"].sum() == rich.summary.up_unique_bytes
    assert countries["disputed"].sum() == rich.summary.disputed_up_unique_bytes
    assert countries["idle"].sum() == rich.summary.up_unique_bytes_by_state["idle"]
    assert countries["country"].to_list()[0] == "SG"
    assert countries["country"].to_list()[-1] is None
    assert countries["country"].drop_nulls().len() == rich.summary.countries


def test_a_disputed_country_names_the_others(rich, part):
    countries = sums.by_country(part.uploads, rich.places)
    others = dict(zip(countries["country"], countries["others"].to_list(), strict=True))
    assert others["HK"] == ["CN"]
    assert others["CA"] == ["US"]
    assert others["DE"] == []


def test_a_country_that_only_sent_is_no_destination_of_uploads(rich, part):
    assert "FR" not in sums.by_country(part.uploads, rich.places)["country"]


def test_phases_add_up_and_an_empty_one_stays(rich, part):
    idle = part.uploads.filter(pl.col("state") == "idle")
    phases = sums.by_phase(idle, rich.phases)
    assert phases["up"].to_list() == [0, 0, rich.summary.up_unique_bytes_by_state["idle"]]
    assert phases["up_per_hour"].to_list() == [0.0, 0.0, pytest.approx(336_100)]


def test_a_phase_that_nobody_observed_has_no_rate(rich, part):
    blind = rich.phases.with_columns(exposure=pl.lit(0).cast(pl.Duration("ns")))
    assert sums.by_phase(part.uploads.clear(), blind)["up_per_hour"].to_list() == [None] * 3


def test_sources_of_names_add_up(rich, part):
    sources = sums.by_source(part.flows)
    assert sources["up"].sum() == rich.summary.up_unique_bytes
    assert sources["host_source"].to_list()[-1] is None
    assert sources["up"].to_list()[-1] == rich.summary.unnamed_up_unique_bytes


@pytest.mark.parametrize("most", [1, 2, 12])
def test_streams_add_up_however_few_are_named(rich, part, most):
    streams = sums.streams(part.uploads, most)
    assert streams["up"].sum() == rich.summary.up_unique_bytes
    for name in ("app", "organisation", "country"):
        named = streams.filter(~pl.col(f"is_other_{name}"), pl.col(name).is_not_null())
        assert named[name].n_unique() <= most


def test_an_unknown_app_is_not_among_the_others(part):
    streams = sums.streams(part.uploads, 1)
    assert streams.filter(pl.col("app").is_null(), ~pl.col("is_other_app")).height > 0


@pytest.mark.parametrize("most", [1, 3, 10, 100_000])
def test_bins_keep_their_sum_however_few_are_left(rich, most):
    bins = sums.bins(rich.timeline, rich.captures, most)
    assert bins["up"].sum() == rich.timeline["up_unique_bytes"].sum()
    assert bins["start"].n_unique() <= most + 1
    assert bins["width"].n_unique() == 1


def span(first, last):
    return {
        "first_time": None if first is None else datetime(2026, 3, 14, first, tzinfo=UTC),
        "last_time": None if last is None else datetime(2026, 3, 14, last, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("spans", "cuts"),
    [
        ([(1, 2)], []),
        ([(1, 2), (5, 6)], [(2, 5)]),
        ([(5, 6), (1, 2)], [(2, 5)]),
        ([(1, 9), (2, 3), (10, 11)], [(9, 10)]),
        ([(1, 4), (3, 6)], []),
        ([(0, 11), (12, 23)], []),
        ([(None, None), (1, 2)], []),
        ([], []),
    ],
)
def test_time_that_no_capture_covers_is_a_gap_where_it_is_long(spans, cuts):
    times = pl.Datetime("ns", "UTC")
    captures = pl.DataFrame(
        [span(*ends) for ends in spans], schema={"first_time": times, "last_time": times}
    )
    bins = pl.DataFrame({"width": [timedelta(seconds=60)]}, schema={"width": pl.Duration("ns")})
    expected = [
        (
            datetime(2026, 3, 14, start, 1, tzinfo=UTC),
            datetime(2026, 3, 14, end, tzinfo=UTC) - timedelta(minutes=1),
        )
        for start, end in cuts
    ]
    assert sums.gaps(captures, bins).rows() == expected


def test_bins_do_not_overlap(rich):
    starts = sums.bins(rich.timeline, rich.captures, 20).select(
        pl.col("start").unique().sort(), pl.col("width").max()
    )
    gaps = starts.select(gap=pl.col("start").diff(), width="width").drop_nulls()
    assert (gaps["gap"] >= gaps["width"]).all()


def test_an_empty_timeline_has_no_bins(empty):
    assert sums.bins(empty.timeline, empty.captures).height == 0


def test_what_has_no_time_is_in_no_bin(rich):
    timeless = rich.timeline.with_columns(start=pl.lit(None, pl.Datetime("ns", "UTC")))
    assert sums.bins(timeless, rich.captures).height == 0


def test_destinations_add_up_and_come_largest_first(rich, part):
    found = sums.destinations(part, rich.places)
    assert found.other is None
    assert found.total["up"] == rich.summary.up_unique_bytes
    assert found.total["down"] == rich.summary.down_unique_bytes
    uploaded = [row["up"] for row in found.rows]
    assert uploaded == sorted(uploaded, reverse=True)
    assert sum(row["idle"] for row in found.rows) == found.total["idle"]


def test_destinations_beyond_the_bound_are_one_row_that_keeps_the_total(rich, part):
    found = sums.destinations(part, rich.places, most=5)
    assert len(found.rows) == 5
    assert found.other_rows == 8
    assert sum(row["up"] for row in found.rows) + found.other["up"] == found.total["up"]


def test_an_address_with_two_names_is_two_destinations(rich, part):
    rows = [
        row
        for row in sums.destinations(part, rich.places).rows
        if row["remote_address"] == "43.153.232.152"
    ]
    assert [row["host"] for row in rows] == ["sg.chat.example", "log.chat.example"]
    assert all(row["is_shared"] for row in rows)


def test_an_unnamed_destination_keeps_its_flows(rich, part):
    (row,) = (
        row
        for row in sums.destinations(part, rich.places).rows
        if row["remote_address"] == "2402:4e00::1"
    )
    assert (row["host"], row["flows"], row["remote_ports"]) == (None, 1, [8080])


def test_a_destination_names_source_frame_and_capture_of_its_name(rich, part):
    row = sums.destinations(part, rich.places).rows[1]
    assert (row["host_source"], row["host_frame"], row["capture"]) == ("sni", 13, "walk.pcapng")


def test_parties_add_up_to_what_was_uploaded(rich, part):
    uploads = part.uploads.with_columns(
        party=pl.when(pl.col("country") == "CN").then(pl.lit("first")),
        organisation=pl.when(pl.col("country") == "CN").then(pl.col("host")),
    )
    parties = sums.by_party(uploads)
    assert parties["up"].sum() == rich.summary.up_unique_bytes
    assert parties["party"].to_list() == ["first", None]
    own = uploads.filter(pl.col("party") == "first").group_by("host").agg(sums.UP.sum())
    most = own.sort(-pl.col("up_unique_bytes"), "host")["host"].drop_nulls().head(3).to_list()
    assert parties["names"].to_list() == [most, []]
