"""The countries: codes, English names, and the point of the map where each is labelled.

Read from `data/countries.csv`, which `scripts/build_geo.py` writes from named packages.
"""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.geo.tables import Countries

DATA = Path(__file__).parent / "data"


class Country(NamedTuple):
    """One country; longitude and latitude in degrees."""

    code: str
    alpha_3: str
    name: str
    longitude: float
    latitude: float
    is_on_map: bool


@cache
def country_index() -> dict[str, Country]:
    """Each country by its ISO 3166-1 alpha-2 code, sorted by code. Read once."""
    with (DATA / "countries.csv").open(encoding="utf-8", newline="") as lines:
        return {
            row["code"]: Country(
                row["code"],
                row["alpha_3"],
                row["name"],
                float(row["longitude"]),
                float(row["latitude"]),
                row["is_on_map"] == "true",
            )
            for row in csv.DictReader(lines)
        }


@cache
def country_codes() -> frozenset[str]:
    """The alpha-2 codes that name a country."""
    return frozenset(country_index())


def countries() -> dy.DataFrame[Countries]:
    """Every country with its names and label point, sorted by code."""
    return Countries.validate(
        pl.DataFrame(
            list(country_index().values()), schema=Countries.create_empty().schema, orient="row"
        )
    )


def country_name(code: str) -> str:
    """The English short name of a country.

    Raises:
        KeyError: The code is none of `country_codes()`; every country in `Places` is.
    """
    return country_index()[code].name


def world_topology() -> str:
    """The world map at 1:110,000,000 as TopoJSON text, in the form that plotly's maps read.

    It belongs under `PlotlyGeoAssets.topojson.world_110m`: with that set before the first plot,
    plotly asks no server for a map.
    """
    return (DATA / "world_110m.json").read_text(encoding="utf-8")
