import re

import pytest

from phonehome.reports.charts.land_outlines import WIDTH, land, natural_earth, plate_carree


def test_natural_earth_is_as_published():
    """The line of a pole is 0.53 of the equator, and the map 0.52 as high as it is wide."""
    assert natural_earth(-180, 0) == (0, 0)
    assert natural_earth(180, 0)[0] == pytest.approx(WIDTH)
    pole = natural_earth(180, 90)
    assert pole[1] == pytest.approx(-0.52 * WIDTH / 2, rel=0.01)
    assert 2 * (pole[0] - WIDTH / 2) / WIDTH == pytest.approx(0.53, abs=0.03)


def test_plate_carree_is_degrees():
    assert plate_carree(-180, 90) == (0, 0)
    assert plate_carree(180, -90) == (WIDTH, WIDTH / 2)


@pytest.mark.parametrize("projection", [natural_earth, plate_carree])
def test_land_is_closed_outlines_within_the_map(projection):
    path = land(projection)
    assert re.fullmatch(r"((M[-\d.e, ]+)+Z)+", path)
    across = [float(pair.split(",")[0]) for pair in re.findall(r"[\d.]+,-?[\d.]+", path)]
    assert 0 <= min(across) <= max(across) <= WIDTH
