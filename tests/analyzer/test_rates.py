"""Rates per hour and state: exact sums, and intervals that hold what they promise."""

import numpy as np
import polars as pl
import pytest

from analyzer.rates import FEWEST_BLOCKS, TOO_LITTLE, rates
from tests.analyzer.met import SECOND, contacts, met, phases
from tests.conftest import NAMES, sample

HOUR = 3_600


def uploads_of(table):
    return table.group_by("phase", "state", "country", "host", "remote_address").agg(
        pl.col("unique_bytes").filter("is_up").sum().alias("up_unique_bytes"),
        pl.col("unique_bytes").filter(~pl.col("is_up")).sum().alias("down_unique_bytes"),
        pl.col("packets").sum().alias("up_packets"),
    )


def found(rows, spans):
    table = contacts(*rows)
    first = table.select("flow", "phase", "host", "remote_address", "country", first_time="start")
    observed = [(0, max(end for _, _, end in spans) * SECOND)]
    return rates(met(*rows), uploads_of(table), first, phases(*spans), observed)


def test_a_rate_is_bytes_over_observed_time():
    rows = [{"at": at, "unique_bytes": 10} for at in range(0, HOUR // 2, 10)]
    table = found(rows, [("idle", 0, HOUR // 2), ("active", HOUR // 2, HOUR)])
    idle = table.filter(state="idle", dimension="all").to_dicts()[0]
    assert idle["up_unique_bytes"] == 1_800
    assert idle["up_unique_bytes_per_hour"] == 3_600
    assert (idle["low_per_hour"], idle["high_per_hour"]) == (3_600, 3_600)
    active = table.filter(state="active").to_dicts()
    assert [(row["dimension"], row["up_unique_bytes"], row["low_per_hour"]) for row in active] == [
        ("all", 0, 0)
    ]


def test_too_little_time_gives_no_interval():
    (row,) = (
        found([{"at": 5}], [("idle", 0, 60 * (FEWEST_BLOCKS - 1))])
        .filter(dimension="all")
        .to_dicts()
    )
    assert (row["low_per_hour"], row["high_per_hour"], row["remark"]) == (None, None, TOO_LITTLE)
    assert row["up_unique_bytes_per_hour"] > 0


def test_a_state_that_was_not_observed_has_no_row():
    assert set(found([{"at": 5}], [("idle", 0, HOUR)])["state"]) == {"idle"}


def test_hosts_say_in_which_state_they_were_met_first():
    rows = [
        {"at": 5},
        {"at": HOUR + 5, "phase": 2, "state": "active"},
        {"at": HOUR + 6, "phase": 2, "state": "active", "host": "b.example", "flow": 2},
    ]
    table = found(rows, [("idle", 0, HOUR), ("active", HOUR, 2 * HOUR)])
    met = table.filter(dimension="host").select("state", "key", "first_met").rows()
    assert sorted(met) == [
        ("active", "a.example", "idle"),
        ("active", "b.example", "active"),
        ("idle", "a.example", "idle"),
    ]


def test_intervals_hold_the_true_rate_about_as_often_as_they_say():
    """Contacts by chance, 40 to the hour, 200 bytes in mean: 8,000 bytes an hour are true."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(60):
        times = np.sort(rng.uniform(0, 2 * HOUR, rng.poisson(80)))
        sizes = rng.exponential(200, len(times)).astype(int)
        rows = [
            {"at": at, "unique_bytes": int(size)} for at, size in zip(times, sizes, strict=True)
        ]
        row = found(rows, [("idle", 0, 2 * HOUR)]).filter(dimension="all").to_dicts()[0]
        hits += row["low_per_hour"] <= 8_000 <= row["high_per_hour"]
    assert hits >= 50


@pytest.mark.parametrize("name", NAMES)
def test_sums_over_states_are_those_of_the_uploads(name):
    analysis = sample(name).analysis
    by_state = dict(
        analysis.rates.filter(dimension="all").select("state", "up_unique_bytes").iter_rows()
    )
    assert by_state == {
        state: sent
        for state, sent in analysis.summary.up_unique_bytes_by_state.items()
        if state in by_state
    }
    for dimension in ("country", "host"):
        of_keys = analysis.rates.filter(dimension=dimension).group_by("state")
        assert (
            dict(of_keys.agg(pl.col("up_unique_bytes").sum()).iter_rows()).items()
            <= by_state.items()
        )
    assert analysis.bursts["up_unique_bytes"].sum() == analysis.summary.up_unique_bytes


def test_flows_are_those_with_packets_in_the_state():
    rows = [
        {"at": 5},
        {"at": 9, "flow": 2, "host": "b.example"},
        {"at": HOUR + 5, "phase": 2, "state": "active"},
    ]
    table = found(rows, [("idle", 0, HOUR), ("active", HOUR, 2 * HOUR)])
    counts = table.filter(dimension="all").select("state", "flows").rows()
    assert sorted(counts) == [("active", 1), ("idle", 2)]
    assert table.filter(dimension="host", key="b.example")["flows"].to_list() == [1]


def test_many_short_phases_are_little_time_too():
    spans = [("idle" if at % 2 else "active", 10 * at, 10 * at + 10) for at in range(40)]
    rows = [
        {"at": 10 * at + 1, "phase": at + 1, "state": state} for at, (state, *_) in enumerate(spans)
    ]
    for row in found(rows, spans).filter(dimension="all").to_dicts():
        assert (row["blocks"], row["remark"], row["low_per_hour"]) == (20, TOO_LITTLE, None)
