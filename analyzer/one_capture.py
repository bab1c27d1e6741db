# Held by tests/analyzer/test_analysis.py: each analysis there goes through it.
"""One capture, seen from the phone: `see(tables, …) -> PhoneCapture`.

Needs nothing but the tables of the capture, the answer to who the phone is, and what is known
beside the captures. What a capture says of its phases comes too late for the sums that its
packets were added up in: then it is read again, and seen again with better states.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.analyzer.clock.second_pass import Judged
from phonehome.analyzer.content.decryption import tried
from phonehome.analyzer.content.redaction import (
    requests_without_values,
    withheld,
)
from phonehome.analyzer.flows.apps import owned
from phonehome.analyzer.flows.client_software import software
from phonehome.analyzer.flows.contents import with_contents
from phonehome.analyzer.flows.encryption import with_encryption
from phonehome.analyzer.flows.hosts import hosts
from phonehome.analyzer.flows.ledger import ledger
from phonehome.analyzer.flows.pcapdroid_list import with_connections
from phonehome.analyzer.flows.record_kinds import with_kinds
from phonehome.analyzer.flows.seen_from_phone import directed, flow_sums, seen_from_phone
from phonehome.analyzer.flows.segment_offload import with_estimate
from phonehome.analyzer.flows.server_choice import servers
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.places.round_trips import usable
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.side_files import SideFiles
from phonehome.analyzer.tables import Ledger, Phones
from phonehome.analyzer.timeline.capture_gaps import bins_of, observed_spans, silences
from phonehome.analyzer.timeline.phases import CapturePhases
from phonehome.analyzer.timeline.sources import PhoneStates
from phonehome.captures import CaptureTables
from phonehome.captures.tables import Certificates, Exchanges, Sightings
from phonehome.captures.tables import Oddities as FoundOddities


@dataclass(frozen=True, kw_only=True)
class PhoneCapture:
    """What one capture shows of the phone, before anything is known of the others.

    Rows are numbered by conversation; `all_captures` numbers them over all captures. What may
    not be shown is withheld in it already.

    Attributes:
        name: what the capture is called.
        tables: what it was seen in.
        phones: candidates for the phone.
        flows: a row per conversation, with all that is known of it.
        per_phase: sums per conversation and code of a phase.
        bins: uploads and downloads per conversation, code and bin of time.
        contacts: stretches of new payload without a pause.
        names: sightings, with the end that does not bear the name.
        requests: requests of HTTP/1, as they may be shown.
        certificates: certificates, as they may be shown.
        decryption: what keys opened, per conversation and layer.
        oddities: all that was odd.
        ledger: a row per outcome.
        phases: the phases that the codes are of.
        observed: spans of time that were observed, ns.
        found_connections: rows of the lists of connections that are in the capture.
        estimates: what is known of the clock of the timelines, by this capture.
        remarks: sentences on what could not be done with it.
    """

    name: str
    tables: CaptureTables
    phones: dy.DataFrame[Phones]
    flows: pl.DataFrame
    per_phase: pl.DataFrame
    bins: pl.DataFrame
    contacts: pl.DataFrame
    names: pl.DataFrame
    requests: pl.DataFrame
    certificates: pl.DataFrame
    decryption: pl.DataFrame
    oddities: pl.DataFrame
    ledger: dy.DataFrame[Ledger]
    phases: CapturePhases
    observed: tuple[tuple[int, int], ...]
    found_connections: frozenset[int]
    estimates: tuple[Judged, ...] = ()
    remarks: tuple[Statement, ...] = ()

    @property
    def begin(self) -> int | None:
        """First time, ns since 1970; None: no packet has one."""
        return self.tables.span[0] if self.tables.span else None


class _Seen(NamedTuple):
    """What the steps of `FLOW_STEPS` may look at."""

    tables: CaptureTables
    sightings: dy.DataFrame[Sightings]
    owners: pl.DataFrame


FlowStep = Callable[[pl.DataFrame, _Seen], pl.DataFrame]


def _with_hosts(flows: pl.DataFrame, seen: _Seen) -> pl.DataFrame:
    return flows.join(hosts(flows, seen.sightings), on="flow", how="left", maintain_order="left")


def _by_conversation(flows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    return flows.join(table, on="conversation", how="left", maintain_order="left")


FLOW_STEPS: tuple[FlowStep, ...] = (
    _with_hosts,
    lambda flows, seen: _by_conversation(flows, software(seen.tables.hellos)),
    lambda flows, seen: _by_conversation(flows, servers(seen.tables.server_hellos)),
    lambda flows, seen: with_contents(flows, seen.tables.contents),
    lambda flows, _: with_kinds(flows),
    lambda flows, _: with_estimate(flows),
    lambda flows, seen: with_encryption(
        flows, seen.tables.contents, seen.tables.exchanges, seen.tables.mmtls_records
    ),
    lambda flows, seen: _by_conversation(flows, seen.owners),
)
"""What adds columns to the flows of a capture, in order."""


def see(  # noqa: PLR0913, PLR0917 - all that one capture is seen with
    name: str,
    tables: CaptureTables,
    phones: dy.DataFrame[Phones],
    scopes: Mapping[str, str],
    states: PhoneStates,
    beside: SideFiles,
    settings: Settings,
) -> PhoneCapture:
    """A capture that was read, seen from the phone.

    Args:
        name: what the capture is called.
        tables: what it holds; its sums are kept apart by the edges of `states`.
        phones: candidates for the phone in all captures; see `flows.phone_address`.
        scopes: scope of every address in it.
        states: when the phone was active or idle.
        beside: what is known beside the captures.
        settings: what the user asked for.
    """
    candidates = phones.filter(capture=name)
    phone = candidates.filter(pl.col("is_phone"))["address"].to_list()
    seen = seen_from_phone(tables.conversations, scopes, phone).with_columns(
        tables.services.alias("service")
    )
    sightings, requests = _shown(tables, beside, settings)
    per_phase = directed(seen, tables.sums.sides)
    owners = owned(tables.owners, beside.apps)
    flows = _flows(seen, per_phase, _Seen(tables, sightings, owners))
    flows, disagreeing, matched = with_connections(flows, beside.connections, beside.apps)
    flows = usable(flows).with_columns(pl.lit(name).alias("capture"))
    bins, contacts = (_directed(table, seen) for table in (tables.sums.bins, tables.sums.contacts))
    named = sightings.join(
        seen.select("conversation", "a_address", "a_port", "b_address", "b_port"),
        on="conversation",
    ).with_columns(_other_end("address"), _other_end("port"), pl.lit(name).alias("capture"))
    quiet = silences(flows, bins_of(bins, tables.sums.bin_seconds))
    return PhoneCapture(
        name=name,
        tables=tables,
        phones=Phones.cast(_unnamed(candidates, Phones, beside, settings)),
        flows=flows,
        per_phase=per_phase,
        bins=bins,
        contacts=contacts,
        names=named,
        requests=requests,
        certificates=_unnamed(tables.certificates, Certificates, beside, settings),
        decryption=tried(flows, tables.opened, set(tables.hellos["conversation"])),
        oddities=pl.concat(
            [
                tables.oddities,
                _on_owners(owners["changed_frame"].drop_nulls(), "owner_changed"),
                _on_owners(disagreeing["first_frame"], "connections_disagree"),
            ]
        ).with_columns(pl.lit(name).alias("capture")),
        ledger=ledger(name, seen, tables.sums),
        phases=CapturePhases.of(states, tables.sums.begin),
        observed=tuple(observed_spans(*tables.span, quiet)) if tables.span else (),
        found_connections=frozenset(matched),
    )


def _flows(seen: pl.DataFrame, per_phase: pl.DataFrame, of: _Seen) -> pl.DataFrame:
    """A row per conversation, through all steps."""
    flows = (
        seen.join(flow_sums(per_phase), on="conversation")
        .sort("conversation")
        .with_columns(pl.col("conversation").cast(pl.Int64).alias("flow"))
    )
    for step in FLOW_STEPS:
        flows = step(flows, of)
    return flows


def _shown(
    tables: CaptureTables, beside: SideFiles, settings: Settings
) -> tuple[dy.DataFrame[Sightings], dy.DataFrame[Exchanges]]:
    """Names and requests as they may be written."""
    names = _unnamed(tables.sightings, Sightings, beside, settings)
    said = _unnamed(tables.exchanges, Exchanges, beside, settings)
    plain = said if settings.is_revealed else requests_without_values(said)
    return Sightings.cast(names), Exchanges.cast(plain)


def _unnamed(
    table: pl.DataFrame, schema: type[dy.Schema], beside: SideFiles, settings: Settings
) -> pl.DataFrame:
    """A table without the identifiers that are known, unless they are to be revealed."""
    return table if settings.is_revealed else withheld(table, schema, beside.known)


def _directed(table: pl.DataFrame, seen: pl.DataFrame) -> pl.DataFrame:
    """Rows by sender as rows up or down; `seen` has all conversations, in order."""
    is_local_b = seen["is_local_b"].gather(table["conversation"])
    return table.with_columns(is_up=table["is_from_b"] == is_local_b).drop("is_from_b")


def _on_owners(frames: pl.Series, kind: str) -> dy.DataFrame[FoundOddities]:
    """What is odd about the owners of conversations, by frame."""
    return FoundOddities.cast(
        pl.DataFrame({"frame": frames}).select(
            "frame",
            pl.lit(None, dtype=pl.Int64).alias("offset"),
            pl.lit("app").alias("layer"),
            pl.lit(kind).alias("kind"),
            pl.lit(None, dtype=pl.Int64).alias("needed_bytes"),
            pl.lit(None, dtype=pl.Int64).alias("got_bytes"),
            pl.lit(1, dtype=pl.Int64).alias("count"),
        )
    )


def _other_end(what: str) -> pl.Expr:
    """The end of a sighting that does not bear the name: who asked, or who connected."""
    is_of_sender = pl.col("port").is_null() | (pl.col("source") == "certificate")
    is_a = pl.when(is_of_sender).then(pl.col("is_from_b")).otherwise(~pl.col("is_from_b"))
    return (
        pl.when(is_a)
        .then(pl.col(f"a_{what}"))
        .otherwise(pl.col(f"b_{what}"))
        .alias(f"local_{what}")
    )
