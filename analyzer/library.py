# Held by tests/test_library.py: each function, as a user of the library calls it.
"""The doors of the library: settings as keywords, one path or many."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dataframely as dy

from phonehome.analyzer.analysis import analyze as analyze_captures
from phonehome.analyzer.claims.check import claims_table
from phonehome.analyzer.claims.file import read_claims
from phonehome.analyzer.claims.tables import tables_of
from phonehome.analyzer.comparison.compare import compare as compare_sides
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.result_folder import load
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import Analysis, Claims

Paths = str | Path | Sequence[str | Path]
Sides = str | Path | Analysis | Sequence[str | Path | Analysis]


def analyze(paths: Paths, **settings: Any) -> Analysis:  # noqa: ANN401 - of each setting its own
    """All tables of these captures.

    Args:
        paths: one or many: files, directories, patterns, or `-` for standard input.
        settings: fields of `Settings`.

    Raises:
        PhonehomeError: a path, a setting or a file cannot be used; the message is one line.
    """
    return analyze_captures(paths, Settings(**settings))


def compare(
    base: Sides,
    new: Sides,
    *,
    base_version: str | None = None,
    new_version: str | None = None,
    **settings: Any,  # noqa: ANN401 - of each setting its own
) -> Comparison:
    """What differs between two versions; each capture is a repetition.

    Args:
        base: captures of the old version, analyses, or folders that `write` made of them.
        new: those of the new version.
        base_version: what the old version is called; None: as its paths are.
        new_version: what the new version is called; None: the same.
        settings: fields of `Settings`, for both.

    Raises:
        PhonehomeError: as `analyze`.
    """
    both = (
        Settings(**settings, version=base_version),
        Settings(**settings, version=new_version),
    )
    sides = (
        [side] if isinstance(side, str | Path | Analysis) else list(side) for side in (base, new)
    )
    return compare_sides(*sides, settings=both)


def check(analysis: Analysis | str | Path, claims: Paths) -> dy.DataFrame[Claims]:
    """Each claim with its result: supported, contradicted, or cannot tell.

    Args:
        analysis: what was analysed, or the folder that it was written to.
        claims: files of claims, or names of shipped ones.

    Raises:
        PhonehomeError: the folder or a file of claims cannot be used.
    """
    tables = tables_of(analysis if isinstance(analysis, Analysis) else load(analysis))
    stated = [claims] if isinstance(claims, str | Path) else claims
    return claims_table(tables, read_claims([Path(one) for one in stated], tables.idle_means))
