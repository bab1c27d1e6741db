import re
from itertools import pairwise

import pytest

from phonehome.analyzer.comparison.compare import compared
from phonehome.reports.charts.difference_map import (
    HEIGHT,
    LARGEST,
    SMALLEST,
    WIDTH,
    land,
    marks,
    place,
)
from tests.made_sides import Repetition, Sent, side

CHINA = Sent(400, host="a.example", address="113.96.232.10", country="CN", asn=4134)
NOWHERE = Sent(9, host="b.example", address="102.22.22.22", country=None, asn=None, as_org=None)


def on_map(base, new):
    both = compared(side("base", Repetition(base)), side("new", Repetition(new)))
    return {row["key"]: row for row in marks(both.changes)}


def test_each_country_has_a_mark_of_its_change_and_the_unknown_one_has_none():
    found = on_map((Sent(100),), (Sent(100), CHINA, NOWHERE))
    assert {key: row["change"] for key, row in found.items()} == {"US": "same", "CN": "new"}


def test_the_area_of_a_mark_is_the_larger_of_both_rates():
    found = on_map((Sent(100),), (Sent(0), CHINA))
    assert found["CN"]["r"] == LARGEST
    assert found["US"]["r"] == pytest.approx(LARGEST / 2)


def test_a_country_that_got_nothing_has_a_mark_too():
    assert on_map((Sent(0),), (Sent(0),))["US"]["r"] == SMALLEST


def test_what_is_new_lies_on_top():
    assert list(on_map((Sent(100),), (Sent(100), CHINA))) == ["US", "CN"]


def test_west_is_left_and_north_is_up():
    west, east, south = place(-180, 84), place(180, 84), place(0, -58)
    assert west == (0, 0)
    assert east == (WIDTH, 0)
    assert south == (WIDTH / 2, pytest.approx(HEIGHT, abs=0.1))


def test_land_is_made_of_closed_outlines_that_lie_on_the_map():
    path = land()
    assert path.count("M") >= path.count("Z") > 100
    assert re.fullmatch(r"((M[\d.,\s-]+)+Z)+", path)
    for outline in path.replace("Z", "").split("M")[1:]:
        xs = [float(pair.split(",")[0]) for pair in outline.split()]
        assert all(abs(x - y) <= WIDTH / 2 for x, y in pairwise(xs))
    across = [float(pair.split(",")[0]) for pair in re.findall(r"[\d.]+,-?[\d.]+", path)]
    assert 0 <= min(across) < 5
    assert WIDTH - 5 < max(across) <= WIDTH
