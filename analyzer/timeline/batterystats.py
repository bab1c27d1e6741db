"""Android's battery history: `dumpsys batterystats --history`, and the terse form of `-c`.

Layout: AOSP, `BatteryStats.HistoryPrinter`. A line counts from the beginning of the history (in the
terse form from the line before, since Android 15 it has a date without a year); lines with `TIME`
say what the clock said.
"""

import re
from collections.abc import Iterator
from datetime import datetime, tzinfo
from itertools import pairwise
from typing import NamedTuple

from phonehome.analyzer.timeline.events import (
    DEEP,
    DOZE,
    FRONT,
    GONE,
    LIGHT,
    LOST,
    MISSED,
    OFF,
    ON,
    SCREEN,
    SEEN,
    Event,
    Log,
)
from phonehome.analyzer.timeline.local_times import (
    LAST_TIME,
    Time,
    has_no_year,
    instant,
    placed,
    stamp,
)
from phonehome.analyzer.timeline.spans import TimelineError

MILLISECOND = 1_000_000
CLOCK_STEP = 60_000_000_000
"""A clock that was set by less than this, ns, is taken for one that was only corrected."""

_HERE = re.compile(r"^(?:[ \t]*Battery History\b|\d+,h,\d)", re.MULTILINE)
_HEAD = re.compile(r"\s*Battery History\b")
_LINE = re.compile(
    r"\s*(?:(?P<date>(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})"
    r"|\+?(?P<after>0|(?:\d+(?:ms|[dhms]))+)) \(\d+\) (?P<said>.*)"
)
_TERSE = re.compile(r"\d+,h,(?P<after>\d{1,15})(?P<joint>[:,]|$)(?P<said>.*)")
_POOL = re.compile(r'\d+,hsp,(?P<number>\d+),-?\d+,"(?P<text>.*)"')
_DURATION = re.compile(r"(\d+)(ms|[dhms])")
_UNITS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_CLOCK = re.compile(r"(?:RESET:)?TIME:\s*(\S+)")
_TOKEN = re.compile(r'[^\s,"]+(?:"[^"]*")?')
_QUOTED = re.compile(r'"([^"]*)"')
_BREAKS = ("START", "SHUTDOWN", "*OVERFLOW*")
_COMMANDS = (*_BREAKS, "TIME:", "RESET:")
_DETAILS = ("Details:", "/proc/stat=", "Wifi:", "Gps:")
_DOZES = {"full": DEEP, "light": LIGHT, "off": OFF}
_LONGEST = 15


class _Row(NamedTuple):
    """A line of the history: ms since its beginning or a date, and what it says."""

    line: int
    after: int
    date: datetime | None
    said: str


class _Anchor(NamedTuple):
    """A line that says what the clock said, `time`, this many ms after the beginning."""

    place: int
    after: int
    time: int


def is_batterystats(text: str) -> bool:
    """Whether this holds a battery history, in either form."""
    return _HERE.search(text) is not None


def read_batterystats(text: str, zone: tzinfo | None) -> Log:
    """What a battery history says of the screen, the app on top, and doze.

    Raises:
        TimelineError: no line says what the clock said, or the clock is local and no zone is known.
    """
    log = Log()
    rows = list(_rows(text, zone, log.odd))
    pool = {
        found["number"]: found["text"]
        for line in text.split("\n")
        if (found := _POOL.fullmatch(line.strip()))
    }
    anchors = list(_anchors(rows, zone, log.odd))
    if not anchors and any(row.date is None for row in rows):
        raise TimelineError(
            "a line with TIME, which says what the clock said, expected, none found"
        )
    log.events = list(_events(rows, anchors, pool, log.odd))
    return log


def _rows(text: str, zone: tzinfo | None, odd: list[tuple[int, str]]) -> Iterator[_Row]:
    after, is_inside = 0, False
    for number, line in enumerate(text.split("\n"), start=1):
        bare = line.strip()
        if found := _TERSE.fullmatch(bare):
            after += int(found["after"])
            yield _Row(number, after, None, found["said"])
        elif re.match(r"\d+,h,", bare):
            odd.append((number, "line_unknown"))
        elif _HEAD.match(line):
            is_inside = True
        elif is_inside and not bare:
            is_inside = False
        elif is_inside:
            row = _row(number, line.rstrip("\r"), zone)
            if row is not None:
                yield row
            elif not bare.startswith(_DETAILS):
                odd.append((number, "line_unknown"))


def _row(number: int, line: str, zone: tzinfo | None) -> _Row | None:
    found = _LINE.fullmatch(line)
    if found is None:
        return None
    if found["date"] is not None:
        date = _stamp(found["date"], zone, number)
        return None if date is None else _Row(number, 0, date, found["said"])
    parts = _DURATION.findall(found["after"])
    if any(len(count) > _LONGEST for count, _ in parts):
        return None
    return _Row(
        number, sum(int(count) * _UNITS[unit] for count, unit in parts), None, found["said"]
    )


def _stamp(text: str, zone: tzinfo | None, number: int) -> datetime | None:
    try:
        return stamp(text, zone)
    except TimelineError as error:
        raise TimelineError(
            f"line {number}: {error}, or save it with dumpsys batterystats -c"
        ) from error
    except ValueError:
        return None


def _anchors(
    rows: list[_Row], zone: tzinfo | None, odd: list[tuple[int, str]]
) -> Iterator[_Anchor]:
    for place, row in enumerate(rows):
        found = _CLOCK.match(row.said)
        if found is None:
            continue
        time = _clock(found[1], zone, row.line)
        if time is None or not 0 <= time <= LAST_TIME:
            odd.append((row.line, "time_unknown"))
        else:
            yield _Anchor(place, row.after, time)


def _clock(text: str, zone: tzinfo | None, line: int) -> int | None:
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST:
        return int(text) * MILLISECOND
    moment = _stamp(text, zone, line)
    return None if moment is None or has_no_year(moment) else instant(moment)


def _events(
    rows: list[_Row], anchors: list[_Anchor], pool: dict[str, str], odd: list[tuple[int, str]]
) -> Iterator[Event]:
    """Each line's events; lines before the first that says the time are counted back from it."""
    turns = {anchor.place: anchor for anchor in anchors}
    set_at = {after.place for before, after in pairwise(anchors) if _is_set(before, after)}
    current = anchors[0] if anchors else None
    is_fresh = False
    for place, row in enumerate(rows):
        current = turns.get(place, current)
        time = _time(row, current)
        if time is None:
            odd.append((row.line, "time_unknown"))
            continue
        if place in set_at:
            odd.append((row.line, "clock_set"))
            yield Event(time, MISSED, "", row.line)
        said = row.said.lstrip()
        if said.startswith(_COMMANDS):
            if said.startswith(_BREAKS):
                yield Event(time, MISSED if said.startswith("START") else LOST, "", row.line)
            is_fresh = is_fresh or said.startswith(("START", "RESET:"))
        else:
            for kind, value in _said(said, pool, is_fresh=is_fresh):
                yield Event(time, kind, value, row.line)
            is_fresh = False
        yield Event(time, SEEN, "", row.line)


def _is_set(before: _Anchor, after: _Anchor) -> bool:
    """Whether somebody set the clock in between."""
    passed = (after.after - before.after) * MILLISECOND
    return after.after > before.after and abs(after.time - before.time - passed) >= CLOCK_STEP


def _time(row: _Row, anchor: _Anchor | None) -> Time | None:
    if row.date is not None:
        return row.date if anchor is None else placed(row.date, anchor.time)
    assert anchor is not None  # noqa: S101 - without one the history is refused
    time = anchor.time + (row.after - anchor.after) * MILLISECOND
    return time if 0 <= time <= LAST_TIME else None


def _said(said: str, pool: dict[str, str], *, is_fresh: bool) -> Iterator[tuple[str, str]]:
    """Kind and value of what a line says.

    The first line of a history names all that is on: a screen that it does not name is off.
    """
    tokens = _TOKEN.findall(said)
    if is_fresh and not {"+screen", "+S"} & set(tokens):
        yield SCREEN, OFF
    for token in tokens:
        name, _, value = token.partition("=")
        if name in {"+screen", "+S"}:
            yield SCREEN, ON
        elif name in {"-screen", "-S"}:
            yield SCREEN, OFF
        elif name in {"+top", "+Etp"}:
            yield FRONT, _package(value, pool)
        elif name in {"-top", "-Etp"}:
            yield GONE, _package(value, pool)
        elif name in {"device_idle", "di"} and value in _DOZES:
            yield DOZE, _DOZES[value]


def _package(value: str, pool: dict[str, str]) -> str:
    quoted = _QUOTED.search(value)
    return (quoted[1] if quoted else pool.get(value, value)).partition(":")[0]
