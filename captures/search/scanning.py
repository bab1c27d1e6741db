"""The one door to hyperscan, which finds all patterns in one pass over octets.

Hyperscan (Wang et al., NSDI 2019) is compiled code, and has no build for every machine: where it
is missing, there is no search, and the rest of the program works.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from captures.search.patterns import Pattern
from captures.search.places import is_place


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
        self._database.compile(
            expressions=expressions,
            ids=list(range(len(patterns))),
            elements=len(patterns),
            flags=flags,
        )
        self.longest = max(len(one.octets) for one in patterns)

    def matches(self, octets: bytes) -> list[Match]:
        """Every place at which a pattern stands, by place; overlapping ones too.

        A number inside a longer one is none, nor is a latitude without its longitude.
        """
        if not octets:
            return []
        found: list[tuple[int, int]] = []
        self._database.scan(
            octets, match_event_handler=lambda number, _, end, *__: found.append((number, end))
        )
        return sorted(self._confirmed(octets, found), key=lambda match: match[1:])

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


def _is_alone(octets: bytes, begin: int, end: int, alphabet: bytes) -> bool:
    """Whether neither neighbour is of the alphabet."""
    is_before = begin > 0 and octets[begin - 1] in alphabet
    return not is_before and not (end < len(octets) and octets[end] in alphabet)
