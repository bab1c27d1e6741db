"""Offsets of a phone's list of names: found where names agree, and not made up of chance."""

import json

import numpy as np
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.clock.offset_by_names import FEWEST_NAMES, by_names
from phonehome.analyzer.settings import Settings
from tests.analyzer.log_times import PARROT
from tests.analyzer.places.test_round_trips import SAMPLES

SECOND = 1_000_000_000
HOUR = 3_600


def met(rng, names, *, ahead=0.0, stray=0.8):
    """What a phone lists of names, and what the capture of an hour shows of them."""
    stated, seen = [], {}
    for number in range(names):
        times = np.sort(rng.uniform(0, HOUR, rng.integers(1, 20)))
        name = f"{number}.example"
        seen[name] = (times * SECOND).astype(np.int64)
        moments = times[[0, -1]] + rng.uniform(-stray, stray, 2) + ahead
        stated += [(name, round(moment * SECOND)) for moment in moments]
    return stated, seen


@pytest.mark.parametrize("ahead", [37.2, -411.0, 0.0])
def test_a_list_that_is_off_is_found_within_its_interval(ahead):
    for seed in range(20):
        stated, seen = met(np.random.default_rng(seed), 8, ahead=ahead)
        found = by_names(stated, seen)
        assert found.low <= -ahead * SECOND <= found.high, seed
        assert found.high - found.low <= 6 * SECOND
        assert found.events >= FEWEST_NAMES


def test_names_of_another_week_say_nothing():
    told = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        _, seen = met(rng, 20)
        stated = [(name, round(rng.uniform(0, HOUR) * SECOND)) for name in seen for _ in (0, 1)]
        found = by_names(stated, seen)
        told += found.offset is not None
        assert found.offset is not None or found.remark
    assert told <= 1


def test_without_a_shared_name_there_is_no_evidence():
    assert by_names([("a.example", 5)], {"b.example": np.array([5])}) is None
    assert by_names([], {}) is None
    far = by_names([("a.example", HOUR * SECOND)], {"a.example": np.array([0])})
    assert (far.events, far.offset) == (1, None)


def test_few_names_are_too_few():
    stated, seen = met(np.random.default_rng(1), FEWEST_NAMES - 1)
    assert by_names(stated, seen).remark == f"fewer than {FEWEST_NAMES} names agree on an offset"


def test_two_offsets_that_fit_alike_are_none():
    seen = {f"{n}.example": np.array([0, 60]) * SECOND for n in range(6)}
    found = by_names([(name, 0) for name in seen], seen)
    assert (found.offset, found.remark) == (None, "names agree on several offsets")


def report_of(capture, ahead):
    """An App Privacy Report of what a sample's truth names, `ahead` seconds off."""
    truth = json.loads(capture.with_name("rep1.truth.json").read_text())
    first = {one["remote_address"]: one["first_time"] for one in reversed(truth["flows"])}
    rows = [{"_marker": "<metadata>", "exportTimestamp": "2026-09-15T00:00:00.000Z"}]
    for one in truth["destinations"]:
        if one["host"]:
            begun = np.datetime64(first[one["address"]].rstrip("Z"), "ns")
            time = f"{begun + np.timedelta64(round(ahead * 1e3), 'ms')}"[:23] + "Z"
            rows.append({
                "domain": one["host"], "firstTimeStamp": time, "timeStamp": time,
                "type": "networkActivity", "bundleID": PARROT, "hits": 1,
            })  # fmt: skip
    return "\n".join(map(json.dumps, rows))


def test_a_report_of_a_sample_is_moved_onto_it(tmp_path):
    capture = SAMPLES / "parrot-1.0" / "rep1.pcap"
    path = tmp_path / "report.ndjson"
    path.write_text(report_of(capture, 37.2))
    asked = analyze([capture], Settings(timelines=(path,), clock_offset=None))
    (row,) = asked.clocks.filter(evidence="names").to_dicts()
    assert row["low"].total_seconds() <= -37.2 <= row["high"].total_seconds()
    assert row["is_applied"]
    (unasked,) = analyze([capture], Settings(timelines=(path,))).clocks.to_dicts()
    assert unasked == row | {"is_applied": False}
