"""Bursts: uploads of an app that follow one another closely, whatever flows carry them."""

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.flows.contacts import Met
from phonehome.analyzer.tables import STATES, Bursts
from phonehome.captures.words import SECOND

PAUSE = 5 * SECOND
"""A burst ends where the app uploads nothing for longer, ns."""
LOOK_BACK = 10 * SECOND
"""How long before a burst something may have come that it may answer, ns."""
MOST_NAMES = 8
MOST_FLOWS = 100
SIZES = (("heartbeat", 4_000), ("message", 35_625), ("photo", 915_000))
"""Size classes with the bytes below which a burst belongs to them; above all, `large`.

4,000: a ClientHello with a post-quantum key share (X25519MLKEM768, 1,216 bytes) and a short
message. 35,625: one minute of speech at 4.75 kbit/s, the slowest rate of AMR (3GPP TS 26.071): no
recording of a minute is smaller. 915,000: ten minutes at 12.2 kbit/s, its highest, or a photo as
messengers shrink it; more may be many minutes of speech, a photo as taken, or video.
"""
LARGE = "large"


def bursts(met: Met, phases: pl.DataFrame) -> dy.DataFrame[Bursts]:
    """All bursts, by capture and begin.

    Args:
        met: as `contacts.of_phone` has them.
        phases: all phases.
    """
    apps = met.groups.select("app").unique(maintain_order=True).with_row_index("of_app")
    of_group = met.groups.join(apps, on="app", how="left", nulls_equal=True, maintain_order="left")[
        "of_app"
    ]
    ups = met.contacts.filter("is_up")
    ups = ups.with_columns(of_app=of_group.gather(ups["group"]).cast(pl.Int64))
    keys = ("capture", "of_app", "phase")
    numbered = ups.sort(*keys, "start", maintain_order=True).with_columns(
        burst=_numbers(*(pl.col(key) for key in keys))
    )
    table = (
        numbered.group_by("burst", maintain_order=True)
        .agg(
            pl.col(*keys, "state").first(),
            pl.col("start").min(),
            pl.col("last").max().alias("end"),
            pl.col("unique_bytes").sum().alias("up_unique_bytes"),
            pl.col("packets").sum().alias("up_packets"),
            pl.col("flow").unique().sort().head(MOST_FLOWS).alias("flows"),
            pl.col("flow").n_unique().cast(pl.Int64).alias("flow_count"),
            pl.col("first_frame").min(),
            pl.col("last_frame").max(),
        )
        .join(_receivers(numbered, met), on="burst")
        .join(phases.select("phase", phase_start="start"), on="phase", how="left")
    )
    found = _preceded(table, met)
    named = found.with_columns(
        size=_size(pl.col("up_unique_bytes")),
        app=apps["app"].gather(found["of_app"]),
        since_phase=(pl.col("start") - pl.col("phase_start").to_physical()).cast(pl.Duration("ns")),
        state=pl.Series(STATES).gather(found["state"]),
    )
    ordered = named.sort("capture", "start", "app", "first_frame", nulls_last=True)
    return Bursts.validate(
        ordered.with_columns(
            pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("burst"),
            pl.Series("capture", met.captures, dtype=pl.String).gather(ordered["capture"]),
            pl.col("start", "end").cast(pl.Datetime("ns", "UTC")),
        ).select(Bursts.column_names()),
        cast=True,
    )


def _numbers(*keys: pl.Expr) -> pl.Expr:
    """Number of the burst of each contact, which are in the order of the keys, then of start."""
    reached = pl.col("last").cum_max().shift(1).over(keys)
    return (pl.col("start") - reached > PAUSE).fill_null(value=True).cum_sum()


def _receivers(contacts: pl.DataFrame, met: Met) -> pl.DataFrame:
    """The names that each burst went to, most bytes first."""
    named = met.groups.with_columns(of_name=pl.col("name").rank("dense").cast(pl.Int64))
    names = named.unique("of_name").sort("of_name")["name"]
    sums = (
        contacts.with_columns(of_name=named["of_name"].gather(contacts["group"]))
        .group_by("burst", "of_name")
        .agg(pl.col("unique_bytes").sum())
        .sort("burst", -pl.col("unique_bytes"), "of_name")
        .group_by("burst", maintain_order=True)
        .agg(pl.col("of_name").head(MOST_NAMES))
        .explode("of_name")
    )
    return (
        sums.with_columns(names=names.gather(sums["of_name"] - 1))
        .group_by("burst", maintain_order=True)
        .agg("names")
    )


def burst_starts(contacts: pl.DataFrame) -> NDArray[np.int64]:
    """Times at which the phone begins to upload after a pause, ns, in order."""
    ups = contacts.filter("is_up").sort("start")
    starts, last = (ups[name].to_numpy() for name in ("start", "last"))
    if not len(starts):
        return np.empty(0, dtype=np.int64)
    reached = np.maximum.accumulate(last)
    found: NDArray[np.int64] = starts[np.append(True, starts[1:] - reached[:-1] > PAUSE)]
    return found


def _size(sent: pl.Expr) -> pl.Expr:
    """The size class of so many bytes."""
    found = pl.lit(LARGE)
    for name, below in reversed(SIZES):
        found = pl.when(sent < below).then(pl.lit(name)).otherwise(found)
    return found


def _preceded(bursts: pl.DataFrame, met: Met) -> pl.DataFrame:
    """Adds from whom something came last before each burst, and how long before."""
    downs = met.contacts.filter(~pl.col("is_up")).select(
        "capture", "start", "group", preceding_flow="flow", came="start"
    )
    before = bursts.sort("start").join_asof(
        downs.sort("start"),
        on="start",
        by="capture",
        strategy="backward",
        tolerance=LOOK_BACK,
        allow_exact_matches=False,
        check_sortedness=False,  # both just were sorted; it cannot tell within groups
    )
    return before.with_columns(
        preceded=(pl.col("start") - pl.col("came")).cast(pl.Duration("ns")),
        preceded_by=met.groups["name"].gather(before["group"]),
    )
