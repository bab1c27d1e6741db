"""Whether contacts come periodically: statistics of the intervals between them.

A period is fitted to the intervals; one of several periods is a beat missed. How far intervals are
from whole periods, in mean and as a share of the period, tells a timer from chance: of contacts
that come by chance it is a quarter. How much less it must be for so few intervals was measured on
contacts by chance (`scripts/measure_behaviour.py`, docs/validation.md).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FEWEST_INTERVALS = 2
BREAK = -1.0
"""Stands between intervals where one train ends and another begins."""
MOST_INTERVALS = 4_096
"""To the first of more a period is fitted; then all are held against it."""
FEWEST_WITH_OTHERS = 10
"""Intervals from which contacts between beats are looked for."""
MOST_OTHERS = 0.25
NEAR = 0.2
MOST_AT_ONCE = 1 << 17
WEAK, CLEAR = "weak", "clear"
_QUANTILES = (0.1, 0.25, 0.4, 0.5, 0.6, 0.75)
_ROUNDS = 3
BY_CHANCE = 0.25
_LEAST_SINGLE = 0.5
_MOST_PERIODS = 2
_LENGTHS = np.array([2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100])
_LEAST_WEAK = np.array([0.995, 0.9, 0.8, 0.67, 0.6, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5])
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


class Held(NamedTuple):
    """A rhythm, and for each contact of its group whether it is a beat of it."""

    rhythm: Rhythm
    is_beat: NDArray[np.bool_]


class Kept(NamedTuple):
    """What is left without contacts that came between beats.

    Attributes:
        intervals: ns between beats.
        is_beat: for each contact whether one of these intervals begins or ends there.
    """

    intervals: Numbers
    is_beat: NDArray[np.bool_]


def rhythms(
    intervals: Mapping[int, Numbers], trains: Mapping[int, int], shortest: float = 0
) -> dict[int, Rhythm]:
    """The rhythms of groups of intervals; where chance may have made them, a group has none.

    Args:
        intervals: ns between contacts of a group, with `BREAK` where a train ends.
        trains: how many uninterrupted trains with an interval each group has.
        shortest: ns; a shorter period is none.
    """
    return {group: one.rhythm for group, one in held(intervals, trains, shortest).items()}


def held(
    intervals: Mapping[int, Numbers], trains: Mapping[int, int], shortest: float = 0
) -> dict[int, Held]:
    """The rhythms of groups of intervals, and which of their contacts are beats.

    A contact is a beat where an interval that counts begins or ends; one that is alone in its
    train is none.

    Args:
        intervals: as `rhythms`.
        trains: as `rhythms`.
        shortest: as `rhythms`.
    """
    plain = {group: of[of != BREAK] for group, of in intervals.items()}
    beats = {group: len(of) + trains[group] for group, of in plain.items()}
    found = _fitting(plain, beats, shortest)
    rest = {
        group: alone
        for group, of in intervals.items()
        if group not in found and (alone := without_others(of)) is not None
    }
    between = _fitting(
        {group: of.intervals for group, of in rest.items()},
        {group: int(np.count_nonzero(of.is_beat)) for group, of in rest.items()},
        shortest,
    )
    return {group: Held(of, _at_ends(intervals[group] != BREAK)) for group, of in found.items()} | {
        group: Held(of, rest[group].is_beat) for group, of in between.items()
    }


def _at_ends(is_interval: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """For each contact whether one of these intervals begins or ends there."""
    places = np.flatnonzero(is_interval)
    return np.isin(np.arange(len(is_interval) + 1), [places, places + 1])


def _fitting(
    intervals: Mapping[int, Numbers], beats: Mapping[int, int], shortest: float
) -> dict[int, Rhythm]:
    """The rhythms of groups of intervals of which no train ends between two."""
    alike: dict[int, list[int]] = defaultdict(list)
    for group, of in intervals.items():
        if len(of) >= FEWEST_INTERVALS:
            alike[min(len(of), MOST_INTERVALS).bit_length()].append(group)
    found: dict[int, Rhythm] = {}
    for of_size in alike.values():
        for groups in _pieces(of_size, intervals):
            lengths = np.array([min(len(intervals[group]), MOST_INTERVALS) for group in groups])
            rows = np.zeros((len(groups), lengths.max()))
            for row, group, length in zip(rows, groups, lengths, strict=True):
                row[:length] = intervals[group][:length]
            for group, *fit in zip(groups, *fitted(rows, lengths), strict=True):
                one = _rhythm(intervals[group], beats[group], *fit)
                if one is not None and one.period >= shortest:
                    found[group] = one
    return found


def _rhythm(
    intervals: Numbers, beats: int, period: float, score: float, periods: float
) -> Rhythm | None:
    """The rhythm of a group, of which the first intervals were fitted; None: chance may be it.

    Args:
        intervals: all of the group, ns.
        beats: contacts that they are between.
        period: as fits the first best, ns.
        score: of the first.
        periods: number of periods in the first.
    """
    length = len(intervals)
    weak, clear = least_scores(length)
    if score >= weak and length > MOST_INTERVALS:
        times = np.maximum(np.rint(intervals / period), 1)
        score = 1 - np.abs(intervals / period - times).mean() / BY_CHANCE
        periods = times.sum()
    if score < weak:
        return None
    return Rhythm(
        period=float(period),
        beats=beats,
        missed=round(periods) - length,
        jitter=float((1 - score) * BY_CHANCE * period),
        score=float(score),
        confidence=CLEAR if score >= clear else WEAK,
    )


def without_others(intervals: Numbers) -> Kept | None:
    """Intervals and beats without the contacts that came between; None: no beats stand out.

    The period is the one near which most intervals lie; it must be half of them. Shorter ones
    next to one another that add up to it are one.

    Args:
        intervals: ns, with `BREAK` where a train ends.
    """
    real = intervals[intervals != BREAK]
    if len(real) < FEWEST_WITH_OTHERS:
        return None
    ordered = np.sort(real)
    near = np.searchsorted(ordered, ordered * (1 + NEAR)) - np.searchsorted(
        ordered, ordered * (1 - NEAR)
    )
    period = ordered[near.argmax()]
    if near.max() < len(real) / 2:
        return None
    kept: list[float] = []
    is_beat = np.zeros(len(intervals) + 1, dtype=np.bool_)
    sent = others = begin = 0
    open_sum = 0.0
    for at, gap in enumerate(intervals.tolist()):
        if gap == BREAK:
            begin, open_sum = at + 1, 0.0
            continue
        sent += 1
        open_sum += gap
        if open_sum < period * (1 - NEAR):
            others += 1
            continue
        kept.append(min(open_sum, gap, key=lambda of: _off(of, period)))
        is_beat[[begin if kept[-1] == open_sum else at, at + 1]] = True
        begin, open_sum = at + 1, 0.0
    return Kept(np.array(kept), is_beat) if 0 < others <= MOST_OTHERS * sent else None


def _off(gap: float, period: float) -> float:
    """How far a gap is from whole periods, and at least one."""
    return abs(gap - max(round(gap / period), 1) * period)


def _pieces(groups: list[int], intervals: Mapping[int, Numbers]) -> Iterator[list[int]]:
    """The groups, a few at a time, so that they take little memory together."""
    at = 0
    while at < len(groups):
        longest = min(len(intervals[groups[at]]), MOST_INTERVALS)
        number = max(1, MOST_AT_ONCE // (2 * longest))
        yield groups[at : at + number]
        at += number


def fitted(
    intervals: Numbers, counts: NDArray[np.int64] | None = None
) -> tuple[Numbers, Numbers, Numbers]:
    """Period, score and number of periods that fit best, per row of intervals.

    At least half of the intervals are one period, and of the periods no more than half is missed;
    where nothing fits so, the score is 0.

    Args:
        intervals: ns; what stands behind the intervals of a row is not looked at.
        counts: intervals of each row; None: all.
    """
    rows, width = intervals.shape
    if counts is None:
        counts = np.full(rows, width)
    there = (np.arange(width) < counts[:, np.newaxis]).astype(np.float64)
    ordered = np.sort(np.where(there > 0, intervals, np.inf), axis=1)
    intervals = np.where(there > 0, intervals, 0.0)
    period, score, periods = np.zeros(rows), np.zeros(rows), counts.astype(np.float64)
    for share in _QUANTILES:
        start = ordered[np.arange(rows), (share * (counts - 1)).astype(np.int64)]
        guess = np.maximum(start, 1.0)[:, np.newaxis]
        for _ in range(_ROUNDS):
            times = np.maximum(np.rint(intervals / guess), 1) * there
            sums = (times * intervals).sum(axis=1) / (times**2).sum(axis=1)
            guess = np.maximum(sums, 1.0)[:, np.newaxis]
        times = np.maximum(np.rint(intervals / guess), 1) * there
        apart = np.abs(intervals / guess - times).sum(axis=1) / counts
        whole = times.sum(axis=1)
        is_possible = (times == 1).sum(axis=1) >= _LEAST_SINGLE * counts
        is_possible &= whole <= _MOST_PERIODS * counts
        found = np.where(is_possible, 1 - apart / BY_CHANCE, 0.0)
        is_better = found > score
        period = np.where(is_better, guess[:, 0], period)
        periods = np.where(is_better, whole, periods)
        score = np.where(is_better, found, score)
    return period, score, periods


def least_scores(intervals: int) -> tuple[float, float]:
    """The scores from which so many intervals count as a rhythm: weak, and clear."""
    place = int(np.searchsorted(_LENGTHS, intervals, side="right")) - 1
    return float(_LEAST_WEAK[place]), float(_LEAST_CLEAR[place])
