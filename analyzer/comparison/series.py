"""More than two versions: each held against the one before it, and all keys over all versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import dataframely as dy
import polars as pl

from phonehome.analyzer.analysis import Progress
from phonehome.analyzer.comparison.compare import SAME_WITHIN, compared
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.comparison.sides import Side, observe, side_of
from phonehome.analyzer.comparison.version_labels import Label
from phonehome.analyzer.flows.uploads import per_hour
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import ALL_STATES, DIMENSIONS, SIDES, STATES, Versions

LEAST: Final = 2
"""Versions that make a series."""

_KEY: Final = ("dimension", "key", "state")


@dataclass(frozen=True, kw_only=True)
class Series:
    """Versions in order.

    Attributes:
        labels: what each version is called.
        steps: each version after the first (new) against the one before it (base).
        versions: all keys over all versions.
    """

    labels: tuple[str, ...]
    steps: tuple[Comparison, ...]
    versions: dy.DataFrame[Versions]

    @property
    def is_private(self) -> bool:
        """As `Comparison.is_private`, of any step."""
        return any(step.is_private for step in self.steps)


def compare_series(
    groups: Sequence[tuple[str, Sequence[str | Path]]],
    settings: Settings,
    *,
    same_within: float = SAME_WITHIN,
    progress: Progress | None = None,
) -> Series:
    """The versions, each of which is analysed once.

    Args:
        groups: what each version is called, and its captures or saved analyses; at least two.
        settings: what the user asked for, of all versions.
        same_within: as in `comparison.compare`.
        progress: called now and then while captures are read, for each version from the start.

    Raises:
        CaptureError: a path cannot be read, or nothing in a version is a phone's.
        GeoError: a database or an address cannot be used.
        TimelineError: a timeline cannot be used.
    """
    observed = [
        observe(SIDES[0], paths, settings.called(label), progress=progress)
        for label, paths in groups
    ]
    steps = tuple(
        compared(base, _as_new(new), same_within=same_within) for base, new in pairwise(observed)
    )
    return Series(
        labels=tuple(side.label for side in observed),
        steps=steps,
        versions=versions(steps),
    )


def _as_new(side: Side) -> Side:
    return side_of(SIDES[1], Label(side.label, side.label_source), side.observed, side.settings)


def versions(steps: Sequence[Comparison]) -> dy.DataFrame[Versions]:
    """A row per key, state and version; a version that saw nothing of a key has zeros."""
    sides = [(step, SIDES[0]) for step in steps] + [(steps[-1], SIDES[1])]
    observed = pl.concat(
        _observed(step, side, version) for version, (step, side) in enumerate(sides, start=1)
    )
    of_sides = [
        (step, side, version + at)
        for version, step in enumerate(steps, start=1)
        for at, side in enumerate(SIDES)
    ]
    seen = pl.concat(_seen(*each) for each in of_sides).unique([*_KEY, "version"])
    every = seen.select(_KEY).unique().join(observed, on="state")
    sent = pl.col("up_unique_bytes")
    exposure = pl.col("exposure").dt.total_nanoseconds()
    orders = {"dimension": DIMENSIONS, "state": (ALL_STATES, *STATES)}
    place = {
        name: pl.col(name).replace_strict(list(words), range(len(words)), return_dtype=pl.Int8)
        for name, words in orders.items()
    }
    table = (
        every.join(seen, on=[*_KEY, "version"], how="left", nulls_equal=True)
        .with_columns(pl.col("up_unique_bytes", "seen_in").fill_null(0))
        .with_columns(up_unique_bytes_per_hour=per_hour(sent, exposure))
        .sort(place["dimension"], "key", place["state"], "version", nulls_last=True)
    )
    return Versions.validate(table.select(Versions.column_names()))


def _observed(step: Comparison, side: str, version: int) -> pl.DataFrame:
    """Per state, for how long and in how many repetitions a version was observed."""
    nanoseconds = pl.col("exposure").dt.total_nanoseconds()
    return (
        step.exposures.filter(pl.col("side") == side)
        .group_by("state")
        .agg(
            pl.col("exposure").sum(),
            ((nanoseconds > 0) | (pl.col("state") == ALL_STATES))
            .sum()
            .cast(pl.Int64)
            .alias("repetitions"),
        )
        .with_columns(
            pl.lit(version, dtype=pl.Int64).alias("version"),
            pl.lit(step.labels[side]).alias("label"),
        )
    )


def _seen(step: Comparison, side: str, version: int) -> pl.DataFrame:
    """What a version sent per key and state, of the rows of one comparison."""
    return step.changes.filter(pl.col("label").is_null()).select(
        *_KEY,
        pl.lit(version, dtype=pl.Int64).alias("version"),
        pl.col(f"{side}_up_unique_bytes").alias("up_unique_bytes"),
        pl.col(f"{side}_seen_in").alias("seen_in"),
    )
