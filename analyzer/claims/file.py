"""Claims files: sentences that somebody published, each with the query that tests it."""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from phonehome.analyzer.claims.ask import SECONDS_OF_NOTHING, Job, answers
from phonehome.analyzer.claims.expectation import Expectation, ExpectationError, expectation
from phonehome.analyzer.claims.query_text import Query, QueryError, query
from phonehome.analyzer.claims.short_forms import FORMS, ShorthandError, Written, written
from phonehome.analyzer.claims.tables import LOCATED, SCHEMAS
from phonehome.analyzer.settings import IDLE_STATES
from phonehome.analyzer.tables import STATES
from phonehome.analyzer.user_files import octets_of
from phonehome.captures import path_text
from phonehome.errors import PhonehomeError

LARGEST: Final = 1 << 18
MOST_CLAIMS: Final = 100
"""Of all files of one run together."""
MOST_PARTS: Final = 8
"""Parts of a dotted key: the reader of TOML takes the square of them."""
LONGEST: Final = 2_000
SUFFIX: Final = ".toml"
ACCEPTED: Final = ("consistent", "disputed", "unverifiable", "anycast")
"""Verdicts that a claim may accept; `anycast`: of addresses that many places answer, unchecked."""

SUBJECTS: Final = ("phone", "app")
"""What a sentence may be about; of an app, what another one sent says nothing."""

NEEDED: Final = timedelta(minutes=10)
"""Time that must have been observed to say what is not there, where a claim states none."""

_SHIPPED: Final = Path(__file__).parents[2] / "claims"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_SPAN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(s|min|h|d)", re.ASCII)
_SECONDS: Final = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
_LONGEST_SPAN: Final = 10_000 * 86_400
_KEYS: Final = frozenset(FORMS) | {
    "id",
    "sentence",
    "source",
    "test",
    "can_show",
    "cannot_show",
    "query",
    "expect",
    "evidence",
    "unless",
    "verdicts",
    "states",
    "exposure",
    "inferred",
    "part",
    "subject",
}
_UNGRADED: Final = frozenset(
    {name for name, schema in SCHEMAS.items() if "country" in schema.columns()} | {"rates"}
) - {*LOCATED}


_TEXT_OR_COMMENT: Final = re.compile(
    r"""
    \"{3} (?:[^\\]|\\.)*? (?:\"{3}|\\?\Z)
    | '{3} .*? (?:'{3}|\Z)
    | " (?:[^"\\\n]|\\.)*+ "?
    | ' [^'\n]*+ '?
    | \# [^\n]*+
    """,
    re.DOTALL | re.VERBOSE,
)
"""What is no key, also where its end is missing, so that no place is looked at twice."""
_BETWEEN_KEYS: Final = re.compile(r"[=,\n{}\[\]]")


class ClaimsError(PhonehomeError):
    """A claims file that cannot be used; one line that names file, claim and what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A sentence, and how it is tested.

    Attributes:
        id: its name in the file.
        file: name of the file.
        sentence: as it was published.
        source: by whom and where.
        source_date: when; None: not told.
        source_url: its address; None: none.
        test: what is tested, in words.
        can_show: what a capture can show of it.
        cannot_show: what it cannot.
        query: what is asked.
        expect: what the answer has to be.
        evidence: what finds the flows concerned; None: what the query is about.
        unless: what keeps a result from being told: query, kind of doubt, and words.
        verdicts: verdicts on countries that count.
        states: states of the phone that it is about; empty: all.
        is_inferred_enough: phases that were inferred from traffic count.
        is_of_app: the sentence is about an app, not about all that a phone sends.
        is_part: the test is of a part of the sentence: where it holds, the rest remains untold.
        needed: time that must have been observed.
        is_needed_stated: the file says so itself.
    """

    id: str
    file: str
    sentence: str
    source: str
    source_date: str | None
    source_url: str | None
    test: str
    can_show: str | None
    cannot_show: str | None
    query: Query
    expect: Expectation
    evidence: Query | None
    unless: tuple[tuple[Query, str, str], ...]
    verdicts: tuple[str, ...]
    states: tuple[str, ...]
    is_inferred_enough: bool
    is_of_app: bool
    is_part: bool
    needed: timedelta
    is_needed_stated: bool


def shipped_claims() -> dict[str, Path]:
    """The claims files that come with phonehome, by name."""
    return {path.stem: path for path in sorted(_SHIPPED.glob(f"*{SUFFIX}"))}


def claims_path(given: Path) -> Path:
    """The file of that path, or else the shipped one of that name."""
    name = str(given)
    if _NAME.fullmatch(name) and not given.is_file() and name in (shipped := shipped_claims()):
        return shipped[name]
    return given


def read_claims(paths: Iterable[Path], idle_means: str = "screen-off") -> tuple[Claim, ...]:
    """The claims of these files; every query was asked of empty tables, so all of it is known.

    Args:
        paths: files, or names of shipped ones.
        idle_means: what counts as idle: a key of `settings.IDLE_STATES`.

    Raises:
        ClaimsError: a file cannot be read, or something in it is not as it has to be.
    """
    found: dict[str, Claim] = {}
    for path in map(claims_path, paths):
        for claim in _of_file(path, IDLE_STATES[idle_means]):
            if claim.id in found:
                raise ClaimsError(f"{path}: claim {claim.id}: expected an id of its own, got two")
            found[claim.id] = claim
        if len(found) > MOST_CLAIMS:
            raise ClaimsError(f"{path}: expected up to {MOST_CLAIMS} claims in all, got more")
    _refuse_unknown(list(found.values()))
    return tuple(found.values())


def _of_file(path: Path, idle: tuple[str, ...]) -> list[Claim]:
    octets = octets_of(path, LARGEST, ClaimsError)
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ClaimsError(f"{path}: byte {error.start}: expected UTF-8, got something else") from (
            error
        )
    _refuse_long_keys(path, text)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClaimsError(f"{path}: expected TOML: {str(error)[:200] or 'nested too deep'}") from (
            error
        )
    claims = content.get("claim")
    unknown = sorted(content.keys() - {"claim", "title", "about"})
    if unknown:
        raise ClaimsError(f"{path}: expected title, about and [[claim]], got {unknown[0][:60]!r}")
    if not isinstance(claims, list) or not 0 < len(claims) <= MOST_CLAIMS:
        raise ClaimsError(f"{path}: expected 1 to {MOST_CLAIMS} tables [[claim]]")
    return [_claim(path, number, given, idle) for number, given in enumerate(claims, start=1)]


def _refuse_long_keys(path: Path, text: str) -> None:
    """Refuse keys that the reader of TOML would take hours for."""
    bare = _TEXT_OR_COMMENT.sub('"', text)
    if any(piece.count(".") >= MOST_PARTS for piece in _BETWEEN_KEYS.split(bare)):
        raise ClaimsError(f"{path}: expected keys of at most {MOST_PARTS} parts, got more")


def _claim(path: Path, number: int, given: object, idle: tuple[str, ...]) -> Claim:
    name = given.get("id") if isinstance(given, dict) else None
    where = f"{path}: claim {number}"
    if not isinstance(given, dict) or not isinstance(name, str) or not _ID.fullmatch(name):
        raise ClaimsError(f"{where}: expected an id of letters, digits, '.', '_' and '-'")
    try:
        return _stated(path_text(path.name), name, given, idle)
    except (QueryError, ExpectationError, ShorthandError, _WrongValueError) as error:
        raise ClaimsError(f"{path}: claim {name}: {error}") from error


class _WrongValueError(ValueError):
    """A value that is not as it has to be; the message names its key."""


def _stated(file: str, name: str, given: Mapping[str, Any], idle: tuple[str, ...]) -> Claim:
    if unknown := sorted(given.keys() - _KEYS):
        raise _WrongValueError(
            f"expected one of {', '.join(sorted(_KEYS))}, got {unknown[0][:60]!r}"
        )
    states = _words(given, "states", STATES) or ()
    short = _written(given, states, idle)
    asked = query(short.query, SCHEMAS)
    named_states = states or short.states or tuple(s for s in STATES if s in asked.texts)
    _refuse_ungraded(asked)
    source = _source(given.get("source"))
    needed = _needed(given.get("exposure"))
    return Claim(
        id=name,
        file=file,
        sentence=_text(given, "sentence", is_needed=True) or "",
        source=source[0],
        source_date=source[1],
        source_url=source[2],
        test=_text(given, "test") or short.test,
        can_show=_text(given, "can_show"),
        cannot_show=_text(given, "cannot_show"),
        query=asked,
        expect=expectation(short.expect),
        evidence=query(short.evidence, SCHEMAS) if short.evidence else None,
        unless=tuple((query(sql, SCHEMAS), *words) for sql, *words in short.unless),  # type: ignore[misc]
        verdicts=_words(given, "verdicts", ACCEPTED) or ACCEPTED[:1],
        states=named_states,
        is_inferred_enough=_flag(given, "inferred"),
        is_of_app=_subject(given.get("subject", SUBJECTS[0])) == "app",
        is_part=_flag(given, "part"),
        needed=NEEDED if needed is None else needed,
        is_needed_stated=needed is not None,
    )


def _written(given: Mapping[str, Any], states: tuple[str, ...], idle: tuple[str, ...]) -> Written:
    """The query of a claim, whichever way it is stated."""
    forms = [form for form in (*FORMS, "query") if form in given]
    if len(forms) != 1:
        raise _WrongValueError(f"expected one of query, {', '.join(FORMS)}, got {len(forms)}")
    if forms[0] != "query":
        if own := sorted(given.keys() & {"expect", "unless", "evidence"}):
            raise _WrongValueError(f"{forms[0]} has its own {own[0]}, got another one")
        try:
            return written(forms[0], given[forms[0]], states, idle)
        except ShorthandError as error:
            raise _WrongValueError(f"{forms[0]}: {error}") from error
    unless = _text(given, "unless")
    return Written(
        test="what the query finds",
        query=_text(given, "query", is_needed=True) or "",
        expect=_text(given, "expect", is_needed=True) or "",
        states=states,
        unless=((unless, "as the claim says", "the query under “unless” finds"),) if unless else (),
        evidence=_text(given, "evidence"),
    )


def _text(given: Mapping[str, Any], key: str, *, is_needed: bool = False) -> str | None:
    value = given.get(key)
    if value is None and not is_needed:
        return None
    most = LONGEST if key in {"sentence", "test", "can_show", "cannot_show"} else 2 * LONGEST
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise _WrongValueError(f"{key}: expected text of up to {most:,} characters")
    return value.strip()


def _words(given: Mapping[str, Any], key: str, allowed: Sequence[str]) -> tuple[str, ...] | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not value or any(item not in allowed for item in value):
        raise _WrongValueError(f"{key}: expected a list of {', '.join(allowed)}")
    return tuple(word for word in allowed if word in value)


def _flag(given: Mapping[str, Any], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise _WrongValueError(f"{key}: expected true or false")
    return value


def _subject(value: object) -> str:
    if value not in SUBJECTS:
        raise _WrongValueError(f"subject: expected {' or '.join(SUBJECTS)}")
    return str(value)


def _source(value: object) -> tuple[str, str | None, str | None]:
    """Text, date and address of a source, which is a text or a table."""
    given = {"text": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or given.keys() - {"text", "date", "url"}:
        raise _WrongValueError("source: expected text, or text, date and url")
    day = given.get("date")
    shown = day.isoformat() if isinstance(day, date) and not isinstance(day, datetime) else day
    parts = {"source text": given.get("text"), "date": shown, "url": given.get("url")}
    checked = {
        key: _text({key: part}, key, is_needed=key == "source text") for key, part in parts.items()
    }
    url = checked["url"]
    if url is not None and not url.startswith(("https://", "http://")):
        raise _WrongValueError(f"source: expected an address of the web as url, got {url[:60]!r}")
    return checked["source text"] or "", checked["date"], url


def _needed(value: object) -> timedelta | None:
    """Time that has to be observed; None: not stated."""
    if value is None:
        return None
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    seconds = float(found[1]) * _SECONDS[found[2]] if found else -1.0
    if not 0 <= seconds <= _LONGEST_SPAN:
        raise _WrongValueError("exposure: expected a time like '90 s', '30 min', '2 h' or '1 d'")
    return timedelta(seconds=seconds)


def _refuse_ungraded(asked: Query) -> None:
    """Tables that add up countries know no verdict on any of them."""
    is_by_country = "country" in asked.names or "country" in asked.texts or asked.is_of_all_columns
    if is_by_country and (named := sorted(asked.tables & _UNGRADED)):
        raise _WrongValueError(
            f"query: countries in {named[0]} have no verdict: ask uploads or flows instead"
        )


def _refuse_unknown(claims: Sequence[Claim]) -> None:
    """Ask every query of empty tables, which shows what does not exist."""
    jobs = [
        Job(f"{claim.file}: claim {claim.id}", what, asked.sql, {})
        for claim in claims
        for what, asked in [
            ("query", claim.query),
            *([("evidence", claim.evidence)] if claim.evidence else []),
            *(("unless", asked) for asked, _, _ in claim.unless),
        ]
    ]
    if not jobs:
        return
    try:
        empty = {name: schema.create_empty() for name, schema in SCHEMAS.items()}
        answers(empty, jobs, seconds=SECONDS_OF_NOTHING)
    except QueryError as error:
        raise ClaimsError(str(error)) from error
