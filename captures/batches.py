"""What the compiled loop wrote, as the packets table and as excerpts."""

from typing import cast

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from captures.excerpts import Excerpts
from captures.layout import (
    EXCERPT_CONVERSATION,
    EXCERPT_FRAME,
    EXCERPT_FROM_B,
    EXCERPT_INCARNATION,
    EXCERPT_KIND,
    EXCERPT_LENGTH,
    EXCERPT_MESSAGE,
    EXCERPT_NAME_AT,
    EXCERPT_NAME_LENGTH,
    EXCERPT_POSITION,
    EXCERPT_START,
    EXCERPT_TIME,
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
)
from captures.tables import Packets

OUTBOUND = 2


def packets_table(column: NDArray[np.int64]) -> dy.DataFrame[Packets]:
    """Packets as a table, from a row per column; the array may be overwritten afterwards.

    Not validated here, for speed: a test holds every column to the schema.
    """
    column = column.copy()  # polars would go on looking into the caller's array
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


def excerpts_of(rows: NDArray[np.int64], data: NDArray[np.uint8]) -> Excerpts:
    """Excerpts from their rows and bytes; both arrays may be overwritten afterwards."""
    column = np.array(rows.T, order="C")
    return Excerpts(
        frame=column[EXCERPT_FRAME],
        time=column[EXCERPT_TIME],
        conversation=column[EXCERPT_CONVERSATION].astype(np.int32),
        is_from_b=column[EXCERPT_FROM_B].astype(np.uint8),
        kind=column[EXCERPT_KIND].astype(np.uint8),
        incarnation=column[EXCERPT_INCARNATION].astype(np.int32),
        message=column[EXCERPT_MESSAGE],
        position=column[EXCERPT_POSITION],
        start=column[EXCERPT_START],
        length=column[EXCERPT_LENGTH].astype(np.int32),
        name_at=column[EXCERPT_NAME_AT],
        name_length=column[EXCERPT_NAME_LENGTH].astype(np.int32),
        data=data.copy(),
    )
