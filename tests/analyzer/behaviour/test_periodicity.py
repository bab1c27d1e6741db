"""Rhythms: what timers make is found, what comes by chance is not."""

import numpy as np
import pytest

from phonehome.analyzer.behaviour.periodicity import (
    BREAK,
    CLEAR,
    MOST_INTERVALS,
    WEAK,
    fitted,
    held,
    least_scores,
    rhythms,
    without_others,
)

SECOND = 1_000_000_000


def rhythm(times, shortest=0):
    gaps = np.diff(np.sort(np.asarray(times, dtype=np.float64) * SECOND))
    return rhythms({7: gaps}, {7: 1}, shortest).get(7)


def beats(number, period, jitter, rng):
    return np.arange(number) * period + rng.uniform(-jitter, jitter, number) * period


@pytest.mark.parametrize("period", [2.345, 59.5, 240.1, 3600.0])
@pytest.mark.parametrize("jitter", [0, 0.02, 0.1])
def test_timers_are_found_with_their_period(period, jitter):
    rng = np.random.default_rng(5)
    found = rhythm(beats(40, period, jitter, rng))
    assert found.confidence == CLEAR
    assert abs(found.period / SECOND - period) < 0.01 * period
    assert (found.beats, found.missed) == (40, 0)
    assert found.jitter < 0.12 * period * SECOND


def test_missed_beats_are_counted_and_do_no_harm():
    times = np.delete(np.arange(60) * 30.5, [5, 6, 20, 33, 34, 50])
    found = rhythm(times)
    assert (found.beats, found.missed) == (54, 6)
    assert found.period == 30.5 * SECOND
    assert found.score == 1


def test_three_beats_may_be_a_weak_rhythm_and_never_a_clear_one():
    found = rhythm([0, 60, 120.01])
    assert (found.confidence, found.beats, found.missed) == (WEAK, 3, 0)
    assert rhythm([0, 60, 125]) is None
    assert rhythm([0, 60]) is None
    assert rhythm([]) is None


def test_four_exact_beats_are_clear():
    assert rhythm([0, 60, 120, 180]).confidence == CLEAR


@pytest.mark.parametrize(
    "times",
    [
        [2**at for at in range(12)],
        np.cumsum(np.random.default_rng(2).lognormal(3, 1.5, 60)),
        np.cumsum(np.random.default_rng(3).exponential(60, 200)),
        np.random.default_rng(4).uniform(0, 7200, 50),
        [0, 0, 0, 0],
    ],
)
def test_back_offs_people_and_chance_have_no_rhythm(times):
    assert rhythm(times) is None


def test_a_period_shorter_than_asked_for_is_none():
    times = np.arange(30) * 1.5
    assert rhythm(times) is not None
    assert rhythm(times, shortest=2 * SECOND) is None


def test_chance_is_taken_for_a_rhythm_as_seldom_as_is_said():
    rng = np.random.default_rng(11)
    for number in (2, 3, 5, 10, 40):
        scores = fitted(rng.exponential(60 * SECOND, (20_000, number)))[1]
        weak, clear = least_scores(number)
        assert (scores >= weak).mean() <= 0.006
        assert (scores >= clear).mean() <= 0.0004


def test_groups_of_one_length_are_fitted_as_each_alone_is():
    rng = np.random.default_rng(1)
    groups = {at: np.diff(np.sort(beats(9, 30 + at, 0.05, rng))) * SECOND for at in range(20)}
    together = rhythms(groups, dict.fromkeys(groups, 1))
    assert together == {
        at: of for at in groups if (of := rhythms({at: groups[at]}, {at: 1}).get(at))
    }
    assert len(together) > 15


def test_other_contacts_between_beats_do_no_harm():
    rng = np.random.default_rng(3)
    times = np.append(np.arange(40) * 60.0, rng.uniform(0, 2_400, 5))
    found = rhythm(times)
    assert found.confidence == CLEAR
    assert abs(found.period / SECOND - 60) < 0.5


def test_intervals_are_not_added_up_across_trains():
    gaps = np.array([60.0, 60, 20, BREAK, 40, 60, 60, 60, 60, 60, 30, 30, 60, 60, 60]) * SECOND
    gaps[gaps == BREAK * SECOND] = BREAK
    kept = without_others(gaps)
    assert (kept.intervals / SECOND).tolist() == [60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60]
    assert kept.is_beat.tolist() == [True] * 3 + [False, False] + [True] * 6 + [False] + [True] * 4
    assert without_others(np.full(30, 60.0)) is None
    assert without_others(np.random.default_rng(1).exponential(60, 50)) is None


def test_all_beats_of_a_long_train_count_and_not_only_those_that_are_fitted():
    number = 2 * MOST_INTERVALS
    found = rhythm(np.delete(np.arange(number) * 30.0, [5, number - 9, number - 7]))
    assert (found.beats, found.missed, found.score) == (number - 3, 3, 1)
    jittery = rhythm(np.append(np.arange(number), number + np.arange(number) * 1.1) * 30.0)
    assert jittery.jitter / SECOND == pytest.approx(30 * 0.1 / 2, rel=0.01)


def test_a_rhythm_that_does_not_hold_to_the_end_of_a_long_train_is_none():
    rng = np.random.default_rng(1)
    regular = np.arange(MOST_INTERVALS + 1) * 30.0
    chance = regular[-1] + np.cumsum(rng.exponential(30, 3 * MOST_INTERVALS))
    assert rhythm(regular) is not None
    assert rhythm(np.append(regular, chance)) is None


def test_a_contact_that_is_alone_in_its_train_is_no_beat():
    gaps = np.array([60.0, 60, BREAK, BREAK, 60, 60, BREAK]) * SECOND
    gaps[gaps < 0] = BREAK
    one = held({7: gaps}, {7: 2})[7]
    assert one.rhythm.beats == np.count_nonzero(one.is_beat) == 6
    assert one.is_beat.tolist() == [True] * 3 + [False] + [True] * 3 + [False]


@pytest.mark.parametrize("seed", range(20))
def test_beats_are_as_many_as_contacts_that_are_told_to_be_beats(seed):
    rng = np.random.default_rng(seed)
    times = np.sort(np.append(np.arange(60) * 60.0, rng.uniform(0, 3_600, 8))) * SECOND
    gaps = np.diff(times)
    gaps[rng.integers(0, len(gaps), 3)] = BREAK
    one = held({7: gaps}, {7: 4})[7]
    assert one.rhythm.beats == np.count_nonzero(one.is_beat) >= 50
