"""Uploads: what the phone exchanged with public remotes, per phase, app, remote; over time."""

from collections.abc import Sequence
from typing import Final

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.seen_from_phone import PACKET_SUMS
from phonehome.analyzer.tables import FlowPhases, Flows, Moments, Phases, Uploads, UploadsOverTime
from phonehome.captures import MOST_BINS
from phonehome.captures.words import SECOND

HOUR_NS = 3_600 * SECOND
WAYS = ("up", "down")
OF_ADDRESS = ("remote_address", "country", "asn", "as_org")
KIND = ("app", "country", "organisation", "as_org")
TIME: Final = pl.Datetime("ns", "UTC")
REMOTE = ("app", *OF_ADDRESS, "host", "organisation", "organisation_country", "party")


def per_hour(amount: pl.Expr, exposure: pl.Expr) -> pl.Expr:
    """An amount per hour of exposure; null where nothing was observed.

    Args:
        amount: bytes, or a count.
        exposure: nanoseconds.
    """
    # As whole numbers the product would be more than 64 bits hold, from 2.6 million on.
    return pl.when(exposure > 0).then(amount.cast(pl.Float64) * HOUR_NS / exposure)


def uploads(
    per_phase: pl.DataFrame, flows: dy.DataFrame[Flows], phases: dy.DataFrame[Phases]
) -> dy.DataFrame[Uploads]:
    """One row per phase, app, remote address and its name.

    Args:
        per_phase: flow, phase and the sums up and down, of all flows.
        flows: all flows.
        phases: all phases.
    """
    of_phone = flows.filter(pl.col("role") == "phone").select("flow", *REMOTE)
    exposure = pl.col("exposure").dt.total_nanoseconds()
    table = (
        per_phase.join(of_phone, on="flow")
        .group_by("phase", *REMOTE)
        .agg(pl.col(f"{way}_{name}").sum() for way in WAYS for name in PACKET_SUMS)
        .join(phases.select("phase", "state", "exposure"), on="phase")
        .with_columns(up_unique_bytes_per_hour=per_hour(pl.col("up_unique_bytes"), exposure))
        .sort(
            "phase",
            "up_unique_bytes",
            "remote_address",
            "host",
            "app",
            descending=[False, True, False, False, False],
        )
    )
    return Uploads.validate(table.select(Uploads.column_names()))


def flow_phases(
    per_phase: pl.DataFrame, flows: dy.DataFrame[Flows], phases: dy.DataFrame[Phases]
) -> dy.DataFrame[FlowPhases]:
    """One row per flow of the phone and phase: `uploads` before flows are added up.

    Args:
        per_phase: flow, phase and the sums up and down, of all flows.
        flows: all flows.
        phases: all phases.
    """
    table = (
        per_phase.join(
            flows.filter(pl.col("role") == "phone").select("flow"), on="flow", how="semi"
        )
        .join(phases.select("phase", "state"), on="phase")
        .sort("flow", "phase")
    )
    return FlowPhases.validate(table.select(FlowPhases.column_names()))


def over_time(
    bins: Sequence[tuple[pl.DataFrame, int]],
    flows: dy.DataFrame[Flows],
    phases: dy.DataFrame[Phases],
) -> tuple[dy.DataFrame[UploadsOverTime], dy.DataFrame[Moments]]:
    """What was sent when: of all flows together, and of each.

    Args:
        bins: per capture: flow, phase, is_up, bin and unique_bytes; and the bin's seconds.
        flows: all flows.
        phases: all phases.
    """
    per_flow = _of_one_width(bins)
    return _timeline(per_flow, flows, phases), _moments(per_flow, flows)


def _of_one_width(bins: Sequence[tuple[pl.DataFrame, int]]) -> pl.DataFrame:
    """The bins of all captures as wide as those of the one that needs the widest.

    Returns:
        Columns `flow`, `phase`, `is_up`, `start`, `width`, `unique_bytes`; a flow may have several
        rows of one bin. A null start: no time.
    """
    width = max((seconds for _, seconds in bins), default=1)
    per_flow = pl.concat(
        [table.with_columns(pl.col("bin") // (width // seconds)) for table, seconds in bins]
    )
    while per_flow["bin"].n_unique() > MOST_BINS:
        width *= 2
        per_flow = per_flow.with_columns(pl.col("bin") // 2)
    return per_flow.select(
        "flow",
        "phase",
        "is_up",
        (pl.col("bin") * (width * SECOND)).cast(TIME).alias("start"),
        pl.lit(width * SECOND).cast(pl.Duration("ns")).alias("width"),
        "unique_bytes",
    )


def _timeline(
    per_flow: pl.DataFrame, flows: dy.DataFrame[Flows], phases: dy.DataFrame[Phases]
) -> dy.DataFrame[UploadsOverTime]:
    """What went up and down per bin of time, phase, app, country and organisation."""
    amount = [
        pl.when(pl.col("is_up") == is_up)
        .then(pl.col("unique_bytes"))
        .otherwise(0)
        .sum()
        .alias(f"{way}_unique_bytes")
        for way, is_up in (("up", True), ("down", False))
    ]
    of_phone = flows.filter(pl.col("role") == "phone").select("flow", *KIND)
    kinds = of_phone.select(KIND).unique().sort(KIND, nulls_last=True).with_row_index("kind")
    kind_of = of_phone.join(kinds, on=KIND, nulls_equal=True).select("flow", "kind")
    of_kind = (  # numbers first: text is slow to group and to sort by
        per_flow.lazy()
        .join(kind_of.lazy(), on="flow")
        .group_by("start", "width", "phase", "kind")
        .agg(amount)
        .sort("start", "phase", "kind")
        .collect()
    )
    table = of_kind.join(kinds, on="kind", maintain_order="left").join(
        phases.select("phase", "state"), on="phase", maintain_order="left"
    )
    return UploadsOverTime.validate(table.select(UploadsOverTime.column_names()))


def _moments(per_flow: pl.DataFrame, flows: dy.DataFrame[Flows]) -> dy.DataFrame[Moments]:
    """What each flow of the phone uploaded in each bin of time."""
    of_phone = flows.lazy().filter(pl.col("role") == "phone").select("flow")
    table = (
        per_flow.lazy()
        .filter("is_up", pl.col("unique_bytes") > 0, pl.col("start").is_not_null())
        .join(of_phone, on="flow", how="semi")
        .group_by("flow", "phase", "start")
        .agg(up_unique_bytes=pl.col("unique_bytes").sum())
        .sort("flow", "phase", "start")
        .collect()
    )
    return Moments.validate(table.select(Moments.column_names()))
