"""The scanner against a slow twin: every place at which a pattern stands."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.search.budget import Budget
from phonehome.captures.search.hyperscan_door import (
    MOST_MATCHES,
    MOST_REPORTED,
    Match,
    Scanner,
    SearchUnavailableError,
)
from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.patterns import Pattern, patterns
from tests.captures.search.known import EMAIL

PATTERNS = patterns(
    [
        Identifier(label="mail", kind="email", value=EMAIL),
        Identifier(label="account", kind="account", value="2654017823"),
        Identifier(label="name", kind="contact", value="王小明的测试机"),
    ]
)
SCANNER = Scanner(PATTERNS)


def slow(octets):
    """The same matches, by looking at every place for every pattern."""
    for number, pattern in enumerate(PATTERNS):
        size = len(pattern.octets)
        for begin in range(len(octets) - size + 1):
            part = octets[begin : begin + size]
            if pattern.is_caseless:
                is_there = part.lower() == pattern.octets.lower()
            else:
                is_there = part == pattern.octets
            before, behind = octets[:begin][-1:], octets[begin + size :][:1]
            is_alone = not (before and before in pattern.alphabet) and not (
                behind and behind in pattern.alphabet
            )
            if is_there and (is_alone or not pattern.alphabet):
                yield Match(number, begin, begin + size)


PIECES = st.lists(
    st.one_of(
        st.binary(max_size=3),
        st.sampled_from([one.octets for one in PATTERNS]),
        st.sampled_from([one.octets.swapcase() for one in PATTERNS]),
    ),
    max_size=5,
).map(b"".join)


@given(PIECES)
def test_the_scanner_finds_what_its_slow_twin_finds(octets):
    assert sorted(SCANNER.matches(octets)) == sorted(slow(octets))


def test_nothing_stands_in_nothing():
    assert SCANNER.matches(b"") == []


def test_without_hyperscan_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperscan", None)
    with pytest.raises(SearchUnavailableError, match="pip install hyperscan"):
        Scanner(PATTERNS)


def test_of_what_stands_everywhere_the_first_places_are_told_and_the_rest_counted():
    octets = bytes(100_000) + EMAIL.encode()
    scanner = Scanner([Pattern(bytes(24), 0, (), 99.0), *PATTERNS])
    budget = Budget(len(octets))
    found = scanner.matches(octets, budget)
    zeros = [match.begin for match in found if match.pattern == 0]
    assert zeros == list(range(MOST_MATCHES))
    assert len(octets) - len(EMAIL) in {match.begin for match in found if match.pattern}
    assert budget.left_out == 100_000 - 23 - MOST_MATCHES


def test_a_scan_ends_where_there_is_too_much_to_tell():
    budget = Budget(1)
    Scanner([Pattern(bytes(24), 0, (), 99.0)]).matches(bytes(2 * MOST_REPORTED), budget)
    assert budget.left_out == MOST_REPORTED - MOST_MATCHES + 1


def test_what_hyperscan_does_not_take_is_refused_without_its_octets():
    with pytest.raises(ValueError, match="too long") as refused:
        Scanner([Pattern(b"secret" * 4_000, 0, (), 99.0)])
    assert refused.value.__suppress_context__
