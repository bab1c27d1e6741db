"""Outlines of land for maps that are drawn as plain shapes, without a chart library."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import accumulate
from math import pi, radians
from typing import Any, Final

from phonehome.geo import world_topology

Projection = Callable[[float, float], tuple[float, float]]
"""From longitude and latitude, in degrees, to the right and downwards on a map `WIDTH` wide."""

WIDTH: Final = 960.0
_HALF: Final = 0.8707 * pi
"""Half the width of a whole world in natural earth."""


def plate_carree(longitude: float, latitude: float) -> tuple[float, float]:
    """Degrees as they are, north 90 at the top."""
    return (longitude + 180) / 360 * WIDTH, (90 - latitude) / 360 * WIDTH


def natural_earth(longitude: float, latitude: float) -> tuple[float, float]:
    """Patterson's projection as a polynomial, the equator at 0.

    Šavrič, Jenny, Patterson, Petrovič, Hurni: A Polynomial Equation for the Natural Earth
    Projection. Cartography and Geographic Information Science 38 (2011).
    """
    across, up = radians(longitude), radians(latitude)
    square = up * up
    fourth = square * square
    x = across * (
        0.8707
        - 0.131979 * square
        + fourth * (-0.013791 + fourth * (0.003971 * square - 0.001529 * fourth))
    )
    y = up * (
        1.007226
        + square * (0.015085 + fourth * (-0.044475 + 0.028874 * square - 0.005916 * fourth))
    )
    scale = WIDTH / (2 * _HALF)
    return (x + _HALF) * scale, -y * scale


@cache
def land(projection: Projection, south: float = -90) -> str:
    """The outlines of land as one path of SVG, without what lies south of a latitude."""
    topology = json.loads(world_topology())
    arcs = [_points(arc, topology["transform"]) for arc in topology["arcs"]]
    rings = (
        ring
        for shape in topology["objects"]["land"]["geometries"]
        for ring in _rings(shape["type"], shape["arcs"])
    )
    outlines = (_outline(ring, arcs) for ring in rings)
    return "".join(
        _path(points, projection)
        for points in outlines
        if any(latitude >= south for _, latitude in points)
    )


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


def _outline(ring: list[int], arcs: list[list[tuple[float, float]]]) -> list[tuple[float, float]]:
    """The points of a ring; an arc that is negative is the complement of one turned round."""
    return [point for at in ring for point in (arcs[at] if at >= 0 else reversed(arcs[~at]))]


def _path(points: list[tuple[float, float]], projection: Projection) -> str:
    """One ring, in two parts where it crosses the edge of the map."""
    placed = (projection(*point) for point in points)
    pairs = list(dict.fromkeys((round(x, 1), round(y, 1)) for x, y in placed))
    steps = zip(pairs, [pairs[0], *pairs], strict=False)
    texts = (
        f"{'M' if abs(x - before) > WIDTH / 2 else ' '}{x:g},{y:g}" for (x, y), (before, _) in steps
    )
    return "M" + "".join(texts).strip() + "Z"
