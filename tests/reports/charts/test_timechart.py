from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from phonehome.reports.charts import style, timebins, timechart
from phonehome.reports.charts.all import charts_of
from phonehome.reports.page import behaviour, report
from phonehome.reports.words import sums

TIMES = pl.Datetime("ns", "UTC")


@pytest.fixture
def drawn(rich):
    return charts_of(rich, sums.counted(rich)).figures()


def chart_of(analysis, gaps=None, bursts=()):
    made = charts_of(analysis, sums.counted(analysis))
    return timechart.over_time(
        made.bins,
        analysis.phases,
        made.gaps if gaps is None else gaps,
        colours=made.colours,
        bursts=bursts,
    )


def test_the_bars_carry_all_bytes_and_idle_comes_again_on_its_own_axis(rich, drawn):
    bars = [trace for trace in drawn["time"]["data"] if trace["type"] == "bar"]
    whole = rich.timeline["up_unique_bytes"].sum()
    assert sum(sum(bar["y"]) for bar in bars if bar["yaxis"] == "y") == whole
    idle = rich.timeline.filter(pl.col("state") == "idle")["up_unique_bytes"].sum()
    assert sum(sum(bar["y"]) for bar in bars if bar["yaxis"] == "y2") == idle
    assert all(bar["meta"]["panel"] == ("idle" if bar["yaxis"] == "y2" else "all") for bar in bars)


def test_every_trace_has_all_bars_so_that_a_selection_can_fill_it_anew(rich, drawn):
    bars = [trace for trace in drawn["time"]["data"] if trace["type"] == "bar"]
    starts = timechart.moments(timebins.bins(rich.timeline, rich.captures))
    assert {len(bar["x"]) for bar in bars} == {len(starts)}
    shown = [code for bar in bars if bar["yaxis"] == "y" for code in bar["meta"]["countries"]]
    assert len(shown) == len(set(shown))


def test_every_phase_of_known_state_is_shaded(rich, single, drawn):
    assert len(drawn["time"]["layout"]["shapes"]) == rich.phases.height
    alone = charts_of(single, sums.counted(single)).figures()
    assert alone["time"]["layout"]["shapes"] == []


def test_a_gap_is_cut_out_of_the_axis_and_marked(rich):
    gap = pl.DataFrame({"start": [rich.phases["start"][1]], "end": [rich.phases["end"][1]]})
    layout = chart_of(rich, gap)["layout"]
    ((start, _),) = (cut["bounds"] for cut in layout["xaxis"]["rangebreaks"])
    assert [shape["x0"] for shape in layout["shapes"] if shape["type"] == "line"] == [start]


def test_a_phase_that_ends_in_a_gap_is_shaded_to_its_edge(rich):
    first, second, third = rich.phases["start"].to_list()
    gap = pl.DataFrame({"start": [first + (second - first) / 2], "end": [third]})
    shapes = chart_of(rich, gap)["layout"]["shapes"]
    shades = [shape["x1"] for shape in shapes if shape["type"] == "rect"]
    assert shades == ["2026-03-14T09:05:00.000000", "2026-03-14T10:15:00.000000"]


def test_ticks_are_round_moments_outside_of_gaps():
    first = datetime(2026, 3, 14, 9, 3, tzinfo=UTC)
    bins = pl.DataFrame(
        {
            "start": [first, datetime(2026, 3, 16, 9, 58, tzinfo=UTC)],
            "width": [timedelta(minutes=2)] * 2,
        },
        schema={"start": TIMES, "width": pl.Duration("ns")},
    )
    gaps = pl.DataFrame(
        {
            "start": [datetime(2026, 3, 14, 9, 43, tzinfo=UTC)],
            "end": [datetime(2026, 3, 16, 9, 1, tzinfo=UTC)],
        },
        schema={"start": TIMES, "end": TIMES},
    )
    ticks = timechart._ticks(bins, gaps)
    assert ticks["ticktext"] == [
        "09:10<br>2026-03-14", "09:20", "09:30", "09:40",
        "09:10<br>2026-03-16", "09:20", "09:30", "09:40", "09:50",
    ]  # fmt: skip
    assert ticks["tickvals"][4] == "2026-03-16T09:10:00.000000"


def test_ticks_of_a_few_seconds_before_a_gap_say_the_second():
    first = datetime(2026, 3, 14, 9, 3, 4, tzinfo=UTC)
    bins = pl.DataFrame(
        {"start": [first], "width": [timedelta(seconds=6)]},
        schema={"start": TIMES, "width": pl.Duration("ns")},
    )
    gaps = pl.DataFrame(
        {"start": [first + timedelta(seconds=6)], "end": [first + timedelta(days=9)]},
        schema={"start": TIMES, "end": TIMES},
    )
    ticks = timechart._ticks(bins, gaps)["ticktext"]
    assert ticks[:2] == ["09:03:05<br>2026-03-14", "09:03:06"]
    assert len(ticks) <= 14


def test_a_year_of_captures_has_few_ticks():
    bins = pl.DataFrame(
        {
            "start": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)],
            "width": [timedelta(days=1)] * 2,
        },
        schema={"start": TIMES, "width": pl.Duration("ns")},
    )
    gap = pl.DataFrame(
        {
            "start": [datetime(2026, 1, 3, tzinfo=UTC)],
            "end": [datetime(2026, 12, 30, tzinfo=UTC)],
        },
        schema={"start": TIMES, "end": TIMES},
    )
    assert len(timechart._ticks(bins, gap)["tickvals"]) <= 14


def test_a_triangle_stands_where_each_listed_burst_begins(rich):
    shown = behaviour.behaviour(rich)["bursts"]
    chart = chart_of(rich, bursts=shown)
    triangles = chart["data"][-1]
    assert triangles["customdata"] == [row["burst"] for row in shown]
    assert triangles["x"] == [style.iso(row["start"]) for row in shown]
    page_text = b"".join(report.page(rich)).decode()
    assert all(f'id="burst-{number}"' in page_text for number in triangles["customdata"])
    assert chart["layout"]["xaxis"].get("fixedrange") is not True
