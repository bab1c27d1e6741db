import pytest

from phonehome.reports.charts import sankey
from phonehome.reports.words import sums


@pytest.fixture
def part(rich):
    return sums.counted(rich)


def made_of(rich, part, most=sankey.MOST):
    return sankey.nodes(part.uploads, sums.by_country(part.uploads, rich.places), most)


@pytest.mark.parametrize("most", [1, 2, 12])
def test_streams_add_up_however_few_are_named(rich, part, most):
    made = made_of(rich, part, most)
    assert sankey.streams(part.uploads, made)["up"].sum() == rich.summary.up_unique_bytes
    for stage in sankey.STAGES:
        named = [key for key in made.keys if key is not None and key[0] == stage]
        assert len([value for _, value in named if value is not None]) <= most


def test_an_unknown_app_is_not_among_the_others(rich, part):
    made = made_of(rich, part, 1)
    unknown = made.numbers["app"][None]
    assert made.texts[unknown] == "app not recorded"
    assert [value for value, node in made.numbers["app"].items() if node == unknown] == [None]


def test_a_node_of_several_values_stands_for_no_single_one(rich, part):
    made = made_of(rich, part, 1)
    assert {made.texts[node] for node, key in enumerate(made.keys) if key is None} == {
        "other apps",
        "other organisations",
        "other countries",
    }


def test_each_stage_of_the_chart_carries_all_bytes(rich, part):
    made = made_of(rich, part)
    (chart,) = sankey.sankey(sankey.streams(part.uploads, made), made)["data"]
    assert sum(chart["link"]["value"]) == 2 * rich.summary.up_unique_bytes
    ends = chart["link"]["source"] + chart["link"]["target"]
    assert set(ends) == set(range(len(chart["node"]["label"])))
    assert len(chart["link"]["color"]) == len(chart["link"]["value"])


def test_a_country_shows_how_far_it_can_be_believed(rich, part):
    made = made_of(rich, part)
    assert made.texts[made.numbers["country"]["SG"]] == "Singapore (SG) ●"
    assert made.texts[made.numbers["country"]["HK"]] == "Hong Kong (HK) ◆"


def test_nothing_uploaded_has_no_nodes(rich, part):
    made = sankey.nodes(part.uploads.clear(), sums.by_country(part.uploads.clear(), rich.places))
    assert made.texts == []
    assert sankey.streams(part.uploads.clear(), made).is_empty()
