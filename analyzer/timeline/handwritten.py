"""Timelines that a person or a script writes: spans as CSV, or as JSON."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from phonehome.analyzer.tables import STATES
from phonehome.analyzer.timeline.spans import Span, TimelineError, by_start
from phonehome.captures import path_text

COLUMNS = ("start", "end", "state", "label")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HIGHEST_SECOND = 9_223_372_035
LAST_TIME = (1 << 63) - 1
MOST_DIGITS = 20
BEYOND_MICROSECONDS = re.compile(r"[.,]\d{6}(\d{1,3})")
_BLANK = re.compile(r"[ \t\r\n]*")


class _Row(NamedTuple):
    """One line of a file, and its cells by column."""

    line: int
    cells: dict[str, str]


def is_json(text: str) -> bool:
    """Whether this is a list in JSON."""
    return text.lstrip().startswith("[")


def is_csv(text: str) -> bool:
    """Whether the first line names a column of ours, or there is nothing at all."""
    names = {name.strip().strip('"') for name in text.partition("\n")[0].split(",")}
    return not text.strip() or not names.isdisjoint(COLUMNS)


def read_csv(text: str, path: Path, zone: ZoneInfo | None) -> list[Span]:
    """Spans of CSV with the columns `start,end,state,label` in any order.

    Times are ISO 8601 with a zone, or without one where `zone` gives it, or seconds from the first
    packet.

    Raises:
        TimelineError: a line is not understood.
    """
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
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


def read_json(text: str, path: Path, zone: ZoneInfo | None) -> list[Span]:
    """Spans of a list of objects with the keys `start`, `end`, `state` and, if wanted, `label`.

    Times as in CSV; seconds may be numbers.

    Raises:
        TimelineError: it is no such list, or a span in it is not understood.
    """
    return [_span(row, path, zone) for row in _objects(text, path)]


def _objects(text: str, path: Path) -> Iterator[_Row]:
    """The objects of a list, each with the line that it begins in."""
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    place, line, counted = text.index("[") + 1, 1, 0
    while True:
        place = _past_blanks(text, place)
        line, counted = line + text.count("\n", counted, place), place
        if text[place : place + 1] == "]" and not text[place + 1 :].strip():
            return
        try:
            value, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError) as error:
            raise TimelineError(
                f"{path}: line {line}: a list of objects in JSON expected"
            ) from error
        yield _Row(line, _cells(value, path, line))
        place = _past_blanks(text, place)
        if text[place : place + 1] == ",":
            place += 1
        elif text[place : place + 1] != "]":
            line += text.count("\n", counted, place)
            raise TimelineError(f"{path}: line {line}: a comma or ] after an object expected")


def _past_blanks(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _cells(value: Any, path: Path, line: int) -> dict[str, str]:  # noqa: ANN401 - of JSON
    if not isinstance(value, dict) or not all(
        isinstance(value.get(name, ""), str) for name in COLUMNS
    ):
        raise TimelineError(
            f"{path}: line {line}: an object with texts {', '.join(COLUMNS)} expected"
        )
    if missing := [name for name in COLUMNS[:3] if name not in value]:
        raise TimelineError(f"{path}: line {line}: {', '.join(missing)} missing")
    return {name: value.get(name, "").strip() for name in COLUMNS}


def refuse_overlap(spans: list[Span]) -> None:
    """Hold spans that people wrote to one state at a time; those from the first packet apart.

    Raises:
        TimelineError: two overlap; the message names both.
    """
    for is_relative in (False, True):
        ordered = sorted((span for span in spans if span.is_relative == is_relative), key=by_start)
        for before, after in pairwise(ordered):
            if after.start < before.end:
                raise TimelineError(f"{after.source}: begins before {before.source} ends")


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
        source=f"{path_text(path.name)}:{line}",
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
