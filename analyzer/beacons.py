"""Beacons: contacts that an app makes with one remote name periodically."""

from collections import defaultdict
from itertools import pairwise

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from analyzer.contacts import NAME
from analyzer.rhythm import FEWEST_INTERVALS, Rhythm, merged, rhythms
from analyzer.tables import Beacons

PAUSES = 2
"""A period is at least so many pauses that part contacts: shorter ones are an artefact of those."""
KEYS = ("state", "app", "name", "service")
NAMED_BY_ADDRESS = ("dns", "mdns", "llmnr")
"""Services whose remotes are asked for whatever the app wants: no name of them has a rhythm."""


def beacons(contacts: pl.DataFrame, pause: int) -> tuple[dy.DataFrame[Beacons], int]:
    """All beacons, the largest first, and how many groups of contacts were looked at.

    Contacts of one name are taken together, whatever flows carry them; those that come with
    another one count as one. Intervals are those within a phase of a capture. Flows that nobody
    answered are left out: what tries again and again is no beacon.

    Args:
        contacts: as `contacts.of_phone`.
        pause: ns; what no longer pause parts is one contact.
    """
    ups = contacts.filter(
        "is_up", "is_answered", ~pl.col("service").is_in(NAMED_BY_ADDRESS).fill_null(value=False)
    ).with_columns(name=NAME)
    ordered = ups.sort(*KEYS, "capture", "phase", "start", "first_frame", nulls_last=True)
    numbered = ordered.with_columns(
        group=pl.struct(KEYS).rle_id().cast(pl.Int64),
        train=pl.struct(*KEYS, "capture", "phase").rle_id().cast(pl.Int64),
    )
    intervals, trains = _intervals(
        numbered["group"].to_numpy(),
        numbered["train"].to_numpy(),
        numbered["start"].to_numpy(),
        pause,
    )
    looked_at = {group: of for group, of in intervals.items() if len(of) >= FEWEST_INTERVALS}
    found = rhythms(looked_at, trains, PAUSES * pause)
    table = _described(numbered, found)
    return Beacons.validate(table.select(Beacons.column_names()), cast=True), len(looked_at)


def _intervals(
    groups: NDArray[np.int64], trains: NDArray[np.int64], starts: NDArray[np.int64], pause: int
) -> tuple[dict[int, NDArray[np.float64]], dict[int, int]]:
    """The intervals between contacts of each group, ns, and how many trains they are of."""
    if not len(starts):
        return {}, {}
    # contacts of several flows that come together are one: times of other trains lie far apart
    is_begin = np.diff(trains, prepend=trains[0] - 1) != 0
    kept = np.zeros(len(starts), dtype=np.bool_)
    edges = [*np.flatnonzero(is_begin).tolist(), len(starts)]
    for begin, end in pairwise(edges):
        kept[begin + merged(starts[begin:end], pause)] = True
    groups, trains, starts = groups[kept], trains[kept], starts[kept]
    is_same = np.diff(trains) == 0
    found: dict[int, NDArray[np.float64]] = {}
    gaps, of_group = np.diff(starts)[is_same].astype(np.float64), groups[1:][is_same]
    places = [*np.flatnonzero(np.diff(of_group, prepend=-1)).tolist(), len(of_group)]
    for begin, end in pairwise(places):
        found[int(of_group[begin])] = gaps[begin:end]
    counts: dict[int, int] = defaultdict(int)
    firsts = np.flatnonzero(np.diff(trains, prepend=-1))
    for group, size in zip(
        groups[firsts].tolist(), np.diff([*firsts, len(trains)]).tolist(), strict=True
    ):
        counts[group] += int(size > 1)
    return found, counts


def _described(contacts: pl.DataFrame, found: dict[int, Rhythm]) -> pl.DataFrame:
    """What carries each rhythm."""
    rhythms_table = pl.DataFrame(
        [(group, *of) for group, of in found.items()],
        schema={
            "group": pl.Int64,
            "period": pl.Float64,
            "beats": pl.Int64,
            "missed": pl.Int64,
            "jitter": pl.Float64,
            "score": pl.Float64,
            "confidence": pl.String,
        },
        orient="row",
    )
    carried = (
        contacts.join(rhythms_table.select("group"), on="group", how="semi")
        .group_by("group")
        .agg(
            pl.col("state", "app", "host", "service").first(),
            pl.col("remote_address").unique().sort().alias("remote_addresses"),
            pl.col("flow").n_unique().alias("flows"),
            pl.col("start").min().cast(pl.Datetime("ns", "UTC")).alias("first_time"),
            pl.col("last").max().cast(pl.Datetime("ns", "UTC")).alias("last_time"),
            pl.col("unique_bytes").sum().alias("up_unique_bytes"),
            pl.col("capture").first(),
            pl.col("first_frame").first(),
        )
    )
    return (
        rhythms_table.join(carried, on="group")
        .with_columns(
            pl.col("period", "jitter").round().cast(pl.Int64).cast(pl.Duration("ns")),
            pl.col("score").round(4),
            bytes_per_beat=pl.col("up_unique_bytes") / pl.col("beats"),
        )
        .sort(
            pl.col("confidence") != "clear",
            -pl.col("beats"),
            "state",
            "app",
            "host",
            "remote_addresses",
            "service",
            nulls_last=True,
        )
    )
