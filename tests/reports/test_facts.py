import pytest

from reports import destinations, sums
from reports.charts import charts_of
from reports.facts import facts


@pytest.fixture
def part(rich):
    return sums.counted(rich)


@pytest.fixture
def found(rich, part):
    made = charts_of(rich, part)
    rows = destinations.destinations(part, rich.places).rows
    return facts(part.uploads, rich.phases, made.bins, made.nodes, rows)


def summed(table, **wanted):
    return sum(
        up
        for place, up in enumerate(table["up"])
        if all(table[name][place] == value for name, value in wanted.items())
    )


def test_all_that_can_be_selected_adds_up_to_what_was_uploaded(rich, found):
    assert summed(found["uploads"]) == summed(found["rows"]) == rich.summary.up_unique_bytes
    assert summed(found["bins"]) == rich.timeline["up_unique_bytes"].sum()


def test_a_selection_of_a_country_and_a_phase_is_what_the_table_says(found, part):
    country = found["values"]["country"].index("CN")
    phase = found["values"]["phase"].index("3")
    rows = part.uploads.filter(country="CN", phase=3)
    expected = rows["up_unique_bytes"].sum()
    assert expected > 0
    for name in ("uploads", "rows"):
        assert summed(found[name], country=country, phase=phase) == expected


def test_what_is_unknown_is_an_empty_value_with_a_text(found):
    for stage, text in (
        ("app", "app not recorded"),
        ("runner", "no organisation known"),
        ("country", "no country known"),
    ):
        place = found["values"][stage].index("")
        assert found["texts"][stage][place] == text


def test_each_row_of_the_table_has_its_own_sum(found, part, rich):
    rows = destinations.destinations(part, rich.places).rows
    assert [summed(found["rows"], row=place) for place in range(len(rows))] == [
        row["up"] for row in rows
    ]
