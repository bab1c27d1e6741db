"""From app over organisation to country, as plotly reads it: the width of a band is its bytes."""

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from phonehome.reports.charts.colours import REST, SIGNS, country_colours, grade_of
from phonehome.reports.charts.style import LOOK, Figure, country_text
from phonehome.reports.charts.worldmap import HALO
from phonehome.reports.words import wording
from phonehome.reports.words.escape import label
from phonehome.reports.words.sums import RUNNER, UP, runner_text
from phonehome.reports.words.translate import mark, say

STAGES: Final = ("app", "runner", "country")
MOST: Final = 12
"""Nodes of a stage, beside the others and what is not known."""

_UNKNOWN: Final = {
    "app": wording.NO_APP,
    "runner": wording.NO_ORGANISATION,
    "country": wording.NO_COUNTRY,
}
_OTHER: Final = {
    "app": mark("other apps"),
    "runner": mark("other organisations"),
    "country": mark("other countries"),
}


@dataclass(frozen=True)
class Nodes:
    """The nodes of the chart.

    Attributes:
        texts: what each is called.
        colours: the colour of each.
        numbers: per stage, the node of each of its values.
        keys: per node, its stage and value; None where it stands for several values.
    """

    texts: list[str]
    colours: list[str]
    numbers: dict[str, dict[str | None, int]]
    keys: list[tuple[str, str | None] | None]


def nodes(uploads: pl.DataFrame, countries: pl.DataFrame, most: int = MOST) -> Nodes:
    """A node for the `most` largest values of each stage, one for the others, one for unknown.

    Args:
        uploads: what counts.
        countries: `sums.by_country` of it.
        most: nodes of a stage.
    """
    sent = uploads.filter(UP > 0).with_columns(runner=RUNNER)
    colours = country_colours(countries)
    rows = {row["country"]: row for row in countries.to_dicts()}
    made = Nodes([], [], {stage: {} for stage in STAGES}, [])
    for stage in STAGES:
        sums = sent.group_by(stage).agg(up=UP.sum()).sort(-pl.col("up"), stage, nulls_last=True)
        known = [value for value in sums[stage].to_list() if value is not None]
        for value in known[:most]:
            text = runner_text(str(value)) if stage != "country" else _country(value, rows[value])
            colour = colours[value] if stage == "country" else "--node"
            _add(made, stage, [value], text, colour)
        if known[most:]:
            _add(made, stage, known[most:], say(_OTHER[stage]), REST)
            made.keys[-1] = None
        if sums[stage].has_nulls():
            _add(made, stage, [None], say(_UNKNOWN[stage]), REST)
    return made


def _country(code: str, row: dict[str, Any]) -> str:
    return f"{country_text(code)} {SIGNS[grade_of(row)]}"


def _add(made: Nodes, stage: str, values: list[Any], text: str, colour: str) -> None:
    made.numbers[stage] |= dict.fromkeys(values, len(made.texts))
    made.texts.append(text)
    made.colours.append(colour)
    made.keys.append((stage, values[0]))


def streams(uploads: pl.DataFrame, made: Nodes) -> pl.DataFrame:
    """What was uploaded per node of app, organisation and country, most first.

    Columns: `app`, `runner`, `country` (numbers of nodes), `up`.
    """
    return (
        uploads.filter(UP > 0)
        .with_columns(runner=RUNNER)
        .with_columns(
            pl.col(stage).replace_strict(made.numbers[stage], return_dtype=pl.Int64)
            if made.numbers[stage]
            else pl.lit(None, pl.Int64).alias(stage)
            for stage in STAGES
        )
        .group_by(STAGES)
        .agg(up=UP.sum())
        .sort(-pl.col("up"), *STAGES)
    )


def sankey(bands: pl.DataFrame, made: Nodes) -> Figure:
    """From app over organisation to country.

    Args:
        bands: `streams`.
        made: the nodes.
    """
    sums: dict[tuple[int, int], int] = {}
    for app, runner, country, up in bands.iter_rows():
        for ends in ((app, runner), (runner, country)):
            sums[ends] = sums.get(ends, 0) + up
    tallest = max((bands[stage].n_unique() for stage in STAGES), default=1)
    return {
        "data": [
            {
                "type": "sankey",
                "arrangement": "fixed",
                "valueformat": ",d",
                "valuesuffix": " " + say("bytes"),
                "textfont": {"color": "--ink", "size": 12, "shadow": HALO},
                "node": {
                    "label": [label(text) for text in made.texts],
                    "color": made.colours,
                    "customdata": list(range(len(made.texts))),
                    "hovertemplate": "%{label}: %{value} " + say("uploaded") + "<extra></extra>",
                    "pad": 16,
                    "thickness": 14,
                    "line": {"width": 0},
                },
                "link": {
                    "source": [source for source, _ in sums],
                    "target": [target for _, target in sums],
                    "value": list(sums.values()),
                    "color": [_band(made, target, 0.35) for _, target in sums],
                    "hovercolor": [_band(made, target, 0.6) for _, target in sums],
                    "hovertemplate": "%{source.label} → %{target.label}: %{value}<extra></extra>",
                },
            }
        ],
        "layout": LOOK
        | {"margin": {"l": 4, "r": 4, "t": 12, "b": 12}, "height": min(900, 150 + 30 * tallest)},
    }


def _band(made: Nodes, target: int, opacity: float) -> str:
    """The colour of a band: that of the country it ends in, grey before."""
    return f"{made.colours[target]}@{opacity}"
