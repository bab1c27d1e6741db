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
    tried = _tried(_distances(times, trains, shortest), len(times) / seen, len(times))
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


def _distances(times: Times, trains: Places, shortest: float) -> Times:
    """Distances between near contacts of a train, in order of size."""
    begin = np.arange(len(times))[:, None]
    end = np.minimum(begin + np.arange(1, REACH + 1), len(times))
    is_of_train = np.append(trains, -1)[end] == trains[begin]
    distances = (np.append(times, np.inf)[end] - times[begin])[is_of_train]
    return np.sort(distances[distances >= shortest])


def _tried(ordered: Times, rate: float, contacts: int) -> list[_Tried]:
    """Distances that occur more often than chance gives, of each tolerance the most striking first.

    Args:
        ordered: distances between near contacts, ns, in order of size.
        rate: contacts per ns.
        contacts: how many there are.
    """
    if not len(ordered):
        return []
    strays = np.array(TOLERANCES)[:, None]
    near = np.searchsorted(ordered, ordered * (1 + strays), side="right")
    near = near - np.searchsorted(ordered, ordered * (1 - strays))
    expected = 2 * strays * ordered * rate * contacts
    tried: list[_Tried] = []
    for tolerance, excess in zip(TOLERANCES, near - expected - 3 * np.sqrt(expected), strict=True):
        for _ in range(MOST_TRIED):
            most = excess.argmax()
            if excess[most] < FEWEST_LINKS - 2:
                break
            period = float(ordered[most])
            tried.append(_Tried(period, tolerance))
            excess[np.abs(ordered / period - 1) <= tolerance] = -np.inf
    return tried


def _chained(times: Times, starts: list[int], tried: list[_Tried]) -> list[_Chains | None]:
    """The longest chains of each train at each of these distances.

    None: what is there tells no more than chance. All distances are looked at together: at most
    of them too few contacts have a next one, and nothing is chained.

    Args:
        times: of contacts, ns.
        starts: places at which trains begin, and the number of contacts.
        tried: the distances.
    """
    found: list[list[Places]] = [[] for _ in tried]
    chances = [log(len(times) * REACH * len(TOLERANCES))] * len(tried)
    for start, end in pairwise(starts):
        own = times[start:end]
        span, size = float(own[-1] - own[0]), end - start
        likely = [4 * one.tolerance * one.period * size / span if span > 0 else 1 for one in tried]
        fewest = {at: 1 + log(size) / -log(of) for at, of in enumerate(likely) if of < 1}
        if len(starts) == 2:  # noqa: PLR2004 - one train, which must have all links
            fewest = {at: max(of, FEWEST_LINKS) for at, of in fewest.items()}
        for at, chain in _longest(own, [tried[at] for at in fewest], list(fewest.values())):
            number = list(fewest)[at]
            chances[number] += (len(chain) - 1) * log(likely[number]) + log(size)
            found[number].append(chain + start)
    return [
        _joined(times, places, one.period, chance)
        for one, places, chance in zip(tried, found, chances, strict=True)
    ]


def _joined(times: Times, places: list[Places], period: float, chance: float) -> _Chains | None:
    """Chains of all trains together; None: too few links, or most of them skip a beat."""
    links = [np.diff(times[chain]) for chain in places]
    if sum(map(len, links)) < FEWEST_LINKS:
        return None
    together = np.concatenate(links)
    whole = np.maximum(np.rint(together / period), 1)
    if 2 * np.count_nonzero(whole == 1) < len(whole):
        return None
    fitted = float((whole * together).sum() / (whole**2).sum())
    return _Chains(fitted, together, np.concatenate(places), chance)


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
    periods, tolerances = np.array(tried).reshape(-1, 2, 1, 1).swapaxes(0, 1)
    edges = times + _EDGES_BEATS * periods + _EDGES_SIDES * (tolerances * periods)
    edges[:, 1::2] = np.nextafter(edges[:, 1::2], np.inf)  # what comes just in time is in time
    places = np.searchsorted(times, edges)
    begins = np.maximum(places[:, ::2], np.arange(1, len(times) + 1))
    ends = places[:, 1::2]
    is_long = _are_longer(begins, ends, np.array(fewest))
    for at in np.flatnonzero(is_long).tolist():
        yield at, _longest_within(begins[at], ends[at])


def _are_longer(begins: Places, ends: Places, fewest: Times) -> NDArray[np.bool_]:
    """At which distances a chain has more contacts than the fewest.

    Counted is how many contacts have a next one, how many of those have one that has a next one,
    and so on: for all distances at once, far cheaper than chains.

    Args:
        begins: of shape (distances, 2, contacts): the first contact one, and two, periods later.
        ends: of that shape: the contact after the last one.
        fewest: of each distance.
    """
    rows, _, contacts = begins.shape
    apart = (contacts + 1) * np.arange(rows)[:, None, None]
    begins, ends = begins + apart, ends + apart
    counts = np.tile(np.arange(contacts + 1), (rows, 1))
    is_long, length = np.ones(rows, dtype=np.bool_), 1
    while (is_awaited := is_long & (length <= fewest)).any():
        of_row = counts.ravel()
        has_next = (of_row[ends] > of_row[begins]).any(axis=1)
        np.cumsum(has_next, axis=1, out=counts[:, 1:])
        is_long &= ~is_awaited | (counts[:, -1] > 0)
        length += 1
    return is_long


def _longest_within(begins: Places, ends: Places) -> Places:
    """The longest chain at one distance, of shapes as above without that; its places."""
    (first, second), (first_end, second_end) = begins.tolist(), ends.tolist()
    length, following = [1] * len(first), [-1] * len(first)
    for at in np.flatnonzero((begins < ends).any(axis=0))[::-1].tolist():
        longest, then = 1, -1
        for later in (*range(first[at], first_end[at]), *range(second[at], second_end[at])):
            if length[later] >= longest:
                longest, then = length[later] + 1, later
        length[at], following[at] = longest, then
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
