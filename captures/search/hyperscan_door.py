"""The one door to hyperscan, which finds all patterns in one pass over octets.

Hyperscan (Wang et al., NSDI 2019) is compiled code, and has no build for every machine: where it
is missing, there is no search, and the rest of the program works.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple, TypeVar

from phonehome.captures.search.budget import Budget
from phonehome.captures.search.coordinates import is_place
from phonehome.captures.search.patterns import Pattern

MOST_PLACES = 1 << 15
"""Places of one pattern in one content that are looked at."""
MOST_REPORTED = 1 << 18
"""Places of all patterns in one content; the rest of it is not scanned then."""
MOST_MATCHES = 1 << 12
"""Matches of one pattern in one content; a text that says the same more often says no more."""

_Place = TypeVar("_Place", bound=tuple[int, ...])


class SearchUnavailableError(Exception):
    """Hyperscan is not installed; the message says what to install."""


class Match(NamedTuple):
    """A pattern that stands somewhere.

    Attributes:
        pattern: its place in the list.
        begin: place of its first octet.
        end: place behind its last octet.
    """

    pattern: int
    begin: int
    end: int


class Scanner:
    """Finds patterns in octets.

    Raises:
        SearchUnavailableError: there is no hyperscan on this machine.
        ValueError: hyperscan does not take the patterns.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        try:
            import hyperscan  # noqa: PLC0415 - not everywhere
        except ImportError as error:
            raise SearchUnavailableError(
                "searching for identifiers needs the package hyperscan: pip install hyperscan"
            ) from error
        self.patterns = patterns
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        flags = [hyperscan.HS_FLAG_CASELESS if one.is_caseless else 0 for one in patterns]
        expressions = [b"".join(b"\\x%02x" % octet for octet in one.octets) for one in patterns]
        try:
            self._database.compile(
                expressions=expressions,
                ids=list(range(len(patterns))),
                elements=len(patterns),
                flags=flags,
            )
        except hyperscan.error:  # its message may quote the pattern, which is a value
            raise ValueError("the identifiers are too many, or too long, to search for") from None
        self._ended = hyperscan.ScanTerminated
        self.longest = max(len(one.octets) for one in patterns)

    def matches(self, octets: bytes, budget: Budget | None = None) -> list[Match]:
        """The places at which patterns stand, by place; overlapping ones too.

        A number inside a longer one is none, nor is a latitude without its longitude. Of what
        stands at very many places the first are told, and the budget the number of the others.
        """
        if not octets:
            return []
        reported: list[tuple[int, int]] = []

        def report(number: int, _: int, end: int, *__: object) -> bool:
            """Note a place; whether there are so many that the scan must end."""
            reported.append((number, end))
            return len(reported) >= MOST_REPORTED

        with suppress(self._ended):
            self._database.scan(octets, match_event_handler=report)
        if not reported:
            return []
        places = _first_of_each(reported, MOST_PLACES)
        confirmed = list(self._confirmed(octets, places))
        found = _first_of_each(confirmed, MOST_MATCHES)
        if budget is not None:
            budget.left_out += len(reported) - len(places) + len(confirmed) - len(found)
            budget.left_out += len(reported) >= MOST_REPORTED
        return sorted(found, key=lambda match: match[1:])

    def _confirmed(self, octets: bytes, found: list[tuple[int, int]]) -> Iterator[Match]:
        for number, end in found:
            pattern = self.patterns[number]
            begin = end - len(pattern.octets)
            if pattern.trigger is not None:
                is_meant = is_place(octets, begin, pattern.trigger)
            else:
                is_meant = _is_alone(octets, begin, end, pattern.alphabet)
            if is_meant:
                yield Match(number, begin, end)


def _first_of_each(places: list[_Place], most: int) -> list[_Place]:
    """Of the places of each pattern, which they begin with, so many, in their order."""
    if len(places) <= most:
        return places
    seen: Counter[int] = Counter()
    found = []
    for place in places:
        seen[place[0]] += 1
        if seen[place[0]] <= most:
            found.append(place)
    return found


def _is_alone(octets: bytes, begin: int, end: int, alphabet: bytes) -> bool:
    """Whether neither neighbour is of the alphabet."""
    is_before = begin > 0 and octets[begin - 1] in alphabet
    return not is_before and not (end < len(octets) and octets[end] in alphabet)
