"""The App Privacy Report that iOS exports: a JSON object per line (NDJSON), since iOS 15.

It says when an app had its hands on a sensor or on data, and never whether the screen was on: so
its spans have a label, and the state `unknown`. Rows of `networkActivity` say when an app met a
host first and last, which tells how far its clock is off (`name_clocks`).
"""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from phonehome.analyzer.timeline.local_times import LAST_TIME, instant, stamp
from phonehome.analyzer.timeline.spans import Oddity, Span, TimelineError

_KINDS = {"intervalBegin": True, "intervalEnd": False}
_NETWORK = "networkActivity"
_MET_AT = ("firstTimeStamp", "timeStamp")


class _Access(NamedTuple):
    """The begin or the end of an access."""

    time: int
    line: int
    name: tuple[str, str, str]
    is_begin: bool


def is_privacy_report(text: str) -> bool:
    """Whether the first line is an object of an App Privacy Report."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    row = _object(first)
    return row is not None and ("_marker" in row or row.get("type") in ("access", _NETWORK))


def read_privacy_report(text: str, file: str, app: str | None) -> tuple[list[Span], list[Oddity]]:
    """Spans of accesses, of `app` alone where it is given; and lines that could not be read.

    Spans of accesses at the same time are cut, so that each names all of them.
    """
    odd: list[Oddity] = []
    accesses = sorted(_accesses(text, file, odd))
    active: dict[tuple[str, str, str], int] = {}
    spans: list[Span] = []
    start = 0
    for access in accesses:
        if app is not None and access.name[0] != app:
            continue
        if active and access.time > start:
            spans.append(_span(start, access.time, active, file))
        start = access.time
        if access.is_begin:
            active[access.name] = access.line
        else:
            active.pop(access.name, None)
    return spans, odd


def names_met(text: str) -> list[tuple[str, int]]:
    """Each host that an app met, with when it did so first and last, ns."""
    found = []
    for row in map(_object, text.split("\n")):
        if row is not None and row.get("type") == _NETWORK and isinstance(row.get("domain"), str):
            times = [_time(row[key]) for key in _MET_AT if isinstance(row.get(key), str)]
            found += [(row["domain"].lower(), time) for time in times if time is not None]
    return found


def _span(start: int, end: int, active: dict[tuple[str, str, str], int], file: str) -> Span:
    label = ", ".join(sorted({f"{app} uses {what}" for app, what, _ in active}))
    return Span(
        start=start,
        end=end,
        is_relative=False,
        state="unknown",
        label=label,
        source=f"{file}:{max(active.values())}",
    )


def _accesses(text: str, file: str, odd: list[Oddity]) -> Iterator[_Access]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        row = _object(line)
        if row is None:
            odd.append(Oddity(file, number, "line_unknown"))
        elif row.get("type") == "access":
            access = _access(row, number)
            if access is None:
                odd.append(Oddity(file, number, "value_unknown"))
            else:
                yield access


def _access(row: dict[str, Any], line: int) -> _Access | None:
    accessor = row.get("accessor")
    app = accessor.get("identifier") if isinstance(accessor, dict) else None
    what, time, kind = row.get("category"), row.get("timeStamp"), row.get("kind")
    if not (isinstance(app, str) and isinstance(what, str) and isinstance(time, str)):
        return None
    if not isinstance(kind, str) or kind not in _KINDS:
        return None
    nanoseconds = _time(time)
    if nanoseconds is None:
        return None
    return _Access(nanoseconds, line, (app, what, str(row.get("identifier"))), _KINDS[kind])


def _time(text: str) -> int | None:
    try:
        time = instant(stamp(text.replace("Z", "+00:00"), None))
    except (TimelineError, ValueError):  # it has no zone, or is no time
        return None
    return time if time is not None and 0 <= time <= LAST_TIME else None


def _object(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None
