"""Map and Sankey as plotly reads them: plain objects, colours named by CSS variables.

A string that begins with `--` stands for that variable of the page's style; the page's script
puts the colour in when it draws, and again when the colour scheme changes. Every text that a
capture or a database wrote goes through `text.label`.
"""

from typing import Any, Final

import polars as pl

from geo.countries import Country, country_index
from reports import wording
from reports.text import label

Figure = dict[str, Any]

_CLEAR: Final = "rgba(0,0,0,0)"
LOOK: Final[Figure] = {
    "paper_bgcolor": _CLEAR,
    "plot_bgcolor": _CLEAR,
    "font": {"family": "system-ui, sans-serif", "size": 13, "color": "--ink"},
    "hoverlabel": {
        "bgcolor": "--card",
        "bordercolor": "--line-strong",
        "font": {"color": "--ink"},
    },
    "dragmode": False,
}
_GEO: Final[Figure] = {
    "scope": "world",
    "resolution": 110,
    "projection": {"type": "natural earth"},
    "fitbounds": False,
    "lataxis": {"range": [-58, 84]},
    "bgcolor": _CLEAR,
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
_DIAMOND: Final[Figure] = {"color": "--warn", "symbol": "diamond", "opacity": 1}
_CROSS: Final[Figure] = {"color": "--bad", "symbol": "x", "opacity": 1}
_HALO: Final = ", ".join(["0 0 3px --card"] * 4)
_WIDEST_BUBBLE: Final = 52
_SMALLEST_BUBBLE: Final = 6
_NAMED_BUBBLES: Final = 8
_NAMED_SHARE: Final = 0.01


def country_text(code: str | None) -> str:
    """The name of a country with its code; the code alone where it names none."""
    if code is None:
        return wording.NO_COUNTRY
    country = country_index().get(code)
    return code if country is None else f"{country.name} ({code})"


def world(countries: pl.DataFrame, *, when_idle: str | None) -> Figure:
    """A bubble per country, its area the bytes uploaded.

    On it, with areas of their own: as a diamond the part on whose country databases differ, as a
    cross the part that a round trip excludes from the country.
    """
    index = country_index()
    rows = [(index[row["country"]], row) for row in countries.to_dicts() if row["country"] in index]
    whole = sum(row["up"] for _, row in rows)
    names = [
        f"{label(country.name)} {wording.bytes_text(row['up'])}"
        if place < _NAMED_BUBBLES and row["up"] >= _NAMED_SHARE * whole
        else ""
        for place, (country, row) in enumerate(rows)
    ]
    hovers = [_bubble_hover(row, when_idle=when_idle) for _, row in rows]
    largest = max((row["up"] for _, row in rows), default=1)
    differing = [place for place in rows if place[1]["disputed"]]
    sent = _bubbles(rows, "up", largest, {"color": "--accent", "opacity": 0.75})
    sent |= {
        "name": "uploaded",
        "mode": "markers+text",
        "text": names,
        "textposition": "top center",
        "textfont": {"size": 12, "color": "--ink"},
        "hoverinfo": "text",
        "hovertext": hovers,
    }
    disputed = _bubbles(differing, "disputed", largest, _DIAMOND)
    disputed |= {"name": "of this, databases differ on the country", "hoverinfo": "skip"}
    excluded = [place for place in rows if place[1]["impossible"]]
    impossible = _bubbles(excluded, "impossible", largest, _CROSS)
    impossible |= {"name": "of this, impossible by its round trip", "hoverinfo": "skip"}
    marks = [disputed] * bool(differing) + [impossible] * bool(excluded)
    return {
        "data": [sent, *marks],
        "layout": LOOK
        | {
            "geo": _GEO,
            "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
            "showlegend": True,
            "legend": {"orientation": "h", "x": 0, "y": 0, "itemsizing": "constant"},
        },
    }


def _bubbles(
    rows: list[tuple[Country, dict[str, Any]]], size: str, largest: int, marker: Figure
) -> Figure:
    return {
        "type": "scattergeo",
        "lon": [country.longitude for country, _ in rows],
        "lat": [country.latitude for country, _ in rows],
        "marker": {
            "size": [row[size] for _, row in rows],
            "sizemode": "area",
            "sizeref": 2 * largest / _WIDEST_BUBBLE**2,
            "sizemin": _SMALLEST_BUBBLE,
            "line": {"color": "--card", "width": 1},
        }
        | marker,
    }


def _bubble_hover(row: dict[str, Any], *, when_idle: str | None) -> str:
    lines = [f"<b>{label(country_text(row['country']))}</b>", f"{row['up']:,} bytes uploaded"]
    if when_idle is not None:
        lines.append(f"{row['idle']:,} of them {when_idle}")
    if row["disputed"]:
        others = ", ".join(label(country_text(code)) for code in row["others"])
        lines.append(f"databases differ on {row['disputed']:,} bytes: also {others}")
    if row["impossible"]:
        lines.append(f"impossible by its round trip: {row['impossible']:,} bytes")
    return "<br>".join(lines)


class _Nodes:
    """The nodes of a Sankey chart, numbered as they come."""

    def __init__(self) -> None:
        self.labels: list[str] = []
        self.colours: list[str] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, column: str, text: str, colour: str) -> int:
        """The number of the node of that column and text; a new one where there is none."""
        key = (column, text)
        if key not in self._numbers:
            self._numbers[key] = len(self.labels)
            self.labels.append(label(text))
            self.colours.append(colour)
        return self._numbers[key]


def sankey(streams: list[dict[str, str | int]]) -> Figure:
    """From app over organisation to country; the width of a band is the bytes uploaded.

    Args:
        streams: texts of `app`, `organisation` and `country`, with the bytes in `up`.
    """
    nodes = _Nodes()
    bands: dict[tuple[int, int], int] = {}
    for row in streams:
        app = nodes.number("app", str(row["app"]), "--node-app")
        holder = nodes.number("organisation", str(row["organisation"]), "--node-org")
        country = nodes.number("country", str(row["country"]), "--accent")
        for ends in ((app, holder), (holder, country)):
            bands[ends] = bands.get(ends, 0) + int(row["up"])
    tallest = max(
        len({row[column] for row in streams}) for column in ("app", "organisation", "country")
    )
    return {
        "data": [
            {
                "type": "sankey",
                "valueformat": ",d",
                "valuesuffix": " bytes",
                "textfont": {"color": "--ink", "size": 12, "shadow": _HALO},
                "node": {
                    "label": nodes.labels,
                    "color": nodes.colours,
                    "pad": 16,
                    "thickness": 14,
                    "line": {"width": 0},
                },
                "link": {
                    "source": [source for source, _ in bands],
                    "target": [target for _, target in bands],
                    "value": list(bands.values()),
                    "color": ["--band"] * len(bands),
                    "hovercolor": ["--band-strong"] * len(bands),
                },
            }
        ],
        "layout": LOOK
        | {"margin": {"l": 4, "r": 4, "t": 12, "b": 12}, "height": 220 + 28 * tallest},
    }
