"""What a comparison writes: its page, `compare.json`, the table of changes, the manifest."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analyzer.tables import ALL_STATES, CHANGES, DIMENSIONS, SIDES, Comparison
from reports import comparison_words as words
from reports import data, tabular
from reports.provenance import Output, version, versions
from reports.text import terminal
from reports.write import Content, write_folder

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LAYOUT: Final = 1
"""Number of the layout of `compare.json`; a change that breaks readers raises it."""

TABLES: Final = ("repetitions", "exposures", "databases", "changes")
"""The tables in `compare.json`, by name of their attribute in `Comparison`."""

MOST: Final = 10
"""So many rows of a kind stand in the terminal; the others are counted."""

Failed = Mapping[str, Sequence[str | None]]
"""Rule of `--fail-on` → the keys that matched it; null: a place that no database knows."""


def write(
    comparison: Comparison,
    folder: Path,
    *,
    formats: frozenset[str],
    force: bool,
    started: datetime,
) -> list[Path]:
    """The files of one comparison, in `folder`, the manifest last; all of them, or none.

    Raises:
        OutputExists: `folder` is there, and may not be replaced.
        WriteError: the system refused; the message names the path and the cause.
    """
    return write_folder(
        contents(comparison, formats),
        folder,
        manifest=lambda outputs: manifest(comparison, outputs, started=started),
        force=force,
    )


def contents(comparison: Comparison, formats: frozenset[str]) -> dict[str, Content]:
    """What goes into each file, by file name."""
    files: dict[str, Content] = {}
    if "html" in formats:
        files["compare.html"] = partial(_page, comparison)
    if "json" in formats:
        files["compare.json"] = partial(comparison_json, comparison)
    if "parquet" in formats:
        files["changes.parquet"] = partial(tabular.parquet, comparison.changes)
    if "csv" in formats:
        files["changes.csv"] = partial(tabular.csv, comparison.changes)
    return files


def _page(comparison: Comparison) -> Iterator[bytes]:
    from reports import comparison_page  # noqa: PLC0415  # jinja2 costs 45 ms, for the page only

    return comparison_page.page(comparison)


def comparison_json(comparison: Comparison) -> Iterator[bytes]:
    """The content of `compare.json`: the head on the first line, then the tables, a row a line.

    Times, spans and unknowns are as in `analysis.json`.
    """
    head = {"phonehome": version(), "layout": LAYOUT, **_head(comparison)}
    yield _dumps(head)[:-1].encode()
    for name in TABLES:
        yield f",\n{_dumps(name)}:[".encode()
        yield from data.rows(getattr(comparison, name))
        yield b"]"
    yield b"}\n"


def summary_json(comparison: Comparison, failed: Failed) -> str:
    """The summary alone as one line of JSON, for `--json`."""
    return _dumps({"phonehome": version(), **_head(comparison), "failed": dict(failed)})


def _head(comparison: Comparison) -> dict[str, Any]:
    table = comparison.changes
    return {
        "summary": {
            "base": comparison.labels["base"],
            "new": comparison.labels["new"],
            "repetitions": _by_side(comparison, "repetition"),
            "states": words.states(comparison),
            "changes": {
                dimension: _keys(table.filter(pl.col("dimension") == dimension))
                for dimension in DIMENSIONS
            },
            "moved_hosts": _moved(table),
        },
        "same_within": comparison.same_within,
        "claim": words.NO_CLAIM,
        "differences": list(comparison.differences),
        "notes": list(comparison.notes),
        "settings": {side: data.settings_object(comparison.settings[side]) for side in SIDES},
    }


def _by_side(comparison: Comparison, column: str) -> dict[str, int]:
    counts = comparison.repetitions.group_by("side").agg(pl.col(column).len())
    return dict(sorted(counts.iter_rows()))


def _keys(table: pl.DataFrame) -> dict[str, dict[str, list[str | None]]]:
    """Per state and change its keys; states and changes without any are left out."""
    found: dict[str, dict[str, list[str | None]]] = {}
    for row in table.select("state", "change", "key").iter_rows(named=True):
        found.setdefault(row["state"], {}).setdefault(row["change"], []).append(row["key"])
    return found


def _moved(table: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ["key", "base_countries", "new_countries", "base_asns", "new_asns"]
    moved = table.filter(pl.col("is_moved"), pl.col("state") == ALL_STATES)
    return moved.select(columns).rename({"key": "host"}).to_dicts()


def manifest(comparison: Comparison, outputs: list[Output], *, started: datetime) -> bytes:
    """The content of `manifest.json`: inputs, databases and settings of both sides, and hashes."""
    content: dict[str, Any] = {
        "phonehome": version(),
        "started": _clock(started),
        "finished": _clock(datetime.now(UTC)),
        "system": platform.platform(),
        "versions": versions(),
        "is_complete": comparison.is_balanced and not comparison.is_damaged,
        "is_balanced": comparison.is_balanced,
        "is_damaged": comparison.is_damaged,
        "same_within": comparison.same_within,
        **{side: _provenance(comparison, side) for side in SIDES},
        "differences": list(comparison.differences),
        "notes": list(comparison.notes),
        "outputs": [asdict(output) for output in outputs],
    }
    return (json.dumps(content, indent=1, default=str) + "\n").encode()


def _provenance(comparison: Comparison, side: str) -> dict[str, Any]:
    of_side = pl.col("side") == side
    return {
        "label": comparison.labels[side],
        "inputs": _plain(comparison.captures[side]),
        "repetitions": _plain(comparison.repetitions.filter(of_side).drop("side")),
        "databases": _plain(comparison.databases.filter(of_side).drop("side")),
        "settings": asdict(comparison.settings[side]),
    }


def _plain(table: pl.DataFrame) -> list[dict[str, Any]]:
    return data.as_json_types(table.lazy()).collect().to_dicts()


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _dumps(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


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
    seen = words.states_seen(comparison.changes)
    for change, rows in _shown(
        comparison.changes.join(seen, on=["dimension", "key"], nulls_equal=True)
    ):
        _print_changes(change, rows, console)
    console.print(Text(f"\n{words.NO_CLAIM} {terminal(words.n_text(comparison))}."))
    console.print(Text(words.within_text(comparison.same_within)))
    for rule, keys in failed.items():
        named = ", ".join("an unknown one" if key is None else key for key in keys)
        console.print(Text(f"{rule}: matched by {terminal(named)}", style="bold"))


def _shown(table: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """New, gone and moved over all states, then more and less within each state."""
    largest = pl.max_horizontal("base_up_unique_bytes_per_hour", "new_up_unique_bytes_per_hour")
    order = pl.col("dimension").replace_strict(list(DIMENSIONS), [0, 1, 2])
    overall = table.filter(pl.col("state") == ALL_STATES).sort(order, -largest, "key")
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
    table = _table(change, "base", "new", "while", "seen in")
    for row in rows.head(MOST).to_dicts():
        table.add_row(*(Text(terminal(value)) for value in _cells(change, row)))
    console.print()
    console.print(table)
    if rows.height > MOST:
        console.print(Text(f"and {rows.height - MOST:,} more"))


def _cells(change: str, row: dict[str, Any]) -> tuple[str, ...]:
    """Key, both rates or places, states, and in how many repetitions of each side it was seen."""
    name = words.key_text(row)
    states = row["state"] if row["state"] != ALL_STATES else ", ".join(row["states"])
    seen = ", ".join(f"{row[f'{side}_seen_in']}/{row[f'{side}_repetitions']}" for side in SIDES)
    if change == "moved":
        return name, *(_place(row, side) for side in SIDES), states, seen
    if row["is_overlapping"] and change in {"more", "less"}:
        seen += ", ranges overlap"
    rates = (words.rate_text(row[f"{side}_up_unique_bytes_per_hour"]) for side in SIDES)
    return name, *rates, states, seen


def _place(row: dict[str, Any], side: str) -> str:
    asns = [f"AS{number}" for number in row[f"{side}_asns"]]
    return ", ".join([*row[f"{side}_countries"], *asns]) or "unknown"


def _table(*names: str) -> "Table":
    from rich.table import Table  # noqa: PLC0415  # what `--quiet` shall not pay

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        table.add_column(name, overflow="fold")
    return table
