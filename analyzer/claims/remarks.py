# Held by tests/analyzer/claims/test_check.py: each remark beside its claim.
"""What to know before relying on the result of a claim: whose traffic, whose word, what is lost."""

from collections.abc import Iterator

import polars as pl

from phonehome.analyzer.claims.file import Claim
from phonehome.analyzer.claims.possible_worlds import doubtful_places, is_by_country, is_by_name
from phonehome.analyzer.claims.tables import Tables
from phonehome.analyzer.kinds import claims as kinds
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.timeline.spans import INFERRED
from phonehome.captures.words import SECOND


def remarks(claim: Claim, tables: Tables) -> Iterator[Statement]:
    """The remarks on one claim, a sentence or two each."""
    yield _whose(tables)
    if is_by_country(claim.query):
        yield from _on_countries(claim, tables)
    if is_by_name(claim.query):
        yield kinds.NAME_IS_WANTED()
    if claim.states:
        yield from _on_states(claim, tables)
    if silent := tables.silence(claim.states):
        yield kinds.SILENT_HOURS(hours=f"{silent / SECOND / 3_600:,.1f}")
    yield from _on_losses(tables)


def _whose(tables: Tables) -> Statement:
    if tables.is_alone:
        return kinds.ONLY_OF_APP(app=tables.app)
    if tables.is_app_alone:
        return kinds.ALL_AS_THAT_OF(app=tables.app) if tables.app else kinds.ALL_AS_THAT_APP()
    if tables.app is None:
        return kinds.ALL_COUNTS()
    return kinds.NOT_ONLY_OF_APP(app=tables.app)


def _on_countries(claim: Claim, tables: Tables) -> Iterator[Statement]:
    databases = tables.frames["databases"].filter(
        pl.col("kind").str.split("+").list.contains("country")
    )
    named = [
        f"{row['name']} ({row['data_date'] or 'of unknown date'})" for row in databases.to_dicts()
    ]
    if named:
        yield kinds.FIRST_SERVER(database=named[0])
    doubtful = doubtful_places(tables, claim.verdicts)
    unaccepted = doubtful.filter(~pl.col("is_accepted"))["address"]
    uploads = tables.frames["uploads"]
    sent = uploads.filter(pl.col("app") == tables.app) if tables.is_alone else uploads
    whole = int(sent["up_unique_bytes"].sum())
    is_accepted = ~pl.col("remote_address").is_in(unaccepted.implode())
    counted = int(sent.filter(is_accepted)["up_unique_bytes"].sum())
    yield kinds.ACCEPTED(all=whole, counted=counted, verdicts=claim.verdicts)
    if "unverifiable" in claim.verdicts:
        yield kinds.UNVERIFIABLE()


def _on_states(claim: Claim, tables: Tables) -> Iterator[Statement]:
    phases = tables.frames["phases"]
    if claim.is_inferred_enough and (phases["source"] == INFERRED).any():
        yield kinds.GUESS_ACCEPTED()
    unknown = tables.frames["uploads"].filter(pl.col("state") == "unknown")
    sent = int(unknown["up_unique_bytes"].sum())
    if sent and "unknown" not in claim.states:
        yield kinds.STATE_UNKNOWN(bytes=sent)
    off = tables.frames["clocks"].filter(
        ~pl.col("is_applied"),
        (pl.col("low").dt.total_nanoseconds() > 0) | (pl.col("high").dt.total_nanoseconds() < 0),
    )
    for row in off.to_dicts():
        offset = f"{-row['offset'].total_seconds():+.1f}"
        yield kinds.CLOCK_NOT_MENDED(capture=row["capture"], offset=offset)


def _on_losses(tables: Tables) -> Iterator[Statement]:
    captures = tables.frames["captures"]
    lost = int(captures["dropped_packets"].fill_null(0).sum())
    if lost:
        yield kinds.PACKETS_LOST(count=lost)
    missing = int(captures["gap_bytes"].sum())
    if missing:
        yield kinds.BYTES_MISSING(count=missing)
