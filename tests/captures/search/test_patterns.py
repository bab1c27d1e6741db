"""Patterns: what gives an identifier away, and how unlikely that is by chance."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.search.hyperscan_door import Scanner
from phonehome.captures.search.known_values import Identifier
from phonehome.captures.search.patterns import LEAST_BITS, LEAST_OCTETS, MOST_OCTETS, patterns
from tests.captures.search.known import EMAIL, IDENTIFIERS, KEY


def test_no_pattern_is_short_or_likely():
    for pattern in patterns(IDENTIFIERS):
        assert len(pattern.octets) >= LEAST_OCTETS or pattern.trigger
        assert pattern.bits >= LEAST_BITS


def test_a_pattern_stands_once_per_identifier():
    found = [(one.identifier, one.octets, one.is_caseless) for one in patterns(IDENTIFIERS)]
    assert len(found) == len(set(found))


def test_an_identifier_that_is_too_short_is_named_by_its_label_and_not_by_its_value():
    with pytest.raises(ValueError, match="pin: too short") as refused:
        patterns([Identifier(label="pin", kind="text", value="999999")])
    assert "999999" not in str(refused.value)


@given(before=st.binary(max_size=7), behind=st.binary(max_size=7))
def test_base64_is_found_wherever_a_value_stands_in_it(before, behind):
    folded = base64.b64encode(before + EMAIL.encode() + behind)
    known = [
        one.octets
        for one in patterns([Identifier(label="x", kind="email", value=EMAIL)])
        if one.steps == ("base64",)
    ]
    assert any(octets in folded for octets in known)


def test_a_number_is_told_from_a_longer_one():
    (text,) = (
        one
        for one in patterns([Identifier(label="x", kind="account", value="2654017823")])
        if not one.steps
    )
    assert text.alphabet == b"0123456789"
    assert text.bits == pytest.approx(33.2, abs=0.1)


@pytest.mark.parametrize("text", ["Ab 3", "王小明的", "x" * 7 + "é"])
def test_the_longest_value_is_looked_for_and_a_longer_one_refused_by_its_label(text):
    value = (text * MOST_OCTETS).encode()[:MOST_OCTETS].decode(errors="ignore")
    longest = Identifier(label="essay", kind="ssid", value=value, keys=(KEY,))
    Scanner(patterns([longest]))
    longer = Identifier(label="essay", kind="text", value=value + text * 2)
    with pytest.raises(ValueError, match="essay: longer than 1,024 octets") as refused:
        patterns([longer])
    assert text not in str(refused.value)


def test_a_piece_of_a_file_is_as_unlikely_as_its_octets_differ():
    content = bytes(range(8)) * 3
    (plain,) = (
        one
        for one in patterns([Identifier(label="x", kind="file", content=content)])
        if one.steps == ("piece 1 of 1",)
    )
    assert plain.bits == pytest.approx(3 * 24)
