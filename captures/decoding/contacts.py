# Held by tests/captures/decoding/test_decoding_sums.py: against a slow twin.
"""Contacts: stretches in which a direction of a conversation carried new payload without a pause.

They are kept while packets are added up, so that what is periodic, or comes in bursts, can be
found later. Where they are too many, longer pauses part them, and they become fewer.
"""

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.kernels.add_packets import PAUSE
from phonehome.captures.kernels.layout import (
    CONTACT_CODE,
    CONTACT_FIRST_FRAME,
    CONTACT_LAST,
    CONTACT_LAST_FRAME,
    CONTACT_PACKETS,
    CONTACT_SIDE,
    CONTACT_START,
    CONTACT_SUM,
    CONTACT_UNIQUE,
    CONTACT_WIDTH,
)

MOST_HELD = 1_000_000
"""Contacts that are kept while more come, however few of them pauses leave."""
LONGEST_PAUSE = 64 * PAUSE

_START, _LAST, _UNIQUE, _PACKETS, _FIRST_FRAME, _LAST_FRAME = (
    CONTACT_SUM + column
    for column in (
        CONTACT_START,
        CONTACT_LAST,
        CONTACT_UNIQUE,
        CONTACT_PACKETS,
        CONTACT_FIRST_FRAME,
        CONTACT_LAST_FRAME,
    )
)

_Rows = NDArray[np.int64]


class ContactList:
    """Contacts that were closed (`layout.CONTACT_*`).

    Args:
        most: contacts that are kept.

    Attributes:
        pause: ns; a contact ends where nothing new comes for longer.
        left_out: contacts for which there was no room.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._rows: list[_Rows] = []
        self._count = 0
        self._full_at = 2 * self._most
        self.pause = PAUSE
        self.left_out = 0

    def add(self, rows: _Rows) -> None:
        """Keep these rows, which may be overwritten afterwards."""
        self._rows.append(rows.copy())
        self._count += len(rows)
        if self._count > self._full_at:
            self._merge()
            self._full_at = max(2 * self._most, 2 * self._count)

    def _merge(self) -> None:
        """Make one of contacts that no pause parts, and pauses longer if they are too many."""
        rows = np.concatenate([np.empty((0, CONTACT_WIDTH), dtype=np.int64), *self._rows])
        rows = _merged(rows, self.pause)
        while len(rows) > self._most and self.pause < LONGEST_PAUSE:
            self.pause *= 2
            rows = _merged(rows, self.pause)
        if len(rows) > MOST_HELD:
            self.left_out += len(rows) - MOST_HELD
            rows = _first(rows, MOST_HELD)
        self._rows, self._count = [rows], len(rows)

    def table(self) -> _Rows:
        """All contacts, by direction, code and begin; beyond the limit the first to begin.

        They are handed over: afterwards there are none.
        """
        self._merge()
        rows = self._rows.pop()
        self.left_out += max(0, len(rows) - self._most)
        return _first(rows, self._most)


def _first(rows: _Rows, most: int) -> _Rows:
    """So many of the rows, those that begin first, in the order that they have."""
    if len(rows) <= most:
        return rows
    return rows[np.sort(np.lexsort((rows[:, _FIRST_FRAME], rows[:, _START]))[:most])]


def _merged(rows: _Rows, pause: int) -> _Rows:
    """The contacts, one for all of a direction and a code that no pause parts."""
    if not len(rows):
        return rows
    rows = rows[_order(rows)]
    is_other = np.diff(_group(rows)) != 0
    is_apart = rows[1:, _START] - _reached(rows, is_other) > pause
    begins = np.flatnonzero(np.concatenate([[True], is_other | is_apart]))
    if len(begins) == len(rows):
        return rows
    merged = rows[begins]
    for column in (_UNIQUE, _PACKETS):
        merged[:, column] = np.add.reduceat(rows[:, column], begins)
    for column in (_LAST, _LAST_FRAME):
        merged[:, column] = np.maximum.reduceat(rows[:, column], begins)
    merged[:, _FIRST_FRAME] = np.minimum.reduceat(rows[:, _FIRST_FRAME], begins)
    return merged


def _group(rows: _Rows) -> NDArray[np.int64]:
    """A number per direction and code, in their order."""
    codes = rows[:, CONTACT_CODE] + 1  # -1: without a time
    numbers: NDArray[np.int64] = rows[:, CONTACT_SIDE] * (codes.max() + 1) + codes
    return numbers


def _order(rows: _Rows) -> NDArray[np.int64]:
    """Places of the rows by direction, code, begin and first frame."""
    group = _group(rows)
    order = np.argsort(group, kind="stable")  # mostly in the order of time already
    is_same = np.diff(group[order]) == 0
    steps = np.diff(rows[order, _START])
    if (steps[is_same] > 0).all():
        return order
    return np.lexsort((rows[:, _FIRST_FRAME], rows[:, _START], group))


def _reached(rows: _Rows, is_other: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Latest time so far of the direction and code of each row but the last, in order."""
    last = rows[:, _LAST]
    if ((np.diff(last) >= 0) | is_other).all():
        in_order: NDArray[np.int64] = last[:-1]
        return in_order
    group = np.concatenate([[0], np.cumsum(is_other)])
    order = np.argsort(last, kind="stable")
    rank = np.empty(len(rows), dtype=np.int64)
    rank[order] = np.arange(len(rows))
    highest = np.maximum.accumulate(group * len(rows) + rank) - group * len(rows)
    reached: NDArray[np.int64] = last[order][highest[:-1]]
    return reached
