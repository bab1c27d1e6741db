"""Times as phones write them, with or without year and zone, and the moments that they mean."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from phonehome.analyzer.timeline.spans import TimelineError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_TIME = (1 << 63) - 1
SECOND = 1_000_000_000
NO_YEAR = 2000
"""Stands for the year that a log leaves out; a leap year, so that every day is in it."""

Time = int | datetime
"""Nanoseconds since 1970, or a time with a zone and, in the year `NO_YEAR`, without a year."""

_STAMP = re.compile(
    r"(?:(\d{4})-)?(\d\d)-(\d\d)[ T-](\d\d)[:-](\d\d)[:-](\d\d)(?:\.(\d{1,9}))?"
    r"(?: ?([+-]\d\d):?([0-5]\d))?"
)


def zone_of(name: str | None) -> ZoneInfo | None:
    """The zone of this name; None: none was given.

    Raises:
        TimelineError: nobody knows this zone.
    """
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimelineError(f"time zone {name!r}: an IANA name expected") from error


def stamp(text: str, zone: tzinfo | None) -> datetime:
    """A time as phones print it, `[YYYY-]MM-DD HH:MM:SS[.fff][ +hhmm]`, to the microsecond.

    The year is `NO_YEAR` where there is none. A zone in the text counts before `zone`.

    Raises:
        ValueError: it is no such time.
        TimelineError: it has no zone, and none was given.
    """
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError(f"a time expected, {text!r} found")
    year, *rest, fraction, hours, minutes = found.groups()
    month, day, hour, minute, second = map(int, rest)
    moment = datetime(  # noqa: DTZ001 - its zone comes below
        int(year or NO_YEAR),
        month,
        day,
        hour,
        minute,
        second,
        int((fraction or "")[:6].ljust(6, "0")),
    )
    if hours:
        offset = timedelta(hours=abs(int(hours)), minutes=int(minutes))
        return moment.replace(tzinfo=timezone(-offset if hours[0] == "-" else offset))
    if zone is None:
        raise TimelineError("its times have no time zone: give that of the phone with --timezone")
    return moment.replace(tzinfo=zone)


def instant(moment: datetime) -> int | None:
    """Nanoseconds since 1970; None: a change of clocks makes this time come twice or never."""
    if moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset():
        return None
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def has_no_year(time: Time) -> bool:
    """Whether the log left the year out."""
    return isinstance(time, datetime) and time.year == NO_YEAR


def placed(time: Time, near: int | None) -> int | None:
    """Nanoseconds since 1970, in the year that brings a time without year closest to `near`.

    None: no such time is certain, or it needs a year and there is nothing that it could be near.
    """
    if isinstance(time, int):
        return time
    if not has_no_year(time):
        return instant(time)
    if near is None:
        return None
    years = _in_years_around(time, (EPOCH + timedelta(microseconds=near // 1000)).year)
    best = min(years, key=lambda moment: abs(_roughly(moment) - near), default=None)
    return None if best is None else instant(best)


def _roughly(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1) * 1000


def _in_years_around(moment: datetime, year: int) -> Iterator[datetime]:
    for candidate in (year - 1, year, year + 1):
        try:
            yield moment.replace(year=candidate)
        except ValueError:  # 29 February
            continue
