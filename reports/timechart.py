"""Uploads over time as plotly reads them: bars over shaded phases, long gaps cut out."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from reports.figures import LOOK, Figure
from reports.text import label

_STATE_COLOURS: Final = {
    "active": "--active",
    "background": "--background",
    "idle": "--idle",
    "unknown": "--unknown",
}
_BYTE_AXIS: Final[Figure] = {
    "tickformat": "~s",
    "ticksuffix": "B",
    "rangemode": "tozero",
    "fixedrange": True,
    "gridcolor": "--line",
    "zerolinecolor": "--line-strong",
    "nticks": 5,
}
_TIME_AXIS: Final[Figure] = {
    "type": "date",
    "gridcolor": "--line",
    "zeroline": False,
    "linecolor": "--line-strong",
    "title": {"text": "time (UTC)", "font": {"size": 12}},
}
_MOST_CUTS: Final = 20
_MOST_SHADES: Final = 200
_LABEL_SHARE: Final = 0.14
_NUMBER_SHARE: Final = 0.01
_STEPS: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
)
_MOST_TICKS: Final = 14
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def over_time(
    bins: pl.DataFrame,
    phases: pl.DataFrame,
    gaps: pl.DataFrame,
    bursts: Sequence[dict[str, Any]] = (),
) -> Figure:
    """Bars of uploaded bytes, coloured by state, over shaded phases; a triangle per burst.

    Where several states were uploaded in, the idle one comes again below, on its own scale.
    Gaps are cut out of the axis of time; a dotted line marks each.
    """
    states = [state for state in _STATE_COLOURS if (bins["state"] == state).any()]
    is_split = "idle" in states and len(states) > 1
    cuts = [[_iso(row["start"]), _iso(row["end"])] for row in gaps.head(_MOST_CUTS).to_dicts()]
    bars = [_bars(bins, state) for state in states]
    axes: Figure = {"yaxis": _BYTE_AXIS | {"domain": [0, 1]}}
    if is_split:
        bars.append(_bars(bins, "idle") | {"yaxis": "y2", "showlegend": False})
        axes = {
            "yaxis": _BYTE_AXIS | {"domain": [0.44, 1], "title": _small("all states")},
            "yaxis2": _BYTE_AXIS | {"domain": [0, 0.34], "title": _small("idle only")},
        }
    if bursts:
        bars.append(_triangles(bursts))
    time = _TIME_AXIS | _ticks(bins, gaps) | {"anchor": "y2" if is_split else "y"}
    time["rangebreaks"] = [{"bounds": cut} for cut in cuts]
    return {
        "data": bars,
        "layout": LOOK
        | axes
        | {
            "xaxis": time,
            "margin": {"l": 64, "r": 8, "t": 30, "b": 44},
            "barmode": "stack",
            "height": 440 if is_split else 300,
            "hovermode": "x",
            "showlegend": len(states) > 1 or bool(bursts),
            "legend": {"orientation": "h", "y": 1.01, "yanchor": "bottom", "traceorder": "normal"},
            "shapes": [*_shades(phases, gaps), *(_mark(start) for start, _ in cuts)],
        },
    }


def _ticks(bins: pl.DataFrame, gaps: pl.DataFrame) -> Figure:
    """Round moments on the axis. Plotly finds them itself where nothing is cut out."""
    if gaps.is_empty() or bins.is_empty():
        return {"nticks": 12}
    first: datetime = bins["start"].to_list()[0]
    last: datetime = bins["start"].to_list()[-1] + bins["width"].to_list()[-1]
    starts, ends = [first, *gaps["end"].to_list()], [*gaps["start"].to_list(), last]
    spans = list(zip(starts, ends, strict=True))
    shown = sum((end - start for start, end in spans), timedelta())
    step = next((step for step in _STEPS if shown / step <= _MOST_TICKS), _STEPS[-1])
    rounds = [list(_multiples(step, *span)) for span in spans]
    return {
        "tickvals": [_iso(moment) for moments in rounds for moment in moments],
        "ticktext": [
            moment.strftime("%H:%M<br>%Y-%m-%d" if place == 0 else "%H:%M")
            for moments in rounds
            for place, moment in enumerate(moments)
        ],
    }


def _multiples(step: timedelta, start: datetime, end: datetime) -> Iterator[datetime]:
    moment = start - (start - _EPOCH) % step + step
    while moment < end:
        yield moment
        moment += step


def _mark(moment: str) -> Figure:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": moment,
        "x1": moment,
        "y0": 0,
        "y1": 1,
        "line": {"color": "--ink", "width": 1.5, "dash": "dot"},
    }


def _small(text: str) -> Figure:
    return {"text": text, "font": {"size": 12}}


def _bars(bins: pl.DataFrame, state: str) -> Figure:
    rows = bins.filter(pl.col("state") == state)
    return {
        "type": "bar",
        "name": state,
        "x": [_iso(start) for start in rows["start"].to_list()],
        "y": rows["up"].to_list(),
        "width": rows["width"].dt.total_milliseconds().to_list(),
        "offset": 0,
        "marker": {"color": _STATE_COLOURS[state], "line": {"width": 0}},
        "hovertemplate": f"%{{y:,d}} bytes<extra>{state}</extra>",
    }


def _triangles(bursts: Sequence[dict[str, Any]]) -> Figure:
    """A triangle where each burst begins, as high as its bytes; it knows the number of its row."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "burst",
        "x": [_iso(row["start"]) for row in bursts],
        "y": [row["up_unique_bytes"] for row in bursts],
        "customdata": [row["burst"] for row in bursts],
        "marker": {"symbol": "triangle-down-open", "size": 9, "color": "--ink"},
        "hoverinfo": "text",
        "hovertext": [
            f"{row['size']} burst, {row['up_unique_bytes']:,} bytes to {label(row['names'][0], 48)}"
            for row in bursts
        ],
    }


def _shades(phases: pl.DataFrame, gaps: pl.DataFrame) -> list[Figure]:
    """A shade behind each phase of known state, with its number, and its label where it fits.

    An end that falls into a gap is moved to its edge: plotly puts it elsewhere.
    """
    spans = phases.filter(
        pl.col("start").is_not_null(), pl.col("end").is_not_null(), pl.col("state") != "unknown"
    )
    for gap in gaps.to_dicts():
        spans = spans.with_columns(
            pl.when(pl.col(side).is_between(gap["start"], gap["end"]))
            .then(pl.lit(gap[edge], pl.Datetime("ns", "UTC")))
            .otherwise(side)
            .alias(side)
            for side, edge in (("start", "end"), ("end", "start"))
        )
    shown = spans.filter(pl.col("start") < pl.col("end")).head(_MOST_SHADES)
    whole = sum(phases["exposure"].to_list(), timedelta())
    return [_shade(row, whole) for row in shown.to_dicts()]


def _shade(row: dict[str, Any], whole: timedelta) -> Figure:
    share = row["exposure"] / whole if whole else 0
    text = str(row["phase"]) if share >= _NUMBER_SHARE else ""
    if share >= _LABEL_SHARE:
        text = f"{text}. {label(row['label'], 32)}"
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": _iso(row["start"]),
        "x1": _iso(row["end"]),
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": _STATE_COLOURS[row["state"]],
        "opacity": 0.14,
        "label": {
            "text": text,
            "textposition": "top left",
            "font": {"size": 11, "color": "--ink"},
        },
    }


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
