# Held by tests/analyzer/claims/test_check.py: each claim there is asked of them.
"""What claims are tested on: the tables of one analysis, made now or saved before."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Final, get_args

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.apps import is_alone
from phonehome.analyzer.result_folder import load
from phonehome.analyzer.tables import Analysis
from phonehome.analyzer.timeline.capture_gaps import silences

SCHEMAS: Final[dict[str, type[dy.Schema]]] = {
    field.name: get_args(field.type)[0]
    for field in fields(Analysis)
    if get_args(field.type)[:1]
    and isinstance(get_args(field.type)[0], type)
    and issubclass(get_args(field.type)[0], dy.Schema)
    and field.name != "claims"
}
"""Every table that a query may name, by its exported name."""

LOCATED: Final = {"flows": "remote_address", "uploads": "remote_address", "places": "address"}
"""The tables in which a country can be graded: the column of addresses in each."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables of one analysis, with what of its settings claims hang on.

    Attributes:
        frames: every table of `SCHEMAS`.
        app: app under test; None: all traffic of the phone.
        is_app_alone: the user says that no other app sent anything.
        is_located: somebody said where the phone was, so round trips were held against countries.
        idle_means: what counts as idle: a key of `settings.IDLE_STATES`.
        limits_hit: limits that bit while captures were read, and how often.
        is_balanced: the ledger's identities hold.
        is_revealed: values that were found stand in the tables.
    """

    frames: dict[str, pl.DataFrame]
    app: str | None
    is_app_alone: bool = False
    is_located: bool = False
    idle_means: str
    limits_hit: dict[str, int]
    is_balanced: bool
    is_revealed: bool = False

    @property
    def is_alone(self) -> bool:
        """The captures name apps, and one was asked for: it alone counts."""
        return is_alone(self.app, self.frames["uploads"]["app"])

    @property
    def is_damaged(self) -> bool:
        """Part of an input could not be read."""
        return bool(self.frames["captures"]["damage"].is_not_null().any())

    @cached_property
    def silences(self) -> pl.DataFrame:
        """The days without any flow inside a capture; columns `after`, `before`."""
        return silences(self.frames["flows"], self.frames["timeline"])

    def silence(self, states: tuple[str, ...]) -> int:
        """How much of the time of these states lies in silences, ns.

        Others than the phone may fill a silence, and the timeline does not have their payload: it
        is no more than what the phases say was not observed.
        """
        lasted = pl.min_horizontal("end", "before") - pl.max_horizontal("start", "after")
        within = (
            self._phases(states)
            .join(self.silences, how="cross")
            .group_by("phase")
            .agg(
                lasted.dt.total_nanoseconds().clip(0).sum().alias("silent"),
                (pl.col("end") - pl.col("start") - pl.col("exposure")).first().alias("unobserved"),
            )
        )
        unobserved = pl.col("unobserved").dt.total_nanoseconds().clip(0)
        return int(within.select(pl.min_horizontal("silent", unobserved).sum()).item())

    def exposure(self, states: tuple[str, ...]) -> int:
        """Time that was observed in these states, ns; of all where none is named."""
        return int(self._phases(states)["exposure"].dt.total_nanoseconds().sum())

    def _phases(self, states: tuple[str, ...]) -> pl.DataFrame:
        phases = self.frames["phases"]
        return phases.filter(pl.col("state").is_in(states)) if states else phases


def tables_of(analysis: Analysis, app: str | None = None, *, is_app_alone: bool = False) -> Tables:
    """The tables of an analysis.

    Args:
        analysis: made now, or loaded.
        app: app under test, in the place of the one that was asked for then.
        is_app_alone: the user says that no other app sent anything.
    """
    return Tables(
        frames={name: getattr(analysis, name) for name in SCHEMAS},
        app=app or analysis.settings.app,
        is_app_alone=is_app_alone or analysis.settings.is_app_alone,
        is_located=analysis.settings.phone_location is not None,
        idle_means=analysis.settings.idle_means,
        limits_hit=analysis.limits_hit,
        is_balanced=analysis.summary.is_balanced,
        is_revealed=analysis.settings.is_revealed,
    )


def tables_in(folder: Path, app: str | None = None, *, is_app_alone: bool = False) -> Tables:
    """The tables that `analyze` wrote into a folder.

    Args:
        folder: where they are.
        app: app under test, in the place of the one that was asked for then.
        is_app_alone: the user says that no other app sent anything.

    Raises:
        CaptureError: one is missing, was changed, or the manifest says less than it has to.
    """
    return tables_of(load(folder), app, is_app_alone=is_app_alone)
