# Held by tests/reports/exports/test_to_json.py: all of analysis.json is written with it.
"""JSON as every file of ours holds it."""

import io
import json
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import polars as pl

from phonehome.analyzer import path_text

SLICE_ROWS: Final = 4_096
"""Rows that are turned into text at once: memory follows them, not the length of the table."""

WORKERS: Final = 2
"""Slices of a long table that are made at the same time."""


def dumps(value: object) -> str:
    """JSON without white space."""
    return json.dumps(value, separators=(",", ":"))


def plain_text(value: object) -> str:
    """What JSON has no type for, as text: paths, dates, moments."""
    return path_text(value) if isinstance(value, Path) else str(value)


def rows(table: pl.DataFrame) -> Iterator[bytes]:
    """The rows of a table as objects of JSON, a line each, with commas between them."""
    plain = as_json_types(table.lazy())
    waiting: deque[Future[bytes]] = deque()
    with ThreadPoolExecutor(WORKERS) as workers:
        for offset in range(0, table.height, SLICE_ROWS):
            waiting.append(workers.submit(_lines, plain.slice(offset, SLICE_ROWS)))
            if len(waiting) > WORKERS:
                yield b"\n" + waiting.popleft().result() + b","
        while waiting:
            yield b"\n" + waiting.popleft().result() + (b"," if waiting else b"")


def _lines(table: pl.LazyFrame) -> bytes:
    lines = io.BytesIO()
    table.collect().write_ndjson(lines)
    return lines.getvalue()[:-1].replace(b"\n", b",\n")


def as_json_types(table: pl.LazyFrame) -> pl.LazyFrame:
    """The table with its times as ISO 8601 text and its durations as nanoseconds."""
    columns = table.collect_schema()
    return table.with_columns(
        _as_json_type(name, dtype)
        for name, dtype in columns.items()
        if isinstance(dtype, pl.Datetime | pl.Duration)
    )


def _as_json_type(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Duration):
        return pl.col(name).dt.total_nanoseconds()
    return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.9fZ")
