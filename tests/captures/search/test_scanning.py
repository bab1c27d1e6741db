"""The scanner against a slow twin: every place at which a pattern stands."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.search.identifiers import Identifier
from captures.search.patterns import patterns
from captures.search.scanning import Match, Scanner, SearchUnavailableError
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
