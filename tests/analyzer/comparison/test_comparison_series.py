from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.comparison.compare import compared
from phonehome.analyzer.comparison.series import compare_series, versions
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import ALL_STATES
from tests.made_sides import Repetition, Sent, side

SAMPLES = Path(__file__).parents[3] / "captures" / "samples"
OLD = Repetition((Sent(100), Sent(7, host="gone.example")))
MIDDLE = Repetition((Sent(100),), {"idle": 2.0})
YOUNG = Repetition((Sent(100), Sent(9, host="young.example")))


def steps(*parts):
    """Comparisons of each part with the one before it, each twice repeated."""
    named = [
        (replace(side("base", part, part), label=f"v{at}"), replace(side("new", part, part)))
        for at, part in enumerate(parts, start=1)
    ]
    return [
        compared(base, replace(new, label=f"v{at}"), same_within=0.1)
        for at, ((base, _), (_, new)) in enumerate(pairwise(named), start=2)
    ]


def of(table, key, state="idle"):
    found = table.filter(pl.col("key") == key, pl.col("state") == state)
    columns = ("version", "label", "up_unique_bytes_per_hour", "seen_in", "repetitions")
    return found.select(columns).rows()


def test_each_version_has_a_row_of_each_key_also_where_it_did_not_meet_it():
    table = versions(steps(OLD, MIDDLE, YOUNG))
    assert of(table, "gone.example") == [
        (1, "v1", 7, 2, 2),
        (2, "v2", 0, 0, 2),
        (3, "v3", 0, 0, 2),
    ]
    assert of(table, "chat.example") == [
        (1, "v1", 100, 2, 2),
        (2, "v2", 50, 2, 2),
        (3, "v3", 100, 2, 2),
    ]
    assert [row[2] for row in of(table, "young.example", ALL_STATES)] == [0, 0, 9]


def test_the_rate_of_much_is_no_other_number():
    much = [Repetition((Sent(bytes_),)) for bytes_ in (9_000_000, 90_000_000_000)]
    assert [row[2] for row in of(versions(steps(*much)), "chat.example")] == [
        9_000_000,
        90_000_000_000,
    ]


def test_a_version_without_time_in_a_state_has_no_rate_there():
    idle = Repetition((Sent(5),), {"idle": 1.0})
    active = Repetition((Sent(5, state="active"),), {"active": 1.0})
    assert [row[2] for row in of(versions(steps(idle, active)), "chat.example")] == [5, None]


def test_a_key_that_is_unknown_is_a_key():
    nowhere = Sent(5, address="102.22.22.22", country=None, asn=None, as_org=None)
    table = versions(steps(Repetition((nowhere,)), OLD))
    lost = table.filter(pl.col("key").is_null(), pl.col("dimension") == "country", state="idle")
    assert lost["up_unique_bytes"].to_list() == [10, 0]


@pytest.fixture(scope="module")
def series():
    groups = [
        ("old", [SAMPLES / "parrot-1.0" / "rep1.pcap"]),
        ("new", [SAMPLES / "parrot-2.0" / "rep1.pcapng"]),
        ("same", [SAMPLES / "parrot-2.0" / "rep1.pcapng"]),
    ]
    return compare_series(groups, Settings())


def test_each_version_is_held_against_the_one_before_it(series):
    assert series.labels == ("old", "new", "same")
    assert [step.labels for step in series.steps] == [
        {"base": "old", "new": "new"},
        {"base": "new", "new": "same"},
    ]
    first, second = (set(step.changes["change"]) for step in series.steps)
    assert {"new", "gone", "more"} <= first
    assert second == {"same"}


def test_bytes_of_a_version_are_those_of_its_side(series):
    (step, _) = series.steps
    sums = (
        series.versions.filter(dimension="country", state=ALL_STATES)
        .group_by("version")
        .agg(pl.col("up_unique_bytes").sum())
    )
    assert dict(sums.rows())[1] == step.repetitions.filter(side="base")["up_unique_bytes"].sum()
