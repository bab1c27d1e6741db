"""What the packets of a capture add up to, added while they are read.

Kept grows with conversations and spans of time, not with packets: sums per conversation,
direction and span; new payload per bin of time, and in contacts; packets without a conversation
per outcome.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.decoding.contacts import ContactList
from phonehome.captures.decoding.loop_memory import aligned
from phonehome.captures.kernels.add_packets import add_packets
from phonehome.captures.kernels.layout import (
    BIN_START,
    BIN_UNIQUE,
    BIN_WIDTH,
    CLOSED_BINS,
    CLOSED_CONTACTS,
    CLOSED_KINDS,
    CLOSED_SIDES,
    CONTACT_PACKETS,
    CONTACT_SUM,
    CONTACT_SUMS,
    CONTACT_WIDTH,
    NO_TIME,
    OPEN_CONTACT,
    OPEN_WIDTH,
    PACKET_CONVERSATION,
    PACKET_TIME,
    SIDE_SUM,
    SIDE_WIDTH,
    SUM_BIN,
    SUM_BIN_UNIQUE,
    SUM_CODE,
    SUM_FIRST_FRAME,
    SUM_FIRST_TIME,
    SUM_INBOUND,
    SUM_LAST_FRAME,
    SUM_LAST_TIME,
    SUM_PACKETS,
    SUM_WIDTH,
)
from phonehome.captures.limits import Limits
from phonehome.captures.words import OUTCOMES, SECOND

SIDE = ("conversation", "is_from_b", "code")
MOST_BINS = 4_096  # at least 3: halving ends at -1, 0, and no time
MOST_BIN_ROWS = 300_000
FEW_BINS = 256  # no wider, however many rows there are: a direction has one at least
MERGE_ROWS = 300_000
CLOSED_ROWS = 65_536
FIRST_OPEN = 8_192

EdgesOf = Callable[[int], NDArray[np.int64]]
"""Edges of the spans of time, ns in order, from the time of the first packet that has one."""

_ADDED = range(SUM_PACKETS, SUM_INBOUND + 1)
"""Columns that are added when rows become one."""

_Rows = NDArray[np.int64]


class Sums:
    """Adds up the packets of one capture.

    Args:
        edges_of: asked once, when the first packet with a time comes.
        limits: bounds on what is kept.

    Attributes:
        width: seconds per bin.
        contacts: stretches of new payload.
    """

    def __init__(self, edges_of: EdgesOf, limits: Limits | None = None) -> None:
        self._edges_of = edges_of
        self._edges: NDArray[np.int64] | None = None
        self._open = aligned(FIRST_OPEN, OPEN_WIDTH)
        self._open[:] = 0
        self._others = np.zeros((len(OUTCOMES), SUM_WIDTH), dtype=np.int64)
        self._others[:, [SUM_FIRST_TIME, SUM_LAST_TIME]] = NO_TIME
        self._closed_sides = np.empty((CLOSED_ROWS, SIDE_WIDTH), dtype=np.int64)
        self._closed_bins = np.empty((CLOSED_ROWS, BIN_WIDTH), dtype=np.int64)
        self._closed_contacts = np.empty((CLOSED_ROWS, CONTACT_WIDTH), dtype=np.int64)
        self._closed = np.zeros(CLOSED_KINDS, dtype=np.int64)
        self._sides: list[_Rows] = []
        self._bins: list[_Rows] = []
        self._rows = 0
        self.width = 1
        self.contacts = ContactList((limits or Limits()).contacts)

    def add(self, packets: NDArray[np.int64], count: int) -> None:
        """Add the first packets of an array with a row per column (`layout.PACKET_*`)."""
        edges = self._known_edges(packets[PACKET_TIME, :count])
        self._make_room(int(packets[PACKET_CONVERSATION, :count].max(initial=-1)) + 1)
        done = 0
        while done < count:
            done = add_packets(
                packets,
                done,
                count,
                edges,
                self.width * SECOND,
                self._open,
                self._others,
                self._closed_sides,
                self._closed_bins,
                self._closed_contacts,
                self._closed,
            )
            if done < count:
                self._take_closed()

    def _known_edges(self, times: NDArray[np.int64]) -> NDArray[np.int64]:
        if self._edges is None:
            known = times[times != NO_TIME]
            if not len(known):
                return np.empty(0, dtype=np.int64)  # not asked for: none of them has a time
            self._edges = self._edges_of(int(known[0]))
        return self._edges

    def _make_room(self, conversations: int) -> None:
        rows = len(self._open)
        if 2 * conversations > rows:
            larger = aligned(max(2 * rows, 2 * conversations), OPEN_WIDTH)
            larger[:rows] = self._open
            larger[rows:] = 0
            self._open = larger

    def _take_closed(self) -> None:
        """Keep what was closed, and merge all when it has become much."""
        sides = self._closed_sides[: self._closed[CLOSED_SIDES]]
        bins = self._closed_bins[: self._closed[CLOSED_BINS]]
        self._sides.append(sides.copy())
        self._bins.append(bins.copy())
        self.contacts.add(self._closed_contacts[: self._closed[CLOSED_CONTACTS]])
        self._closed[:] = 0
        self._rows += len(sides) + len(bins)
        if self._rows > MERGE_ROWS:
            self._sides = [_merged_sides(np.concatenate(self._sides))]
            self._bins = [self._widened()]
            self._rows = 0

    def _widened(self) -> _Rows:
        """All bins, as wide as it takes to have few of them, and few rows.

        What is too much of a part is too much of the whole: when this is asked changes nothing.
        """
        bins = np.concatenate(self._bins)
        number = len(np.unique(bins[:, BIN_START]))
        if len(bins) > MOST_BIN_ROWS:
            bins = _merged_bins(bins)
        while number > MOST_BINS or (len(bins) > MOST_BIN_ROWS and number > FEW_BINS):
            self.width *= 2
            _halve(bins[:, BIN_START])
            _halve(self._open[:, SUM_BIN])
            bins = _merged_bins(bins)
            number = len(np.unique(bins[:, BIN_START]))
        return bins

    def sides(self) -> _Rows:
        """A row per conversation, direction and code of a span, in this order (`SIDE_*`)."""
        self._take_closed()
        numbers = np.flatnonzero(self._open[:, SUM_PACKETS])
        rows = [*self._sides, _numbered(numbers, self._open[numbers, :SUM_WIDTH])]
        return _merged_sides(np.concatenate(rows))

    def bins(self) -> _Rows:
        """New payload per direction, code and bin of time (`BIN_*`); some in several rows.

        A bin is a multiple of `width` seconds since 1970, `NO_TIME` for packets without a time.
        """
        self._take_closed()
        numbers = np.flatnonzero(self._open[:, SUM_BIN_UNIQUE])
        of_open = self._open[numbers][:, [SUM_CODE, SUM_BIN, SUM_BIN_UNIQUE]]
        self._bins.append(_numbered(numbers, of_open))
        self._open[:, SUM_BIN_UNIQUE] = 0
        self._bins = [self._widened()]
        return self._bins[0]

    def contact_rows(self) -> _Rows:
        """A row per contact (`CONTACT_*`), by direction, code and begin."""
        self._take_closed()
        packets = OPEN_CONTACT + CONTACT_PACKETS
        numbers = np.flatnonzero(self._open[:, packets])
        rows = np.empty((len(numbers), CONTACT_WIDTH), dtype=np.int64)
        rows[:, 0], rows[:, 1] = numbers, self._open[numbers, SUM_CODE]
        rows[:, CONTACT_SUM:] = self._open[numbers, OPEN_CONTACT : OPEN_CONTACT + CONTACT_SUMS]
        self._open[:, packets] = 0
        self.contacts.add(rows)
        return self.contacts.table()

    def others(self) -> _Rows:
        """A row of sums per outcome (`SUM_*`), of packets that belong to no conversation."""
        return self._others


def _numbered(numbers: NDArray[np.int64], rows: _Rows) -> _Rows:
    """The rows, each behind its number."""
    return np.concatenate([numbers[:, np.newaxis], rows], axis=1)


def _halve(bins: NDArray[np.int64]) -> None:
    """Halve numbers of bins in place; that of no time stays."""
    bins[:] = np.where(bins == NO_TIME, NO_TIME, bins // 2)


def _grouped(rows: _Rows, keys: int) -> tuple[_Rows, NDArray[np.int64]]:
    """The rows in the order of their first columns, and where a new group of them begins."""
    rows = rows[np.lexsort(rows[:, :keys].T[::-1])]
    is_new = (np.diff(rows[:, :keys], axis=0) != 0).any(axis=1)
    return rows, np.flatnonzero(np.concatenate([[True], is_new])[: len(rows)])


def _merged_sides(rows: _Rows) -> _Rows:
    """One row for all of a direction and a code (`SIDE_*`), in this order."""
    rows, begins = _grouped(rows, SIDE_SUM + SUM_CODE + 1)
    if len(begins) == len(rows):
        return rows
    merged = rows[begins]
    for column in _ADDED:
        merged[:, SIDE_SUM + column] = np.add.reduceat(rows[:, SIDE_SUM + column], begins)
    for column in (SUM_LAST_TIME, SUM_LAST_FRAME):  # no time is the smallest number
        merged[:, SIDE_SUM + column] = np.maximum.reduceat(rows[:, SIDE_SUM + column], begins)
    for column in (SUM_FIRST_TIME, SUM_FIRST_FRAME):
        before = rows[:, SIDE_SUM + column] - 1  # which makes it the largest
        merged[:, SIDE_SUM + column] = np.minimum.reduceat(before, begins) + 1
    return merged


def _merged_bins(rows: _Rows) -> _Rows:
    """One row for all of a direction, a code and a bin (`BIN_*`), in this order."""
    rows, begins = _grouped(rows, BIN_UNIQUE)
    merged = rows[begins]
    if len(rows):
        merged[:, BIN_UNIQUE] = np.add.reduceat(rows[:, BIN_UNIQUE], begins)
    return merged
