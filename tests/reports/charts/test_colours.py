import itertools
import re

import pytest

from phonehome.reports.charts.colours import (
    COLOURED,
    GRADES,
    REST,
    SIGNS,
    SYMBOLS,
    country_colours,
    grade_of,
)
from phonehome.reports.page import document
from phonehome.reports.words import sums

CONES = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
"""What is seen without one kind of cone, of linear RGB (Machado and others 2009, severity 1)."""


def tokens(scheme):
    """The colours of the style sheet in one scheme."""
    light, dark, paper = re.split("@media [^{]*", document.asset("tokens.css"))
    found = {
        name: dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", part))
        for name, part in (("light", light), ("dark", dark), ("print", paper))
    }
    return found[scheme]


def linear(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(rgb):
    return sum(part * weight for part, weight in zip(rgb, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(one, other):
    light, dark = sorted((luminance(linear(one)), luminance(linear(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def root(part):
    return part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116


def lab(rgb):
    """Lightness and two axes of colour, in CIE L*a*b*."""
    red, green, blue = (min(1, max(0, part)) for part in rgb)
    x = root((0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505)
    y = root(luminance((red, green, blue)))
    z = root((0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour, cones):
    rgb = linear(colour)
    rows = CONES[cones]
    return lab([sum(a * b for a, b in zip(row, rgb, strict=True)) for row in rows])


def of_countries(scheme):
    found = tokens(scheme)
    return [found[f"c{rank}"] for rank in range(1, COLOURED + 1)] + [found["c-rest"]]


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize("cones", list(CONES))
def test_colours_of_countries_stay_apart_whatever_cones_a_reader_has(scheme, cones):
    for one, other in itertools.combinations(of_countries(scheme), 2):
        pairs = zip(seen(one, cones), seen(other, cones), strict=True)
        assert sum((a - b) ** 2 for a, b in pairs) ** 0.5 > 18, (one, other)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_colours_of_countries_differ_in_grey(scheme):
    for one, other in itertools.combinations(of_countries(scheme), 2):
        assert abs(lab(linear(one))[0] - lab(linear(other))[0]) > 4, (one, other)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_what_charts_draw_stands_out_from_its_ground(scheme):
    found = tokens(scheme)
    for name in (*(f"c{rank}" for rank in range(1, 7)), "c-rest", "node", "line-strong", "soft"):
        assert contrast(found[name], found["card"]) >= 3, name


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_every_text_of_a_chart_can_be_read_on_what_it_may_stand_on(scheme):
    found = tokens(scheme)
    for ground in ("card", "paper", "land", "row"):
        assert contrast(found["ink"], found[ground]) >= 7, ground
    for name in ("soft", "accent", "warn", "bad", "good"):
        for ground in ("card", "paper", "row"):
            assert contrast(found[name], found[ground]) >= 4.5, (name, ground)
    for name in ("warn", "bad", "good"):
        assert contrast(found[name], found[f"{name}-paper"]) >= 4.5, name


def test_the_largest_countries_have_colours_of_their_own_and_the_rest_share_one(rich):
    countries = sums.by_country(sums.counted(rich).uploads, rich.places)
    colours = country_colours(countries)
    assert list(colours.values()).count(REST) == countries.height - COLOURED
    assert colours["SG"] == "--c1"
    assert colours[None] == REST


def test_the_graver_of_two_grades_with_as_many_bytes_counts():
    none = dict.fromkeys(GRADES, 0)
    assert grade_of(none | {"consistent": 5, "disputed": 5}) == "disputed"
    assert grade_of(none | {"consistent": 6, "disputed": 5}) == "consistent"


def test_every_grade_has_a_shape_of_its_own():
    assert set(SYMBOLS) == set(SIGNS) == set(GRADES)
    assert len(set(SYMBOLS.values())) == len(set(SIGNS.values())) == len(GRADES)
