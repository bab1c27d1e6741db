"""ClientHellos of DTLS: whole, in fragments, among others, and lies about lengths."""

from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.kernels.excerpts import DTLS
from phonehome.captures.limits import Limits
from phonehome.captures.names.dtls import DtlsReader
from phonehome.captures.names.faults import Moment
from phonehome.captures.names.reader import NameReader
from tests.captures.payloads import Piece, conversations, excerpts, server_name, sized

SIDE = (0, 0)


def hello(cookie=b""):
    """The content of a ClientHello of DTLS 1.2."""
    body = b"\xfe\xfd" + bytes(32) + b"\0" + sized(cookie, 1) + sized(b"\xc0\x2b", 2) + b"\1\0"
    return body + sized(server_name(b"call.example"), 2)


def fragment(content, begin, end, kind=1, size=None):
    head = bytes([kind]) + (size or len(content)).to_bytes(3) + b"\0\0"
    head += begin.to_bytes(3) + (end - begin).to_bytes(3)
    return b"\x16\xfe\xfd\0\0" + bytes(6) + sized(head + content[begin:end], 2)


def read(*datagrams):
    reader = DtlsReader()
    return [
        (message, moment.frame)
        for frame, octets in enumerate(datagrams, start=1)
        for message, moment in reader.read(SIDE, octets, Moment(frame, 0))
    ]


def test_a_hello_in_one_datagram_is_given_with_a_header_as_tls_has_it():
    content = hello()
    assert read(fragment(content, 0, len(content))) == [(b"\1" + sized(content, 3), 1)]


def test_a_hello_in_fragments_is_given_once_it_is_whole():
    content = hello(bytes(20))
    parts = [
        fragment(content, 40, len(content)),
        fragment(content, 0, 30),
        fragment(content, 20, 60),
    ]
    assert read(*parts) == [(b"\1" + sized(content, 3), 3)]
    assert read(b"".join(parts)) == [(b"\1" + sized(content, 3), 1)]


def test_other_messages_and_encrypted_records_say_nothing():
    content = hello()
    assert read(fragment(content, 0, len(content), kind=2)) == []
    assert read(b"\x17" + fragment(content, 0, len(content))[1:]) == []
    assert read(fragment(content, 0, len(content))[:3] + b"\0\1" + bytes(80)) == []


def test_lengths_that_lie_say_nothing():
    content = hello()
    assert read(fragment(content, 0, len(content), size=10)) == []
    assert read(fragment(content, 0, 10, size=1 << 20)) == []


def test_the_name_and_the_fingerprint_of_a_hello_with_a_cookie():
    content = hello(bytes(20))
    reader = NameReader(Limits())
    reader.add(excerpts(Piece(fragment(content, 0, len(content)), 4, DTLS)))
    table = reader.sightings(conversations(443, protocol="udp"))
    assert table.select("frame", "name", "source").rows() == [(4, "call.example", "sni")]
    (row,) = reader.hellos().select("name", "ja4").rows()
    assert row[0] == "call.example"
    assert row[1].startswith("dd2d0101")


@given(st.binary(max_size=200))
def test_no_octets_raise(octets):
    read(octets, b"\x16\xfe\xfd\0\0" + bytes(6) + sized(octets, 2))
