import polars as pl
import pytest

from phonehome.reports.charts.worldmap import world
from phonehome.reports.words import sums


@pytest.fixture
def countries(rich):
    return sums.by_country(sums.counted(rich).uploads, rich.places)


def drawn(countries, when_idle="while idle"):
    return world(countries, when_idle=when_idle)["data"]


def with_verdict(rich, verdict):
    places = rich.places.with_columns(verdict=pl.lit(verdict))
    return sums.by_country(sums.counted(rich).uploads, places)


def test_every_country_with_a_place_has_a_bubble(rich, countries):
    bubbles = drawn(countries)[0]
    assert len(bubbles["lon"]) == rich.summary.countries
    assert sum(bubbles["marker"]["size"]) == rich.summary.up_unique_bytes - 1_500


def test_a_bubble_knows_its_country(countries):
    bubbles = drawn(countries)[0]
    assert bubbles["ids"] == countries["country"].drop_nulls().to_list()


def test_the_shape_says_how_far_most_of_a_country_can_be_believed(countries):
    bubbles = drawn(countries)[0]
    shapes = dict(zip(bubbles["ids"], bubbles["marker"]["symbol"], strict=True))
    assert (shapes["HK"], shapes["SG"], shapes["CN"]) == ("diamond", "circle", "circle")


@pytest.mark.parametrize(
    ("verdict", "symbol", "name"),
    [
        ("consistent", "circle", "consistent with its round trip"),
        ("unverifiable", "circle-open", "not checked"),
        ("disputed", "diamond", "databases differ"),
        ("impossible", "x", "impossible by its round trip"),
    ],
)
def test_the_legend_has_the_shapes_that_are_on_the_map_alone(rich, verdict, symbol, name):
    bubbles, *legend = drawn(with_verdict(rich, verdict))
    assert set(bubbles["marker"]["symbol"]) == {symbol}
    assert [entry["name"] for entry in legend] == [name]


def test_the_map_keeps_the_whole_world_in_view(countries):
    assert world(countries, when_idle=None)["layout"]["geo"]["fitbounds"] is False


def test_a_country_without_a_place_on_the_map_is_left_to_the_table(countries):
    nowhere = countries.head(2).with_columns(country=pl.Series(["ZZ", None], dtype=pl.String))
    assert drawn(nowhere)[0]["lon"] == []


def test_a_bubble_says_nothing_of_idle_time_that_nobody_knows(countries):
    assert "idle" not in drawn(countries, when_idle=None)[0]["hovertext"][0]
    assert "92,900 of them while idle" in drawn(countries)[0]["hovertext"][0]
