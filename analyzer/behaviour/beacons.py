"""Beacons: contacts that an app makes with one remote name periodically."""

from collections import defaultdict
from itertools import pairwise
from typing import NamedTuple

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.behaviour.overlapping_timers import several_of
from phonehome.analyzer.behaviour.periodicity import BREAK, Held, Rhythm, held
from phonehome.analyzer.flows.contacts import Met
from phonehome.analyzer.tables import STATES, Beacons

PAUSES = 2
"""A period is at least so many pauses that part contacts: shorter ones are an artefact of those."""
MOST_ADDRESSES = 100
NAMED_BY_ADDRESS = ("dns", "mdns", "llmnr")
"""Services whose remotes are asked for whatever the app wants: no name of them has a rhythm."""


def beacons(met: Met, pause: int) -> dy.DataFrame[Beacons]:
    """All beacons, the clearest first.

    Contacts of one name are taken together, whatever flows carry them; those that come with
    another one count as one. Intervals are those within a phase of a capture. Flows that nobody
    answered are left out: what tries again and again is no beacon.

    Args:
        met: as `contacts.of_phone` has them.
        pause: ns; what no longer pause parts is one contact.
    """
    is_other = pl.col("service").is_in(NAMED_BY_ADDRESS).fill_null(value=False)
    wanted = met.flows.filter("is_answered", ~is_other).select("flow")
    ups = met.contacts.filter("is_up").join(wanted, on="flow", how="semi", maintain_order="left")
    states = ups["state"].to_numpy().astype(np.int64)
    of_state = states * max(met.groups.height, 1) + ups["group"].to_numpy()
    train = (of_state * len(met.captures) + ups["capture"].to_numpy()) * (
        int(ups["phase"].max() or 0) + 1  # type: ignore[arg-type] # of integers
    ) + ups["phase"].to_numpy()
    order = np.argsort(train, kind="stable")
    beats = _beats(of_state[order], train[order], ups["start"].to_numpy()[order], pause)
    alone = held(beats.intervals, beats.trains, PAUSES * pause)
    keys, found = _apart(beats, alone, PAUSES * pause)
    of_rhythm = np.empty(len(order), dtype=np.int64)
    of_rhythm[order] = keys[beats.of_contact]
    table = _described(ups.with_columns(rhythm=pl.Series(of_rhythm)), met, found)
    return Beacons.validate(table.select(Beacons.column_names()), cast=True)


class _Beats(NamedTuple):
    """Contacts without those that come with another, by group and train.

    Attributes:
        groups: group of each beat.
        intervals: of each group ns between its beats, `BREAK` where a train ends.
        trains: how many trains with an interval each group has.
        of_contact: for each contact its beat.
    """

    groups: NDArray[np.int64]
    intervals: dict[int, NDArray[np.float64]]
    trains: dict[int, int]
    of_contact: NDArray[np.int64]


def _beats(
    groups: NDArray[np.int64], trains: NDArray[np.int64], starts: NDArray[np.int64], pause: int
) -> _Beats:
    """The beats of contacts that are in order of train and time."""
    if not len(starts):
        return _Beats(groups, {}, {}, groups)
    is_begin = np.diff(trains, prepend=trains[0] - 1) != 0
    kept = is_begin | (np.diff(starts, prepend=starts[0]) > pause)
    groups, trains, starts = groups[kept], trains[kept], starts[kept]
    gaps = np.where(np.diff(trains) == 0, np.diff(starts), BREAK)
    is_inside = np.diff(groups) == 0
    gaps, of_group = gaps[is_inside], groups[1:][is_inside]
    found: dict[int, NDArray[np.float64]] = {}
    places = [*np.flatnonzero(np.diff(of_group, prepend=-1)).tolist(), len(of_group)]
    for begin, end in pairwise(places):
        found[int(of_group[begin])] = gaps[begin:end]
    counts: dict[int, int] = defaultdict(int)
    firsts = np.flatnonzero(np.diff(trains, prepend=-1))
    for group, size in zip(
        groups[firsts].tolist(), np.diff([*firsts, len(trains)]).tolist(), strict=True
    ):
        counts[group] += int(size > 1)
    return _Beats(groups, found, counts, np.cumsum(kept) - 1)


def _apart(
    beats: _Beats, found: dict[int, Held], shortest: float
) -> tuple[NDArray[np.int64], dict[int, Rhythm]]:
    """The rhythm of each beat, -1: it has none; and all rhythms by these numbers.

    What came between the beats of a rhythm, and what is alone in its train, has none. Where one
    timer does not account for the beats of a group, several may: then each has its own.
    """
    keys = np.full(len(beats.groups), -1)
    rhythms_by_key = {group: one.rhythm for group, one in found.items()}
    following = int(beats.groups.max(initial=0)) + 1
    for group, gaps in beats.intervals.items():
        several = several_of(gaps, rhythms_by_key.get(group), shortest)
        if not several and group not in found:
            continue
        own = np.searchsorted(beats.groups, [group, group + 1])
        if not several:
            keys[own[0] : own[1]][found[group].is_beat] = group
            continue
        rhythms_by_key.pop(group, None)
        for timer in several:
            keys[own[0] + timer.places] = following
            rhythms_by_key[following] = timer.rhythm
            following += 1
    return keys, rhythms_by_key


def _described(contacts: pl.DataFrame, met: Met, found: dict[int, Rhythm]) -> pl.DataFrame:
    """What carries each rhythm."""
    rhythms_table = pl.DataFrame(
        [(group, *of) for group, of in found.items()],
        schema={
            "rhythm": pl.Int64,
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
        contacts.join(rhythms_table.select("rhythm"), on="rhythm", how="semi")
        .group_by("rhythm")
        .agg(
            pl.col("state", "group").first(),
            pl.col("flow").unique(),
            pl.col("start").min().cast(pl.Datetime("ns", "UTC")).alias("first_time"),
            pl.col("last").max().cast(pl.Datetime("ns", "UTC")).alias("last_time"),
            pl.col("unique_bytes").sum().alias("up_unique_bytes"),
            pl.col("capture", "first_frame").first(),
        )
    )
    addresses = (
        carried.select("rhythm", "flow")
        .explode("flow")
        .join(met.flows.select("flow", "remote_address"), on="flow")
        .group_by("rhythm")
        .agg(
            pl.col("remote_address").unique().sort().head(MOST_ADDRESSES).alias("remote_addresses")
        )
    )
    named = carried.with_columns(
        *(met.groups[name].gather(carried["group"]) for name in ("app", "host", "service")),
        pl.Series("state", STATES).gather(carried["state"]),
        pl.Series("capture", met.captures, dtype=pl.String).gather(carried["capture"]),
        flows=pl.col("flow").list.len().cast(pl.Int64),
    ).join(addresses, on="rhythm")
    return (
        rhythms_table.join(named, on="rhythm")
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
