"""The slow twin of how contacts are chained: every place is tried, nothing is left out early."""

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
