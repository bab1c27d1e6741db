"""What comparisons find between repetitions put together from blocks of the samples' time."""

import numpy as np
import polars as pl
import pytest
from measure_comparison import (
    GROWING,
    VERSIONS,
    covered,
    findings,
    grown,
    halves,
    held,
    pool,
    repetitions,
    without,
)

from phonehome.analyzer.tables import CANNOT_TELL

ENOUGH = 5
SPLITS = 20


@pytest.fixture(scope="module")
def pools():
    return [pool(version) for version in VERSIONS]


@pytest.fixture(scope="module")
def versions_compared(pools):
    rng = np.random.default_rng(1)
    return held(*(repetitions(of, ENOUGH, rng, in_place=True) for of in pools))


def test_the_differences_that_were_planted_are_found_and_no_other_host_is(versions_compared):
    found = {row[1:] for row in findings(versions_compared) if row[0] == "host"}
    assert {row[:1] + row[2:] for row in found if row[1] in {"all", "idle"}} == {
        ("119.29.29.29", "new"),
        ("api.parrot.example", "moved"),
        ("collect.parrot.example", "new"),
        (GROWING, "more"),
        ("stats.oldads.example", "gone"),
        ("telemetry.tracker.example", "more"),
    }
    assert {host for host, state, _ in found if state not in {"all", "idle"}} <= {
        GROWING,
        "stats.oldads.example",
    }


def test_countries_follow_the_hosts_that_were_planted(versions_compared):
    assert {row[1:] for row in findings(versions_compared) if row[0] == "country"} >= {
        ("CN", "idle", "new"),
        ("SG", "all", "new"),
        ("FI", "all", "gone"),
    }


@pytest.mark.slow
def test_halves_of_one_version_differ_by_no_more_than_chance(pools):
    found = [each for at, of in enumerate(pools) for each in halves(of, ENOUGH, SPLITS, seed=at)]
    assert sum(bool(each) for each in found) <= len(found) * 0.05


def test_three_repetitions_a_side_find_nothing_however_much_was_planted(pools):
    rng = np.random.default_rng(2)
    result = held(*(repetitions(of, 3, rng, in_place=True) for of in pools))
    assert findings(result) == []
    assert set(result.changes["verdict"]) <= {CANNOT_TELL, "same"}
    assert set(result.changes["reason"].drop_nulls()) <= {"few", "unobserved", "exposure"}
    assert result.changes["needed_repetitions"].drop_nulls().min() >= 4


def test_intervals_hold_the_true_ratio_about_as_often_as_they_say(pools):
    held_one, whole = covered(pools[0], ENOUGH, 5, seed=1)
    assert 0.85 < held_one / whole < 1


def test_four_repetitions_a_side_find_what_three_said_they_would(pools):
    rng = np.random.default_rng(3)
    result = held(*(repetitions(of, 4, rng, in_place=True) for of in pools))
    found = {row[1:] for row in findings(result) if row[0] == "host"}
    assert {("collect.parrot.example", "idle", "new"), (GROWING, "idle", "more")} <= found


def test_what_is_planted_grows_or_goes_by_as_much(pools):
    (part,) = repetitions(pools[0], 1, np.random.default_rng(3))

    def idle(of):
        meant = of.flows.filter(pl.col("host") == GROWING)
        sent = of.flow_phases.join(meant.select("flow"), on="flow", how="semi")
        return sent.filter(pl.col("state") == "idle")["up_unique_bytes"].sum()

    assert idle(part) > 0
    assert idle(grown(2.0)(part)) == 2 * idle(part)
    assert idle(without(GROWING)(part)) == 0


def test_a_repetition_is_as_long_as_a_capture_and_the_same_each_time(pools):
    first, again = (repetitions(pools[1], 1, np.random.default_rng(4))[0] for _ in range(2))
    assert first.flow_phases.equals(again.flow_phases)
    assert first.phases["label"].value_counts(sort=True).rows() == [
        ("screen off", 20),
        ("in use", 4),
        ("home screen", 2),
        ("in use again", 2),
    ]
