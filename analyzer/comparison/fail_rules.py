"""Rules of `--fail-on`: what a comparison must not show, for builds that end on it.

A rule speaks of what was measured, not of what is more than chance: a build that sees a new
country once shall end on it. A rule that cannot be judged is not kept.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Final

import polars as pl

from phonehome.analyzer.comparison.repetition import HOST
from phonehome.analyzer.comparison.result import Comparison
from phonehome.analyzer.flows.uploads import HOUR_NS
from phonehome.analyzer.tables import ALL_STATES, STATES
from phonehome.errors import PhonehomeError

Judge = Callable[[Comparison], list[str | None]]
"""What breaks a rule, or why it cannot be judged; nothing: it is kept. None: an unknown key."""

NEW: Final = {"new-country": "country", "new-asn": "asn", "new-host": "host"}
"""Rules of what may not be new over all states → dimension."""

UPLOAD: Final = re.compile(
    r"(?:(active|background|idle)-)?upload\s*>\s*\+?(\d{1,6}(?:\.\d{1,6})?)\s*%"
)
IMPOSSIBLE: Final = "impossible"
CLAIMS: Final = "claims"
NEW_IDENTIFIER: Final = "new-identifier"
NEW_TOKEN: Final = "new-token"  # noqa: S105 - no password
HELD: Final = ("consistent", IMPOSSIBLE)
"""Verdicts on a country that a round trip was held to."""
UNJUDGED: Final = "cannot be judged: "


class RuleError(PhonehomeError):
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


def _claims(text: str) -> Judge | None:
    """What judges `claims:FILE`; the file is read now, so that a bad one is refused at once.

    Raises:
        RuleError: it is no file of claims.
    """
    begin, _, name = text.partition(":")
    if begin != CLAIMS or not name:
        return None
    from phonehome.analyzer.claims.file import ClaimsError, read_claims  # noqa: PLC0415 - slow to import

    try:
        read_claims([Path(name)])
    except ClaimsError as error:
        raise RuleError(str(error)) from error
    return lambda comparison: contradicted(comparison, Path(name))


def contradicted(comparison: Comparison, path: Path) -> list[str | None]:
    """Claims that a repetition of the new side contradicts, each with its name.

    What cannot be told contradicts nothing: `phonehome check --strict` is for that.
    """
    from phonehome.analyzer.claims.check import claims_table  # noqa: PLC0415 - slow to import
    from phonehome.analyzer.claims.file import read_claims  # noqa: PLC0415 - the same

    stated = read_claims([path], comparison.settings["new"].idle_means)
    found: list[str | None] = []
    for part in comparison.observed["new"]:
        if part.claimed is None:
            return [f"{UNJUDGED}the tables of {part.name} are not at hand"]
        table = claims_table(part.claimed(), stated).filter(pl.col("result") == "contradicted")
        found += [f"{claim} in {part.name}" for claim in table["claim"]]
    return found


def _new_identifier(text: str) -> Judge | None:
    return new_identifiers if text == NEW_IDENTIFIER else None


def new_identifiers(comparison: Comparison) -> list[str | None]:
    """Known identifiers that the new side sent to a host to which the base did not send them.

    Finds that chance may have made count on neither side.
    """
    sent = {side: _sent_identifiers(comparison, side) for side in ("base", "new")}
    is_searched = any(
        part.settings.identifiers for parts in comparison.observed.values() for part in parts
    )
    if not is_searched and not any(sent.values()):
        return [f"{UNJUDGED}nobody said what to search for; see --identifiers"]
    return [f"{label} to {host}" for label, host in sorted(sent["new"] - sent["base"])]


def _sent_identifiers(comparison: Comparison, side: str) -> set[tuple[str, str]]:
    """Labels of identifiers that the phone sent, and the hosts that got them."""
    found: set[tuple[str, str]] = set()
    for part in comparison.observed[side]:
        if part.claimed is not None:
            table = part.claimed().frames["identifiers"]
            told = table.filter("is_up", pl.col("confidence") != "possible")
            found |= set(told.select("label", HOST.alias("host")).iter_rows())
    return found


def _new_token(text: str) -> Judge | None:
    return new_tokens if text == NEW_TOKEN else None


def new_tokens(comparison: Comparison) -> list[str | None]:
    """Fields in which a host got a stable token of the new side, and none of the base."""
    sent = {side: _sent_tokens(comparison, side) for side in ("base", "new")}
    return [f"{field} to {host}" for field, host in sorted(sent["new"] - sent["base"])]


def _sent_tokens(comparison: Comparison, side: str) -> set[tuple[str, str]]:
    """Fields that carried stable tokens, and the hosts that got them."""
    found: set[tuple[str, str]] = set()
    for part in comparison.observed[side]:
        if part.claimed is not None:
            found |= set(part.claimed().frames["tokens"].select("field", "host").iter_rows())
    return found


KINDS: Final = (
    *(Kind(name, _new) for name in NEW),
    Kind(
        f"[{'-|'.join(STATES[:-1])}-]upload>+N%",
        _upload,
    ),
    Kind(IMPOSSIBLE, _impossible),
    Kind(NEW_IDENTIFIER, _new_identifier),
    Kind(NEW_TOKEN, _new_token),
    Kind(f"{CLAIMS}:FILE", _claims),
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
