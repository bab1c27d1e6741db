from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.decryption.messages import Direction, Http2Direction, unpacked
from phonehome.captures.names.faults import Moment
from tests.small_captures import gzipped

MOMENT = Moment(1, 2)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 50))
def test_of_another_protocol_every_octet_is_in_one_piece(parts, most):
    direction = Direction(most)
    parts = [b"\0", *parts]
    pieces = [piece for part in parts for piece in direction.feed(part, MOMENT)]
    pieces += direction.finish()
    assert b"".join(piece.octets for piece in pieces) == b"".join(parts)
    assert all(0 < len(piece.octets) <= most for piece in pieces)
    assert direction.held_bytes == 0


def test_a_request_that_is_never_whole_is_handed_on_as_far_as_it_came():
    direction = Direction(1_000)
    given = b"POST / HTTP/1.1\r\nHost: a.b\r\nContent-Length: 10\r\n\r\nhalf"
    assert [piece.what for piece in direction.feed(given, MOMENT)] == ["http request head"]
    assert [piece.octets for piece in direction.finish()] == [b"half"]


def test_what_follows_a_switch_of_protocols_is_stream_data():
    direction = Direction(1_000)
    list(direction.feed(b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n", MOMENT))
    list(direction.feed(b"\x81\x02hi", MOMENT))
    assert [(piece.what, piece.octets) for piece in direction.finish()] == [
        ("stream data", b"\x81\x02hi")
    ]


def test_a_coding_that_cannot_be_undone_is_named():
    assert unpacked(b"x", b"", "body", 9) == ("body", b"x")
    assert unpacked(b"x", b"Identity", "body", 9) == ("body", b"x")
    assert unpacked(gzipped(b"abcde"), b"gzip", "body", 3) == ("body", b"abc")
    assert unpacked(b"no gzip", b"gzip", "body", 9) == ("body (gzip)", b"no gzip")
    assert unpacked(b"x", b"gzip, br", "body", 9) == ("body (gzip, br)", b"x")


def test_a_whole_message_replaces_what_came_of_it_before():
    sender = Http2Direction(100)
    list(sender.headers(1, [(":method", "POST")], MOMENT, is_last=False))
    assert not list(sender.data(1, b"first", MOMENT, is_whole=False, is_last=False))
    (body,) = sender.data(1, b"firsthalf", MOMENT, is_whole=True, is_last=True)
    assert body.octets == b"firsthalf"
    assert sender.held_bytes == 0


def test_trailers_belong_to_the_message_before_them():
    sender = Http2Direction(100)
    list(sender.headers(1, [(":status", "200")], MOMENT, is_last=False))
    (trailers,) = sender.headers(1, [("x-sum", "1")], MOMENT, is_last=True)
    assert trailers.what == "http2 response head"
