"""How far a signal gets in a second, and how far each country is from the phone at least."""

from collections.abc import Iterable

from phonehome.geo.borders import km_from_point
from phonehome.geo.country_distances import km_from_country
from phonehome.geo.gazetteer import Location

KM_A_SECOND = 200_000.0
"""Light in fibre: two thirds of its speed in vacuum, c / 1.5. No cable is as straight as a great
circle, so real distances are shorter still."""

GRANTED_KM = 50.0
"""Taken off every distance: for borders drawn at 1:50,000,000, for small islands that the map
leaves out near a coast, and for a city that is more than one point."""


def least_km(location: Location, codes: Iterable[str]) -> dict[str, float]:
    """The least distance from the phone to each country, in kilometres, less `GRANTED_KM`.

    From a country as a whole it is that of the nearest points of both borders. A country that the
    map has no shape for is left out.
    """
    if location.latitude is not None and location.longitude is not None:
        exact = km_from_point(location.latitude, location.longitude, codes)
    elif location.country is not None:
        exact = km_from_country(location.country, codes)
    else:
        exact = {}
    return {code: max(km - GRANTED_KM, 0.0) for code, km in exact.items()}
