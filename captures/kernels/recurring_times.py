# Held by tests/analyzer/behaviour/test_overlapping_timers.py: kernels, against their slow twins.
"""Kernels over times: distances between them that recur, and chains of times one distance apart.

What they find is the analyzer's business (`analyzer.behaviour.overlapping_timers`); they stand
here because this room has the door to machine code.
"""

from math import sqrt

from phonehome.captures.kernels.machine_code import compiled, part

MOST_RECURRING = 8
"""Distances of one tolerance."""
LEAST_EXCESS = 3
"""Occurrences beyond what chance gives."""


@compiled(results=1)
def recurring_distances(times, trains, facts, tolerances, distances, excess, found):
    """Distances that occur more often than chance gives, of each tolerance the most striking first.

    Args:
        times: in order within each train, floats.
        trains: of each time its train, in order.
        facts: floats: the shortest distance that counts, times per unit, times in all.
        tolerances: shares of a distance by which others may differ and count as the same.
        distances: room: for each time as many floats as later times of its train are looked at.
        excess: room of that size.
        found: gets distance and tolerance, by row; of `MOST_RECURRING` rows per tolerance.

    Returns:
        Rows found.
    """
    count = _near_distances(times, trains, facts[0], distances)
    _put_in_order(distances, count)
    rows = 0
    for which in range(len(tolerances)):
        tolerance = tolerances[which]
        _count_beyond_chance(distances, count, tolerance, facts[1], facts[2], excess)
        for _ in range(MOST_RECURRING):
            most = _first_largest(excess, count)
            if most < 0 or excess[most] < LEAST_EXCESS:
                break
            distance = distances[most]
            found[rows, 0], found[rows, 1] = distance, tolerance
            rows += 1
            for at in range(count):
                if abs(distances[at] / distance - 1) <= tolerance:
                    excess[at] = -1.0
    return rows


@part
def _near_distances(times, trains, shortest, distances):
    """Distances from each time to the next ones of its train; how many."""
    reach = len(distances) // max(len(times), 1)
    count = 0
    for begin in range(len(times)):
        for end in range(begin + 1, min(begin + reach, len(times) - 1) + 1):
            if trains[end] != trains[begin]:
                break
            distance = times[end] - times[begin]
            if distance >= shortest:
                distances[count] = distance
                count += 1
    return count


@part
def _put_in_order(values, count):
    """Sort the first values, by a heap."""
    for root in range(count // 2 - 1, -1, -1):
        _sift_down(values, root, count)
    for last in range(count - 1, 0, -1):
        values[0], values[last] = values[last], values[0]
        _sift_down(values, 0, last)


@part
def _sift_down(values, root, count):
    """Let a value sink until none below it is larger."""
    value = values[root]
    while 2 * root + 1 < count:
        below = 2 * root + 1
        if below + 1 < count and values[below + 1] > values[below]:
            below += 1
        if values[below] <= value:
            break
        values[root] = values[below]
        root = below
    values[root] = value


@part
def _count_beyond_chance(distances, count, tolerance, rate, times, excess):
    """For each distance: how many are near it, less what chance gives and three deviations."""
    low = high = 0
    for at in range(count):
        distance = distances[at]
        while high < count and distances[high] <= distance * (1 + tolerance):
            high += 1
        while low < count and distances[low] < distance * (1 - tolerance):
            low += 1
        expected = 2 * tolerance * distance * rate * times
        excess[at] = high - low - expected - 3 * sqrt(expected)


@part
def _first_largest(values, count):
    """Place of the first of the largest values; -1: there is none."""
    most = -1
    for at in range(count):
        if most < 0 or values[at] > values[most]:
            most = at
    return most


@compiled(results=0)
def longest_chains(times, tried, fewest, length, following, found):
    """The longest chain of times each a distance, or two, after the last, at each distance.

    Of chains as long as each other the one is taken that begins first and goes on latest.

    Args:
        times: in order, floats.
        tried: distance and tolerance, by row.
        fewest: for each row: a chain of no more times than this is left out.
        length: room for a number per time.
        following: room of that size.
        found: for each row gets the number of times, 0: left out, then their places.
    """
    for row in range(len(tried)):
        stray = tried[row, 1] * tried[row, 0]
        longest = _follow(times, tried[row, 0], stray, length, following)
        found[row, 0] = 0
        if longest >= 0 and length[longest] > fewest[row]:
            found[row, 0] = length[longest]
            at = longest
            for place in range(length[longest]):
                found[row, 1 + place] = at
                at = following[at]


@part
def _follow(times, distance, stray, length, following):
    """Of each time the longest chain from there, and its next; the place of the longest."""
    longest = -1
    for at in range(len(times) - 1, -1, -1):
        length[at], following[at] = 1, -1
        for beats in range(1, 3):
            due = times[at] + beats * distance
            later = _first_from(times, at + 1, due - stray)
            while later < len(times) and times[later] <= due + stray:
                if length[later] >= length[at]:
                    length[at], following[at] = length[later] + 1, later
                later += 1
        if longest < 0 or length[at] >= length[longest]:
            longest = at
    return longest


@part
def _first_from(times, low, edge):
    """Place, from `low` on, of the first time that is not before an edge."""
    high = len(times)
    while low < high:
        middle = (low + high) // 2
        if times[middle] < edge:
            low = middle + 1
        else:
            high = middle
    return low
