# Held by tests/analyzer/test_analysis.py: each table of an analysis is made by it.
"""From the joined captures to the whole analysis: places, time, content, findings."""

from collections.abc import Iterator
from dataclasses import replace

import dataframely as dy
import polars as pl

from phonehome import geo
from phonehome.analyzer.all_captures import AllCaptures, captures_table
from phonehome.analyzer.behaviour.over_time import Behaviour, behaviour
from phonehome.analyzer.clock.offset import clocks
from phonehome.analyzer.content.decryption import decryption_notes
from phonehome.analyzer.content.identifiers import identifiers, searched_up
from phonehome.analyzer.content.tokens import tokens
from phonehome.analyzer.findings.amplification import amplification
from phonehome.analyzer.findings.completeness import completeness
from phonehome.analyzer.findings.run import notes
from phonehome.analyzer.findings.summary import summary
from phonehome.analyzer.findings.traffic import traffic_notes
from phonehome.analyzer.flows.apps import is_alone
from phonehome.analyzer.flows.ledger import violations
from phonehome.analyzer.flows.pcapdroid_list import connection_notes
from phonehome.analyzer.flows.uploads import flow_phases, over_time, uploads
from phonehome.analyzer.kinds.run import DOES_NOT_BALANCE, LEFT_OUT
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.places.organisations import publisher_of, with_organisations
from phonehome.analyzer.places.round_trips import round_trips
from phonehome.analyzer.places.verdicts import judged, location_notes
from phonehome.analyzer.read_captures import SeenCaptures
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.side_files import SideFiles
from phonehome.analyzer.tables import Analysis, Flows, Identifiers, Places, Tokens, Uploads
from phonehome.analyzer.timeline.capture_gaps import silence_note
from phonehome.captures import path_text
from phonehome.captures.tables import Captures


def analysis_tables(
    joined: AllCaptures,
    seen: SeenCaptures,
    settings: Settings,
    beside: SideFiles,
) -> Analysis:
    """All tables of a run.

    Args:
        joined: all captures, joined.
        seen: the captures one by one, and what was left out.
        settings: what the user asked for.
        beside: what is known beside the captures.
    """
    flows, places = _placed(joined.flows, settings, beside)
    analysis, wrong = _tables(joined, flows, places, settings, beside)
    if seen.left_out:
        analysis = replace(analysis, summary=replace(analysis.summary, is_damaged=True))
    noted = [
        *(LEFT_OUT(capture=path_text(each.path), reason=each.reason) for each in seen.left_out),
        *seen.repeated,
        *_notes(analysis, joined, captures_table(seen.parts), beside, flows),
        *(DOES_NOT_BALANCE(problem=problem) for problem in wrong),
    ]
    return replace(analysis, notes=tuple(map(str, noted)))


def _tables(
    joined: AllCaptures,
    flows: pl.DataFrame,
    places: dy.DataFrame[Places],
    settings: Settings,
    beside: SideFiles,
) -> tuple[Analysis, list[str]]:
    """The analysis without notes, and the identities of its ledger that do not hold."""
    exported = Flows.validate(flows.select(Flows.column_names()))
    sent = uploads(joined.per_phase, exported, joined.phases)
    timeline, moments = over_time(joined.bins, exported, joined.phases)
    over = _behaviour(joined, exported, sent, settings.app)
    wrong = violations(
        joined.ledger, captures=joined.captures, flows=exported, uploads=sent, timeline=timeline
    )
    analysis = Analysis(
        settings=settings,
        summary=summary(
            app=settings.app,
            idle_means=settings.idle_means,
            version=settings.version,
            captures=joined.captures,
            flows=exported,
            places=places,
            phases=joined.phases,
            uploads=sent,
            is_balanced=not wrong,
            searched_up_bytes=searched_up(joined.searched, joined.decryption, flows)
            if beside.known.identifiers
            else None,
        ),
        captures=joined.captures,
        phones=joined.phones,
        flows=exported,
        names=joined.names,
        requests=joined.requests,
        certificates=joined.certificates,
        mmtls=joined.mmtls,
        places=places,
        phases=joined.phases,
        uploads=sent,
        flow_phases=flow_phases(joined.per_phase, exported, joined.phases),
        timeline=timeline,
        moments=moments,
        clocks=clocks([judged for part in joined.parts for judged in part.estimates]),
        rates=over.rates,
        bursts=over.bursts,
        beacons=over.beacons,
        stretches=over.stretches,
        amplification=amplification(settings.sent, _counting(sent, settings.app), joined.phases),
        completeness=completeness(beside.counted, exported, beside.apps, joined.observed_seconds),
        identifiers=_identifiers(joined, flows, settings, beside),
        tokens=_tokens(joined, flows, settings, beside),
        ledger=joined.ledger,
        oddities=joined.oddities,
        databases=geo.databases_table(beside.databases),
        limits_hit=joined.limits_hit,
        decryption=joined.decryption,
        tshark=next((version for version in _tshark_versions(joined) if version), None),
        keys_used=joined.decryption.filter("is_opened")["flow"].n_unique(),
        notes=(),
    )
    return analysis, wrong


def _placed(
    flows: pl.DataFrame, settings: Settings, beside: SideFiles
) -> tuple[pl.DataFrame, dy.DataFrame[Places]]:
    """The flows with who runs their remotes and where they are, and the places themselves."""
    publisher = settings.publisher or publisher_of(settings.app)
    flows = with_organisations(flows, beside.organisations, publisher)
    remotes = flows.filter(pl.col("role") != "bystander")["remote_address"].unique()
    opinions = geo.places(remotes, beside.databases)
    places = judged(opinions, beside.location, round_trips(flows))
    placed = flows.join(
        places.select("address", "country", "asn", "as_org"),
        left_on="remote_address",
        right_on="address",
        how="left",
        maintain_order="left",
    )
    return placed.with_columns(pl.lit(settings.version, dtype=pl.String).alias("version")), places


def _behaviour(
    joined: AllCaptures, flows: dy.DataFrame[Flows], sent: dy.DataFrame[Uploads], app: str | None
) -> Behaviour:
    """What contacts over time show."""
    return behaviour(
        app=app,
        contacts=joined.contacts,
        pause=joined.pause,
        per_phase=joined.per_phase,
        flows=flows,
        uploads=sent,
        phases=joined.phases,
        spans=joined.observed,
    )


def _counting(uploads: pl.DataFrame, app: str | None) -> pl.DataFrame:
    """The uploads of the app under test, where apps are known; else all."""
    if not is_alone(app, uploads["app"]):
        return uploads
    return uploads.filter(pl.col("app").eq_missing(app))


def _identifiers(
    joined: AllCaptures, flows: pl.DataFrame, settings: Settings, beside: SideFiles
) -> dy.DataFrame[Identifiers]:
    return identifiers(
        joined.hits,
        flows.filter(pl.col("role") != "bystander"),
        joined.phases,
        beside.known,
        searched=int(joined.searched["octets"].sum()),
        is_revealed=settings.is_revealed,
    )


def _tokens(
    joined: AllCaptures, flows: pl.DataFrame, settings: Settings, beside: SideFiles
) -> dy.DataFrame[Tokens]:
    is_call_to_all = pl.col("remote_scope").is_in(("multicast", "broadcast"))
    return tokens(
        joined.values,
        flows.filter(pl.col("role") != "bystander", ~is_call_to_all),
        joined.phases,
        beside.known,
        is_revealed=settings.is_revealed,
    )


def _tshark_versions(joined: AllCaptures) -> Iterator[str | None]:
    return (part.tables.opened.version for part in joined.parts)


def _notes(
    analysis: Analysis,
    joined: AllCaptures,
    captures: dy.DataFrame[Captures],
    beside: SideFiles,
    flows: pl.DataFrame,
) -> Iterator[Statement]:
    """Sentences on what the run could not do, and on what a reader must know before its numbers.

    Args:
        analysis: its tables.
        joined: all captures, joined.
        captures: what was read, in the order in which it was given.
        beside: what is known beside the captures.
        flows: all flows, with all that is known of them.
    """
    opened = [(part.name, part.tables.opened) for part in joined.parts]
    of_phone = analysis.flows.filter(role="phone")
    yield from decryption_notes(analysis.decryption, opened)
    yield from (remark for part in joined.parts for remark in part.remarks)
    for part in joined.parts:
        yield from silence_note(part.name, list(part.observed))
    yield from location_notes(beside.location)
    yield from notes(
        analysis.settings,
        captures=captures,
        phones=analysis.phones,
        phases=analysis.phases,
        databases=analysis.databases,
        clocks=analysis.clocks,
        apps=of_phone["app"],
    )
    yield from connection_notes(beside.connections, joined.found_connections, of_phone)
    yield from traffic_notes(flows.filter(role="phone"), analysis.mmtls, joined.hiding_names)
