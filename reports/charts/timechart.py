"""Uploads over time as plotly reads them: bars over shaded phases, long gaps cut out."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl

from phonehome.reports.charts.colours import REST
from phonehome.reports.charts.style import LOOK, Figure, country_text, iso
from phonehome.reports.words.escape import label
from phonehome.reports.words.translate import number, say, told
from phonehome.reports.words.vocabulary import label_text

_SHADES: Final = {"active": 0.05, "background": 0.1, "idle": 0.2}
"""How dark the shade behind a phase is: the idle ones stand out, without colour too."""

_BYTE_AXIS: Final[Figure] = {
    "tickformat": "~s",
    "ticksuffix": "B",
    "rangemode": "tozero",
    "fixedrange": True,
    "gridcolor": "--line",
    "zerolinecolor": "--line-strong",
    "nticks": 5,
    "autorangeoptions": {"include": 10},  # bytes: an axis of less would have parts of one
}
_TIME_AXIS: Final[Figure] = {
    "type": "date",
    "tickangle": 0,
    "gridcolor": "--line",
    "zeroline": False,
    "linecolor": "--line-strong",
}
_TOP: Final = 0.94
"""Where bars end: above them is room for the labels of phases."""
_MILLISECOND: Final = timedelta(milliseconds=1)
_MOST_CUTS: Final = 20
_MOST_SHADES: Final = 200
_LABEL_SHARE: Final = 0.14
_NUMBER_SHARE: Final = 0.01
_MINUTE: Final = timedelta(minutes=1)
_STEPS: Final = (
    *(timedelta(seconds=seconds) for seconds in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * count for count in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)),
)
_MOST_TICKS: Final = 14
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def over_time(
    bins: pl.DataFrame,
    phases: pl.DataFrame,
    gaps: pl.DataFrame,
    *,
    colours: dict[str | None, str],
    bursts: Sequence[dict[str, Any]] = (),
) -> Figure:
    """Bars of uploaded bytes in the colours of countries, over shaded phases; marks for bursts.

    Where several states were uploaded in, the idle one comes again below, on its own scale. Gaps
    are cut out of the axis of time; a dotted line marks each. Every trace has all bins, and says
    in `meta` which countries and panel it is of, so that the page can fill it anew.
    """
    states = bins["state"].unique().to_list()
    is_split = "idle" in states and len(states) > 1
    cuts = [[iso(row["start"]), iso(row["end"])] for row in gaps.head(_MOST_CUTS).to_dicts()]
    bars = [_bars(bins, of, colours) for of in _groups(bins, colours)]
    axes: Figure = {"yaxis": _BYTE_AXIS | {"domain": [0, _TOP]}}
    if is_split:
        idle = bins.filter(pl.col("state") == "idle")
        bars += [_bars(bins, of, colours, panel="idle") for of in _groups(idle, colours)]
        axes = {
            "yaxis": _BYTE_AXIS | {"domain": [0.42, _TOP], "title": _small(say("all states"))},
            "yaxis2": _BYTE_AXIS | {"domain": [0, 0.32], "title": _small(say("idle only"))},
        }
    if bursts:
        bars.append(_marks(bursts))
    title = {"title": _small(say("time (UTC)")) | {"standoff": 8}}
    time = _TIME_AXIS | title | _ticks(bins, gaps) | {"anchor": "y2" if is_split else "y"}
    time["rangebreaks"] = [{"bounds": cut} for cut in cuts]
    return {
        "data": bars,
        "layout": LOOK
        | axes
        | {
            "xaxis": time,
            "margin": {"l": 64, "r": 8, "t": 30, "b": 62},
            "barmode": "stack",
            "height": 478 if is_split else 318,
            "hovermode": "closest",
            "showlegend": len(bars) > 1,
            "legend": {
                "orientation": "h",
                "y": 1.01,
                "yanchor": "bottom",
                "traceorder": "normal",
                "uirevision": "kept",
            },
            "shapes": [*_shades(phases, gaps), *(_mark(start) for start, _ in cuts)],
        },
    }


def moments(bins: pl.DataFrame) -> list[datetime]:
    """The begin of each bin that anything was uploaded in, in order: the bars of every trace."""
    found: list[datetime] = bins["start"].unique().sort().to_list()
    return found


def _groups(bins: pl.DataFrame, colours: dict[str | None, str]) -> list[list[str | None]]:
    """The countries of each trace: those with a colour of their own alone, the rest together."""
    seen = set(bins["country"].to_list())
    own = [[code] for code, colour in sorted(colours.items(), key=_rank) if colour != REST]
    rest = [code for code, colour in sorted(colours.items(), key=_rank) if colour == REST]
    return [of for of in [*own, rest] if seen.intersection(of)]


def _rank(item: tuple[str | None, str]) -> tuple[str, str]:
    return item[1], item[0] or ""


def _ticks(bins: pl.DataFrame, gaps: pl.DataFrame) -> Figure:
    """Round moments on the axis. Plotly finds them itself where nothing is cut out."""
    if gaps.is_empty() or bins.is_empty():
        return {"nticks": 12}
    first: datetime = bins["start"].to_list()[0]
    last: datetime = bins["start"].to_list()[-1] + bins["width"].to_list()[-1]
    starts, ends = [first, *gaps["end"].to_list()], [*gaps["start"].to_list(), last]
    spans = list(zip(starts, ends, strict=True))
    shown = sum((max(end - start, timedelta()) for start, end in spans), timedelta())
    step = next((step for step in _STEPS if shown / step <= _MOST_TICKS), _STEPS[-1])
    rounds = [list(_multiples(step, *span)) for span in spans]
    clock = "%H:%M" if step >= _MINUTE else "%H:%M:%S"
    return {
        "tickvals": [iso(moment) for moments in rounds for moment in moments],
        "ticktext": [
            moment.strftime(f"{clock}<br>%Y-%m-%d" if place == 0 else clock)
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


def _bars(
    bins: pl.DataFrame,
    countries: list[str | None],
    colours: dict[str | None, str],
    *,
    panel: str = "all",
) -> Figure:
    """The bars of some countries, one per bin."""
    is_meant = pl.col("country").is_in(countries, nulls_equal=True)
    if panel == "idle":
        is_meant &= pl.col("state") == "idle"
    starts = moments(bins)
    sums = bins.filter(is_meant).group_by("start").agg(pl.col("up").sum())
    of_start = dict(sums.iter_rows())
    is_rest = colours[countries[0]] == REST
    name = say("other countries") if is_rest and len(colours) > 1 else country_text(countries[0])
    width = 0 if bins.is_empty() else bins["width"].to_list()[0] // _MILLISECOND
    return {
        "type": "bar",
        "name": label(name),
        "meta": {"countries": [code or "" for code in countries], "panel": panel},
        "x": [iso(start) for start in starts],
        "y": [of_start.get(start, 0) for start in starts],
        "width": width,
        "offset": 0,
        "marker": {"color": colours[countries[0]], "line": {"width": 0}},
        "hovertemplate": "%{x}: %{y:,d} " + say("bytes") + f"<extra>{label(name)}</extra>",
        "showlegend": panel == "all",
        "yaxis": "y2" if panel == "idle" else "y",
    }


def _marks(bursts: Sequence[dict[str, Any]]) -> Figure:
    """A mark on the axis where each burst begins; it knows the number of its row."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": say("burst"),
        "x": [iso(row["start"]) for row in bursts],
        "y": [0] * len(bursts),
        "customdata": [row["burst"] for row in bursts],
        "cliponaxis": False,
        "marker": {"symbol": "triangle-up", "size": 9, "color": "--ink"},
        "hoverinfo": "text",
        "hovertext": [
            say(
                "{size} burst, {number} bytes to {name}",
                size=row["size"],
                number=number(row["up_unique_bytes"]),
                name=label(row["names"][0], 48),
            )
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
        text = f"{text}. {label(label_text(row), 32)} ({told(row['state'])})"
    return {
        "type": "rect",
        "xref": "x",
        "yref": "paper",
        "x0": iso(row["start"]),
        "x1": iso(row["end"]),
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"width": 0},
        "fillcolor": f"--soft@{_SHADES[row['state']]}",
        "label": {
            "text": text,
            "textposition": "top left",
            "font": {"size": 11, "color": "--ink"},
        },
    }
