import gzip
import shutil
import ssl
from pathlib import Path

import pytest

from phonehome.captures.decryption.keylogs import Keys, read_keylogs
from phonehome.captures.decryption.session import READ_ONCE, Opening
from phonehome.captures.limits import Limits
from tests.captures.decryption.recording import Line, Quic, Tls, answered, post
from tests.small_captures import PHONE, REMOTE, gzipped, pcap, put

pytestmark = [
    pytest.mark.tshark,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]
LIMITS = Limits()
BINARY = b"\x08\x01id 4711\x00\xff" * 400


def opened(folder, frames, keys=None, limits=LIMITS):
    capture = put(folder / "a.pcap", pcap(frames))
    opening = Opening(capture, keys or read_keylogs([folder / "keys.log"]), limits)
    return opening, list(opening.pieces())


def said(pieces):
    return [(piece.source_port == 443, piece.what, piece.octets) for piece in pieces]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_request_over_tls_and_its_answer_are_opened_whole(tmp_path, version):
    tls = Tls(tmp_path, version, alpn=["http/1.1"])
    request, answer = post("/a?id=1", BINARY), answered(b"ok\xff")
    tls.say(request, is_up=True)
    tls.say(answer, is_up=False)
    tls.close()
    opening, pieces = opened(tmp_path, tls.line.frames)
    assert opening.problem is None
    assert said(pieces) == [
        (False, "http request head", request.removesuffix(BINARY)),
        (False, "http request body", BINARY),
        (True, "http response head", answer.removesuffix(b"ok\xff")),
        (True, "http response body", b"ok\xff"),
    ]
    (attempt,) = opening.attempts()
    assert attempt.opened_bytes == {True: len(request), False: len(answer)}
    assert (attempt.requests, attempt.keys_source) == (1, "keylog")
    assert attempt.client == (PHONE, 40_000)


def test_a_piece_names_the_frame_that_completes_its_first_record_and_its_ends(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", b"short"), is_up=True)
    number = len(tls.line.frames)
    _, pieces = opened(tmp_path, tls.line.frames)
    assert {piece.frame for piece in pieces} == {number}
    assert {piece.time for piece in pieces} == {tls.line.frames[-1].time}
    assert pieces[0][:5] == ("tcp", PHONE, 40_000, REMOTE, 443)


def test_a_body_that_is_packed_is_unpacked_and_one_in_brotli_says_so(tmp_path):
    tls = Tls(tmp_path)
    tls.say(answered(gzipped(b"hello " * 50), "Content-Encoding: gzip"), is_up=False)
    tls.say(answered(b"\x8b\x02\x80hello\x03", "Content-Encoding: br"), is_up=False)
    _, pieces = opened(tmp_path, tls.line.frames)
    bodies = [piece for piece in pieces if "body" in piece.what]
    assert [(body.what, body.octets) for body in bodies] == [
        ("http response body", b"hello " * 50),
        ("http response body (br)", b"\x8b\x02\x80hello\x03"),
    ]


def test_other_protocols_give_a_piece_for_what_an_end_said_at_a_time(tmp_path):
    tls = Tls(tmp_path)
    tls.say(b"\0\1one", is_up=True)
    tls.say(b"\2two", is_up=True)
    tls.say(b"\3three", is_up=False)
    _, pieces = opened(tmp_path, tls.line.frames)
    assert said(pieces) == [
        (False, "stream data", b"\0\1one\2two"),
        (True, "stream data", b"\3three"),
    ]


def http2(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3) + bytes([kind, flags]) + stream.to_bytes(4) + payload


def field(name, value):
    """A header that is kept in the table of HPACK (RFC 7541, section 6.2.1)."""
    return b"\x40" + bytes([len(name)]) + name + bytes([len(value)]) + value


def test_messages_of_http_2_are_put_together_by_stream(tmp_path):
    tls = Tls(tmp_path, alpn=["h2"])
    headers = b"\x83\x87\x84\x41\x03a.b" + field(b"x-id", b"device-4711")
    tls.say(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        + http2(4, 0, 0)
        + http2(1, 4, 1, headers)
        + http2(0, 0, 1, b"\0first ")
        + http2(1, 4, 3, b"\x83\x87\x84\xbe")
        + http2(0, 1, 1, b"half")
        + http2(0, 1, 3, b"other"),
        is_up=True,
    )
    tls.say(http2(4, 0, 0) + http2(1, 4, 1, b"\x88") + http2(0, 1, 1, b"answer"), is_up=False)
    opening, pieces = opened(tmp_path, tls.line.frames)
    first, second, *bodies = said(pieces)
    assert first[2].splitlines()[-2:] == [b":authority: a.b", b"x-id: device-4711"]
    assert second[2].splitlines()[-1] == b"x-id: device-4711"
    assert bodies == [
        (False, "http2 request body", b"\0first half"),
        (False, "http2 request body", b"other"),
        (True, "http2 response head", b":status: 200\r\n"),
        (True, "http2 response body", b"answer"),
    ]
    assert opening.attempts()[0].requests == 2


def test_streams_of_quic_are_put_together(tmp_path):
    quic = Quic(tmp_path, ["own"])
    quic.say(BINARY, is_up=True)
    quic.say(b"reply", is_up=False)
    opening, pieces = opened(tmp_path, quic.frames)
    assert said(pieces) == [(False, "stream data", BINARY), (True, "stream data", b"reply")]
    (attempt,) = opening.attempts()
    assert attempt.opened_bytes == {True: len(BINARY), False: 5}
    assert attempt.layer == "quic"


def test_bodies_of_http_3_are_opened_and_its_headers_stay_packed(tmp_path):
    quic = Quic(tmp_path, ["h3"])
    quic.post([(b":method", b"POST"), (b":path", b"/x"), (b"x-id", b"4711")], BINARY)
    opening, pieces = opened(tmp_path, quic.frames)
    found = {piece.what: piece.octets for piece in pieces if piece.what != "stream data"}
    assert found["http3 request body"] == BINARY
    assert found["http3 response body"] == b"answer"
    assert found["http3 request head (packed)"]
    assert opening.attempts()[0].requests == 1


def test_segments_that_come_late_or_twice_are_opened_all_the_same(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", BINARY), is_up=True)
    frames = list(tls.line.frames)
    last = frames[-1]
    frames[-2:] = [last, frames[-2], frames[-2]]
    _, pieces = opened(tmp_path, frames)
    assert [piece.octets for piece in pieces if "body" in piece.what] == [BINARY]


def test_another_key_opens_nothing_and_is_no_error(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", b"body"), is_up=True)
    lines = (tmp_path / "keys.log").read_text().splitlines()
    wrong = [" ".join([*line.split()[:2], "11" * 32]) for line in lines if line[0] != "#"]
    (tmp_path / "keys.log").write_text("\n".join(wrong))
    opening, pieces = opened(tmp_path, tls.line.frames)
    assert (pieces, opening.problem) == ([], None)
    (attempt,) = opening.attempts()
    assert not attempt.is_opened
    assert attempt.keys_source == "keylog"


def test_a_connection_without_its_handshake_has_no_key(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", b"body"), is_up=True)
    _, pieces = opened(tmp_path, tls.line.frames[-1:])
    assert pieces == []


def test_a_body_longer_than_a_piece_is_cut_and_counted(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", b"x" * 5_000), is_up=True)
    opening, pieces = opened(tmp_path, tls.line.frames, limits=Limits(opened_piece_bytes=1_000))
    assert len(pieces[-1].octets) == 1_000
    assert opening.limits_hit == {"opened_piece_bytes": 1}


def test_what_waits_too_long_is_handed_on_as_far_as_it_came(tmp_path):
    frames = []
    for number in range(3):
        tls = Tls(tmp_path, line=Line(port=40_000 + number, at=number))
        tls.say(b"\0" + bytes([number]) * 999, is_up=True)
        frames += tls.line.frames
    opening, pieces = opened(tmp_path, frames, limits=Limits(opened_bytes=1_500))
    assert sorted(piece.octets[1] for piece in pieces) == [0, 1, 2]
    assert opening.limits_hit["opened_bytes"] >= 1


def test_a_capture_that_is_cut_short_is_opened_up_to_there(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", b"body"), is_up=True)
    tls.say(answered(b"ok"), is_up=False)
    capture = put(tmp_path / "a.pcap", pcap(tls.line.frames)[:-20])
    opening = Opening(capture, read_keylogs([tmp_path / "keys.log"]), LIMITS)
    assert [piece.octets for piece in opening.pieces()][-1] == b"body"
    assert opening.problem is None


def test_a_packed_capture_is_opened_as_well(tmp_path):
    tls = Tls(tmp_path)
    tls.say(post("/", b"body"), is_up=True)
    capture = put(tmp_path / "a.pcap.gz", gzipped(pcap(tls.line.frames)))
    assert gzip.decompress(capture.read_bytes())
    opening = Opening(capture, read_keylogs([tmp_path / "keys.log"]), LIMITS)
    assert [piece.octets for piece in opening.pieces()][-1] == b"body"


def test_standard_input_is_not_opened_and_says_so():
    opening = Opening(Path("-"), Keys(), LIMITS)
    assert list(opening.pieces()) == []
    assert (opening.problem, opening.reason) == (READ_ONCE, "read_once")
