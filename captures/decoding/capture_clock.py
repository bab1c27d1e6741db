"""The time that a capture covers, without time stamps that cannot be true.

One packet stamped years away would stretch what was observed, and make every rate per hour wrong.
Days on which there are packets fall apart into stretches; what is far from the stretch with most
packets, and small beside it, is far off: it counts in no span, and is told.
"""

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.kernels.layout import NO_TIME

DAY_NS = 86_400_000_000_000
DAYS_APART = 30
SMALL_SHARE = 0.01


class Clock:
    """Takes the times of packets, in any order."""

    def __init__(self) -> None:
        self._days: dict[int, tuple[int, int, int]] = {}

    def add(self, times: NDArray[np.int64]) -> None:
        """Take times, ns since 1970 or `NO_TIME`."""
        known = times[times != NO_TIME]
        if not len(known):
            return
        days = known // DAY_NS
        if days.min() == days.max():
            self._note(int(days[0]), known)
            return
        for day in np.unique(days).tolist():
            self._note(day, known[days == day])

    def _note(self, day: int, times: NDArray[np.int64]) -> None:
        count, low, high = self._days.get(day, (0, int(times[0]), int(times[0])))
        self._days[day] = (
            count + len(times),
            min(low, int(times.min())),
            max(high, int(times.max())),
        )

    def _stretches(self) -> list[list[int]]:
        """Days that have packets, apart where there are none for long."""
        found: list[list[int]] = []
        for day in sorted(self._days):
            if found and day - found[-1][-1] <= DAYS_APART:
                found[-1].append(day)
            else:
                found.append([day])
        return found

    def _believed(self) -> list[int]:
        """Days of all stretches that are not far off."""
        stretches = self._stretches()
        sizes = [sum(self._days[day][0] for day in stretch) for stretch in stretches]
        most = max(sizes, default=0)
        return [
            day
            for stretch, size in zip(stretches, sizes, strict=True)
            for day in stretch
            if size >= SMALL_SHARE * most
        ]

    def span(self) -> tuple[int, int] | None:
        """First and last time, ns, that can be believed; None: no packet has one."""
        days = [self._days[day] for day in self._believed()]
        if not days:
            return None
        return min(low for _, low, _ in days), max(high for _, _, high in days)

    def far_off(self) -> int:
        """Packets whose time is far off."""
        believed = set(self._believed())
        return sum(count for day, (count, _, _) in self._days.items() if day not in believed)
