"""The process in which queries of claims run: it holds the tables, and can reach nothing else.

Started as a program of its own. Before the first query it gives up all that a query does not need:
it can open no file and no connection, write no byte to a file, and take only so much memory and
time; whoever started it ends it. It reads from standard input one line of JSON (`tables`: name and
octets of each; `jobs`: pairs of a query and the tables in whose place others stand), then the
tables as Arrow files. It answers each job with one line of JSON.
"""

import io
import json
import sys
from typing import Any, BinaryIO

import polars as pl

KEPT = "_is_kept"
"""A column of a table that stands for another: rows without it are left out."""

MOST_ROWS = 100_000
MOST_COLUMNS = 3
LONGEST_ERROR = 300
MB = 1 << 20


def give_up(memory: int, seconds: int) -> None:
    """Bound this process: so many bytes of memory, so many seconds of the processor, no file."""
    import resource  # noqa: PLC0415 - not on every system

    bounds = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 3,  # those that are open
    }
    for kind, bound in bounds.items():
        resource.setrlimit(kind, (bound, bound))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # first a signal that says why


def tables_of(source: BinaryIO, sizes: list[tuple[str, int]]) -> dict[str, pl.DataFrame]:
    """The tables that follow the first line."""
    return {name: pl.read_ipc(io.BytesIO(source.read(size))) for name, size in sizes}


def in_place(tables: dict[str, pl.DataFrame], others: dict[str, str]) -> dict[str, pl.LazyFrame]:
    """The tables without a colon in their name, with columns of others in the place of theirs."""
    found = {}
    for name, table in tables.items():
        if ":" in name:
            continue
        whole = table.with_columns(tables[others[name]]) if name in others else table
        kept = whole.filter(KEPT).drop(KEPT) if KEPT in whole.columns else whole
        found[name] = kept.lazy()
    return found


def answer(tables: dict[str, pl.LazyFrame], sql: str) -> dict[str, Any]:
    """Names of the columns, kind of the first, and all values of the first few; or an error."""
    context = pl.SQLContext(tables, register_globals=False, eager=False)
    try:
        rows = context.execute(sql).head(MOST_ROWS + 1).collect()
    except (pl.exceptions.PolarsError, OSError, ValueError, TypeError, OverflowError) as error:
        return {"error": str(error).partition("\n")[0][:LONGEST_ERROR]}
    except pl.exceptions.PanicException as error:
        return {"error": f"the query broke the engine: {str(error).partition(chr(10))[0]}"}
    if rows.height > MOST_ROWS:
        return {"error": f"at most {MOST_ROWS:,} rows expected in the answer, got more"}
    return {
        "columns": rows.columns,
        "is_integer": bool(rows.columns) and rows.dtypes[0].is_integer(),
        "values": [plain(column).to_list() for column in rows.get_columns()[:MOST_COLUMNS]],
    }


def plain(column: pl.Series) -> pl.Series:
    """A column as JSON can hold it: spans in seconds, what has no number as text."""
    if isinstance(column.dtype, pl.Duration):
        return column.dt.total_nanoseconds() / 1e9
    if column.dtype.is_decimal():
        return column.cast(pl.Float64)
    if column.dtype.is_numeric() or column.dtype in {pl.String, pl.Boolean, pl.Null}:
        return column
    return pl.Series(
        column.name, [None if value is None else str(value) for value in column], dtype=pl.String
    )


def main() -> None:
    """Read, give up everything, answer."""
    source = sys.stdin.buffer
    asked = json.loads(source.readline())
    tables = tables_of(source, [(name, size) for name, size in asked["tables"]])
    pl.SQLContext({"one": pl.DataFrame({"a": [1]})}, register_globals=False).execute(
        "SELECT sum(a) AS a FROM one GROUP BY a", eager=True
    )  # threads begin now, and what they need is open
    give_up(asked["memory"], asked["seconds"])
    for sql, others in asked["jobs"]:
        line = json.dumps(answer(in_place(tables, others), sql), allow_nan=True)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
