"""What the report says of stable tokens: values that nobody listed, and who got them."""

from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import Analysis
from phonehome.reports.words.escape import shortened
from phonehome.reports.words.translate import mark, number, say
from phonehome.reports.words.wording import counted

MOST_ROWS: Final = 200
MOST_SENTENCES: Final = 10
_NAMED: Final = 3
_LONGEST: Final = 60
FORMS: Final = {
    "uuid": mark("a UUID"),
    "hex": mark("{length} hexadecimal digits"),
    "decimal": mark("{length} decimal digits"),
    "base64": mark("{length} characters of base64"),
    "jwt": mark("a JSON Web Token of {length} characters"),
}


def tokens(analysis: Analysis) -> dict[str, Any]:
    """What the section on stable tokens shows."""
    found = analysis.tokens
    shown = [
        row | {"written": written(row["form"], row["length"])}
        for row in found.head(MOST_ROWS).to_dicts()
    ]
    return {
        "rows": shown,
        "left_out": max(0, found.height - MOST_ROWS),
        "sentences": sentences(analysis),
    }


def written(form: str, length: int) -> str:
    """With what a token is written."""
    return say(FORMS[form], length=number(length))


def sentences(analysis: Analysis) -> list[str]:
    """One sentence per token, those first that most hosts got; none where there is none."""
    per_token = analysis.tokens.group_by("token", maintain_order=True)
    said = [_sentence(number_of, rows) for (number_of,), rows in per_token]
    left = len(said) - MOST_SENTENCES
    more = [say("{count} more stable tokens.", count=number(left))] if left > 0 else []
    return said[:MOST_SENTENCES] + more


def _sentence(number_of: object, rows: pl.DataFrame) -> str:
    """How often one token was sent, and to whom."""
    first = rows.row(0, named=True)
    names = rows["host"].unique(maintain_order=True)
    shown = ", ".join(shortened(name, _LONGEST) for name in names.head(_NAMED))
    if len(names) > _NAMED:
        shown = say("{names} and {more} more", names=shown, more=number(len(names) - _NAMED))
    parts = {
        "token": str(number_of),
        "written": written(first["form"], first["length"]),
        "requests": counted(first["token_requests"], "request", "requests"),
        "hosts": counted(first["token_hosts"], "host", "hosts"),
        "names": shown,
    }
    if idle := first["token_idle_requests"]:
        return say(
            "Stable token {token}, {written}: {requests} to {hosts} ({names}), {idle} of them "
            "while idle.",
            idle=number(idle),
            **parts,
        )
    return say("Stable token {token}, {written}: {requests} to {hosts} ({names}).", **parts)
