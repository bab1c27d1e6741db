"""The ledger: every packet has one outcome, every byte one category; and that it holds."""

from collections.abc import Iterator

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.seen_from_phone import PACKET_SUMS, parts_by_role
from phonehome.analyzer.tables import LEDGER_OUTCOMES, Flows, Ledger, Uploads, UploadsOverTime
from phonehome.captures import PacketSums
from phonehome.captures.tables import Captures
from phonehome.captures.words import OUTCOMES

ROLE_OUTCOMES = {"phone": "attributed", "local": "local", "bystander": "bystander"}
READ_OUTCOMES = (*ROLE_OUTCOMES.values(), "duplicate", "fragment", "limit")
PARTS = (
    "link_bytes",
    "ip_header_bytes",
    "transport_header_bytes",
    "unique_bytes",
    "retransmitted_bytes",
)

_Identity = tuple[str, object, str, object]
"""What is counted, and two numbers that must be equal, each with where it comes from."""


def ledger(capture: str, seen: pl.DataFrame, sums: PacketSums) -> dy.DataFrame[Ledger]:
    """One row per outcome of one capture, all nine of them, in the order of the design."""
    by_role = parts_by_role(seen, sums).select(
        pl.col("role").replace_strict(ROLE_OUTCOMES).alias("outcome"), pl.exclude("role")
    )
    names = dict(enumerate(OUTCOMES))
    others = sums.outcomes.with_columns(
        pl.col("outcome").replace_strict(names, return_dtype=pl.String)
    ).select(by_role.columns)
    found = pl.concat([by_role, others])
    is_read = pl.col("outcome").is_in(READ_OUTCOMES)
    rows = (
        pl.DataFrame({"outcome": LEDGER_OUTCOMES})
        .join(found, on="outcome", how="left", maintain_order="left")
        .with_columns(pl.exclude("outcome").fill_null(0))
        .rename({"network_header_bytes": "ip_header_bytes"})
        .with_columns(
            pl.lit(capture).alias("capture"),
            (pl.col("payload_bytes") - pl.col("unique_bytes")).alias("retransmitted_bytes"),
        )
        .with_columns(
            pl.when(is_read).then(pl.col(name)).alias(name)
            for name in ("ip_bytes", "payload_bytes", *PARTS)
        )
    )
    return Ledger.validate(rows.select(Ledger.column_names()))


def violations(
    accounts: dy.DataFrame[Ledger],
    *,
    captures: dy.DataFrame[Captures],
    flows: dy.DataFrame[Flows],
    uploads: dy.DataFrame[Uploads],
    timeline: dy.DataFrame[UploadsOverTime],
) -> list[str]:
    """Identities that do not hold, each as a sentence with both numbers; none is as it must be."""
    identities = [
        *_of_captures(accounts, captures),
        *_of_roles(accounts, flows),
        *_of_uploads(flows, uploads, timeline),
    ]
    wrong = [
        f"{one}: {number}, but {other}: {another}"
        for one, number, other, another in identities
        if number != another
    ]
    unequal = accounts.filter(pl.sum_horizontal(PARTS) != pl.col("wire_bytes")).filter(
        pl.col("link_bytes").is_not_null()
    )
    return wrong + [
        f"{row['capture']}: parts of {row['outcome']} do not add up to {row['wire_bytes']}"
        for row in unequal.iter_rows(named=True)
    ]


def _of_captures(accounts: pl.DataFrame, captures: pl.DataFrame) -> Iterator[_Identity]:
    """Every packet and byte that was read stands in the ledger of its capture."""
    sums = accounts.group_by("capture").agg(pl.col("packets", "wire_bytes").sum())
    both = captures.select("capture", "packets", "wire_bytes").join(
        sums, on="capture", how="full", coalesce=True, suffix="_told", maintain_order="left_right"
    )
    for row in both.fill_null(0).iter_rows(named=True):
        for name in ("packets", "wire_bytes"):
            words = name.replace("_", " ")
            yield (
                f"{row['capture']}: {words} of the ledger",
                row[f"{name}_told"],
                f"{words} read",
                row[name],
            )


def _of_roles(accounts: pl.DataFrame, flows: pl.DataFrame) -> Iterator[_Identity]:
    """Flows of a role have the packets and bytes of its outcome."""
    for role, outcome in ROLE_OUTCOMES.items():
        of_role = flows.filter(pl.col("role") == role)
        of_outcome = accounts.filter(pl.col("outcome") == outcome)
        for name in PACKET_SUMS:
            words = name.replace("_", " ")
            yield (
                f"{words} of flows with role {role}",
                (of_role[f"up_{name}"] + of_role[f"down_{name}"]).sum(),
                f"{words} {outcome} in the ledger",
                of_outcome[name].sum(),
            )


def _of_uploads(
    flows: pl.DataFrame, uploads: pl.DataFrame, timeline: pl.DataFrame
) -> Iterator[_Identity]:
    """Uploads per phase, and over time, are those of the phone's flows."""
    phone = flows.filter(pl.col("role") == "phone")
    for way, ways in (("up", "uploads"), ("down", "downloads")):
        for name in PACKET_SUMS:
            column = f"{way}_{name}"
            words = f"{name.replace('_', ' ')} of {ways}"
            yield words, uploads[column].sum(), f"{words} of flows", phone[column].sum()
        column = f"{way}_unique_bytes"
        words = f"unique bytes of {ways}"
        yield words, uploads[column].sum(), f"{words} of the timeline", timeline[column].sum()
