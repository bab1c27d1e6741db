"""Claims: stated sentences, each tested by a query over the tables of an analysis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import dataframely as dy
import polars as pl

from phonehome.analyzer.claims.ask import Answer, Job, answers
from phonehome.analyzer.claims.conclusion import PART, Asked, Judgement, found_text, judged
from phonehome.analyzer.claims.expectation import ExpectationError
from phonehome.analyzer.claims.file import Claim, ClaimsError
from phonehome.analyzer.claims.possible_worlds import (
    LOCATION,
    Columns,
    World,
    as_found,
    is_by_country,
    phone_tables,
    worlds,
)
from phonehome.analyzer.claims.query_text import Query, QueryError
from phonehome.analyzer.claims.remarks import remarks
from phonehome.analyzer.claims.tables import Tables, tables_of
from phonehome.analyzer.display_filters import flows_filter
from phonehome.analyzer.kinds.claims import (
    BY_VERDICT,
    CONCERNED,
    CONCERNED_AND_MORE,
    COUNTRY,
    OF_VERDICT,
    PLACE,
    PLACE_AND_REASON,
    explained,
)
from phonehome.analyzer.kinds.statement import Statement, kept
from phonehome.analyzer.tables import Analysis, Claims

MOST_FLOWS: Final = 100
MOST_PLACES: Final = 3
_KEYS: Final = ("remote_address", "host", "app")


@dataclass(frozen=True)
class _Questions:
    """What one claim asks: places in the list of all jobs."""

    claim: Claim
    worlds: tuple[World, ...]
    jobs: tuple[Job, ...]
    evidence: Query | None


def with_claims(analysis: Analysis, stated: Sequence[Claim]) -> Analysis:
    """The analysis with these claims tested on it.

    Raises:
        ClaimsError: a query could not be answered.
    """
    if not stated:
        return analysis
    return replace(analysis, claims=claims_table(tables_of(analysis), stated))


def claims_table(tables: Tables, stated: Sequence[Claim]) -> dy.DataFrame[Claims]:
    """One row per claim, in their order.

    Raises:
        ClaimsError: a query could not be answered, or its answer is not of the kind expected.
    """
    base = as_found(tables)
    questions = [_questions(claim, tables, base) for claim in stated]
    jobs = [job for question in questions for job in question.jobs]
    named = {name for question in questions for name in _tables_of(question)}
    frames = phone_tables(tables)
    try:
        found = answers({name: frames[name] for name in sorted(named)}, jobs)
    except QueryError as error:
        raise ClaimsError(str(error)) from error
    counted = _counted(tables)
    rows = []
    for question in questions:
        said, found = found[: len(question.jobs)], found[len(question.jobs) :]
        rows.append(_row(question, said, tables, counted))
    return Claims.validate(pl.DataFrame(rows, schema=Claims.create_empty().schema))


def _questions(claim: Claim, tables: Tables, base: Columns) -> _Questions:
    """The query as found and in each other world, then its evidence in all, then `unless`."""
    elsewhere = tuple(worlds(tables, claim))
    evidence = claim.evidence or _evidence(claim)
    everywhere = [base, *(world.columns for world in elsewhere)]
    where = f"{claim.file}: claim {claim.id}"

    def job(what: str, asked: Query, columns: Columns) -> Job:
        kept = {name: columns[name] for name in sorted(asked.tables) if name in columns}
        return Job(where, what, asked.sql, kept)

    return _Questions(
        claim,
        elsewhere,
        (
            *(job("query", claim.query, columns) for columns in everywhere),
            *(job("evidence", evidence, columns) for columns in everywhere if evidence),
            *(job("unless", asked, base) for asked, _, _ in claim.unless),
        ),
        evidence,
    )


def _evidence(claim: Claim) -> Query | None:
    """The query for the flows that a plain query is about; None: it is not plain."""
    word, wanted = claim.expect.word, ", ".join(map(_literal, claim.expect.wanted))
    conditions = {
        "contains": f"{{}} IN ({wanted})",
        "not contains": f"{{}} IN ({wanted})",
        "only": f"{{}} NOT IN ({wanted})",
    }
    sql = claim.query.rows(conditions.get(word, ""))
    return replace(claim.query, sql=sql) if sql else None


def _literal(value: float | str) -> str:
    if isinstance(value, str):
        return "'{}'".format(value.replace("'", "''"))
    return repr(value)


def _tables_of(question: _Questions) -> Iterable[str]:
    claim = question.claim
    asked = [claim.query, *(query for query, _, _ in claim.unless)]
    return {name for query in asked for name in query.tables} | (
        question.evidence.tables if question.evidence else set()
    )


def _counted(tables: Tables) -> pl.DataFrame:
    """The phone's flows with public remotes; of the app alone, where captures name apps."""
    flows = tables.frames["flows"].filter(pl.col("role") == "phone")
    return flows.filter(pl.col("app") == tables.app) if tables.is_alone else flows


def _row(
    question: _Questions, said: Sequence[Answer], tables: Tables, counted: pl.DataFrame
) -> dict[str, Any]:
    claim, count = question.claim, len(question.worlds) + 1
    answer, *others = said[:count]
    shown = said[count : 2 * count] if question.evidence else said[:count]
    unless = said[len(said) - len(claim.unless) :]
    asked = Asked(
        claim,
        answer,
        _holds(claim, answer),
        tuple(
            (world, other, _holds(claim, other))
            for world, other in zip(question.worlds, others, strict=True)
        ),
        tuple(
            (found, reason, words)
            for found, (_, reason, words) in zip(unless, claim.unless, strict=True)
        ),
    )
    judgement = judged(asked, tables, counted)
    flows = _concerned(question, judgement, shown, tables)
    return _described(claim, tables) | {
        "found": found_text(answer),
        "result": judgement.result,
        "reason": judgement.reason,
        "explanation": str(
            explained(
                judgement.explanation,
                _whereabouts(judgement, flows, tables),
                _by_verdict(claim, judgement, flows, tables),
            )
        ),
        "up_unique_bytes": int(flows["up_unique_bytes"].sum()),
        "flow_count": flows.height,
        "flows": flows["flow"].head(MOST_FLOWS).to_list(),
        "display_filter": flows_filter(flows, tables.frames["flows"]),
    }


def _holds(claim: Claim, answer: Answer) -> bool | None:
    try:
        return claim.expect.holds(answer.first)
    except ExpectationError as error:
        raise ClaimsError(f"{claim.file}: claim {claim.id}: query: {error}") from error


def _described(claim: Claim, tables: Tables) -> dict[str, Any]:
    """What the file says, and what holds whichever the answer is."""
    return {
        "claim": claim.id,
        "file": claim.file,
        "sentence": claim.sentence,
        "source": claim.source,
        "source_date": claim.source_date,
        "source_url": claim.source_url,
        "test": claim.test,
        "can_show": claim.can_show,
        "cannot_show": claim.cannot_show,
        "query": claim.query.sql,
        "expect": claim.expect.text,
        "remarks": list(map(str, remarks(claim, tables))),
        "verdicts": list(claim.verdicts) if is_by_country(claim.query) else None,
        "states": list(claim.states),
        "exposure": timedelta(microseconds=tables.exposure(claim.states) // 1_000),
        "needed_exposure": claim.needed,
    }


def _concerned(
    question: _Questions, judgement: Judgement, shown: Sequence[Answer], tables: Tables
) -> pl.DataFrame:
    """The flows that the result is about, most bytes first."""
    flows = tables.frames["flows"].filter(pl.col("role") != "bystander")
    if judgement.hidden is not None:
        concerned = judgement.hidden
    else:
        place = 0 if judgement.world is None else 1 + question.worlds.index(judgement.world)
        concerned = _of_answer(flows, shown[place])
        if judgement.world is not None and concerned.is_empty():
            concerned = _of_answer(flows, shown[0])
    return concerned.sort(-pl.col("up_unique_bytes"), "flow")


def _of_answer(flows: pl.DataFrame, answer: Answer) -> pl.DataFrame:
    """The flows that an answer names by number, or by address, host and app."""
    named = dict(zip(answer.columns, answer.values, strict=False))
    if "flow" in named:
        numbers = pl.Series(named["flow"], dtype=pl.Int64, strict=False).drop_nulls().unique()
        return flows.filter(pl.col("flow").is_in(numbers.implode()), pl.col("up_packets") > 0)
    keys = [key for key in _KEYS if key in named]
    if "remote_address" not in keys:
        return flows.clear()
    rows = pl.DataFrame({key: named[key] for key in keys}, schema=dict.fromkeys(keys, pl.String))
    return flows.filter(pl.col("up_unique_bytes") > 0).join(
        rows.unique(), on=keys, how="semi", nulls_equal=True
    )


def _whereabouts(judgement: Judgement, flows: pl.DataFrame, tables: Tables) -> Statement | None:
    """Which addresses make a location doubtful, and what is known of them."""
    if judgement.reason != LOCATION or flows.is_empty():
        return None
    sums = flows.group_by("remote_address").agg(pl.col("up_unique_bytes").sum())
    rows = (
        sums.join(tables.frames["places"], left_on="remote_address", right_on="address")
        .sort(-pl.col("up_unique_bytes"), "remote_address")
        .to_dicts()
    )
    said = [_place(row) for row in rows[:MOST_PLACES]]
    if not rows[MOST_PLACES:]:
        return CONCERNED(parts=said)
    return CONCERNED_AND_MORE(parts=said, count=len(rows) - MOST_PLACES)


def _place(row: dict[str, Any]) -> Statement:
    """An address, what it got, and what is known of where it is."""
    parts = {
        "address": row["remote_address"],
        "bytes": row["up_unique_bytes"],
        "place": COUNTRY(country=row["country"]) if row["country"] else "no country",
        "verdict": row["verdict"] or "no verdict",
    }
    if not row["reason"]:
        return PLACE(**parts)
    return PLACE_AND_REASON(reason=kept(row["reason"]), **parts)


def _by_verdict(
    claim: Claim, judgement: Judgement, flows: pl.DataFrame, tables: Tables
) -> Statement | None:
    """How sure the countries are that a told result rests on; None: it rests on none."""
    is_told = judgement.reason in {None, PART} and not flows.is_empty()
    if not is_told or not is_by_country(claim.query):
        return None
    verdicts = tables.frames["places"].select(remote_address="address", verdict="verdict")
    sums = (
        flows.join(verdicts, on="remote_address", how="left")
        .group_by(pl.col("verdict").fill_null("no verdict"))
        .agg(pl.col("up_unique_bytes").sum())
        .sort(-pl.col("up_unique_bytes"), "verdict")
    )
    return BY_VERDICT(
        parts=[OF_VERDICT(bytes=sent, verdict=verdict) for verdict, sent in sums.rows()]
    )
