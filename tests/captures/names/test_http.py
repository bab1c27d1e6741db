import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.faults import Fault
from phonehome.captures.names.http import (
    HEADERS,
    Request,
    head_end,
    is_begin,
    is_response_begin,
    request,
    response,
)
from phonehome.captures.names.http_bodies import Framing

GET = b"GET / HTTP/1.1\r\n"


def host(head):
    """The host that a head names."""
    found = request(head)
    assert found is not None
    return found.name


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
    assert request(GET + b"Host: a\r\nHost: b\r\n\r\n")[0:4:3] == (b"a", Fault("http_two_hosts"))
    assert request(GET + b"Host: a\r\nhost: A:80\r\n\r\n")[0:4:3] == (b"a", None)


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


@given(st.text(alphabet="Hhost:\r\n \t[]8a", max_size=80).map(str.encode))
def test_heads_made_of_the_letters_that_matter_end(octets):
    found = request(GET + octets + b"\r\n\r\n")
    assert isinstance(found, Request)
    assert found.end <= len(GET + octets) + 4


def test_a_request_says_what_it_wants_and_brings():
    said = request(
        b"POST /up?a=b HTTP/1.1\r\nHost: a\r\nUser-Agent: Parrot/1 (x; y)\r\n"
        b"content-type: text/plain\r\nContent-Length: 12\r\nContent-Encoding: gzip\r\n\r\n"
    )
    assert (said.method, said.target, said.agent) == (b"POST", b"/up?a=b", b"Parrot/1 (x; y)")
    assert (said.content_type, said.coding, said.framing) == (b"text/plain", b"gzip", Framing(12))


@pytest.mark.parametrize(
    ("lines", "framing"),
    [
        (b"", Framing(None)),
        (b"Content-Length: 5\r\n", Framing(5)),
        (b"Content-Length: 5\r\nContent-Length: 7\r\n", Framing(5)),
        (b"Content-Length: -5\r\n", Framing(None)),
        (b"Content-Length: 1234567890123456\r\n", Framing(None)),
        (b"Transfer-Encoding: gzip, Chunked\r\n", Framing(None, is_chunked=True)),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Framing(5, is_chunked=True)),
    ],
)
def test_the_end_of_a_body_is_told_by_the_head(lines, framing):
    said = response(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Type: a/b\r\n\r\n")
    assert (said.status, said.framing, said.content_type) == (200, framing, b"a/b")


@pytest.mark.parametrize("status", [100, 101, 103, 204, 304])
def test_some_responses_have_no_body_whatever_they_say(status):
    said = response(b"HTTP/1.1 %d X\r\nContent-Length: 5\r\n\r\n" % status)
    assert said.framing == Framing(0)
    assert said.is_final == (status not in (100, 103))
    assert said.is_switch == (status == 101)


@pytest.mark.parametrize(
    "line", [b"HTTP/2 200", b"HTTP/1.1 20", b"HTTP/1.1 2000 OK", b"GET / HTTP/1.1", b""]
)
def test_what_is_no_status_line_says_nothing(line):
    assert response(line + b"\r\n\r\n") is None


def test_a_response_begins_with_its_version():
    assert is_response_begin(b"HTTP/1.1 200")
    assert is_response_begin(b"HT")
    assert not is_response_begin(b"HTTP/2")
    assert not is_response_begin(b"")


@given(st.binary(max_size=120))
def test_any_octets_behind_a_status_line_are_read(octets):
    assert response(b"HTTP/1.0 200\r\n" + octets).status == 200
