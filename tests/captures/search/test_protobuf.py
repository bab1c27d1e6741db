"""Fields of protobuf, by the wire format alone."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.search.encodings import varint
from phonehome.captures.search.protobuf import MOST_DEPTH, fields


def message(number, octets):
    return bytes([number << 3 | 2]) + varint(len(octets)) + octets


def test_fields_have_paths_places_and_numbers():
    inner = b"\x08\x96\x01" + b"\x15" + struct.pack("<f", 1.5)
    octets = b"\x10\x07" + message(3, inner)
    found = {one.path: one for one in fields(octets)}
    assert found["2"].numbers[0] == 7
    assert found["3.1"].numbers[0] == 150
    assert found["3.2"].numbers[1] == 1.5
    assert octets[found["3"].begin : found["3"].end] == inner


def test_negative_numbers_are_read_in_both_ways():
    (one,) = fields(b"\x08" + varint((1 << 64) - 5))
    assert -5 in one.numbers
    (one,) = fields(b"\x08\x09")
    assert -5 in one.numbers


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x08", b"\x08\x96", b"\x0a\x05abc", b"\x00\x01", b"\x0f\x01", b"{}", b"\xff" * 11],
)
def test_what_is_no_message_has_no_fields(octets):
    assert fields(octets) == []


@given(st.binary(max_size=200))
def test_any_octets_are_read_to_their_end_or_not_at_all(octets):
    for one in fields(octets):
        assert 0 <= one.begin <= one.end <= len(octets)
        assert one.path.count(".") <= MOST_DEPTH


def test_messages_in_messages_cost_no_more_than_their_octets_and_depth():
    octets = b"\x08\x01"
    for _ in range(1_000):
        octets = message(1, octets)[:60_000]
    assert len(fields(octets)) <= 4_096
