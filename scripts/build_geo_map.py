"""The table of countries and the world map of `geo`, from named packages."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

from build_geo_packages import DATA, Package, described

MAP_LAYERS = ("coastlines", "land", "ocean", "lakes", "countries")
BY_HAND = {
    # No package used here has a point for these two; both are rounded to whole places that lie
    # inside the territory: Bouvet Island (nobody lives there), Kosovo (no ISO 3166-1 code).
    "BV": (3.36, -54.42),
    "XK": (20.9, 42.6),
}


def build_map(package: Package) -> dict[str, Any]:
    """The world map without the layers that are not drawn, and without their lines."""
    source = package.folder / "dist" / "world_110m.json"
    topology = json.loads(source.read_text(encoding="utf-8"))
    used: dict[int, int] = {}  # line in the package: line here; ~line is the line backwards

    def renumbered(arcs: Any) -> Any:  # noqa: ANN401  nested lists of any depth
        if isinstance(arcs, list):
            return [renumbered(each) for each in arcs]
        forward = used.setdefault(arcs if arcs >= 0 else ~arcs, len(used))
        return forward if arcs >= 0 else ~forward

    objects = {name: topology["objects"][name] for name in MAP_LAYERS}
    for layer in objects.values():
        for geometry in layer["geometries"]:
            geometry["arcs"] = renumbered(geometry["arcs"])
    slim = {**topology, "objects": objects, "arcs": [topology["arcs"][old] for old in used]}
    text = json.dumps(slim, separators=(",", ":"), ensure_ascii=True)
    (DATA / "world_110m.json").write_text(text + "\n", encoding="utf-8", newline="\n")
    return described(
        package,
        source,
        name="world map",
        file="world_110m.json",
        data_date=None,
        licence=("MIT", "https://opensource.org/license/mit"),
        attribution=("Made with Natural Earth", "https://www.naturalearthdata.com/"),
        note="Borders are drawn as Natural Earth draws them, de facto; they state no claim.",
        built=f"layers kept: {', '.join(MAP_LAYERS)}",
    )


def build_countries(iso: Package, shapes: Package, zones: Package) -> list[dict[str, Any]]:
    """Codes and names of one package, label points of two others."""
    source = iso.folder / "pycountry" / "databases" / "iso3166-1.json"
    rows = json.loads(source.read_text(encoding="utf-8"))["3166-1"]
    names = {
        each["alpha_2"]: (each["alpha_3"], each.get("common_name", each["name"])) for each in rows
    } | {"XK": ("XKX", "Kosovo")}
    points = {
        each["id"]: tuple(each["properties"]["ct"])
        for each in features(shapes.folder / "dist" / "world_50m.json")
    }
    drawn = {each["id"] for each in features(shapes.folder / "dist" / "world_110m.json")}
    towns = zone_points(zones.folder / "tzdata" / "zoneinfo" / "zone.tab")
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["code", "alpha_3", "name", "longitude", "latitude", "is_on_map"])
    for code, (alpha_3, name) in sorted(names.items()):
        longitude, latitude = points.get(alpha_3) or BY_HAND.get(code) or towns[code]
        is_on_map = str(alpha_3 in drawn).lower()
        writer.writerow([code, alpha_3, name, longitude, latitude, is_on_map])
    (DATA / "countries.csv").write_text(out.getvalue(), encoding="utf-8", newline="\n")
    return country_sources(iso, source, shapes, zones)


def features(path: Path) -> list[dict[str, Any]]:
    """The countries of a map that have a code."""
    layer = json.loads(path.read_text(encoding="utf-8"))["objects"]["countries"]
    return [each for each in layer["geometries"] if each.get("id")]


def zone_points(path: Path) -> dict[str, tuple[float, float]]:
    """Longitude and latitude of the first town that tzdata names in each country."""
    points: dict[str, tuple[float, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            code, place = line.split("\t")[:2]
            latitude, longitude = re.findall(r"[+-]\d+", place)
            points.setdefault(code, (degrees(longitude, 3), degrees(latitude, 2)))
    return points


def degrees(text: str, width: int) -> float:
    """Degrees of a signed text of degrees, minutes and perhaps seconds (ISO 6709)."""
    whole, minutes, seconds = text[1 : 1 + width], text[1 + width : 3 + width], text[3 + width :]
    size = int(whole) + int(minutes) / 60 + int(seconds or 0) / 3600
    return round(-size if text[0] == "-" else size, 2)


def country_sources(
    iso: Package, source: Path, shapes: Package, zones: Package
) -> list[dict[str, Any]]:
    """What `sources.json` keeps of the table of countries: one record a source."""
    return [
        described(
            package,
            path,
            name=name,
            file="countries.csv",
            data_date=None,
            licence=licence,
            attribution=attribution,
            note=None,
            built=built,
        )
        for name, package, path, licence, attribution, built in (
            (
                "country codes and names",
                iso,
                source,
                ("LGPL-2.1", "https://www.gnu.org/licenses/old-licenses/lgpl-2.1.html"),
                (
                    "ISO 3166-1 as in Debian iso-codes, by way of pycountry",
                    "https://salsa.debian.org/iso-codes-team/iso-codes",
                ),
                "alpha-2, alpha-3, common or short name; Kosovo added as XK, XKX",
            ),
            (
                "country label points",
                shapes,
                shapes.folder / "dist" / "world_50m.json",
                ("MIT", "https://opensource.org/license/mit"),
                ("Made with Natural Earth", "https://www.naturalearthdata.com/"),
                "property ct of each country",
            ),
            (
                "label points of small territories",
                zones,
                zones.folder / "tzdata" / "zoneinfo" / "zone.tab",
                ("public domain", "https://www.iana.org/time-zones"),
                ("IANA time zone database", "https://www.iana.org/time-zones"),
                "first town of territories without a shape in the map; Bouvet and Kosovo by hand",
            ),
        )
    ]
