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

from phonehome.analyzer.behaviour.periodicity import BREAK, BY_CHANCE, CLEAR, WEAK, Rhythm
from phonehome.captures import MOST_RECURRING, longest_chains, recurring_distances

FEWEST_CONTACTS = 12
MOST_CONTACTS = 1_024
"""Among the first of more, timers are looked for; the others are looked through for their beats."""
MOST_TIMERS = 3
MOST_CHAINS = 8
"""Looked for in one name; a timer that pauses leaves several, of one period."""
REACH = 12
"""Contacts ahead of each to which distances are measured."""
TOLERANCES = (0.01, 0.03, 0.06)
"""Shares of the period by which a beat may come early or late."""
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


class _Tried(NamedTuple):
    """A distance at which contacts are chained.

    Attributes:
        period: ns.
        tolerance: share of it by which a contact may come early or late.
    """

    period: float
    tolerance: float


class _Chains(NamedTuple):
    period: float
    tolerance: float
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
    followed = _followed(apart[:MOST_TIMERS], times, trains)
    return [Timer(_rhythm(chains), np.sort(chains.places)) for chains in followed]


def _followed(found: list[_Chains], times: Times, trains: Places) -> list[_Chains]:
    """These timers with their beats among later contacts, the surest first, some at a time."""
    followed = list(found)
    for begin in range(MOST_CONTACTS, len(times) if found else 0, MOST_CONTACTS):
        left = np.arange(begin, min(begin + MOST_CONTACTS, len(times)))
        for at, chains in enumerate(followed):
            followed[at] = _with_later(chains, left, times, trains)
            left = np.setdiff1d(left, followed[at].places[len(chains.places) :])
    return followed


def _with_later(chains: _Chains, later: Places, times: Times, trains: Places) -> _Chains:
    """The chains, and those that later contacts make at their distance; new places come last.

    Args:
        chains: of one timer.
        later: places of contacts behind its own, in order.
        times: of all contacts, ns.
        trains: of each contact the train.
    """
    last = int(chains.places.max())
    left = np.append(last, later)
    links, places = [chains.links], [chains.places]
    for _ in range(MOST_CHAINS):
        more = _going_on(_Tried(chains.period, chains.tolerance), last, left, times, trains)
        if not more:
            break
        links += [np.diff(times[chain]) for chain in more]
        places += [chain[chain != last] for chain in more]
        left = np.setdiff1d(left, np.concatenate(more))
    return chains._replace(links=np.concatenate(links), places=np.concatenate(places))


def _going_on(one: _Tried, last: int, left: Places, times: Times, trains: Places) -> list[Places]:
    """The longest chain of each train that goes on from the last beat, or that chance hardly makes.

    Args:
        one: period and tolerance of the timer.
        last: place of its last beat.
        left: places of contacts, in order.
        times: of all contacts, ns.
        trains: of each contact the train.
    """
    starts = [*np.flatnonzero(np.diff(trains[left], prepend=-1)).tolist(), len(left)]
    found = []
    for start, end in pairwise(starts):
        own = left[start:end]
        likely = _likely(times[own], one)
        if likely < 1:
            fewest = _fewest(likely, len(own), is_alone=len(starts) == 2)  # noqa: PLR2004 - one train
            chains = [own[chain] for _, chain in _longest(times[own], [one], [1])]
            found += [chain for chain in chains if chain[0] == last or len(chain) > fewest]
    return found


def _likely(times: Times, one: _Tried) -> float:
    """How likely chance has a contact where the last one says; 1 and more: that says nothing."""
    span = float(times[-1] - times[0])
    return 4 * one.tolerance * one.period * len(times) / span if span > 0 else 1.0


def _fewest(likely: float, contacts: int, *, is_alone: bool) -> float:
    """How many contacts a chain may have by chance; where all links are in one train, more."""
    fewest = 1 + log(contacts) / -log(likely)
    return max(fewest, FEWEST_LINKS) if is_alone else fewest


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
    tried = _tried(times, trains, shortest, len(times) / seen)
    best: _Chains | None = None
    for one, chains in zip(tried, _chained(times, starts, tried), strict=True):
        if chains is not None:
            again = _chained(times, starts, [one._replace(period=chains.period)])[0]
            better = chains if again is None else min(chains, again, key=_chance_of)
            best = better if best is None else min(best, better, key=_chance_of)
    if best is None or best.chance > MOST_CHANCE:
        return None
    return _undivided(best, times, starts, shortest)


def _undivided(chains: _Chains, times: Times, starts: list[int], shortest: float) -> _Chains:
    """The chains, or those of the shorter timer of which they are every second or third beat."""
    whole = chains
    for parts in range(2, MOST_PARTS + 1):
        tried = [_Tried(chains.period / parts, tolerance) for tolerance in TOLERANCES]
        for part in _chained(times, starts, tried):
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


def _tried(times: Times, trains: Places, shortest: float, rate: float) -> list[_Tried]:
    """Distances between near contacts that occur more often than chance gives.

    Args:
        times: of contacts, ns, in order within each train.
        trains: of each contact its train, in order.
        shortest: ns; a shorter distance does not count.
        rate: contacts per ns.
    """
    facts = np.array([shortest, rate, len(times)])
    distances, excess = np.empty((2, REACH * len(times)))
    found = np.empty((MOST_RECURRING * len(TOLERANCES), 2))
    count = recurring_distances(
        times, trains, facts, np.array(TOLERANCES), distances, excess, found
    )
    return [_Tried(*row) for row in found[:count].tolist()]


def _chained(times: Times, starts: list[int], tried: list[_Tried]) -> list[_Chains | None]:
    """The longest chains of each train at each of these distances.

    None: what is there tells no more than chance.

    Args:
        times: of contacts, ns.
        starts: places at which trains begin, and the number of contacts.
        tried: the distances.
    """
    found: list[list[Places]] = [[] for _ in tried]
    chances = [log(len(times) * REACH * len(TOLERANCES))] * len(tried)
    for start, end in pairwise(starts):
        own = times[start:end]
        size, is_alone = end - start, len(starts) == 2  # noqa: PLR2004 - one train
        likely = [_likely(own, one) for one in tried]
        fewest = {
            at: _fewest(of, size, is_alone=is_alone) for at, of in enumerate(likely) if of < 1
        }
        for at, chain in _longest(own, [tried[at] for at in fewest], list(fewest.values())):
            number = list(fewest)[at]
            chances[number] += (len(chain) - 1) * log(likely[number]) + log(size)
            found[number].append(chain + start)
    return [
        _joined(times, places, one, chance)
        for one, places, chance in zip(tried, found, chances, strict=True)
    ]


def _joined(times: Times, places: list[Places], one: _Tried, chance: float) -> _Chains | None:
    """Chains of all trains together; None: too few links, or most of them skip a beat."""
    if not places:
        return None
    links = [np.diff(times[chain]) for chain in places]
    if sum(map(len, links)) < FEWEST_LINKS:
        return None
    together = np.concatenate(links)
    whole = np.maximum(np.rint(together / one.period), 1)
    if 2 * np.count_nonzero(whole == 1) < len(whole):
        return None
    fitted = float((whole * together).sum() / (whole**2).sum())
    return _Chains(fitted, one.tolerance, together, np.concatenate(places), chance)


def _longest(
    times: Times, tried: list[_Tried], fewest: list[float]
) -> Iterator[tuple[int, Places]]:
    """The longest chain of contacts each a period, or two, after the last, at each distance.

    Args:
        times: of contacts, ns.
        tried: distances.
        fewest: for each: a chain of no more contacts than these is left out.

    Yields:
        Place of the distance, and the places of its contacts.
    """
    if not tried:
        return
    found = np.empty((len(tried), len(times) + 1), dtype=np.int64)
    length, following = np.empty((2, len(times)), dtype=np.int64)
    longest_chains(
        times, np.array(tried), np.array(fewest, dtype=np.float64), length, following, found
    )
    for at in np.flatnonzero(found[:, 0]).tolist():
        yield at, found[at, 1 : 1 + found[at, 0]]


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
