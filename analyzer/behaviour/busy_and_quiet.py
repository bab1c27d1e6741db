"""Busy and quiet stretches, inferred from traffic alone.

They are no phases: what a phone sends says little of who touches it. Where no log is at hand they
show where use is likely, always called inferred, and a user may turn them into a timeline.
"""

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.analyzer.tables import Stretches
from phonehome.analyzer.timeline.spans import INFERRED
from phonehome.captures.words import SECOND

PAUSE = 120 * SECOND
"""Contacts that no longer pause parts are one run, ns."""
LEAST_BYTES = 20_000
"""A run that carried less, both ways, is no use of the phone."""
LEAST_REMOTES = 3
LEAST_RATE = 100
"""Bytes a second of a run, in mean: idle apps that only hold connections open send less."""
MUCH_BYTES, MUCH_RATE = 100_000, 1_000
"""A run that carried so much, so fast, is busy whatever number of remotes it went to."""
BUSY, QUIET = "busy", "quiet"


def stretches(contacts: pl.DataFrame, observed: list[tuple[int, int]]) -> dy.DataFrame[Stretches]:
    """The observed time, cut into busy and quiet stretches.

    Busy is a run of contacts without a pause of two minutes that carried 20,000 bytes or more
    (payload, both ways, each once), 100 a second in mean, with at least three remotes; or 100,000
    bytes or more, 1,000 a second. All else is quiet.

    Args:
        contacts: is_up, start, last, unique_bytes, and remote: a number per address.
        observed: time that captures observed, ns, in order, without overlaps.
    """
    rows = []
    for begin, end in observed:
        inside = contacts.filter(pl.col("start").is_between(begin, end))
        rows += _cut(begin, end, _busy(inside))
    table = pl.DataFrame(rows, schema=["begin", "end", "activity"], orient="row", strict=False)
    if not rows:
        return Stretches.create_empty()
    return Stretches.validate(_counted(table, contacts).select(Stretches.column_names()), cast=True)


def _busy(contacts: pl.DataFrame) -> list[tuple[int, int]]:
    """Begin and end of the busy runs, in order."""
    if contacts.is_empty():
        return []
    ordered = contacts.sort("start")
    start, last = (ordered[name].to_numpy() for name in ("start", "last"))
    reached = np.maximum.accumulate(last)
    run = np.concatenate([[0], np.cumsum(start[1:] - reached[:-1] > PAUSE)])
    runs = (
        ordered.with_columns(run=pl.Series(run))
        .group_by("run")
        .agg(
            pl.col("start").min(),
            pl.col("last").max(),
            pl.col("unique_bytes").sum(),
            pl.col("remote").n_unique().alias("remotes"),
        )
        .filter(
            (_carried(LEAST_BYTES, LEAST_RATE) & (pl.col("remotes") >= LEAST_REMOTES))
            | _carried(MUCH_BYTES, MUCH_RATE)
        )
        .sort("start")
    )
    return runs.select("start", "last").rows()


def _carried(least: int, rate: int) -> pl.Expr:
    """Whether a run carried so many bytes, so many a second."""
    seconds = (pl.col("last") - pl.col("start")) / SECOND
    is_fast = pl.col("unique_bytes") >= rate * seconds
    return (pl.col("unique_bytes") >= least) & is_fast


def _cut(begin: int, end: int, busy: list[tuple[int, int]]) -> list[tuple[int, int, str]]:
    """A span of time cut at the ends of busy runs."""
    rows: list[tuple[int, int, str]] = []
    at = begin
    for low, high in busy:
        if low > at:
            rows.append((at, low, QUIET))
        rows.append((max(low, at), min(max(high, low + 1), end), BUSY))
        at = max(at, high)
    if at < end or not rows:
        rows.append((at, end, QUIET))
    return [row for row in rows if row[1] > row[0] or len(rows) == 1]


def _counted(table: pl.DataFrame, contacts: pl.DataFrame) -> pl.DataFrame:
    """Each stretch with what began in it."""
    begins = table["begin"].to_numpy()
    place = np.maximum(np.searchsorted(begins, contacts["start"].to_numpy(), side="right") - 1, 0)
    sums = (
        contacts.with_columns(at=pl.Series(place, dtype=pl.Int64))
        .group_by("at")
        .agg(
            pl.col("unique_bytes").filter(is_up).sum().alias(f"{way}_unique_bytes")
            for way, is_up in (("up", pl.col("is_up")), ("down", ~pl.col("is_up")))
        )
    )
    return (
        table.with_row_index("at")
        .with_columns(pl.col("at").cast(pl.Int64))
        .join(sums, on="at", how="left")
        .sort("at")
        .with_columns(
            pl.col("up_unique_bytes", "down_unique_bytes").fill_null(0),
            (pl.col("at") + 1).alias("stretch"),
            pl.lit(INFERRED).alias("source"),
            start=pl.col("begin").cast(pl.Datetime("ns", "UTC")),
            end=pl.col("end").cast(pl.Datetime("ns", "UTC")),
        )
    )
