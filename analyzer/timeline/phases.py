"""Phases: spans of a timeline, and the stretches that it does not cover.

A capture's phases are known by codes: edges are the starts and ends of its spans in order, a
time's code is the number of edges at or before it. Odd codes are spans, even ones the stretches
between them; -1 is a packet without a time.
"""

from dataclasses import dataclass, field

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.tables import Phases
from phonehome.analyzer.timeline.sources import PhoneStates
from phonehome.analyzer.timeline.spans import Oddity, Span

NO_CODE = -1
WHOLE = "whole capture"
OUTSIDE = "outside the timeline"
WITHOUT_TIME = "packets without a time stamp"

_Key = tuple[str, str, str, int | None, int | None]
"""Source, label, state, start and end of a phase."""


@dataclass
class CapturePhases:
    """The phases of one capture, while it is read.

    Attributes:
        spans: its spans in absolute time.
        oddities: what was odd in the files that they are from.
        edges: starts and ends of its spans, ns.
    """

    spans: list[Span]
    oddities: list[Oddity] = field(default_factory=list)
    edges: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        edges = [edge for span in self.spans for edge in (span.start, span.end)]
        self.edges = np.array(edges, dtype=np.int64)

    @classmethod
    def of(cls, timeline: PhoneStates, first_time: int | None) -> "CapturePhases":
        """The phases of a capture whose first packet has this time."""
        return cls(*timeline.at(first_time))

    def codes(self, times: pl.Series) -> pl.Series:
        """Code of each time."""
        nanoseconds = times.to_physical().fill_null(np.iinfo(np.int64).min).to_numpy()
        codes = np.searchsorted(self.edges, nanoseconds, side="right").astype(np.int32)
        codes[times.is_null().to_numpy()] = NO_CODE
        return pl.Series("code", codes)


def edges_of(states: PhoneStates, first_time: int) -> NDArray[np.int64]:
    """Starts and ends of the spans of a capture whose first packet has this time, ns."""
    return CapturePhases.of(states, first_time).edges


def phases(
    captures: list[tuple[CapturePhases, list[tuple[int, int]], set[int]]],
) -> tuple[dy.DataFrame[Phases], list[dict[int, int]]]:
    """The phases table, and for each capture the phase number of each code.

    Each capture comes with the spans that it observed and the codes that its packets have.
    Phases with the same span of the same line are one, whatever capture they come from. A
    capture observes the phases of its own edges only: seconds from the first packet give
    each capture edges of its own.
    """
    observed: dict[bytes, list[tuple[int, int]]] = {}
    for known, own, _ in captures:
        observed.setdefault(known.edges.tobytes(), []).extend(own)
    rows: dict[_Key, set[bytes]] = {}
    keys = []
    for known, own, used in captures:
        edges = known.edges.tobytes()
        spans = merged_spans(observed[edges])
        keys.append({code: _key(known, code, spans) for code in _codes(known, own, used)})
        for key in keys[-1].values():
            rows.setdefault(key, set()).add(edges)
    ordered = sorted(rows, key=lambda row: (row[3] is None, row[3] or 0, row[4] or 0, row[0]))
    numbers = {row: number for number, row in enumerate(ordered, start=1)}
    table = pl.DataFrame(
        {
            "phase": list(numbers.values()),
            "label": [row[1] for row in ordered],
            "state": [row[2] for row in ordered],
            "start": [row[3] for row in ordered],
            "end": [row[4] for row in ordered],
            "source": [row[0] for row in ordered],
            "exposure": [_overlap(_observed(rows[row], observed), *row[3:]) for row in ordered],
        },
        schema=Phases.create_empty().schema,
    )
    return Phases.validate(table), [
        {code: numbers[key] for code, key in of_capture.items()} for of_capture in keys
    ]


def _codes(known: CapturePhases, own: list[tuple[int, int]], used: set[int]) -> list[int]:
    """Codes of a capture that make a phase: every span that it overlaps, and what was used."""
    seen = {
        2 * place + 1
        for place, span in enumerate(known.spans)
        if any(span.start <= last and first < span.end for first, last in own)
    }
    return sorted(seen | used)


def _key(known: CapturePhases, code: int, observed: list[tuple[int, int]]) -> _Key:
    """Source, label, state, start and end of a code."""
    if code == NO_CODE:
        return "none", WITHOUT_TIME, "unknown", None, None
    if code % 2:
        span = known.spans[code // 2]
        return span.source, span.label, span.state, span.start, span.end
    low = observed[0][0] if code == 0 else int(known.edges[code - 1])
    high = observed[-1][1] if code == len(known.edges) else int(known.edges[code])
    if not known.spans:
        return "none", WHOLE, "unknown", low, high
    return "uncovered", OUTSIDE, "unknown", low, high


def _observed(
    edges: set[bytes], observed: dict[bytes, list[tuple[int, int]]]
) -> list[tuple[int, int]]:
    """The time that captures with these edges observed."""
    return merged_spans([span for of in sorted(edges) for span in observed[of]])


def merged_spans(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The time that captures observed, as spans that do not overlap."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], high)
        else:
            merged.append((low, high))
    return merged


def _overlap(observed: list[tuple[int, int]], start: int | None, end: int | None) -> int:
    if start is None or end is None:
        return 0
    return sum(max(0, min(high, end) - max(low, start)) for low, high in observed)
