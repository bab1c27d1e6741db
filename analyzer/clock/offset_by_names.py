"""How far a phone's list of the names it met is off a capture's clock, from the names in both.

An App Privacy Report of iOS says of each domain when an app met it first and last. Whichever of
those moments lie in the capture stand in it as a look-up or a hello of that name, all shifted
alike; moments outside it, and names that are met all the time, are shifted by chance.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from phonehome.analyzer.clock.offset import FARTHEST, Estimate
from phonehome.analyzer.kinds.measured import FEW_NAMES
from phonehome.captures.words import SECOND

NAMES = "names"
TOGETHER = 2 * SECOND
"""Within how much time the shifts of different names must agree."""
MARGIN = 2 * SECOND
"""What the interval is widened by: an app's contact and its packets are not the same moment."""
APART = 5 * SECOND
FEWEST_NAMES = 4
MOST_SEEN = 1_000
"""Sightings of a name that are looked at."""

Stated = tuple[str, int]
"""Name, and time at which the phone says that it was met, ns."""


def by_names(stated: Sequence[Stated], seen: Mapping[str, NDArray[np.int64]]) -> Estimate | None:
    """What names say that the phone lists and the capture shows; None: they share none.

    Args:
        stated: names with the times that the phone states.
        seen: times at which the capture shows each name, ns, in any order.
    """
    shared = sorted({name for name, _ in stated if name in seen})
    if not shared:
        return None
    shifts, names = _shifts(stated, seen, shared)
    counts = _names_together(shifts, names)
    if not len(counts) or counts.max() < FEWEST_NAMES:
        return Estimate(NAMES, len(shared), remark=FEW_NAMES(count=FEWEST_NAMES))
    best = int(counts.argmax())
    is_other = np.abs(shifts - shifts[best]) > APART
    if 2 * int(counts[is_other].max(initial=0)) > counts[best]:
        return Estimate(NAMES, len(shared), remark="names agree on several offsets")
    last = int(np.searchsorted(shifts, shifts[best] + TOGETHER, side="right")) - 1
    low, high = int(shifts[best]), int(shifts[last])
    return Estimate(NAMES, int(counts[best]), (low + high) // 2, low - MARGIN, high + MARGIN)


def _shifts(
    stated: Sequence[Stated], seen: Mapping[str, NDArray[np.int64]], shared: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All shifts that bring a stated time onto a sighting of its name, in order; and whose."""
    place = {name: at for at, name in enumerate(shared)}
    parts, owners = [], []
    for name, time in sorted(set(stated)):
        if name in place:
            shifts = np.sort(seen[name])[:MOST_SEEN] - time
            near = shifts[np.abs(shifts) <= FARTHEST * SECOND]
            parts.append(near)
            owners.append(np.full(len(near), place[name]))
    shifts, names = np.concatenate(parts), np.concatenate(owners)
    order = np.argsort(shifts, kind="stable")
    return shifts[order], names[order]


def _names_together(shifts: NDArray[np.int64], names: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each shift how many names have one from it on within `TOGETHER`."""
    ends = np.searchsorted(shifts, shifts + TOGETHER, side="right")
    return np.array(
        [len(set(names[at:end].tolist())) for at, end in enumerate(ends.tolist())], dtype=np.int64
    )
