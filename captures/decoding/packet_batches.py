"""What the compiled loop wrote, as tables."""

from typing import cast

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.captures.kernels.layout import (
    BIN_CODE,
    BIN_START,
    BIN_UNIQUE,
    CONTACT_CODE,
    CONTACT_FIRST_FRAME,
    CONTACT_LAST,
    CONTACT_LAST_FRAME,
    CONTACT_PACKETS,
    CONTACT_START,
    CONTACT_SUM,
    CONTACT_UNIQUE,
    NO_TIME,
    PACKET_CONVERSATION,
    PACKET_FRAME,
    PACKET_FROM_B,
    PACKET_IP,
    PACKET_LINK,
    PACKET_NETWORK,
    PACKET_OUTBOUND,
    PACKET_OUTCOME,
    PACKET_PAYLOAD,
    PACKET_TIME,
    PACKET_TRANSPORT,
    PACKET_UNIQUE,
    PACKET_WIRE,
    SIDE_NUMBER,
    SIDE_SUM,
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
    SUM_WIRE,
)
from phonehome.captures.tables import Packets

OUTBOUND = 2


def packets_table(column: NDArray[np.int64]) -> dy.DataFrame[Packets]:
    """Packets as a table, from a row per column; the table goes on looking into the array.

    Not validated here, for speed: a test holds every column to the schema.
    """
    is_said = pl.col("is_outbound") > 0
    frame = pl.DataFrame(
        {
            "frame": column[PACKET_FRAME],
            "time": column[PACKET_TIME],
            "conversation": column[PACKET_CONVERSATION],
            "is_from_b": column[PACKET_FROM_B],
            "outcome": column[PACKET_OUTCOME],
            "is_outbound": column[PACKET_OUTBOUND],
            "wire_bytes": column[PACKET_WIRE],
            "ip_bytes": column[PACKET_IP],
            "link_bytes": column[PACKET_LINK],
            "network_header_bytes": column[PACKET_NETWORK],
            "transport_header_bytes": column[PACKET_TRANSPORT],
            "payload_bytes": column[PACKET_PAYLOAD],
            "unique_bytes": column[PACKET_UNIQUE],
        }
    ).with_columns(
        pl.when(pl.col("time") != NO_TIME)
        .then(pl.col("time"))
        .cast(pl.Datetime("ns", "UTC"))
        .alias("time"),
        pl.when(pl.col("conversation") >= 0)
        .then(pl.col("conversation"))
        .cast(pl.Int32)
        .alias("conversation"),
        pl.col("is_from_b").cast(pl.Boolean),
        pl.col("outcome").cast(pl.UInt8),
        pl.when(is_said).then(pl.col("is_outbound") == OUTBOUND).alias("is_outbound"),
    )
    return cast("dy.DataFrame[Packets]", frame)


_CONTACT_COLUMNS = {
    "start": CONTACT_START,
    "last": CONTACT_LAST,
    "unique_bytes": CONTACT_UNIQUE,
    "packets": CONTACT_PACKETS,
    "first_frame": CONTACT_FIRST_FRAME,
    "last_frame": CONTACT_LAST_FRAME,
}

_SUM_COLUMNS = {
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


def sides_table(rows: NDArray[np.int64]) -> pl.DataFrame:
    """Sums per conversation, direction and code of a span (`layout.SIDE_*`), in this order."""
    columns = _sum_columns(rows[:, SIDE_SUM:])
    return columns.select(*_side(rows), pl.col("code").cast(pl.Int32), pl.exclude("code"))


def bins_table(rows: NDArray[np.int64]) -> pl.DataFrame:
    """New payload per conversation, direction, code and bin of time (`layout.BIN_*`).

    A bin is null for packets without a time.
    """
    bins = pl.Series("bin", rows[:, BIN_START].copy())
    return pl.select(
        *_side(rows),
        pl.Series("code", rows[:, BIN_CODE].astype(np.int32)),
        pl.when(bins != NO_TIME).then(bins).alias("bin"),
        pl.Series("unique_bytes", rows[:, BIN_UNIQUE].copy()),
    )


def contacts_table(rows: NDArray[np.int64]) -> pl.DataFrame:
    """Contacts (`layout.CONTACT_*`): start, last, unique_bytes, packets, first_ and last_frame."""
    columns = np.array(rows[:, CONTACT_SUM:].T, order="C")
    return pl.select(
        *_side(rows),
        pl.Series("code", rows[:, CONTACT_CODE].astype(np.int32)),
        *(pl.Series(name, columns[at]) for name, at in _CONTACT_COLUMNS.items()),
    )


def others_table(rows: NDArray[np.int64]) -> pl.DataFrame:
    """Sums per outcome of packets that belong to no conversation (`layout.SUM_*`)."""
    outcomes = np.flatnonzero(rows[:, SUM_PACKETS])
    return _sum_columns(rows[outcomes]).select(
        pl.Series("outcome", outcomes, dtype=pl.UInt8), pl.exclude("code")
    )


def _side(rows: NDArray[np.int64]) -> tuple[pl.Series, pl.Series]:
    """Conversation and direction of rows that begin with the number of a side."""
    number = rows[:, SIDE_NUMBER]
    return (
        pl.Series("conversation", (number // 2).astype(np.int32)),
        pl.Series("is_from_b", number % 2 == 1),
    )


def _sum_columns(rows: NDArray[np.int64]) -> pl.DataFrame:
    """Rows of sums as a table with a column per sum."""
    columns = np.array(rows.T, order="C")
    times = ("first_time", "last_time")
    return pl.DataFrame({name: columns[at] for name, at in _SUM_COLUMNS.items()}).with_columns(
        pl.when(pl.col(name) != NO_TIME).then(pl.col(name)).cast(pl.Datetime("ns", "UTC"))
        for name in times
    )
