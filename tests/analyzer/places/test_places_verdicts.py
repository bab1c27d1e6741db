"""How far a country can be believed, from what the databases say."""

import time

import polars as pl
import pytest

from phonehome import geo
from phonehome.analyzer.places.verdicts import (
    AGREED,
    ALONE,
    ANYCAST,
    NO_BORDER,
    NO_LOCATION,
    NO_ROUND_TRIP,
    judged,
)
from phonehome.analyzer.tables import VERDICTS, RoundTrips
from phonehome.geo.borders import km_from_point
from phonehome.geo.gazetteer import locate

TRIPS = {
    "address": pl.String,
    "rtt_floor": pl.Int64,
    "rtt_problem": pl.String,
    "relay_hint": pl.String,
}


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


def verdict(*opinions, where=None, ms=None, problem=None, **other):
    trips = pl.DataFrame(
        [
            {
                "address": "52.23.61.14",
                "rtt_floor": ms and round(ms * 1e6),
                "rtt_problem": problem,
                "relay_hint": None,
            }
        ]
        if ms or problem
        else [],
        schema=TRIPS,
    ).cast({"rtt_floor": pl.Duration("ns")})
    row = judged(
        place(*opinions, **other), where and locate(where), RoundTrips.validate(trips)
    ).row(0, named=True)
    return row["verdict"], row["reason"]


def unchecked(opinions, why=NO_LOCATION):
    return f"{opinions}; {why}"


def test_databases_that_differ_dispute_a_country():
    assert verdict(("dbip", "HK"), ("ipfire", "CN")) == (
        "disputed",
        "dbip says HK; ipfire says CN",
    )


def test_a_database_that_says_nothing_disputes_nothing_but_is_named():
    assert verdict(("dbip", "HK"), ("ipfire", None)) == ("unverifiable", unchecked(ALONE))
    assert verdict(("dbip", "HK"), ("ipfire", None), ("own", "CN")) == (
        "disputed",
        "dbip says HK; ipfire says nothing; own says CN",
    )


def test_databases_that_agree_are_no_proof():
    assert verdict(("dbip", "SG"), ("ipfire", "SG")) == ("unverifiable", unchecked(AGREED))


def test_one_database_alone_is_no_proof():
    assert verdict(("dbip", "SG")) == ("unverifiable", unchecked(ALONE))


def test_what_is_announced_from_many_places_is_said_to_be():
    assert verdict(("dbip", "US"), ("ipfire", "US"), is_anycast=True) == (
        "unverifiable",
        unchecked(ANYCAST),
    )
    assert verdict(("dbip", "US"), ("ipfire", "CA"), is_anycast=True)[0] == "disputed"
    assert verdict(("dbip", "US"), ("ipfire", "US"), is_anycast=False)[1] == unchecked(AGREED)


def test_where_there_is_no_country_there_is_nothing_to_judge():
    assert verdict(("dbip", None), ("ipfire", None)) == (None, None)
    assert verdict(scope="private") == (None, None)


@pytest.mark.parametrize("countries", [("US", "US", "US"), ("US", "CA", "US"), (None, "CA", "US")])
def test_every_verdict_is_one_of_the_design(countries):
    found, reason = verdict(*((f"db{at}", country) for at, country in enumerate(countries)))
    assert (found is None) == (reason is None)
    assert found is None or found in VERDICTS


def test_no_place_is_consistent_or_impossible_without_the_place_of_the_phone(samples):
    found = samples("parrot-2.0/rep1").analysis.places
    assert set(found["verdict"].drop_nulls()) == {"disputed", "unverifiable"}
    assert found["rtt_floor"].null_count() < found.height


TORONTO = "Toronto, CA"


def test_a_country_farther_than_half_the_round_trip_in_fibre_is_impossible():
    """Singapore is at least 14,983 km from Toronto, 50 km granted: 149.3 ms there and back."""
    found, reason = verdict(("a", "SG"), ("b", "SG"), where=TORONTO, ms=100)
    assert found == "impossible"
    assert reason == (
        "a round trip of 100.0 ms reaches 10000 km at most, and SG is 14933 km or more from "
        "Toronto, CA"
    )


def test_the_edge_of_what_a_round_trip_reaches_is_the_least_distance():
    km = km_from_point(43.71, -79.4, ["SG"])["SG"] - 50
    reach = km / 100  # ms: 200,000 km/s is 100 km a millisecond there and back
    assert verdict(("a", "SG"), where="43.71,-79.4", ms=reach * 0.9999)[0] == "impossible"
    assert verdict(("a", "SG"), where="43.71,-79.4", ms=reach * 1.0001)[0] == "consistent"


def test_a_country_within_reach_is_consistent_whoever_says_so():
    assert verdict(("a", "US"), ("b", "US"), where=TORONTO, ms=10)[0] == "consistent"
    assert verdict(("a", "US"), where="CA", ms=0.001)[0] == "consistent"  # borders touch


def test_impossible_outranks_disputed_and_disputed_outranks_consistent():
    differ = (("a", "SG"), ("b", "US"))
    assert verdict(*differ, where=TORONTO, ms=20)[0] == "impossible"
    assert verdict(*reversed(differ), where=TORONTO, ms=20)[0] == "disputed"
    assert verdict(*differ, where=TORONTO, ms=200)[0] == "disputed"


def test_what_cannot_be_checked_says_why():
    same = (("a", "SG"), ("b", "SG"))
    assert verdict(*same, ms=9) == ("unverifiable", unchecked(AGREED))
    assert verdict(*same, where="CA") == ("unverifiable", unchecked(AGREED, NO_ROUND_TRIP))
    why = "the connection ended beside the phone"
    assert verdict(*same, where="CA", problem=why) == ("unverifiable", unchecked(AGREED, why))
    assert verdict(("a", "TV"), where="CA", ms=9) == (
        "unverifiable",
        unchecked(ALONE, NO_BORDER),
    )


def test_a_round_trip_without_a_country_judges_nothing():
    assert verdict(("a", None), where="CA", ms=1) == (None, None)


def test_a_round_trip_of_nobody_adds_no_row():
    places = place(("a", "SG"))
    trips = pl.DataFrame(
        [{"address": "192.0.2.1", "rtt_floor": 5, "rtt_problem": None, "relay_hint": None}],
        schema=TRIPS,
    ).cast({"rtt_floor": pl.Duration("ns")})
    assert judged(places, locate("CA"), RoundTrips.validate(trips)).height == 1


@pytest.mark.parametrize("where", ["Toronto", "RU"])
def test_a_hundred_thousand_places_are_judged_in_a_second_or_so(where):
    codes = sorted(geo.country_index())
    one = place(("a", "SG"), ("b", "US"))
    many = pl.concat([one] * 100_000).with_columns(
        address=pl.int_range(pl.len()).cast(pl.String),
        country=pl.Series([codes[at % len(codes)] for at in range(100_000)]),
    )
    trips = many.select(
        "address",
        rtt_floor=pl.lit(30_000_000).cast(pl.Duration("ns")),
        rtt_problem=pl.lit(None, pl.String),
        relay_hint=pl.lit(None, pl.String),
    )
    begun = time.perf_counter()
    found = judged(many, locate(where), RoundTrips.validate(trips))
    assert time.perf_counter() - begun < 10  # 0.5 s alone; machines of tests are shared
    assert {"impossible", "disputed", "unverifiable"} >= set(found["verdict"])
