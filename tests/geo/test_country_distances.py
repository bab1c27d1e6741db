"""The table of distances between countries says what the borders say."""

import random
from hashlib import sha256

import pytest

from phonehome.geo.borders import borders, km_between
from phonehome.geo.countries import DATA
from phonehome.geo.country_distances import apart, km_from_country


def test_the_table_was_measured_on_the_borders_that_are_shipped():
    shipped = sha256((DATA / "borders.json.xz").read_bytes()).hexdigest()
    assert apart().borders_sha256 == shipped
    assert list(apart().codes) == sorted(borders())
    assert [len(row) for row in apart().km] == list(range(len(borders())))


def test_pairs_measured_anew_are_as_far_apart_as_the_table_says():
    dice = random.Random(1)  # noqa: S311 - a sample of pairs
    for one, other in (dice.sample(sorted(borders()), 2) for _ in range(60)):
        assert km_from_country(one, [other]) == {other: int(km_between(one, other))}


def test_the_way_there_is_as_long_as_the_way_back():
    codes = sorted(borders())[::7]
    for one in codes:
        there = km_from_country(one, codes)
        assert there == {other: km_from_country(other, [one])[one] for other in codes}
        assert there[one] == 0


def test_a_country_without_a_shape_is_left_out_and_measures_nothing():
    assert km_from_country("GH", ["TV", "GH"]) == {"GH": 0}
    with pytest.raises(KeyError):
        km_from_country("TV", ["GH"])
