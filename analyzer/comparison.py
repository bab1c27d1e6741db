"""Two sides held against each other: what is new, gone or changed per country, ASN and host.

Rates are bytes uploaded over the time observed. Nothing here claims significance.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import dataframely as dy
import polars as pl

from analyzer.analysis import Progress
from analyzer.comparability import differences
from analyzer.remarks import place_facts, remarks
from analyzer.settings import Settings
from analyzer.sides import Side, observe
from analyzer.tables import (
    ALL_STATES,
    DIMENSIONS,
    STATES,
    Changes,
    ComparedDatabases,
    Comparison,
    Exposures,
    Repetitions,
)
from analyzer.uploads import HOUR_NS

SAME_WITHIN: Final = 0.1
"""Two rates are called the same where they differ by at most this part of the larger one."""

RULES: Final = {"new-country": "country", "new-asn": "asn", "new-host": "host"}
"""What `--fail-on` knows: rule → dimension in which nothing may be new over all states."""

KEYS: Final = {
    "country": pl.col("country"),
    "asn": pl.concat_str(pl.lit("AS"), pl.col("asn")),
    "host": pl.coalesce("host", "remote_address"),
}
"""Per dimension, the key of a remote. A remote without a name is its address."""

_SAME: Final = ("dimension", "key", "state")


def compare(
    base: Sequence[str | Path],
    new: Sequence[str | Path],
    *,
    settings: tuple[Settings, Settings],
    same_within: float = SAME_WITHIN,
    progress: Progress | None = None,
) -> Comparison:
    """The comparison of what lies under two lists of paths; see `sides.observe` for both.

    Args:
        base: captures or saved analyses of the one side.
        new: those of the other.
        settings: what the user asked for, per side.
        same_within: part of the larger rate, from 0 to 1; see `SAME_WITHIN`.
        progress: called now and then while captures are read, for each side from the start.

    Raises:
        CaptureError: a path cannot be read, or nothing in a side is a phone's.
        GeoError: a database or an address cannot be used.
        TimelineError: a timeline cannot be used.
    """
    return compared(
        observe("base", base, settings[0], progress=progress),
        observe("new", new, settings[1], progress=progress),
        same_within=same_within,
    )


def compared(base: Side, new: Side, *, same_within: float = SAME_WITHIN) -> Comparison:
    """The comparison of two sides."""
    sides = (base, new)
    repetitions = Repetitions.validate(pl.concat([side.repetitions for side in sides]))
    exposures = Exposures.validate(pl.concat([side.exposures for side in sides]))
    return Comparison(
        labels={side.side: side.label for side in sides},
        same_within=same_within,
        changes=changes(base, new, same_within=same_within),
        repetitions=repetitions,
        exposures=exposures,
        databases=ComparedDatabases.validate(pl.concat([side.databases for side in sides])),
        captures={side.side: side.captures for side in sides},
        settings={side.side: side.settings for side in sides},
        differences=tuple(differences(base, new, same_within=same_within)),
        notes=(*base.notes, *new.notes),
        is_damaged=bool(repetitions["is_damaged"].any()),
        is_balanced=base.is_balanced and new.is_balanced,
    )


def changes(base: Side, new: Side, *, same_within: float) -> dy.DataFrame[Changes]:
    """What differs, and what does not, per dimension, key and state."""
    table = (
        _of_side(base)
        .join(_of_side(new), on=_SAME, how="full", coalesce=True, nulls_equal=True)
        .join(_observed(base), on="state", how="left")
        .join(_observed(new), on="state", how="left")
    )
    rated = _rated(table).with_columns(_change(same_within), _is_overlapping())
    placed = rated.join(
        place_facts(base, new, KEYS["host"]), on=["dimension", "key"], how="left"
    ).join(_holders(base, new), on=["dimension", "key"], how="left")
    noted = placed.join(
        remarks(base, new, KEYS), on=["dimension", "key"], how="left", nulls_equal=True
    )
    ordered = noted.sort(
        pl.col("dimension").replace_strict(list(DIMENSIONS), [0, 1, 2], return_dtype=pl.Int8),
        "key",
        pl.col("state").replace_strict(
            [ALL_STATES, *STATES], list(range(1 + len(STATES))), return_dtype=pl.Int8
        ),
        nulls_last=True,
    )
    return Changes.validate(ordered.select(Changes.column_names()))


def matches(changes: dy.DataFrame[Changes], rule: str) -> dy.DataFrame[Changes]:
    """The rows that a rule of `RULES` does not allow: what is new over all states."""
    return Changes.validate(
        changes.filter(
            pl.col("dimension") == RULES[rule],
            pl.col("state") == ALL_STATES,
            pl.col("change") == "new",
        )
    )


def _keyed(side: Side) -> pl.DataFrame:
    """What was sent, once per dimension with the key in it."""
    return pl.concat(
        [
            side.sent.with_columns(pl.lit(dimension).alias("dimension"), key.alias("key"))
            for dimension, key in KEYS.items()
        ]
    )


def _of_side(side: Side) -> pl.DataFrame:
    """Per key and state: bytes, repetitions that saw it, lowest and highest of their rates.

    The lowest is that of the repetitions that saw it; `_rated` knows of the others.
    """
    rate = pl.col("up_unique_bytes") * HOUR_NS / _nanoseconds("exposure")
    name = side.side
    return (
        _keyed(side)
        .group_by(*_SAME, "repetition")
        .agg(pl.col("up_unique_bytes").sum())
        .join(side.exposures.drop("side", "up_unique_bytes"), on=["repetition", "state"])
        .with_columns(rate=pl.when(_nanoseconds("exposure") > 0).then(rate))
        .group_by(_SAME)
        .agg(
            pl.col("up_unique_bytes").sum().alias(f"{name}_up_unique_bytes"),
            pl.len().cast(pl.Int64).alias(f"{name}_seen_in"),
            pl.col("rate").count().alias(f"{name}_rates"),
            pl.col("rate").min().alias(f"{name}_least_per_hour"),
            pl.col("rate").max().alias(f"{name}_most_per_hour"),
        )
    )


def _observed(side: Side) -> pl.DataFrame:
    """Per state: time observed, and the repetitions that did; those of no length, packets only."""
    is_timed = _nanoseconds("exposure") > 0
    had_packets = side.sent.select("repetition", "state", pl.lit(value=True).alias("is_seen"))
    name = side.side
    return (
        side.exposures.join(had_packets.unique(), on=["repetition", "state"], how="left")
        .group_by("state")
        .agg(
            pl.col("exposure").sum().alias(f"{name}_exposure"),
            (is_timed | pl.col("is_seen").fill_null(value=False))
            .sum()
            .cast(pl.Int64)
            .alias(f"{name}_repetitions"),
            is_timed.sum().alias(f"{name}_timed"),
        )
    )


def _rated(table: pl.DataFrame) -> pl.DataFrame:
    """With nulls of the side that did not see a key made zeros, where that side could have."""
    for side in ("base", "new"):
        exposure = _nanoseconds(f"{side}_exposure")
        is_timed = exposure > 0
        least, most = f"{side}_least_per_hour", f"{side}_most_per_hour"
        saw_all = pl.col(f"{side}_rates").fill_null(0) >= pl.col(f"{side}_timed")
        sent = pl.col(f"{side}_up_unique_bytes").fill_null(0)
        table = table.with_columns(
            sent,
            pl.col(f"{side}_seen_in").fill_null(0),
            pl.when(is_timed)
            .then(sent * HOUR_NS / exposure)
            .alias(f"{side}_up_unique_bytes_per_hour"),
            pl.when(is_timed)
            .then(pl.when(saw_all).then(pl.col(least)).otherwise(0.0))
            .alias(least),
            pl.when(is_timed).then(pl.col(most).fill_null(0.0)).alias(most),
        )
    return table


def _change(same_within: float) -> pl.Expr:
    base, new = pl.col("base_up_unique_bytes_per_hour"), pl.col("new_up_unique_bytes_per_hour")
    is_comparable = base.is_not_null() & new.is_not_null()
    # Every capture holds packets: over all states both sides were observed, if for no time.
    can_tell_presence = is_comparable | (pl.col("state") == ALL_STATES)
    return (
        pl.when(can_tell_presence & (pl.col("base_seen_in") == 0))
        .then(pl.lit("new"))
        .when(can_tell_presence & (pl.col("new_seen_in") == 0))
        .then(pl.lit("gone"))
        .when(~is_comparable)
        .then(pl.lit("not comparable"))
        .when((new - base).abs() <= same_within * pl.max_horizontal(base, new))
        .then(pl.lit("same"))
        .when(new > base)
        .then(pl.lit("more"))
        .otherwise(pl.lit("less"))
        .alias("change")
    )


def _is_overlapping() -> pl.Expr:
    has_spread = (pl.col("base_timed") > 1) & (pl.col("new_timed") > 1)
    shared = (pl.col("base_least_per_hour") <= pl.col("new_most_per_hour")) & (
        pl.col("new_least_per_hour") <= pl.col("base_most_per_hour")
    )
    return pl.when(has_spread).then(shared).alias("is_overlapping")


def _holders(base: Side, new: Side) -> pl.DataFrame:
    """The holder of each ASN, in the words of the new side where both name one."""
    return (
        pl.concat([new.sent, base.sent])
        .filter(pl.col("asn").is_not_null())
        .group_by(pl.lit("asn").alias("dimension"), KEYS["asn"].alias("key"), maintain_order=True)
        .agg(pl.col("as_org").drop_nulls().first().alias("holder"))
    )


def _nanoseconds(name: str) -> pl.Expr:
    return pl.col(name).dt.total_nanoseconds()
