"""The numbers that a selection on the page is summed from: the uploads, as lists of integers.

The page's script filters these by country, organisation, app, phase and span of time, and adds up
what is left: the map, the bands, the bars and the table then show that part. Nothing is estimated.
"""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import Analysis
from phonehome.reports.charts import timebins
from phonehome.reports.charts.all import Charts
from phonehome.reports.charts.sankey import STAGES
from phonehome.reports.charts.style import country_text, iso
from phonehome.reports.words import wording
from phonehome.reports.words.escape import visible
from phonehome.reports.words.sums import RUNNER, UP, Counted, runner_text
from phonehome.reports.words.translate import say, told
from phonehome.reports.words.vocabulary import label_text

MOST_MOMENTS: Final = 40_000
"""Rows of `moments`: were there more, they are summed over longer spans of time."""

_UNLISTED: Final = -1
_REMOTE: Final = ("remote_address", "host")
_KEYS: Final = (*STAGES, "phase")
_PART: Final = (*_KEYS, "row")

Facts = dict[str, Any]


def facts(
    analysis: Analysis,
    part: Counted,
    charts: Charts,
    rows: Sequence[dict[str, Any]],
    *,
    most_moments: int = MOST_MOMENTS,
) -> Facts:
    """What the script of the page selects from.

    `values`: per dimension its values, null as an empty text. `texts`: how each is shown. `parts`:
    the uploads as columns of numbers, each dimension by the place of its value, and `row`, the
    place of the destination in the page's table; -1: it is not listed. `spans`: `start` of each
    span of time that anything was uploaded in, and its `end`. `moments`: how much of which part
    was uploaded in which span, by their places; what came without a time is in parts alone.
    `bins`: the bars, with the place of each and whether it is idle. `nodes`: per stage of the
    Sankey chart the node of each value; `keys`: the stage and value of each node that stands for
    one alone.

    Args:
        analysis: the tables.
        part: what of them counts.
        charts: what the page's charts are made of.
        rows: the destinations that the page lists, in their order.
        most_moments: spans are as wide as bars, or twice, four times, … that, until no more
            moments than these are left.
    """
    made = charts.nodes
    values = {stage: list(made.numbers[stage]) for stage in STAGES}
    numbers = sorted(analysis.phases["phase"].to_list())
    coding = _coding(values, numbers)
    listed = _listed(rows)
    sent = _summed(_placed(part.uploads.filter(UP > 0), listed), coding, _PART)
    moments = _summed(_placed(_moments(analysis, part), listed), coding, (*_PART, "start"))
    spans = timebins.wider(moments, charts.bin_width, _PART, most=most_moments)
    bars = charts.bins.with_columns(
        bar=pl.col("start").rank("dense") - 1,
        idle=(pl.col("state") == "idle").cast(pl.Int64),
        up_unique_bytes="up",
    )
    return {
        "values": {stage: [value or "" for value in values[stage]] for stage in STAGES}
        | {"phase": [str(number) for number in numbers]},
        "texts": {stage: [_text(stage, value) for value in values[stage]] for stage in STAGES}
        | {"phase": [_phase(row) for row in analysis.phases.sort("phase").to_dicts()]},
        "nodes": {
            stage: [made.numbers[stage][value] for value in values[stage]] for stage in STAGES
        },
        "keys": [None if key is None else [key[0], key[1] or ""] for key in made.keys],
        "parts": _columns(sent),
        "spans": _edges(spans),
        "moments": _columns(
            spans.join(sent.drop("up").with_row_index("part"), on=_PART, nulls_equal=True)
            .select("part", pl.col("start").rank("dense").alias("span") - 1, "up")
            .sort("part", "span")
        ),
        "bins": _columns(_summed(bars, coding, (*_KEYS, "bar", "idle"))),
    }


def _moments(analysis: Analysis, part: Counted) -> pl.DataFrame:
    """What was uploaded in each bin of time, with whom it went to."""
    of_flow = part.flows.select("flow", "app", "country", "organisation", "as_org", *_REMOTE)
    return analysis.moments.join(of_flow, on="flow")


def _listed(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """The destinations that the page lists, with the place of each in its table."""
    return pl.DataFrame(
        {
            "remote_address": [row["remote_address"] for row in rows],
            "host": [row["host"] for row in rows],
            "row": range(len(rows)),
        },
        schema={"remote_address": pl.String, "host": pl.String, "row": pl.Int64},
    )


def _placed(table: pl.DataFrame, listed: pl.DataFrame) -> pl.DataFrame:
    """The table with who runs each host, and where the page lists it."""
    return (
        table.with_columns(runner=RUNNER)
        .join(listed, on=_REMOTE, how="left", nulls_equal=True)
        .with_columns(pl.col("row").fill_null(_UNLISTED))
    )


def _coding(values: dict[str, list[str | None]], phases: list[int]) -> list[pl.Expr]:
    """Each dimension as the place of its value."""
    places = {
        stage: dict(zip(values[stage], range(len(values[stage])), strict=True)) for stage in STAGES
    }
    return [
        *(
            pl.col(stage).replace_strict(places[stage], return_dtype=pl.Int64, default=None)
            for stage in STAGES
        ),
        pl.col("phase").replace_strict(
            {number: place for place, number in enumerate(phases)}, return_dtype=pl.Int64
        ),
    ]


def _summed(table: pl.DataFrame, coding: list[pl.Expr], keys: Sequence[str]) -> pl.DataFrame:
    """The table as numbers, summed over all that no selection is by; in the order of its keys."""
    return table.with_columns(coding).group_by(keys).agg(up=UP.sum()).sort(keys)


def _columns(table: pl.DataFrame) -> dict[str, list[int]]:
    return {column.name: column.to_list() for column in table}


def _edges(spans: pl.DataFrame) -> dict[str, list[str]]:
    """Begin and end of each span, once and in order."""
    once = spans.select("start", end=pl.col("start") + pl.col("width")).unique().sort("start")
    return {column.name: [iso(moment) for moment in column.to_list()] for column in once}


def _text(stage: str, value: str | None) -> str:
    if stage == "country":
        return visible(country_text(value))
    if value is None:
        return say(wording.NO_APP if stage == "app" else wording.NO_ORGANISATION)
    return visible(runner_text(value))


def _phase(row: dict[str, Any]) -> str:
    return visible(f"{row['phase']}. {label_text(row)} ({told(row['state'])})")
