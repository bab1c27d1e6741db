"""The language that a report is written in: English as it stands in the code, others by catalogue.

English sentences are the keys of the catalogues (`locales/<language>/LC_MESSAGES`), so that
whoever reads the code reads the report. A language holds for what is written inside `speaking`,
and for nothing else: two reports that one process writes, even at once, do not mix.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from phonehome.analyzer import statements
from phonehome.analyzer.kinds import Statement
from phonehome.analyzer.settings import ENGLISH, LANGUAGES

DOMAIN: Final = "phonehome"
LOCALES: Final = Path(__file__).parents[1] / "locales"

_SPOKEN: Final[ContextVar[str]] = ContextVar("spoken", default=ENGLISH)
_NONE: Final[Mapping[str, Statement]] = MappingProxyType({})
_FOUND: Final[ContextVar[Mapping[str, Statement]]] = ContextVar("found", default=_NONE)


@contextmanager
def speaking(language: str, findings: pl.DataFrame | None = None) -> Iterator[None]:
    """What is said inside is said in this language.

    Args:
        language: one of `LANGUAGES`.
        findings: statements that `told` is asked for, as `analyzer.tables.Findings`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r}: one of {', '.join(LANGUAGES)} expected")
    known = _NONE if findings is None or language == ENGLISH else statements(findings)
    before, found_before = _SPOKEN.set(language), _FOUND.set(known)
    try:
        yield
    finally:
        _SPOKEN.reset(before)
        _FOUND.reset(found_before)


class _Spoken:
    """The language that is spoken, as templates and their values are said in it."""

    def say(self, message: str, /) -> str:
        return say(message)

    def figures(self, text: str, /) -> str:
        return figures(text)


def told(text: str) -> str:
    """A statement or a word of another room, in the language spoken.

    A statement is found by its whole sentence, and made anew from its template and values; of
    these only words and numbers are translated. What is neither stays as it is.
    """
    if _SPOKEN.get() == ENGLISH:
        return text
    if (found := _FOUND.get().get(text)) is not None:
        return found.kind.text(found.values, _Spoken())
    return say(text)


def spoken() -> str:
    """The language that is spoken here."""
    return _SPOKEN.get()


def mark(message: str) -> str:
    """The message itself: the catalogue shall have it, and `say` is asked for it elsewhere."""
    return message


def mark_many(one: str, many: str) -> tuple[str, str]:
    """Both forms of a message, as `mark` does one; `say_many` is asked for them elsewhere."""
    return one, many


def say(message: str, /, **parts: object) -> str:
    """The message in the language spoken, with its parts put in.

    Args:
        message: in English; `{name}` stands for a part.
        parts: by name; without any, the message is taken as it stands.
    """
    language = _SPOKEN.get()
    text = message if language == ENGLISH else catalogue(language).gettext(message)
    return text.format(**parts) if parts else text


def say_many(one: str, many: str, count: int, /, **parts: object) -> str:
    """The form of a message that fits the count, as `say` says it."""
    language = _SPOKEN.get()
    if language == ENGLISH:
        text = one if count == 1 else many
    else:
        text = catalogue(language).ngettext(one, many, count)
    return text.format(**parts) if parts else text


def number(count: int) -> str:
    """A whole number with its thousands set apart."""
    return figures(f"{count:,}")


def figures(text: str) -> str:
    """A number that is written as in English, as the language spoken writes it."""
    language = _SPOKEN.get()
    if language == ENGLISH:
        return text
    own = conventions(language)
    return text.translate({ord(","): own["thousands"], ord("."): own["decimal"]})


@cache
def conventions(language: str) -> dict[str, Any]:
    """How a language writes what is no message.

    `locale` as browsers name it, `decimal` and `thousands` of numbers, and `charts`: what plotly,
    which knows English alone, is told of dates and numbers.
    """
    told: dict[str, Any] = json.loads((LOCALES / language / "conventions.json").read_bytes())
    return told


@cache
def country_names(language: str) -> dict[str, str]:
    """The names of countries by their codes, as `scripts/catalogue.py` takes them from CLDR."""
    names: dict[str, str] = json.loads((LOCALES / language / "countries.json").read_bytes())
    return names


@cache
def catalogue(language: str) -> GNUTranslations:
    """The messages of a language, as `scripts/catalogue.py` compiles them."""
    path = LOCALES / language / "LC_MESSAGES" / f"{DOMAIN}.mo"
    with path.open("rb") as file:
        return GNUTranslations(file)
