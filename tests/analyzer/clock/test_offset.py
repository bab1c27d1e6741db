"""Clock offsets: found within their interval where there is evidence, and not invented else."""

import numpy as np
import pytest
from measure_behaviour import HOUR, SECOND, nanoseconds, spans_of, world

from phonehome.analyzer.clock.offset import GIVEN, Estimate, by_bursts, by_hellos, clocks


@pytest.mark.parametrize("uses", [20, 30])
@pytest.mark.parametrize("ahead", [37.2, -411.0, 0.0])
def test_a_log_that_is_off_is_found_within_its_interval(uses, ahead):
    for seed in range(8):
        rows, bursts = world(np.random.default_rng(seed), uses)
        found = by_bursts(spans_of(rows, ahead), nanoseconds(bursts), 0, HOUR * SECOND)
        assert found.low <= -ahead * SECOND <= found.high, seed
        assert found.high - found.low < 30 * SECOND
        assert found.low <= found.offset <= found.high


def test_bursts_that_follow_nothing_say_nothing():
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(40):
        rows, bursts = world(rng, 15)
        chance = nanoseconds(np.sort(rng.uniform(0, HOUR, len(bursts))))
        found = by_bursts(spans_of(rows), chance, 0, HOUR * SECOND)
        told += found.offset is not None
        assert found.offset is not None or found.remark
    assert told <= 2


@pytest.mark.parametrize(
    ("rows", "bursts", "remark"),
    [
        ([("idle", 0, 60)], 30, "one state alone"),
        ([("idle", 0, 60), ("active", 60, 90)], 3, "fewer than 10 bursts"),
        ([("idle", at, at + 1) for at in range(4_200)] + [("active", 1, 2)], 30, "more than"),
    ],
)
def test_why_nothing_can_be_told_is_said(rows, bursts, remark):
    found = by_bursts(spans_of(rows), np.arange(bursts) * SECOND, 0, HOUR * SECOND)
    assert found.offset is None
    assert remark in found.remark


def test_without_spans_there_is_no_estimate():
    assert by_bursts([], np.arange(50), 0, HOUR) is None
    far = spans_of([("idle", 90_000, 90_001), ("active", 90_001, 90_002)])
    assert by_bursts(far, np.arange(50), 0, HOUR) is None


def test_hellos_give_an_interval_that_narrows():
    true = 12.3
    seen = np.array([5.0, 100.45, 307.9])
    stated = np.floor(seen + true)
    pairs = [(int(a) * SECOND, round(b * SECOND)) for a, b in zip(stated, seen, strict=True)]
    one, three = by_hellos(pairs[:1]), by_hellos(pairs)
    for found in (one, three):
        assert found.low <= -true * SECOND <= found.high
    assert three.high - three.low < one.high - one.low
    assert three.events == 3


def test_hellos_that_contradict_one_another_say_so():
    found = by_hellos([(0, 0), (90 * SECOND, 0)])
    assert (found.offset, found.remark) == (None, "they differ by 90.0 s")
    assert by_hellos([]) is None


def test_estimates_become_a_table():
    table = clocks(
        [("a", Estimate(GIVEN, 0, 5, 5, 5), True), ("a", Estimate("bursts", 3, remark="x"), False)]
    )
    assert table["is_applied"].to_list() == [True, False]
    assert table["offset"].to_physical().to_list() == [5, None]
    assert clocks([]).height == 0
