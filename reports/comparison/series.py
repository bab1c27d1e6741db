"""What a series of versions writes: the page of all, and the files of each step."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from phonehome.analyzer import Series
from phonehome.analyzer.tables import ALL_STATES
from phonehome.reports.comparison import files as one_step
from phonehome.reports.comparison import words
from phonehome.reports.exports import to_tables
from phonehome.reports.exports.folder import Content, write_made
from phonehome.reports.exports.manifest import Output
from phonehome.reports.words.json_text import dumps, rows
from phonehome.reports.words.translate import speaking
from phonehome.reports.words.version import version

LAYOUT: Final = 1
"""Number of the layout of `series.json`; a change that breaks readers raises it."""

MOST_ROWS: Final = 1_000
SHOWN: Final = (*words.HEADLINES, "app", "service")


def contents(series: Series, formats: frozenset[str]) -> dict[str, Content]:
    """What goes into each file, by file name; those of step N begin with `N-`."""
    files: dict[str, Content] = {}
    if "html" in formats:
        files["series.html"] = partial(page, series)
    if "json" in formats:
        files["series.json"] = partial(series_json, series)
    if "parquet" in formats:
        files["versions.parquet"] = partial(to_tables.parquet, series.versions)
    if "csv" in formats:
        files["versions.csv"] = partial(to_tables.csv, series.versions)
    for number, step in enumerate(series.steps, start=1):
        of_step = one_step.contents(step, formats)
        files |= {f"{number}-{name}": content for name, content in of_step.items()}
    return files


def series_json(series: Series) -> Iterator[bytes]:
    """The content of `series.json`: labels and summaries of all steps, then the keys, a row a line.

    Times, spans and unknowns are as in `analysis.json`.
    """
    head = {"phonehome": version(), "layout": LAYOUT, **_head(series)}
    yield dumps(head)[:-1].encode()
    yield b',\n"versions":['
    yield from rows(series.versions)
    yield b"]}\n"


def _head(series: Series) -> dict[str, Any]:
    return {
        "labels": list(series.labels),
        "steps": [json.loads(one_step.summary_json(step, {})) for step in series.steps],
    }


def summary_json(series: Series, failed: Mapping[str, Any]) -> str:
    """The summary alone as one line of JSON, for `--json`; `failed` is per step."""
    return dumps({"phonehome": version(), **_head(series), "failed": dict(failed)})


def manifest(series: Series, outputs: list[Output], *, started: datetime) -> bytes:
    """The content of `manifest.json`: a manifest per step, and the hashes of all files."""
    steps = [json.loads(one_step.manifest(step, [], started=started)) for step in series.steps]
    content = {
        "phonehome": version(),
        "started": steps[0]["started"],
        "finished": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "is_complete": all(step["is_complete"] for step in steps),
        "labels": list(series.labels),
        "steps": [{name: step[name] for name in step if name != "outputs"} for step in steps],
        "outputs": [output.__dict__ for output in outputs],
    }
    return (json.dumps(content, indent=1) + "\n").encode()


write = partial(write_made, contents, manifest)
"""The files of one series, in a folder, the manifest last; all of them, or none."""


def page(series: Series) -> Iterator[bytes]:
    """The content of `series.html`: the same series gives the same bytes."""
    findings = pl.concat([step.findings for step in series.steps])
    with speaking(series.steps[0].settings["base"].language, findings):
        text = _text(series)
    yield text.encode()


def _text(series: Series) -> str:
    from phonehome.reports.page import document  # noqa: PLC0415  # for the page only

    run = document.script("tables.js")
    rows = table(series)
    return (
        document.environment()
        .get_template("series.html")
        .render(
            version=version(),
            series=series,
            words=words,
            rows=rows[:MOST_ROWS],
            left=max(0, len(rows) - MOST_ROWS),
            policy=document.policy(run),
            style=document.style("compare.css"),
            script=Markup(run),  # noqa: S704  # a file of ours
        )
    )


def table(series: Series) -> list[dict[str, Any]]:
    """A row per key over all states, with its `cells` per version; keys of few versions first."""
    overall = series.versions.filter(
        pl.col("state") == ALL_STATES, pl.col("dimension").is_in(SHOWN)
    ).with_columns(pl.col("dimension").cast(pl.Enum(SHOWN)).alias("rank"))
    cells = pl.struct("up_unique_bytes_per_hour", "seen_in", "repetitions")
    met = (pl.col("seen_in") > 0).sum()
    return (
        overall.group_by("dimension", "rank", "key", maintain_order=True)
        .agg(
            cells.alias("cells"),
            met.alias("met"),
            pl.col("up_unique_bytes_per_hour").max().fill_null(0).alias("most"),
        )
        .sort("rank", "met", -pl.col("most"), "key", nulls_last=True)
        .with_columns(pl.lit(None).alias("holder"), pl.lit(None).alias("label"))
        .to_dicts()
    )
