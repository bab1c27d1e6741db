"""Silences: more than a day inside a capture without a flow. They are not observed time.

A phone is never so long without a flow: its clock jumped, two captures were joined, or nobody
captured.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Final

import polars as pl

LONGEST_SILENCE: Final = timedelta(days=1)
SILENT: Final = (
    "{}: {:,.1f} d without a flow do not count as observed: its clock jumped, or nothing was "
    "captured."
)
_DAY_NS: Final = 86_400 * 10**9


def silences(flows: pl.DataFrame) -> pl.DataFrame:
    """The silences of captures that no other capture covers; columns `after`, `before`, in order.

    Args:
        flows: capture, first_time, last_time.
    """
    timed = flows.filter(pl.col("first_time").is_not_null())
    spans = timed.group_by("capture").agg(
        pl.col("first_time").min().alias("begin"), pl.col("last_time").max().alias("end")
    )
    return (
        timed.sort("first_time")
        .select(
            pl.col("last_time").cum_max().shift().alias("after"),
            pl.col("first_time").alias("before"),
        )
        .filter(pl.col("before") - pl.col("after") > LONGEST_SILENCE)
        .join_where(spans, pl.col("begin") <= pl.col("after"), pl.col("end") >= pl.col("before"))
        .select("after", "before")
        .unique()
        .sort("after")
    )


def observed_spans(first: int, last: int, silent: pl.DataFrame) -> Iterator[tuple[int, int]]:
    """The time that a capture observed, ns: from first to last packet, without silences.

    Args:
        first: time of the first packet, ns.
        last: that of the last.
        silent: its own `silences`.
    """
    at = first
    for after, before in silent.select(pl.col("after", "before").to_physical()).iter_rows():
        yield at, after
        at = before
    yield at, last


def silence_note(capture: str, observed: list[tuple[int, int]]) -> Iterator[str]:
    """What a reader must know of a capture's silences; nothing: it has none."""
    if silent := sum(low - high for (_, high), (low, _) in pairwise(observed)):
        yield SILENT.format(capture, silent / _DAY_NS)
