from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.kernels.excerpts import DATAGRAM, DNS_STREAM, REQUEST_DATAGRAM
from phonehome.captures.limits import Limits
from phonehome.captures.names.reader import NameReader
from tests.captures.cost import lines_run
from tests.captures.payloads import (
    REMOTE,
    Piece,
    conversations,
    dns_answer,
    excerpts,
    hello,
    hello_message,
    records,
    server_name,
    sized,
)

ADDRESS = b"\xcb\x00\x71\x09"
HELLO = hello(b"app.example")
LONG_HELLO = records(hello_message(server_name(b"app.example"), b"\0\x10" + sized(bytes(60), 2)))
REQUEST = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"


def read(*pieces, windows=1, **limits):
    """A reader that has read these pieces, in so many windows."""
    pending_bytes = limits.pop("pending_bytes", 64 << 20)
    reader = NameReader(Limits(**limits), pending_bytes=pending_bytes)
    size = -(-len(pieces) // windows) or 1
    for begin in range(0, len(pieces), size):
        reader.add(excerpts(*pieces[begin : begin + size]))
    return reader


def seen(reader, *ports):
    """Frame and name of each sighting."""
    table = reader.sightings(conversations(*(ports or (443,))))
    return table.select("frame", "name").rows()


def cut(stream, *cuts, message=0, first_frame=1):
    """A stream in pieces that end at these offsets, each in a frame of its own."""
    ends = pairwise([0, *cuts, len(stream)])
    return [
        Piece(stream[begin:end], frame, message=message, position=message + begin)
        for frame, (begin, end) in enumerate(ends, start=first_frame)
    ]


def test_a_hello_and_a_request_in_one_piece_are_seen_in_its_frame():
    reader = read(Piece(HELLO, 3), Piece(REQUEST, 5, conversation=1))
    assert reader.sightings(conversations(443, 80)).drop("time").rows() == [
        (3, 0, False, REMOTE, 443, "app.example", "sni"),
        (5, 1, False, REMOTE, 80, "web.example", "http_host"),
    ]
    assert reader.oddities().is_empty()
    assert reader.limits_hit == {}


def test_a_datagram_of_dns_and_one_of_ssdp_are_seen():
    search = b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n"
    reader = read(
        Piece(dns_answer(b"a.example", ADDRESS), 1, DATAGRAM, is_from_b=True),
        Piece(search, 2, REQUEST_DATAGRAM, conversation=1),
    )
    table = reader.sightings(conversations(53, 1900, protocol="udp"))
    assert table.select("frame", "address", "port", "name", "source").rows() == [
        (1, "203.0.113.9", None, "a.example", "dns"),
        (2, REMOTE, 1900, "239.255.255.250", "http_host"),
    ]


def test_an_empty_window_and_empty_pieces_say_nothing():
    reader = read(Piece(b""), Piece(b"", kind=DNS_STREAM), Piece(b"", kind=REQUEST_DATAGRAM))
    reader.add(excerpts())
    assert seen(reader) == []


def test_the_frame_of_a_split_message_is_the_one_that_completes_it():
    assert seen(read(*cut(HELLO, 10, 60))) == [(3, "app.example")]
    assert seen(read(*cut(REQUEST, 5, len(REQUEST) - 1), windows=3)) == [(3, "web.example")]


def test_out_of_order_the_frame_is_the_one_that_closes_the_last_gap():
    first, second, third = cut(HELLO, 20, 70)
    assert seen(read(third, first, second)) == [(2, "app.example")]


@pytest.mark.parametrize("stream", [HELLO, REQUEST])
def test_a_retransmitted_message_is_seen_once(stream):
    pieces = cut(stream, 8)
    again = cut(stream, 8, first_frame=7)
    assert seen(read(Piece(stream, 1), Piece(stream, 2), *again)) == [(1, seen_name(stream))]
    assert seen(read(*pieces, *again, Piece(stream, 9))) == [(2, seen_name(stream))]


def seen_name(stream):
    return "app.example" if stream is HELLO else "web.example"


@pytest.mark.parametrize("stream", [HELLO, REQUEST])
@given(data=st.data())
def test_a_message_is_seen_once_however_its_pieces_overlap_repeat_and_come(stream, data):
    spans = st.tuples(st.integers(0, len(stream) - 1), st.integers(1, len(stream)))
    extra = data.draw(st.lists(spans, max_size=6))
    cuts = data.draw(st.lists(st.integers(1, len(stream) - 1), max_size=4).map(sorted))
    parts = [*extra, *((begin, end - begin) for begin, end in pairwise([0, *cuts, len(stream)]))]
    parts = data.draw(st.permutations(parts))
    pieces = [
        Piece(stream[begin : begin + size], frame, position=begin)
        for frame, (begin, size) in enumerate(parts, start=1)
    ]
    covered, complete = set(), 0
    for piece in pieces:
        covered |= set(range(piece.position, piece.position + len(piece.octets)))
        complete = complete or (piece.frame if len(covered) == len(stream) else 0)
    reader = read(*pieces, windows=data.draw(st.integers(1, 3)))
    assert seen(reader) == [(complete, seen_name(stream))]


def test_of_pieces_that_differ_the_first_copy_wins():
    forged = HELLO.replace(b"app", b"xyz")
    begin = HELLO.index(b"app")
    pieces = [
        Piece(HELLO[begin:], 1, position=begin),
        Piece(forged[20:], 2, position=20),
        Piece(HELLO[:20], 3),
    ]
    assert seen(read(*pieces)) == [(3, "app.example")]


def test_messages_of_other_ends_incarnations_and_positions_are_apart():
    pieces = [
        Piece(HELLO, 1),
        Piece(HELLO, 2, is_from_b=True),
        Piece(HELLO, 3, incarnation=1),
        Piece(HELLO, 4, message=1_000, position=1_000),
        Piece(HELLO, 5, conversation=1),
    ]
    assert [frame for frame, _ in seen(read(*pieces), 443, 443)] == [1, 2, 3, 4, 5]


def test_positions_may_be_below_zero():
    pieces = cut(HELLO, 30, message=-1_000)
    assert seen(read(*reversed(pieces))) == [(1, "app.example")]


def test_requests_in_one_piece_are_all_seen():
    reader = read(Piece(REQUEST + REQUEST.replace(b"web", b"two"), 4))
    assert seen(reader) == [(4, "web.example"), (4, "two.example")]


def test_what_follows_a_settled_message_may_be_another():
    again = REQUEST.replace(b"web", b"two")
    size = len(REQUEST)
    reader = read(Piece(REQUEST, 1), Piece(REQUEST[5:] + again, 2, position=5))
    assert seen(reader) == [(1, "web.example"), (2, "two.example")]
    reader = read(
        Piece(REQUEST, 1),
        Piece(again, 2, position=size + 100),
        Piece(again, 3, position=size + 100),
    )
    assert seen(reader) == [(1, "web.example"), (2, "two.example")]


def test_the_body_of_a_request_is_no_request():
    post = b"POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 100\r\n\r\n"
    hidden = REQUEST.replace(b"web", b"hidden")
    assert seen(read(Piece(post, 1), Piece(hidden, 2, position=len(post)))) == [(1, "web.example")]
    assert seen(read(Piece(post + hidden, 1))) == [(1, "web.example")]


def test_bytes_that_are_neither_hello_nor_request_are_dropped_in_silence():
    reader = read(Piece(b"\x17\x03\x03\0\x20" + bytes(32), 1), Piece(bytes(9), 2, position=40))
    assert seen(reader) == []
    assert reader.oddities().is_empty()
    assert reader.limits_hit == {}


def test_a_hello_that_never_completes_is_read_as_far_as_it_came():
    pieces = cut(LONG_HELLO, len(LONG_HELLO) - 40, len(LONG_HELLO) - 20)
    reader = read(*pieces[:2])
    assert seen(reader) == [(1, "app.example")]
    assert seen(reader) == [(1, "app.example")]
    assert reader.limits_hit == {}


def test_dns_over_tcp_is_seen_in_any_pieces():
    stream = b"".join(sized(dns_answer(name, ADDRESS), 2) for name in (b"a.example", b"b.example"))
    pieces = [
        Piece(stream[begin : begin + 9], 1 + begin // 9, DNS_STREAM, is_from_b=True, position=begin)
        for begin in range(0, len(stream), 9)
    ]
    half = 1 + (len(stream) // 2 - 1) // 9
    last = pieces[-1].frame
    assert seen(read(*pieces, *pieces, windows=4), 53) == [(half, "a.example"), (last, "b.example")]


def test_dns_over_tcp_goes_on_behind_bytes_that_were_never_captured():
    streams = [sized(dns_answer(name, ADDRESS), 2) for name in (b"a.example", b"b.example")]
    late = Piece(streams[1], 4, DNS_STREAM, is_from_b=True, position=5_000)
    early = Piece(streams[0], 3, DNS_STREAM, is_from_b=True)
    assert seen(read(early, late), 53) == [(3, "a.example"), (4, "b.example")]


def test_messages_that_lie_are_odd():
    message = dns_answer(b"a.example", ADDRESS)
    loop = message.replace(b"\xc0\x0c", b"\xc0\x7f")
    extension = bytearray(server_name(b"app.example"))
    extension[8] += 1
    reader = read(
        Piece(loop, 1, DATAGRAM),
        Piece(message[:-1], 2, DATAGRAM),
        Piece(records(hello_message(bytes(extension))), 3, conversation=1),
        Piece(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 4, conversation=2),
        Piece(hello(b"x" * 256), 5, conversation=3),
        oddities=5,
    )
    assert seen(reader, 53, 443, 80, 443) == [(4, "a")]
    assert reader.oddities().select("frame", "layer", "kind").rows() == [
        (1, "name", "dns_malformed"),
        (2, "name", "dns_cut"),
        (3, "name", "tls_malformed"),
        (4, "name", "http_two_hosts"),
        (5, "name", "name_too_long"),
    ]


def test_a_message_longer_than_the_limit_is_read_up_to_it():
    head = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"c" * 500
    pieces = cut(head, 50, 150, 250)
    reader = read(*pieces, stream_bytes=200)
    assert reader.limits_hit == {"stream_bytes": 1}
    assert seen(reader) == [(1, "a")]


def test_a_limit_that_falls_between_two_requests_cuts_none():
    pieces = cut(REQUEST * 10, *range(25, 250, 25))
    reader = read(*pieces, stream_bytes=len(REQUEST) * 2)
    assert len(seen(reader)) == 2
    assert reader.limits_hit == {}


def test_the_oldest_message_is_given_up_when_too_much_is_pending():
    pieces = [
        Piece(piece.octets, 10 * n + piece.frame, conversation=n, position=piece.position)
        for n in range(20)
        for piece in cut(LONG_HELLO, len(LONG_HELLO) - 5)[:1]
    ]
    late = Piece(LONG_HELLO[-5:], 900, conversation=19, position=len(LONG_HELLO) - 5)
    reader = read(*pieces, late, pending_bytes=5_000)
    frames = [frame for frame, _ in seen(reader, *[443] * 20)]
    assert frames == [*range(1, 191, 10), 900]
    assert 15 < reader.limits_hit["pending_bytes"] < 20


def test_more_names_than_the_limit_are_counted():
    pieces = [Piece(REQUEST, frame, conversation=frame) for frame in range(10)]
    assert read(*pieces, names=4).limits_hit == {"names": 6}


def test_a_request_of_too_many_lines_counts():
    assert read(Piece(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 300 + b"\r\n")).limits_hit == {
        "http_headers": 1
    }


PIECES = st.builds(
    Piece,
    octets=st.one_of(
        st.binary(max_size=60),
        st.sampled_from([HELLO, REQUEST, HELLO[:40], REQUEST[:20], dns_answer(b"a", ADDRESS)]),
    ),
    frame=st.integers(1, 9),
    kind=st.sampled_from([DATAGRAM, 2, DNS_STREAM, REQUEST_DATAGRAM]),
    conversation=st.integers(0, 1),
    is_from_b=st.booleans(),
    message=st.integers(-10, 60),
    position=st.integers(-20, 120),
)


@given(st.lists(PIECES, max_size=12), st.integers(50, 4_000))
def test_no_pieces_raise_and_what_is_pending_is_bounded(pieces, pending_bytes):
    reader = read(*pieces, stream_bytes=100, pending_bytes=pending_bytes)
    assert reader._pending_bytes <= pending_bytes
    assert set(reader.limits_hit) <= {"stream_bytes", "pending_bytes"}
    seen(reader, 53, 443)
    assert reader._pending_bytes == 0


def test_what_is_remembered_of_settled_messages_is_bounded():
    reader = NameReader(Limits(names=1))
    for begin in range(0, 80_000, 20_000):
        pieces = [Piece(REQUEST, 1, conversation=begin + n) for n in range(20_000)]
        reader.add(excerpts(*pieces))
    assert len(reader._settled) == 1 << 16


def test_twice_the_pieces_cost_twice_the_work():
    stream = records(hello_message(bytes(4 * 400)))

    def backwards(count):
        pieces = cut(stream[:count], *range(1, count))
        seen(read(*reversed(pieces)))

    assert lines_run(lambda: backwards(1_000)) <= 2.3 * lines_run(lambda: backwards(500))
