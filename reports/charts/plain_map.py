"""The world map as plain shapes: what a reader sees before the chart library is there, or without.

Drawn from the same figure as the chart, in the same projection and frame, so that the chart takes
its place without a jump.
"""

import html
import re
from math import sqrt
from typing import Any, Final

from phonehome.reports.charts.land_outlines import WIDTH, land, natural_earth
from phonehome.reports.charts.style import Figure

_ACROSS: Final = 1_240
"""Pixels of the whole world on a wide screen: there marks are as large as the chart's."""
_UNIT: Final = WIDTH / _ACROSS
_FONT: Final = 12.0
_SIGNS: Final = {"top": -1, "middle": 0, "bottom": 1, "left": -1, "center": 0, "right": 1}
_ANCHORS: Final = {"left": "end", "center": "middle", "right": "start"}
_COLOUR: Final = re.compile(r"--[a-z0-9-]+")


def sketch(world: Figure) -> dict[str, Any]:
    """The map of `worldmap.world` as shapes.

    `box`: left, top, width and height of what is shown; `font`: the size of names; `land`: a path;
    `marks`: per country its place `x`, `y`, radius, the path of a mark that is no circle, whether
    it is open, colour, and its name with where that stands.
    """
    south, north = world["layout"]["geo"]["lataxis"]["range"]
    height = natural_earth(0, south)[1] - natural_earth(0, north)[1]
    middle = natural_earth(0, (south + north) / 2)[1]  # of degrees: so plotly centres it
    return {
        "box": (0, round(middle - height / 2, 1), WIDTH, round(height, 1)),
        "font": round(_FONT * _UNIT, 1),
        "land": land(natural_earth, south),
        "marks": _marks(world["data"][0]),
    }


def _marks(bubbles: Figure) -> list[dict[str, Any]]:
    marker = bubbles["marker"]
    columns = zip(
        bubbles["lon"],
        bubbles["lat"],
        marker["size"],
        marker["symbol"],
        marker["color"],
        bubbles["text"],
        bubbles["textposition"],
        strict=True,
    )
    found = []
    for longitude, latitude, size, symbol, colour, text, position in columns:
        x, y = natural_earth(longitude, latitude)
        radius = max(sqrt(size / 2 / marker["sizeref"]), marker["sizemin"])
        found.append(
            {
                "x": round(x, 1),
                "y": round(y, 1),
                "r": round(radius * _UNIT, 1),
                "path": _shape(symbol, radius * _UNIT),
                "is_open": symbol.endswith("-open"),
                "colour": _COLOUR.sub(r"var(\g<0>)", colour),
                "text": html.unescape(text),
            }
            | _beside(position, radius)
        )
    return found


def _shape(symbol: str, radius: float) -> str | None:
    """A mark that is no circle, as a path around the middle: as plotly draws it."""
    if symbol == "diamond":
        out = round(radius * 1.3, 1)
        return f"M{out},0L0,{out}L-{out},0L0,-{out}Z"
    if symbol == "x":
        arm = round(radius / sqrt(2), 1)
        steps = ((1, 1), (1, -1), (-1, -1), (1, -1), (-1, -1), (-1, 1), (-1, -1), (-1, 1), (1, 1))
        lines = "".join(f"l{arm * x},{arm * y}" for x, y in (*steps, (-1, 1), (1, 1)))
        return f"M0,{arm}{lines}Z"
    return None


def _beside(position: str, radius: float) -> dict[str, Any]:
    """Where a text stands, from the middle of its mark: as plotly puts it."""
    vertical, horizontal = position.split()
    away, sign = radius / 0.8 + 1, _SIGNS[vertical]
    down = _FONT * 0.75 + sign * away + (sign - 1) * _FONT / 2
    return {
        "dx": round(_SIGNS[horizontal] * away * _UNIT, 1),
        "dy": round(down * _UNIT, 1),
        "anchor": _ANCHORS[horizontal],
    }
