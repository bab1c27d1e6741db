from dataclasses import replace

import polars as pl
import pytest

from phonehome.analyzer.settings import Settings
from phonehome.reports.page import destinations, evidence
from phonehome.reports.words import sums


def identities(analysis):
    found = destinations.destinations(sums.counted(analysis), analysis.places)
    return evidence.identities(analysis, found.total["up"])


def test_all_identities_hold_of_a_sound_analysis(rich, single, empty):
    for analysis in (rich, single, empty):
        assert all(identity.is_kept for identity in identities(analysis))


@pytest.mark.parametrize(
    ("table", "column", "broken"),
    [
        ("captures", "packets", [0]),
        ("captures", "wire_bytes", [1]),
        ("ledger", "link_bytes", [2]),
        ("ledger", "unique_bytes", [2, 3]),
        ("flows", "down_unique_bytes", [3]),
        ("flows", "up_unique_bytes", [3, 4]),
        ("uploads", "up_unique_bytes", [4, 5]),
    ],
)
def test_a_lost_byte_breaks_the_identities_that_count_it(rich, table, column, broken):
    first = pl.int_range(pl.len()) == 0
    changed = getattr(rich, table).with_columns(pl.col(column) - first.cast(pl.Int64))
    found = identities(replace(rich, **{table: changed}))
    assert [place for place, identity in enumerate(found) if not identity.is_kept] == broken


def test_the_ledger_keeps_its_order_and_leaves_out_what_did_not_occur(rich):
    rows = evidence.by_outcome(rich.ledger)
    assert [row["outcome"] for row in rows] == ["attributed", "non_ip"]
    assert rows[1]["link_bytes"] is None


def test_ledgers_of_two_captures_are_one(rich):
    twice = pl.concat([rich.ledger, rich.ledger])
    one, two = evidence.by_outcome(rich.ledger), evidence.by_outcome(twice)
    assert [row["wire_bytes"] for row in two] == [2 * row["wire_bytes"] for row in one]


def test_oddities_are_counted_by_kind_with_the_first_of_them(rich):
    first = evidence.by_kind(pl.concat([rich.oddities, rich.oddities])).row(0, named=True)
    assert (first["count"], first["frame"]) == (6, 812)


def test_only_opinions_that_name_another_country_differ():
    opinions = [
        {"database": "one", "country": "HK"},
        {"database": "two", "country": "CN"},
        {"database": "three", "country": None},
    ]
    assert evidence.other_opinions({"country": "HK", "opinions": opinions}) == [("two", "CN")]
    assert evidence.other_opinions({"country": None, "opinions": None}) == []


def test_settings_are_whole_and_say_nothing_of_folders(rich):
    rows = dict(evidence.settings_rows(rich.settings))
    assert rows["timelines"] == "phases.csv"
    assert rows["app"] == "not given"
    assert rows["limit: record_bytes"] == "262,144"
    assert dict(evidence.settings_rows(Settings(phones=("10.0.0.1",))))["phones"] == "10.0.0.1"
