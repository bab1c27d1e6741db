"""What stands behind the answer: ledger, identities, oddities, filters, opinions, settings."""

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from phonehome.analyzer import path_text
from phonehome.analyzer.settings import ENGLISH, Settings
from phonehome.analyzer.tables import LEDGER_OUTCOMES, Analysis
from phonehome.geo import OLD_AFTER
from phonehome.reports.words.translate import number, say

PARTS: Final = (
    "link_bytes",
    "ip_header_bytes",
    "transport_header_bytes",
    "unique_bytes",
    "retransmitted_bytes",
)
"""The categories of a byte: together they are the bytes on the wire."""


@dataclass(frozen=True)
class Identity:
    """A sum that must come out the same by two ways."""

    says: str
    left: int
    right: int

    @property
    def is_kept(self) -> bool:
        """Both ways give the same number."""
        return self.left == self.right


def by_outcome(ledger: pl.DataFrame) -> list[dict[str, Any]]:
    """The ledger over all captures: a row per outcome that occurred, in the ledger's order.

    A part is None where no packet of that outcome was read so far.
    """
    columns = ("packets", "wire_bytes", *PARTS)
    sums = ledger.group_by("outcome").agg(
        pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in columns
    )
    rows = {row["outcome"]: row for row in sums.to_dicts()}
    return [rows[outcome] for outcome in LEDGER_OUTCOMES if outcome in rows]


def identities(analysis: Analysis, listed_up: int) -> list[Identity]:
    """The sums that this report must keep.

    Args:
        analysis: the tables.
        listed_up: uploaded bytes of all rows of the destinations table, "other" included.
    """
    ledger, flows, captures = analysis.ledger, analysis.flows, analysis.captures
    read = ledger.filter(pl.all_horizontal(pl.col(PARTS).is_not_null()))
    attributed = ledger.filter(pl.col("outcome") == "attributed")
    phone = flows.filter(pl.col("role") == "phone")
    return [
        Identity(say("packets of all outcomes = packets in the files"),
                 _sum(ledger, "packets"), _sum(captures, "packets")),
        Identity(say("bytes on the wire of all outcomes = bytes on the wire in the files"),
                 _sum(ledger, "wire_bytes"), _sum(captures, "wire_bytes")),
        Identity(say("link + IP + transport headers + payload first seen + payload seen again "
                 "= bytes on the wire, where packets were read as IP"),
                 sum(_sum(read, part) for part in PARTS), _sum(read, "wire_bytes")),
        Identity(say("payload first seen, up and down, of the phone's flows = that of the "
                 "outcome “attributed”"),
                 _sum(phone, "up_unique_bytes") + _sum(phone, "down_unique_bytes"),
                 _sum(attributed, "unique_bytes")),
        Identity(say("uploaded over all phases = uploaded over all flows of the phone"),
                 _sum(analysis.uploads, "up_unique_bytes"), _sum(phone, "up_unique_bytes")),
        Identity(say("uploaded over all rows of the destinations = uploaded in total"),
                 listed_up, analysis.summary.up_unique_bytes),
    ]  # fmt: skip


def _sum(table: pl.DataFrame, column: str) -> int:
    return int(table[column].sum())


def by_kind(oddities: pl.DataFrame) -> pl.DataFrame:
    """Oddities of all captures by layer and kind: `count`, and where the first one is."""
    return (
        oddities.group_by("layer", "kind")
        .agg(
            count=pl.col("count").sum(),
            capture=pl.col("capture").first(),
            frame=pl.col("frame").first(),
            offset=pl.col("offset").first(),
        )
        .sort(-pl.col("count"), "layer", "kind")
    )


def other_opinions(row: dict[str, Any]) -> list[tuple[str, str | None]]:
    """The databases that name another country for this destination, each with what it names."""
    return [
        (opinion["database"], opinion["country"])
        for opinion in row["opinions"] or []
        if opinion["country"] not in {None, row["country"]}
    ]


def settings_rows(settings: Settings) -> list[tuple[str, str]]:
    """Settings and limits by name, as text; of a path its last part."""
    plain = asdict(settings)
    limits = plain.pop("limits")
    if plain["language"] == ENGLISH:
        del plain["language"]  # a page in English looks as it did before there were others
    rows = [(name, _setting_text(value)) for name, value in plain.items()]
    return rows + [
        (say("limit: {name}", name=name), number(value)) for name, value in limits.items()
    ]


def _setting_text(value: object) -> str:
    if value is None or value == ():
        return say("not given")
    if isinstance(value, tuple):
        return ", ".join(
            path_text(part.name) if isinstance(part, Path) else str(part) for part in value
        )
    return str(value)


def databases(analysis: Analysis) -> pl.DataFrame:
    """The databases in the order asked, with `is_old`: when the last packet was captured."""
    last = analysis.captures["last_time"].dt.date().max()
    is_old = pl.lit(value=False)
    if isinstance(last, date):
        is_old = (pl.col("data_date") < last - OLD_AFTER).fill_null(value=False)
    return analysis.databases.with_columns(is_old=is_old)
