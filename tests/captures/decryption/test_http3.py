from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decryption.http3 import QuicStream, frames
from phonehome.captures.names.faults import Moment
from tests.captures.initials import varint

MOMENT = Moment(1, 2)


def frame(kind, octets):
    return varint(kind) + varint(len(octets)) + octets


def said(stream):
    return [(piece.what, piece.octets, piece.is_request) for piece in stream.finish()]


@given(st.binary(max_size=100))
def test_any_octets_are_read_as_frames_without_an_error(octets):
    assert sum(len(part) for _, part in frames(octets)) <= len(octets)


def test_a_request_gives_its_packed_head_its_body_and_trailers():
    stream = QuicStream(0, is_client=True, most=1_000)
    octets = frame(1, b"packed") + frame(0, b"bo") + frame(33, b"x") + frame(0, b"dy")
    octets += frame(1, b"trailers")
    stream.feed(0, octets, MOMENT, is_last=True)
    assert stream.is_over
    assert said(stream) == [
        ("http3 request head (packed)", b"packed", True),
        ("http3 request head (packed)", b"trailers", False),
        ("http3 request body", b"body", False),
    ]
    assert said(stream) == []


def test_frames_in_any_order_make_one_stream_and_count_once():
    stream = QuicStream(2, is_client=False, most=1_000)
    stream.feed(3, b"def", MOMENT, is_last=True)
    assert (stream.opened_bytes, stream.is_over) == (0, False)
    stream.feed(0, b"abcd", MOMENT, is_last=False)
    stream.feed(1, b"bc", MOMENT, is_last=False)
    assert (stream.opened_bytes, stream.is_over) == (6, True)
    assert said(stream) == [("stream data", b"abcdef", False)]


def test_what_is_beyond_the_longest_piece_is_counted():
    stream = QuicStream(1, is_client=True, most=4)
    stream.feed(0, b"abcdef", MOMENT, is_last=False)
    assert stream.left_out == 2
    assert said(stream) == [("stream data", b"abcd", False)]
