"""How far a country can be believed, from what the databases say."""

import polars as pl
import pytest

import geo
from analyzer.places import AGREED, ALONE, ANYCAST, judged
from analyzer.tables import VERDICTS


def place(*opinions, is_anycast=None, scope="global"):
    """A place with these opinions, as (database, country)."""
    table = pl.DataFrame(
        [
            {
                "address": "52.23.61.14",
                "scope": scope,
                "country": opinions[0][1] if opinions else None,
                "is_anycast": is_anycast,
                "opinions": [{"database": name, "country": country} for name, country in opinions]
                if scope == "global"
                else None,
            }
        ],
        schema={
            name: kind
            for name, kind in geo.Places.create_empty().schema.items()
            if name in {"address", "scope", "country", "is_anycast", "opinions"}
        },
    )
    missing = {
        name: pl.lit(None, dtype=kind).alias(name)
        for name, kind in geo.Places.create_empty().schema.items()
        if name not in table.columns
    }
    return table.with_columns(*missing.values()).select(geo.Places.column_names())


def verdict(*opinions, **other):
    row = judged(place(*opinions, **other)).row(0, named=True)
    return row["verdict"], row["reason"]


def test_databases_that_differ_dispute_a_country():
    assert verdict(("dbip", "HK"), ("ipfire", "CN")) == (
        "disputed",
        "dbip says HK; ipfire says CN",
    )


def test_a_database_that_says_nothing_disputes_nothing_but_is_named():
    assert verdict(("dbip", "HK"), ("ipfire", None)) == ("unverifiable", ALONE)
    assert verdict(("dbip", "HK"), ("ipfire", None), ("own", "CN")) == (
        "disputed",
        "dbip says HK; ipfire says nothing; own says CN",
    )


def test_databases_that_agree_are_no_proof():
    assert verdict(("dbip", "SG"), ("ipfire", "SG")) == ("unverifiable", AGREED)


def test_one_database_alone_is_no_proof():
    assert verdict(("dbip", "SG")) == ("unverifiable", ALONE)


def test_what_is_announced_from_many_places_is_said_to_be():
    assert verdict(("dbip", "US"), ("ipfire", "US"), is_anycast=True) == ("unverifiable", ANYCAST)
    assert verdict(("dbip", "US"), ("ipfire", "CA"), is_anycast=True)[0] == "disputed"
    assert verdict(("dbip", "US"), ("ipfire", "US"), is_anycast=False)[1] == AGREED


def test_where_there_is_no_country_there_is_nothing_to_judge():
    assert verdict(("dbip", None), ("ipfire", None)) == (None, None)
    assert verdict(scope="private") == (None, None)


@pytest.mark.parametrize("countries", [("US", "US", "US"), ("US", "CA", "US"), (None, "CA", "US")])
def test_every_verdict_is_one_of_the_design(countries):
    found, reason = verdict(*((f"db{at}", country) for at, country in enumerate(countries)))
    assert (found is None) == (reason is None)
    assert found is None or found in VERDICTS


def test_no_place_is_consistent_or_impossible_before_distances_are_measured(samples):
    found = samples("parrot-2.0/rep1").analysis.places
    assert set(found["verdict"].drop_nulls()) == {"disputed", "unverifiable"}
    assert found["rtt_floor"].null_count() == found.height
