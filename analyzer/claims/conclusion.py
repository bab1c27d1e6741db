"""What may be concluded from the answers to a claim's query, and why not more.

What is not there was not seen in these captures; that it was not sent, they cannot show. So a claim
that something is absent needs time observed, names seen and countries graded before it is called
supported; a claim that something is there is contradicted only where it says itself how long to
look.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from phonehome.analyzer.claims.ask import Answer
from phonehome.analyzer.claims.expectation import EXACT, LOWER, UPPER
from phonehome.analyzer.claims.file import Claim
from phonehome.analyzer.claims.possible_worlds import (
    APPS,
    LOCATION,
    NAMES,
    World,
    is_by_name,
    is_by_owner,
    unsure_name,
)
from phonehome.analyzer.claims.tables import Tables
from phonehome.analyzer.timeline.spans import INFERRED
from phonehome.captures.words import SECOND

SUPPORTED: Final = "supported"
CONTRADICTED: Final = "contradicted"
CANNOT_TELL: Final = "cannot tell"

PART: Final = "only a part"

_READABLE: Final = ("dns",)
"""Services whose servers have no name in a capture, and that are read whole."""

_SHOWN: Final = 20


@dataclass(frozen=True)
class Asked:
    """A claim with all answers: as found, in each other world, and to what `unless` asks."""

    claim: Claim
    answer: Answer
    holds: bool | None
    elsewhere: tuple[tuple[World, Answer, bool | None], ...]
    unless: tuple[tuple[Answer, str, str], ...]

    @property
    def side(self) -> str:
        """Which way more traffic could change the result: a rate or a share changes both ways."""
        is_count = self.answer.is_integer or self.claim.expect.word not in {"<", "<=", ">", ">="}
        return self.claim.expect.side if is_count else EXACT


@dataclass(frozen=True)
class Judgement:
    """What is concluded.

    Attributes:
        result: one of `tables.RESULTS`.
        reason: kind of doubt; None: none.
        explanation: why, in sentences with numbers.
        world: the world whose flows are concerned; None: the tables as found.
        hidden: flows concerned that no query finds; None: those of the query.
    """

    result: str
    reason: str | None
    explanation: str
    world: World | None = None
    hidden: pl.DataFrame | None = None


def judged(asked: Asked, tables: Tables, flows: pl.DataFrame) -> Judgement:
    """The conclusion for one claim.

    Args:
        asked: its answers.
        tables: what it was asked of.
        flows: the phone's flows with public remotes that count.
    """
    measured = f"{_measured(asked)}, in {observed_text(tables, asked.claim.states)}."
    doubt = next(_doubts(asked, tables, flows), None)
    if doubt is not None:
        return Judgement(
            CANNOT_TELL, doubt.reason, f"{measured} {doubt.explanation}", doubt.world, doubt.hidden
        )
    if asked.holds and asked.claim.is_part:
        return Judgement(
            CANNOT_TELL,
            PART,
            f"{measured} What was tested holds, and is only a part of what the sentence says.",
        )
    if asked.holds:
        tail = " That is what was tested; the sentence may say more." if asked.side == LOWER else (
            " This is what these captures show of the time they cover; it does not show that it "
            "never happens."
        )  # fmt: skip
        return Judgement(SUPPORTED, None, measured + tail)
    tail = "" if asked.side != LOWER else (
        f" {_unseen(asked)} not seen in these captures, and the claim asks to see it within "
        f"{span_text(asked.claim.needed.total_seconds())}."
    )  # fmt: skip
    return Judgement(CONTRADICTED, None, measured + tail)


def span_text(seconds: float) -> str:
    """A time in the unit people would use."""
    if seconds < 120:  # noqa: PLR2004 - two minutes are counted in minutes
        return f"{seconds:,.0f} s"
    if seconds < 7_200:  # noqa: PLR2004 - and two hours in hours
        return f"{seconds / 60:,.1f} min"
    return f"{seconds / 3_600:,.1f} h"


def observed_text(tables: Tables, states: Sequence[str]) -> str:
    """How long was observed, in which states."""
    time = span_text(tables.exposure(tuple(states)) / SECOND)
    return f"{time} of {' and '.join(states)} time observed" if states else f"{time} observed"


def found_text(answer: Answer) -> str | None:
    """The answer as text, each value once; None: nothing matched."""
    found = {value for value in answer.first if value is not None}
    values = [_value_text(value) for value in sorted(found)]  # the engine keeps no order of its own
    more = f" and {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else ""
    return f"{', '.join(values[:_SHOWN])}{more}" if values else None


def _value_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)[:100]


def _measured(asked: Asked) -> str:
    found = found_text(asked.answer)
    test = asked.claim.test
    shown = found if found is not None else "nothing matched"
    return f"{test[:1].upper()}{test[1:]}: {shown} (expected: {asked.claim.expect.text})"


@dataclass(frozen=True)
class _Doubt:
    reason: str
    explanation: str
    world: World | None = None
    hidden: pl.DataFrame | None = None


def _doubts(asked: Asked, tables: Tables, flows: pl.DataFrame) -> Iterator[_Doubt]:
    """Why it cannot be told, the weightiest reason first; nothing where it can."""
    if not flows["up_unique_bytes"].sum():
        whose = tables.app if tables.is_alone else "the phone"
        yield _Doubt("nothing observed", f"No upload of {whose} was seen in these captures at all.")
    yield from _of_states(asked, tables)
    if asked.holds is None:
        yield _Doubt("nothing observed", "Nothing matched the query, so there is no number.")
    is_shown = asked.side == (LOWER if asked.holds else UPPER)
    if not is_shown:
        yield from _of_absence(asked, tables, flows)
    for world, answer, holds in asked.elsewhere:
        if holds != asked.holds and not (is_shown and world.is_of_absence):
            yield _Doubt(world.doubt, _otherwise(asked, world, answer, tables), world)


def _of_states(asked: Asked, tables: Tables) -> Iterator[_Doubt]:
    """The phone's state may be unknown, or a guess."""
    claim, phases = asked.claim, tables.frames["phases"]
    if not claim.states or set(claim.states) == {"unknown"}:
        return
    if not claim.is_inferred_enough and (phases["source"] == INFERRED).any():
        yield _Doubt(
            "phases inferred",
            "When the phone was in use was inferred from its traffic: no log says it, and a guess "
            "neither supports nor contradicts a claim about it.",
        )
    if not tables.exposure(claim.states):
        is_known = tables.exposure(("active", "background", "idle")) > 0
        words = " or ".join(claim.states)
        yield _Doubt(
            "nothing observed" if is_known else "no phases known",
            f"No {words} time lies in these captures."
            if is_known
            else "Nothing says when the phone was in use: a timeline or a log of it does "
            "(--timeline).",
        )


def _of_absence(asked: Asked, tables: Tables, flows: pl.DataFrame) -> Iterator[_Doubt]:
    """Why what was not seen may have been there all the same, or a rate may be another."""
    claim = asked.claim
    needed = claim.needed.total_seconds()
    if tables.exposure(claim.states) / SECOND < needed:
        yield _Doubt(
            "too little time",
            f"The claim takes {span_text(needed)} of it to be told; what was not seen in less may "
            "come later.",
        )
    if tables.is_damaged:
        yield _Doubt(
            "input damaged", "Part of the input could not be read, and may hold what is asked for."
        )
    unread = tables.frames["ledger"].filter(pl.col("outcome") == "limit")["packets"].sum()
    if unread:
        yield _Doubt("input damaged", f"{unread:,} packets were left out by a limit.")
    yield from _hidden(asked, flows)
    for answer, reason, words in asked.unless:
        if answer.first:
            yield _Doubt(reason, f"{words[:1].upper()}{words[1:]}: {found_text(answer)}.")
    if claim.is_of_app and not (tables.is_alone or tables.is_app_alone):
        yield _Doubt(
            APPS,
            "The sentence is about an app, and nothing says that it sent anything here: what was "
            "not seen may be missing because the app is. --app-alone says that it is the one.",
        )
    if asked.side == LOWER and not claim.is_needed_stated:
        yield _Doubt(
            "not seen",
            f"{_unseen(asked)} not seen in these captures; the claim does not say how long to look "
            "for it, so that contradicts nothing.",
        )


def _hidden(asked: Asked, flows: pl.DataFrame) -> Iterator[_Doubt]:
    """Uploads to remotes of which the capture does not say what the claim asks for."""
    query = asked.claim.query
    sent = flows.filter(
        pl.col("up_unique_bytes") > 0, ~pl.col("service").is_in(_READABLE).fill_null(value=False)
    )
    if is_by_name(query):
        is_unsure = pl.col("host").is_null() | unsure_name()
        unknown = sent.filter(is_unsure)
        if not unknown.is_empty():
            yield _Doubt(
                NAMES,
                f"{_amount(unknown)} to addresses whose name was not seen, or may be another "
                "(several names, or Encrypted Client Hello): any of them may be what is asked for.",
                hidden=unknown,
            )
    if (
        is_by_owner(query)
        and not (unknown := sent.filter(pl.col("organisation").is_null())).is_empty()
    ):
        yield _Doubt(
            NAMES,
            f"{_amount(unknown)} to hosts of which no table says who runs them.",
            hidden=unknown,
        )
    is_by_network = bool(query.names & {"asn", "as_org"})
    if is_by_network and not (unknown := sent.filter(pl.col("asn").is_null())).is_empty():
        yield _Doubt(
            "network unknown",
            f"{_amount(unknown)} to addresses whose network no database knows.",
            hidden=unknown,
        )


def _unseen(asked: Asked) -> str:
    """The subject of what was not seen: nothing of it, or not so much."""
    is_less = any(isinstance(value, int | float) and value for value in asked.answer.first)
    return "So much was" if is_less else "It was"


def _amount(flows: pl.DataFrame) -> str:
    count = flows.height
    sent = int(flows["up_unique_bytes"].sum())
    return f"{sent:,} bytes went up in {count:,} flow{'' if count == 1 else 's'}"


def _otherwise(asked: Asked, world: World, answer: Answer, tables: Tables) -> str:
    """What the result would be if what is doubtful were otherwise."""
    found = found_text(answer)
    then = f"the answer would be {found if found is not None else 'that nothing matched'}"
    if world.doubt == LOCATION:
        verdicts = " or ".join(asked.claim.verdicts)
        if world.is_of_absence:
            return (
                f"The claim accepts countries that are {verdicts}, but what was not seen counts as "
                f"absent only if no database sees it: were the addresses where another one says, "
                f"{then}."
            )
        return (
            f"The claim counts only countries that are {verdicts}. Were addresses without such a "
            f"verdict elsewhere than the first database says, {then}."
        )
    if world.doubt == NAMES:
        return f"Without names that may be another (several, or a cover), {then}."
    assert world.doubt == APPS  # noqa: S101 - the last of three
    if tables.is_alone:
        return f"Were the flows without a known owner those of {tables.app} too, {then}."
    if tables.app is None:
        return (
            f"The sentence is about an app, and all traffic of the phone counts, whichever app "
            f"sent it. Were nothing of it that app's, {then}. --app names the app, and --app-alone "
            "says that no other one sent anything."
        )
    return (
        f"The captures do not say which app owns a flow. Were nothing of it sent by {tables.app}, "
        f"{then}. --app-alone says that no other app sent anything."
    )
