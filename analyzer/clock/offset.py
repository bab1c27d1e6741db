"""How far the clock of a timeline is off that of a capture, from what both know.

Kinds of evidence, never mixed: hellos in which the phone states its clock, bursts that follow the
screen coming on, and names that it says it met (`name_clocks`). Each gives an interval, or says
why there is none.
"""

from collections.abc import Sequence
from typing import NamedTuple

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.kinds.measured import CLOCK_FITS, CLOCKS_DIFFER, FEW_BURSTS, MANY_SPANS
from phonehome.analyzer.tables import Clocks
from phonehome.analyzer.timeline.spans import Span, by_start
from phonehome.captures.words import SECOND

HELLOS, BURSTS, GIVEN = "hellos", "bursts", "given"
FARTHEST = 600
"""Seconds up to which an offset is looked for in bursts."""
STEP = SECOND // 10
ONSET = 3 * SECOND
"""How soon after the screen comes on, or an app comes to the front, bursts are expected, ns."""
MASS = 0.95
LEAST_GAIN = 10.0
"""Natural logarithm of how much likelier the best offset must be than the middle one."""
DISPERSION = 1.5
"""Bursts come in clusters, so so many of them tell as much as one that comes by itself."""
WIDEST = 30 * SECOND
FEWEST_BURSTS = 10
MOST_SPANS = 2_000
MARGIN = SECOND // 2
"""What an interval is widened by on either side: bursts take time, hellos state whole seconds."""
_GRID = np.arange(-FARTHEST * SECOND, FARTHEST * SECOND + 1, STEP)
_ONSET = "onset"

Times = NDArray[np.int64]


class Estimate(NamedTuple):
    """What one kind of evidence says.

    Attributes:
        evidence: `HELLOS`, `BURSTS`, `GIVEN` or `name_clocks.NAMES`.
        events: hellos, bursts or names that it rests on.
        offset: ns to add to times of the timeline; None: cannot be told.
        low: lower end of the interval that it lies in; None: as `offset`.
        high: upper end.
        remark: why it cannot be told; None: it can.
    """

    evidence: str
    events: int
    offset: int | None = None
    low: int | None = None
    high: int | None = None
    remark: str | None = None


def by_hellos(stated: Sequence[tuple[int, int]]) -> Estimate | None:
    """What hellos say in which the phone states its clock, in whole seconds; None: there are none.

    Args:
        stated: time that a hello states, and time of the packet that completes it, ns.
    """
    if not stated:
        return None
    ahead = [said - seen for said, seen in stated]
    low, high = max(ahead), min(ahead) + SECOND
    if low > high + 2 * MARGIN:
        return Estimate(
            HELLOS,
            len(stated),
            remark=CLOCKS_DIFFER(seconds=f"{(max(ahead) - min(ahead)) / SECOND:.1f}"),
        )
    low, high = min(low, high) - MARGIN, max(low, high) + MARGIN
    return Estimate(HELLOS, len(stated), -(low + high) // 2, -high, -low)


def by_bursts(spans: Sequence[Span], bursts: Times, first: int, last: int) -> Estimate | None:
    """What the bursts of a capture say, held against the spans of a timeline; None: no spans.

    Bursts are taken to come at a rate of their own per state, and in the first seconds after the
    screen comes on at another one. Each offset is as likely as bursts are under its best rates.

    Args:
        spans: of the timeline, in absolute time, without overlaps.
        bursts: times at which bursts begin, ns.
        first: first time of the capture, ns.
        last: its last time.
    """
    near = _near(spans, first, last)
    if not near:
        return None
    if problem := _problem(near, len(bursts)):
        return Estimate(BURSTS, len(bursts), remark=problem)
    likely = _likelihood(_pieces(near), np.sort(bursts), first, last)
    if likely.max() - np.median(likely) < LEAST_GAIN:
        return Estimate(BURSTS, len(bursts), remark="bursts do not follow the states closely")
    mass = np.exp((likely - likely.max()) / DISPERSION)
    reached = np.cumsum(mass) / mass.sum()
    tail = (1 - MASS) / 2
    low, high = (int(_GRID[np.searchsorted(reached, share)]) for share in (tail, 1 - tail))
    if high - low > WIDEST:
        return Estimate(
            BURSTS,
            len(bursts),
            remark=CLOCK_FITS(low=f"{low / SECOND:+.0f}", high=f"{high / SECOND:+.0f}"),
        )
    best = int(_GRID[likely.argmax()])
    return Estimate(BURSTS, len(bursts), best, low - MARGIN, high + MARGIN)


def _near(spans: Sequence[Span], first: int, last: int) -> list[Span]:
    """The spans that an offset may bring into the capture, by start."""
    reach = FARTHEST * SECOND
    return [
        span
        for span in sorted(spans, key=by_start)
        if span.start <= last + reach and span.end >= first - reach
    ]


def _problem(spans: Sequence[Span], bursts: int) -> str | None:
    """Why these spans and so many bursts can tell nothing; None: they may."""
    if len({span.state for span in spans} - {"unknown"}) < 2:  # noqa: PLR2004 - nothing changes
        return "the timeline names one state alone"
    if bursts < FEWEST_BURSTS:
        return FEW_BURSTS(count=FEWEST_BURSTS)
    return MANY_SPANS(count=MOST_SPANS) if len(spans) > MOST_SPANS else None


def _pieces(spans: Sequence[Span]) -> dict[str, list[tuple[int, int]]]:
    """Begin and end of the spans of each state; what follows an onset is a state of its own."""
    pieces: dict[str, list[tuple[int, int]]] = {}
    before = ("", "")
    for span in spans:
        now = (span.state, span.label)
        start = span.start
        if span.state in {"active", "background"} and now != before:
            until = min(span.end, start + ONSET)
            pieces.setdefault(_ONSET, []).append((start, until))
            start = until
        if start < span.end:
            pieces.setdefault(span.state, []).append((start, span.end))
        before = now
    return pieces


def _likelihood(
    pieces: dict[str, list[tuple[int, int]]], bursts: Times, first: int, last: int
) -> NDArray[np.float64]:
    """Logarithm of the likelihood of each offset of the grid, but for a constant."""
    left = np.full(len(_GRID), len(bursts), dtype=np.int64)
    unseen = np.full(len(_GRID), last - first, dtype=np.int64)
    total = np.zeros(len(_GRID))
    for of_state in pieces.values():
        count, observed = np.zeros((2, len(_GRID)), dtype=np.int64)
        for start, end in of_state:
            begin = np.clip(start + _GRID, first, last)
            stop = np.clip(end + _GRID, first, last)
            count += np.searchsorted(bursts, stop) - np.searchsorted(bursts, begin)
            observed += stop - begin
        total += _of_rate(count, observed)
        left -= count
        unseen -= observed
    return total + _of_rate(left, unseen)


def _of_rate(count: Times, observed: Times) -> NDArray[np.float64]:
    """Logarithm of the likelihood of so many bursts in so much time, under the best rate."""
    rate = np.maximum(count, 1) / np.maximum(observed / SECOND, 1.0)
    return np.asarray(np.where(count > 0, count * np.log(rate), 0.0))


def clocks(
    estimates: Sequence[tuple[str, Estimate, bool]],
) -> dy.DataFrame[Clocks]:
    """The estimates as a table: capture, estimate, whether it was applied."""
    rows = [(capture, *estimate, is_applied) for capture, estimate, is_applied in estimates]
    columns = ("capture", "evidence", "events", "offset", "low", "high", "remark", "is_applied")
    kinds = (pl.String, pl.String, *(pl.Int64,) * 4, pl.String, pl.Boolean)
    table = pl.DataFrame(rows, schema=dict(zip(columns, kinds, strict=True)), orient="row")
    durations = pl.col("offset", "low", "high").cast(pl.Duration("ns"))
    return Clocks.validate(table.with_columns(durations).select(Clocks.column_names()))
