"""The sums that page and charts show. Every list closes with what it left out."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from phonehome.analyzer import per_hour
from phonehome.analyzer.tables import Analysis
from phonehome.reports.words.translate import mark, say

UP: Final = pl.col("up_unique_bytes")
NETWORK: Final = mark(" (network)")
RUNNER: Final = pl.coalesce("organisation", pl.col("as_org") + NETWORK)
"""Who runs the host; where nobody is known to, who holds the network, and that it is one."""

_REMOTE: Final = ("remote_address", "host")


@dataclass(frozen=True)
class Counted:
    """The part of an analysis that the report counts: all of the phone's, or one app's.

    Attributes:
        uploads: rows of the uploads table that count.
        flows: flows of the phone with public remotes that count.
        timeline: rows of the timeline that count.
        rest_up_unique_bytes: uploaded by other apps, shown as a remainder.
    """

    uploads: pl.DataFrame
    flows: pl.DataFrame
    timeline: pl.DataFrame
    rest_up_unique_bytes: int


def runner_text(name: str) -> str:
    """A value of `RUNNER` in the language spoken."""
    return name.removesuffix(NETWORK) + say(NETWORK) if name.endswith(NETWORK) else name


def counted(analysis: Analysis) -> Counted:
    """What counts: the app under test where the capture says which app owns a flow, else all."""
    flows = analysis.flows.filter(pl.col("role") == "phone")
    app = analysis.summary.counted_app
    if app is None:
        return Counted(analysis.uploads, flows, analysis.timeline, 0)
    mine = pl.col("app").eq_missing(app)
    rest = analysis.uploads.filter(~mine)["up_unique_bytes"].sum()
    uploads, timeline = analysis.uploads.filter(mine), analysis.timeline.filter(mine)
    return Counted(uploads, flows.filter(mine), timeline, int(rest))


def by_country(
    uploads: pl.DataFrame, places: pl.DataFrame, idle: tuple[str, ...] = ("idle",)
) -> pl.DataFrame:
    """One row per country that was uploaded to, most first; a null country comes last.

    Columns: `country`, `up`, `disputed` (to addresses on which databases differ), `consistent`,
    `impossible`, `unverifiable` (to addresses of that verdict), `idle` (in these states),
    `remotes`, `organisations`, `others` (other countries named by opinions, sorted).
    """
    verdicts = places.select(remote_address="address", verdict="verdict", opinions="opinions")
    opinions = pl.col("opinions").list.eval(pl.element().struct.field("country"))
    is_disputed = pl.col("verdict").eq_missing("disputed")
    return (
        uploads.filter(UP > 0)
        .join(verdicts, on="remote_address", how="left")
        .group_by("country")
        .agg(
            up=UP.sum(),
            disputed=UP.filter(is_disputed).sum(),
            **{
                verdict: UP.filter(pl.col("verdict").eq_missing(verdict)).sum()
                for verdict in ("consistent", "impossible", "unverifiable")
            },
            idle=UP.filter(pl.col("state").is_in(idle)).sum(),
            remotes=pl.col("remote_address").n_unique(),
            organisations=RUNNER.n_unique(),
            others=opinions.explode().drop_nulls().unique().sort(),
        )
        .with_columns(
            others=pl.when(pl.col("country").is_null())
            .then("others")
            .otherwise(pl.col("others").list.set_difference(pl.concat_list("country")))
        )
        .with_columns(pl.col("others").list.sort())
        .sort(pl.col("country").is_null(), -pl.col("up"), "country")
    )


def by_phase(uploads: pl.DataFrame, phases: pl.DataFrame) -> pl.DataFrame:
    """The phases, in order, each with what was uploaded in it.

    Adds `up`, 0 where nothing was uploaded, and `up_per_hour` of exposure; null where no time
    of the phase was observed.
    """
    exposure = pl.col("exposure").dt.total_nanoseconds()
    return (
        phases.join(uploads.group_by("phase").agg(up=UP.sum()), on="phase", how="left")
        .with_columns(pl.col("up").fill_null(0))
        .with_columns(up_per_hour=per_hour(pl.col("up"), exposure))
        .sort("phase")
    )


def by_party(uploads: pl.DataFrame) -> pl.DataFrame:
    """What was uploaded to each party (null: nobody is known to run the host), most first.

    Columns: `party`, `up`, `names`: the three organisations that got most of it.
    """
    return (
        uploads.filter(UP > 0)
        .group_by("party", "organisation")
        .agg(up=UP.sum())
        .sort(-pl.col("up"), "organisation")
        .group_by("party", maintain_order=True)
        .agg(pl.col("up").sum(), names=pl.col("organisation").drop_nulls().head(3))
        .sort(pl.col("party").is_null(), -pl.col("up"), "party")
    )


def four_counts(part: Counted, most: int = 300) -> list[dict[str, Any]]:
    """What was uploaded per address and host in all four counts, and by kind; most first.

    `estimate` is null where no packet was too large for a link.
    """
    per_flow = part.flows.group_by(_REMOTE).agg(
        handshake=pl.col("up_handshake_bytes").sum(),
        application=pl.col("up_application_bytes").sum(),
        estimate=pl.when(pl.col("up_wire_estimate_bytes").is_not_null().any()).then(
            pl.coalesce("up_wire_estimate_bytes", "up_wire_bytes").sum()
        ),
    )
    return (
        part.uploads.group_by(_REMOTE)
        .agg(
            pl.col(f"up_{count}_bytes").sum().alias(count)
            for count in ("wire", "ip", "payload", "unique")
        )
        .join(per_flow, on=_REMOTE, how="left", nulls_equal=True)
        .sort(-pl.col("unique"), -pl.col("wire"), "remote_address", "host", nulls_last=True)
        .head(most)
        .to_dicts()
    )


def by_kind_sent(flows: pl.DataFrame) -> dict[str, int]:
    """Uploaded over TLS and QUIC by kind; `unread`: what their records do not account for.

    Empty where nothing was uploaded over either.
    """
    of_both = flows.filter(pl.col("up_application_bytes").is_not_null())
    sums = {
        kind: int(of_both[f"up_{kind}_bytes"].sum())
        for kind in ("handshake", "application", "keep_alive")
    }
    whole = int(of_both["up_unique_bytes"].sum())
    return {**sums, "unread": whole - sum(sums.values()), "whole": whole} if whole else {}


def by_source(flows: pl.DataFrame) -> pl.DataFrame:
    """What was uploaded per source of the remote's name (`host_source`, null: no name), `flows`."""
    return (
        flows.group_by("host_source")
        .agg(up=UP.sum(), flows=pl.len())
        .sort(pl.col("host_source").is_null(), -pl.col("up"), "host_source")
    )


def plain_requests(
    requests: pl.DataFrame, flows: pl.DataFrame, most: int = 100
) -> tuple[list[dict[str, Any]], int]:
    """Plain HTTP requests of flows that count, by host, method and path; and how many are more.

    Paths end where the query begins. Rows: `host`, `method`, `path`, `agents`, `requests`,
    `sent` and `got` (bytes of bodies), `capture` and `frame` of the first.
    """
    path = pl.col("target").str.split("?").list.first()
    grouped = (
        requests.filter(pl.col("is_up"), pl.col("method").is_not_null())
        .join(flows.select("flow"), on="flow", how="semi")
        .group_by(pl.coalesce("host", "remote_address").alias("host"), "method", path.alias("path"))
        .agg(
            agents=pl.col("agent").drop_nulls().unique().sort(),
            requests=pl.len().cast(pl.Int64),
            has_query=pl.col("target").str.contains("?", literal=True).any(),
            sent=pl.col("request_bytes").sum(),
            got=pl.col("response_bytes").sum(),
            capture=pl.col("capture").first(),
            frame=pl.col("frame").first(),
        )
        .sort(-pl.col("sent"), -pl.col("requests"), "host", "method", "path")
    )
    return grouped.head(most).to_dicts(), max(0, grouped.height - most)


def shown_certificates(
    certificates: pl.DataFrame, flows: pl.DataFrame, most: int = 100
) -> tuple[list[dict[str, Any]], int]:
    """Certificates that servers of flows that count showed, each once; and how many are more."""
    grouped = (
        certificates.join(flows.select("flow"), on="flow", how="semi")
        .group_by("sha256", maintain_order=True)
        .agg(
            pl.col("subject", "issuer", "names", "not_before", "not_after").first(),
            pl.col("capture", "frame").first(),
            addresses=pl.col("address").unique().sort(),
        )
    )
    return grouped.head(most).to_dicts(), max(0, grouped.height - most)
