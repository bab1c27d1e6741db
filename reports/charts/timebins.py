"""Uploads over time: bins so wide that a chart can show them, and time that it leaves out."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import polars as pl

from phonehome.reports.words.sums import RUNNER, UP

MOST_BINS: Final = 300
_LONG_GAP: Final = 0.1
_DEAD_SILENCE: Final = 0.9  # of what a capture covers: a clock that jumped, or two captures in one
_NS: Final = pl.Datetime("ns", "UTC")
_FEW: Final = 2
"""Spans that doubling may not get below: one on either side of a moment that parts all."""
_MICROSECOND: Final = timedelta(microseconds=1)
_KEYS: Final = ("phase", "state", "app", "country", "runner")


def bins(timeline: pl.DataFrame, captures: pl.DataFrame, most: int = MOST_BINS) -> pl.DataFrame:
    """The timeline in bins so wide that `most` cover what the chart shows.

    Columns: `start`, `width`, `phase`, `state`, `app`, `country`, `runner` (as in `sums.RUNNER`),
    `up`; what has no time is left out.
    """
    sums = (
        timeline.filter(pl.col("start").is_not_null(), UP > 0)
        .with_columns(runner=RUNNER)
        .group_by(pl.col("start").to_physical(), pl.col("width").to_physical(), *_KEYS)
        .agg(up=UP.sum())
    )
    width, covered = sums["width"].max(), _spans(captures, timeline)["covered"].max()
    if isinstance(width, int) and isinstance(covered, int):
        while covered // width >= most:
            width *= 2
        sums = sums.with_columns(
            start=pl.col("start") // width * width, width=pl.lit(width, pl.Int64)
        )
    return (
        sums.group_by("start", "width", *_KEYS)
        .agg(pl.col("up").sum())
        .with_columns(pl.col("start").cast(_NS), pl.col("width").cast(pl.Duration("ns")))
        .sort("start", *_KEYS, nulls_last=True)
    )


def wider(
    moments: pl.DataFrame, width: timedelta | None, keys: Sequence[str], *, most: int
) -> pl.DataFrame:
    """The moments summed over spans of this width, or twice, four times, … that.

    Args:
        moments: `start`, the keys, `up`.
        width: of the chart's bars; None: there are none, and no moments.
        keys: what is not summed over.
        most: spans are wide enough when no more rows than these are left, or two spans.

    Returns:
        `start`, `width`, the keys, `up`.
    """
    step = 1 if width is None else width // _MICROSECOND * 1_000
    while True:
        start = pl.col("start").to_physical() // step * step
        summed = moments.group_by(start.cast(_NS), *keys).agg(pl.col("up").sum())
        if summed.height <= most or summed["start"].n_unique() <= _FEW:
            return summed.with_columns(width=pl.lit(step).cast(pl.Duration("ns")))
        step *= 2


def gaps(captures: pl.DataFrame, timeline: pl.DataFrame, bins: pl.DataFrame) -> pl.DataFrame:
    """Spans of time that no capture covers, where they are long beside what is covered.

    A silence that is nearly all of a capture counts as one too. Columns: `start`, `end`. A bin is
    left on either side, so that no bar is cut.
    """
    width = pl.lit(bins["width"].max(), pl.Duration("ns")).to_physical().fill_null(0)
    return (
        _spans(captures, timeline)
        .filter(pl.col("gap") > _LONG_GAP * pl.col("covered") + 2 * width)
        .select(
            start=(pl.col("before") + width).cast(_NS),
            end=(pl.col("first") - width).cast(_NS),
        )
    )


def _spans(captures: pl.DataFrame, timeline: pl.DataFrame) -> pl.DataFrame:
    """The spans of the captures in order of time, all in nanoseconds.

    `before` is the end of all that began earlier, `gap` what lies between that and `first`,
    `covered` what all spans cover.
    """
    whole = captures.filter(pl.col("first_time").is_not_null()).select(
        first=pl.col("first_time").to_physical(), last=pl.col("last_time").to_physical()
    )
    return _joined(_without_silence(whole, timeline))


def _joined(spans: pl.DataFrame) -> pl.DataFrame:
    return (
        spans.sort("first", "last")
        .with_columns(before=pl.col("last").cum_max().shift(1))
        .with_columns(gap=(pl.col("first") - pl.col("before")).clip(0).fill_null(0))
        .with_columns(covered=pl.col("last").max() - pl.col("first").min() - pl.col("gap").sum())
    )


def _without_silence(spans: pl.DataFrame, timeline: pl.DataFrame) -> pl.DataFrame:
    """The spans; one in which nearly nothing but silence lies is two, what is before and after."""
    covered = _joined(spans)["covered"].max()
    begin = pl.col("start").to_physical()
    seen = timeline.filter(pl.col("start").is_not_null()).select(
        start=begin, end=begin + pl.col("width").to_physical()
    )
    if seen.is_empty():
        return spans
    edges = [spans.select(start=pl.col(edge), end=pl.col(edge)) for edge in ("first", "last")]
    silence = (
        pl.concat([seen, *edges])
        .unique()
        .sort("start", "end")
        .with_columns(after=pl.col("start").shift(-1))
        .filter(pl.col("after") - pl.col("end") > _DEAD_SILENCE * pl.lit(covered))
    )
    if silence.is_empty():
        return spans
    end, after = silence["end"][0], silence["after"][0]
    is_around = (pl.col("first") <= end) & (pl.col("last") >= after)
    return pl.concat(
        [
            spans.filter(~is_around),
            spans.filter(is_around).with_columns(last=pl.lit(end)),
            spans.filter(is_around).with_columns(first=pl.lit(after)),
        ]
    )
