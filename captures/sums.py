"""What the packets of a capture add up to, added while they are read.

Kept grows with conversations and spans of time, not with packets: sums per conversation,
direction and span; new payload per bin of time; packets without a conversation per outcome.
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from captures.adding import add_packets
from captures.layout import (
    BIN_WIDTH,
    CLOSED_BINS,
    CLOSED_SIDES,
    NO_TIME,
    OPEN_WIDTH,
    PACKET_CONVERSATION,
    PACKET_TIME,
    SIDE_NUMBER,
    SIDE_SUM,
    SIDE_WIDTH,
    SUM_BIN,
    SUM_BIN_UNIQUE,
    SUM_CODE,
    SUM_FIRST_FRAME,
    SUM_FIRST_TIME,
    SUM_INBOUND,
    SUM_IP,
    SUM_LAST_FRAME,
    SUM_LAST_TIME,
    SUM_LINK,
    SUM_NETWORK,
    SUM_OUTBOUND,
    SUM_PACKETS,
    SUM_PAYLOAD,
    SUM_TRANSPORT,
    SUM_UNIQUE,
    SUM_WIDTH,
    SUM_WIRE,
)
from captures.memory import aligned
from captures.words import OUTCOMES

SUMS = (
    "wire_bytes",
    "ip_bytes",
    "link_bytes",
    "network_header_bytes",
    "transport_header_bytes",
    "payload_bytes",
    "unique_bytes",
)
SIDE = ("conversation", "is_from_b", "code")
SECOND = 1_000_000_000
MOST_BINS = 4_096  # at least 3: halving ends at -1, 0, and no time
MOST_BIN_ROWS = 300_000
FEW_BINS = 256  # no wider, however many rows there are: a direction has one at least
MERGE_ROWS = 300_000
CLOSED_ROWS = 65_536
FIRST_OPEN = 8_192

EdgesOf = Callable[[int], NDArray[np.int64]]
"""Edges of the spans of time, ns in order, from the time of the first packet that has one."""

_COLUMNS = {
    "code": SUM_CODE,
    "packets": SUM_PACKETS,
    "wire_bytes": SUM_WIRE,
    "ip_bytes": SUM_IP,
    "link_bytes": SUM_LINK,
    "network_header_bytes": SUM_NETWORK,
    "transport_header_bytes": SUM_TRANSPORT,
    "payload_bytes": SUM_PAYLOAD,
    "unique_bytes": SUM_UNIQUE,
    "outbound_packets": SUM_OUTBOUND,
    "inbound_packets": SUM_INBOUND,
    "first_time": SUM_FIRST_TIME,
    "first_frame": SUM_FIRST_FRAME,
    "last_time": SUM_LAST_TIME,
    "last_frame": SUM_LAST_FRAME,
}
_ADDED = ("packets", *SUMS, "outbound_packets", "inbound_packets")
_MERGED = [
    *(pl.col(name).sum() for name in _ADDED),
    *(pl.col(name).min() for name in ("first_time", "first_frame")),
    *(pl.col(name).max() for name in ("last_time", "last_frame")),
]


class Sums:
    """Adds up the packets of one capture.

    Args:
        edges_of: asked once, when the first packet with a time comes.

    Attributes:
        width: seconds per bin.
    """

    def __init__(self, edges_of: EdgesOf) -> None:
        self._edges_of = edges_of
        self._edges: NDArray[np.int64] | None = None
        self._open = aligned(FIRST_OPEN, OPEN_WIDTH)
        self._open[:] = 0
        self._others = np.zeros((len(OUTCOMES), SUM_WIDTH), dtype=np.int64)
        self._others[:, [SUM_FIRST_TIME, SUM_LAST_TIME]] = NO_TIME
        self._closed_sides = np.empty((CLOSED_ROWS, SIDE_WIDTH), dtype=np.int64)
        self._closed_bins = np.empty((CLOSED_ROWS, BIN_WIDTH), dtype=np.int64)
        self._closed = np.zeros(2, dtype=np.int64)
        self._sides: list[pl.DataFrame] = []
        self._bins: list[pl.DataFrame] = []
        self._rows = 0
        self.width = 1

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
        if len(sides):
            self._sides.append(_sides(sides[:, SIDE_NUMBER], sides[:, SIDE_SUM:]))
        if len(bins):
            self._bins.append(_bins(*(bins[:, column] for column in range(BIN_WIDTH))))
        self._closed[:] = 0
        self._rows += len(sides) + len(bins)
        if self._rows > MERGE_ROWS:
            self._sides = [_merged_sides(self._sides)] if self._sides else []
            self._bins = [self._widened()]
            self._rows = 0

    def _widened(self) -> pl.DataFrame:
        """All bins, as wide as it takes to have few of them, and few rows.

        What is too much of a part is too much of the whole: when this is asked changes nothing.
        """
        bins = pl.concat([_bins(*np.empty((BIN_WIDTH, 0), dtype=np.int64)), *self._bins])
        self._bins = []
        number = bins["bin"].n_unique()
        if len(bins) > MOST_BIN_ROWS:
            bins = _merged_bins(bins)
        while number > MOST_BINS or (len(bins) > MOST_BIN_ROWS and number > FEW_BINS):
            self.width *= 2
            bins = _merged_bins(bins.with_columns(pl.col("bin") // 2))
            number = bins["bin"].n_unique()
            has_time = self._open[:, SUM_BIN] != NO_TIME
            self._open[has_time, SUM_BIN] //= 2
        return bins

    def sides(self) -> pl.DataFrame:
        """One row per conversation, direction and code of a span, in this order, with sums."""
        self._take_closed()
        numbers = np.flatnonzero(self._open[:, SUM_PACKETS])
        rows = [*self._sides, _sides(numbers, self._open[numbers])]
        return _told(_merged_sides(rows) if self._sides else rows[0]).sort(SIDE)

    def bins(self) -> pl.DataFrame:
        """New payload per conversation, direction, code and bin of time; some in several rows.

        A bin is a multiple of `width` seconds since 1970, null for packets without a time.
        """
        self._take_closed()
        numbers = np.flatnonzero(self._open[:, SUM_BIN_UNIQUE])
        of_open = (self._open[numbers, at] for at in (SUM_CODE, SUM_BIN, SUM_BIN_UNIQUE))
        self._bins.append(_bins(numbers, *of_open))
        self._open[:, SUM_BIN_UNIQUE] = 0
        return _told(self._widened())

    def others(self) -> pl.DataFrame:
        """One row per outcome of packets that belong to no conversation, with sums."""
        numbers = np.flatnonzero(self._others[:, SUM_PACKETS])
        return _columns(self._others[numbers]).select(
            pl.Series("outcome", numbers, dtype=pl.UInt8), pl.exclude("code")
        )


def _columns(rows: NDArray[np.int64]) -> pl.DataFrame:
    """Rows of sums as a table with a column per sum."""
    columns = np.array(rows.T, order="C")
    times = [
        pl.when(pl.col(name) != NO_TIME).then(pl.col(name)).cast(pl.Datetime("ns", "UTC"))
        for name in ("first_time", "last_time")
    ]
    return pl.DataFrame({name: columns[place] for name, place in _COLUMNS.items()}).with_columns(
        pl.col("code").cast(pl.Int32),
        *(time.alias(name) for time, name in zip(times, ("first_time", "last_time"), strict=True)),
    )


def _sides(numbers: NDArray[np.int64], rows: NDArray[np.int64]) -> pl.DataFrame:
    """Sums of these directions: twice a conversation's number, and one more for end b."""
    return _columns(rows).insert_column(0, pl.Series("side", np.array(numbers), dtype=pl.Int64))


def _bins(
    numbers: NDArray[np.int64],
    codes: NDArray[np.int64],
    starts: NDArray[np.int64],
    unique: NDArray[np.int64],
) -> pl.DataFrame:
    """Bins of these directions."""
    columns = {"side": numbers, "code": codes, "bin": starts, "unique_bytes": unique}
    table = pl.DataFrame({name: np.array(values) for name, values in columns.items()})
    return table.with_columns(
        pl.col("code").cast(pl.Int32), pl.when(pl.col("bin") != NO_TIME).then(pl.col("bin"))
    )


def _merged_sides(tables: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(tables).group_by("side", "code").agg(_MERGED)


def _merged_bins(bins: pl.DataFrame) -> pl.DataFrame:
    return bins.group_by("side", "code", "bin").agg(pl.col("unique_bytes").sum())


def _told(table: pl.DataFrame) -> pl.DataFrame:
    """The table with conversation and direction instead of the number of a side."""
    return table.select(
        (pl.col("side") // 2).cast(pl.Int32).alias("conversation"),
        (pl.col("side") % 2 == 1).alias("is_from_b"),
        pl.exclude("side"),
    )
