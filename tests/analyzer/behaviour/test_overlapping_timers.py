"""Several timers on one name: each found with its own contacts, and none made of chance."""

from math import log

import numpy as np
import pytest

from phonehome.analyzer.behaviour.overlapping_timers import (
    FEWEST_CONTACTS,
    FEWEST_LINKS,
    MOST_CHAINS,
    MOST_CONTACTS,
    REACH,
    TOLERANCES,
    _Chains,
    _followed,
    _longest,
    _Tried,
    _tried,
    several_of,
    timers,
)
from phonehome.analyzer.behaviour.periodicity import BREAK, CLEAR, Rhythm
from phonehome.captures.kernels.recurring_times import LEAST_EXCESS, MOST_RECURRING
from tests.analyzer import timers_twin
from tests.captures.reader import compile_once, interpreted

SECOND = 1e9


@pytest.fixture(autouse=True, scope="module")
def compiled():
    """Interpreted kernels take long for so many trains."""
    compile_once()


def seconds(*parts):
    return np.sort(np.concatenate(parts))


def found(times, trains=None):
    trains = np.zeros(len(times), dtype=np.int64) if trains is None else trains
    return timers(np.asarray(times) * SECOND, trains, 2 * SECOND)


def beats(period, until, jitter=0.0, seed=1):
    rng = np.random.default_rng(seed)
    exact = np.arange(period / 3, until, period)
    return exact + rng.uniform(-jitter, jitter, len(exact)) * period


@pytest.mark.parametrize("jitter", [0, 0.02])
def test_two_timers_are_found_each_with_its_contacts(jitter):
    fast, slow = beats(60, 7_200, jitter), beats(97, 7_200, jitter, seed=2)
    times = seconds(fast, slow)
    one, other = sorted(found(times), key=lambda timer: timer.rhythm.period)
    assert one.rhythm.period / SECOND == pytest.approx(60, rel=0.01)
    assert other.rhythm.period / SECOND == pytest.approx(97, rel=0.01)
    assert (one.rhythm.confidence, other.rhythm.confidence) == (CLEAR, CLEAR)
    assert not set(one.places) & set(other.places)
    assert len(np.intersect1d(times[one.places], fast)) > 0.9 * len(fast)
    assert len(np.intersect1d(times[other.places], slow)) > 0.8 * len(slow)


def test_missed_beats_are_counted_of_each():
    times = seconds(np.delete(beats(60, 7_200), [10, 40, 41, 90]), np.delete(beats(97, 7_200), 30))
    rhythms = [timer.rhythm for timer in found(times)]
    assert [round(rhythm.period / SECOND) for rhythm in rhythms] == [60, 97]
    assert [rhythm.missed for rhythm in rhythms] == [2, 1]


def test_a_timer_is_followed_across_trains_and_not_between_them():
    train = seconds(beats(60, 1_200), beats(97, 1_200))
    times = np.concatenate([train, train + 5_000.5])
    trains = np.repeat([0, 1], len(train))
    one = found(times, trains)[0].rhythm
    assert round(one.period / SECOND) == 60
    assert (one.beats, one.missed) == (40, 0)


def test_a_period_that_missed_beats_explain_is_no_second_timer():
    times = np.delete(beats(30, 3_600), np.arange(7, 100, 9))
    assert [round(timer.rhythm.period / SECOND) for timer in found(times)] == [30]


@pytest.mark.parametrize("number", [12, 40, 200])
def test_chance_and_people_make_no_timers(number):
    rng = np.random.default_rng(number)
    for _ in range(60):
        assert found(np.cumsum(rng.exponential(60, number))) == []
        assert found(np.cumsum(rng.lognormal(3, 1.5, number) + 1)) == []


def test_one_timer_that_holds_all_stays_alone():
    gaps = np.full(40, 60 * SECOND)
    alone = Rhythm(60 * SECOND, 41, 0, 0.0, 1.0, CLEAR)
    assert several_of(gaps, alone, 2 * SECOND) == []
    assert [timer.rhythm.beats for timer in several_of(gaps, None, 2 * SECOND)] == [41]


def test_few_contacts_and_none_have_no_timers():
    assert several_of(np.full(FEWEST_CONTACTS - 2, 60 * SECOND), None, 0) == []
    assert several_of(np.full(20, BREAK), None, 0) == []
    assert several_of(np.zeros(20), None, 2 * SECOND) == []


@pytest.mark.parametrize("seed", range(40))
def test_chains_are_those_of_the_slow_twin(seed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, 60, rng.integers(2, 60)) + rng.choice([0.0, 0.25, 0.5]))
    period, tolerance = float(rng.integers(2, 9)), float(rng.choice([0.0, 0.0625, 0.25]))
    wanted = timers_twin.longest(times, period, tolerance)
    fewest = [0, len(wanted), len(wanted) - 1]
    chains = dict(_longest(times, [_Tried(period, tolerance)] * 3, fewest))
    assert sorted(chains) == [0, 2]
    assert all(chain.tolist() == wanted.tolist() for chain in chains.values())


@pytest.mark.parametrize("seed", range(20))
def test_each_distance_is_chained_as_if_it_were_alone(seed):
    rng = np.random.default_rng(seed)
    times = np.sort(rng.integers(0, 60, rng.integers(2, 60)) + rng.choice([0.0, 0.25, 0.5]))
    tried = [_Tried(float(rng.integers(2, 9)), float(rng.choice([0.0, 0.25]))) for _ in range(8)]
    fewest = rng.integers(0, 8, 8).tolist()
    together = {at: chain.tolist() for at, chain in _longest(times, tried, fewest)}
    wanted = {
        at: chain.tolist()
        for at, one in enumerate(tried)
        if len(chain := timers_twin.longest(times, *one)) > fewest[at]
    }
    assert together == wanted


def near_and_trains(seed):
    """Times of several trains, some of them beats."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 30, rng.integers(1, 5))
    times = [
        beats(60, 60 * size, 0.05, seed)
        if rng.random() < 0.5
        else np.sort(rng.integers(0, 900, size))
        for size in sizes.tolist()
    ]
    trains = np.repeat(np.arange(len(times)), [len(train) for train in times])
    return np.concatenate(times).astype(np.float64), trains


@pytest.mark.parametrize("seed", range(40))
def test_recurring_distances_are_those_of_the_slow_twin(seed):
    times, trains = near_and_trains(seed)
    rate = len(times) / 3_600
    bounds = {"reach": REACH, "most": MOST_RECURRING, "least": LEAST_EXCESS}
    wanted = timers_twin.recurring(times, trains, 2, rate, TOLERANCES, **bounds)
    assert [tuple(one) for one in _tried(times, trains, 2, rate)] == wanted


def test_some_trains_have_recurring_distances():
    """What the test above compares is not only nothing."""
    found = [_tried(*near_and_trains(seed), 2, 0.01) for seed in range(40)]
    assert sum(map(bool, found)) > 10


@pytest.mark.parametrize("seed", range(5))
def test_interpreted_kernels_find_the_same(seed):
    times, trains = near_and_trains(seed)
    tried = [_Tried(60.0, 0.03), _Tried(7.0, 0.06)]
    compiled = _tried(times, trains, 2, 0.01), list(_longest(np.sort(times), tried, [2, 2]))
    with interpreted():
        plain = _tried(times, trains, 2, 0.01), list(_longest(np.sort(times), tried, [2, 2]))
    assert compiled[0] == plain[0]
    assert [at for at, _ in compiled[1]] == [at for at, _ in plain[1]]
    for (_, one), (_, other) in zip(compiled[1], plain[1], strict=True):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("jitter", [0, 0.02])
def test_beats_behind_the_first_contacts_count_too(jitter):
    fast, slow = beats(60, 180_000, jitter), beats(97, 180_000, jitter, seed=2)
    assert len(fast) + len(slow) > 4 * MOST_CONTACTS
    times = seconds(fast, slow)
    one, other = sorted(found(times), key=lambda timer: timer.rhythm.period)
    for timer, own in ((one, fast), (other, slow)):
        assert timer.rhythm.beats == len(timer.places) == len(np.unique(timer.places))
        assert timer.rhythm.beats == pytest.approx(len(own), rel=0.1)
        assert timer.rhythm.missed < 0.1 * len(own)
        assert len(np.intersect1d(times[timer.places], own)) > 0.8 * len(own)
    assert not set(one.places) & set(other.places)


def test_a_timer_goes_on_after_a_pause_and_in_later_trains():
    day = seconds(beats(60, 40_000), beats(97, 40_000))
    times = np.concatenate([day, day + 100_000, day + 200_000.5])
    trains = np.repeat([0, 1], [2 * len(day), len(day)])
    one, other = sorted(found(times, trains), key=lambda timer: timer.rhythm.period)
    assert (one.rhythm.beats, one.rhythm.missed) == (3 * len(beats(60, 40_000)), 0)
    assert (other.rhythm.beats, other.rhythm.missed) == (3 * len(beats(97, 40_000)), 0)


def test_a_timer_that_stops_gets_none_of_what_comes_later_by_chance():
    rng = np.random.default_rng(1)
    regular = seconds(beats(60, 40_000), beats(97, 40_000))
    times = np.append(regular, 40_100 + np.cumsum(rng.exponential(40, 3_000)))
    told = sum(timer.rhythm.beats for timer in found(times))
    assert told <= len(regular) + 30


def followed_slowly(one, places, times, window):
    """Places of a timer's beats: the longest chains of each window, as long as chance hardly is."""
    places = places.tolist()
    for begin in range(window, len(times), window):
        last = max(places)
        left = [last, *range(begin, min(begin + window, len(times)))]
        for _ in range(MOST_CHAINS):
            span = times[left[-1]] - times[left[0]]
            likely = 4 * one.tolerance * one.period * len(left) / span if span else 1
            chain = [left[at] for at in timers_twin.longest(times[left], *one)]
            if likely >= 1 or len(chain) < 2:
                break
            fewest = max(1 + log(len(left)) / -log(likely), FEWEST_LINKS)
            if chain[0] != last and len(chain) <= fewest:
                break
            places += [place for place in chain if place != last]
            left = [place for place in left if place not in chain]
    return sorted(places)


@pytest.mark.parametrize("seed", range(20))
def test_later_beats_are_those_of_the_slow_twin(seed, monkeypatch):
    monkeypatch.setattr("phonehome.analyzer.behaviour.overlapping_timers.MOST_CONTACTS", 40)
    rng = np.random.default_rng(seed)
    pauses = np.cumsum(rng.choice([0, 0, 0, 0, 0, 0, 0, 900], 90))
    regular = np.arange(90) * 60 + pauses + rng.uniform(-1, 1, 90)
    others = rng.uniform(0, regular[-1], 60)
    times = seconds(regular, others)
    one = _Tried(60.0, 0.06)
    chain = timers_twin.longest(times[:40], *one)
    given = _Chains(60.0, 0.06, np.diff(times[chain]), chain, -20.0)
    (chains,) = _followed([given], times, np.zeros(len(times), dtype=np.int64))
    wanted = followed_slowly(one, chain, times, 40)
    assert np.sort(chains.places).tolist() == wanted
    assert len(wanted) > len(chain)
