"""Stable tokens: values that nobody listed, and by which requests can be tied to one phone or user.

Opaque values (`carried`) that come again in requests that otherwise differ are kept by the app:
identifiers of installation, session or user, keys of the app, or of what is asked for again and
again. Which of them one is, traffic does not say. Values that come once (nonces) are none.
"""

from typing import TYPE_CHECKING, Final

import dataframely as dy
import polars as pl

from phonehome.analyzer.content.identifiers import phased
from phonehome.analyzer.content.redaction import without_identifiers
from phonehome.analyzer.tables import Tokens

if TYPE_CHECKING:
    from phonehome.analyzer.content.identifiers import Known

FEWEST_REQUESTS: Final = 3
FEWEST_PLACES: Final = 2
"""Requests that differ in more than the value; the same one asked again is no more than that."""
_OF_TOKEN: Final = ("token_requests", "token_idle_requests", "token_hosts", "token_captures")


def tokens(
    found: pl.DataFrame,
    flows: pl.DataFrame,
    phases: pl.DataFrame,
    known: "Known",
    *,
    is_revealed: bool = False,
) -> dy.DataFrame[Tokens]:
    """Values that the phone sent in at least three requests that differ in more than them.

    Args:
        found: as `carried.Values` has them, with `flow` for `conversation`.
        flows: flow, capture, app, is_local_b, remote_address, host, country, asn, organisation.
        phases: as `analyzer.tables.Phases`.
        known: its key makes the digests.
        is_revealed: values may be shown.
    """
    ends = ("capture", "app", "is_local_b", "remote_address", "host", "country", "asn")
    sent = (
        found.join(flows.select("flow", *ends, "organisation"), on="flow")
        .filter(pl.col("is_from_b") == pl.col("is_local_b"))
        .with_columns(pl.coalesce("named", "host", "remote_address").alias("host"))
    )
    stable = (
        sent.group_by("token")
        .agg(
            _requests().alias("token_requests"),
            pl.col("rest").n_unique().alias("places"),
            pl.col("host").n_unique().cast(pl.Int64).alias("token_hosts"),
            pl.col("capture").n_unique().cast(pl.Int64).alias("token_captures"),
        )
        .filter(
            pl.col("token_requests") >= FEWEST_REQUESTS,
            pl.col("places") >= FEWEST_PLACES,
        )
    )
    seen = phased(sent.join(stable, on="token"), phases)
    idle = (
        seen.filter(pl.col("state") == "idle")
        .group_by("token")
        .agg(_requests().alias("token_idle_requests"))
    )
    seen = seen.join(idle, on="token", how="left").with_columns(
        pl.col("token_idle_requests").fill_null(0)
    )
    table = _numbered(_per_host(seen))
    said = table.with_columns(
        _digests(table["value"], known),
        pl.col("value") if is_revealed else pl.lit(None, dtype=pl.String).alias("value"),
    )
    shown = said if is_revealed else without_identifiers(said, ["field", "host"], known)
    return Tokens.validate(shown.select(Tokens.column_names()))


def _requests(are_meant: pl.Expr | None = None) -> pl.Expr:
    """How many requests: one may carry a value in several fields."""
    request = pl.struct("capture", "request")
    meant = request if are_meant is None else request.filter(are_meant)
    return meant.n_unique().cast(pl.Int64)


def _per_host(seen: pl.DataFrame) -> pl.DataFrame:
    """One row per token, host and field, with the first and the last request."""
    first = ("flow", "capture", "app", "remote_address", "country", "asn", "organisation", "form")
    return (
        seen.sort("time", "capture", "frame", "flow", "request", "given", nulls_last=True)
        .group_by("token", "host", "field", maintain_order=True)
        .agg(
            pl.col(*first, "frame", *_OF_TOKEN).first(),
            pl.col("given").first().alias("value"),
            _requests().alias("requests"),
            pl.col("flow").n_unique().cast(pl.Int64).alias("flows"),
            _requests(pl.col("state") == "idle").alias("idle_requests"),
            pl.col("time").min().alias("first_time"),
            pl.col("time").max().alias("last_time"),
        )
        .with_columns(pl.col("value").str.len_chars().cast(pl.Int64).alias("length"))
    )


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    """Tokens by number: those first that most hosts got, then in most requests."""
    order = ["token_hosts", "token_requests", "token"]
    ranked = rows.select(order).unique().sort(order, descending=[True, True, False])
    return (
        rows.drop("token_hosts", "token_requests")
        .join(ranked.with_row_index("number"), on="token", how="inner")
        .with_columns(pl.col("number").cast(pl.Int64).alias("token"))
        .sort("token", "requests", "host", "field", descending=[False, True, False, False])
    )


def _digests(values: pl.Series, known: "Known") -> pl.Series:
    """What stands for each value under the key of the list; null: there is none."""
    digests = [known.digest_of(value.encode()) for value in values]
    return pl.Series("digest", digests, dtype=pl.String)
