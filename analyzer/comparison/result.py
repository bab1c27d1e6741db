# Held by tests/analyzer/comparison/test_compare.py: what every comparison there gives.
"""What a comparison gives: the tables of both sides, and what was said of them."""

from dataclasses import dataclass

import dataframely as dy
import polars as pl

from phonehome.analyzer.comparison.repetition import Observed
from phonehome.analyzer.comparison.version_labels import Told
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    ALL_STATES,
    SIDES,
    Changes,
    ComparedDatabases,
    Exposures,
    Findings,
    Repetitions,
    Traits,
)
from phonehome.analyzer.tables.glance import plain
from phonehome.captures.tables import Captures


@dataclass(frozen=True, kw_only=True, repr=False)
class Comparison:
    """Two sides, held against each other.

    Attributes:
        labels: per side, what it is called.
        label_sources: per side, who says so.
        told: per side, the versions that its traffic tells of, and where.
        same_within: part of the larger rate up to which two rates are called the same.
        changes: what differs and what does not.
        traits: what hosts that both sides met are like.
        family: tests that were corrected together; those that could not come out are none.
        repetitions: what each side was observed in.
        exposures: for how long, per state.
        databases: which databases placed the addresses of each side.
        places: per side, country, ASN, opinions, verdict and reason of each address.
        observed: per side, the analyses of its repetitions.
        captures: per side, the captures, as in `analysis`.
        settings: per side, what was asked for.
        differences: sentences on what besides the app differs between the sides.
        notes: sentences on what the runs could not do.
        is_damaged: part of an input could not be read.
        is_balanced: the ledgers' identities hold.
        findings: what the differences, notes and remarks are made of.
    """

    labels: dict[str, str]
    label_sources: dict[str, str]
    told: dict[str, tuple[Told, ...]]
    same_within: float
    changes: dy.DataFrame[Changes]
    traits: dy.DataFrame[Traits]
    family: int
    repetitions: dy.DataFrame[Repetitions]
    exposures: dy.DataFrame[Exposures]
    databases: dy.DataFrame[ComparedDatabases]
    places: dict[str, pl.DataFrame]
    observed: dict[str, tuple[Observed, ...]]
    captures: dict[str, dy.DataFrame[Captures]]
    settings: dict[str, Settings]
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    is_damaged: bool
    is_balanced: bool
    findings: dy.DataFrame[Findings]

    def __repr__(self) -> str:
        """Two lines for a terminal or a notebook: what was compared, and what came of it."""
        counts = {side: len(self.observed[side]) for side in SIDES}
        sides = (
            f"{plain(self.labels[side])} ({count} repetition{'s' if count > 1 else ''})"
            for side, count in counts.items()
        )
        whole = self.changes.filter(state=ALL_STATES, dimension="host")
        verdicts = whole.group_by("verdict").len().sort("verdict").rows()
        found = ", ".join(f"{count:,} {verdict}" for verdict, count in verdicts)
        return f"Comparison of {' with '.join(sides)}\nhosts: {found or 'none'}"

    @property
    def is_private(self) -> bool:
        """An analysis among those compared was written with what was found revealed."""
        parts = (part for of_side in self.observed.values() for part in of_side)
        return any(part.settings.is_revealed for part in parts)
