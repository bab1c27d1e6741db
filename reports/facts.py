"""The numbers that a selection on the page is summed from: the uploads, as lists of integers.

The page's script filters these by country, organisation, app and phase, and adds up what is left:
the map, the bands, the bars and the table then show that part. Nothing is estimated.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl

from reports import wording
from reports.figures import country_text
from reports.language import say
from reports.sankey import STAGES, Nodes
from reports.sums import RUNNER, UP, runner_text
from reports.text import visible
from reports.told import label_text, told

Facts = dict[str, Any]


def facts(
    uploads: pl.DataFrame,
    phases: pl.DataFrame,
    bins: pl.DataFrame,
    made: Nodes,
    rows: Sequence[dict[str, Any]],
) -> Facts:
    """What the script of the page selects from.

    `values`: per dimension its values, null as an empty text. `texts`: how each is shown.
    `uploads` and `bins`: columns of numbers, each dimension by the place of its value; `bins` has
    the place of the bar too, `rows` that of the destination in the page's table. `nodes`: per
    stage of the Sankey chart the node of each value; `keys`: the stage and value of each node that
    stands for one alone.

    Args:
        uploads: what counts.
        phases: all phases.
        bins: `timebins.bins`.
        made: the nodes of the Sankey chart.
        rows: the destinations that the page lists, in their order.
    """
    sent = uploads.filter(UP > 0).with_columns(runner=RUNNER)
    values = {stage: list(made.numbers[stage]) for stage in STAGES}
    numbers = sorted(phases["phase"].to_list())
    return {
        "values": {stage: [value or "" for value in values[stage]] for stage in STAGES}
        | {"phase": [str(number) for number in numbers]},
        "texts": {stage: [_text(stage, value) for value in values[stage]] for stage in STAGES}
        | {"phase": [_phase(row) for row in phases.sort("phase").to_dicts()]},
        "nodes": {
            stage: [made.numbers[stage][value] for value in values[stage]] for stage in STAGES
        },
        "keys": [None if key is None else [key[0], key[1] or ""] for key in made.keys],
        "uploads": _columns(sent, values, numbers, (), UP),
        "bins": _columns(
            bins.with_columns(
                bar=pl.col("start").rank("dense") - 1, idle=pl.col("state") == "idle"
            ),
            values,
            numbers,
            ("bar", "idle"),
            pl.col("up"),
        ),
        "rows": _columns(_listed(uploads, rows), values, numbers, ("row",), UP),
    }


def _listed(uploads: pl.DataFrame, rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """The uploads to destinations that the page lists, with the place of each in its table."""
    places = pl.DataFrame(
        {
            "remote_address": [row["remote_address"] for row in rows],
            "host": [row["host"] for row in rows],
            "row": range(len(rows)),
        },
        schema={"remote_address": pl.String, "host": pl.String, "row": pl.Int64},
    )
    return uploads.with_columns(runner=RUNNER).join(
        places, on=["remote_address", "host"], nulls_equal=True
    )


def _columns(
    table: pl.DataFrame,
    values: dict[str, list[str | None]],
    phases: list[int],
    others: tuple[str, ...],
    up: pl.Expr,
) -> dict[str, list[int]]:
    """The table as numbers, summed over all that no selection is by."""
    coded = table.select(
        *(
            pl.col(stage).replace_strict(
                {value: place for place, value in enumerate(values[stage])},
                return_dtype=pl.Int64,
                default=None,
            )
            for stage in STAGES
        ),
        pl.col("phase").replace_strict(
            {number: place for place, number in enumerate(phases)}, return_dtype=pl.Int64
        ),
        *(pl.col(name).cast(pl.Int64) for name in others),
        up=up,
    )
    keys = [*STAGES, "phase", *others]
    summed = coded.group_by(keys).agg(pl.col("up").sum()).sort(keys)
    return {name: summed[name].to_list() for name in (*keys, "up")}


def _text(stage: str, value: str | None) -> str:
    if stage == "country":
        return visible(country_text(value))
    if value is None:
        return say(wording.NO_APP if stage == "app" else wording.NO_ORGANISATION)
    return visible(runner_text(value))


def _phase(row: dict[str, Any]) -> str:
    return visible(f"{row['phase']}. {label_text(row)} ({told(row['state'])})")
