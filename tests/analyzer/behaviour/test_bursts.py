"""Bursts: what follows closely is one, with its size class and what came before."""

from datetime import timedelta

import pytest

from phonehome.analyzer.behaviour.bursts import burst_starts, bursts
from tests.analyzer.met import SECOND, contacts, met, phases

IDLE = phases(("idle", 0, 1_000), ("active", 1_000, 2_000))


def found(*rows, spans=IDLE):
    return bursts(met(*rows), spans)


def test_contacts_of_several_flows_make_one_burst():
    (burst,) = found(
        {"at": 10, "end": 14, "unique_bytes": 300},
        {"at": 12, "end": 13, "unique_bytes": 900, "flow": 2, "host": "b.example"},
        {"at": 19, "unique_bytes": 5, "flow": 3, "host": None, "first_frame": 9, "last_frame": 11},
    ).to_dicts()
    assert burst["up_unique_bytes"] == 1_205
    assert burst["flows"] == [1, 2, 3]
    assert burst["names"] == ["b.example", "a.example", "203.0.113.7"]
    assert (burst["end"] - burst["start"]) == timedelta(seconds=9)
    assert (burst["first_frame"], burst["last_frame"]) == (1, 11)
    assert burst["since_phase"] == timedelta(seconds=10)


def test_a_pause_another_phase_app_or_capture_begins_another_burst():
    rows = [
        {"at": 10},
        {"at": 15.1},
        {"at": 16, "app": "one"},
        {"at": 17, "capture": "b.pcap"},
        {"at": 18, "phase": 2, "state": "active"},
    ]
    table = found(*rows)
    assert table.height == 5
    assert table["burst"].to_list() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("sent", "size"),
    [
        (1, "heartbeat"),
        (3_999, "heartbeat"),
        (4_000, "message"),
        (35_625, "photo"),
        (915_000, "large"),
    ],
)
def test_size_classes_begin_where_they_say(sent, size):
    assert found({"at": 1, "unique_bytes": sent})["size"].to_list() == [size]


def test_what_came_last_before_a_burst_is_named():
    table = found(
        {"at": 20, "is_up": False, "host": "push.example", "flow": 8},
        {"at": 21.5},
        {"at": 22, "is_up": False, "host": "late.example", "flow": 9},
        {"at": 60},
    )
    first, second = table.to_dicts()
    assert first["preceded_by"] == "push.example"
    assert first["preceding_flow"] == 8
    assert first["preceded"] == timedelta(seconds=1.5)
    assert second["preceded_by"] is None


def test_downloads_alone_are_no_bursts():
    assert found({"at": 1, "is_up": False}).height == 0


def test_bursts_hold_all_that_contacts_hold():
    rows = [{"at": at * 1.7, "unique_bytes": at} for at in range(1, 200)]
    assert found(*rows)["up_unique_bytes"].sum() == sum(range(1, 200))


def test_starts_are_those_behind_a_pause():
    table = contacts(
        {"at": 1, "end": 9}, {"at": 3}, {"at": 14}, {"at": 19.5}, {"at": 20, "is_up": False}
    )
    assert (burst_starts(table) / SECOND).tolist() == [1, 19.5]
    assert burst_starts(contacts()).tolist() == []
