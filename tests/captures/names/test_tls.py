"""OpenSSL writes hellos of the usual form; hellos that lie are built by hand."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.faults import Fault, Moment
from phonehome.captures.names.tls import Hello, HelloReader, hello, whole_hello
from tests.captures.cost import lines_run
from tests.captures.payloads import hello_message, openssl_hello, records, server_name, sized

NAME = b"api.example.com"
MESSAGE = hello_message(server_name(NAME))
NO_NAME = hello_message()


def name_in(octets, cuts=()):
    """The name that a stream gives that comes in pieces, and the frame that completes it."""
    reader = HelloReader()
    found = []
    for frame, (begin, end) in enumerate(pairwise([0, *cuts, len(octets)])):
        found += reader.feed(octets[begin:end], Moment(frame, 0))
    return [(said.name, moment.frame) for said, moment in found]


@pytest.mark.parametrize("name", ["a.example", "xn--80ak6aa92e.com", "x" * 63 + ".example"])
def test_the_name_in_a_hello_of_openssl_is_found(name):
    assert whole_hello(openssl_hello(name)).name == name.encode()


def test_a_hello_of_openssl_without_a_name_gives_none():
    octets = openssl_hello(None)
    assert whole_hello(octets) == Hello(None, message=octets[5:])


def test_a_hello_without_extensions_gives_no_name():
    body = b"\x03\x01" + bytes(32) + b"\0" + sized(b"\0\x2f", 2) + sized(b"\0", 1)
    assert hello(b"\x01" + sized(body, 3)) == Hello(None)


def test_an_empty_name_is_none():
    assert hello(hello_message(server_name(b""))) == Hello(None)


def test_a_name_of_another_type_than_host_is_passed_over():
    names = b"\x05" + sized(b"other", 2) + b"\x00" + sized(NAME, 2)
    assert hello(hello_message(b"\0\0" + sized(sized(names, 2), 2))).name == NAME


def test_a_name_of_more_than_255_octets_is_left_out():
    assert hello(hello_message(server_name(b"x" * 256))).fault == Fault("name_too_long", 256, 255)
    assert hello(hello_message(server_name(b"x" * 255))).name == b"x" * 255


@pytest.mark.parametrize("stream", [b"\x16\x03\x01", b"\x17\x03\x03\0\1\1", b"\x16\xf1\x04\0\5\1"])
def test_bytes_that_are_no_hello_are_dropped_in_silence(stream):
    reader = HelloReader()
    assert whole_hello(stream + bytes(60)) is None
    assert list(reader.feed(stream + bytes(60), Moment(1, 0))) == []
    assert list(reader.finish()) == []
    assert reader.is_over


def test_another_handshake_message_is_no_hello():
    stream = records(b"\x02" + MESSAGE[1:])
    reader = HelloReader()
    assert whole_hello(stream) is None
    assert list(reader.feed(stream, Moment(1, 0))) == []
    assert reader.is_over


@given(st.data())
def test_a_name_is_found_however_records_and_pieces_split_it(data):
    offsets = st.lists(st.integers(1, len(MESSAGE) - 1), unique=True, max_size=5).map(sorted)
    stream = records(MESSAGE, *data.draw(offsets))
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=5).map(sorted))
    rest = data.draw(st.binary(max_size=20))
    assert name_in(stream + rest, cuts) == [(NAME, sum(cut < len(stream) for cut in cuts))]


def test_a_hello_in_one_record_is_read_at_once_whatever_follows():
    assert whole_hello(records(MESSAGE) + b"more").name == NAME
    assert whole_hello(records(MESSAGE + b"\x0e\0\0\0")).name == NAME
    assert whole_hello(records(MESSAGE, 50)) is None
    assert whole_hello(records(MESSAGE)[:-1]) is None


@pytest.mark.parametrize("size", range(len(MESSAGE)))
def test_a_hello_without_its_end_gives_the_name_if_that_is_there(size):
    name_end = MESSAGE.index(NAME) + len(NAME)
    expected = Hello(NAME, name_end) if size >= name_end else Hello(None)
    assert hello(MESSAGE[:size]) == expected


def test_of_an_unfinished_hello_the_frame_is_the_one_that_brought_the_name():
    message = hello_message(server_name(NAME), b"\0\x10" + sized(bytes(100), 2))
    stream = records(message, 30)
    name_end = stream.index(NAME) + len(NAME)
    reader = HelloReader()
    pieces = (
        stream[: name_end - 1],
        stream[name_end - 1 : name_end + 5],
        stream[name_end + 5 : -1],
    )
    for frame, piece in enumerate(pieces, start=1):
        assert list(reader.feed(piece, Moment(frame, 0))) == []
    [(said, moment)] = reader.finish()
    assert (said.name, moment.frame) == (NAME, 2)
    assert list(reader.finish()) == []


def test_a_record_that_cannot_follow_ends_the_hello_with_what_is_there():
    reader = HelloReader()
    cut = MESSAGE.index(NAME) + len(NAME)
    stream = records(hello_message(server_name(NAME), bytes(4)), cut)
    broken = stream.replace(b"\x16\x03\x01\0\4", b"\x17\x03\x01\0\4")
    assert list(reader.feed(broken, Moment(3, 0))) == []
    assert reader.is_over
    [(said, moment)] = reader.finish()
    assert (said.name, moment.frame) == (NAME, 3)


@pytest.mark.parametrize(
    ("at", "width"),
    [(38, 1), (71, 2), (75, 1), (77, 2), (81, 2), (94, 2)],
    ids=["session", "suites", "compression", "extensions", "padding", "name extension"],
)
def test_a_length_that_reaches_beyond_the_hello_is_a_lie(at, width):
    for value in (1 << 8 * width) - 1, (1 << 8 * width) - 2:
        broken = MESSAGE[:at] + value.to_bytes(width, "big") + MESSAGE[at + width :]
        said = hello(broken)
        assert said.name is not None or said.fault is not None


def test_a_name_beyond_its_extension_is_a_lie():
    extension = bytearray(server_name(NAME))
    extension[8] += 1
    fault = hello(hello_message(bytes(extension), bytes(4))).fault
    assert fault == Fault("tls_malformed", len(NAME) + 1, len(NAME))


def test_an_extension_beyond_the_extensions_is_a_lie():
    message = bytearray(NO_NAME)
    message[81 + 1] += 1
    assert hello(bytes(message)).fault == Fault("tls_malformed", len(message) + 1, len(message))


@given(st.binary(max_size=120), st.lists(st.integers(1, 150), max_size=3).map(sorted))
def test_arbitrary_bytes_in_a_hello_end(octets, cuts):
    stream = b"\x16\x03\x01\0\x7f\x01\0\0\x60" + octets
    reader = HelloReader()
    for begin, end in pairwise([0, *cuts, 1_000]):
        for said, _ in reader.feed(stream[begin:end], Moment(1, 0)):
            assert said.name is None or said.name in stream
    for said, _ in reader.finish():
        assert said.name is None or len(said.name) <= 255


@given(st.data())
def test_wrong_bytes_in_a_hello_end(data):
    message = bytearray(MESSAGE)
    for _ in range(data.draw(st.integers(1, 4))):
        message[data.draw(st.integers(0, len(message) - 1))] = data.draw(st.integers(0, 255))
    said = hello(bytes(message))
    assert said.name is None or said.name in bytes(message)


def byte_by_byte(count):
    """A hello of `count` empty extensions and no name, in records of one byte, each in a piece."""
    message = hello_message(b"\xfa\xfa\0\0" * count)
    stream = records(message, *range(1, len(message)))
    reader = HelloReader()
    for frame in range(len(stream)):
        for said, _ in reader.feed(stream[frame : frame + 1], Moment(frame, 0)):
            assert said == Hello(None, message=message)
    assert reader.is_over


def test_twice_the_pieces_cost_twice_the_work():
    assert lines_run(lambda: byte_by_byte(400)) <= 2.3 * lines_run(lambda: byte_by_byte(200))
