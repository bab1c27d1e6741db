import json
import re

import pytest
from plotly import graph_objects

from phonehome.reports.charts.all import charts_of, has_idle, states_seen
from phonehome.reports.words import sums


@pytest.fixture
def drawn(rich):
    return charts_of(rich, sums.counted(rich)).figures()


def colours_filled(value):
    """The figure with its colours put in, as the page's script does."""
    if isinstance(value, str):
        if " --" in value:
            return "none"
        return re.sub(r"^--[a-z0-9-]+(@[0-9.]+)?$", "#123456", value)
    if isinstance(value, list):
        return [colours_filled(part) for part in value]
    if isinstance(value, dict):
        return {key: colours_filled(part) for key, part in value.items()}
    return value


@pytest.mark.parametrize("name", ["map", "sankey", "time"])
def test_plotly_knows_every_property(drawn, name):
    figure = colours_filled(drawn[name])
    graph_objects.Figure(data=figure["data"], layout=figure["layout"])


def test_no_text_of_a_capture_is_markup_to_plotly(drawn):
    text = json.dumps(drawn, ensure_ascii=False).replace("<br>", "").replace("<b>", "")
    text = text.replace("</b>", "").replace("<extra>", "").replace("</extra>", "")
    assert "<" not in text


def test_a_country_has_one_colour_in_all_charts(rich, drawn):
    colours = charts_of(rich, sums.counted(rich)).colours
    bubbles = drawn["map"]["data"][0]
    assert bubbles["marker"]["color"] == [colours[code] for code in bubbles["ids"]]
    node = drawn["sankey"]["data"][0]["node"]
    blocks = dict(zip(node["label"], node["color"], strict=True))
    assert blocks["Singapore (SG) ●"] == colours["SG"]
    bars = [trace for trace in drawn["time"]["data"] if trace["type"] == "bar"]
    for bar in bars:
        assert {colours[code or None] for code in bar["meta"]["countries"]} == {
            bar["marker"]["color"]
        }


def test_a_state_that_says_nothing_is_not_listed(rich, single):
    assert states_seen(rich) == ["active", "background", "idle"]
    assert states_seen(single) == []
    assert has_idle(rich)
    assert not has_idle(single)
