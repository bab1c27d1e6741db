from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from phonehome.analyzer.tables import UploadsOverTime
from phonehome.reports.charts import timebins


@pytest.mark.parametrize("most", [1, 3, 10, 100_000])
def test_bins_keep_their_sum_however_few_are_left(rich, most):
    bins = timebins.bins(rich.timeline, rich.captures, most)
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
    assert timebins.gaps(captures, UploadsOverTime.create_empty(), bins).rows() == expected


def test_bins_do_not_overlap(rich):
    starts = timebins.bins(rich.timeline, rich.captures, 20).select(
        pl.col("start").unique().sort(), pl.col("width").max()
    )
    gaps = starts.select(gap=pl.col("start").diff(), width="width").drop_nulls()
    assert (gaps["gap"] >= gaps["width"]).all()


def test_an_empty_timeline_has_no_bins(empty):
    assert timebins.bins(empty.timeline, empty.captures).height == 0


def test_what_has_no_time_is_in_no_bin(rich):
    timeless = rich.timeline.with_columns(start=pl.lit(None, pl.Datetime("ns", "UTC")))
    assert timebins.bins(timeless, rich.captures).height == 0


@pytest.mark.parametrize("jump", ["before", "between", "after"])
def test_a_silence_of_years_in_one_capture_does_not_hide_what_was_seen(rich, jump):
    first, last = rich.captures["first_time"][0], rich.captures["last_time"][0]
    years, begin = timedelta(days=2_000), pl.col("start")
    captures = rich.captures.with_columns(
        first_time=pl.lit(first - years * (jump == "before"), pl.Datetime("ns", "UTC")),
        last_time=pl.lit(last + years * (jump != "before"), pl.Datetime("ns", "UTC")),
    )
    is_late = (begin > first + (last - first) / 2) if jump == "between" else pl.lit(value=False)
    timeline = rich.timeline.with_columns(
        start=pl.when(is_late).then(begin + years).otherwise(begin).cast(pl.Datetime("ns", "UTC"))
    )
    bins = timebins.bins(timeline, captures)
    assert bins["width"][0] == timebins.bins(rich.timeline, rich.captures)["width"][0]
    (gap,) = timebins.gaps(captures, timeline, bins).to_dicts()
    assert gap["end"] - gap["start"] > timedelta(days=1_999)
    starts = bins["start"]
    assert not starts.is_between(gap["start"], gap["end"]).any()


def test_spans_on_both_sides_of_1970_end_too():
    starts = [datetime(year, 1, 1, tzinfo=UTC) for year in (1969, 1971)]
    moments = pl.DataFrame({"start": starts, "row": [0, 0], "up": [1, 2]}).with_columns(
        pl.col("start").cast(pl.Datetime("ns", "UTC"))
    )
    found = timebins.wider(moments, timedelta(seconds=1), ["row"], most=1)
    assert found["up"].sum() == 3
    assert found.height == 2
