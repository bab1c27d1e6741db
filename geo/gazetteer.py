"""Where a person says that the phone was: a country, a city of the gazetteer, or a point.

Cities are read from `data/cities.csv`, which `scripts/build_geo_borders.py` writes: those of
100,000 people or more, and the largest of every country. A word that names several places is
refused with all of them, never guessed: a verdict hangs on it.
"""

import csv
import re
import unicodedata
from functools import cache
from typing import NamedTuple

from phonehome.geo.borders import borders
from phonehome.geo.countries import DATA, country_index
from phonehome.geo.errors import LocationError, excerpt

MOST_NAMED = 8
_POINT = re.compile(r"\s*([+-]?\d{1,3}(?:\.\d{1,12})?)\s*,\s*([+-]?\d{1,3}(?:\.\d{1,12})?)\s*")
_NORTHERNMOST, _EASTERNMOST = 90.0, 180.0


class Location(NamedTuple):
    """Where the phone was: a country as a whole, or a point.

    Attributes:
        label: what it is called in reasons.
        country: alpha-2 code; None where only a point is known.
        latitude: degrees north; None: anywhere in the country.
        longitude: degrees east; None: the same.
    """

    label: str
    country: str | None
    latitude: float | None = None
    longitude: float | None = None


class City(NamedTuple):
    """One place of the gazetteer; latitude and longitude in degrees."""

    name: str
    country: str
    latitude: float
    longitude: float


def locate(text: str) -> Location:
    """The place that a text names: `CA`, `Canada`, `Toronto`, `Toronto, CA`, or `43.65,-79.38`.

    Case and accents do not matter. Two letters are a country.

    Raises:
        LocationError: It names nothing known, several places, or a point that is none; the
            message names what was expected and what there is.
    """
    point = _POINT.fullmatch(text)
    if point:
        return _point(text, float(point[1]), float(point[2]))
    country = _country(text)
    if country:
        return Location(country_index()[country].name, country)
    name, comma, where = text.rpartition(",")
    within = _country(where) if comma else None
    if comma and within is None:
        raise _refused(text, f"no country '{excerpt(where.strip())}'")
    found = [
        city
        for city in _cities().get(_folded(name if comma else text), ())
        if within in {None, city.country}
    ]
    return _city(text, found)


def _point(text: str, latitude: float, longitude: float) -> Location:
    """A point, once it is one."""
    if abs(latitude) > _NORTHERNMOST or abs(longitude) > _EASTERNMOST:
        raise _refused(text, "degrees beyond 90 north or south, or 180 east or west")
    return Location(f"{latitude:g},{longitude:g}", None, latitude, longitude)


def _country(text: str) -> str | None:
    """The code of a country from its code or its English name, if the map has a shape for it.

    Raises:
        LocationError: It is a country without a shape: only a point within it can be measured.
    """
    code = _country_words().get(_folded(text))
    if code is not None and code not in borders():
        raise _refused(text, "a country that the map has no border for: name LATITUDE,LONGITUDE")
    return code


def _city(text: str, found: list[City]) -> Location:
    """The one city that was meant."""
    if not found:
        raise _refused(text, "no such city of the gazetteer")
    if len(found) > 1:
        choices = [
            f"{city.name}, {city.country} ({city.latitude:g},{city.longitude:g})" for city in found
        ]
        raise _refused(text, f"{len(found)} of them: {'; '.join(choices[:MOST_NAMED])}")
    city = found[0]
    return Location(f"{city.name}, {city.country}", city.country, city.latitude, city.longitude)


def _refused(text: str, got: str) -> LocationError:
    return LocationError(
        f"phone location: '{excerpt(text)}': expected one country (CA), city (Toronto, CA) or "
        f"LATITUDE,LONGITUDE (43.65,-79.38), got {got}"
    )


def _folded(text: str) -> str:
    """A name without case, accents, and outer blanks."""
    apart = unicodedata.normalize("NFKD", text.strip())
    return "".join(char for char in apart if not unicodedata.combining(char)).casefold()


@cache
def _country_words() -> dict[str, str]:
    """Alpha-2 code by folded alpha-2 code, alpha-3 code and English name."""
    every = country_index().values()
    names = {_folded(each.name): each.code for each in every}
    names |= {_folded(each.alpha_3): each.code for each in every}
    return names | {_folded(each.code): each.code for each in every}


@cache
def _cities() -> dict[str, list[City]]:
    """The cities of each folded name, largest first. Read once."""
    cities: dict[str, list[City]] = {}
    with (DATA / "cities.csv").open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            city = City(
                row["name"], row["country"], float(row["latitude"]), float(row["longitude"])
            )
            cities.setdefault(_folded(city.name), []).append(city)
    return cities
