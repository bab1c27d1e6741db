# Held by tests/analyzer/claims/test_ask.py: it runs in each test there.
"""The process in which queries of claims run: it holds the tables, and can reach nothing else.

Started as a program of its own. Before the first query it gives up all that a query does not need:
it can open no file and no connection, write no byte to a file, and take only so much memory and
time; whoever started it ends it. It reads from standard input one line of JSON (`tables`: name and
octets of each; `jobs`: pairs of a query and the tables in whose place others stand), then the
tables as Arrow files. It answers each job with one line of JSON.

Polars lets whole numbers wrap in silence, and a wrapped number would decide a claim. So they are
counted in 128 bits, and a query in which one may grow beyond its type is refused (`Bounds`).
"""

import io
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

import polars as pl

KEPT = "_is_kept"
"""A column of a table that stands for another: rows without it are left out."""

MOST_ROWS = 100_000
MOST_COLUMNS = 3
LONGEST_ERROR = 300
MB = 1 << 20
DEEPEST = 20_000
"""Calls of Python within each other: the parts of a query may nest that deep."""

WHOLE = pl.Int128
"""What whole numbers are counted in."""

TIME_BITS = 63.0
MOST_ROW_BITS = 40.0
"""No query lives long enough to go through more rows than 2 to this power."""

LENGTH_BITS = 30.0
"""There is no memory for a longer text or list."""

NARROWER = 0.001
"""Bits that are kept free, because bits are not whole numbers themselves."""

_PARTS = ("left", "right", "expr", "input", "arguments", "truthy", "falsy", "predicate", "function")


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
    """The tables that follow the first line, with their whole numbers in `WHOLE`."""
    return {name: _widened(pl.read_ipc(io.BytesIO(source.read(size)))) for name, size in sizes}


def _widened(table: pl.DataFrame) -> pl.DataFrame:
    whole = [
        pl.col(name).cast(pl.List(WHOLE) if isinstance(kind, pl.List) else WHOLE)
        for name, kind in table.schema.items()
        if _inner(kind).is_integer()
    ]
    return table.with_columns(whole)


def _inner(kind: pl.DataType) -> Any:  # noqa: ANN401 - polars: a class or an instance
    """What a list holds; the type itself where it is no list."""
    return kind.inner if isinstance(kind, pl.List) else kind


class BeyondError(ValueError):
    """A number may be larger than can be counted exactly, or is none."""


def column_bits(tables: Mapping[str, pl.DataFrame]) -> dict[str, float]:
    """Bits of the largest value of every column of whole numbers, spans or times.

    Args:
        tables: all; columns of one name are taken together.
    """
    found: dict[str, float] = {}
    for table in tables.values():
        for column in table.get_columns():
            if _is_sized(column.dtype):
                found[column.name] = max(found.get(column.name, 0.0), _most(column))
    return found


def _most(column: pl.Series) -> float:
    values = column.explode() if isinstance(column.dtype, pl.List) else column
    whole = values.to_physical().cast(WHOLE).drop_nulls()
    ends: Any = (0,) if whole.is_empty() else (whole.min(), whole.max())
    return max(map(_bits, ends))


def _bits(number: float) -> float:
    return math.log2(abs(number)) if number else 0.0


def _is_sized(kind: pl.DataType) -> bool:
    """Whether values of a type are kept as whole numbers, which wrap."""
    inner = _inner(kind)
    return bool(inner.is_integer() or inner.is_temporal())


def _width(kind: pl.DataType) -> float:
    """Bits that values of a type may take."""
    inner = _inner(kind)
    if not inner.is_integer():
        return TIME_BITS
    return float(str(inner).lower().lstrip("uint")) - bool(inner.is_signed_integer())


class Size(NamedTuple):
    """How large the whole numbers in some rows may be, and how many rows there may be, in bits."""

    bits: float
    rows: float


@dataclass(frozen=True)
class Bounds:
    """How large the whole numbers of a planned query may get.

    Attributes:
        plan: as polars shows it to other engines.
        columns: bits of the tables' columns.
        known: sizes of those steps of the plan that were looked at.
    """

    plan: Any
    columns: Mapping[str, float]
    known: dict[int, Size] = field(default_factory=dict)

    def of_step(self, step: int) -> Size:
        """The size of what a step of the plan gives.

        Raises:
            BeyondError: a number in it may be beyond its type.
        """
        if step in self.known:
            return self.known[step]
        self.plan.set_node(step)
        seen, inputs = self.plan.view_current_node(), self.plan.get_inputs()
        parts = [part.node for part in self.plan.get_exprs()]
        below = [self.of_step(each) for each in inputs] or [self._of_table(seen)]
        rows = sum(size.rows for size in below) + len(below) - 1
        if type(seen).__name__ == "MapFunction":  # it may take lists apart
            rows = MOST_ROW_BITS
        size = Size(max(size.bits for size in below), min(rows, MOST_ROW_BITS))
        if len(inputs) == 1:  # a join only compares keys
            self.plan.set_node(inputs[0])
            size = Size(max([size.bits, *(self.of_part(part, size) for part in parts)]), size.rows)
        self.known[step] = size
        return size

    def _of_table(self, seen: Any) -> Size:  # noqa: ANN401 - polars' own, without types
        bits = [self.columns.get(name, 0.0) for name in self.plan.get_schema()]
        return Size(max(bits, default=0.0), _bits(seen.df.height()))

    def of_part(self, part: int, size: Size) -> float:
        """Bits of the largest value of an expression over rows of this size.

        Raises:
            BeyondError: a number in it may be beyond its type.
        """
        kind = self.plan.get_dtype(part)
        try:
            seen = self.plan.view_expression(part)
        except NotImplementedError as error:
            raise BeyondError(f"cannot be answered: how large numbers get in {error}") from error
        parts = list(_parts(seen))
        of = [(self.of_part(each, size), self.plan.get_dtype(each)) for each in parts]
        bits, is_counted = _grown(seen, kind, of, size)
        is_less = str(getattr(seen, "op", "")).endswith("Minus") and kind.is_unsigned_integer()
        if is_counted and _is_sized(kind) and (bits > _width(kind) - NARROWER or is_less):
            hint = "" if kind == WHOLE else "; CAST(… AS BIGINT) of what is counted gives it more"
            raise BeyondError(
                f"cannot be answered: a number in it may be beyond {_width(kind):.0f} bits{hint}"
            )
        return bits


def _parts(seen: Any) -> Iterator[int]:  # noqa: ANN401 - polars' own, without types
    """The expressions that one is made of."""
    for name in _PARTS:
        part = getattr(seen, name, None)
        for each in part if isinstance(part, list) else [part]:
            if isinstance(each, int):
                yield each


def _grown(
    seen: Any,  # noqa: ANN401 - polars' own, without types
    kind: pl.DataType,
    of: Sequence[tuple[float, pl.DataType]],
    size: Size,
) -> tuple[float, bool]:
    """Bits of an expression, and whether it counts, so that its value may be beyond its type."""
    name, inner = type(seen).__name__, [bits for bits, _ in of]
    most = max(inner, default=0.0)
    if name == "BinaryExpr":
        word = str(seen.op).rpartition(".")[2]
        counted = {"Multiply": sum(inner), "Plus": _added(inner), "Minus": _added(inner)}
        return counted.get(word, most), word in counted
    if name == "Agg" and seen.name == "sum":
        return most + size.rows, True
    if name == "Function" and str(seen.function_data[0]).endswith("ListFunction.Sum"):
        return most + LENGTH_BITS, True
    if name == "Literal":
        return _of_literal(seen.value, kind), False
    if name == "Column":
        return (size.bits if _is_sized(kind) else 0.0), False
    return _of_function(kind, of, max(most, size.rows)), False


def _added(inner: Sequence[float]) -> float:
    """Bits of the sum of two numbers of these bits."""
    most = max(inner)
    return most + math.log2(sum(2.0 ** (bits - most) for bits in inner))


def _of_literal(value: object, kind: pl.DataType) -> float:
    if isinstance(value, int | float) and math.isfinite(value):
        return _bits(value)
    return _width(kind) if _is_sized(kind) and value is not None else 0.0


def _of_function(kind: pl.DataType, of: Sequence[tuple[float, pl.DataType]], most: float) -> float:
    """Bits of what is neither counted nor a column: of a function, a cast, a length."""
    if not _is_sized(kind):
        return 0.0
    if kind == pl.UInt32:  # a length, a place, a rank
        return max(most, LENGTH_BITS)
    is_new = bool(of) and not any(_is_sized(each) or each == pl.Boolean for _, each in of)
    return _width(kind) if is_new else most


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


def answer(
    tables: dict[str, pl.LazyFrame],
    sql: str,
    *,
    columns: Mapping[str, float] | None = None,
    is_empty: bool = False,
    is_bounded: bool = False,
) -> dict[str, Any]:
    """Names of the columns, kind of the first, and all values of the first few; or an error.

    Args:
        tables: by the names that the query may use.
        sql: the query.
        columns: bits of the tables' columns; None: they are looked for.
        is_empty: no table has rows, so that the answer shows only that there is one.
        is_bounded: it was asked before, of tables with the same bits, and none was too many.
    """
    context = pl.SQLContext(tables, register_globals=False, eager=False)
    try:
        planned = context.execute(sql).head(MOST_ROWS + 1)
        if not is_bounded:
            _refuse_beyond(planned, tables, columns)
        rows = planned.collect()
    except (pl.exceptions.PolarsError, OSError, ValueError, TypeError, OverflowError) as error:
        return {"error": str(error).partition("\n")[0][:LONGEST_ERROR]}
    except pl.exceptions.PanicException as error:
        return {"error": f"the query broke the engine: {str(error).partition(chr(10))[0]}"}
    if rows.height > MOST_ROWS:
        return {"error": f"at most {MOST_ROWS:,} rows expected in the answer, got more"}
    if not is_empty and not _is_number(rows):
        return {"error": "the answer has no number: it is infinite, or 0 / 0"}
    return {
        "columns": rows.columns,
        "is_integer": bool(rows.columns) and rows.dtypes[0].is_integer(),
        "values": [plain(column).to_list() for column in rows.get_columns()[:MOST_COLUMNS]],
    }


def _is_number(rows: pl.DataFrame) -> bool:
    """Whether no value of the first column is infinite or undefined."""
    first = rows.to_series() if rows.columns else pl.Series()
    return not first.dtype.is_float() or bool(first.drop_nulls().is_finite().all())


def _refuse_beyond(
    planned: pl.LazyFrame, tables: dict[str, pl.LazyFrame], columns: Mapping[str, float] | None
) -> None:
    if columns is None:
        columns = column_bits({name: table.collect() for name, table in tables.items()})
    try:
        plan = planned._ldf.visit()  # noqa: SLF001 - the door that polars keeps for other engines
        Bounds(plan, columns).of_step(plan.get_node())
    except AttributeError as error:
        raise BeyondError(
            f"cannot be answered: polars {pl.__version__} does not show how large numbers get"
        ) from error


def plain(column: pl.Series) -> pl.Series:
    """A column as JSON can hold it: spans in seconds, what has no number as text."""
    if isinstance(column.dtype, pl.Duration):
        spans = column.dt.total_nanoseconds()
        return pl.Series(column.name, [None if span is None else span / 1e9 for span in spans])
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
    columns, is_empty = column_bits(tables), all(table.is_empty() for table in tables.values())
    sys.setrecursionlimit(DEEPEST)
    give_up(asked["memory"], asked["seconds"])
    answered: set[str] = set()  # the same query is asked in many worlds
    for sql, others in asked["jobs"]:
        found = answer(
            in_place(tables, others),
            sql,
            columns=columns,
            is_empty=is_empty,
            is_bounded=sql in answered,
        )
        answered.add(sql)  # where it was refused, nothing that follows is looked at
        line = json.dumps(found, allow_nan=True)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
