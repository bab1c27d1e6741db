"""What may be concluded from the answers to a claim's query, and why not more.

What is not there was not seen in these captures; that it was not sent, they cannot show. So a claim
that something is absent needs time observed, names seen and countries graded before it is called
supported; a claim that something is there is contradicted only where it says itself how long to
look.
"""

from collections.abc import Iterator
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
from phonehome.analyzer.kinds import claims as kinds
from phonehome.analyzer.kinds.statement import Statement, listed
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
    explanation: Statement
    world: World | None = None
    hidden: pl.DataFrame | None = None


def judged(asked: Asked, tables: Tables, flows: pl.DataFrame) -> Judgement:
    """The conclusion for one claim.

    Args:
        asked: its answers.
        tables: what it was asked of.
        flows: the phone's flows with public remotes that count.
    """
    measured = _measured(asked, tables)
    doubt = next(_doubts(asked, tables, flows), None)
    if doubt is not None:
        said = kinds.explained(measured, doubt.explanation)
        return Judgement(CANNOT_TELL, doubt.reason, said, doubt.world, doubt.hidden)
    if asked.holds and asked.claim.is_part:
        return Judgement(CANNOT_TELL, PART, kinds.explained(measured, kinds.ONLY_A_PART()))
    if asked.holds:
        is_lower = asked.side == LOWER
        tail = kinds.MAY_SAY_MORE() if is_lower else kinds.NEVER_IS_NOT_SHOWN()
        return Judgement(SUPPORTED, None, kinds.explained(measured, tail))
    if asked.side != LOWER:
        return Judgement(CONTRADICTED, None, measured)
    unseen = kinds.NOT_SO_MUCH_IN_TIME if _is_less(asked) else kinds.NOT_SEEN_IN_TIME
    tail = unseen(time=span_text(asked.claim.needed.total_seconds()))
    return Judgement(CONTRADICTED, None, kinds.explained(measured, tail))


def span_text(seconds: float) -> str:
    """A time in the unit people would use."""
    if seconds < 120:  # noqa: PLR2004 - two minutes are counted in minutes
        return f"{seconds:,.0f} s"
    if seconds < 7_200:  # noqa: PLR2004 - and two hours in hours
        return f"{seconds / 60:,.1f} min"
    return f"{seconds / 3_600:,.1f} h"


def found_text(answer: Answer) -> str | None:
    """The answer as text, each value once; None: nothing matched."""
    found = _found(answer)
    return None if found is None else str(found)


def _found(answer: Answer) -> Statement | None:
    """The answer, each value once; None: nothing matched."""
    found = {value for value in answer.first if value is not None}
    values = [_value_text(value) for value in sorted(found)]  # the engine keeps no order of its own
    if len(values) == 1 and not isinstance(next(iter(found)), str):
        return kinds.NUMBER(number=values[0])
    return kinds.VALUES(names=listed(values, _SHOWN)) if values else None


def _value_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)[:100]


def _measured(asked: Asked, tables: Tables) -> Statement:
    """What was tested and found, and for how long the phone was observed, in which states."""
    test, states = asked.claim.test, asked.claim.states
    parts = {
        "test": f"{test[:1].upper()}{test[1:]}",
        "found": _found(asked.answer) or kinds.NOTHING_MATCHED(),
        "expect": asked.claim.expect.text,
        "time": span_text(tables.exposure(tuple(states)) / SECOND),
    }
    if states:
        return kinds.MEASURED_STATES(states=states, **parts)
    return kinds.MEASURED(**parts)


@dataclass(frozen=True)
class _Doubt:
    reason: str
    explanation: Statement
    world: World | None = None
    hidden: pl.DataFrame | None = None


def _doubts(asked: Asked, tables: Tables, flows: pl.DataFrame) -> Iterator[_Doubt]:
    """Why it cannot be told, the weightiest reason first; nothing where it can."""
    if not flows["up_unique_bytes"].sum():
        is_of_app = tables.is_alone
        said = kinds.NO_UPLOAD(whose=tables.app) if is_of_app else kinds.NO_UPLOAD_OF_PHONE()
        yield _Doubt("nothing observed", said)
    yield from _of_states(asked, tables)
    if asked.holds is None:
        yield _Doubt("nothing observed", kinds.NO_NUMBER())
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
        yield _Doubt("phases inferred", kinds.STATES_ARE_GUESSED())
    if not tables.exposure(claim.states):
        is_known = tables.exposure(("active", "background", "idle")) > 0
        if is_known:
            yield _Doubt("nothing observed", kinds.NO_SUCH_TIME(any_of=claim.states))
        else:
            yield _Doubt("no phases known", kinds.NO_STATES())


def _of_absence(asked: Asked, tables: Tables, flows: pl.DataFrame) -> Iterator[_Doubt]:
    """Why what was not seen may have been there all the same, or a rate may be another."""
    claim = asked.claim
    needed = claim.needed.total_seconds()
    if tables.exposure(claim.states) / SECOND < needed:
        yield _Doubt("too little time", kinds.TOO_LITTLE_TIME(time=span_text(needed)))
    if tables.is_damaged:
        yield _Doubt("input damaged", kinds.INPUT_DAMAGED())
    unread = tables.frames["ledger"].filter(pl.col("outcome") == "limit")["packets"].sum()
    if unread:
        yield _Doubt("input damaged", kinds.LEFT_OUT(count=unread))
    yield from _hidden(asked, flows)
    for answer, reason, words in asked.unless:
        if answer.first:
            what = f"{words[:1].upper()}{words[1:]}"
            yield _Doubt(reason, kinds.UNLESS(what=what, found=_found(answer) or "None"))
    if claim.is_of_app and not (tables.is_alone or tables.is_app_alone):
        yield _Doubt(APPS, kinds.NOTHING_SAYS_IT_SENT())
    if asked.side == LOWER and not claim.is_needed_stated:
        yield _Doubt("not seen", kinds.NOT_SO_MUCH() if _is_less(asked) else kinds.NOT_SEEN())


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
            said = kinds.NAMES_HIDDEN(amount=_amount(unknown))
            yield _Doubt(NAMES, said, hidden=unknown)
    if (
        is_by_owner(query)
        and not (unknown := sent.filter(pl.col("organisation").is_null())).is_empty()
    ):
        yield _Doubt(NAMES, kinds.OWNER_UNKNOWN(amount=_amount(unknown)), hidden=unknown)
    is_by_network = bool(query.names & {"asn", "as_org"})
    if is_by_network and not (unknown := sent.filter(pl.col("asn").is_null())).is_empty():
        said = kinds.NETWORK_UNKNOWN(amount=_amount(unknown))
        yield _Doubt("network unknown", said, hidden=unknown)


def _is_less(asked: Asked) -> bool:
    """Whether something was seen, and not so much as was asked for."""
    return any(isinstance(value, int | float) and value for value in asked.answer.first)


def _amount(flows: pl.DataFrame) -> Statement:
    went_up = kinds.WENT_UP if flows.height == 1 else kinds.WENT_UP_MANY
    return went_up(bytes=int(flows["up_unique_bytes"].sum()), count=flows.height)


def _otherwise(asked: Asked, world: World, answer: Answer, tables: Tables) -> Statement:
    """What the result would be if what is doubtful were otherwise."""
    found = _found(answer) or kinds.THAT_NOTHING_MATCHED()
    if world.doubt == LOCATION:
        kind = kinds.ELSEWHERE_ABSENT if world.is_of_absence else kinds.ELSEWHERE
        return kind(verdicts=asked.claim.verdicts, found=found)
    if world.doubt == NAMES:
        return kinds.OTHER_NAMES(found=found)
    assert world.doubt == APPS  # noqa: S101 - the last of three
    if tables.is_alone:
        return kinds.OWNERS_TOO(app=tables.app, found=found)
    if tables.app is None:
        return kinds.NO_APP_NAMED(found=found)
    return kinds.NOTHING_OF_THE_APP(app=tables.app, found=found)
