"""Where a result comes from: inputs, databases, versions, settings, and the hash of each output.

The manifest alone carries the wall clock; everything else is the same in two runs.
"""

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import Analysis
from phonehome.reports.words.json_text import plain_text
from phonehome.reports.words.version import version

DEPENDENCIES: Final = (
    "cryptography",
    "dataframely",
    "dnspython",
    "geoip2",
    "jinja2",
    "lz4",
    "maxminddb",
    "numba",
    "numpy",
    "plotly",
    "polars",
    "publicsuffixlist",
    "zstandard",
)
"""The packages whose version can change a result."""

_CAPTURE_COLUMNS: Final = (
    "capture",
    "sha256",
    "file_bytes",
    "format",
    "compression",
    "packets",
    "first_time",
    "last_time",
    "unread_bytes",
    "damage",
)


@dataclass(frozen=True)
class Output:
    """One file of the result: its name in the folder, SHA-256 in hex, size in bytes."""

    file: str
    sha256: str
    bytes: int


def versions() -> dict[str, str | None]:
    """Python, and each package of `DEPENDENCIES`; null: not installed."""
    return {"python": platform.python_version()} | {
        name: _package_version(name) for name in DEPENDENCIES
    }


def _package_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def manifest(
    analysis: Analysis, outputs: Iterable[Output], *, started: datetime, finished: datetime
) -> bytes:
    """The content of `manifest.json`, the only file that says when it was made, and on what."""
    content: dict[str, Any] = {
        "phonehome": version(),
        "started": _clock(started),
        "finished": _clock(finished),
        "system": platform.platform(),
        "versions": versions(),
        "tshark": analysis.tshark,
        "keys_used": analysis.keys_used,
        "is_complete": analysis.summary.is_balanced and not analysis.summary.is_damaged,
        "is_balanced": analysis.summary.is_balanced,
        "is_damaged": analysis.summary.is_damaged,
        "summary": asdict(analysis.summary),
        "inputs": _plain_rows(analysis.captures.select(_CAPTURE_COLUMNS)),
        "databases": _plain_rows(analysis.databases),
        "settings": asdict(analysis.settings),
        "limits_hit": dict(sorted(analysis.limits_hit.items())),
        "notes": list(analysis.notes),
        "outputs": [asdict(output) for output in outputs],
    }
    return (json.dumps(content, indent=1, default=plain_text) + "\n").encode()


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _plain_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    times = [
        pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
        for name, dtype in table.schema.items()
        if isinstance(dtype, pl.Datetime)
    ]
    return table.with_columns(times).to_dicts()
