"""Requests with their responses, as names are read, and the names that look-ups give."""

from phonehome.captures.limits import Limits
from phonehome.captures.names.reader import NameReader
from tests.captures.payloads import REMOTE, Piece, conversations, excerpts

ASK = b"GET /d?dn=api.example HTTP/1.1\r\nHost: 119.29.29.29\r\nUser-Agent: Parrot/1\r\n\r\n"
POST = b"POST /up HTTP/1.1\r\nHost: up.example\r\nContent-Length: 3\r\nContent-Type: a/b\r\n\r\nabc"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\nContent-Type: text/plain\r\n\r\n203.0.113.9;;"
CHUNKED = b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmade\r\n0\r\n\r\n"


def read(*pieces, **limits):
    reader = NameReader(Limits(**limits))
    reader.add(excerpts(*pieces))
    return reader, reader.sightings(conversations(80))


def down(octets, frame, **place):
    return Piece(octets, frame, is_from_b=True, **place)


def test_requests_are_paired_with_their_responses_in_their_order():
    reader, _ = read(
        Piece(ASK + POST, 2),
        down(ANSWER + CHUNKED[:20], 3),
        down(CHUNKED[20:], 4, position=len(ANSWER) + 20),
    )
    columns = ("frame", "method", "host", "target", "agent", "request_type", "request_bytes")
    table = reader.exchanges()
    assert table.select(columns).rows() == [
        (2, "GET", "119.29.29.29", "/d?dn=api.example", "Parrot/1", None, 0),
        (2, "POST", "up.example", "/up", None, "a/b", 3),
    ]
    assert table.select("status", "response_frame", "response_type", "response_bytes").rows() == [
        (200, 3, "text/plain", 13),
        (201, 4, None, 4),
    ]
    assert not table["is_from_b"].any()


def test_the_answer_to_a_look_up_names_the_address_that_it_gives():
    _, table = read(Piece(ASK, 2), down(ANSWER, 5))
    assert table.filter(source="httpdns").select("frame", "address", "port", "name").rows() == [
        (5, "203.0.113.9", None, "api.example")
    ]
    _, other = read(Piece(POST, 2), down(ANSWER, 5))
    assert other.filter(source="httpdns").is_empty()


def test_a_response_without_a_request_stands_alone():
    reader, _ = read(down(ANSWER, 5))
    (row,) = reader.exchanges().to_dicts()
    assert (row["frame"], row["method"], row["status"], row["is_from_b"]) == (
        None,
        None,
        200,
        False,
    )


def test_a_response_in_many_pieces_out_of_order_is_read():
    pieces = [
        down(ANSWER[begin : begin + 9], 20 + begin, position=begin)
        for begin in range(0, len(ANSWER), 9)
    ]
    reader, table = read(Piece(ASK, 2), *pieces[:3], pieces[4], pieces[3], *pieces[5:])
    assert reader.exchanges()["response_bytes"].to_list() == [13]
    assert "api.example" in table["name"].to_list()


def test_more_exchanges_than_the_limit_are_counted():
    reader, table = read(
        *(Piece(ASK, 1 + n, conversation=0, message=n * 100, position=n * 100) for n in range(4)),
        exchanges=3,
    )
    assert reader.exchanges().height == 3
    assert reader.limits_hit["exchanges"] == 1
    assert table.filter(address=REMOTE).height == 4


def test_text_that_is_no_text_is_spelled():
    reader, _ = read(Piece(b"GET /a\xff\x1b HTTP/1.1\r\nUser-Agent: \xc3\xa4</script>\r\n\r\n", 1))
    (row,) = reader.exchanges().to_dicts()
    assert (row["target"], row["agent"]) == ("/a\\xff\\x1b", "\\xc3\\xa4</script>")
