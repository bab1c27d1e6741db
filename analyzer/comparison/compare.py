"""Two sides held against each other: what is new, gone or changed per country, ASN and host.

Rates are bytes uploaded over the time observed. What is measured is described first; whether
chance could have done it is judged after that, for all rows together.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.analyzer.analysis import Progress
from phonehome.analyzer.comparison.host_traits import judged_traits, met_traits
from phonehome.analyzer.comparison.remarks import place_facts, remarks
from phonehome.analyzer.comparison.repetition import HOST
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.comparison.setup_differences import differences
from phonehome.analyzer.comparison.sides import Side, observe
from phonehome.analyzer.comparison.verdicts import (
    Family,
    enough,
    places,
    presence,
    seen_in,
    verdict,
    volume,
)
from phonehome.analyzer.findings.table import findings_of
from phonehome.analyzer.flows.uploads import per_hour
from phonehome.analyzer.kinds.statement import kept_statements
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    ALL_STATES,
    DIMENSIONS,
    STATES,
    Analysis,
    Changes,
    ComparedDatabases,
    Exposures,
    Repetitions,
    Traits,
)

SAME_WITHIN: Final = 0.1
"""Two rates are called the same where they differ by at most this part of the larger one."""

PHASE: Final = "phase"
"""The dimension of hosts per label of a phase."""

KEYS: Final = {
    "country": pl.col("country"),
    "asn": pl.concat_str(pl.lit("AS"), pl.col("asn")),
    "organisation": pl.col("organisation"),
    "domain": pl.col("domain"),
    "host": HOST,
    "app": pl.col("app"),
    "service": pl.col("service"),
}
"""Per dimension, the key of a remote; `phase` is `host` once more, per label."""

ALWAYS: Final = ("country", "asn", "host", PHASE)
"""Dimensions that have rows even if no key of them is known on either side."""

_SAME: Final = ("dimension", "key", "state", "label")


def compare(
    base: Sequence[str | Path | Analysis],
    new: Sequence[str | Path | Analysis],
    *,
    settings: tuple[Settings, Settings],
    same_within: float = SAME_WITHIN,
    progress: Progress | None = None,
) -> Comparison:
    """The comparison of two sides; see `sides.observe` for what can stand in each.

    Args:
        base: captures, saved analyses or analyses of the one side.
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
    with kept_statements() as kept:
        judged = _judged(base, new, same_within)
    differing = tuple(differences(base, new, same_within=same_within))
    remarks = judged.changes["remark"].drop_nulls().unique().sort()
    told = [kept[text] for text in remarks if text in kept]
    said = [*differing, *base.notes, *new.notes, *told]
    return Comparison(
        labels={side.side: side.label for side in sides},
        label_sources={side.side: side.label_source for side in sides},
        told={side.side: side.told for side in sides},
        same_within=same_within,
        changes=judged.changes,
        traits=judged.traits,
        family=judged.family,
        repetitions=repetitions,
        exposures=exposures,
        databases=ComparedDatabases.validate(pl.concat([side.databases for side in sides])),
        places={side.side: side.places for side in sides},
        observed={side.side: side.observed for side in sides},
        captures={side.side: side.captures for side in sides},
        settings={side.side: side.settings for side in sides},
        differences=differing,
        notes=(*base.notes, *new.notes),
        is_damaged=bool(repetitions["is_damaged"].any() or base.left_out or new.left_out),
        is_balanced=base.is_balanced and new.is_balanced,
        findings=findings_of(dict.fromkeys(said)),
    )


def changes(base: Side, new: Side, *, same_within: float) -> dy.DataFrame[Changes]:
    """What differs, and what does not, per dimension, key and state, and how sure that is."""
    return _judged(base, new, same_within).changes


class _Judged(NamedTuple):
    changes: dy.DataFrame[Changes]
    traits: dy.DataFrame[Traits]
    family: int


def _judged(base: Side, new: Side, same_within: float) -> _Judged:
    """Rows and traits, all their tests taken together."""
    keyed = pl.concat(
        [_keyed(side, base, new).with_columns(side=pl.lit(side.side)) for side in (base, new)]
    )
    rows = _described(keyed, base, new, same_within)
    kinds = met_traits(base, new)
    spans = pl.concat([side.spans.with_columns(side=pl.lit(side.side)) for side in (base, new)])
    cells = rows.select("row", *_SAME).join(keyed, on=_SAME, nulls_equal=True)
    rated = volume(rows.select("state", "label"), cells, spans, same_within=same_within)
    tests = [
        presence(seen_in(rows)),
        (rated.p, rated.least, rated.effect != 0),
        places(rows.select(*_SAME), {side.side: side.traits for side in (base, new)}),
        presence(seen_in(kinds)),
    ]
    family = Family.of(*(np.concatenate(column) for column in zip(*tests, strict=True)))
    of_rows = family.parts([len(test[0]) for test in tests])
    table = rows.with_columns(
        *(
            pl.Series(f"{name}_{what}", values, nan_to_null=True)
            for name, (p, q) in zip(("presence", "volume", "place"), of_rows, strict=False)
            for what, values in (("p", p), ("q", q))
        ),
        pl.Series("sameness_p", rated.same, nan_to_null=True),
        pl.Series("effect", rated.effect, nan_to_null=True),
        pl.Series("ratio_low", rated.low, nan_to_null=True),
        pl.Series("ratio_high", rated.high, nan_to_null=True),
        *enough(rows, family),
    )
    return _Judged(
        Changes.validate(verdict(table).select(Changes.column_names())),
        judged_traits(kinds, of_rows[-1], family),
        family.size,
    )


def _described(keyed: pl.DataFrame, base: Side, new: Side, same_within: float) -> pl.DataFrame:
    """A row per dimension, key, state and label, with all that is measured, in their order."""
    table = (
        _of_side(keyed, base)
        .join(_of_side(keyed, new), on=_SAME, how="full", coalesce=True, nulls_equal=True)
        .join(_observed(base), on=["state", "label"], how="left", nulls_equal=True)
        .join(_observed(new), on=["state", "label"], how="left", nulls_equal=True)
    )
    rated = _rated(table).with_columns(_change(same_within), _is_overlapping(), _ratio())
    placed = rated.join(place_facts(base, new, HOST), on=["dimension", "key"], how="left").join(
        _holders(base, new), on=["dimension", "key"], how="left"
    )
    noted = placed.join(remarks(base, new), on=["dimension", "key"], how="left", nulls_equal=True)
    orders = {"dimension": DIMENSIONS, "state": (ALL_STATES, *STATES)}
    place = {
        name: pl.col(name).replace_strict(list(words), range(len(words)), return_dtype=pl.Int8)
        for name, words in orders.items()
    }
    ordered = noted.sort(place["dimension"], "key", place["state"], "label", nulls_last=True)
    return ordered.with_row_index("row")


def _keyed(side: Side, base: Side, new: Side) -> pl.DataFrame:
    """What a side sent, per dimension, key, state, label and repetition."""
    known = pl.concat([base.sent, new.sent]).select(
        pl.col(name).is_not_null().any() for name in KEYS if name not in ALWAYS
    )
    whole = side.sent.filter(pl.col("label").is_null())
    several = _with_labels(base, new)
    parts = [
        whole.with_columns(pl.lit(dimension).alias("dimension"), key.alias("key"))
        for dimension, key in KEYS.items()
        if dimension in ALWAYS or known[dimension].item()
    ]
    of_labels = side.sent.filter(pl.col("label").is_not_null(), pl.col("state").is_in(several))
    parts.append(of_labels.with_columns(pl.lit(PHASE).alias("dimension"), HOST.alias("key")))
    return (
        pl.concat(parts)
        .group_by(*_SAME, "repetition")
        .agg(pl.col("up_unique_bytes", "flows").sum())
    )


def _with_labels(base: Side, new: Side) -> list[str]:
    """States whose phases have more than one label: of the others, labels say nothing new."""
    labels = pl.concat([base.spans, new.spans]).drop_nulls("label")
    several = labels.group_by("state").agg(pl.col("label").n_unique()).filter(pl.col("label") > 1)
    return several["state"].to_list()


def _of_side(keyed: pl.DataFrame, side: Side) -> pl.DataFrame:
    """Per key and state: bytes, flows, repetitions that saw it, lowest and highest of their rates.

    The lowest is that of the repetitions that saw it; `_rated` knows of the others.
    """
    name = side.side
    return (
        keyed.filter(side=name)
        .join(side.spans, on=["repetition", "state", "label"], nulls_equal=True)
        .with_columns(rate=per_hour(pl.col("up_unique_bytes"), _nanoseconds("exposure")))
        .group_by(_SAME)
        .agg(
            pl.col("up_unique_bytes").sum().alias(f"{name}_up_unique_bytes"),
            pl.col("flows").sum().alias(f"{name}_flows"),
            pl.len().cast(pl.Int64).alias(f"{name}_seen_in"),
            pl.col("rate").count().alias(f"{name}_rates"),
            pl.col("rate").min().alias(f"{name}_least_per_hour"),
            pl.col("rate").max().alias(f"{name}_most_per_hour"),
        )
    )


def _observed(side: Side) -> pl.DataFrame:
    """Per state and label: time observed, and the repetitions that did, or at least had packets.

    The labels of the other side are there too, with nothing observed.
    """
    is_timed = _nanoseconds("exposure") > 0
    span = ["repetition", "state", "label"]
    had_packets = side.sent.select(*span, pl.lit(value=True).alias("is_seen"))
    name = side.side
    return (
        side.spans.join(had_packets.unique(), on=span, how="left", nulls_equal=True)
        .group_by("state", "label")
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
        flows = pl.col(f"{side}_flows").fill_null(0)
        no_time = pl.lit(0).cast(pl.Duration("ns"))
        table = table.with_columns(
            pl.col(f"{side}_exposure").fill_null(no_time),  # a label of the other side alone
            pl.col(f"{side}_repetitions", f"{side}_timed").fill_null(0),
        ).with_columns(
            sent,
            pl.col(f"{side}_seen_in").fill_null(0),
            per_hour(sent, exposure).alias(f"{side}_up_unique_bytes_per_hour"),
            per_hour(flows, exposure).alias(f"{side}_flows_per_hour"),
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


def _ratio() -> pl.Expr:
    base = pl.col("base_up_unique_bytes_per_hour")
    return pl.when(base > 0).then(pl.col("new_up_unique_bytes_per_hour") / base).alias("ratio")


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
