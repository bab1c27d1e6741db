"""What offloaded uploads would have weighed on the wire.

Where a phone's network card cuts segments (TSO, GSO), a capture made before it holds giants: one
header for many segments. Their bytes on the wire are then too few, by the headers of the segments
that the card made. Payload, and so what was uploaded, is not touched by it.
"""

import polars as pl

MSS = 1_448
"""Payload of a full segment on Ethernet with time stamps: 1,500 less 20 for IP, 32 for TCP."""
LARGEST_MEAN = 1_460
"""No more payload per packet, in mean, than links of 1,500 bytes carry."""


def with_estimate(flows: pl.DataFrame) -> pl.DataFrame:
    """Adds `up_wire_estimate_bytes`, where packets of TCP carried more than a link does.

    Payload, and for each segment of `MSS` bytes the headers that packets had in mean.

    Args:
        flows: protocol, up_packets, up_wire_bytes, up_payload_bytes.
    """
    packets, payload = pl.col("up_packets"), pl.col("up_payload_bytes")
    headers = (pl.col("up_wire_bytes") - payload) / packets
    segments = pl.max_horizontal((payload / MSS).ceil(), packets)
    is_giant = (pl.col("protocol") == "tcp") & (payload > LARGEST_MEAN * packets)
    estimate = (payload + headers * segments).round().cast(pl.Int64)
    return flows.with_columns(up_wire_estimate_bytes=pl.when(is_giant).then(estimate))
