"""Verdicts of sides made by hand: each word, each reason, and what the tests of a family share."""

import numpy as np
import polars as pl
import pytest

from phonehome.analyzer.comparison.compare import SAME_WITHIN, changes, compared
from phonehome.analyzer.comparison.verdicts import Family
from phonehome.analyzer.tables import ALL_STATES
from tests.made_sides import Repetition, Sent, side

STEADY = Sent(1_000, host="steady.example")


def around(middle, number, host="chat.example", **options):
    """Repetitions whose rates stray a little, each its own way."""
    return [
        Repetition(
            (Sent(round(middle * (1 + (place - number / 2) / 50)), host=host, **options), STEADY)
        )
        for place in range(number)
    ]


def judged(base, new, key="chat.example", state="idle", dimension="host"):
    table = changes(side("base", *base), side("new", *new), same_within=SAME_WITHIN)
    of = (pl.col("dimension") == dimension) & (pl.col("key") == key) & (pl.col("state") == state)
    return table.row(by_predicate=of, named=True)


def said(*args, **options):
    row = judged(*args, **options)
    return row["verdict"], row["reason"], row["test"]


def test_three_repetitions_a_side_can_tell_nothing_apart_and_say_how_many_would():
    row = judged(around(1_000, 3), around(9_000, 3))
    assert (row["change"], row["verdict"], row["reason"]) == ("more", "cannot tell", "few")
    assert row["p_value"] == pytest.approx(0.1)
    assert row["q_value"] is None
    assert row["needed_repetitions"] >= 4
    assert row["ratio_low"] < 9 < row["ratio_high"]


@pytest.mark.parametrize(("base", "new", "word"), [(1_000, 9_000, "more"), (9_000, 1_000, "less")])
def test_rates_that_are_wholly_apart_are_more_or_less(base, new, word):
    assert said(around(base, 6), around(new, 6)) == (word, None, "volume")
    row = judged(around(base, 6), around(new, 6))
    assert row["p_value"] == pytest.approx(2 / 924)
    assert row["p_value"] <= row["q_value"] <= 0.05


def test_what_one_side_alone_saw_in_every_repetition_is_new_or_gone():
    seen, not_seen = around(500, 6), around(500, 6, host="other.example")
    assert said(not_seen, seen) == ("new", None, "presence")
    assert said(seen, not_seen) == ("gone", None, "presence")


def test_what_was_seen_once_may_be_chance():
    never = around(500, 6, host="other.example")
    assert said(never, [*never[:5], *around(500, 1)])[:2] == ("cannot tell", "chance")


def test_rates_within_the_margin_are_the_same():
    assert said(around(1_000, 4), around(1_001, 4)) == ("same", None, "sameness")


def test_rates_that_stray_too_far_cannot_be_told_from_chance():
    wild = [Repetition((Sent(size), STEADY)) for size in (10, 5_000, 90, 900, 33, 2_000)]
    assert said(wild, wild[::-1])[:2] == ("cannot tell", "chance")


def test_a_host_in_another_country_has_moved_whatever_its_rate():
    there = {"address": "13.250.100.4", "country": "SG", "asn": 16509}
    args = around(1_000, 6), around(1_000, 6, **there)
    assert said(*args, state=ALL_STATES) == ("moved", None, "place")
    assert said(*args) == ("same", None, "sameness")
    assert said(around(1_000, 3), around(1_000, 3, **there), state=ALL_STATES) == (
        "cannot tell",
        "few",
        "place",
    )


def test_a_host_whose_place_changes_by_itself_has_not_moved():
    places = [
        {"address": f"9.9.9.{n}", "country": country} for n, country in enumerate(["US", "DE"])
    ]
    both = [part for n in range(6) for part in around(1_000, 1, **places[n % 2])]
    assert said(both, both, state=ALL_STATES)[0] != "moved"


def test_what_is_seen_oftener_is_more_even_if_its_rate_cannot_be_told():
    rare = [*around(5, 1), *around(5, 11, host="other.example")]
    row = judged(rare, around(5, 12))
    assert (row["verdict"], row["test"]) in {("more", "presence"), ("more", "volume")}


def test_a_state_that_one_side_did_not_observe_cannot_be_told():
    active = [Repetition((Sent(5, state="active"),), {"active": 1.0})] * 6
    assert said(active, around(5, 6))[:2] == ("cannot tell", "unobserved")


def test_a_side_that_looked_for_less_time_may_have_missed_it():
    short = [part._replace(hours={"idle": 0.1}) for part in around(5, 6, host="other.example")]
    assert said(short, around(5, 6))[:2] == ("cannot tell", "exposure")
    assert said(around(5, 6, host="other.example"), around(5, 6))[0] == "new"


def test_contacts_without_upload_that_all_made_are_the_same():
    assert said(around(0, 4), around(0, 4))[0] == "same"


def test_a_finding_among_many_tests_needs_more_repetitions():
    def crowd(number):
        others = [
            Sent(10 + (place * 7 + number * 3) % 11, host=f"h{place}.example")
            for place in range(60)
        ]
        return tuple(others)

    alone = [Repetition((Sent(1),)) for _ in range(5)], [Repetition((Sent(9),)) for _ in range(5)]
    assert said(*alone)[0] == "more"
    crowded = [
        [
            part._replace(sent=(*part.sent, *crowd(place + shift)))
            for place, part in enumerate(parts)
        ]
        for parts, shift in zip(alone, (0, 5), strict=True)
    ]
    row = judged(*crowded)
    assert (row["verdict"], row["reason"]) == ("cannot tell", "few")
    assert row["needed_repetitions"] > 5


def test_tests_that_could_never_be_findings_cost_the_others_nothing():
    p, least = np.array([0.01, 1.0, 1.0]), np.array([0.01, 1.0, np.nan])
    family = Family.of(p, least, np.array([True, True, True]))
    assert family.size == 1
    assert family.q[0] == pytest.approx(0.01)
    assert np.isnan(family.q[1:]).all()


def test_swapping_the_sides_turns_every_verdict_round():
    base = [*around(1_000, 6)]
    new = [
        part._replace(sent=(*part.sent, Sent(9, host="young.example"))) for part in around(7_000, 6)
    ]
    ways = [
        compared(side("base", *first), side("new", *second)).changes
        for first, second in ((base, new), (new, base))
    ]
    opposite = {"new": "gone", "gone": "new", "more": "less", "less": "more"}
    there, back = (way["verdict"].to_list() for way in ways)
    assert [opposite.get(word, word) for word in there] == back
    assert ways[0]["p_value"].to_list() == pytest.approx(ways[1]["p_value"].to_list(), nan_ok=True)
