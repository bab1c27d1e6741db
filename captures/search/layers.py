"""Goes through the layers of one content and says where in it identifiers stand."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from phonehome.captures.search.budget import Budget
from phonehome.captures.search.coordinates import is_near_number
from phonehome.captures.search.fields import field_at
from phonehome.captures.search.hyperscan_door import Match, Scanner
from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.patterns import patterns
from phonehome.captures.search.protobuf import Field, fields
from phonehome.captures.search.unwrap import Unfolded, unfolded

MOST_LAYERS = 2
LONGEST_LOOKED_INTO = 4 << 20
_BITS_OF_NUMBER = 40.0
_OCTETS_OF_FIELD = 64
"""Octets that take as long as a field of protobuf."""


class Found(NamedTuple):
    """An identifier in a content.

    Attributes:
        identifier: its place in the list.
        steps: how it was folded, the outermost step first.
        field: name of the field that holds it; None: none is known.
        at: place in the content at which it, or what holds it folded, begins.
        bits: how unlikely it is by chance at one place: 2 ** -bits.
    """

    identifier: int
    steps: tuple[str, ...]
    field: str | None
    at: int
    bits: float


class Looker:
    """Looks for identifiers in contents, layer by layer.

    Args:
        identifiers: what is looked for, at least one.

    Attributes:
        overlap: octets that pieces of one content must share, so that nothing is cut apart.

    Raises:
        SearchUnavailableError: there is no hyperscan on this machine.
        ValueError: an identifier cannot be searched for; the message names its label.
    """

    def __init__(self, identifiers: Sequence[Identifier]) -> None:
        self._scanner = Scanner(patterns(identifiers))
        self.overlap = self._scanner.longest - 1
        self._places = [
            (number, identifier.place(), identifier.tolerance)
            for number, identifier in enumerate(identifiers)
            if identifier.kind == "coordinates"
        ]

    def look(self, octets: bytes, budget: Budget | None = None) -> list[Found]:
        """All that stands in a content and up to two layers down, each once, by place.

        What can be found in several ways is found in the one with fewest steps.

        Args:
            octets: the content.
            budget: what it may unfold to, which this lessens; None: what its size allows.
        """
        found = self._layer(octets, 0, budget or Budget(len(octets)))
        return sorted(found, key=lambda one: (one.at, one.identifier))

    def _layer(self, octets: bytes, depth: int, budget: Budget) -> list[Found]:
        """What stands in one layer and in those below."""
        matches = self._told_apart(self._scanner.matches(octets, budget))
        is_short = len(octets) <= LONGEST_LOOKED_INTO
        message = fields(octets) if is_short and (matches or self._places) else []
        budget.spend(_OCTETS_OF_FIELD * len(message) if depth else 0)
        found = [self._found(octets, match, message) for match in matches]
        found += self._numbers(message)
        if depth == MOST_LAYERS or not is_short or budget.left <= 0:
            return found
        # Everything in this layer before anything below: one piece must not cost all others.
        for inner in list(unfolded(octets, budget)):
            known = {one.identifier for one in found if inner.begin <= one.at < inner.end}
            below = [
                one
                for one in self._layer(inner.octets, depth + 1, budget)
                if one.identifier not in known
            ]
            if below:
                found += self._folded(octets, inner, below)
        return found

    def _folded(self, octets: bytes, inner: Unfolded, below: list[Found]) -> Iterator[Found]:
        """What was found in what octets hold, as something that stands in these."""
        name = self._name(field_at(octets, inner.begin)) if inner.begin else None
        for one in below:
            yield one._replace(
                steps=(inner.step, *one.steps), field=one.field or name, at=inner.begin
            )

    def _told_apart(self, matches: list[Match]) -> list[Match]:
        """Of matches of one identifier that overlap, the one with fewest steps, or the longest."""
        kept: dict[int, Match] = {}
        done: list[Match] = []
        for match in matches:
            number = self._scanner.patterns[match.pattern].identifier
            before = kept.get(number)
            if before is None or match.begin >= before.end:
                if before is not None:
                    done.append(before)
                kept[number] = match
            elif self._cost(match) < self._cost(before):
                kept[number] = match
        return sorted([*done, *kept.values()], key=lambda match: match[1:])

    def _cost(self, match: Match) -> tuple[int, int]:
        return len(self._scanner.patterns[match.pattern].steps), match.begin - match.end

    def _found(self, octets: bytes, match: Match, message: list[Field]) -> Found:
        pattern = self._scanner.patterns[match.pattern]
        field = self._field(octets, match, message)
        return Found(pattern.identifier, pattern.steps, field, match.begin, pattern.bits)

    def _field(self, octets: bytes, match: Match, message: list[Field]) -> str | None:
        """Name of the field that holds a match, of protobuf its numbers."""
        inner = [one for one in message if one.begin <= match.begin < one.end]
        if inner:
            return f"field {inner[-1].path}"
        return self._name(field_at(octets, match.begin))

    def _name(self, name: str | None) -> str | None:
        """The name of a field; None where it holds an identifier itself."""
        return None if name is None or self._scanner.matches(name.encode()) else name

    def _numbers(self, message: list[Field]) -> Iterator[Found]:
        """Places whose latitude and longitude are numbers of one message."""
        for number, place, tolerance in self._places:
            latitude, longitude = (
                [
                    one
                    for one in message
                    if any(is_near_number(value, wanted, tolerance) for value in one.numbers)
                ]
                for wanted in place
            )
            pairs = [
                (north, east)
                for north in latitude
                for east in longitude
                if north.path.rpartition(".")[0] == east.path.rpartition(".")[0] and north != east
            ]
            if pairs:
                north = pairs[0][0]
                yield Found(
                    number,
                    ("numbers of protobuf",),
                    f"field {north.path}",
                    north.begin,
                    _BITS_OF_NUMBER,
                )


@lru_cache(maxsize=1)
def looker_of(identifiers: tuple[Identifier, ...]) -> Looker:
    """What looks for these identifiers; made once for all captures of a run.

    Raises:
        SearchUnavailableError: as `Looker`.
        ValueError: the same.
    """
    return Looker(identifiers)
