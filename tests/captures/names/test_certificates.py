"""Certificates: what they say, and which host they name."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.certificates import MOST_NAMES, certified, host_of
from phonehome.captures.names.faults import Fault
from tests.captures.certifying import BEGIN, END, issued


def test_a_certificate_says_for_whom_by_whom_and_for_how_long():
    der, _ = issued("API.example.org", "*.example.org", common="api.example.org")
    said = certified(der)
    assert (said.subject, said.issuer) == ("api.example.org", "Parrot Authority")
    assert said.names == ("api.example.org", "*.example.org")
    assert (said.not_before, said.not_after, said.fault) == (BEGIN, END, None)
    assert len(said.sha256) == 64


def test_a_certificate_may_have_no_name_at_all():
    said = certified(issued()[0])
    assert (said.subject, said.names, said.fault) == (None, (), None)


def test_of_very_many_names_the_first_are_kept():
    said = certified(issued(*(f"n{number}.example" for number in range(2 * MOST_NAMES)))[0])
    assert len(said.names) == MOST_NAMES


def test_times_far_off_are_read():
    end = datetime(9999, 12, 31, tzinfo=UTC)
    assert certified(issued("a.example", end=end)[0]).not_after == end


@pytest.mark.parametrize(
    ("names", "subject", "host"),
    [
        (["api.example.org"], None, "api.example.org"),
        (["*.example.org"], "x", "*.example.org"),
        (["a.example", "b.example"], "B.example", "b.example"),
        (["a.example", "b.example"], "c.example", None),
        (["a.example", "b.example"], None, None),
        ([], "api.example.org", "api.example.org"),
        ([], "Parrot Router", None),
        ([], "localhost", None),
        (["a..example"], None, None),
        ([], None, None),
    ],
)
def test_it_names_a_host_where_it_is_for_one(names, subject, host):
    assert host_of(names, subject) == host


@given(st.binary(max_size=300))
def test_what_is_no_certificate_is_a_fault(octets):
    assert certified(octets).fault == Fault("certificate_malformed")


def test_a_certificate_with_a_serial_that_none_should_have_is_read_without_a_word(recwarn):
    der = bytearray(issued("api.example.org", common="api.example.org")[0])
    serial = der.index(b"\x02\x01\x02\x02") + 4  # behind the version
    length = der[serial]
    der[serial + 1 : serial + 1 + length] = bytes(length)
    assert certified(bytes(der)).names == ("api.example.org",)
    assert not recwarn.list


@given(st.data())
def test_a_damaged_certificate_is_read_or_a_fault(data):
    der = bytearray(issued("api.example.org", common="api.example.org")[0])
    for _ in range(3):
        der[data.draw(st.integers(0, 10_000)) % len(der)] = data.draw(st.integers(0, 255))
    said = certified(bytes(der))
    assert said.fault is None or said.names == ()
