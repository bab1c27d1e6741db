"""Android's usage events, as `dumpsys usagestats` prints them."""

import re
from datetime import tzinfo

from phonehome.analyzer.timeline.events import (
    FRONT,
    KEYGUARD,
    LOST,
    MISSED,
    OFF,
    ON,
    SCREEN,
    SEEN,
    Event,
    Log,
)
from phonehome.analyzer.timeline.local_times import LAST_TIME, Time, stamp
from phonehome.analyzer.timeline.spans import TimelineError

_HERE = re.compile(r"^[ \t]*time=\S.*\btype=\w", re.MULTILINE)
_LINE = re.compile(
    r'\s*time=(?:"(?P<stamp>[^"]*)"|(?P<ms>\d{1,16})) type=(?P<type>\w+)'
    r"(?: package=(?P<package>\S+))?(?: .*)?"
)
_MEANT = {
    "SCREEN_INTERACTIVE": (SCREEN, ON),
    "SCREEN_NON_INTERACTIVE": (SCREEN, OFF),
    "KEYGUARD_SHOWN": (KEYGUARD, ON),
    "KEYGUARD_HIDDEN": (KEYGUARD, OFF),
    "DEVICE_SHUTDOWN": (LOST, ""),
    "DEVICE_STARTUP": (MISSED, ""),
}
_NUMBERS = {
    "1": "ACTIVITY_RESUMED",
    "15": "SCREEN_INTERACTIVE",
    "16": "SCREEN_NON_INTERACTIVE",
    "17": "KEYGUARD_SHOWN",
    "18": "KEYGUARD_HIDDEN",
    "26": "DEVICE_SHUTDOWN",
    "27": "DEVICE_STARTUP",
}
"""`UsageEvents.Event` of AOSP: what versions that cannot name a type print."""
_FRONT_TYPES = ("ACTIVITY_RESUMED", "MOVE_TO_FOREGROUND")


def is_usagestats(text: str) -> bool:
    """Whether this is the output of `dumpsys usagestats`."""
    return _HERE.search(text) is not None


def read_usagestats(text: str, zone: tzinfo | None) -> Log:
    """What usage events say, by time; the same event in several sections counts once.

    Times are local and to the second, or milliseconds since 1970 (`dumpsys usagestats -c`). Screen
    and keyguard are there since Android 9.

    Raises:
        TimelineError: its times are local and no zone is known.
    """
    log = Log()
    known: dict[tuple[Time, str, str], Event] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.lstrip().startswith("time="):
            continue
        found = _LINE.fullmatch(line.rstrip("\r"))
        time = _time(found, zone, number) if found else None
        if found is None or time is None:
            log.odd.append((number, "time_unknown" if found else "line_unknown"))
            continue
        kind, value = _meant(found["type"], found["package"] or "")
        known.setdefault((time, kind, value), Event(time, kind, value, number))
    log.events = sorted(known.values(), key=_moment)
    return log


def _moment(event: Event) -> float:
    return event.time / 1e9 if isinstance(event.time, int) else event.time.timestamp()


def _meant(name: str, package: str) -> tuple[str, str]:
    name = _NUMBERS.get(name, name)
    return (FRONT, package) if name in _FRONT_TYPES else _MEANT.get(name, (SEEN, ""))


def _time(found: re.Match[str], zone: tzinfo | None, number: int) -> Time | None:
    if found["ms"] is not None:
        time = int(found["ms"]) * 1_000_000
        return time if time <= LAST_TIME else None
    try:
        return stamp(found["stamp"], zone)
    except TimelineError as error:
        raise TimelineError(f"line {number}: {error}") from error
    except ValueError:
        return None
