"""What the report says of known identifiers: which went to whom, how, and what stayed unseen."""

from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import IDENTIFIER_KINDS, Analysis
from phonehome.reports.words.translate import mark, number, say
from phonehome.reports.words.wording import counted, share_text

MOST_ROWS: Final = 200
_NAMED: Final = 3
_NOT_ASKED: Final = mark("Nobody said what is known of the phone: its traffic was not searched.")
_HIDDEN: Final = mark(
    "{share} of what was uploaded could be searched. The rest is encrypted, or was not captured: "
    "that nothing was found there says nothing."
)


def identifiers(analysis: Analysis) -> dict[str, Any]:
    """What the section on identifiers shows."""
    found = analysis.identifiers
    return {
        "is_searched": analysis.summary.searched_up_bytes is not None,
        "rows": found.head(MOST_ROWS).to_dicts(),
        "left_out": max(0, found.height - MOST_ROWS),
        "sentences": sentences(analysis),
        "kinds": IDENTIFIER_KINDS,
    }


def sentences(analysis: Analysis) -> list[str]:
    """What was found, one sentence per identifier, and what could not be looked into."""
    searched = analysis.summary.searched_up_bytes
    if searched is None:
        return [say(_NOT_ASKED)]
    up = analysis.identifiers.filter("is_up", pl.col("confidence") != "possible")
    said = [_sentence(label, rows) for (label,), rows in up.group_by("label", maintain_order=True)]
    total = analysis.summary.up_unique_bytes
    return [
        *(said or [say("No known identifier was found in what could be searched.")]),
        say(_HIDDEN, share=share_text(searched, total)),
    ]


def _sentence(label: object, rows: pl.DataFrame) -> str:
    """To whom one identifier went, and how much of that while idle."""
    names = rows.select(pl.coalesce("host", "remote_address"))["host"].unique(maintain_order=True)
    times = int(rows["count"].sum())
    idle = int(rows.filter(pl.col("state") == "idle")["count"].sum())
    plain = rows.filter(pl.col("encoding") == "").height
    how = (
        say("as it stands")
        if plain == rows.height
        else say("encoded")
        if not plain
        else say("partly encoded")
    )
    shown = ", ".join(names.head(_NAMED))
    if len(names) > _NAMED:
        shown = say("{names} and {more} more", names=shown, more=number(len(names) - _NAMED))
    parts = {"label": label, "often": counted(times, "time", "times"), "how": how, "names": shown}
    if idle:
        return say(
            "{label} was sent {often}, {how}, to {names}, {idle} of them while idle.",
            idle=number(idle),
            **parts,
        )
    return say("{label} was sent {often}, {how}, to {names}.", **parts)
