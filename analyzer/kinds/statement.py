# Held by tests/analyzer/kinds/test_kinds.py: each kind and each type of part is tried there.
"""Statements as data: a kind with one template, and values with types; text is made last.

    PLAIN = Kind("plain_text", 2, "{bytes} bytes ({share} %) went to {names} in plain text.")
    said = PLAIN(bytes=609, share="0.4", names=["a.example"])

`said` is the English sentence, and knows its kind and values. Another language is made from the
same template and values: of these only words of closed lists are translated, and numbers are
written as the language writes them. Names, versions, paths, and whatever else comes from captures,
users or databases, stand verbatim in every language.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, Self

import polars as pl


class Speech(Protocol):
    """How a language says what is not verbatim."""

    def say(self, message: str, /) -> str:
        """A message or a word of a closed list."""
        ...

    def figures(self, text: str, /) -> str:
        """A number that is written as in English."""
        ...


class _English:
    """English, in which templates and values stand."""

    def say(self, message: str, /) -> str:
        return message

    figures = say


ENGLISH: Final[Speech] = _English()


class Value(NamedTuple):
    """One value of a statement.

    Attributes:
        name: the part of the template that it fills.
        type: `name`, `names`, `more`, `count`, `number`, `word`, `words`, `sentence`, or `list`,
            `series` and `sentences`, which hold several sentences.
        text: the value, in no language: of `names` and `words` a list in JSON, of a sentence its
            kind, of several how many there are. The values of a sentence within another one have
            the name of its part, and of several its number, before their own: `keys.count`.
    """

    name: str
    type: str
    text: str


class Listed(NamedTuple):
    """Some names of more.

    Attributes:
        names: those that are named.
        more: how many others there are.
    """

    names: Sequence[str]
    more: int = 0


def listed(names: Sequence[str], most: int) -> Listed:
    """The first of these names, and how many more there are."""
    return Listed(names[:most], max(0, len(names) - most))


AND_MORE: Final = "{names} and {count} more"
_JOINED: Final = {"verdicts": "or", "states": "and", "any_of": "or"}
"""What stands between the words of a part; a comma between those of any other."""
_BETWEEN: Final = {"list": ", ", "series": "; ", "sentences": " "}
"""What stands between several sentences."""

_TYPES: Final = {
    "name": (
        *("address", "app", "capture", "country", "database", "first", "last", "second", "list"),
        *("name", "other", "place", "problem", "scripts", "shown", "version", "whose", "prefix"),
        *("day", "date", "line", "label", "test", "source", "thing", "organisation"),
    ),
    "names": ("addresses", "apps", "captures", "databases", "names", "versions", "hosts"),
    "count": (
        *("all", "bytes", "connections_listed", "count", "counted", "flows_all", "keys_all"),
        *("networks", "requests", "unknown", "unmatched", "without", "hop_limit", "limit"),
    ),
    "number": (
        *("answer", "bucket", "days", "distance", "handshake", "high", "hours", "low", "observed"),
        *("offset", "reach", "seconds", "share", "span", "time"),
    ),
    "word": ("evidence", "has", "lacks", "side", "state", "verdict", "what"),
    "words": ("states", "verdicts"),
    "sentence": (
        *("connections", "down", "flows", "found", "hellos", "how", "keys", "note", "parts"),
        *("reason", "records", "remarks", "rest", "sentence", "sides", "up", "warning", "amount"),
        *("expected", "subject", "opinion", "checked"),
    ),
}
PARTS: Final = {part: kind for kind, parts in _TYPES.items() for part in parts}
"""What each part of a template is, by its name, where its kind does not say otherwise."""

_PART: Final = re.compile(r"\{(\w+)\}")


class Statement(str):
    """A sentence in English that knows what it is made of.

    Attributes:
        kind: its kind.
        values: its values, in the order of the template.
    """

    __slots__ = ("kind", "values")
    kind: "Kind"
    values: tuple[Value, ...]

    def __new__(cls, kind: "Kind", values: tuple[Value, ...]) -> Self:
        """The sentence of this kind with these values."""
        made = super().__new__(cls, kind.text(values, ENGLISH))
        made.kind, made.values = kind, values
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """Kinds are known by their names."""
        return said, (self.kind.name, self.values)


@dataclass(frozen=True)
class Kind:
    """What can be said, declared once.

    Attributes:
        name: what it is called in the table of findings.
        severity: 1 contradicts the answer … 5 is a note.
        template: the sentence, parts in braces.
        types: type of each part.
    """

    name: str
    severity: int
    template: str
    types: Mapping[str, str]

    def __init__(self, name: str, severity: int, template: str, **types: str) -> None:
        known = {part: types.get(part) or PARTS[part] for part in _PART.findall(template)}
        for attribute, value in zip(
            ("name", "severity", "template", "types"),
            (name, severity, template, known),
            strict=True,
        ):
            object.__setattr__(self, attribute, value)
        if KINDS.setdefault(name, self) is not self:
            raise ValueError(f"two kinds are called {name}")

    def __hash__(self) -> int:
        """By its name, which no other has."""
        return hash(self.name)

    def __call__(self, **given: object) -> Statement:
        """The statement with these values, one per part; it is kept while statements are."""
        values = tuple(
            value for part, kind in self.types.items() for value in _values(part, kind, given[part])
        )
        made = Statement(self, values)
        if (kept := _KEPT.get()) is not None:
            kept.setdefault(str(made), made)
        return made

    def column(self, parts: pl.DataFrame | pl.Series) -> pl.Series:
        """The sentences of a table with a column of text per part, or a series of structs.

        Null where a part is. What is a statement already, as it was kept, is one within.
        """
        table = parts.struct.unnest() if isinstance(parts, pl.Series) else parts
        unique = table.unique(maintain_order=True).drop_nulls()
        kept = _KEPT.get() or {}
        texts = [
            str(self(**{part: kept.get(text, text) for part, text in row.items()}))
            for row in unique.iter_rows(named=True)
        ]
        sentences = unique.with_columns(pl.Series("sentence", texts, dtype=pl.String))
        return table.join(sentences, on=table.columns, how="left", maintain_order="left")[
            "sentence"
        ]

    def text(self, values: Sequence[Value], speech: Speech) -> str:
        """The sentence in a language."""
        of_part: dict[str, list[Value]] = {}
        for value in values:
            of_part.setdefault(value.name.partition(".")[0], []).append(value)
        filled = {part: _text(own, speech) for part, own in of_part.items()}
        return speech.say(self.template).format(**filled)


KINDS: Final[dict[str, Kind]] = {}
"""All kinds, by name."""

_KEPT: Final[ContextVar[dict[str, Statement] | None]] = ContextVar("kept", default=None)


def said(kind: str, values: Sequence[tuple[str, str, str]]) -> Statement:
    """A statement from its name and values, as a table has them."""
    return Statement(KINDS[kind], tuple(Value(*value) for value in values))


def kept(text: str) -> str:
    """The statement of this text, if one was kept; else the text."""
    known = _KEPT.get()
    return text if known is None else known.get(text, text)


@contextmanager
def kept_statements() -> Iterator[dict[str, Statement]]:
    """All statements that are made inside, by their sentences."""
    kept: dict[str, Statement] = {}
    before = _KEPT.set(kept)
    try:
        yield kept
    finally:
        _KEPT.reset(before)


def _values(part: str, kind: str, given: object) -> Iterator[Value]:
    """A value without a language, and what it holds."""
    if kind in {"names", "words"}:
        assert isinstance(given, Sequence)  # noqa: S101 - a list of text, or `Listed`
        names, more = given if isinstance(given, Listed) else (given, 0)
        yield Value(part, kind, json.dumps([str(name) for name in names], ensure_ascii=False))
        if more:
            yield Value(part, "more", str(more))
    elif kind in _BETWEEN:
        assert isinstance(given, Sequence)  # noqa: S101 - a list of statements
        yield Value(part, kind, str(len(given)))
        for number, each in enumerate(given):
            yield from _values(f"{part}.{number}", "sentence", each)
    elif kind == "count":
        yield Value(part, kind, str(int(given)))  # type: ignore[call-overload] # a number
    elif isinstance(given, Statement):
        yield Value(part, "sentence", given.kind.name)
        yield from (value._replace(name=f"{part}.{value.name}") for value in given.values)
    else:
        yield Value(part, "word" if kind == "sentence" else kind, str(given))


def _text(values: Sequence[Value], speech: Speech) -> str:  # noqa: PLR0911 - one per type
    """A part in a language, from its value and those that it holds."""
    value, *held = values
    match value.type:
        case "count":
            return speech.figures(f"{int(value.text):,}")
        case "number":
            return speech.figures(value.text)
        case "word":
            return speech.say(value.text)
        case "sentence":
            return KINDS[value.text].text(_within(value.name, held), speech)
        case "list" | "series" | "sentences":
            each = range(int(value.text))
            own = [[one for one in held if _is_of(one, f"{value.name}.{at}")] for at in each]
            return _BETWEEN[value.type].join(_text(part, speech) for part in own)
        case "names":
            text = ", ".join(json.loads(value.text))
            more = [speech.figures(f"{int(each.text):,}") for each in held]
            return speech.say(AND_MORE).format(names=text, count=more[0]) if more else text
        case "words":
            joined = _JOINED.get(value.name)
            between = f" {speech.say(joined)} " if joined else ", "
            return between.join(map(speech.say, json.loads(value.text)))
        case _:
            return value.text


def _is_of(value: Value, part: str) -> bool:
    return value.name == part or value.name.startswith(f"{part}.")


def _within(part: str, values: Sequence[Value]) -> list[Value]:
    """The values of a sentence within another one, by their own names."""
    return [value._replace(name=value.name.removeprefix(f"{part}.")) for value in values]
