# Held by tests/test_library.py: each result is written there as a user of the library does.
"""The library's door for writing: what was analysed or compared, into a folder."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.tables import Analysis
from phonehome.reports.comparison.files import write as write_comparison
from phonehome.reports.exports.folder import FORMATS, wanted_formats
from phonehome.reports.exports.folder import write as write_analysis

OF_COMPARISONS: Final = tuple(name for name in FORMATS if name != "md")


def write(
    result: Analysis | Comparison,
    folder: str | Path,
    formats: str | Iterable[str] = "html",
    *,
    force: bool = False,
    started: datetime | None = None,
) -> list[Path]:
    """The files of an analysis or a comparison, in `folder`, the manifest last.

    All of them are written, or none. What `load`, `check` and `compare` shall read from the folder
    needs the format parquet or json.

    Args:
        result: what `analyze`, `load` or `compare` gave.
        folder: where; missing parents are made.
        formats: html, md (of an analysis), json, csv, parquet: in a list, or with commas between
            them. `manifest.json` comes always.
        force: replace an earlier result. A folder that holds anything else is never replaced.
        started: when the run began, for the manifest; None: now.

    Raises:
        PhonehomeError: a format is none, `folder` is there and may not be replaced, or the system
            refused; the message is one line.
    """
    if isinstance(result, Analysis):
        return write_analysis(result, folder, formats=formats, force=force, started=started)
    return write_comparison(
        result,
        Path(folder),
        formats=wanted_formats(formats, OF_COMPARISONS),
        force=force,
        started=started or datetime.now(UTC),
    )
