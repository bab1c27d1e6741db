"""Borders of countries on the sphere: how far a country is from a point, or from another country.

Read from `data/borders.json.xz`, which `scripts/build_geo_borders.py` cuts from Natural Earth at
1:50,000,000. A country is its polygons, never its middle: its distance is that of its nearest
point, and 0 from within. Lines are taken straight on the map from point to point, as they were
drawn, and cut into short pieces, which on the sphere are as good as great circles. Nothing here is
special at the antimeridian or at the poles: lengths are of chords in space, and a point lies
within a country when its meridian crosses the border an odd number of times on the way to the
north pole, which is in no country.
"""

import json
import lzma
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from phonehome.geo.countries import DATA

EARTH_KM = 6371.0088  # mean radius, IUGG
LONGEST_PIECE = 0.5  # degrees; bends at most 0.06 km away from the line of the map
CHUNK = 16  # pieces of a border that are left out together where they are too far to matter
AT_ONCE = 32  # pairs of runs that are measured together
HALF_TURN = 180.0
_ROUNDING = 1e-7  # radians, 0.6 m: what a product of two near unit vectors may lose

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


class Border(NamedTuple):
    """The border of one country, in pieces from one point to the next.

    Attributes:
        begin: longitude and latitude where each piece begins, degrees; shape (pieces, 2).
        end: where it ends, the same number as where the next one begins; shape (pieces, 2).
        first: unit vectors of the beginnings; shape (pieces, 3).
        last: unit vectors of the ends; shape (pieces, 3).
        corners: points of the border, as whole steps of the grid.
    """

    begin: Floats
    end: Floats
    first: Floats
    last: Floats
    corners: frozenset[tuple[int, int]]


@cache
def borders() -> dict[str, Border]:
    """The border of each country that the map has a shape for, by alpha-2 code. Read once."""
    packed = (DATA / "borders.json.xz").read_bytes()
    drawn = json.loads(lzma.decompress(packed))
    lines = [_line(steps) for steps in drawn["lines"]]
    return {
        code: _border(polygons, lines, drawn["unit"])
        for code, polygons in drawn["countries"].items()
    }


def km_from_point(latitude: float, longitude: float, codes: Iterable[str]) -> dict[str, float]:
    """Kilometres from a point to the nearest point of each country; 0 within it.

    Args:
        latitude: degrees north, from -90 to 90.
        longitude: degrees east, from -180 to 180.
        codes: the countries to measure to; one that the map has no shape for is left out.
    """
    point = _vectors(np.array([[longitude, latitude]]))[0]
    return {
        code: 0.0
        if _is_within(border, latitude, longitude)
        else _km(float(_chords(point[None, :], border.first, border.last).min()))
        for code, border in _known(codes)
    }


def km_between(one: str, other: str) -> float:
    """Kilometres between the nearest points of two countries; 0 of neighbours.

    Takes some milliseconds: what a run asks for stands in a table, see `geo.country_distances`.
    """
    if not borders()[one].corners.isdisjoint(borders()[other].corners):
        return 0.0
    return _km(_nearest(_chunks(one), _chunks(other)))


def _known(codes: Iterable[str]) -> Iterator[tuple[str, Border]]:
    """The border of each country that has one."""
    return ((code, borders()[code]) for code in codes if code in borders())


def _line(steps: list[int]) -> npt.NDArray[np.int64]:
    """The points of a line from its first point and the steps between them; shape (points, 2)."""
    return np.cumsum(np.array(steps, np.int64).reshape(-1, 2), axis=0)


def _border(polygons: list[Any], lines: list[npt.NDArray[np.int64]], unit: int) -> Border:
    """The border of a country from the numbers of its lines; ~number is a line backwards."""
    parts = [
        lines[number] if number >= 0 else lines[~number][::-1]
        for polygon in polygons
        for ring in polygon
        for number in ring
    ]
    begin = np.concatenate([part[:-1] for part in parts]) / unit
    end = np.concatenate([part[1:] for part in parts]) / unit
    begin, end = _cut(begin, end)
    half = round(HALF_TURN) * unit
    corners = {
        ((x + half) % (2 * half), y)
        for part in parts
        for x, y in zip(*part.T.tolist(), strict=True)
    }
    return Border(begin, end, _vectors(begin), _vectors(end), frozenset(corners))


def _cut(begin: Floats, end: Floats) -> tuple[Floats, Floats]:
    """Beginnings and ends of pieces no longer than `LONGEST_PIECE`, in the same order."""
    step = np.stack([_short_way(end[:, 0] - begin[:, 0]), end[:, 1] - begin[:, 1]], axis=1)
    counts = np.maximum(np.ceil(np.abs(step).max(axis=1) / LONGEST_PIECE), 1).astype(np.int64)
    past = np.cumsum(counts)
    index = np.arange(past[-1]) - np.repeat(past - counts, counts)
    begins = (
        np.repeat(begin, counts, axis=0)
        + np.repeat(step / counts[:, None], counts, axis=0) * (index[:, None])
    )
    ends = np.roll(begins, -1, axis=0)
    ends[past - 1] = end
    return begins, ends


def _short_way(longitudes: Floats) -> Floats:
    """Differences of longitude the short way round, from -180 up to 180 degrees."""
    return (longitudes + HALF_TURN) % (2 * HALF_TURN) - HALF_TURN


def _vectors(degrees: Floats) -> Floats:
    """Unit vectors of longitudes and latitudes; shape (points, 3)."""
    longitude, latitude = np.radians(degrees).T
    around = np.cos(latitude)
    vectors: Floats = np.stack(
        [around * np.cos(longitude), around * np.sin(longitude), np.sin(latitude)], axis=1
    )
    return vectors


def _is_within(border: Border, latitude: float, longitude: float) -> bool:
    """Whether a point lies within a border: odd crossings on its meridian north of it."""
    begin = _short_way(border.begin[:, 0] - longitude)
    end = _short_way(border.end[:, 0] - longitude)
    crosses = ((begin < 0) != (end < 0)) & (np.abs(end - begin) < HALF_TURN)
    share = begin[crosses] / (begin[crosses] - end[crosses])
    south, north = border.begin[crosses, 1], border.end[crosses, 1]
    return bool(np.count_nonzero(south + share * (north - south) > latitude) % 2)


def _chords(points: Floats, first: Floats, last: Floats) -> Floats:
    """Chords from points to the nearest point of each piece; shape (…, points, pieces).

    A piece is short, so its chord in space stands for its arc: the nearest point of the chord is
    found and put back on the sphere.
    """
    along = last - first
    length = np.maximum((along**2).sum(axis=-1), np.finfo(np.float64).tiny)
    begun = (first * along).sum(axis=-1)
    covered = points @ np.swapaxes(along, -1, -2) - begun[..., None, :]
    share = np.clip(covered / length[..., None, :], 0.0, 1.0)
    nearest = first[..., None, :, :] + share[..., None] * along[..., None, :, :]
    nearest /= np.sqrt((nearest**2).sum(axis=-1, keepdims=True))
    chords: Floats = np.sqrt(((points[..., :, None, :] - nearest) ** 2).sum(axis=-1))
    return chords


def _km(chord: float) -> float:
    """Kilometres on the sphere of a chord of the unit sphere."""
    return float(2 * EARTH_KM * np.arcsin(min(chord / 2, 1.0)))


class _Chunks(NamedTuple):
    """Runs of a border: the first point of each, and the angle that reaches all of it.

    Attributes:
        first: where each piece of each run begins; short runs repeat their last piece; shape
            (runs, CHUNK, 3).
        last: where it ends; the same shape.
        middle: first point of each run; shape (runs, 3).
        radius: radians from it to the farthest point of the run; shape (runs,).
    """

    first: Floats
    last: Floats
    middle: Floats
    radius: Floats


@cache
def _chunks(code: str) -> _Chunks:
    """A border cut in runs of at most `CHUNK` pieces, and wherever it goes on elsewhere."""
    border = borders()[code]
    jumps = np.flatnonzero((border.end[:-1] != border.begin[1:]).any(axis=1)) + 1
    size = len(border.first)
    starts = np.union1d(jumps, np.arange(0, size, CHUNK))
    ends = np.append(starts[1:], size)
    pieces = np.minimum(starts[:, None] + np.arange(CHUNK), ends[:, None] - 1)
    first, last = border.first[pieces], border.last[pieces]
    middle = border.first[starts]
    far = [
        np.sqrt(((points - middle[:, None, :]) ** 2).sum(axis=-1)).max(axis=1)
        for points in (first, last)
    ]
    return _Chunks(first, last, middle, _angle(np.maximum(*far)))


def _angle(chord: Floats) -> Floats:
    """Angles of chords of the unit sphere, radians."""
    angles: Floats = 2 * np.arcsin(np.minimum(chord / 2, 1.0))
    return angles


def _nearest(here: _Chunks, there: _Chunks) -> float:
    """The shortest chord between two borders that do not cross.

    Pairs of runs are tried from the nearest on, `AT_ONCE` together, until the next can hold
    nothing nearer.
    """
    apart = _angle(np.sqrt(np.maximum(2 - 2 * here.middle @ there.middle.T, 0.0)))
    bounds = apart - here.radius[:, None] - there.radius[None, :] - _ROUNDING
    nearest = np.unravel_index([int(np.argmin(apart))], apart.shape)
    best = _between(here, nearest[0], there, nearest[1])
    own, other = np.nonzero(bounds < 2 * np.arcsin(best / 2))
    order = np.argsort(bounds[own, other], kind="stable")
    for at in range(0, len(order), AT_ONCE):
        some = order[at : at + AT_ONCE]
        if 2 * np.sin(max(bounds[own[some[0]], other[some[0]]], 0.0) / 2) > best:
            break
        best = min(best, _between(here, own[some], there, other[some]))
    return best


def _between(here: _Chunks, own: Numbers, there: _Chunks, other: Numbers) -> float:
    """The shortest chord between runs of two borders, in pairs: it ends in a point of either."""
    one = _chords(here.first[own], there.first[other], there.last[other]).min()
    two = _chords(there.first[other], here.first[own], here.last[own]).min()
    return float(min(one, two))
