"""What was found of claims as Markdown, to paste into an issue, a job's summary or an e-mail."""

import re
from typing import Any, Final

import polars as pl

from phonehome.reports.claims.words import paragraphs, result_text, sums_sentence
from phonehome.reports.words.escape import shortened, visible

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&@:])")
_LONGEST: Final = 400


def markdown(claims: pl.DataFrame) -> bytes:
    """The content of the file, UTF-8: a table of all claims, then each with what stands behind."""
    rows = claims.to_dicts()
    lines = [
        "# Claims",
        "",
        plain(sums_sentence(claims)),
        "",
        "| claim | sentence | result |",
        "|---|---|---|",
        *(
            f"| {plain(row['claim'])} | {plain(shortened(row['sentence'], _LONGEST))} "
            f"| **{plain(result_text(row))}** |"
            for row in rows
        ),
    ]
    for row in rows:
        lines += ["", f"## {plain(row['claim'])}", "", f"> {plain(row['sentence'])}", ""]
        lines += [_item(name, text, row) for name, text in paragraphs(row)]
    return ("\n".join(lines) + "\n").encode()


def plain(text: str) -> str:
    """The text with nothing in it that Markdown, or a page made of it, takes for a sign."""
    return _SPECIAL.sub(r"\\\1", " ".join(visible(text).split()))


def _item(name: str, text: str, row: dict[str, Any]) -> str:
    is_code = name in {"Display filter", "Query"}
    said = _code(row["query"]) + f", {plain(row['expect'])} expected" if name == "Query" else ""
    return f"- {name}: {said or (_code(text) if is_code else plain(text))}"


def _code(text: str) -> str:
    """The text as code, between more backticks than it holds in a row."""
    shown = " ".join(visible(text).split())
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest else f"{fence}{shown}{fence}"
