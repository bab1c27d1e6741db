"""Streams of requests and responses in any pieces: heads, bodies, and what follows them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.faults import Moment
from phonehome.captures.names.http import Request, Response
from phonehome.captures.names.http_bodies import Body
from phonehome.captures.names.http_messages import HttpReader
from tests.captures.cost import lines_run

GET = b"GET / HTTP/1.1\r\n"


def hosts(stream, cuts=()):
    """The hosts that a stream names that comes in pieces, each with the frame of its piece."""
    reader = HttpReader()
    found = []
    for frame, (begin, end) in enumerate(pairwise([0, *cuts, len(stream)])):
        found += reader.feed(stream[begin:end], Moment(frame, 0))
    return [(said.name, moment.frame) for said, moment in found if isinstance(said, Request)]


REQUESTS = (
    GET + b"Host: one\r\n\r\n"
    b"POST /up HTTP/1.1\r\nHost: two\r\nContent-Length: 40\r\n\r\n"
    b"GET /hidden HTTP/1.1\r\nHost: body\r\n\r\n...."
    b"\r\nPUT / HTTP/1.1\r\nHost: three\r\n\r\n"
)


@given(st.lists(st.integers(0, len(REQUESTS)), max_size=8).map(sorted))
def test_requests_in_a_row_are_found_however_they_are_cut(cuts):
    ends = [
        REQUESTS.index(b"\r\n\r\n", REQUESTS.index(name)) + 4 for name in (b"one", b"two", b"three")
    ]
    frames = [sum(cut < end for cut in cuts) for end in ends]
    assert hosts(REQUESTS, cuts) == list(zip((b"one", b"two", b"three"), frames, strict=True))


def test_what_follows_a_request_and_is_none_ends_the_reading():
    reader = HttpReader()
    stream = b"CONNECT a:443 HTTP/1.1\r\n\r\n\x16\x03\x01\0\5"
    assert [said.name for said, _ in reader.feed(stream, Moment(1, 0))] == [b"a"]
    assert reader.is_over
    assert list(reader.feed(REQUESTS, Moment(2, 0))) == []


def test_of_an_unfinished_head_the_frame_is_the_one_that_brought_the_host():
    reader = HttpReader()
    pieces = (REQUESTS[:10], REQUESTS[10:40], b"POST / HTTP/1.1\r\nHo", b"st: b\r\n", b"A: b\r\n")
    found = [
        said.name
        for frame, piece in enumerate(pieces, start=1)
        for said, _ in reader.feed(piece, Moment(frame, 0))
        if isinstance(said, Request)
    ]
    found += [(said.name, moment.frame) for said, moment in reader.finish()]
    assert found == [b"one", (b"b", 4)]
    assert list(reader.finish()) == []


@given(st.binary(max_size=200), st.lists(st.integers(0, 250), max_size=4).map(sorted))
def test_arbitrary_bytes_behind_a_request_line_end(octets, cuts):
    for name, _ in hosts(GET + octets + b"\r\n\r\n", [c for c in cuts if c <= 16 + len(octets)]):
        assert name is None or len(name) <= 255


FAMILIES = {
    "one byte a piece": lambda n: [b"%c" % octet for octet in GET + b"A: " + b"b" * n],
    "folded lines": lambda n: [GET + b"Host: a", *[b"\r\n b"] * n, b"\r\n\r\n"],
    "blank lines": lambda n: [b"\r\n"] * n + [GET],
    "requests": lambda n: [b"a / HTTP/1.1\n\n" * n],
    "bodies": lambda n: [b"a / HTTP/1.1\nContent-Length: 1\n\nx" * n],
    "hosts": lambda n: [GET + b"Host: a\r\n" * n + b"\r\n"],
}


@pytest.mark.parametrize("family", FAMILIES)
def test_twice_the_bytes_cost_twice_the_work(family):
    def read(count):
        reader = HttpReader()
        for frame, piece in enumerate(FAMILIES[family](count)):
            list(reader.feed(piece, Moment(frame, 0)))
        list(reader.finish())

    assert lines_run(lambda: read(400)) <= 2.3 * lines_run(lambda: read(200))


RESPONSES = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;a=b\r\nsec\r\n3\r\nond\r\n0\r\nTrailer: x\r\n\r\n"
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 90\r\n\r\n"
    b"HTTP/1.0 404 Not Found\r\n\r\nuntil the end"
)


def said_in(stream, cuts, *, is_response):
    reader = HttpReader(is_response=is_response)
    found = []
    for frame, (begin, end) in enumerate(pairwise([0, *cuts, len(stream)])):
        found += reader.feed(stream[begin:end], Moment(frame, 0))
    found += reader.finish()
    return [said for said, _ in found]


@given(st.lists(st.integers(0, len(RESPONSES)), max_size=8).map(sorted))
def test_responses_in_a_row_are_found_with_their_bodies_however_they_are_cut(cuts):
    found = said_in(RESPONSES, cuts, is_response=True)
    assert [one.status for one in found if isinstance(one, Response)] == [100, 200, 200, 304, 404]
    assert [one for one in found if isinstance(one, Body)] == [
        Body(b"first", 5, is_whole=True),
        Body(b"second", 6, is_whole=True),
        Body(b"until the end", 13, is_whole=False),
    ]


def test_the_answer_to_head_has_no_body_though_it_states_a_length():
    stream = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        b"HTTP/1.1 201 OK\r\nContent-Length: 1\r\n\r\nx"
    )
    for cuts in ([], [43], [50], [60]):
        found = said_in(stream, cuts, is_response=True)
        assert [one.status for one in found if isinstance(one, Response)] == [200, 201], cuts


def test_behind_a_change_of_protocol_nothing_is_read():
    stream = b"HTTP/1.1 101 Switching\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
    assert len(said_in(stream, [], is_response=True)) == 1


def test_the_body_of_a_request_comes_with_its_last_piece():
    reader = HttpReader()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    assert not reader.held_bytes
    (said,) = reader.feed(head + b"ab", Moment(1, 0))
    assert isinstance(said[0], Request)
    assert not reader.is_between
    assert list(reader.feed(b"cd", Moment(2, 0))) == [
        (Body(b"abcd", 4, is_whole=True), Moment(2, 0))
    ]
    assert reader.is_between


@given(st.binary(max_size=300), st.booleans())
def test_no_octets_raise(octets, is_response):
    begin = b"HTTP/1.1 200\r\n" if is_response else GET
    for cuts in ([], list(range(1, len(octets)))):
        said_in(begin + octets, cuts, is_response=is_response)
