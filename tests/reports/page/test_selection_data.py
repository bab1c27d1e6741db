from dataclasses import replace
from datetime import datetime

import polars as pl
import pytest

from phonehome.reports.charts.all import charts_of
from phonehome.reports.page import destinations, selection_data
from phonehome.reports.words import sums


@pytest.fixture
def part(rich):
    return sums.counted(rich)


@pytest.fixture
def rows(rich, part):
    return destinations.destinations(part, rich.places).rows


@pytest.fixture
def found(rich, part, rows):
    return selection_data.facts(rich, part, charts_of(rich, part), rows)


def summed(table, **wanted):
    return sum(
        up
        for place, up in enumerate(table["up"])
        if all(table[name][place] == value for name, value in wanted.items())
    )


def in_spans(found, first, last, **wanted):
    """Bytes of the parts wanted from one span to another, both included."""
    parts, moments = found["parts"], found["moments"]
    return sum(
        up
        for part, span, up in zip(moments["part"], moments["span"], moments["up"], strict=True)
        if first <= span <= last
        and all(parts[name][part] == value for name, value in wanted.items())
    )


def test_all_that_can_be_selected_adds_up_to_what_was_uploaded(rich, found):
    assert summed(found["parts"]) == rich.summary.up_unique_bytes
    assert summed(found["bins"]) == rich.timeline["up_unique_bytes"].sum()
    assert summed(found["moments"]) == rich.timeline["up_unique_bytes"].sum()


def test_a_selection_of_a_country_and_a_phase_is_what_the_table_says(found, part):
    country = found["values"]["country"].index("CN")
    phase = found["values"]["phase"].index("3")
    sent = part.uploads.filter(country="CN", phase=3)
    expected = sent["up_unique_bytes"].sum()
    assert expected > 0
    assert summed(found["parts"], country=country, phase=phase) == expected


def test_what_is_unknown_is_an_empty_value_with_a_text(found):
    for stage, text in (
        ("app", "app not recorded"),
        ("runner", "no organisation known"),
        ("country", "no country known"),
    ):
        place = found["values"][stage].index("")
        assert found["texts"][stage][place] == text


def test_each_row_of_the_table_has_its_own_sum(found, rows):
    assert [summed(found["parts"], row=place) for place in range(len(rows))] == [
        row["up"] for row in rows
    ]


def test_a_destination_that_the_page_does_not_list_is_in_the_sums_all_the_same(rich, part, rows):
    found = selection_data.facts(rich, part, charts_of(rich, part), rows[:3])
    assert summed(found["parts"]) == rich.summary.up_unique_bytes
    assert summed(found["parts"], row=-1) == sum(row["up"] for row in rows[3:])
    assert summed(found["moments"]) == rich.timeline["up_unique_bytes"].sum()


def test_a_span_of_time_holds_what_the_timeline_says_of_it(rich, found):
    spans = found["spans"]
    assert spans["start"] == sorted(set(spans["start"]))
    assert all(start < end for start, end in zip(spans["start"], spans["end"], strict=True))
    first, last = 3, len(spans["start"]) // 2
    begin, end = (
        datetime.fromisoformat(f"{text}+00:00")
        for text in (spans["start"][first], spans["end"][last])
    )
    sent = rich.timeline.filter(pl.col("start").is_between(begin, end, closed="left"))
    for code in ("SG", "CN", "CA"):
        expected = sent.filter(country=code)["up_unique_bytes"].sum()
        assert expected > 0
        place = found["values"]["country"].index(code)
        assert in_spans(found, first, last, country=place) == expected


@pytest.mark.parametrize("most", [1, 20, 40])
def test_with_too_many_moments_spans_are_longer_and_no_byte_is_lost(rich, part, rows, most):
    charts = charts_of(rich, part)
    found = selection_data.facts(rich, part, charts, rows, most_moments=most)
    spans = found["spans"]
    assert len(found["moments"]["up"]) <= most or len(spans["start"]) <= 2
    assert summed(found["moments"]) == rich.timeline["up_unique_bytes"].sum()
    finer = selection_data.facts(rich, part, charts, rows)["spans"]
    assert len(finer["start"]) > len(spans["start"])
    for start in finer["start"]:
        assert sum(a <= start < b for a, b in zip(spans["start"], spans["end"], strict=True)) == 1


def test_uploads_without_a_time_are_in_the_sums_and_in_no_span(single):
    timeless = replace(single, timeline=single.timeline.clear(), moments=single.moments.clear())
    part = sums.counted(timeless)
    found = selection_data.facts(timeless, part, charts_of(timeless, part), [])
    assert found["spans"] == {"start": [], "end": []}
    assert summed(found["parts"]) == single.summary.up_unique_bytes
