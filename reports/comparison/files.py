"""What a comparison writes: its page, `compare.json`, the table of changes, the manifest."""

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import polars as pl

from phonehome.analyzer import ALPHA, DRAWS, MOST_EXACT, SEED
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.tables import ALL_STATES, DIMENSIONS, SIDES
from phonehome.reports.comparison import words
from phonehome.reports.exports import to_json, to_tables
from phonehome.reports.exports.folder import Content, write_made
from phonehome.reports.exports.manifest import Output, versions
from phonehome.reports.words.json_text import as_json_types, dumps, plain_text, rows
from phonehome.reports.words.version import version

LAYOUT: Final = 1
"""Number of the layout of `compare.json`; a change that breaks readers raises it."""

TABLES: Final = ("repetitions", "exposures", "databases", "traits", "changes")
"""The tables in `compare.json`, by name of their attribute in `Comparison`."""

Failed = Mapping[str, Sequence[str | None]]
"""Rule of `--fail-on` → the keys that matched it; null: a place that no database knows."""


def contents(comparison: Comparison, formats: frozenset[str]) -> dict[str, Content]:
    """What goes into each file, by file name."""
    files: dict[str, Content] = {}
    if "html" in formats:
        files["compare.html"] = partial(_page, comparison)
    if "json" in formats:
        files["compare.json"] = partial(comparison_json, comparison)
    for name, table in (("changes", comparison.changes), ("traits", comparison.traits)):
        if "parquet" in formats:
            files[f"{name}.parquet"] = partial(to_tables.parquet, table)
        if "csv" in formats:
            files[f"{name}.csv"] = partial(to_tables.csv, table)
    return files


def _page(comparison: Comparison) -> Iterator[bytes]:
    from phonehome.reports.comparison import page  # noqa: PLC0415  # jinja2 costs 45 ms, for the page only

    return page.page(comparison)


def comparison_json(comparison: Comparison) -> Iterator[bytes]:
    """The content of `compare.json`: the head on the first line, then the tables, a row a line.

    Times, spans and unknowns are as in `analysis.json`.
    """
    head = {"phonehome": version(), "layout": LAYOUT, **_head(comparison)}
    yield dumps(head)[:-1].encode()
    for name in TABLES:
        yield f",\n{dumps(name)}:[".encode()
        yield from rows(getattr(comparison, name))
        yield b"]"
    yield b"}\n"


def summary_json(comparison: Comparison, failed: Failed) -> str:
    """The summary alone as one line of JSON, for `--json`."""
    return dumps({"phonehome": version(), **_head(comparison), "failed": dict(failed)})


def _head(comparison: Comparison) -> dict[str, Any]:
    table = comparison.changes
    return {
        "summary": {
            "base": comparison.labels["base"],
            "new": comparison.labels["new"],
            "label_sources": comparison.label_sources,
            "versions_told": {
                side: [one._asdict() for one in comparison.told[side]] for side in SIDES
            },
            "repetitions": _by_side(comparison, "repetition"),
            "states": words.states(comparison),
            "changes": _by_dimension(table, "change"),
            "verdicts": _by_dimension(table, "verdict"),
            "moved_hosts": _moved(table),
        },
        "same_within": comparison.same_within,
        "method": {
            "text": words.METHOD,
            "false_discovery_rate": ALPHA,
            "tests": comparison.family,
            "seed": SEED,
            "most_exact": MOST_EXACT,
            "resamples": DRAWS,
        },
        "differences": list(comparison.differences),
        "notes": list(comparison.notes),
        "settings": {side: to_json.settings_object(comparison.settings[side]) for side in SIDES},
    }


def _by_side(comparison: Comparison, column: str) -> dict[str, int]:
    counts = comparison.repetitions.group_by("side").agg(pl.col(column).len())
    return dict(sorted(counts.iter_rows()))


def _by_dimension(table: pl.DataFrame, what: str) -> dict[str, Any]:
    """Per dimension, state and change or verdict its keys; what has none is left out.

    Hosts per phase are left to the table: their keys say too little without a label.
    """
    found: dict[str, Any] = {dimension: {} for dimension in DIMENSIONS[:-1]}
    for row in table.filter(pl.col("label").is_null()).iter_rows(named=True):
        of_state = found[row["dimension"]].setdefault(row["state"], {})
        of_state.setdefault(row[what], []).append(row["key"])
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
    return (json.dumps(content, indent=1, default=plain_text) + "\n").encode()


write = partial(write_made, contents, manifest)
"""The files of one comparison, in a folder, the manifest last; all of them, or none."""


def _provenance(comparison: Comparison, side: str) -> dict[str, Any]:
    of_side = pl.col("side") == side
    return {
        "label": comparison.labels[side],
        "label_source": comparison.label_sources[side],
        "inputs": _plain(comparison.captures[side]),
        "repetitions": _plain(comparison.repetitions.filter(of_side).drop("side")),
        "databases": _plain(comparison.databases.filter(of_side).drop("side")),
        "settings": asdict(comparison.settings[side]),
    }


def _plain(table: pl.DataFrame) -> list[dict[str, Any]]:
    return as_json_types(table.lazy()).collect().to_dicts()


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
