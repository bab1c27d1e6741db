"""Slow twins of how distances are found and contacts are chained: nothing is left out early."""

import numpy as np


def longest(times, period, tolerance):
    """Places of the longest chain of contacts each a period, or two, after the last."""
    strays = tolerance * period
    length, following = [1] * len(times), [-1] * len(times)
    for at in range(len(times) - 1, -1, -1):
        for beats in (1, 2):
            for later in range(at + 1, len(times)):
                is_due = abs(times[later] - times[at] - beats * period) <= strays
                if is_due and length[later] >= length[at]:
                    length[at], following[at] = length[later] + 1, later
    chain = [length.index(max(length))]
    while following[chain[-1]] >= 0:
        chain.append(following[chain[-1]])
    return np.array(chain)


def recurring(times, trains, shortest, rate, tolerances, *, reach, most, least):  # noqa: PLR0913 - as the kernel
    """Distance and tolerance, by row: those that occur more often than chance gives."""
    places = range(len(times))
    distances = np.sort(
        [
            times[end] - times[begin]
            for begin in places
            for end in range(begin + 1, min(begin + reach, len(times) - 1) + 1)
            if trains[begin] == trains[end] and times[end] - times[begin] >= shortest
        ]
    )
    rows = []
    for tolerance in tolerances if len(distances) else ():
        is_near = (distances <= distances[:, None] * (1 + tolerance)) & (
            distances >= distances[:, None] * (1 - tolerance)
        )
        expected = 2 * tolerance * distances * rate * len(times)
        excess = is_near.sum(axis=1) - expected - 3 * np.sqrt(expected)
        for _ in range(most):
            period = distances[excess.argmax()]
            if excess.max() < least:
                break
            rows.append((float(period), tolerance))
            excess[np.abs(distances / period - 1) <= tolerance] = -np.inf
    return rows
