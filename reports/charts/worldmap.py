"""The world map as plotly reads it: a bubble per country, in its colour and the shape of its grade.

The shape says how far most bytes of the country can be believed to be there.
"""

from collections.abc import Sequence
from math import sqrt
from typing import Any, Final

import polars as pl

from phonehome.geo import Country, country_index
from phonehome.reports.charts.colours import GRADES, SYMBOLS, country_colours, grade_of
from phonehome.reports.charts.map_labels import Bubble, positions
from phonehome.reports.charts.style import CLEAR, LOOK, Figure, country_name, country_text
from phonehome.reports.words import wording
from phonehome.reports.words.escape import label
from phonehome.reports.words.translate import mark, number, say

_GEO: Final[Figure] = {
    "scope": "world",
    "resolution": 110,
    "projection": {"type": "natural earth"},
    "fitbounds": False,
    "lataxis": {"range": [-56, 82]},
    "bgcolor": CLEAR,
    "showland": True,
    "landcolor": "--land",
    "showlakes": False,
    "showcountries": True,
    "countrycolor": "--border-land",
    "countrywidth": 0.5,
    "coastlinecolor": "--border-land",
    "coastlinewidth": 0.6,
    "showframe": False,
}
_GRADE_NAMES: Final = {
    "consistent": mark("consistent with its round trip"),
    "unverifiable": mark("not checked"),
    "disputed": mark("databases differ"),
    "impossible": mark("impossible by its round trip"),
}
_WIDEST_BUBBLE: Final = 48
_SMALLEST_BUBBLE: Final = 9
_NAMED_BUBBLES: Final = 10
_NAMED_SHARE: Final = 0.005

Row = tuple[Country, dict[str, Any]]


def world(countries: pl.DataFrame, *, when_idle: str | None) -> Figure:
    """A bubble per country, its area the bytes uploaded; each knows its country's code.

    Args:
        countries: `sums.by_country`.
        when_idle: what the idle part is called; None: there is none.
    """
    index, colours = country_index(), country_colours(countries)
    rows = [(index[row["country"]], row) for row in countries.to_dicts() if row["country"] in index]
    largest = max((row["up"] for _, row in rows), default=1)
    return {
        "data": [
            _bubbles(rows, largest, colours, when_idle=when_idle),
            *(_legend(grade) for grade in GRADES if any(grade_of(row) == grade for _, row in rows)),
        ],
        "layout": LOOK
        | {
            "geo": _GEO,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 28},
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 0, "yanchor": "top", "font": {"size": 12}},
        },
    }


def _bubbles(
    rows: Sequence[Row], largest: int, colours: dict[str | None, str], *, when_idle: str | None
) -> Figure:
    whole = sum(row["up"] for _, row in rows)
    names = [
        f"{label(country_name(country.code) or country.code)} {wording.bytes_text(row['up'])}"
        if place < _NAMED_BUBBLES and row["up"] >= _NAMED_SHARE * whole
        else ""
        for place, (country, row) in enumerate(rows)
    ]
    radii = [
        max(_SMALLEST_BUBBLE, _WIDEST_BUBBLE * sqrt(row["up"] / largest)) / 2 for _, row in rows
    ]
    return {
        "type": "scattergeo",
        "ids": [country.code for country, _ in rows],
        "lon": [country.longitude for country, _ in rows],
        "lat": [country.latitude for country, _ in rows],
        "mode": "markers+text",
        "text": names,
        "textposition": positions(
            [
                Bubble(country.longitude, country.latitude, radius, name)
                for (country, _), radius, name in zip(rows, radii, names, strict=True)
            ]
        ),
        "textfont": {"size": 12, "color": "--ink", "shadow": HALO},
        "hoverinfo": "text",
        "hovertext": [_hover(row, when_idle=when_idle) for _, row in rows],
        "showlegend": False,
        "marker": {
            "color": [colours[country.code] for country, _ in rows],
            "symbol": [SYMBOLS[grade_of(row)] for _, row in rows],
            "size": [row["up"] for _, row in rows],
            "sizemode": "area",
            "sizeref": 2 * largest / _WIDEST_BUBBLE**2,
            "sizemin": _SMALLEST_BUBBLE / 2,
            "opacity": 0.9,
            "line": {
                "color": "--card",
                "width": [3 if grade_of(row) == "unverifiable" else 1 for _, row in rows],
            },
        },
    }


HALO: Final = ", ".join(["0 0 3px --card"] * 4)
"""A shadow that keeps a text readable on what it stands on."""


def _legend(grade: str) -> Figure:
    """A mark of the legend, which stands for no place."""
    return {
        "type": "scattergeo",
        "lon": [None],
        "lat": [None],
        "mode": "markers",
        "name": say(_GRADE_NAMES[grade]),
        "hoverinfo": "skip",
        "marker": {
            "symbol": SYMBOLS[grade],
            "size": 10,
            "color": "--soft",
            "line": {"width": 2 if grade == "unverifiable" else 0},
        },
    }


def _hover(row: dict[str, Any], *, when_idle: str | None) -> str:
    lines = [
        f"<b>{label(country_text(row['country']))}</b>",
        say("{number} bytes uploaded", number=number(row["up"])),
    ]
    if when_idle is not None:
        lines.append(say("{number} of them {when}", number=number(row["idle"]), when=when_idle))
    if row["disputed"]:
        others = ", ".join(label(country_text(code)) for code in row["others"])
        lines.append(
            say(
                "databases differ on {number} bytes: also {others}",
                number=number(row["disputed"]),
                others=others,
            )
        )
    lines += [
        say("{grade}: {number} bytes", grade=say(_GRADE_NAMES[grade]), number=number(row[grade]))
        for grade in ("consistent", "unverifiable", "impossible")
        if row[grade]
    ]
    return "<br>".join(lines)
