# Held by tests/test_cli_check.py: each kind of file is written there.
"""The files that tell what was found of claims, each with the encoder of its kind."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from phonehome.reports.claims.junit import junit
from phonehome.reports.claims.markdown import markdown
from phonehome.reports.claims.sarif import sarif

_KINDS: Final[dict[str, Callable[[pl.DataFrame, pl.DataFrame, bool], bytes]]] = {
    "junit": lambda claims, _, is_strict: junit(claims, is_strict=is_strict),
    "sarif": lambda claims, captures, is_strict: sarif(claims, captures, is_strict=is_strict),
    "markdown": lambda claims, _, __: markdown(claims),
}


def contents(
    claims: pl.DataFrame, captures: pl.DataFrame, targets: Mapping[str, Path], *, is_strict: bool
) -> dict[Path, bytes]:
    """What goes into each file.

    Args:
        claims: what was found.
        captures: what it was found in.
        targets: where each kind of file goes: junit, sarif, markdown.
        is_strict: a claim that cannot be told counts as failed.
    """
    return {path: _KINDS[kind](claims, captures, is_strict) for kind, path in targets.items()}
