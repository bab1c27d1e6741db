"""Silences: more than a day inside a capture without a flow. They are not observed time.

A phone is never so long without a flow: its clock jumped, two captures were joined, or nobody
captured. One connection may be seen before and after: a flow that lasts for more than a day is
there only when payload shows it.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from phonehome.analyzer.kinds.run import SILENT
from phonehome.analyzer.kinds.statement import Statement
from phonehome.captures.words import SECOND

LONGEST_SILENCE: Final = timedelta(days=1)
WIDEST_BIN: Final = LONGEST_SILENCE / 2
"""Wider bins of time do not tell when a flow was there."""
_DAY_NS: Final = 86_400 * SECOND


def silences(flows: pl.DataFrame, bins: pl.DataFrame | None = None) -> pl.DataFrame:
    """The silences of captures that no other capture covers; columns `after`, `before`, in order.

    Args:
        flows: capture, first_time, last_time.
        bins: start, null without a time, and width of each bin of time with payload; None: flows
            are there from begin to end, however long.
    """
    timed = flows.filter(pl.col("first_time").is_not_null())
    spans = timed.group_by("capture").agg(
        pl.col("first_time").min().alias("begin"), pl.col("last_time").max().alias("end")
    )
    return (
        _present(timed, bins)
        .sort("first_time")
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


def bins_of(bins: pl.DataFrame, seconds: int) -> pl.DataFrame:
    """Bins of so many seconds, by number since 1970, with their start and width."""
    width = pl.lit(seconds * SECOND).cast(pl.Duration("ns"))
    start = (pl.col("bin") * (seconds * SECOND)).cast(pl.Datetime("ns", "UTC"))
    return bins.select(start.alias("start"), width.alias("width"))


def _present(timed: pl.DataFrame, bins: pl.DataFrame | None) -> pl.DataFrame:
    """When something was there: short flows, and of long ones both ends and the bins."""
    plain = timed.select("first_time", "last_time")
    is_long = pl.col("last_time") - pl.col("first_time") > LONGEST_SILENCE
    long = plain.filter(is_long)
    if bins is None or long.is_empty() or (bins["width"] > WIDEST_BIN).any():
        return plain
    ends = (long.select(first_time=end, last_time=end) for end in plain.columns)
    traffic = bins.filter(pl.col("start").is_not_null()).select(
        first_time="start", last_time=pl.col("start") + pl.col("width")
    )
    return pl.concat([plain.filter(~is_long), *ends, traffic.unique()])


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


def silence_note(capture: str, observed: list[tuple[int, int]]) -> Iterator[Statement]:
    """What a reader must know of a capture's silences; nothing: it has none."""
    if silent := sum(low - high for (_, high), (low, _) in pairwise(observed)):
        yield SILENT(capture=capture, days=f"{silent / _DAY_NS:,.1f}")
