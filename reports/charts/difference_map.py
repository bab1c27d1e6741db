"""A map of what differs: a mark per country, its size the larger rate, its colour the change.

Drawn as plain shapes, so that the page needs no chart library.
"""

from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import ALL_STATES, SIDES
from phonehome.geo import Country, country_index
from phonehome.reports.charts import land_outlines
from phonehome.reports.charts.land_outlines import plate_carree

WIDTH: Final = land_outlines.WIDTH
NORTH: Final = 84.0
SOUTH: Final = -58.0
TOP: Final = plate_carree(0, NORTH)[1]
HEIGHT: Final = plate_carree(0, SOUTH)[1] - TOP
LARGEST: Final = 26.0
SMALLEST: Final = 5.0
DRAWN: Final = ("same", "not comparable", "less", "more", "gone", "new")
"""Changes in the order in which they are drawn: what is new lies on top."""


def place(longitude: float, latitude: float) -> tuple[float, float]:
    """Where a point of the earth stands on the map (plate carrée, without the poles)."""
    x, y = plate_carree(longitude, latitude)
    return round(x, 1), round(y - TOP, 1)


def land() -> str:
    """The outlines of land as one path of SVG."""
    return land_outlines.land(place)


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
