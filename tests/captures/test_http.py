from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures.http import HEADERS, Request, RequestReader, head_end, is_begin, request
from captures.readings import Fault, Moment
from tests.captures.cost import lines_run

GET = b"GET / HTTP/1.1\r\n"


def host(head):
    """The host that a head names."""
    found = request(head)
    assert found is not None
    return found.name


def hosts(stream, cuts=()):
    """The hosts that a stream names that comes in pieces, each with the frame of its piece."""
    reader = RequestReader()
    found = []
    for frame, (begin, end) in enumerate(pairwise([0, *cuts, len(stream)])):
        found += reader.feed(stream[begin:end], Moment(frame, 0))
    return [(said.name, moment.frame) for said, moment in found]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"Host: example.com", b"example.com"),
        (b"hOST:example.com", b"example.com"),
        (b"Host : example.com \t", b"example.com"),
        (b"Host: example.com:8080", b"example.com"),
        (b"Host: example.com:", b"example.com"),
        (b"Host: 192.0.2.1:80", b"192.0.2.1"),
        (b"Host: [FF02::C]:1900", b"[FF02::C]"),
        (b"Host: [2001:db8::1]", b"[2001:db8::1]"),
        (b"Host: 2001:db8::1", b"2001:db8::1"),
        (b"Host: a:b", b"a:b"),
        (b"Host:\r\n  example.com", b"example.com"),
        (b"Host: a\r\n\tb", b"a b"),
        (b"X: y\r\n Host: folded\r\nHost: example.com", b"example.com"),
        (b"Xhost: other\r\nHost: example.com", b"example.com"),
        (b"Host:", None),
        (b"Accept: */*", None),
    ],
)
def test_the_host_line_names_the_host(line, name):
    assert host(GET + b"A: b\r\n" + line + b"\r\n\r\n") == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (b"GET http://example.com/a?b HTTP/1.1", b"example.com"),
        (b"GET HTTP://example.com:81 HTTP/1.0", b"example.com"),
        (b"GET http://user:secret@example.com/ HTTP/1.1", b"example.com"),
        (b"GET http://[2001:db8::1]:81/ HTTP/1.1", b"[2001:db8::1]"),
        (b"GET http://example.com?@other HTTP/1.1", b"example.com"),
        (b"CONNECT example.com:443 HTTP/1.1", b"example.com"),
        (b"OPTIONS * HTTP/1.1", None),
        (b"GET /http://example.com/ HTTP/1.1", None),
    ],
)
def test_without_a_host_line_the_target_names_the_host(line, name):
    assert host(line + b"\r\n\r\n") == name
    assert host(line + b"\r\nHost: \r\n\r\n") == name
    assert host(line + b"\r\nHost: first\r\n\r\n") == b"first"


@pytest.mark.parametrize("method", [b"GET", b"M-SEARCH", b"x", b"!#$%&'*+.^_`|~09"])
def test_every_token_is_a_method(method):
    assert host(method + b" / HTTP/1.1\r\nHost: a\r\n\r\n") == b"a"


@pytest.mark.parametrize(
    "line",
    [
        b"HTTP/1.1 200 OK",
        b"OPTIONS sip:a SIP/2.0",
        b"SETUP rtsp://a/ RTSP/1.0",
        b"PRI * HTTP/2.0",
        b"GET /",
        b"G\xc3T / HTTP/1.1",
        b" GET / HTTP/1.1",
        b"x" * 33 + b" / HTTP/1.1",
        b"",
    ],
)
def test_what_is_no_request_of_http_1_says_nothing(line):
    assert request(line + b"\r\nHost: a\r\n\r\n") is None


def test_lines_may_end_without_a_carriage_return():
    assert host(b"GET / HTTP/1.1\nHost: a\n\n") == b"a"


def test_the_first_of_two_hosts_counts_and_their_difference_is_odd():
    assert request(GET + b"Host: a\r\nHost: b\r\n\r\n")[0::3] == (b"a", Fault("http_two_hosts"))
    assert request(GET + b"Host: a\r\nhost: A:80\r\n\r\n")[0::3] == (b"a", None)


def test_a_host_of_more_than_255_octets_is_left_out():
    said = request(GET + b"Host: " + b"x" * 256 + b"\r\n\r\n")
    assert (said.name, said.fault) == (None, Fault("name_too_long", 256, 255))
    assert host(GET + b"Host: " + b"x" * 255 + b"\r\n\r\n") == b"x" * 255


@pytest.mark.parametrize(("before", "is_seen"), [(HEADERS - 1, True), (HEADERS, False)])
def test_the_first_200_lines_are_looked_at(before, is_seen):
    said = request(GET + b"A: b\r\n" * before + b"Host: a\r\n\r\n")
    assert (said.name, said.is_cut) == ((b"a", False) if is_seen else (None, True))


def test_a_head_without_its_end_gives_the_host_once_its_line_is_whole():
    head = GET + b"Host: example.com\r\nA: b"
    line_end = head.index(b"\nA") + 1
    for size in range(len(GET), len(head)):
        assert host(head[:size]) == (b"example.com" if size >= line_end else None)


def test_the_end_of_a_head_is_its_empty_line():
    assert head_end(GET + b"\r\nbody", 0) == len(GET) + 2
    assert head_end(b"a\n\nb", 0) == 3
    assert head_end(b"a\r\nb\r\n", 0) == 0


def test_a_token_and_a_space_can_begin_a_request():
    assert is_begin(b"GET ")
    assert is_begin(b"GE")
    assert not is_begin(b"\x16\x03\x01")
    assert not is_begin(b"a\r\nb")


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
    reader = RequestReader()
    stream = b"CONNECT a:443 HTTP/1.1\r\n\r\n\x16\x03\x01\0\5"
    assert [said.name for said, _ in reader.feed(stream, Moment(1, 0))] == [b"a"]
    assert reader.is_over
    assert list(reader.feed(REQUESTS, Moment(2, 0))) == []


def test_of_an_unfinished_head_the_frame_is_the_one_that_brought_the_host():
    reader = RequestReader()
    pieces = (REQUESTS[:10], REQUESTS[10:40], b"POST / HTTP/1.1\r\nHo", b"st: b\r\n", b"A: b\r\n")
    found = [
        said.name
        for frame, piece in enumerate(pieces, start=1)
        for said, _ in reader.feed(piece, Moment(frame, 0))
    ]
    found += [(said.name, moment.frame) for said, moment in reader.finish()]
    assert found == [b"one", (b"b", 4)]
    assert list(reader.finish()) == []


@given(st.binary(max_size=200), st.lists(st.integers(0, 250), max_size=4).map(sorted))
def test_arbitrary_bytes_behind_a_request_line_end(octets, cuts):
    for name, _ in hosts(GET + octets + b"\r\n\r\n", [c for c in cuts if c <= 16 + len(octets)]):
        assert name is None or len(name) <= 255


@given(st.text(alphabet="Hhost:\r\n \t[]8a", max_size=80).map(str.encode))
def test_heads_made_of_the_letters_that_matter_end(octets):
    found = request(GET + octets + b"\r\n\r\n")
    assert isinstance(found, Request)
    assert found.end <= len(GET + octets) + 4


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
        reader = RequestReader()
        for frame, piece in enumerate(FAMILIES[family](count)):
            list(reader.feed(piece, Moment(frame, 0)))
        list(reader.finish())

    assert lines_run(lambda: read(400)) <= 2.3 * lines_run(lambda: read(200))
