"""Sentences on what a run could not do, and on what a reader must know before its numbers."""

from collections.abc import Iterable
from datetime import timedelta

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.file_order import rotation_notes
from phonehome.analyzer.kinds.run import (
    CLOCK_GIVEN,
    CLOCK_MOVED,
    CLOCK_OFF,
    CLOCK_UNKNOWN,
    INFERRED_PHASES,
    NO_APPS,
    NO_PHONE,
    NO_PHONE_GIVEN,
    NO_TIMELINE,
    NOTHING_MOVED,
    OTHER_APPS,
    OTHER_DATE,
    OTHER_DEVICES,
    SOME_APPS_UNKNOWN,
    TIMELINE_ELSEWHERE,
)
from phonehome.analyzer.kinds.statement import Kind, Statement, kept, listed
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.timeline.spans import INFERRED
from phonehome.captures.tables import Captures

EVIDENCE = {
    "hellos": "hellos in which the phone states its clock",
    "names": "names that an App Privacy Report lists and the capture shows",
    "bursts": "uploads that follow the screen coming on",
}
LISTED_DEVICES = 3
LISTED_APPS = 12
OWN_SCOPES = ("private", "unique_local", "shared", "link_local", "global")
DATES_APART = timedelta(days=180)

_About = tuple[Kind, tuple[str, ...]]
"""What is strange, and the devices that are."""


def notes(  # noqa: PLR0913 - every table that a note may be on
    settings: Settings,
    *,
    captures: dy.DataFrame[Captures],
    phones: pl.DataFrame,
    phases: pl.DataFrame,
    databases: pl.DataFrame,
    clocks: pl.DataFrame,
    apps: pl.Series,
) -> list[Statement]:
    """All notes of a run, what concerns the phone first.

    Args:
        settings: what the user asked for.
        captures: what was read.
        phones: candidates for the phone.
        phases: all phases.
        databases: what placed addresses.
        clocks: what is known of the clocks of timelines.
        apps: app of each flow of the phone.
    """
    return [
        *_on_phones(settings, captures["capture"], phones),
        *_on_phases(settings, captures, phases),
        *_on_clocks(settings, clocks),
        *_on_apps(settings.app, apps),
        *rotation_notes(captures),
        *_on_dates(captures, databases),
    ]


def _on_phones(
    settings: Settings, captures: Iterable[str], phones: pl.DataFrame
) -> list[Statement]:
    """What is strange about the phone, each thing once with all captures that it is true of."""
    found: dict[_About, list[str]] = {}
    for capture in captures:
        candidates = phones.filter(pl.col("capture") == capture)
        if not candidates["is_phone"].any():
            about: _About = (NO_PHONE_GIVEN if settings.phones else NO_PHONE), ()
        elif not settings.phones and (others := _others(candidates)):
            about = OTHER_DEVICES, tuple(others)
        else:
            continue
        found.setdefault(about, []).append(capture)
    return [_on_devices(kind, others, names) for (kind, others), names in found.items()]


def _on_devices(kind: Kind, others: tuple[str, ...], captures: list[str]) -> Statement:
    """A statement on the phone or devices beside it, in these captures."""
    named = {"addresses": listed(others, LISTED_DEVICES)} if others else {}
    return kind(capture=listed(captures, LISTED_DEVICES), **named)


def _on_clocks(settings: Settings, clocks: pl.DataFrame) -> list[Statement]:
    """Whether the clock of the timelines is that of the captures."""
    said: list[Statement] = []
    if settings.clock_offset and "given" not in clocks["evidence"]:
        said.append(NOTHING_MOVED())
    for row in clocks.iter_rows(named=True):
        if row["evidence"] == "given":
            said.append(
                CLOCK_GIVEN(capture=row["capture"], offset=f"{row['offset'].total_seconds():+.1f}")
            )
        elif row["offset"] is None:
            if settings.clock_offset is None:
                said.append(
                    CLOCK_UNKNOWN(
                        capture=row["capture"],
                        evidence=EVIDENCE[row["evidence"]],
                        reason=kept(row["remark"]),
                    )
                )
        else:
            numbers = [row[name].total_seconds() for name in ("offset", "low", "high")]
            text = CLOCK_MOVED if row["is_applied"] else CLOCK_OFF
            if row["is_applied"] or not (numbers[1] <= 0 <= numbers[2] or settings.clock_offset):
                offset, low, high = (f"{number:+.1f}" for number in numbers)
                said.append(
                    text(
                        capture=row["capture"],
                        offset=offset,
                        low=low,
                        high=high,
                        evidence=EVIDENCE[row["evidence"]],
                    )
                )
    return said


def _others(candidates: pl.DataFrame) -> list[str]:
    """Other addresses that open connections."""
    others: list[str] = candidates.filter(
        ~pl.col("is_phone") & (pl.col("opened") > 0) & pl.col("scope").is_in(OWN_SCOPES)
    )["address"].to_list()
    return others


def _on_apps(asked: str | None, apps: pl.Series) -> list[Statement]:
    """What the captures say of the app that was asked for; `apps` has one of each flow."""
    if asked is None:
        return []
    known = sorted(apps.drop_nulls().unique().to_list())
    if not known:
        return [NO_APPS()]
    if asked not in known:
        return [OTHER_APPS(app=asked, apps=listed(known, LISTED_APPS))]
    unknown = int(apps.null_count())
    if not unknown:
        return []
    return [SOME_APPS_UNKNOWN(all=len(apps), unknown=unknown, app=asked)]


def _on_phases(settings: Settings, captures: pl.DataFrame, phases: pl.DataFrame) -> list[Statement]:
    if phases["source"].is_in([INFERRED]).any():
        return [INFERRED_PHASES()]
    observed = phases.filter(
        (pl.col("state") != "unknown") & (pl.col("exposure") > pl.duration(nanoseconds=0))
    )
    if len(observed):
        return []
    if not settings.timelines:
        return [NO_TIMELINE()]
    first, last = captures["first_time"].min(), captures["last_time"].max()
    return [TIMELINE_ELSEWHERE(first=first, last=last)]


def _on_dates(captures: pl.DataFrame, databases: pl.DataFrame) -> list[Statement]:
    day = captures["last_time"].dt.date().max()
    made = databases.filter(pl.col("kind") == "country")["data_date"].drop_nulls()
    if day is None or not len(made):
        return []
    apart = max(abs(day - date) for date in made)
    return [OTHER_DATE(day=day, date=made[0])] if apart > DATES_APART else []
