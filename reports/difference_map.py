"""A map of what differs: a mark per country, its size the larger rate, its colour the change.

Drawn as plain shapes, so that the page needs no chart library.
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate
from typing import Any, Final

import polars as pl

from analyzer.tables import ALL_STATES, SIDES
from geo.countries import Country, country_index, world_topology

WIDTH: Final = 960.0
NORTH: Final = 84.0
SOUTH: Final = -58.0
HEIGHT: Final = WIDTH * (NORTH - SOUTH) / 360
LARGEST: Final = 26.0
SMALLEST: Final = 5.0
DRAWN: Final = ("same", "not comparable", "less", "more", "gone", "new")
"""Changes in the order in which they are drawn: what is new lies on top."""


def place(longitude: float, latitude: float) -> tuple[float, float]:
    """Where a point of the earth stands on the map (plate carrée, without the poles)."""
    return (
        round((longitude + 180) / 360 * WIDTH, 1),
        round((NORTH - latitude) / 360 * WIDTH, 1),
    )


@cache
def land() -> str:
    """The outlines of land as one path of SVG."""
    topology = json.loads(world_topology())
    arcs = [_points(arc, topology["transform"]) for arc in topology["arcs"]]
    rings = (
        ring
        for shape in topology["objects"]["land"]["geometries"]
        for ring in _rings(shape["type"], shape["arcs"])
    )
    return "".join(_path(ring, arcs) for ring in rings)


def _points(arc: Sequence[Sequence[int]], transform: dict[str, Any]) -> list[tuple[float, float]]:
    """Longitudes and latitudes of an arc, which holds differences of whole numbers."""
    across = accumulate(point[0] for point in arc)
    up = accumulate(point[1] for point in arc)
    scale, first = transform["scale"], transform["translate"]
    return [
        (x * scale[0] + first[0], y * scale[1] + first[1]) for x, y in zip(across, up, strict=True)
    ]


def _rings(kind: str, arcs: list[Any]) -> Iterator[list[int]]:
    yield from arcs if kind == "Polygon" else (ring for part in arcs for ring in part)


def _path(ring: list[int], arcs: list[list[tuple[float, float]]]) -> str:
    """One ring, in two parts where it crosses the edge of the map.

    An arc that is negative is the complement of one that runs backwards.
    """
    points = [
        point for at in ring for point in (arcs[at] if at >= 0 else list(reversed(arcs[~at])))
    ]
    pairs = list(dict.fromkeys(place(*point) for point in points))
    steps = zip(pairs, [pairs[0], *pairs], strict=False)
    texts = (
        f"{'M' if abs(x - before) > WIDTH / 2 else ' '}{x:g},{y:g}" for (x, y), (before, _) in steps
    )
    return "M" + "".join(texts).strip() + "Z"


def marks(changes: pl.DataFrame) -> list[dict[str, Any]]:
    """A mark per country over all states: the row, with `x`, `y` and `r`.

    Countries that no map shows, and places that no database knows, are left out.
    """
    index = country_index()
    rows = changes.filter(pl.col("dimension") == "country", pl.col("state") == ALL_STATES)
    known = [(index[row["key"]], row) for row in rows.to_dicts() if row["key"] in index]
    highest = max((_rate(row) for _, row in known), default=0.0)
    found = [_mark(country, row, highest) for country, row in known]
    return sorted(found, key=lambda row: (DRAWN.index(row["change"]), -row["r"], row["key"]))


def _rate(row: dict[str, Any]) -> float:
    return max(row[f"{side}_up_unique_bytes_per_hour"] or 0.0 for side in SIDES)


def _mark(country: Country, row: dict[str, Any], highest: float) -> dict[str, Any]:
    x, y = place(country.longitude, country.latitude)
    size = LARGEST * (_rate(row) / highest) ** 0.5 if highest else 0.0
    return row | {"x": x, "y": y, "r": round(max(SMALLEST, size), 1)}
