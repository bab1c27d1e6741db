"""Queries of claims: one SELECT over the exported tables, and nothing that reaches beyond them.

What may stand in a query is listed, what is not listed is refused. This is the first fence; the
second is the process that a query runs in (`claims_child`), which can open no file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

LONGEST: Final = 4_000
"""Characters of a query."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FUNCTIONS: Final = _words(
    """
    abs array_contains array_length array_max array_mean array_min array_sum array_to_string
    array_unique avg bit_length cast ceil char_length coalesce concat concat_ws count date_part
    dense_rank div ends_with exists first floor greatest if ifnull lag last lead least left length
    ln log log10 log2 lower ltrim max median min mod nullif octet_length quantile_cont
    quantile_disc rank regexp_like replace right round row_number rtrim sign sqrt starts_with
    stddev stddev_pop strftime strpos substr substring sum trim try_cast unnest upper var_pop
    variance
    """
)
"""What may be called: functions of values. None reads, writes, repeats or generates."""

_REFUSED: Final = _words(
    """
    alter analyze attach call columns copy create delete describe drop execute explain grant insert
    install into lateral load merge pragma recursive set show table truncate unpivot update use
    vacuum values window
    """
)
_BEFORE_BRACKET: Final = _words(
    """
    all and as between by distinct else except exclude filter from having ilike in intersect join
    like limit not on or over partition select then union using when where
    """
)
_END_OF_FROM: Final = _words(
    "where group order having limit union except intersect qualify select offset fetch"
)
_NOT_PLAIN: Final = _words(
    "group order having limit union except intersect qualify with offset fetch"
)
_NARROW: Final = _words(
    """
    array_length bit_length char_length count date_part dense_rank div length octet_length rank
    row_number strpos
    """
)
"""Functions whose whole numbers are narrow and wrap: 4 - 5 is 4,294,967,295."""
_WHOLE_TYPES: Final = _words(
    """
    bigint int int1 int2 int4 int8 int16 int32 int64 integer mediumint smallint tinyint ubigint
    uint uint1 uint2 uint4 uint8 uint16 uint32 uint64 uinteger unsigned usmallint utinyint
    """
)
_WIDE: Final = "INT128"
_CASTS: Final = ("cast", "try_cast")
_FOLLOWS_A_CALL: Final = ("filter", "over")
_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<text>'(?:[^'\\]|'')*')
    | (?P<quoted>"[^"\\]*")
    | (?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<sign><=|>=|<>|!=|\|\||::|[-+*/%(),.=<>])
    """,
    re.VERBOSE | re.ASCII,
)


class QueryError(ValueError):
    """A query that may not be asked, or that could not be answered."""


@dataclass(frozen=True)
class Token:
    """A piece of a query: what it is, what it says (a word in lower case), where it begins."""

    kind: str
    text: str
    start: int
    depth: int

    @property
    def name(self) -> str:
        """The identifier that it is; empty: none."""
        if self.kind == "quoted":
            return self.text[1:-1]
        return self.text if self.kind == "word" else ""


@dataclass(frozen=True)
class Query:
    """A query that may be asked.

    Attributes:
        sql: its text.
        tokens: its pieces, without white space.
        tables: the exported tables that it names.
    """

    sql: str
    tokens: tuple[Token, ...]
    tables: frozenset[str]

    @cached_property
    def names(self) -> frozenset[str]:
        """Every identifier in it, columns among them."""
        return frozenset(token.name for token in self.tokens if token.name)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every text in it, without quotes."""
        return tuple(
            token.text[1:-1].replace("''", "'") for token in self.tokens if token.kind == "text"
        )

    @cached_property
    def is_of_all_columns(self) -> bool:
        """It asks for `*`, which names no column."""
        before = {"select", "distinct", ",", "."}
        return any(
            token.text == "*" and self.tokens[place - 1].text in before
            for place, token in enumerate(self.tokens)
        )

    def rows(self, condition: str = "") -> str | None:
        """SQL for the rows of `flows` or `uploads` that the query is about; None: not plain.

        Args:
            condition: of a column that the query selects alone, with `{}` for its name; empty:
                none.
        """
        outer = [token for token in self.tokens if token.depth == 0]
        words = [token.text for token in outer if token.kind == "word"]
        if words.count("from") != 1 or _NOT_PLAIN & set(words):
            return None
        place = next(place for place, token in enumerate(self.tokens) if token.text == "from")
        table = self.tokens[place + 1].name
        if table not in {"flows", "uploads"}:
            return None
        where = next((token.start for token in outer if token.text == "where"), len(self.sql))
        owner = self._alias(place + 2) or table
        column = self._column(place)
        if condition and column is None:
            return None
        parts = [f"({self.sql[where:].strip()[len('where') :]})"] if words.count("where") else []
        parts += [condition.format(column)] if condition else []
        keys = ("flow",) if table == "flows" else ("remote_address", "host", "app")
        selected = ", ".join(f"{owner}.{key} AS {key}" for key in keys)
        clause = f" WHERE {' AND '.join(parts)}" if parts else ""
        return f"SELECT {selected} {self.sql[self.tokens[place].start : where].strip()}{clause}"

    def _alias(self, place: int) -> str | None:
        """What the first table is called in the query, where it is called something else."""
        following = self.tokens[place : place + 2]
        if following and following[0].text == "as":
            following = following[1:]
        keywords = {"where", "join", "cross", "inner", "left", "right", "full", "natural", "on"}
        name = following[0].name if following else ""
        return name if name and name not in keywords else None

    def _column(self, place: int) -> str | None:
        """The one column that is selected, alone; None: something else is."""
        listed = [token for token in self.tokens[1:place] if token.text != "distinct"]
        is_column = all(token.name or token.text == "." for token in listed) and listed
        text = self.sql[listed[0].start : self.tokens[place].start].strip() if listed else ""
        return text if is_column and len(text.split()) == 1 else None


def query(sql: str, tables: Iterable[str]) -> Query:
    """The query that a text states, once all of it is known to be harmless.

    Args:
        sql: its text.
        tables: the tables that it may name.

    Raises:
        QueryError: something in it is not on the lists.
    """
    text = sql.strip().removesuffix(";").rstrip()
    if len(text) > LONGEST:
        raise QueryError(f"at most {LONGEST:,} characters expected, got {len(text):,}")
    tokens = tuple(_tokens(text))
    if not tokens or tokens[0].text not in {"select", "with"}:
        raise QueryError("one SELECT (or WITH … SELECT) expected")
    own = _own_names(tokens)
    known = frozenset(tables)
    _refuse_words(tokens)
    named = _named_tables(tokens)
    for token in named:
        if token.text != "(" and token.name not in known | own:
            raise QueryError(f"a table expected after FROM or JOIN, got {token.text[:40]}")
    return Query(text, tokens, frozenset(token.name for token in named) & known)


def exact(sql: str) -> str:
    """A query with its whole numbers counted in 128 bits, where polars takes fewer.

    Args:
        sql: a query that may be asked.

    Raises:
        QueryError: something in it is not on the lists.
    """
    begins: dict[int, str] = {}
    ends: dict[int, str] = {}
    tokens = tuple(_tokens(sql))
    for place in range(len(tokens)):
        for span in _widened(tokens, place):
            begins[span.start] = begins.get(span.start, "") + span.before
            ends[span.end] = span.after + ends.get(span.end, "")  # what began last ends first
    places = range(len(sql) + 1)
    return "".join(ends.get(at, "") + begins.get(at, "") + sql[at : at + 1] for at in places)


class _Span(NamedTuple):
    """What is put in before and after a part of a query."""

    start: int
    end: int
    before: str
    after: str


def _widened(tokens: tuple[Token, ...], place: int) -> Iterable[_Span]:
    """What has to be put in for what begins at this place."""
    token, last = tokens[place], _closing(tokens, place + 1)
    if token.text == "::" and _is_whole_type(tokens[place + 1 : place + 2]):
        named = tokens[place + (2 if _says(tokens, place + 2, "unsigned") else 1)]
        yield _Span(token.start, _end(named), "", f"::{_WIDE}")
    elif token.kind == "word" and token.text in {"then", "else"}:
        yield from _wide_number(tokens, place + 1)
    elif token.kind == "word" and last is not None:
        yield from _wide_call(tokens, place, last)


def _wide_call(tokens: tuple[Token, ...], place: int, last: int) -> Iterable[_Span]:
    """What widens a word with brackets: a function, a sum, a cast, a list."""
    token = tokens[place]
    if token.text == "in":
        for each in range(place + 2, last):
            is_item = tokens[each].depth == tokens[last].depth + 1
            if is_item and tokens[each - 1].text in {"(", ","}:
                yield from _wide_number(tokens, each)
    if token.text == "sum":
        first = place + (3 if _says(tokens, place + 2, "distinct") else 2)
        yield _Span(tokens[first].start, tokens[last].start, "(", f") * CAST(1 AS {_WIDE})")
    if token.text in _NARROW or (token.text in _CASTS and _is_whole_cast(tokens, last)):
        while last + 1 < len(tokens) and tokens[last + 1].text in _FOLLOWS_A_CALL:
            last = _closing(tokens, last + 2) or last + 1
        yield _Span(token.start, _end(tokens[last]), "CAST(", f" AS {_WIDE})")


def _wide_number(tokens: tuple[Token, ...], place: int) -> Iterable[_Span]:
    """What widens a whole number that stands here alone, with its sign."""
    at = place + _says(tokens, place, "-")
    if at + 1 >= len(tokens) or tokens[at].kind != "number" or not tokens[at].text.isdigit():
        return
    if tokens[at + 1].text in {",", ")", "when", "else", "end"}:
        yield _Span(tokens[place].start, _end(tokens[at]), "CAST(", f" AS {_WIDE})")


def _is_whole_cast(tokens: tuple[Token, ...], last: int) -> bool:
    before = last - (2 if _says(tokens, last - 1, "unsigned") else 1)
    return _is_whole_type(tokens[before : before + 1])


def _is_whole_type(named: tuple[Token, ...]) -> bool:
    return bool(named) and named[0].kind == "word" and named[0].text in _WHOLE_TYPES


def _says(tokens: tuple[Token, ...], place: int, word: str) -> bool:
    return place < len(tokens) and tokens[place].text == word


def _closing(tokens: tuple[Token, ...], place: int) -> int | None:
    """Where the bracket that opens here is closed; None: nowhere, or none opens here."""
    if not _says(tokens, place, "("):
        return None
    depth = tokens[place].depth
    later = range(place + 1, len(tokens))
    return next((at for at in later if tokens[at].text == ")" and tokens[at].depth == depth), None)


def _end(token: Token) -> int:
    return token.start + len(token.text)


def _tokens(text: str) -> Iterable[Token]:
    place = depth = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or text.startswith(("--", "/*"), place):
            raise QueryError(f"character {place + 1}: {text[place : place + 2]!r} is not allowed")
        kind = str(found.lastgroup)
        piece = found.group().lower() if kind == "word" else found.group()
        depth -= piece == ")"
        if kind != "space":
            yield Token(kind, piece, place, depth)
        depth += piece == "("
        place = found.end()


def _own_names(tokens: tuple[Token, ...]) -> frozenset[str]:
    """Names that the query gives to its own parts: `name AS (`."""
    return frozenset(
        token.name
        for token, after, bracket in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if after.text == "as" and bracket.text == "("
    )


def _refuse_words(tokens: tuple[Token, ...]) -> None:
    """Refuse statements of other kinds, and calls of what is no function of values."""
    for token, after in zip(tokens, (*tokens[1:], None), strict=True):
        if token.kind == "word" and token.text in _REFUSED:
            raise QueryError(f"{token.text.upper()} is not allowed: a query only reads its tables")
        is_call = after is not None and after.text == "(" and token.name != ""
        allowed = FUNCTIONS | _BEFORE_BRACKET if token.kind == "word" else frozenset()
        if is_call and token.text not in allowed:
            raise QueryError(f"the function {token.text[:40]} is not allowed")


def _named_tables(tokens: tuple[Token, ...]) -> list[Token]:
    """What stands where a table is named: after FROM, JOIN, and commas between tables."""
    found: list[Token] = []
    open_at: set[int] = set()
    for place, token in enumerate(tokens):
        if (token.kind == "word" and token.text in _END_OF_FROM) or token.text == ")":
            open_at.discard(token.depth + (token.text == ")"))
        is_comparison = token.text == "from" and _is_distinct_from(tokens, place)
        begins = token.kind == "word" and token.text in {"from", "join"} and not is_comparison
        if begins or (token.text == "," and token.depth in open_at):
            open_at.add(token.depth)
            found.append(tokens[place + 1] if place + 1 < len(tokens) else token)
    return found


def _is_distinct_from(tokens: tuple[Token, ...], place: int) -> bool:
    """Whether this FROM is that of `a IS [NOT] DISTINCT FROM b`."""
    before = [token.text for token in tokens[max(0, place - 3) : place]]
    return before[-1:] == ["distinct"] and bool({"is", "not"} & set(before[-2:-1]))
