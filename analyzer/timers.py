"""Several timers that share a name: each found as a chain of contacts one period apart.

Between the beats of one timer come those of the other, so intervals between neighbours say nothing.
Looked for are distances that occur more often between contacts (near ones, not only neighbours)
than chance gives; then contacts are chained at that distance. How seldom chance makes so long a
chain decides: each link needs a contact where the last one says. A period that is a whole multiple
of a shorter one is not told from that one's missed beats, and left out.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analyzer.rhythm import BREAK, BY_CHANCE, CLEAR, WEAK, Rhythm

FEWEST_CONTACTS = 12
MOST_CONTACTS = 1_024
"""Of more the first are looked at."""
MOST_TIMERS = 3
MOST_CHAINS = 8
"""Looked for in one name; a timer that pauses leaves several, of one period."""
REACH = 12
"""Contacts ahead of each to which distances are measured."""
TOLERANCES = (0.01, 0.03, 0.06)
"""Shares of the period by which a beat may come early or late."""
MOST_TRIED = 8
FEWEST_LINKS = 5
LEAST_TOLD = 0.8
"""Share of the contacts that several timers must hold where one was found before."""
EXACT = 0.95
MOST_PARTS = 6
WHOLE = 0.02
"""So near to a whole multiple of another period a period is not told from its missed beats."""
MOST_CHANCE, MOST_CHANCE_CLEAR = -9.0, -16.0
"""Natural logarithms of how seldom chance makes such chains, by the bound of `_chance`."""

Times = NDArray[np.float64]
Places = NDArray[np.int64]


class Timer(NamedTuple):
    """One timer: its rhythm, and the places of its contacts in what was given."""

    rhythm: Rhythm
    places: Places


class _Chains(NamedTuple):
    period: float
    links: Times  # distances, ns
    places: Places
    chance: float  # natural logarithm


def several_of(gaps: Times, alone: Rhythm | None, shortest: float) -> list[Timer]:
    """The timers that account for contacts better than one alone; none: it is the better answer.

    Args:
        gaps: ns between contacts, with `BREAK` where a train ends.
        alone: the rhythm that all of them have together; None: they have none.
        shortest: as `timers`.
    """
    if len(gaps) + 1 < FEWEST_CONTACTS or (alone is not None and _is_whole(alone, gaps)):
        return []
    times = np.append(0.0, np.cumsum(np.where(gaps == BREAK, 0.0, gaps)))
    trains = np.append(0, np.cumsum(gaps == BREAK))
    found = timers(times, trains, shortest)
    if alone is None:
        return found
    told = sum(len(timer.places) for timer in found)
    is_better = len(found) > 1 and told >= LEAST_TOLD * len(times)
    return found if is_better else []


def _is_whole(alone: Rhythm, gaps: Times) -> bool:
    """Whether one exact rhythm holds nearly all contacts."""
    return alone.score >= EXACT and alone.beats >= LEAST_TOLD * (len(gaps) + 1)


def timers(times: Times, trains: Places, shortest: float) -> list[Timer]:
    """The timers of one name, the surest first; none where chance may have made them.

    Args:
        times: of contacts, ns, in order within each train.
        trains: of each contact the uninterrupted train, in order.
        shortest: ns; a shorter period is none.
    """
    found: list[_Chains] = []
    left = np.arange(min(len(times), MOST_CONTACTS))
    for _ in range(MOST_CHAINS):
        if len(left) < FEWEST_CONTACTS or len(found) > MOST_TIMERS:
            break
        chains = _surest(times[left], trains[left], shortest)
        if chains is None:
            break
        _add(found, chains._replace(places=left[chains.places]))
        left = np.delete(left, chains.places)
    apart = [chains for chains in found if not _is_multiple(chains.period, found)]
    return [Timer(_rhythm(chains), np.sort(chains.places)) for chains in apart[:MOST_TIMERS]]


def _is_multiple(period: float, others: list[_Chains]) -> bool:
    """Whether a timer of a shorter period that misses beats would look so too."""
    ratios = [period / one.period for one in others]
    return any(round(of) > 1 and abs(of / round(of) - 1) <= WHOLE for of in ratios)


def _add(found: list[_Chains], chains: _Chains) -> None:
    """Add chains to those found: to the timer whose period they have, else as one more."""
    for at, one in enumerate(found):
        if abs(chains.period / one.period - 1) <= TOLERANCES[-1]:
            found[at] = one._replace(
                links=np.concatenate([one.links, chains.links]),
                places=np.concatenate([one.places, chains.places]),
            )
            return
    found.append(chains)


def _surest(times: Times, trains: Places, shortest: float) -> _Chains | None:
    """The chains that chance makes least; None: chance may have made all."""
    starts = np.flatnonzero(np.diff(trains, prepend=-1))
    ends = np.append(starts[1:], len(times)) - 1
    seen = float((times[ends] - times[starts]).sum())
    if seen <= 0:
        return None
    rate = len(times) / seen
    best: _Chains | None = None
    for tolerance in TOLERANCES:
        for period in _candidates(times, trains, shortest, tolerance, rate):
            chains = _chained(times, trains, period, tolerance)
            if chains is not None:
                again = _chained(times, trains, chains.period, tolerance)
                chains = chains if again is None else min(chains, again, key=_chance_of)
                best = chains if best is None else min(best, chains, key=_chance_of)
    if best is None or best.chance > MOST_CHANCE:
        return None
    return _undivided(best, times, trains, shortest)


def _undivided(chains: _Chains, times: Times, trains: Places, shortest: float) -> _Chains:
    """The chains, or those of the shorter timer of which they are every second or third beat."""
    whole = chains
    for parts in range(2, MOST_PARTS + 1):
        for tolerance in TOLERANCES:
            part = _chained(times, trains, chains.period / parts, tolerance)
            if (
                part is not None
                and part.period >= shortest
                and part.chance <= MOST_CHANCE
                and len(part.places) > len(whole.places)
            ):
                whole = part
    return whole


def _chance_of(chains: _Chains) -> float:
    return chains.chance


def _candidates(
    times: Times, trains: Places, shortest: float, tolerance: float, rate: float
) -> Iterator[float]:
    """Distances that occur more often than chance gives, the most striking first."""
    apart = [
        (times[ahead:] - times[:-ahead])[trains[ahead:] == trains[:-ahead]]
        for ahead in range(1, min(REACH, len(times) - 1) + 1)
    ]
    ordered = np.sort(np.concatenate(apart))
    ordered = ordered[ordered >= shortest]
    near = np.searchsorted(ordered, ordered * (1 + tolerance), side="right")
    near = near - np.searchsorted(ordered, ordered * (1 - tolerance))
    expected = 2 * tolerance * ordered * rate * len(times)
    excess = near - expected - 3 * np.sqrt(expected)
    for _ in range(MOST_TRIED):
        if not len(ordered) or excess.max() < FEWEST_LINKS - 2:
            return
        period = float(ordered[excess.argmax()])
        yield period
        excess = np.where(np.abs(ordered / period - 1) <= tolerance, -np.inf, excess)


def _chained(times: Times, trains: Places, period: float, tolerance: float) -> _Chains | None:
    """The longest chain of each train at this distance, as far as they tell more than chance."""
    places: list[Places] = []
    chance = np.log(len(times) * REACH * len(TOLERANCES))
    starts = [*np.flatnonzero(np.diff(trains, prepend=-1)).tolist(), len(times)]
    for start, end in pairwise(starts):
        own = times[start:end]
        chain = _longest(own, period, tolerance)
        if len(chain) < 2 or own[-1] <= own[0]:  # noqa: PLR2004 - no link
            continue
        likely = 2 * 2 * tolerance * period * len(own) / float(own[-1] - own[0])
        surprise = (len(chain) - 1) * np.log(min(likely, 1.0)) + np.log(len(own))
        if surprise < 0:
            chance += surprise
            places.append(chain + start)
    links = [np.diff(times[chain]) for chain in places]
    if sum(map(len, links)) < FEWEST_LINKS:
        return None
    together = np.concatenate(links)
    whole = np.maximum(np.rint(together / period), 1)
    if 2 * np.count_nonzero(whole == 1) < len(whole):
        return None
    fitted = float((whole * together).sum() / (whole**2).sum())
    return _Chains(fitted, together, np.concatenate(places), float(chance))


def _longest(times: Times, period: float, tolerance: float) -> Places:
    """The longest chain of contacts each a period, or two, after the last; their places."""
    strays = tolerance * period
    windows = [
        (
            np.searchsorted(times, times + beats * period - strays).tolist(),
            np.searchsorted(times, times + beats * period + strays, side="right").tolist(),
        )
        for beats in (1, 2)
    ]
    length, following = [1] * len(times), [-1] * len(times)
    for at in range(len(times) - 1, -1, -1):
        for begins, ends in windows:
            for later in range(max(begins[at], at + 1), ends[at]):
                if length[later] >= length[at]:
                    length[at], following[at] = length[later] + 1, later
    chain = [length.index(max(length))]
    while following[chain[-1]] >= 0:
        chain.append(following[chain[-1]])
    return np.array(chain)


def _rhythm(chains: _Chains) -> Rhythm:
    """The chains as a rhythm."""
    whole = np.maximum(np.rint(chains.links / chains.period), 1)
    off = float(np.abs(chains.links / chains.period - whole).mean())
    return Rhythm(
        period=chains.period,
        beats=len(chains.places),
        missed=round(float(whole.sum())) - len(whole),
        jitter=off * chains.period,
        score=max(1 - off / BY_CHANCE, 0.0),
        confidence=CLEAR if chains.chance <= MOST_CHANCE_CLEAR else WEAK,
    )
