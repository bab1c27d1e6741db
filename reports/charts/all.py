"""The charts of a report and the tables that they are drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import STATES, Analysis
from phonehome.reports.charts import sankey, timebins, timechart, worldmap
from phonehome.reports.charts.colours import country_colours
from phonehome.reports.charts.style import Figure
from phonehome.reports.words import sums, wording


@dataclass(frozen=True)
class Charts:
    """What the charts of one report are made of.

    Attributes:
        analysis: the tables.
        countries: `sums.by_country`.
        nodes: the nodes of the Sankey chart.
        bands: `sankey.streams`.
        bins: `timebins.bins`.
        gaps: `timebins.gaps`.
    """

    analysis: Analysis
    countries: pl.DataFrame
    nodes: sankey.Nodes
    bands: pl.DataFrame
    bins: pl.DataFrame
    gaps: pl.DataFrame

    @property
    def colours(self) -> dict[str | None, str]:
        """The colour of each country."""
        return country_colours(self.countries)

    @property
    def bin_width(self) -> timedelta | None:
        """What one bar covers; None: there is none."""
        widths = self.bins["width"].to_list()
        return widths[0] if widths else None

    def figures(self, bursts: Sequence[dict[str, Any]] = ()) -> dict[str, Figure]:
        """The charts, by the name that the page's script finds them by.

        Args:
            bursts: those that the page lists.
        """
        when_idle = wording.idle_when(self.analysis.summary) if has_idle(self.analysis) else None
        return {
            "map": worldmap.world(self.countries, when_idle=when_idle),
            "sankey": sankey.sankey(self.bands, self.nodes),
            "time": timechart.over_time(
                self.bins, self.analysis.phases, self.gaps, colours=self.colours, bursts=bursts
            ),
        }


def charts_of(analysis: Analysis, part: sums.Counted) -> Charts:
    """What the charts of a report are made of.

    Args:
        analysis: the tables.
        part: what of them counts.
    """
    idle = IDLE_STATES[analysis.summary.idle_means]
    countries = sums.by_country(part.uploads, analysis.places, idle)
    nodes = sankey.nodes(part.uploads, countries)
    bins = timebins.bins(part.timeline, analysis.captures)
    return Charts(
        analysis=analysis,
        countries=countries,
        nodes=nodes,
        bands=sankey.streams(part.uploads, nodes),
        bins=bins,
        gaps=timebins.gaps(analysis.captures, part.timeline, bins),
    )


def states_seen(analysis: Analysis) -> list[str]:
    """The states that any phase has; none where all are unknown, for they then say nothing."""
    seen = set(analysis.phases["state"].to_list())
    return [] if seen <= {"unknown"} else [state for state in STATES if state in seen]


def has_idle(analysis: Analysis) -> bool:
    """Whether any phase has a state that counts as idle."""
    return not set(IDLE_STATES[analysis.summary.idle_means]).isdisjoint(states_seen(analysis))
