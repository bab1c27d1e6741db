"""Keeps what names a person out of tables: values in addresses, and identifiers that are known.

A capture holds secrets: session tokens, account numbers, places. The tables say that a request had
a parameter, and not what it was, unless the user asks to reveal it.
"""

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import dataframely as dy
import polars as pl

from phonehome.analyzer.content.opaque_values import named, without_opaque
from phonehome.captures.words import SAID_BY_CAPTURE

if TYPE_CHECKING:
    from phonehome.analyzer.content.identifiers import Known

WITHHELD: Final = "…"
_PARAMETER = re.compile(r"([^=&;]*)(=?)([^&;]*)")
_PATH_PARTS = re.compile(r"([/;:=])")
_TELLING = re.compile(r"(?i)(?:[a-z_.-]*ver(?:sion)?(?:_?code)?|v|os|platform|lang|locale)")
_FLAG = re.compile(r"[A-Za-z_][0-9A-Za-z_.-]{0,19}")
"""A parameter without a value that may be a name; others may be a value without a name."""
_PLAIN_VALUE = re.compile(r"[0-9A-Za-z.]{1,10}(?:[_-][0-9A-Za-z]{1,4})?")
_TOKEN = re.compile(
    r"(?=[^/]*[0-9])[0-9A-Fa-f-]{16,}|(?=[^/]*[0-9])[0-9A-Za-z_~%=-]{22,}|[^/]*(?:@|%40)[^/]*"
    r"|[0-9]{9,}|-?[0-9]{1,3}\.[0-9]{3,}(?:,|%2C)-?[0-9]{1,3}\.[0-9]{3,}"
)


def target_without_values(target: str) -> str:
    """Path and names of parameters; values but those of versions and languages are withheld.

    A part of the path that looks like a token, an address or a place is withheld too.
    """
    path, mark, query = target.partition("?")
    begin, scheme, rest = path.partition("://") if "://" in path else ("", "", path)
    shown = "".join(
        WITHHELD if _TOKEN.fullmatch(part) else without_opaque(part, WITHHELD)
        for part in _PATH_PARTS.split(rest)
    )
    return begin + scheme + shown + mark + _PARAMETER.sub(_shown, query)


def _shown(parameter: re.Match[str]) -> str:
    name, is_given, value = parameter.groups()
    is_flag = is_given or not name or _FLAG.fullmatch(name)
    name = named(name) if is_flag and not _TOKEN.fullmatch(name) else WITHHELD
    is_telling = _TELLING.fullmatch(name) and _PLAIN_VALUE.fullmatch(value)
    return f"{name}{is_given}{value if is_telling or not value else WITHHELD}"


def requests_without_values(requests: pl.DataFrame) -> pl.DataFrame:
    """Requests whose targets show no values."""
    return _replaced(requests, "target", target_without_values)


def withheld(table: pl.DataFrame, schema: type[dy.Schema], known: "Known") -> pl.DataFrame:
    """A table without the identifiers that are known, in each column whose text is of a capture.

    Args:
        table: as its schema says.
        schema: its columns bear `said_by` in their metadata.
        known: what may not be shown.
    """
    columns = [
        name
        for name, column in schema.columns().items()
        if (column.metadata or {}).items() >= SAID_BY_CAPTURE.items()
    ]
    return without_identifiers(table, columns, known)


def without_identifiers(
    table: pl.DataFrame, columns: Sequence[str], known: "Known"
) -> pl.DataFrame:
    """A table in which texts that hold a known identifier say its kind instead.

    Of the name of a host the labels that hold it are replaced, so that who runs it stays known.
    """
    looker = known.looker
    if looker is None:
        return table

    def shown(text: str) -> str:
        found = looker.look(text.encode("utf-8", "surrogatepass"))
        if not found:
            return text
        labels = sorted({known.identifiers[one.identifier].kind for one in found})
        word = f"[{', '.join(labels)}]"
        parts = text.split(".")
        is_name = "/" not in text and " " not in text and len(parts) > 1
        held = [bool(looker.look(part.encode("utf-8", "surrogatepass"))) for part in parts]
        if not is_name or not any(held):
            return word
        return ".".join(
            word if is_held else part for part, is_held in zip(parts, held, strict=True)
        )

    for column in columns:
        table = _replaced(table, column, shown)
    return table


def _replaced(table: pl.DataFrame, column: str, change: Callable[[str], str]) -> pl.DataFrame:
    """The table with each different text of a column, or of the lists in it, changed once."""
    is_list = isinstance(table.schema[column], pl.List)
    given = table[column].explode() if is_list else table[column]
    changed = {
        text: new for text in given.drop_nulls().unique().to_list() if (new := change(text)) != text
    }
    if not changed:
        return table
    if is_list:
        return table.with_columns(pl.col(column).list.eval(pl.element().replace(changed)))
    return table.with_columns(pl.col(column).replace(changed))
