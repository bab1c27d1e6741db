import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.geo import borders as module
from phonehome.geo.borders import borders, km_between, km_from_point
from phonehome.geo.countries import country_index


def great_circle(one, other):
    """Kilometres between two points of latitude and longitude, by the haversine formula."""
    (south, west), (north, east) = (tuple(map(math.radians, point)) for point in (one, other))
    half = (
        math.sin((north - south) / 2) ** 2
        + math.cos(south) * math.cos(north) * math.sin((east - west) / 2) ** 2
    )
    return 2 * 6371.0088 * math.asin(min(1, math.sqrt(half)))


def nearest_corner(point, code):
    """Kilometres from a point to the nearest drawn corner of a country."""
    return min(great_circle(point, (y, x)) for x, y in borders()[code].begin.tolist())


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ((43.65, -79.38), "CA"),  # Toronto
        ((45, -100), "US"),
        ((1.35, 103.82), "SG"),
        ((22.4, 114.1), "HK"),
        ((46.9, 7.4), "CH"),
        ((4.0, -53.0), "GF"),
        ((4.0, -53.0), "FR"),  # the map draws it as a part of France, which keeps it
        ((79.0, 16.0), "SJ"),
        ((42.6, 20.9), "XK"),
        ((-29.6, 28.3), "LS"),
        ((66.5, 180), "RU"),  # Chukotka lies across the antimeridian
        ((66.5, -180), "RU"),
        ((66.5, -175), "RU"),
        ((66.5, 175), "RU"),
        ((-90, 0), "AQ"),
        ((-90, 123), "AQ"),
        ((-85, 180), "AQ"),
    ],
)
def test_from_within_a_country_it_is_no_distance_to_it(point, code):
    assert km_from_point(*point, [code]) == {code: 0}


@pytest.mark.parametrize(
    ("point", "code"),
    [
        ((-29.6, 28.3), "ZA"),  # Lesotho is a hole in South Africa
        ((41.9, 12.453), "FR"),
        ((-17, 180), "RU"),  # the meridian of Chukotka's edge, far south of it
        ((-17, -180), "RU"),
        ((90, 0), "RU"),
        ((90, 0), "CA"),
        ((0, 0), "GH"),
    ],
)
def test_from_outside_a_country_it_is_far_from_it(point, code):
    assert km_from_point(*point, [code])[code] > 1


@pytest.mark.parametrize(
    ("point", "code", "km", "within"),
    [
        ((43.65, -79.38), "US", 50, 30),  # across Lake Ontario, where the map draws the border
        ((51.12, 1.32), "FR", 34, 5),  # Dover to Cap Gris-Nez
        ((43.65, -79.38), "SG", 14_990, 30),
        ((65.6, -168.08), "RU", 85, 10),  # Cape Prince of Wales to Cape Dezhnev
        ((90, 0), "GL", 710, 10),  # from the pole to Kaffeklubben
        ((-33.87, 151.21), "NZ", 1_850, 30),  # Sydney to Fiordland
        ((0, 0), "GH", 576, 5),  # Cape Three Points lies at 4.74 north, 2.09 west
    ],
)
def test_distances_are_those_of_an_atlas(point, code, km, within):
    assert km_from_point(*point, [code])[code] == pytest.approx(km, abs=within)


POINTS = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
SMALL = sorted(
    code for code in country_index() if code in borders() and len(borders()[code].begin) < 300
)


@settings(deadline=None, max_examples=60)
@given(POINTS, st.sampled_from(SMALL))
def test_no_distance_is_longer_than_to_the_nearest_corner_nor_much_shorter(point, code):
    """Pieces are at most half a degree long, so a corner is at most that far from any point."""
    found = km_from_point(*point, [code])[code]
    corner = nearest_corner(point, code)
    assert found <= corner + 1e-6 * corner + 1e-3
    assert found == 0 or found >= corner - 40


@settings(deadline=None, max_examples=40)
@given(st.floats(-90, 90), st.sampled_from(SMALL))
def test_both_names_of_the_antimeridian_are_one_place(latitude, code):
    east, west = (km_from_point(latitude, at, [code])[code] for at in (180.0, -180.0))
    assert east == pytest.approx(west, abs=1e-6)


@settings(deadline=None, max_examples=40)
@given(st.floats(-180, 180), st.sampled_from(SMALL))
def test_a_pole_is_one_place_on_every_meridian(longitude, code):
    assert km_from_point(90, longitude, [code])[code] == pytest.approx(
        km_from_point(90, 0, [code])[code], abs=1e-6
    )


def test_within_is_what_a_walk_round_the_border_winds_up_to():
    """The other way to tell inside from outside: the angles that a walk round the point turns."""
    dice = random.Random(7)  # noqa: S311 - a test need not be secret
    codes = [code for code in SMALL if all(abs(x) < 170 for x, _ in borders()[code].begin)]
    inside = 0
    for _ in range(400):
        code = dice.choice(codes)
        border = borders()[code]
        longitude, latitude = border.begin[dice.randrange(len(border.begin))] + [
            dice.gauss(0, 0.3),
            dice.gauss(0, 0.3),
        ]
        ends = [(edge - [longitude, latitude]).T for edge in (border.begin, border.end)]
        (x, y), (next_x, next_y) = ends
        turned = np.arctan2(x * next_y - y * next_x, x * next_x + y * next_y).sum()
        is_within = abs(turned) > math.pi
        inside += is_within
        assert module._is_within(border, latitude, longitude) == is_within, code
    assert 50 < inside < 350


@pytest.mark.parametrize(
    ("one", "other"), [("CA", "US"), ("FR", "GF"), ("CN", "HK"), ("ZA", "LS"), ("FR", "BR")]
)
def test_neighbours_touch(one, other):
    assert km_between(one, other) == km_between(other, one) == 0


@pytest.mark.parametrize(
    ("one", "other"), [("SG", "HK"), ("IS", "GB"), ("MT", "TN"), ("FJ", "WS"), ("JP", "TW")]
)
def test_two_countries_are_as_far_apart_as_their_nearest_points(one, other):
    """Against every corner of the one measured to the whole other, both ways."""
    ways = [
        min(km_from_point(y, x, [there])[there] for x, y in borders()[here].begin.tolist())
        for here, there in ((one, other), (other, one))
    ]
    assert km_between(one, other) == pytest.approx(min(ways), abs=1e-3)


def test_a_country_without_a_shape_is_left_out():
    assert km_from_point(0, 0, ["TV", "GH"]).keys() == {"GH"}


def test_every_shape_is_of_a_country_and_few_countries_have_none():
    missing = set(country_index()) - set(borders())
    assert set(borders()) <= set(country_index())
    assert missing == {"BV", "CC", "CX", "GI", "TK", "TV", "UM"}


def test_the_label_of_a_country_lies_within_or_near_it():
    for code in borders():
        country = country_index()[code]
        assert km_from_point(country.latitude, country.longitude, [code])[code] < 250, code
