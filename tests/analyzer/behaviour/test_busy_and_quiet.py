"""Stretches inferred from traffic, and how well they tell use from rest on the samples."""

import pytest

from phonehome.analyzer.behaviour.busy_and_quiet import stretches
from tests.analyzer.met import SECOND, contacts, train
from tests.conftest import NAMES, sample

HOUR = [(0, 3_600 * SECOND)]


def found(*rows, observed=HOUR):
    table = stretches(contacts(*rows), observed)
    return [
        (row["activity"], row["start"].timestamp(), row["end"].timestamp())
        for row in table.to_dicts()
    ]


def used(begin, number=10):
    return [
        {"at": begin + 20 * at, "unique_bytes": 9_000, "remote_address": f"203.0.113.{at % 3}"}
        for at in range(number)
    ]


def test_runs_with_much_traffic_are_busy_and_the_rest_is_quiet():
    assert found(*used(600)) == [
        ("quiet", 0, 600),
        ("busy", 600, 780),
        ("quiet", 780, 3_600),
    ]


def test_heartbeats_are_quiet_for_weeks():
    weeks = 120 * 86_400
    beats = [
        {"at": at, "unique_bytes": 9_000, "remote_address": f"203.0.113.{at % 7}"}
        for at in range(0, weeks, 100)
    ]
    assert found(*beats, observed=[(0, weeks * SECOND)]) == [("quiet", 0, weeks)]


def test_heartbeats_are_quiet_however_long_they_go_on():
    beats = [
        row | {"remote_address": f"203.0.113.{at % 5}"}
        for at, row in enumerate(train(range(0, 3_600, 60)))
    ]
    assert found(*(row | {"unique_bytes": 1_500} for row in beats)) == [("quiet", 0, 3_600)]


def test_much_at_once_to_one_remote_is_busy():
    assert found({"at": 100, "end": 130, "unique_bytes": 700_000})[1] == ("busy", 100, 130)


def test_nothing_is_one_quiet_stretch():
    assert found() == [("quiet", 0, 3_600)]
    assert found(observed=[]) == []


def test_observed_spans_are_cut_on_their_own_and_bytes_are_all_counted():
    observed = [(0, 500 * SECOND), (1_000 * SECOND, 2_000 * SECOND)]
    rows = used(0) + used(1_100)
    table = stretches(contacts(*rows), observed)
    assert table["up_unique_bytes"].sum() == sum(
        row["unique_bytes"] for row in [*used(0), *used(1_100)]
    )
    assert table["stretch"].to_list() == list(range(1, table.height + 1))
    assert set(table["source"]) == {"inferred"}


@pytest.mark.parametrize("name", NAMES)
def test_on_samples_most_time_is_told_right(name):
    analysis = sample(name).analysis
    right = whole = 0.0
    for row in analysis.stretches.to_dicts():
        for phase in analysis.phases.to_dicts():
            if phase["state"] == "unknown":
                continue
            shared = min(row["end"], phase["end"]) - max(row["start"], phase["start"])
            seconds = max(0.0, shared.total_seconds())
            whole += seconds
            right += seconds * ((row["activity"] == "busy") == (phase["state"] != "idle"))
    assert right / whole > 0.75
