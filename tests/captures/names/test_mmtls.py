"""Records of MMTLS in any pieces, and the time that a hello states."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.faults import Moment
from phonehome.captures.names.mmtls import Hello, Record, RecordReader, client_hello, is_begin
from tests.captures.payloads import sized

TIME = 1_790_600_123


def hello(kind=1, suites=(b"\xc0\x2b", b"\x00\xa8"), time=TIME):
    """The content of a hello, as formats.md has it."""
    body = bytes([kind]) + b"\x04\xf1" + bytes([len(suites)]) + b"".join(suites) + bytes(32)
    return sized(body + time.to_bytes(4) + sized(b"", 4), 4)


def record(kind, content, version=0xF104):
    return bytes([kind]) + version.to_bytes(2) + sized(content, 2)


STREAM = (
    record(0x19, hello())
    + record(0x19, bytes(70), 0xF103)
    + record(0x17, bytes(400))
    + record(0x15, bytes(23))
)
RECORDS = [
    Record("early", len(hello()), Hello(TIME, "c02b,00a8")),
    Record("early", 70),
    Record("data", 400),
    Record("alert", 23),
]


def read(*pieces):
    reader = RecordReader()
    found = []
    for frame, piece in enumerate(pieces):
        found += reader.feed(piece, Moment(frame, 0))
    found += reader.finish()
    return [said for said, _ in found]


@given(st.lists(st.integers(0, len(STREAM)), max_size=8).map(sorted))
def test_records_are_found_however_they_are_cut(cuts):
    assert read(*(STREAM[a:b] for a, b in pairwise([0, *cuts, len(STREAM)]))) == RECORDS


def test_a_record_without_its_end_does_not_count():
    assert read(STREAM[:-1]) == RECORDS[:-1]


def test_what_follows_and_is_no_record_ends_the_reading():
    assert read(STREAM + b"\x16\x03\x03\0\5hello", STREAM) == RECORDS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (hello(), Hello(TIME, "c02b,00a8")),
        (hello(suites=()), Hello(TIME, "")),
        (hello(kind=2), None),
        (hello()[:40], None),
        (b"", None),
    ],
)
def test_a_hello_of_a_client_states_its_time_and_its_suites(content, said):
    assert client_hello(content) == said


@pytest.mark.parametrize(
    ("octets", "is_one"),
    [
        (b"\x16\xf1\x04\0\1", True),
        (b"\x19\xf1\x03\1\0", True),
        (b"\x16\xf1\x04\0\0", False),
        (b"\x18\xf1\x04\0\1", False),
        (b"\x16\x03\x04\0\1", False),
        (b"\x16\xf1\x04\0", False),
    ],
)
def test_a_record_begins_with_type_version_and_length(octets, is_one):
    assert is_begin(octets) is is_one


@given(st.binary(max_size=200))
def test_no_octets_raise(octets):
    read(octets, STREAM)
    client_hello(octets)
