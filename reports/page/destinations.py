"""Destinations: one row per address and name, with what the tables know of each."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import STATES
from phonehome.reports.words.sums import RUNNER, UP, Counted

_REMOTE: Final = ("remote_address", "host")


@dataclass(frozen=True)
class Destinations:
    """The destinations, most uploaded first, and the sums of those beyond the page's bound.

    Attributes:
        rows: one per address and host.
        other: sums over the rows left out; None: none was.
        other_rows: how many those are.
        total: sums over all.
    """

    rows: list[dict[str, Any]]
    other: dict[str, int] | None
    other_rows: int
    total: dict[str, int]


def destinations(part: Counted, places: pl.DataFrame, *, most: int = 2_000) -> Destinations:
    """One row per remote address and host, with what it was sent in each state of the phone."""
    sums = _destination_sums(part.uploads)
    kept = (
        sums.head(most)
        .join(_proofs(part.flows), on=_REMOTE, how="left", nulls_equal=True)
        .join(_facts(places), left_on="remote_address", right_on="address", how="left")
        .sort("place")
    )
    rest = sums.slice(most)
    return Destinations(
        rows=kept.to_dicts(),
        other=_totals(rest) if rest.height else None,
        other_rows=rest.height,
        total=_totals(sums),
    )


def _destination_sums(uploads: pl.DataFrame) -> pl.DataFrame:
    return (
        uploads.group_by(_REMOTE)
        .agg(
            *(UP.filter(pl.col("state") == state).sum().alias(state) for state in STATES),
            up=UP.sum(),
            down=pl.col("down_unique_bytes").sum(),
            apps=pl.col("app").drop_nulls().unique().sort(),
            organisation=pl.col("organisation").first(),
            runner=RUNNER.first(),
            organisation_country=pl.col("organisation_country").first(),
            parties=pl.col("party").drop_nulls().unique().sort(),
        )
        .sort(-pl.col("up"), -pl.col("down"), "remote_address", pl.col("host").fill_null(""))
        .with_columns(is_shared=pl.len().over("remote_address") > 1, place=pl.int_range(pl.len()))
    )


def _proofs(flows: pl.DataFrame) -> pl.DataFrame:
    """Per address and host: the flows, their ports, and the first frame that proves the name."""
    return (
        flows.sort("flow")
        .group_by(_REMOTE)
        .agg(
            flows=pl.len(),
            host_source=pl.col("host_source").first(),
            host_frame=pl.col("host_frame").first(),
            host_rule=pl.col("host_rule").first(),
            host_unicode=pl.col("host_unicode").first(),
            host_warning=pl.col("host_warning").first(),
            is_host_ambiguous=pl.col("is_host_ambiguous").any(),
            other_hosts=pl.col("other_hosts").first(),
            contents=pl.col("up_content").drop_nulls().unique().sort(),
            framing=pl.col("framing").drop_nulls().first(),
            tls_versions=pl.col("tls_version").drop_nulls().unique().sort(),
            capture=pl.col("capture").first(),
            first_frame=pl.col("first_frame").first(),
            last_frame=pl.col("last_frame").last(),
            first_time=pl.col("first_time").min(),
            last_time=pl.col("last_time").max(),
            services=pl.col("service").drop_nulls().unique().sort(),
            protocols=pl.col("protocol").unique().sort(),
            remote_ports=pl.col("remote_port").drop_nulls().unique().sort(),
            local_ports=pl.col("local_port").drop_nulls().unique().sort(),
        )
    )


def _facts(places: pl.DataFrame) -> pl.DataFrame:
    return places.select(
        "address",
        "country",
        "registered_country",
        "asn",
        "as_org",
        "holder",
        "holder_country",
        "holder_kind",
        "is_anycast",
        "rtt_floor",
        "relay_hint",
        "opinions",
        "verdict",
        "reason",
    )


def _totals(sums: pl.DataFrame) -> dict[str, int]:
    return {name: int(sums[name].sum()) for name in (*STATES, "up", "down")}
