# Held by tests/analyzer/findings/test_traffic.py: each statement there is a row of it.
"""The table of findings: every statement that a reader of this run can meet, as data."""

from collections.abc import Iterable, Iterator, Mapping

import dataframely as dy
import polars as pl

from phonehome.analyzer.kinds import KINDS, Statement, said
from phonehome.analyzer.tables import Analysis, Findings

SPOKEN = {
    "places": ("reason", "relay_hint"),
    "clocks": ("remark",),
    "completeness": ("remark",),
    "rates": ("remark",),
    "flows": ("host_warning",),
    "claims": ("explanation", "remarks"),
}
"""Columns of the tables that hold statements."""


def findings_table(analysis: Analysis, kept: Mapping[str, Statement]) -> dy.DataFrame[Findings]:
    """Notes in their order, then the statements that stand in columns of tables, each once.

    Args:
        analysis: notes and tables.
        kept: all statements that were made, by their sentences.
    """
    told = dict.fromkeys([*analysis.notes, *_spoken(analysis)])
    return findings_of(kept[text] for text in told if text in kept)


def findings_of(said: Iterable[Statement]) -> dy.DataFrame[Findings]:
    """A row per statement, in their order."""
    rows = [
        {
            "finding": number,
            "kind": each.kind.name,
            "severity": each.kind.severity,
            "values": [value._asdict() for value in each.values],
            "sentence": str(each),
            "basis": None,
            "display_filter": None,
            "flows": [],
        }
        for number, each in enumerate(said, start=1)
    ]
    return Findings.validate(pl.DataFrame(rows, schema=Findings.create_empty().schema))


def statements(findings: pl.DataFrame) -> dict[str, Statement]:
    """The statements of a table of findings by their sentences, as far as their kinds are known."""
    known = findings.filter(pl.col("kind").is_in(list(KINDS)))
    return {
        row["sentence"]: said(
            row["kind"], [(each["name"], each["type"], each["text"]) for each in row["values"]]
        )
        for row in known.iter_rows(named=True)
    }


def _spoken(analysis: Analysis) -> Iterator[str]:
    """The texts of the columns that hold statements, table by table, each sorted."""
    for name, columns in SPOKEN.items():
        table = getattr(analysis, name)
        for column in columns:
            texts = table[column].explode() if table[column].dtype == pl.List else table[column]
            yield from texts.drop_nulls().unique().sort().to_list()
