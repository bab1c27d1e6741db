"""What the answer to a query has to be for a claim to hold, as `== 0` or `contains "CN"`.

Every expectation has a side. An `upper` one can only be broken by more traffic, so where it holds
that is absence of evidence; a `lower` one can only be met by more traffic. An `exact` one is both.
"""

import math
import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

UPPER: Final = "upper"
LOWER: Final = "lower"
EXACT: Final = "exact"

_COMPARED: Final[dict[str, tuple[Callable[[Any, Any], bool], str]]] = {
    "==": (eq, EXACT),
    "!=": (ne, EXACT),
    "<=": (le, UPPER),
    ">=": (ge, LOWER),
    "<": (lt, UPPER),
    ">": (gt, LOWER),
}
_LISTED: Final = ("not contains", "contains", "only")
_FORMS: Final = (
    "==, !=, <, <=, > or >= with a number or text, contains or not contains with one, only with a "
    "list, empty, or not empty"
)
_LONGEST: Final = 2_000
_COMPARISON: Final = re.compile("(==|!=|<=|>=|<|>)(.*)", re.DOTALL)


class ExpectationError(ValueError):
    """An expectation that is none, or that cannot be held to the answer."""


@dataclass(frozen=True)
class Expectation:
    """What an answer has to be.

    Attributes:
        text: as it was written.
        word: the comparison.
        wanted: what the answer is held to; empty for `empty` and `not empty`.
        side: `upper`, `lower` or `exact`.
    """

    text: str
    word: str
    wanted: tuple[int | float | str, ...]
    side: str

    def holds(self, values: Sequence[object]) -> bool | None:
        """Whether the first column of an answer is as expected; None: nothing is there to say.

        Null is what did not match: no more than any bound, and no less. Where many values are
        asked for, nulls are left out.

        Raises:
            ExpectationError: one value was expected and many came, or a number and text came.
        """
        if self.word in {"empty", "not empty"}:
            return (not values) == (self.word == "empty")
        if self.word in _LISTED:
            known = {value for value in values if value is not None}
            if self.word == "only":
                return known <= set(self.wanted)
            return (self.wanted[0] in known) == (self.word == "contains")
        return self._compares(values)

    def _compares(self, values: Sequence[object]) -> bool | None:
        if len(values) > 1:
            raise ExpectationError(f"one value expected for {self.text!r}, got {len(values):,}")
        value = values[0] if values else None
        if value is None:
            return {UPPER: True, LOWER: False, EXACT: None}[self.side]
        if isinstance(value, str) != isinstance(self.wanted[0], str):
            raise ExpectationError(
                f"{'text' if isinstance(self.wanted[0], str) else 'a number'} expected for "
                f"{self.text!r}, got {str(value)[:40]!r}"
            )
        return _COMPARED[self.word][0](value, self.wanted[0])


def expectation(text: str) -> Expectation:
    """The expectation that a text states.

    Raises:
        ExpectationError: it states none; the message says which there are.
    """
    plain = " ".join(text.split()) if len(text) <= _LONGEST else ""
    if plain in {"empty", "not empty"}:
        return Expectation(plain, plain, (), UPPER if plain == "empty" else LOWER)
    if found := _COMPARISON.fullmatch(plain):
        word, wanted = found[1], (_value(found[2], text),)
        return Expectation(plain, word, wanted, _side(word, wanted[0], text))
    for word in _LISTED:
        if plain.startswith(f"{word} "):
            rest = plain.removeprefix(word)
            many = _values(rest, text) if word == "only" else (_value(rest, text),)
            return Expectation(plain, word, many, LOWER if word == "contains" else UPPER)
    raise _refused(text)


def _side(word: str, wanted: float | str, text: str) -> str:
    """Counts are never negative, so that 0 is a bound of its own."""
    side = _COMPARED[word][1]
    if isinstance(wanted, str) and side != EXACT:
        raise _refused(text)
    if wanted == 0 and side == EXACT:
        return UPPER if word == "==" else LOWER
    return side


def _value(text: str, whole: str) -> int | float | str:
    values = _values(f"[{text}]", whole)
    if len(values) > 1:
        raise _refused(whole)
    return values[0]


def _values(text: str, whole: str) -> tuple[int | float | str, ...]:
    """The values of a list as TOML writes it."""
    try:
        values = tomllib.loads(f"values = {text}")["values"]
    except (ValueError, RecursionError) as error:
        raise _refused(whole) from error
    if not isinstance(values, list) or not values or not all(map(_is_plain, values)):
        raise _refused(whole)
    return tuple(values)


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int | str) and not isinstance(value, bool)


def _refused(text: str) -> ExpectationError:
    return ExpectationError(f"expected {_FORMS}, got {text[:80]!r}")
