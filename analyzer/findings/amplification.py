"""How many times over what a user sent left the phone, and to whom."""

from collections.abc import Sequence

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.contacts import NAME
from phonehome.analyzer.settings import Sent
from phonehome.analyzer.tables import Amplification
from phonehome.analyzer.timeline.spans import TimelineError

MOST_REMOTES = 50


def amplification(
    sent: Sequence[Sent], uploads: pl.DataFrame, phases: pl.DataFrame
) -> dy.DataFrame[Amplification]:
    """Per thing that a user sent: all that was uploaded in its phases, then per destination.

    Args:
        sent: what the user says was sent, and in phases of which label; None: in all.
        uploads: rows of `tables.Uploads` that count.
        phases: all phases.

    Raises:
        TimelineError: no phase has such a label.
    """
    rows: list[tuple[object, ...]] = []
    for number, thing in enumerate(sent, start=1):
        labels = phases["label"].str.to_lowercase()
        numbers = (
            phases["phase"]
            if thing.label is None
            else phases.filter(labels == thing.label.lower())["phase"]
        )
        if numbers.is_empty():
            raise TimelineError(
                f"--sent: no phase is called {thing.label!r}; there are: "
                f"{', '.join(map(repr, phases['label'].unique(maintain_order=True).to_list()[:8]))}"
            )
        inside = uploads.filter(pl.col("phase").is_in(numbers.implode()))
        per_remote = (
            inside.filter(pl.col("up_unique_bytes") > 0)
            .group_by(NAME.alias("name"), "country")
            .agg(pl.col("up_unique_bytes").sum())
            .sort(-pl.col("up_unique_bytes"), "name", "country", nulls_last=True)
        )
        head = (number, thing.label, thing.name, thing.size)
        whole = int(inside["up_unique_bytes"].sum())
        rows.append((*head, None, None, whole, whole / thing.size))
        rows += [
            (*head, name, country, up, up / thing.size)
            for name, country, up in per_remote.head(MOST_REMOTES).rows()
        ]
    table = pl.DataFrame(rows, schema=Amplification.create_empty().schema, orient="row")
    return Amplification.validate(table)
