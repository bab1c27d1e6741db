"""The map as plain shapes: every mark of the chart, where and as large as the chart has it."""

import re

import pytest

from phonehome.reports.charts.land_outlines import WIDTH
from phonehome.reports.charts.plain_map import sketch
from phonehome.reports.charts.worldmap import world
from phonehome.reports.words import sums


@pytest.fixture
def figure(rich):
    countries = sums.by_country(sums.counted(rich).uploads, rich.places)
    return world(countries, when_idle="while idle")


def test_every_bubble_has_its_mark_with_colour_shape_and_name(figure):
    bubbles, marks = figure["data"][0], sketch(figure)["marks"]
    assert len(marks) == len(bubbles["ids"]) > 3
    assert [mark["colour"] for mark in marks] == [f"var({c})" for c in bubbles["marker"]["color"]]
    is_round = [symbol.startswith("circle") for symbol in bubbles["marker"]["symbol"]]
    assert [mark["path"] is None for mark in marks] == is_round
    assert any(mark["text"] for mark in marks)


def test_marks_stand_where_their_country_is(figure):
    shapes = sketch(figure)
    left, top, width, height = shapes["box"]
    by_code = dict(zip(figure["data"][0]["ids"], shapes["marks"], strict=True))
    assert by_code["CN"]["x"] > by_code["HK"]["x"] - 100 > WIDTH / 2
    assert all(left < mark["x"] < left + width for mark in shapes["marks"])
    assert all(top < mark["y"] < top + height for mark in shapes["marks"])


def test_area_is_bytes(figure):
    marks = sketch(figure)["marks"]
    sizes = figure["data"][0]["marker"]["size"]
    assert marks[1]["r"] ** 2 / marks[0]["r"] ** 2 == pytest.approx(sizes[1] / sizes[0], rel=0.1)


@pytest.mark.parametrize("symbol", ["diamond", "x"])
def test_other_symbols_are_closed_paths_around_the_middle(figure, symbol):
    marker = figure["data"][0]["marker"]
    marker["symbol"] = [symbol] * len(marker["size"])
    assert all(mark["path"].endswith("Z") for mark in sketch(figure)["marks"])


def test_the_names_are_written_as_they_are_not_as_the_chart_escapes_them(figure):
    figure["data"][0]["text"] = ["A &amp; B &lt;b&gt;"] * len(figure["data"][0]["text"])
    assert {mark["text"] for mark in sketch(figure)["marks"]} == {"A & B <b>"}


def test_land_beyond_the_frame_is_left_out(figure):
    shapes = sketch(figure)
    lowest = shapes["box"][1] + shapes["box"][3]
    outlines = re.findall(r"M[^Z]+Z", shapes["land"])
    assert len(outlines) > 50
    for outline in outlines:
        assert any(float(down) <= lowest for down in re.findall(r",(-?[\d.]+)", outline))
