# Held by tests/analyzer/claims/test_check.py: each remark beside its claim.
"""What to know before relying on the result of a claim: whose traffic, whose word, what is lost."""

from collections.abc import Iterator

import polars as pl

from phonehome.analyzer.claims.file import Claim
from phonehome.analyzer.claims.possible_worlds import doubtful_places, is_by_country, is_by_name
from phonehome.analyzer.claims.tables import Tables
from phonehome.analyzer.timeline.spans import INFERRED
from phonehome.captures.words import SECOND


def remarks(claim: Claim, tables: Tables) -> Iterator[str]:
    """The remarks on one claim, a sentence or two each."""
    yield _whose(tables)
    if is_by_country(claim.query):
        yield from _on_countries(claim, tables)
    if is_by_name(claim.query):
        yield (
            "A name is what the phone said it wanted, or what a look-up gave for the address; who "
            "answers behind it, a capture does not show."
        )
    if claim.states:
        yield from _on_states(claim, tables)
    if silent := tables.silence(claim.states):
        yield (
            f"{silent / SECOND / 3_600:,.1f} h do not count as observed: for more than a day no "
            "flow is in the capture, so its clock jumped or nothing was captured."
        )
    yield from _on_losses(tables)


def _whose(tables: Tables) -> str:
    if tables.is_alone:
        return f"Only flows that the captures ascribe to {tables.app} count."
    if tables.is_app_alone:
        return (
            f"All traffic of the phone counts as that of {tables.app or 'the app'}, because the "
            "user says that no other app sent anything."
        )
    if tables.app is None:
        return "All traffic of the phone counts, whichever app sent it."
    return (
        f"The captures do not say which app owns a flow: all traffic of the phone counts, not only "
        f"that of {tables.app}."
    )


def _on_countries(claim: Claim, tables: Tables) -> Iterator[str]:
    databases = tables.frames["databases"].filter(
        pl.col("kind").str.split("+").list.contains("country")
    )
    named = [
        f"{row['name']} ({row['data_date'] or 'of unknown date'})" for row in databases.to_dicts()
    ]
    if named:
        yield (
            f"A country is where {named[0]} places the address of the first server; what happens "
            "behind it, a capture does not show."
        )
    doubtful = doubtful_places(tables, claim.verdicts)
    unaccepted = doubtful.filter(~pl.col("is_accepted"))["address"]
    uploads = tables.frames["uploads"]
    sent = uploads.filter(pl.col("app") == tables.app) if tables.is_alone else uploads
    whole = int(sent["up_unique_bytes"].sum())
    is_accepted = ~pl.col("remote_address").is_in(unaccepted.implode())
    counted = int(sent.filter(is_accepted)["up_unique_bytes"].sum())
    yield (
        f"Of {whole:,} bytes uploaded in all, {counted:,} went to addresses whose country is "
        f"{' or '.join(claim.verdicts)}, as the claim accepts."
    )
    if "unverifiable" in claim.verdicts:
        yield "Unverifiable means that databases say so and that no round trip was held against it."


def _on_states(claim: Claim, tables: Tables) -> Iterator[str]:
    phases = tables.frames["phases"]
    if claim.is_inferred_enough and (phases["source"] == INFERRED).any():
        yield (
            "The states were inferred from traffic, which the claim accepts: they prove nothing "
            "about a person."
        )
    unknown = tables.frames["uploads"].filter(pl.col("state") == "unknown")
    sent = int(unknown["up_unique_bytes"].sum())
    if sent and "unknown" not in claim.states:
        yield (
            f"{sent:,} bytes were uploaded when the state of the phone is unknown; they count for "
            "no state."
        )
    off = tables.frames["clocks"].filter(
        ~pl.col("is_applied"),
        (pl.col("low").dt.total_nanoseconds() > 0) | (pl.col("high").dt.total_nanoseconds() < 0),
    )
    for row in off.to_dicts():
        yield (
            f"{row['capture']}: the timeline's clock seems to be off by "
            f"{-row['offset'].total_seconds():+.1f} s, which was not mended, so what is near to a "
            "change of state may count for the wrong one."
        )


def _on_losses(tables: Tables) -> Iterator[str]:
    captures = tables.frames["captures"]
    lost = int(captures["dropped_packets"].fill_null(0).sum())
    if lost:
        yield (
            f"The files record {lost:,} packets lost while capturing: they may have gone anywhere."
        )
    missing = int(captures["gap_bytes"].sum())
    if missing:
        yield (
            f"By their sequence numbers, TCP streams held {missing:,} bytes that were not "
            "captured: numbers are lower bounds."
        )
