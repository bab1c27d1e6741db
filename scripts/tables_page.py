"""Writes `docs/tables.md` from the `tables.py` of each room; `--check` only says if it is stale.

The docstring of a schema and the description of each of its columns are the contract; this page
is how a person reads it. The same tables give the same bytes.
"""

import argparse
import ast
import inspect
import re
import sys
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import dataframely as dy
import polars as pl

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "tables.md"
sys.path.insert(0, str(ROOT))

from phonehome.analyzer import tables as analyzer_tables  # noqa: E402 - the root is on the path now
from phonehome.captures import tables as captures_tables  # noqa: E402 - the same
from phonehome.geo import tables as geo_tables  # noqa: E402 - the same

MADE = "<!-- Made by scripts/tables_page.py from the tables.py of each room: change those. -->"
HEAD = f"""{MADE}

# Tables

Each room states in its `tables.py` the tables that it hands on; this page shows them. A run writes
the analyzer's to its folder, and beside them `captures` and `databases`, which come from the other
two rooms. The rest passes between rooms only.

Null is the only unknown. A column without “null” always has a value. `Datetime` is in UTC, sizes
are bytes, `Duration` counts nanoseconds. How the types look in JSON and CSV is told in
[report.md](report.md)."""
ROOMS: tuple[tuple[str, ModuleType], ...] = (
    ("analyzer", analyzer_tables),
    ("captures", captures_tables),
    ("geo", geo_tables),
)


def page() -> str:
    """The whole page as Markdown."""
    blocks = [HEAD, _contents()]
    for room, module in ROOMS:
        blocks += [f"## {room}", inspect.cleandoc(module.__doc__ or "")]
        blocks += [_section(room, table) for table in _schemas(module)]
        if module is analyzer_tables:
            blocks.append(_summary())
    return "\n\n".join(blocks) + "\n"


def _schemas(module: ModuleType) -> list[type[dy.Schema]]:
    """The schemas of this module, or of the package's modules, in the order of their text."""
    places = [module.__name__, *(f"{module.__name__}.{group}" for group in _groups(module))]
    found = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, dy.Schema) and thing.__module__ in places
    ]
    return sorted(
        found,
        key=lambda table: (places.index(table.__module__), inspect.getsourcelines(table)[1]),
    )


def _groups(module: ModuleType) -> list[str]:
    """The modules of a package, as its docstring lists them; none of a module."""
    return re.findall(r"^- `(\w+)`: ", module.__doc__ or "", re.MULTILINE)


def _contents() -> str:
    lines = []
    for room, module in ROOMS:
        links = [f"[{table.__name__}](#{_anchor(room, table)})" for table in _schemas(module)]
        links += ["[Summary](#analyzersummary)"] * (module is analyzer_tables)
        lines.append(f"- {room}: {', '.join(links)}")
    return "\n".join(lines)


def _anchor(room: str, table: type) -> str:
    """The anchor that a renderer of Markdown gives to `### room.Table`."""
    return f"{room}{table.__name__}".lower()


def _section(room: str, table: type[dy.Schema]) -> str:
    blocks = [f"### {room}.{table.__name__}", inspect.cleandoc(table.__doc__ or "")]
    if keys := table.primary_key():
        blocks.append(f"Key: {', '.join(f'`{name}`' for name in keys)}.")
    rows = [
        f"| `{name}` | {_dtype(column.dtype)} | {'null' if column.nullable else ''} "
        f"| {_cell(column.description)} |"
        for name, column in table.columns().items()
    ]
    blocks.append("\n".join(["| column | type | null? | meaning |", "|---|---|---|---|", *rows]))
    return "\n\n".join(blocks)


def _dtype(dtype: pl.DataType | pl.datatypes.DataTypeClass) -> str:
    """A type in a reader's words: `String`, `Datetime`, `List of Struct(database, country)`."""
    match dtype:
        case pl.List():
            return f"List of {_dtype(dtype.inner)}"
        case pl.Struct():
            return f"Struct({', '.join(field.name for field in dtype.fields)})"
        case pl.Enum():
            return f"Enum: {', '.join(dtype.categories)}"
        case _:
            return str(dtype.base_type())


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _summary() -> str:
    """The summary, which is no table but one object of `analysis.json`."""
    summary = analyzer_tables.Summary
    introduction, _, attributes = inspect.cleandoc(summary.__doc__ or "").partition("Attributes:")
    said = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", attributes, re.MULTILINE)
    meaning = {name: _cell(text) for name, text in said}
    rows = [
        f"| `{field.name}` | {_hint(field.type)} | {meaning[field.name]} |"
        for field in fields(summary)
    ]
    table = "\n".join(["| key | type | meaning |", "|---|---|---|", *rows])
    return f"### analyzer.Summary\n\n{introduction.strip()} In JSON None is null.\n\n{table}"


def _hint(hint: object) -> str:
    text = hint if isinstance(hint, str) else inspect.formatannotation(hint)
    return _cell(ast.unparse(ast.parse(text, mode="eval")))


def main() -> int:
    """Write the page, or say whether it is as it should be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if stale")
    wanted = page()
    if not parser.parse_args().check:
        PAGE.write_text(wanted, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != wanted:
        print("docs/tables.md is stale: run scripts/tables_page.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
