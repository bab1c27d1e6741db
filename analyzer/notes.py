"""Sentences on what a run could not do, and on what a reader must know before its numbers."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import polars as pl

from analyzer.settings import Settings

NO_PHONE = "{}: no address behaves like a phone: name it with --phone"
NO_PHONE_GIVEN = "{}: none of the addresses given with --phone takes part"
OTHER_DEVICES = (
    "{}: {} opens connections too and is counted as a bystander: if it is the phone, name it "
    "with --phone"
)
NO_TIMELINE = (
    "No timeline was given, so active and idle time cannot be told apart: --timeline FILE does it."
)
TIMELINE_ELSEWHERE = "No span of the timeline falls into the time of the captures, {} to {}."
NO_APPS = "The captures do not say which app owns a flow: all traffic of the phone counts."
SAME_FILE = "{} holds the same bytes as {} and is counted once."
OVERLAP = (
    "{} and {} cover the same time: packets that are in both are counted twice, duplicates are "
    "not looked for."
)
OTHER_DATE = (
    "The captures are of {}, the geo data of {}: addresses change hands, so places may have been "
    "others then."
)
OTHER_APPS = "No flow belongs to {}. The captures name: {}."
SOME_UNKNOWN = "Of {1} flows of the phone, {0} have no known app and are not counted to {2}."
LISTED_DEVICES = 3
LISTED_APPS = 12
OWN_SCOPES = ("private", "unique_local", "shared", "link_local", "global")
DATES_APART = timedelta(days=180)


def notes(  # noqa: PLR0913 - every table that a note may be on
    settings: Settings,
    *,
    captures: pl.DataFrame,
    phones: pl.DataFrame,
    phases: pl.DataFrame,
    databases: pl.DataFrame,
    apps: pl.Series,
) -> list[str]:
    """All notes of a run, what concerns the phone first."""
    return [
        *_on_phones(settings, captures["capture"], phones),
        *_on_phases(settings, captures, phases),
        *_on_apps(settings.app, apps),
        *_on_overlap(captures),
        *_on_dates(captures, databases),
    ]


def _on_phones(settings: Settings, captures: Iterable[str], phones: pl.DataFrame) -> list[str]:
    found = []
    for capture in captures:
        candidates = phones.filter(pl.col("capture") == capture)
        if not candidates["is_phone"].any():
            found.append((NO_PHONE_GIVEN if settings.phones else NO_PHONE).format(capture))
        elif not settings.phones:
            others = candidates.filter(
                ~pl.col("is_phone") & (pl.col("opened") > 0) & pl.col("scope").is_in(OWN_SCOPES)
            )["address"].to_list()
            more = f" and {len(others) - LISTED_DEVICES} more" if others[LISTED_DEVICES:] else ""
            if others:
                listed = ", ".join(others[:LISTED_DEVICES]) + more
                found.append(OTHER_DEVICES.format(capture, listed))
    return found


def _on_apps(asked: str | None, apps: pl.Series) -> list[str]:
    """What the captures say of the app that was asked for; `apps` has one of each flow."""
    if asked is None:
        return []
    known = sorted(apps.drop_nulls().unique().to_list())
    if not known:
        return [NO_APPS]
    if asked not in known:
        more = f" and {len(known) - LISTED_APPS} more" if known[LISTED_APPS:] else ""
        return [OTHER_APPS.format(asked, ", ".join(known[:LISTED_APPS]) + more)]
    unknown = int(apps.null_count())
    return [SOME_UNKNOWN.format(unknown, len(apps), asked)] if unknown else []


def _on_phases(settings: Settings, captures: pl.DataFrame, phases: pl.DataFrame) -> list[str]:
    if not settings.timelines:
        return [NO_TIMELINE]
    observed = phases.filter(
        (pl.col("state") != "unknown") & (pl.col("exposure") > pl.duration(nanoseconds=0))
    )
    if len(observed):
        return []
    first, last = captures["first_time"].min(), captures["last_time"].max()
    return [TIMELINE_ELSEWHERE.format(first, last)]


def _on_overlap(captures: pl.DataFrame) -> list[str]:
    timed = captures.drop_nulls("first_time").sort("first_time", "capture")
    rows: Sequence[tuple[str, object, object]] = timed.select(
        "capture", "first_time", "last_time"
    ).rows()
    found, latest = [], None
    for row in rows:
        if latest is not None and row[1] < latest[2]:  # type: ignore[operator] # both are times
            found.append(OVERLAP.format(latest[0], row[0]))
        if latest is None or row[2] > latest[2]:  # type: ignore[operator] # the same
            latest = row
    return found[:LISTED_DEVICES]


def _on_dates(captures: pl.DataFrame, databases: pl.DataFrame) -> list[str]:
    day = captures["last_time"].dt.date().max()
    made = databases.filter(pl.col("kind") == "country")["data_date"].drop_nulls()
    if day is None or not len(made):
        return []
    apart = max(abs(day - date) for date in made)
    return [OTHER_DATE.format(day, made[0])] if apart > DATES_APART else []
