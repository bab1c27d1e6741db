"""One repetition of a side: the tables of its analysis, and what a comparison makes of them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.apps import is_alone
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    ALL_STATES,
    STATES,
    Beacons,
    Findings,
    FlowPhases,
    Flows,
    Phases,
    Phones,
    Places,
    Requests,
    Uploads,
)
from phonehome.captures.tables import Captures
from phonehome.geo.tables import Databases

if TYPE_CHECKING:
    from phonehome.analyzer.claims.tables import Tables

REMOTE: Final = (
    *("remote_address", "host", "country", "asn", "as_org"),
    *("organisation", "domain", "app", "service"),
)
"""What is known of the other end of a flow, and of the flow, that a comparison asks for."""

HOST: Final = pl.coalesce("host", "remote_address")
"""The key of a host. A remote without a name is its address."""

PLACE: Final = "place"
BEACON: Final = "beacon"
TRAITS: Final = {
    "service": pl.col("service"),
    "tls_version": pl.col("tls_version"),
    "ja3": pl.col("ja3"),
    "ja4": pl.col("ja4"),
    PLACE: pl.format(
        "{} AS{}", pl.col("country").fill_null("unknown"), pl.col("asn").fill_null(pl.lit(0))
    ).str.replace(" AS0", "", literal=True),
}
"""What a host can be like, over its flows; it has periodic contacts besides (`BEACON`)."""


@dataclass(frozen=True, kw_only=True)
class Observed:
    """One repetition, with those tables of its analysis that a comparison needs.

    Attributes:
        name: file name, or name of the folder of results.
        is_saved: it was read back from such a folder.
        timelines: files that said when the phone was idle.
        timeline_source: `given`, `beside` or `saved`; None: there is no timeline.
        settings: what its analysis was asked for, as far as a comparison asks.
        notes: sentences on what the run could not do.
        findings: what they are made of.
        is_balanced: the ledger's identities hold.
        claimed: hands on all tables, to test claims on; None: they are not at hand.
    """

    name: str
    is_saved: bool
    timelines: tuple[Path, ...]
    timeline_source: str | None
    settings: Settings
    captures: dy.DataFrame[Captures]
    phones: dy.DataFrame[Phones]
    phases: dy.DataFrame[Phases]
    flows: dy.DataFrame[Flows]
    flow_phases: dy.DataFrame[FlowPhases]
    uploads: dy.DataFrame[Uploads]
    places: dy.DataFrame[Places]
    beacons: dy.DataFrame[Beacons]
    requests: dy.DataFrame[Requests]
    databases: dy.DataFrame[Databases]
    notes: tuple[str, ...]
    findings: dy.DataFrame[Findings]
    is_balanced: bool
    claimed: "Callable[[], Tables] | None" = None

    def counting(self, app: str | None) -> pl.DataFrame:
        """The phone's flows; those of one app, where it was asked for and apps are known."""
        flows = self.flows.filter(pl.col("role") == "phone")
        if not is_alone(app, flows["app"]):
            return flows
        return flows.filter(pl.col("app") == app)


def sent(part: Observed, app: str | None) -> pl.DataFrame:
    """What went to whom: a row per state, label and what `REMOTE` names.

    Columns: state, label, those of `REMOTE`, up_unique_bytes, flows. The state is `all` for the
    whole; the label is null for the whole of a state.
    """
    per_phase = (
        part.flow_phases.join(part.phases.select("phase", "label"), on="phase")
        .join(part.counting(app).select("flow", *REMOTE), on="flow")
        .select("flow", "state", "label", *REMOTE, "up_unique_bytes")
    )
    return (
        in_all_spans(per_phase)
        .group_by("state", "label", *REMOTE)
        .agg(
            pl.col("up_unique_bytes").sum(),
            pl.col("flow").n_unique().cast(pl.Int64).alias("flows"),
        )
    )


def in_all_spans(table: pl.DataFrame) -> pl.DataFrame:
    """Rows with state and label, once more per state alone, and once more under `all`."""
    no_label = pl.lit(None, dtype=pl.String).alias("label")
    return pl.concat(
        [
            table.with_columns(pl.lit(ALL_STATES).alias("state"), no_label),
            table.with_columns(no_label),
            table.filter(pl.col("state") != STATES[-1]),
        ]
    )


def spans(part: Observed) -> pl.DataFrame:
    """Time observed: a row per state and label, per state, and for all; no state is left out.

    Columns: state, label (null: the whole of the state), exposure.
    """
    observed = (
        in_all_spans(part.phases.select("state", "label", "exposure"))
        .group_by("state", "label")
        .agg(pl.col("exposure").sum())
    )
    every = pl.DataFrame(
        {"state": [ALL_STATES, *STATES], "label": None}, schema_overrides={"label": pl.String}
    )
    nothing = every.join(observed, on=["state", "label"], how="anti", nulls_equal=True)
    return pl.concat(
        [observed, nothing.with_columns(pl.lit(0).cast(pl.Duration("ns")).alias("exposure"))]
    )


def traits(part: Observed, app: str | None) -> pl.DataFrame:
    """What each host was like: a row per key of a host, trait and value."""
    flows = part.counting(app).with_columns(HOST.alias("key"))
    of_flows = [
        flows.select("key", pl.lit(trait).alias("trait"), value.alias("value"))
        for trait, value in TRAITS.items()
    ]
    clear = part.beacons.filter(pl.col("confidence") == "clear")
    if is_alone(app, part.flows["app"]):
        clear = clear.filter(pl.col("app") == app)
    periodic = clear.select(
        pl.coalesce("host", pl.col("remote_addresses").list.first()).alias("key"),
        pl.lit(BEACON).alias("trait"),
        pl.col("state").alias("value"),
    )
    return pl.concat([*of_flows, periodic]).filter(pl.col("value").is_not_null()).unique()
