"""Files that say when the phone was in which state, as spans of time."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from analyzer.tables import STATES

COLUMNS = ("start", "end", "state", "label")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HIGHEST_SECOND = 9_223_372_035
LAST_TIME = (1 << 63) - 1
MOST_DIGITS = 20
MAX_BYTES = 16 * 1024 * 1024
BEYOND_MICROSECONDS = re.compile(r"[.,]\d{6}(\d{1,3})")


class TimelineError(ValueError):
    """A timeline that cannot be used; the message names file, line, what was expected and found."""


class _Row(NamedTuple):
    """One line of a file, and its cells by column."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Span:
    """One line of a timeline.

    Attributes:
        start: begin, included; ns since 1970, or since the capture's first packet.
        end: end, excluded; as `start`.
        is_relative: counted from the first packet.
        state: one of `tables.STATES`.
        label: what happened, in the words of the file.
        source: file and line.
    """

    start: int
    end: int
    is_relative: bool
    state: str
    label: str
    source: str


def read_timelines(paths: tuple[Path, ...], timezone: str | None) -> list[Span]:
    """All spans of these files, by start.

    CSV with the columns `start,end,state,label` in any order. Times are ISO 8601 with a zone, or
    without one where `timezone` gives it, or seconds from the first packet.

    Raises:
        TimelineError: a file cannot be read, a line is not understood, or two spans overlap.
    """
    zone = _zone(timezone)
    spans = [span for path in paths for span in _read(path, zone)]
    for is_relative in (False, True):
        _refuse_overlap(sorted(_of_kind(spans, is_relative=is_relative), key=_begin))
    return sorted(spans, key=_begin)


def resolved(spans: list[Span], first_time: int | None) -> list[Span]:
    """The spans of one capture in absolute time, by start; relative ones only if it has a time.

    Raises:
        TimelineError: a relative span overlaps an absolute one, or ends later than times can.
    """
    absolute = [
        _after(span, first_time) if span.is_relative and first_time is not None else span
        for span in spans
        if first_time is not None or not span.is_relative
    ]
    absolute.sort(key=_begin)
    _refuse_overlap(absolute)
    return absolute


def _after(span: Span, first_time: int) -> Span:
    if span.end > LAST_TIME - first_time:
        raise TimelineError(f"{span.source}: the end is out of range")
    return replace(span, start=span.start + first_time, end=span.end + first_time)


def _begin(span: Span) -> tuple[int, int]:
    return span.start, span.end


def _of_kind(spans: list[Span], *, is_relative: bool) -> list[Span]:
    return [span for span in spans if span.is_relative == is_relative]


def _refuse_overlap(spans: list[Span]) -> None:
    for before, after in pairwise(spans):
        if after.start < before.end:
            raise TimelineError(f"{after.source}: begins before {before.source} ends")


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise TimelineError(f"time zone {name!r}: an IANA name expected") from error


def _read(path: Path, zone: ZoneInfo | None) -> list[Span]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), skipinitialspace=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_columns(names, path)
        return [
            _span(_row(names, cells, reader.line_num, path), path, zone)
            for cells in reader
            if cells
        ]
    except csv.Error as error:
        raise TimelineError(f"{path}: line {reader.line_num}: {error}") from error


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            octets = file.read(MAX_BYTES + 1)
        if len(octets) > MAX_BYTES:
            raise TimelineError(f"{path}: larger than {MAX_BYTES} bytes")
        return octets.decode("utf-8-sig")
    except OSError as error:
        raise TimelineError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TimelineError(f"{path}: byte {error.start}: UTF-8 text expected") from error


def _check_columns(names: list[str], path: Path) -> None:
    if missing := [name for name in COLUMNS if name not in names]:
        raise TimelineError(
            f"{path}: line 1: columns {','.join(COLUMNS)} expected, {','.join(missing)} missing"
        )
    if twice := [name for name, count in Counter(names).items() if count > 1 and name in COLUMNS]:
        raise TimelineError(
            f"{path}: line 1: each column once expected, {','.join(twice)} repeated"
        )


def _row(names: list[str], cells: list[str], line: int, path: Path) -> _Row:
    if len(cells) > len(names):
        raise TimelineError(
            f"{path}: line {line}: {len(names)} cells expected, {len(cells)} found; "
            "a comma inside one needs quotes around it"
        )
    cells = [*cells, *[""] * (len(names) - len(cells))]
    return _Row(line, {name: cell.strip() for name, cell in zip(names, cells, strict=True)})


def _span(row: _Row, path: Path, zone: ZoneInfo | None) -> Span:
    line, value = row
    try:
        start, is_relative = _time(value["start"], zone)
        end, is_end_relative = _time(value["end"], zone)
    except ValueError as error:
        raise TimelineError(f"{path}: line {line}: {error}") from error
    if is_relative != is_end_relative:
        raise TimelineError(f"{path}: line {line}: start and end of one kind expected")
    if end <= start:
        raise TimelineError(f"{path}: line {line}: an end after the start expected")
    if value["state"] not in STATES:
        raise TimelineError(
            f"{path}: line {line}: state {', '.join(STATES)} expected, {value['state']!r} found"
        )
    return Span(
        start=start,
        end=end,
        is_relative=is_relative,
        state=value["state"],
        label=value["label"] or value["state"],
        source=f"{path.name}:{line}",
    )


def _time(text: str, zone: ZoneInfo | None) -> tuple[int, bool]:
    """Nanoseconds, and whether they count from the first packet."""
    whole, _, fraction = text.partition(".")
    if text.isascii() and whole.lstrip("-").isdecimal() and (not fraction or fraction.isdecimal()):
        if not whole.isdecimal() or len(whole) > MOST_DIGITS or int(whole) > HIGHEST_SECOND:
            raise ValueError(f"seconds from the first packet expected, {text!r} found")
        return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0")), True
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"a time in ISO 8601 or seconds expected, {text!r} found") from error
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError(f"{text!r} has no time zone: add one, or give --timezone")
        moment = moment.replace(tzinfo=zone)
        if moment.utcoffset() != moment.replace(fold=1).utcoffset():
            raise ValueError(f"{text!r} comes twice or never in {zone.key}: add an offset from UTC")
    rest = BEYOND_MICROSECONDS.search(text)  # datetime drops what is finer
    nanoseconds = (moment - EPOCH) // timedelta(microseconds=1) * 1000
    nanoseconds += int(rest[1].ljust(3, "0")) if rest else 0
    if abs(nanoseconds) > LAST_TIME:
        raise ValueError(f"{text!r} is out of range")
    return nanoseconds, False
