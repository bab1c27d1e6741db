import pytest

from benchmarks.bars import bars, verdicts
from benchmarks.measure import Sample
from benchmarks.results import Capture, Conditions, row

SHARED = Conditions("2026-11-22T00:00:00+00:00", "abc1234", "a processor", 2)


@pytest.fixture
def make(tmp_path):
    path = tmp_path / "a.pcap"
    path.write_bytes(b"1")

    def made(what, wall, *, packets=2_000_000, peak=100.0, ratio=None):
        task, _, program = what.partition(" of ")
        named = {"task": task, "program": program, "version": ""}
        sample = Sample(wall, wall, peak)
        return row(SHARED, Capture(path, packets, 10), named, (sample, 1), ratio)

    return made


def measured(rows):
    return {bar.text: (bar.measured, bar.is_met()) for bar in bars(rows)}


def test_without_rows_nothing_is_claimed():
    assert set(measured([]).values()) == {(None, None)}
    assert verdicts([]).count("not measured") == len(bars([]))


def test_a_peer_beside_phonehome_gives_the_ratio_the_other_way_round(make):
    rows = [
        make("analysis of phonehome", 2.0, ratio=1.0),
        make("analysis of ndpiReader", 5.0, ratio=2.5),
        make("analysis of softflowd", 0.8, ratio=0.4),
        make("analysis of nfstream", 10.0, ratio=5.0),
    ]
    found = measured(rows)
    assert found["analysis, time over ndpiReader -q"] == (0.4, True)
    assert found["analysis, time over softflowd"] == (2.5, False)
    assert found["analysis, time over nfstream"] == (0.2, False)


def test_peers_measured_alone_meet_no_bar(make):
    rows = [make("analysis of ndpiReader", 5.0)]
    assert measured(rows)["analysis, time over ndpiReader -q"] == (None, None)


def test_seven_times_faster_is_just_enough(make):
    rows = [make("analysis of nfstream", 7.0, ratio=7.0)]
    assert measured(rows)["analysis, time over nfstream"] == (0.143, True)


def test_growth_compares_the_longest_capture_with_the_shortest(make):
    rows = [
        make("growth of phonehome", 4.4, packets=4_000_000),
        make("growth of phonehome", 2.0, packets=2_000_000),
        make("memory of phonehome", 2.0, packets=2_000_000, peak=100),
        make("memory of phonehome", 20.0, packets=20_000_000, peak=104),
    ]
    found = measured(rows)
    assert found["twice the packets, time over time"] == (2.2, False)
    assert found["ten times the packets, peak over peak"] == (1.04, True)


def test_one_size_alone_says_nothing_of_growth(make):
    rows = [make("growth of phonehome", 2.0)]
    assert measured(rows)["twice the packets, time over time"] == (None, None)


def test_a_missed_bar_stands_out(make):
    rows = [make("help of phonehome", 0.9)]
    assert "MISSED" in verdicts(rows)


@pytest.mark.parametrize(("spent", "is_met"), [(0.004, True), (0.006, False)])
def test_searching_is_held_in_seconds_of_a_core_per_200_megabytes(tmp_path, spent, is_met):
    path = tmp_path / "a.pcap"
    path.write_bytes(bytes(1_000_000))
    named = {"task": "search", "program": "phonehome", "version": ""}
    rows = [row(SHARED, Capture(path, 10, 1), named, (Sample(9, spent, 100), 1), None)]
    found = measured(rows)["200 MB searched, seconds of a core"]
    assert found == (pytest.approx(200 * spent), is_met)
