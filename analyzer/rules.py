"""Rules of `--fail-on`: what a comparison must not show, for builds that end on it.

A rule speaks of what was measured, not of what is more than chance: a build that sees a new
country once shall end on it. A rule that cannot be judged is not kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from typing import Final

import polars as pl

from analyzer.tables import ALL_STATES, STATES, Comparison
from analyzer.uploads import HOUR_NS

Judge = Callable[[Comparison], list[str | None]]
"""What breaks a rule, or why it cannot be judged; nothing: it is kept. None: an unknown key."""

NEW: Final = {"new-country": "country", "new-asn": "asn", "new-host": "host"}
"""Rules of what may not be new over all states → dimension."""

UPLOAD: Final = re.compile(
    r"(?:(active|background|idle)-)?upload\s*>\s*\+?(\d{1,6}(?:\.\d{1,6})?)\s*%"
)
IMPOSSIBLE: Final = "impossible"
HELD: Final = ("consistent", IMPOSSIBLE)
"""Verdicts on a country that a round trip was held to."""
UNJUDGED: Final = "cannot be judged: "


class RuleError(ValueError):
    """A rule that nobody knows."""


@dataclass(frozen=True)
class Rule:
    """A rule as it was written, and what judges it."""

    text: str
    judge: Judge


@dataclass(frozen=True)
class Kind:
    """A kind of rule: how it is written, for people, and what reads it.

    `read` gives what judges a text, or None where the text is of another kind.
    """

    form: str
    read: Callable[[str], Judge | None]


def _new(text: str) -> Judge | None:
    dimension = NEW.get(text)
    return None if dimension is None else lambda comparison: new_keys(comparison, dimension)


def new_keys(comparison: Comparison, dimension: str) -> list[str | None]:
    """The keys of a dimension that are new over all states."""
    return comparison.changes.filter(
        pl.col("dimension") == dimension,
        pl.col("state") == ALL_STATES,
        pl.col("change") == "new",
    )["key"].to_list()


def _upload(text: str) -> Judge | None:
    found = UPLOAD.fullmatch(text)
    if not found:
        return None
    state, percent = found[1] or ALL_STATES, float(found[2])
    return lambda comparison: grown(comparison, state, percent)


def grown(comparison: Comparison, state: str, percent: float) -> list[str | None]:
    """Both rates of a state, where the new one is more than so many percent above the base."""
    sums = (
        comparison.exposures.filter(pl.col("state") == state)
        .group_by("side")
        .agg(pl.col("exposure").sum().dt.total_nanoseconds(), pl.col("up_unique_bytes").sum())
    )
    known = {side: (time, up) for side, time, up in sums.iter_rows()}
    blind = [side for side in ("base", "new") if not known[side][0]]
    if blind:
        what = "time" if state == ALL_STATES else f"{state} time"
        return [f"{UNJUDGED}{' and '.join(blind)} observed no {what}"]
    base, new = (up * HOUR_NS / time for time, up in (known["base"], known["new"]))
    growth = 100 * (new / base - 1) if base else inf if new else 0.0
    if growth <= percent:
        return []
    size = f"+{growth:,.1f}%" if isfinite(growth) else "from nothing"
    return [f"{base:,.0f} to {new:,.0f} bytes/h, {size}"]


def _impossible(text: str) -> Judge | None:
    return impossible if text == IMPOSSIBLE else None


def impossible(comparison: Comparison) -> list[str | None]:
    """Destinations of the new side whose country a round trip excludes."""
    places = comparison.places["new"]
    if not places.is_empty() and not places["verdict"].is_in(HELD).any():
        return [f"{UNJUDGED}no country on new was held to a round trip; see --phone-location"]
    found = places.filter(pl.col("verdict") == IMPOSSIBLE).sort("address")
    return [
        f"{address} in {country}"
        for address, country in found.select("address", "country").iter_rows()
    ]


KINDS: Final = (
    *(Kind(name, _new) for name in NEW),
    Kind(
        f"[{'-|'.join(STATES[:-1])}-]upload>+N%",
        _upload,
    ),
    Kind(IMPOSSIBLE, _impossible),
)
"""All kinds of rules. Another kind is one more entry: how it is written, and what reads it."""


def read_rule(text: str) -> Rule:
    """The rule that a text is.

    Raises:
        RuleError: no kind of rule is written so; the message names all.
    """
    judges = (kind.read(text.strip()) for kind in KINDS)
    judge = next((found for found in judges if found is not None), None)
    if judge is None:
        raise RuleError(
            f"{text!r}: expected one of {', '.join(kind.form for kind in KINDS)}, for example "
            "'idle-upload>+20%'"
        )
    return Rule(text.strip(), judge)
