"""How far any two countries are apart: a table, as borders do not move from run to run.

Read from `data/apart.json.xz`, which `scripts/build_geo_apart.py` makes of `borders.km_between`:
measuring a country against all others takes longer than all look-ups of a large capture.
"""

import json
import lzma
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from phonehome.geo.countries import DATA


class Apart(NamedTuple):
    """Distances between countries.

    Attributes:
        codes: of the countries, in order: place by code.
        km: of each country, in this order, to each one before it; whole kilometres, rounded down,
            so that none is more than the distance.
        borders_sha256: of the file of borders that they were measured on.
    """

    codes: dict[str, int]
    km: tuple[tuple[int, ...], ...]
    borders_sha256: str


@cache
def apart() -> Apart:
    """The table. Read once."""
    stored = json.loads(lzma.decompress((DATA / "apart.json.xz").read_bytes()))
    return Apart(
        codes={code: place for place, code in enumerate(stored["codes"])},
        km=tuple(map(tuple, stored["km"])),
        borders_sha256=stored["borders_sha256"],
    )


def km_from_country(here: str, codes: Iterable[str]) -> dict[str, float]:
    """Kilometres from the nearest point of a country to the nearest of each; 0 to its neighbours.

    Args:
        here: the country to measure from.
        codes: the countries to measure to; one that the map has no shape for is left out.

    Raises:
        KeyError: The map has no shape for the country to measure from.
    """
    table = apart()
    own = table.codes[here]
    return {
        code: float(table.km[max(own, place)][min(own, place)]) if place != own else 0.0
        for code in codes
        if (place := table.codes.get(code)) is not None
    }
