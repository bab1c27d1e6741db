"""What servers say in the clear: OpenSSL's own handshakes, cut and lied about."""

import ssl
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.certificates import certified
from phonehome.captures.names.faults import Fault, Moment
from phonehome.captures.names.server_hello import (
    Certificate,
    ServerHello,
    ServerReader,
    first_certificate,
    server_hello,
    whole_flight,
)
from tests.captures.certifying import handshake, issued
from tests.captures.payloads import sized

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@cache
def flight(version):
    """What OpenSSL sends first as a server of this version."""
    return handshake(issued("api.example.org"), version)


def read(stream, *cuts):
    reader = ServerReader()
    found = []
    ends = [*cuts, len(stream)]
    for frame, (begin, end) in enumerate(zip([0, *cuts], ends, strict=True)):
        found += [said for said, _ in reader.feed(stream[begin:end], Moment(frame, 0))]
    return found, reader


def test_a_server_of_tls_1_2_chooses_and_shows_its_certificate():
    (hello, certificate), reader = read(flight(TLS_1_2))
    assert (hello.version, hello.alpn, hello.fault) == (0x0303, b"h2", None)
    assert hello.cipher in {0xC02B, 0xC02C, 0xCCA9}
    assert certified(certificate.der).names == ("api.example.org",)
    assert reader.is_over


def test_a_server_of_tls_1_3_chooses_and_hides_the_rest():
    (hello,), reader = read(flight(TLS_1_3))
    assert hello.version == 0x0304
    assert hello.cipher in {0x1301, 0x1302, 0x1303}
    assert (hello.alpn, reader.is_over) == (None, True)


@given(st.data())
def test_it_is_read_however_it_is_cut(data):
    stream = flight(TLS_1_2)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    assert read(stream, *cuts)[0] == read(stream)[0]


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_of_a_flight_that_is_cut_nothing_is_claimed_that_is_not_whole(version):
    whole = read(flight(version))[0]
    for size in range(0, len(flight(version)), 7):
        found, reader = read(flight(version)[:size])
        assert found == whole[: len(found)]
        assert list(reader.finish()) == []


def test_lengths_that_lie_are_faults():
    hello = b"\x02" + sized(
        b"\3\3" + bytes(32) + b"\0" + b"\x13\x01\0" + sized(b"\0\x2b\0\x09\3\4", 2), 3
    )
    assert server_hello(hello).fault == Fault("tls_malformed", len(hello) + 7, len(hello))
    assert server_hello(hello[:40]) is None
    message = b"\x0b" + sized(sized(b"\0\0\x09abc", 3), 3)
    assert first_certificate(message) == Certificate(b"", Fault("tls_malformed", 19, 13))
    assert first_certificate(b"\x0b" + sized(b"\0\0\0", 3)) is None


def test_a_message_that_states_too_much_ends_the_reading():
    stream = b"\x16\3\3" + sized(b"\x0b\x10\0\0" + bytes(100), 2)
    found, reader = read(stream)
    assert (found, reader.is_over, reader.held_bytes) == ([], True, 0)


@given(st.binary(max_size=200))
def test_no_octets_raise(octets):
    for found in (read(octets)[0], read(b"\x16\3\3" + sized(octets, 2))[0]):
        assert all(isinstance(one, ServerHello | Certificate) for one in found)
    server_hello(b"\x02" + sized(octets, 3))
    first_certificate(b"\x0b" + sized(octets, 3))


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_flight_in_one_piece_is_read_at_once_and_alike(version):
    stream = flight(version)
    wanted = read(stream)[0]
    assert whole_flight(stream) == wanted
    for size in range(len(stream)):
        assert whole_flight(stream[:size]) in (None, wanted)


@given(st.binary(max_size=60), st.integers(0, 200))
def test_a_damaged_flight_is_read_alike_or_left(octets, at):
    stream = flight(TLS_1_2)
    damaged = stream[:at] + octets + stream[at + len(octets) :]
    at_once = whole_flight(damaged)
    assert at_once is None or at_once == read(damaged)[0]
