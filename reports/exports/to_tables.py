"""Every exported table as Parquet and as CSV; the same rows, the same order, the same numbers."""

import io
from collections.abc import Iterator

import polars as pl

from phonehome.reports.words import escape
from phonehome.reports.words.json_text import SLICE_ROWS, as_json_types


def parquet(table: pl.DataFrame) -> Iterator[bytes]:
    """The table as one Parquet file, types kept. The same table gives the same bytes."""
    content = io.BytesIO()
    table.write_parquet(content, compression="zstd", compression_level=3)
    yield content.getvalue()


def csv(table: pl.DataFrame) -> Iterator[bytes]:
    r"""The table as CSV in UTF-8, in pieces: header, commas, quotes where needed, `\n`.

    Times and durations are as in `analysis.json`. Text cells that a spreadsheet would take for a
    formula begin with `'` (see `text.cell`). A list is one cell, its parts between `; `, each
    opinion as `database=country`. Unknown is an empty cell; an empty text is `""`.
    """
    cells = _cells(as_json_types(table.lazy()))
    for offset in range(0, max(table.height, 1), SLICE_ROWS):
        part = io.BytesIO()
        cells.slice(offset, SLICE_ROWS).collect().write_csv(part, include_header=offset == 0)
        yield part.getvalue()


def _cells(table: pl.LazyFrame) -> pl.LazyFrame:
    schema = table.collect_schema()
    return table.with_columns(_flat(name, dtype) for name, dtype in schema.items()).with_columns(
        escape.cell(pl.col(name))
        for name, dtype in schema.items()
        if dtype in (pl.String, pl.Enum) or isinstance(dtype, pl.List)
    )


def _flat(name: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Enum):
        return pl.col(name).cast(pl.String)
    if not isinstance(dtype, pl.List):
        return pl.col(name)
    if isinstance(dtype.inner, pl.Struct):
        fields = [pl.element().struct.field(field.name) for field in dtype.inner.fields]
        part = pl.concat_str(fields, separator="=", ignore_nulls=False).fill_null(
            pl.concat_str(fields[0], pl.lit("="))
        )
        return pl.col(name).list.eval(part).list.join("; ")
    return pl.col(name).cast(pl.List(pl.String)).list.join("; ")
