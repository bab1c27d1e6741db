"""The comparison in the terminal: whether it can be made, then what changed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.tables import ALL_STATES, CHANGES, SIDES
from phonehome.reports.comparison import words
from phonehome.reports.comparison.files import Failed
from phonehome.reports.words.escape import terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MOST: Final = 10
"""So many rows of a kind stand in the terminal; the others are counted."""


def summary(comparison: Comparison, failed: Failed, console: "Console") -> None:
    """The comparison for a person: whether it can be made, then what changed.

    The console should be one on standard error, or what `--json` prints is spoiled.
    """
    from rich.text import Text  # noqa: PLC0415  # what `--quiet` shall not pay

    table = _table("", "base", "new")
    for row in words.side_rows(comparison):
        table.add_row(*(Text(terminal(value)) for value in row))
    console.print(table)
    beside = words.timelines_sentence(comparison)
    for line in (*([beside] if beside else []), *comparison.differences, *comparison.notes):
        console.print(Text(f"- {terminal(line)}"))
    console.print()
    console.print(Text(words.headline(comparison), style="bold"))
    console.print(Text(words.sureness(comparison)))
    seen = words.states_seen(comparison.changes)
    for change, rows in _shown(
        comparison.changes.join(seen, on=["dimension", "key"], nulls_equal=True)
    ):
        _print_changes(change, rows, console)
    console.print(Text(f"\n{words.METHOD} {terminal(words.n_text(comparison))}."))
    console.print(Text(words.within_text(comparison.same_within)))
    for rule, keys in failed.items():
        named = ", ".join("an unknown one" if key is None else key for key in keys)
        console.print(Text(f"{terminal(rule)}: matched by {terminal(named)}", style="bold"))


def _shown(table: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """New, gone and moved over all states, then more and less within each state."""
    largest = pl.max_horizontal("base_up_unique_bytes_per_hour", "new_up_unique_bytes_per_hour")
    order = pl.col("dimension").replace_strict(list(words.HEADLINES), [0, 1, 2])
    overall = table.filter(
        pl.col("state") == ALL_STATES, pl.col("dimension").is_in(words.HEADLINES)
    ).sort(order, -largest, "key")
    yield "new", overall.filter(pl.col("change") == "new")
    yield "gone", overall.filter(pl.col("change") == "gone")
    yield "moved", overall.filter(pl.col("is_moved"))
    within = table.filter(pl.col("state") != ALL_STATES, pl.col("dimension") == "host")
    apart = pl.col("is_overlapping").fill_null(value=False)
    for change in CHANGES[2:4]:
        changed = within.filter(pl.col("change") == change).sort(apart, -largest, "key", "state")
        yield change, changed


def _print_changes(change: str, rows: pl.DataFrame, console: "Console") -> None:
    from rich.text import Text  # noqa: PLC0415  # what `--quiet` shall not pay

    if rows.is_empty():
        return
    table = _table(change, "base", "new", "while", "seen in", "verdict")
    for row in rows.head(MOST).to_dicts():
        table.add_row(*(Text(terminal(value)) for value in _cells(change, row)))
    console.print()
    console.print(table)
    if rows.height > MOST:
        console.print(Text(f"and {rows.height - MOST:,} more"))


def _cells(change: str, row: dict[str, Any]) -> tuple[str, ...]:
    """Key, rates or places, states, in how many repetitions it was seen, and the verdict."""
    name = words.key_text(row)
    states = row["state"] if row["state"] != ALL_STATES else ", ".join(row["states"])
    seen = ", ".join(f"{row[f'{side}_seen_in']}/{row[f'{side}_repetitions']}" for side in SIDES)
    verdict = words.verdict_text(row)
    if change == "moved":
        return name, *(_place(row, side) for side in SIDES), states, seen, verdict
    if row["is_overlapping"] and change in {"more", "less"}:
        seen += ", ranges overlap"
    rates = (words.rate_text(row[f"{side}_up_unique_bytes_per_hour"]) for side in SIDES)
    return name, *rates, states, seen, verdict


def _place(row: dict[str, Any], side: str) -> str:
    asns = [f"AS{number}" for number in row[f"{side}_asns"]]
    return ", ".join([*row[f"{side}_countries"], *asns]) or "unknown"


def _table(*names: str) -> "Table":
    from rich.table import Table  # noqa: PLC0415  # what `--quiet` shall not pay

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
