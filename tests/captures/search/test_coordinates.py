"""Places in text: numbers near latitude and longitude, geohashes."""

import pytest

from phonehome.captures.search.coordinates import geohash, is_near_number
from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.layers import Looker
from tests.captures.search.known import PLACE

LOOKER = Looker([Identifier(label="home", kind="coordinates", value=PLACE, tolerance=0.005)])


@pytest.mark.parametrize(
    "octets",
    [
        b"lat=43.651070&lon=-79.347015",
        b"43.6558,-79.3430",
        b"[-79.347,43.651]",
        b'{"latitude":43650000,"longitude":-79347000}',
        b"g=dpz866;",
    ],
)
def test_a_place_is_found(octets):
    assert [one.identifier for one in LOOKER.look(octets)] == [0]


@pytest.mark.parametrize(
    "octets",
    [
        b"lat=43.651070",  # no longitude
        b"lat=43.657070&lon=-79.347015",  # too far
        b"lat=-43.651070&lon=-79.347015",  # the other hemisphere
        b"lat=43.651070&lon=79.347015",
        b"v=43.6&w=-79.3",  # any number has one decimal
        b"143.651070,-79.347015",
        b"adpz866",  # inside a word
    ],
)
def test_what_is_not_the_place_is_not_found(octets):
    assert LOOKER.look(octets) == []


def test_geohashes_are_those_of_their_inventor():
    assert geohash(57.64911, 10.40744, 11) == b"u4pruydqqvj"
    assert geohash(-25.382708, -49.265506, 8) == b"6gkzwgjz"


def test_a_whole_number_of_degrees_is_no_place():
    assert not is_near_number(52, 52.0, 0.1)
    assert is_near_number(52.001, 52.0, 0.1)
    assert is_near_number(52_000_100, 52.0, 0.1)
