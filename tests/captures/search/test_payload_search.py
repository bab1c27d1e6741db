"""Payload of captures, put together and searched: streams, bodies, datagrams, names."""

import json
from itertools import pairwise
from pathlib import Path

import brotli
import pytest

from phonehome.captures.reading import Reading
from phonehome.captures.search import budget
from phonehome.captures.search.layers import Looker
from phonehome.captures.search.payload_search import PIECE_BYTES
from tests.captures.search.known import ADVERTISING, EMAIL, IDENTIFIERS, IMEI
from tests.small_captures import (
    PHONE,
    REMOTE,
    ROUTER,
    client_hello,
    connection,
    dns_question,
    ethernet,
    gzipped,
    household,
    pcap,
    put,
    tcp,
    udp,
)

LOOKER = Looker(IDENTIFIERS)
LOCAL, FAR = (PHONE, 50_001), (REMOTE, 80)


def read(tmp_path, packets, looker=LOOKER):
    frames = [ethernet(octets).at(place) for place, octets in enumerate(packets)]
    reading = Reading(put(tmp_path / "x.pcap", pcap(frames)), looker=looker)
    for _ in reading.packets():
        pass
    reading.search_names(reading.sightings(reading.conversations()))
    hits = reading.hits()
    return hits.with_columns(hits["identifier"].replace_strict(dict(enumerate(LABELS)))), reading


LABELS = [one.label for one in IDENTIFIERS]


def rows(hits, *columns):
    return hits.select(columns).rows()


def request(body, *heads):
    head = [b"POST /v1 HTTP/1.1", b"Host: t.example", b"Content-Length: %d" % len(body), *heads]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def test_a_head_and_a_body_are_searched_with_their_fields(tmp_path):
    octets = request(json.dumps({"imei": IMEI}).encode(), b"X-Ad: " + ADVERTISING.encode())
    hits, reading = read(tmp_path, connection(LOCAL, FAR, [("up", octets)]))
    assert set(rows(hits, "identifier", "layer", "part", "field", "first_frame")) == {
        ("imei", "http", "request body", "imei", 3),
        ("advertising", "http", "request head", "X-Ad", 3),
    }
    assert reading.searched()["octets"].to_list() == [len(octets)]


@pytest.mark.parametrize(
    ("coding", "fold", "encoding"),
    [("gzip", gzipped, "gzip"), ("br", brotli.compress, "Brotli")],
)
def test_a_body_is_unfolded_as_its_head_says(tmp_path, coding, fold, encoding):
    body = fold(json.dumps({"mail": EMAIL}).encode() * 20)
    octets = request(body, b"Content-Encoding: " + coding.encode())
    hits, _ = read(tmp_path, connection(LOCAL, FAR, [("up", octets)]))
    assert set(rows(hits, "identifier", "encoding", "field")) == {("email", encoding, "mail")}


def test_a_chunked_body_is_one_content(tmp_path):
    half = len(EMAIL) // 2
    body = b"".join(
        b"%x\r\n%s\r\n" % (len(part), part)
        for part in (b"mail=" + EMAIL[:half].encode(), EMAIL[half:].encode())
    )
    head = b"POST / HTTP/1.1\r\nHost: t.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    hits, _ = read(tmp_path, connection(LOCAL, FAR, [("up", head + body + b"0\r\n\r\n")]))
    assert rows(hits, "identifier", "part", "field") == [("email", "request body", "mail")]


def test_what_segments_cut_apart_is_found_in_any_order(tmp_path):
    octets = b"\1\2\3 proprietary " + EMAIL.encode() + b" and on"
    cut = [0, 20, 27, 31, len(octets)]
    pieces = [tcp(LOCAL, FAR, octets[begin:end], seq=1_000 + begin) for begin, end in pairwise(cut)]
    opened = connection(LOCAL, FAR, [])[:2]
    hits, _ = read(tmp_path, [*opened, pieces[0], pieces[2], pieces[1], pieces[3], pieces[1]])
    assert rows(hits, "identifier", "layer", "part", "offset", "count") == [
        ("email", "tcp", "stream", octets.index(b"ann"), 1)
    ]


@pytest.mark.parametrize("shift", [-30, -20, -1, 0, 1, 20])
def test_what_lies_across_the_border_of_two_pieces_is_found_once(tmp_path, shift):
    before = b"\xff" * (PIECE_BYTES + shift)
    octets = before + EMAIL.encode() + b"\xff" * 5_000
    parts = [octets[at : at + 1_400] for at in range(0, len(octets), 1_400)]
    hits, _ = read(tmp_path, connection(LOCAL, FAR, [("up", part) for part in parts]))
    assert rows(hits, "identifier", "offset", "count") == [("email", len(before), 1)]


def test_a_datagram_and_the_labels_of_a_name_are_searched(tmp_path):
    name = "490154203237518.t.example"
    packets = [
        udp((PHONE, 40_000), (REMOTE, 9_000), b"\0\1" + EMAIL.encode()),
        udp((PHONE, 40_001), (ROUTER, 53), dns_question(name)),
    ]
    hits, _ = read(tmp_path, packets)
    assert rows(hits, "identifier", "layer", "part") == [
        ("email", "udp", "datagram"),
        ("imei", "dns", "datagram"),
    ]


def test_server_names_of_tls_are_searched_and_what_is_encrypted_is_not(tmp_path):
    hello = client_hello("490154203237518.t.example")
    sent = [("up", hello), ("up", b"\x17\x03\x03\0\x20" + EMAIL.encode())]
    hits, reading = read(tmp_path, connection(LOCAL, (REMOTE, 443), sent))
    assert rows(hits, "identifier", "layer", "part") == [("imei", "tls", "server name")]
    assert reading.searched().is_empty()


def test_both_directions_are_told_apart(tmp_path):
    messages = [("up", b"hello there, who"), ("down", b"it is " + EMAIL.encode())]
    hits, _ = read(tmp_path, connection(LOCAL, FAR, messages))
    assert rows(hits, "identifier", "is_from_b") == [("email", True)]


def test_what_comes_again_makes_one_row_that_counts(tmp_path):
    messages = [("up", request(b"mail=" + EMAIL.encode())) for _ in range(5)]
    hits, _ = read(tmp_path, connection(LOCAL, FAR, messages))
    assert rows(hits, "count", "first_frame", "last_frame") == [(5, 3, 7)]


def test_nobody_who_did_not_ask_pays_for_a_search(tmp_path):
    frames = household()
    capture = put(tmp_path / "x.pcap", pcap(frames))
    for looker, octets in ((None, 0), (LOOKER, 1)):
        reading = Reading(Path(capture), looker=looker)
        for _ in reading.packets():
            pass
        reading.hits()
        assert bool(reading.searched()["octets"].sum()) == bool(octets)


def test_the_contents_of_a_capture_unfold_to_so_much_together(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "FREE_OCTETS_OF_CAPTURE", 40_000)
    bomb = gzipped(bytes(1 << 20))[:90]
    told = gzipped(b" " * 5_000 + json.dumps({"mail": EMAIL}).encode())
    datagrams = [bomb, told, *[bomb] * 10, told]
    packets = [udp((PHONE, 40_000), (REMOTE, 9_000), octets) for octets in datagrams]
    hits, reading = read(tmp_path, packets)
    assert rows(hits, "identifier", "count", "last_frame") == [("email", 1, 2)]
    assert reading.limits_hit()["identifier_hits"] >= 2


def test_a_body_of_brotli_has_the_budget_of_its_own_size(tmp_path):
    body = brotli.compress(bytes(4 << 20))
    octets = request(body, b"Content-Encoding: br")
    _, reading = read(tmp_path, connection(LOCAL, FAR, [("up", octets)]))
    assert reading.limits_hit()["identifier_hits"] == 1
