"""What was found of claims, for people and as JSON on standard output."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from phonehome.reports.words.escape import terminal
from phonehome.reports.words.json_text import rows
from phonehome.reports.words.translate import number, say, told
from phonehome.reports.words.version import version
from phonehome.reports.words.wording import counted

if TYPE_CHECKING:
    from rich.console import Console

MARKS: Final = {"supported": "good", "contradicted": "bad", "cannot tell": "warn"}
"""How the page colours a result; the word stands beside it."""

_STYLES: Final = {"supported": "green", "contradicted": "red", "cannot tell": "yellow"}


def counts(claims: pl.DataFrame) -> dict[str, int]:
    """How many claims have each result; every result has a key."""
    found = dict(claims.group_by("result").len().iter_rows())
    return {result: int(found.get(result, 0)) for result in MARKS}


def sums_sentence(claims: pl.DataFrame) -> str:
    """How many claims were tested, and what came of them."""
    if claims.is_empty():
        return say("No claim was tested.")
    said = ", ".join(
        f"{number(count)} {told(result)}" for result, count in counts(claims).items() if count
    )
    tested = counted(claims.height, "claim", "claims")
    return f"{tested}: {said}."


def is_failed(claims: pl.DataFrame, *, is_strict: bool) -> bool:
    """Whether one is contradicted, or strictly one cannot be told."""
    found = counts(claims)
    return bool(found["contradicted"] or (is_strict and found["cannot tell"]))


def result_text(row: dict[str, Any]) -> str:
    """The result of a row, with the kind of doubt where there is one."""
    return row["result"] if row["reason"] is None else f"{row['result']}: {row['reason']}"


def source_text(row: dict[str, Any]) -> str:
    """Who published the sentence of a row, and when."""
    source, day = row["source"], row["source_date"]
    return source if day is None or day in source else f"{source}, {day}"


def paragraphs(row: dict[str, Any]) -> list[tuple[str, str]]:
    """All that is to be said of a row below its sentence, by what it is, in order."""
    parts = [
        ("Result", f"{result_text(row)}. {row['explanation']}"),
        *(("Note", remark) for remark in row["remarks"]),
        ("A capture can show", row["can_show"]),
        ("A capture cannot show", row["cannot_show"]),
        ("Display filter", row["display_filter"]),
        ("Query", f"{row['query']} (expected: {row['expect']})"),
        ("Source", source_text(row) + (f", {row['source_url']}" if row["source_url"] else "")),
    ]
    return [(name, text) for name, text in parts if text]


def summary(claims: pl.DataFrame, console: "Console") -> None:
    """Each claim with its result on the console, in at most 80 columns where it is that narrow."""
    from rich.table import Table  # noqa: PLC0415  # slow to import
    from rich.text import Text  # noqa: PLC0415  # the same

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in claims.iter_rows(named=True):
        table.add_row(
            Text(row["result"], style=_STYLES[row["result"]]),
            Text(terminal(f"{row['claim']}: {row['sentence']}"), style="bold"),
        )
        for text in _below(row):
            table.add_row("", Text(terminal(text)))
    console.print(table)
    for line in (sums_sentence(claims), *shared_remarks(claims)):
        console.print(Text(terminal(line)))


def shared_remarks(claims: pl.DataFrame) -> list[str]:
    """The remarks that hold for every claim, as whose traffic counts."""
    of_claims = claims["remarks"].to_list()
    return (
        [one for one in of_claims[0] if all(one in each for each in of_claims)] if of_claims else []
    )


def _below(row: dict[str, Any]) -> Iterable[str]:
    doubt = f"{row['reason']}. " if row["reason"] else ""
    yield doubt[:1].upper() + doubt[1:] + row["explanation"]
    if row["display_filter"] is not None:
        yield f"Display filter: {row['display_filter']}"
    if row["cannot_show"] is not None:
        yield f"A capture cannot show: {row['cannot_show']}"


def summary_json(claims: pl.DataFrame, *, is_failed: bool) -> str:
    """The claims as one object of JSON, for `--json`: counts, whether the check failed, rows."""
    head = {"phonehome": version(), "is_failed": is_failed, "results": counts(claims)}
    content = b"".join(rows(claims)).decode()
    return f'{json.dumps(head, separators=(",", ":"))[:-1]},"claims":[{content}]}}'


def section(claims: pl.DataFrame) -> dict[str, Any]:
    """What the page shows of claims: how many, and each with its mark; no rows: no claim."""
    return {
        "sums": sums_sentence(claims),
        "shared": shared_remarks(claims),
        "rows": [
            row | {"mark": MARKS[row["result"]], "published": source_text(row)}
            for row in claims.to_dicts()
        ],
    }
