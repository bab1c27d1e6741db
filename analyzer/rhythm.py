"""Whether contacts come periodically: statistics of the intervals between them.

A period is fitted to the intervals; one of several periods is a beat missed. How far intervals are
from whole periods, in mean and as a share of the period, tells a timer from chance: of contacts
that come by chance it is a quarter. How much less it must be for so few intervals was measured on
contacts by chance (`scripts/measure_beacons.py`, docs/validation.md).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_INTERVALS = 2
MOST_INTERVALS = 4_096
"""Of longer trains the first are looked at."""
WEAK, CLEAR = "weak", "clear"
_QUANTILES = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75)
_ROUNDS = 3
_BY_CHANCE = 0.25
_LEAST_SINGLE = 0.5
_MOST_PERIODS = 2
_LENGTHS = np.array([2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100])
_LEAST_WEAK = np.array([0.994, 0.9, 0.8, 0.67, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
_LEAST_CLEAR = np.array([2, 0.99, 0.94, 0.88, 0.81, 0.7, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5])
"""For so many intervals; two are never clear. By chance: `weak` 1 of 200, `clear` 1 of 10,000."""

Numbers = NDArray[np.float64]


class Rhythm(NamedTuple):
    """What is periodic about contacts.

    Attributes:
        period: ns.
        beats: contacts, without those that came with another.
        missed: beats that the period has room for between them, and that did not come.
        jitter: ns; mean distance of the intervals from whole periods.
        score: 1: exact, 0: as contacts that come by chance.
        confidence: `clear`: of 10,000 trains that come by chance one looks so; `weak`: of 200.
    """

    period: float
    beats: int
    missed: int
    jitter: float
    score: float
    confidence: str


def merged(times: NDArray[np.int64], pause: int) -> NDArray[np.int64]:
    """Places of the times that begin a contact: those behind a longer pause; times are in order."""
    return np.flatnonzero(np.diff(times, prepend=np.iinfo(np.int64).min // 2) > pause)


def rhythms(
    intervals: Mapping[int, Numbers], trains: Mapping[int, int], shortest: float = 0
) -> dict[int, Rhythm]:
    """The rhythms of groups of intervals; where chance may have made them, a group has none.

    Args:
        intervals: ns between contacts, of all trains of a group.
        trains: how many uninterrupted trains with an interval each group has.
        shortest: ns; a shorter period is none.
    """
    alike: dict[int, list[int]] = defaultdict(list)
    for group, of in intervals.items():
        if len(of) >= FEWEST_INTERVALS:
            alike[min(len(of), MOST_INTERVALS)].append(group)
    found: dict[int, Rhythm] = {}
    for length, groups in sorted(alike.items()):
        weak, clear = least_scores(length)
        rows = np.array([intervals[group][:length] for group in groups])
        for group, period, score, periods in zip(groups, *fitted(rows), strict=True):
            if score >= weak and period >= shortest:
                found[group] = Rhythm(
                    period=float(period),
                    beats=length + trains[group],
                    missed=round(periods) - length,
                    jitter=float((1 - score) * _BY_CHANCE * period),
                    score=float(score),
                    confidence=CLEAR if score >= clear else WEAK,
                )
    return found


def fitted(intervals: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Period, score and number of periods that fit best, per row of intervals.

    At least half of the intervals are one period, and of the periods no more than half is missed;
    where nothing fits so, the score is 0.
    """
    rows, number = intervals.shape
    period, score, periods = np.zeros(rows), np.zeros(rows), np.full(rows, float(number))
    for start in np.quantile(intervals, _QUANTILES, axis=1):
        guess = np.maximum(start, 1.0)
        for _ in range(_ROUNDS):
            times = np.maximum(np.rint(intervals / guess[:, np.newaxis]), 1)
            guess = np.maximum((times * intervals).sum(axis=1) / (times**2).sum(axis=1), 1.0)
        times = np.maximum(np.rint(intervals / guess[:, np.newaxis]), 1)
        apart = np.abs(intervals / guess[:, np.newaxis] - times).mean(axis=1)
        whole = times.sum(axis=1)
        is_possible = (times == 1).mean(axis=1) >= _LEAST_SINGLE
        is_possible &= whole <= _MOST_PERIODS * number
        found = np.where(is_possible, 1 - apart / _BY_CHANCE, 0.0)
        is_better = found > score
        period = np.where(is_better, guess, period)
        periods = np.where(is_better, whole, periods)
        score = np.where(is_better, found, score)
    return period, score, periods


def least_scores(intervals: int) -> tuple[float, float]:
    """The scores from which so many intervals count as a rhythm: weak, and clear."""
    place = int(np.searchsorted(_LENGTHS, intervals, side="right")) - 1
    return float(_LEAST_WEAK[place]), float(_LEAST_CLEAR[place])
