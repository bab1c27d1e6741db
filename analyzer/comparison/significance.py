"""What chance alone could have done: exact tests of two groups of repetitions, and their errors.

Numbers in, numbers out; nothing here knows what a row is about. The tests ask one question: had
the labels of the two sides been dealt to the repetitions at random, how often would the sides
differ as much as they do? (Fisher 1935; Good, Permutation Tests, 2nd edition, chapter 3.)
"""

from functools import cache
from itertools import combinations
from math import comb, inf, sqrt
from statistics import NormalDist
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

ALPHA: Final = 0.05
"""Share of findings that may be false (false discovery rate), and level of a single test."""
SEED: Final = 20_200_919
MOST_EXACT: Final = 20_000
"""Up to so many ways to deal the labels all are tried (8 against 8); beyond, so many are drawn."""
DRAWS: Final = 4_000
"""Resamples of repetitions behind an interval."""
CHUNK: Final = 128
"""Rows that are resampled at once: memory follows them."""
MOST_REPETITIONS: Final = 60
"""Where more than so many a side would be needed, no number is told."""
TIE: Final = 1e-9
"""Differences of logarithms that are closer are the same: sums in another order."""

STUDENT_975: Final = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
)
"""Quantile 0.975 of Student's t for 1 to 20 degrees of freedom (any table of it)."""

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Tested(NamedTuple):
    """What a test gave per row.

    Attributes:
        p: two-sided p-value.
        least: the lowest p-value that these data could have given, however the labels lie.
        effect: difference of new and base in the unit of the test; its sign is the direction.
    """

    p: Numbers
    least: Numbers
    effect: Numbers


def floor(base: int, new: int) -> float:
    """The lowest p-value that so many repetitions a side can give: 0.1 for 3 and 3."""
    if not base or not new:
        return 1.0
    return min(1.0, (2 if base == new else 1) / comb(base + new, new))


@cache
def deals(base: int, new: int) -> Flags:
    """Ways to call `new` of all repetitions new, a row each; the first is as they are.

    All of them, or where they are more than `MOST_EXACT`, so many drawn with a fixed seed.
    """
    total = base + new
    own = np.arange(total) >= base
    if comb(total, new) <= MOST_EXACT:
        places = np.array(list(combinations(range(total), new)), dtype=np.intp).reshape(-1, new)
        ways = np.zeros((len(places), total), dtype=np.bool_)
        np.put_along_axis(ways, places, values=True, axis=1)
        return np.vstack([own[np.newaxis], ways[~(ways == own).all(axis=1)]])
    rng = np.random.default_rng([SEED, base, new])
    order = rng.permuted(np.tile(np.arange(total), (MOST_EXACT - 1, 1)), axis=1)
    return np.vstack([own[np.newaxis], order >= base])


def _differences(values: Numbers, base: int) -> Numbers:
    """Mean of new less mean of base: per row and way to deal the labels."""
    new = values.shape[1] - base
    of_new: Numbers = values @ deals(base, new).T.astype(np.float64)
    found: Numbers = of_new / new - (values.sum(axis=1, keepdims=True) - of_new) / base
    return found


def difference_test(values: Numbers, base: int) -> Tested:
    """Permutation test of the difference of means, two-sided.

    Args:
        values: per row the values of all repetitions, those of the base first.
        base: repetitions of the base.
    """
    found = _differences(values, base)
    sizes = np.abs(found)
    own = sizes[:, :1]
    p = (sizes >= own - TIE).mean(axis=1)
    least = (sizes >= sizes.max(axis=1, keepdims=True) - TIE).mean(axis=1)
    return Tested(p, least, np.where(np.abs(found[:, 0]) <= TIE, 0.0, found[:, 0]))


def sameness_test(values: Numbers, base: int, margin: float) -> Numbers:
    """P-value per row that the means differ by `margin` or more: low, they are the same.

    Two one-sided permutation tests (Schuirmann 1987), of new shifted up and down by the margin;
    the larger p-value counts. 3 repetitions a side can give 0.05.
    """
    new = values.shape[1] - base
    dealt = deals(base, new)
    moved = (dealt & dealt[0]).sum(axis=1)
    shift = margin * (moved / new - (new - moved) / base)
    differences = _differences(values, base)
    below, above = differences - shift, differences + shift
    is_below = (below <= below[:, :1] + TIE).mean(axis=1)
    is_above = (above >= above[:, :1] - TIE).mean(axis=1)
    found: Numbers = np.maximum(is_below, is_above)
    return found


@cache
def _fisher(seen: int, base: int, new: int) -> tuple[tuple[float, ...], float]:
    """Two-sided p per number of those seen that are new, from the lowest on; and the lowest p."""
    first = max(0, seen - base)
    ways = [comb(new, at) * comb(base, seen - at) for at in range(first, min(seen, new) + 1)]
    whole = sum(ways)
    of = tuple(sum(other for other in ways if other <= way) / whole for way in ways)
    return of, min(of)


def presence_test(base_seen: int, base: int, new_seen: int, new: int) -> tuple[float, float]:
    """Fisher's exact test, two-sided, of how many repetitions of each side saw something.

    Returns:
        The p-value, and the lowest that so many sightings in all could have given.
    """
    seen = base_seen + new_seen
    found, least = _fisher(seen, base, new)
    return found[new_seen - max(0, seen - base)], least


def association_test(kinds: NDArray[np.intp], base: int) -> tuple[float, float]:
    """Exact test of whether the side says of which kind a repetition is (chi-square, dealt anew).

    Args:
        kinds: per repetition, those of the base first, the number of its kind, from 0.
        base: repetitions of the base.

    Returns:
        The p-value, and the lowest that these kinds could have given.
    """
    each = np.eye(int(kinds.max()) + 1)[kinds]
    dealt = deals(base, len(kinds) - base).astype(np.float64)
    found = ((dealt @ each - each.mean(axis=0) * (len(kinds) - base)) ** 2 / each.sum(axis=0)).sum(
        axis=1
    )
    return float((found >= found[0] - TIE).mean()), float((found >= found.max() - TIE).mean())


def false_discoveries(p: Numbers) -> Numbers:
    """Q-values of Benjamini and Hochberg (1995), of tests that are one family."""
    order = np.argsort(p, kind="stable")[::-1]
    ranked = p[order] * len(p) / np.arange(len(p), 0, -1)
    found = np.empty(len(p))
    found[order] = np.minimum.accumulate(np.minimum(ranked, 1.0))
    return found


def needed(share: float) -> int | None:
    """Repetitions a side from which on a test can be a finding.

    Args:
        share: part of the tests of the family that come out as clearly as can be, above 0.

    Returns:
        The lowest number k for which the lowest p-value of k against k is at most `share` of
        `ALPHA`; None: more than `MOST_REPETITIONS`.
    """
    enough = (
        each
        for each in range(2, MOST_REPETITIONS + 1)
        if floor(each, each) <= ALPHA * share * (1 + TIE)
    )
    return next(enough, None)


def ratio_interval(
    sent: Numbers, hours: Numbers, base: int
) -> tuple[list[float | None], list[float | None]]:
    """The 95 % interval of new rate over base rate per row, by resampling repetitions.

    Few repetitions vary less among themselves than more would; so the percentiles are taken
    further out, as Student's t says (the expanded percentile interval of Hesterberg 2015,
    The American Statistician 69, 4). With three or four it is the whole range.

    Args:
        sent: bytes per row and repetition, those of the base first.
        hours: time of each repetition, above 0.
        base: repetitions of the base.

    Returns:
        Lower and upper ends. None: a side has fewer than two repetitions; new sent nothing, so
        that there is no spread to resample; or no end, for the base may be nothing.
    """
    new = sent.shape[1] - base
    if min(base, new) < 2:  # noqa: PLR2004 - one repetition has no spread
        return [None] * len(sent), [None] * len(sent)
    rng = np.random.default_rng([SEED, base, new, len(hours)])
    drawn = [
        rng.multinomial(size, [1 / size] * size, size=DRAWS).T.astype(np.float64)
        for size in (base, new)
    ]
    times = [hours[:base] @ drawn[0], hours[base:] @ drawn[1]]
    tail = _tail(min(base, new))
    first, last = int(tail * (DRAWS - 1)), DRAWS - 1 - int(tail * (DRAWS - 1))
    low: list[float | None] = []
    high: list[float | None] = []
    for at in range(0, len(sent), CHUNK):
        part = sent[at : at + CHUNK]
        before = part[:, :base] @ drawn[0] / times[0]
        after = part[:, base:] @ drawn[1] / times[1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.sort(np.where(after > 0, after / before, 0.0), axis=1)
        ratios[~part[:, base:].any(axis=1)] = inf
        for ends, place in ((low, first), (high, last)):
            ends += [None if end == inf else end for end in ratios[:, place].tolist()]
    return low, high


def _tail(number: int) -> float:
    """The part of resamples that lies beyond each end of an interval of so many repetitions."""
    normal = NormalDist()
    free = number - 1
    student = STUDENT_975[free - 1] if free <= len(STUDENT_975) else normal.inv_cdf(0.975)
    return normal.cdf(-sqrt(number / free) * student)
