"""`analysis.json`: every table of the analysis, a row an object, beside summary and settings.

Keys: `phonehome` (version), `layout` (of this file), `summary`, `settings`, `limits_hit`,
`notes`, then the tables by name. Times are ISO 8601 in UTC with nine decimals and `Z`, dates
`YYYY-MM-DD`, durations integers of nanoseconds, unknown is null. Tables keep their order, so two
runs give the same bytes.
"""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import polars as pl

from phonehome.analyzer import path_text
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import Analysis
from phonehome.reports.words.json_text import dumps, rows
from phonehome.reports.words.version import version

LAYOUT: Final = 1
"""Number of the layout of `analysis.json`; a change that breaks readers raises it."""

TABLES: Final = (
    "captures",
    "databases",
    "claims",
    "phones",
    "phases",
    "places",
    "uploads",
    "timeline",
    "clocks",
    "rates",
    "stretches",
    "amplification",
    "completeness",
    "identifiers",
    "tokens",
    "beacons",
    "bursts",
    "ledger",
    "oddities",
    "findings",
    "certificates",
    "mmtls",
    "requests",
    "decryption",
    "names",
    "moments",
    "flow_phases",
    "flows",
)
"""The exported tables, by name of their attribute in `Analysis`; the long ones come last."""


def exported(analysis: Analysis) -> dict[str, pl.DataFrame]:
    """Every exported table by its name, in the order of `TABLES`."""
    return {name: getattr(analysis, name) for name in TABLES}


def settings_object(settings: Settings) -> dict[str, Any]:
    """The settings as JSON can hold them; of a path its last part.

    Where a file lies says nothing about the capture, and names the user: only the manifest has it.
    """
    return {
        key: [path_text(part.name) if isinstance(part, Path) else part for part in value]
        if isinstance(value, tuple)
        else value
        for key, value in asdict(settings).items()
    }


def summary_json(analysis: Analysis) -> str:
    """The summary alone as one line of JSON, for `--json`."""
    return dumps({"phonehome": version(), **asdict(analysis.summary)})


def analysis_json(analysis: Analysis) -> Iterator[bytes]:
    """The content of `analysis.json` in pieces, so that memory follows one slice of a table."""
    head = {
        "phonehome": version(),
        "layout": LAYOUT,
        "summary": asdict(analysis.summary),
        "settings": settings_object(analysis.settings),
        "limits_hit": dict(sorted(analysis.limits_hit.items())),
        "notes": list(analysis.notes),
    }
    yield dumps(head)[:-1].encode()
    for name, table in exported(analysis).items():
        yield f",\n{dumps(name)}:[".encode()
        yield from rows(table)
        yield b"]"
    yield b"}\n"
