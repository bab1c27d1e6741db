"""Android's event log, as `logcat -b events` prints it.

Formats `threadtime` and `time`, with any of the modifiers `epoch`, `year`, `usec`, `nsec`, `uid`,
`UTC` and `zone` (logcat's `-v`; `liblog/logprint.cpp` of AOSP). The tags are those of AOSP's
`EventLogTags.logtags`, from Android 5 to 16.
"""

import re
from collections.abc import Iterator
from datetime import tzinfo
from itertools import islice

from phonehome.analyzer.timeline.events import (
    DEEP,
    DOZE,
    FRONT,
    FRONT_CLASS,
    KEYGUARD,
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
from phonehome.analyzer.timeline.local_times import LAST_TIME, Time, stamp
from phonehome.analyzer.timeline.spans import TimelineError

SEARCHED_LINES = 1000
LONGEST_LINE = 8192
"""Characters: twice what Android lets an entry have; longer lines are odd."""
LEAST_EPOCH = 100_000_000
"""Seconds since 1970 in 1973: fewer are seconds since the phone was started (`-v monotonic`)."""

_WHEN = (
    r"\s*(?:(?P<stamp>(?:\d{4}-)?\d\d-\d\d \d\d:\d\d:\d\d\.\d{3,9}(?: [+-]\d{4})?)"
    r"|(?P<seconds>\d{1,12})\.(?P<fraction>\d{3,9})(?: [+-]\d{4})?)"
)
_LINES = (
    re.compile(_WHEN + r"\s+(?:[\w.-]+\s+)?\d+\s+\d+ [VDIWEFS] (?P<tag>[^:]*?)\s*: ?(?P<said>.*)"),
    re.compile(_WHEN + r" [VDIWEFS]/(?P<tag>[^(]*?)\s*\(\s*(?:[\w.-]+:\s*)?\d+\): ?(?P<said>.*)"),
)
_WITHOUT_TIME = re.compile(
    r"[VDIWEFS](?:/[\w.]+\s*(?:\(\s*(?:[\w.-]+:\s*)?\d+\))?|\(\s*\d+(?::\s*\d+)?\)): ?"
    r"|\[ .* [VDIWEFS]/\S+\s* \]$"
)
_DIVIDER = "---------"

_FRONT_TAGS = frozenset(
    f"{before}_{tag}"
    for before in ("am", "wm")
    for tag in ("set_resumed_activity", "focused_activity", "resume_activity", "restart_activity")
)
_CLASS_TAGS = frozenset(("am_on_resume_called", "wm_on_resume_called"))
_DOZE_STATES = {"device_idle": ("5", DEEP), "device_idle_light": ("4", LIGHT)}
_TOGGLED = {"0": (SCREEN, OFF), "1": (SCREEN, ON), "2": (KEYGUARD, OFF)}
_DISPLAY_FIRST = 4
"""Numbers of `wm_set_keyguard_shown` that begin with a display; before Android 13 it has three."""


def is_logcat(text: str) -> bool:
    """Whether this is what logcat prints, in whatever format."""
    lines = (line for line in islice(_lines(text), SEARCHED_LINES) if len(line) <= LONGEST_LINE)
    return any(_matched(line) or _WITHOUT_TIME.match(line) for line in lines)


def read_logcat(text: str, zone: tzinfo | None) -> Log:
    """What an event log says.

    A class of an activity counts as the app in front only where the log names no packages.

    Raises:
        TimelineError: its format has no times, or not those of a calendar; or no zone is known.
    """
    log = Log()
    last: tuple[Time, int] | None = None
    for number, line in enumerate(_lines(text), start=1):
        if not line.strip() or line.startswith(_DIVIDER):
            continue
        found = _matched(line)
        if found is None:
            _refuse_without_time(line, number)
            log.odd.append((number, "line_unknown"))
            continue
        time = _time(found, zone, number)
        if time is None:
            log.odd.append((number, "time_unknown"))
            continue
        for kind, value in _said(found["tag"], found["said"]):
            if kind == LOST:
                log.odd.append((number, "value_unknown"))
            if kind == MISSED and last is not None:
                log.events.append(Event(last[0], SEEN, "", last[1]))
            log.events.append(Event(time, kind, value, number))
        last = time, number
    if last is not None:
        log.events.append(Event(last[0], SEEN, "", last[1]))
    if any(event.kind == FRONT for event in log.events):
        log.events = [event for event in log.events if event.kind != FRONT_CLASS]
    return log


def _lines(text: str) -> Iterator[str]:
    return (line.rstrip("\r") for line in text.split("\n"))


def _matched(line: str) -> re.Match[str] | None:
    if len(line) > LONGEST_LINE:
        return None
    return next((found for form in _LINES if (found := form.fullmatch(line))), None)


def _refuse_without_time(line: str, number: int) -> None:
    if len(line) <= LONGEST_LINE and _WITHOUT_TIME.match(line):
        raise TimelineError(
            f"line {number}: a log with a time in each line expected, this format has none: save "
            "it with logcat -v threadtime"
        )


def _time(found: re.Match[str], zone: tzinfo | None, number: int) -> Time | None:
    if found["seconds"] is None:
        try:
            return stamp(found["stamp"], zone)
        except TimelineError as error:
            raise TimelineError(f"line {number}: {error}, or save it with -v UTC") from error
        except ValueError:
            return None
    if int(found["seconds"]) < LEAST_EPOCH:
        raise TimelineError(
            f"line {number}: seconds since 1970 expected, {found['seconds']} found, which count "
            "from the start of the phone: save it with logcat -v epoch"
        )
    time = int(found["seconds"]) * 1_000_000_000 + int(found["fraction"].ljust(9, "0"))
    return time if time <= LAST_TIME else None


def _said(tag: str, said: str) -> Iterator[tuple[str, str]]:
    """Kind and value of what a line means; `LOST` where it cannot be understood."""
    cells = [cell.strip() for cell in said.strip().removeprefix("[").removesuffix("]").split(",")]
    if tag == "screen_toggled":
        yield _TOGGLED.get(cells[0], (LOST, ""))
    elif tag == "power_screen_state":
        yield _TOGGLED[cells[0]] if cells[0] in {"0", "1"} else (LOST, "")
    elif tag == "wm_set_keyguard_shown":
        yield from _keyguard(cells)
    elif tag in _FRONT_TAGS:
        component = next((cell for cell in cells if "/" in cell), "")
        yield FRONT, component.partition("/")[0]
    elif tag in _CLASS_TAGS:
        yield (FRONT_CLASS, cells[1]) if cells[1:] else (LOST, "")
    elif tag in _DOZE_STATES:
        deep, name = _DOZE_STATES[tag]
        yield DOZE, name if cells[0] == deep else OFF
    elif tag == "boot_progress_start" or (tag == "chatty" and " expire " in said):
        yield MISSED, ""


def _keyguard(cells: list[str]) -> Iterator[tuple[str, str]]:
    """Shown, unless it is going away or an activity lies over it; of the first display alone."""
    numbers = [cell for cell in cells if cell.isdecimal()]
    if len(numbers) < _DISPLAY_FIRST - 1:
        yield LOST, ""
        return
    if len(numbers) >= _DISPLAY_FIRST and numbers.pop(0) != "0":
        return
    shown, _, going, *occluded = numbers
    yield KEYGUARD, ON if (shown, going) == ("1", "0") and occluded[:1] != ["1"] else OFF
