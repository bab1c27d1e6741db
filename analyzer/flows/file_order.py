"""Captures that belong together in time: which continue one another, and which overlap.

Capture tools begin a new file by size or by the hour (`tcpdump -C` and `-G`, `dumpcap -b`). What
such files are called does not sort by time everywhere (`cap.pcap10`, `cap.pcap2`), so that
order is that of their first packets.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.analyzer.kinds.run import (
    BEGINS_BEFORE,
    MORE,
    MORE_OVERLAPS,
    OUT_OF_ORDER,
    OVERLAP,
    SERIES,
)
from phonehome.analyzer.kinds.statement import Statement
from phonehome.captures.tables import Captures

LARGEST_GAP = timedelta(minutes=1)
"""A tool begins the next file when a packet comes; an idle phone is seldom silent for longer."""
LISTED = 3


class Rotation(dy.Schema):
    """One row per capture that has a time, in order of first packets."""

    capture = dy.String(nullable=False, primary_key=True, description="Name of the capture.")
    series = dy.Int64(
        nullable=False,
        min=1,
        description="Number of its recording, by first packet: captures of a series continue one "
        "another.",
    )
    position = dy.Int64(nullable=False, min=1, description="Place in its series, from 1.")
    continues = dy.String(
        nullable=True, description="Capture that it continues. Null: it is the first of its series."
    )
    gap = dy.Duration(
        nullable=True,
        time_unit="ns",
        description="From the last packet of that capture to its own first. Null: as above.",
    )
    overlaps = dy.String(
        nullable=True,
        description="Earlier capture that ends last, if it ends after this one began. Null: all "
        "earlier ones had ended.",
    )
    given_behind = dy.String(
        nullable=True,
        description="Capture that was given ahead of it although it begins later, the first "
        "given of these. Null: there is none.",
    )


class _Span(NamedTuple):
    """What is known of a capture; times in ns since 1970."""

    capture: str
    links: tuple[int, ...]
    first: int
    last: int
    given: int


def in_order_of_time(captures: dy.DataFrame[Captures]) -> list[int]:
    """Places of the captures' rows, by first packet; those without any time last.

    Captures that begin at the same time stay in the order in which they were given.
    """
    return order_of(captures["first_time"].to_physical().to_list())


def order_of(first: Sequence[int | None]) -> list[int]:
    """Places of first times, ns since 1970, in their order; None comes last."""
    return sorted(
        range(len(first)), key=lambda place: (first[place] is None, first[place] or 0, place)
    )


def rotation(captures: dy.DataFrame[Captures]) -> dy.DataFrame[Rotation]:
    """Which captures continue one another, and which overlap.

    A capture continues the one that ended last before it if both have the same link types and no
    more than `LARGEST_GAP` lies between them. Captures without a time are left out.

    Args:
        captures: one row per capture, in the order in which they were given.
    """
    spans = _spans(captures)
    ahead = _given_ahead(spans)
    rows: list[tuple[str, int, int, str | None, int | None, str | None, str | None]] = []
    places: dict[str, tuple[int, int]] = {}
    latest: _Span | None = None
    series = 0
    for span in spans:
        overlapped = latest.capture if latest and span.first < latest.last else None
        behind = ahead[span.capture]
        if latest is not None and _continues(latest, span):
            number, position = places[latest.capture]
            place, gap = (number, position + 1), span.first - latest.last
            rows.append((span.capture, *place, latest.capture, gap, overlapped, behind))
        else:
            series += 1
            place = series, 1
            rows.append((span.capture, *place, None, None, overlapped, behind))
        places[span.capture] = place
        if latest is None or span.last >= latest.last:
            latest = span
    return Rotation.cast(pl.DataFrame(rows, schema=_WRITTEN, orient="row"))


_WRITTEN = {
    "capture": pl.String,
    "series": pl.Int64,
    "position": pl.Int64,
    "continues": pl.String,
    "gap": pl.Int64,
    "overlaps": pl.String,
    "given_behind": pl.String,
}


def _spans(captures: dy.DataFrame[Captures]) -> list[_Span]:
    """Captures that have a time, by first packet."""
    first, last = (captures[name].to_physical() for name in ("first_time", "last_time"))
    return [
        _Span(
            captures["capture"][place],
            tuple(captures["link_types"][place]),
            first[place],
            last[place],
            place,
        )
        for place in in_order_of_time(captures)
        if first[place] is not None
    ]


def _continues(before: _Span, span: _Span) -> bool:
    gap = span.first - before.last
    return span.links == before.links and 0 <= gap <= LARGEST_GAP.total_seconds() * 1_000_000_000


def _given_ahead(spans: Sequence[_Span]) -> dict[str, str | None]:
    """Per capture that which was given first of those that begin later, if given ahead of it."""
    found: dict[str, str | None] = {}
    first_given: _Span | None = None
    for span in reversed(spans):
        is_behind = first_given is not None and first_given.given < span.given
        found[span.capture] = first_given.capture if first_given and is_behind else None
        if not is_behind:
            first_given = span
    return found


def rotation_notes(captures: dy.DataFrame[Captures]) -> list[Statement]:
    """What a reader must know of captures that belong together, overlaps first."""
    table = rotation(captures)
    return [*_on_overlaps(table), *_on_order(table), *_on_series(table)]


def _on_overlaps(table: dy.DataFrame[Rotation]) -> list[Statement]:
    pairs = table.drop_nulls("overlaps").select("overlaps", "capture").rows()
    found = [OVERLAP(first=first, second=second) for first, second in pairs[:LISTED]]
    return [*found, MORE_OVERLAPS(count=len(pairs) - LISTED)] if pairs[LISTED:] else found


def _on_order(table: dy.DataFrame[Rotation]) -> list[Statement]:
    pairs = table.drop_nulls("given_behind").select("capture", "given_behind").rows()
    if not pairs:
        return []
    more = [MORE(count=len(pairs) - LISTED)] if pairs[LISTED:] else []
    told = [BEGINS_BEFORE(first=first, second=second) for first, second in pairs[:LISTED]]
    return [OUT_OF_ORDER(captures=[*told, *more])]


def _on_series(table: dy.DataFrame[Rotation]) -> list[Statement]:
    series = (
        table.group_by("series", maintain_order=True)
        .agg(
            pl.col("capture").first().alias("first"),
            pl.col("capture").last().alias("last"),
            pl.len(),
            pl.col("gap").max().dt.total_nanoseconds().alias("gap"),
        )
        .filter(pl.col("len") > 1)
    )
    return [
        SERIES(first=first, last=last, count=count, seconds=f"{gap / 1e9:.3g}")
        for first, last, count, gap in series.select("first", "last", "len", "gap").rows()
    ]
