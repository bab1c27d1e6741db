"""Several timers that share a name: each found as a chain of contacts one period apart.

Between the beats of one timer come those of the other, so intervals between neighbours say nothing.
Looked for are distances that occur more often between contacts (near ones, not only neighbours)
than chance gives; then contacts are chained at that distance. How seldom chance makes so long a
chain decides: each link needs a contact where the last one says. A period that is a whole multiple
of a shorter one is not told from that one's missed beats, and left out.
"""

from collections.abc import Iterator
from itertools import pairwise
from math import log
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

_EDGES_BEATS = np.array([[1], [1], [2], [2]])
_EDGES_SIDES = np.array([[-1], [1], [-1], [1]])
"""Edges of the windows in which the next contacts are expected, of either number of periods."""

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
    starts = [*np.flatnonzero(np.diff(trains, prepend=-1)).tolist(), len(times)]
    seen = sum(float(times[end - 1] - times[start]) for start, end in pairwise(starts))
    if seen <= 0:
        return None
    rate = len(times) / seen
    best: _Chains | None = None
    distances = _distances(times, trains, shortest)
    for tolerance in TOLERANCES:
        for period in _candidates(distances, tolerance, rate, len(times)):
            chains = _chained(times, starts, period, tolerance)
            if chains is not None:
                again = _chained(times, starts, chains.period, tolerance)
                chains = chains if again is None else min(chains, again, key=_chance_of)
                best = chains if best is None else min(best, chains, key=_chance_of)
    if best is None or best.chance > MOST_CHANCE:
        return None
    return _undivided(best, times, starts, shortest)


def _undivided(chains: _Chains, times: Times, starts: list[int], shortest: float) -> _Chains:
    """The chains, or those of the shorter timer of which they are every second or third beat."""
    whole = chains
    for parts in range(2, MOST_PARTS + 1):
        for tolerance in TOLERANCES:
            part = _chained(times, starts, chains.period / parts, tolerance)
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


def _distances(times: Times, trains: Places, shortest: float) -> Times:
    """Distances between near contacts of a train, in order of size."""
    apart = [
        (times[ahead:] - times[:-ahead])[trains[ahead:] == trains[:-ahead]]
        for ahead in range(1, min(REACH, len(times) - 1) + 1)
    ]
    ordered = np.sort(np.concatenate(apart))
    return ordered[ordered >= shortest]


def _candidates(ordered: Times, tolerance: float, rate: float, contacts: int) -> Iterator[float]:
    """Distances that occur more often than chance gives, the most striking first."""
    near = np.searchsorted(ordered, ordered * (1 + tolerance), side="right")
    near = near - np.searchsorted(ordered, ordered * (1 - tolerance))
    expected = 2 * tolerance * ordered * rate * contacts
    excess = near - expected - 3 * np.sqrt(expected)
    for _ in range(MOST_TRIED):
        if not len(ordered) or excess.max() < FEWEST_LINKS - 2:
            return
        period = float(ordered[excess.argmax()])
        yield period
        excess[np.abs(ordered / period - 1) <= tolerance] = -np.inf


def _chained(times: Times, starts: list[int], period: float, tolerance: float) -> _Chains | None:
    """The longest chain of each train at this distance, as far as they tell more than chance.

    Args:
        times: of contacts, ns.
        starts: places at which trains begin, and the number of contacts.
        period: ns.
        tolerance: share of it by which a contact may come early or late.
    """
    places: list[Places] = []
    chance = log(len(times) * REACH * len(TOLERANCES))
    for start, end in pairwise(starts):
        own = times[start:end]
        span, size = float(own[-1] - own[0]), end - start
        likely = 2 * 2 * tolerance * period * size / span if span > 0 else 1.0
        if likely >= 1:
            continue
        fewest = 1 + log(size) / -log(likely)
        if len(starts) == 2:  # noqa: PLR2004 - one train, which must have all links
            fewest = max(fewest, FEWEST_LINKS)
        chain = _longest(own, period, tolerance, fewest)
        if chain is not None:
            chance += (len(chain) - 1) * log(likely) + log(size)
            places.append(chain + start)
    links = [np.diff(times[chain]) for chain in places]
    if sum(map(len, links)) < FEWEST_LINKS:
        return None
    together = np.concatenate(links)
    whole = np.maximum(np.rint(together / period), 1)
    if 2 * np.count_nonzero(whole == 1) < len(whole):
        return None
    fitted = float((whole * together).sum() / (whole**2).sum())
    return _Chains(fitted, together, np.concatenate(places), chance)


def _longest(times: Times, period: float, tolerance: float, fewest: float) -> Places | None:
    """The longest chain of contacts each a period, or two, after the last; their places.

    None: it has no more than the fewest contacts.
    """
    strays = tolerance * period
    edges = times + _EDGES_BEATS * period + _EDGES_SIDES * strays
    edges[1::2] = np.nextafter(edges[1::2], np.inf)  # what comes just in time is in time
    places = np.searchsorted(times, edges)
    begins, ends = np.maximum(places[::2], np.arange(1, len(times) + 1)), places[1::2]
    has_next = np.flatnonzero((begins < ends).any(axis=0))
    if 1 + len(has_next) <= fewest:
        return None
    size = len(times) + 1
    is_some = begins < ends
    reached = np.cumsum(
        np.bincount(begins[is_some], minlength=size) - np.bincount(ends[is_some], minlength=size)
    )
    if 2 + np.count_nonzero(reached[has_next]) <= fewest:
        return None
    (first, second), (first_end, second_end) = begins.tolist(), ends.tolist()
    length, following = [1] * len(times), [-1] * len(times)
    for at in has_next[::-1].tolist():
        longest, then = 1, -1
        for later in (*range(first[at], first_end[at]), *range(second[at], second_end[at])):
            if length[later] >= longest:
                longest, then = length[later] + 1, later
        length[at], following[at] = longest, then
    chain = [length.index(max(length))]
    if length[chain[0]] <= fewest:
        return None
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
