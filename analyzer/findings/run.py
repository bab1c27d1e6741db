"""Sentences on what a run could not do, and on what a reader must know before its numbers."""

from collections.abc import Iterable
from datetime import timedelta

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.file_order import rotation_notes
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.timeline.spans import INFERRED
from phonehome.captures.tables import Captures

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
READ_ONCE = (
    "Standard input can be read once: what the capture itself says of phases or clocks came too "
    "late to be used. Save it to a file first."
)
LEFT_OUT = "{} was not read: {}."
SAME_FILE = "{} holds the same bytes as {} and is counted once."
OTHER_DATE = (
    "The captures are of {}, the geo data of {}: addresses change hands, so places may have been "
    "others then."
)
INFERRED_PHASES = (
    "No log says when the phone was in use: active and idle are inferred from traffic (busy and "
    "quiet stretches), so they prove nothing about a person."
)
CLOCK_OFF = (
    "{}: the timeline's clock seems to be off: {:+.1f} s (between {:+.1f} and {:+.1f}) would bring "
    "it to the capture's, by {}. It was not moved: --clock-offset auto does it."
)
CLOCK_MOVED = (
    "{}: times of the timeline were moved by {:+.1f} s (between {:+.1f} and {:+.1f}, by {}); so "
    "near to a change of state none is known."
)
CLOCK_GIVEN = "{}: times of the timeline were moved by {:+.1f} s, as told."
NOTHING_MOVED = (
    "--clock-offset moved nothing: no timeline has times of a clock of its own. Seconds from the "
    "first packet are those of the capture."
)
CLOCK_UNKNOWN = "{}: how far the timeline's clock is off cannot be told by {}: {}."
EVIDENCE = {
    "hellos": "hellos in which the phone states its clock",
    "names": "names that an App Privacy Report lists and the capture shows",
    "bursts": "uploads that follow the screen coming on",
}
OTHER_APPS = "No flow belongs to {}. The captures name: {}."
SOME_UNKNOWN = "Of {1} flows of the phone, {0} have no known app and are not counted to {2}."
LISTED_DEVICES = 3
LISTED_APPS = 12
OWN_SCOPES = ("private", "unique_local", "shared", "link_local", "global")
DATES_APART = timedelta(days=180)


def notes(  # noqa: PLR0913 - every table that a note may be on
    settings: Settings,
    *,
    captures: dy.DataFrame[Captures],
    phones: pl.DataFrame,
    phases: pl.DataFrame,
    databases: pl.DataFrame,
    clocks: pl.DataFrame,
    apps: pl.Series,
) -> list[str]:
    """All notes of a run, what concerns the phone first."""
    return [
        *_on_phones(settings, captures["capture"], phones),
        *_on_phases(settings, captures, phases),
        *_on_clocks(settings, clocks),
        *_on_apps(settings.app, apps),
        *rotation_notes(captures),
        *_on_dates(captures, databases),
    ]


def _on_phones(settings: Settings, captures: Iterable[str], phones: pl.DataFrame) -> list[str]:
    """What is strange about the phone, each thing once with all captures that it is true of."""
    found: dict[str, list[str]] = {}
    for capture in captures:
        candidates = phones.filter(pl.col("capture") == capture)
        if not candidates["is_phone"].any():
            text = NO_PHONE_GIVEN if settings.phones else NO_PHONE
        elif not settings.phones and (others := _others(candidates)):
            text = OTHER_DEVICES.format("{}", others)
        else:
            continue
        found.setdefault(text, []).append(capture)
    return [text.format(_listed(names)) for text, names in found.items()]


def _on_clocks(settings: Settings, clocks: pl.DataFrame) -> list[str]:
    """Whether the clock of the timelines is that of the captures."""
    said = []
    if settings.clock_offset and "given" not in clocks["evidence"]:
        said.append(NOTHING_MOVED)
    for row in clocks.iter_rows(named=True):
        if row["evidence"] == "given":
            said.append(CLOCK_GIVEN.format(row["capture"], row["offset"].total_seconds()))
        elif row["offset"] is None:
            if settings.clock_offset is None:
                words = (row["capture"], EVIDENCE[row["evidence"]], row["remark"])
                said.append(CLOCK_UNKNOWN.format(*words))
        else:
            numbers = [row[name].total_seconds() for name in ("offset", "low", "high")]
            text = CLOCK_MOVED if row["is_applied"] else CLOCK_OFF
            if row["is_applied"] or not (numbers[1] <= 0 <= numbers[2] or settings.clock_offset):
                said.append(text.format(row["capture"], *numbers, EVIDENCE[row["evidence"]]))
    return said


def _others(candidates: pl.DataFrame) -> str:
    """Other addresses that open connections, the first few by name; empty: there are none."""
    others = candidates.filter(
        ~pl.col("is_phone") & (pl.col("opened") > 0) & pl.col("scope").is_in(OWN_SCOPES)
    )["address"].to_list()
    return _listed(others)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED_DEVICES} more" if names[LISTED_DEVICES:] else ""
    return ", ".join(names[:LISTED_DEVICES]) + more


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
    if phases["source"].is_in([INFERRED]).any():
        return [INFERRED_PHASES]
    observed = phases.filter(
        (pl.col("state") != "unknown") & (pl.col("exposure") > pl.duration(nanoseconds=0))
    )
    if len(observed):
        return []
    if not settings.timelines:
        return [NO_TIMELINE]
    first, last = captures["first_time"].min(), captures["last_time"].max()
    return [TIMELINE_ELSEWHERE.format(first, last)]


def _on_dates(captures: pl.DataFrame, databases: pl.DataFrame) -> list[str]:
    day = captures["last_time"].dt.date().max()
    made = databases.filter(pl.col("kind") == "country")["data_date"].drop_nulls()
    if day is None or not len(made):
        return []
    apart = max(abs(day - date) for date in made)
    return [OTHER_DATE.format(day, made[0])] if apart > DATES_APART else []
