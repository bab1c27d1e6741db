import json

import polars as pl
import pytest
from plotly import graph_objects

from reports import figures, page, sums


@pytest.fixture
def drawn(rich):
    return page.figures_of(rich, sums.counted(rich))


def colours_filled(value):
    if isinstance(value, str):
        return (
            value.replace("0 0 3px --card", "none")
            if " --" in value
            else ("#123456" if value.startswith("--") else value)
        )
    if isinstance(value, list):
        return [colours_filled(part) for part in value]
    if isinstance(value, dict):
        return {key: colours_filled(part) for key, part in value.items()}
    return value


@pytest.mark.parametrize("name", ["map", "sankey", "time"])
def test_plotly_knows_every_property(drawn, name):
    figure = colours_filled(drawn[name])
    graph_objects.Figure(data=figure["data"], layout=figure["layout"])


def test_every_country_with_a_place_has_a_bubble(rich, drawn):
    bubbles = drawn["map"]["data"][0]
    assert len(bubbles["lon"]) == rich.summary.countries
    assert sum(bubbles["marker"]["size"]) == rich.summary.up_unique_bytes - 1_500


def test_what_is_disputed_is_marked_by_shape_too(rich, drawn):
    disputed = drawn["map"]["data"][1]
    assert disputed["marker"]["symbol"] == "diamond"
    assert sum(disputed["marker"]["size"]) == rich.summary.disputed_up_unique_bytes


def test_without_a_dispute_there_is_no_second_trace(rich):
    part = sums.counted(rich)
    agreed = rich.places.with_columns(verdict=pl.lit("consistent"))
    countries = sums.by_country(part.uploads, agreed)
    assert len(figures.world(countries, when_idle="while idle")["data"]) == 1


def test_what_a_round_trip_excludes_is_marked_by_a_cross(rich):
    part = sums.counted(rich)
    excluded = rich.places.with_columns(verdict=pl.lit("impossible"))
    countries = sums.by_country(part.uploads, excluded)
    cross = figures.world(countries, when_idle=None)["data"][-1]
    assert cross["marker"]["symbol"] == "x"
    assert sum(cross["marker"]["size"]) == sum(
        row["impossible"] for row in countries.drop_nulls("country").to_dicts()
    )


def test_the_map_keeps_the_whole_world_in_view(drawn):
    assert drawn["map"]["layout"]["geo"]["fitbounds"] is False


def test_each_stage_of_the_sankey_carries_all_bytes(rich, drawn):
    (sankey,) = drawn["sankey"]["data"]
    assert sum(sankey["link"]["value"]) == 2 * rich.summary.up_unique_bytes
    ends = sankey["link"]["source"] + sankey["link"]["target"]
    assert set(ends) == set(range(len(sankey["node"]["label"])))


def test_every_band_has_a_colour_of_its_own(drawn):
    link = drawn["sankey"]["data"][0]["link"]
    assert len(link["color"]) == len(link["value"])


def test_no_text_of_a_capture_is_markup_to_plotly(drawn):
    text = json.dumps(drawn, ensure_ascii=False).replace("<br>", "").replace("<b>", "")
    text = text.replace("</b>", "").replace("<extra>", "").replace("</extra>", "")
    assert "<" not in text


def test_a_code_that_names_no_country_is_shown_as_it_is():
    assert figures.country_text("ZZ") == "ZZ"
    assert figures.country_text("SG") == "Singapore (SG)"
    assert figures.country_text(None) == "no country known"


def test_a_country_without_a_place_on_the_map_is_left_to_the_table():
    countries = pl.DataFrame(
        {"country": ["ZZ", None], "up": [5, 3], "disputed": [0, 0], "idle": [0, 0]}
    )
    assert figures.world(countries, when_idle="while idle")["data"][0]["lon"] == []


def test_a_bubble_says_nothing_of_idle_time_that_nobody_knows(single, drawn):
    alone = page.figures_of(single, sums.counted(single))
    assert "idle" not in alone["map"]["data"][0]["hovertext"][0]
    assert "92,900 of them while idle" in drawn["map"]["data"][0]["hovertext"][0]
