"""Rhythms: what timers make is found, what comes by chance is not."""

import numpy as np
import pytest

from analyzer.rhythm import BREAK, CLEAR, WEAK, fitted, least_scores, rhythms, without_others

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
    kept = without_others(gaps) / SECOND
    assert kept.tolist() == [60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60]
    assert without_others(np.full(30, 60.0)) is None
    assert without_others(np.random.default_rng(1).exponential(60, 50)) is None
