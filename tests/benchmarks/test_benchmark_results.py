import csv

import pytest

from benchmarks.measure import Sample
from benchmarks.results import Capture, Conditions, append, conditions, row, table

SHARED = Conditions("2026-11-22T00:00:00+00:00", "abc1234", "a processor", 2)
WHAT = {"task": "analysis", "program": "peer", "version": "1.0"}


@pytest.fixture
def capture(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(bytes(1_000))
    return Capture(path, 500, 20)


def test_a_row_states_packets_a_second_and_the_size_of_the_file(capture):
    made = row(SHARED, capture, WHAT, (Sample(0.25, 0.5, 12.34), 3), 1.5)
    assert (made.packets_per_s, made.bytes, made.flows, made.rounds) == (2_000, 1_000, 20, 3)
    assert (made.peak_mb, made.ratio, made.cores) == (12.3, 1.5, 2)


def test_rows_are_added_below_one_heading(tmp_path, capture):
    path = tmp_path / "results.csv"
    made = row(SHARED, capture, WHAT, (Sample(0.25, 0.5, 12.34), 3))
    append(path, [made])
    append(path, [made, made])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    assert rows[0] == rows[2]
    assert rows[0]["program"] == "peer"
    assert rows[0]["ratio"] == ""


def test_a_table_has_a_line_for_each_row_and_all_of_one_width(capture):
    made = row(SHARED, capture, WHAT, (Sample(0.25, 0.5, 12.34), 3))
    lines = table([made, made]).split("\n")
    assert len(lines) == 3
    assert len({len(line) for line in lines}) == 1
    assert "2,000" in lines[1]


def test_conditions_without_git_have_no_commit(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert conditions(tmp_path).commit == ""


def test_conditions_outside_git_have_no_commit(tmp_path):
    now = conditions(tmp_path)
    assert now.commit == ""
    assert now.cores >= 1
    assert now.machine
