"""Times of first round trips: what begins and ends them, and what must not."""

import pytest

from phonehome.captures.reading import Reading
from tests.small_captures import (
    ACK,
    FIN,
    PHONE,
    REMOTE,
    SYN,
    ethernet,
    pcap,
    put,
    tcp,
    udp,
)

LOCAL, FAR = (PHONE, 40_000), (REMOTE, 443)
UP, DOWN = (LOCAL, FAR), (FAR, LOCAL)
MS = 1_000_000


def read(tmp_path, *packets):
    """The row of a conversation; packets with their ms."""
    frames = [ethernet(octets).at(ms / 1_000) for ms, octets in packets]
    reading = Reading(put(tmp_path / "a.pcap", pcap(frames, unit=1)))
    list(reading.packets())
    return reading.conversations().row(0, named=True)


def times(tmp_path, *packets):
    """Handshake, acknowledgement and answer of a conversation, in ms; packets with their ms."""
    row = read(tmp_path, *packets)
    return tuple(
        None if row[name] is None else row[name].total_seconds() * 1_000
        for name in ("handshake", "acknowledged", "answered")
    )


def opened(ms=0, answer=30):
    return [
        (ms, tcp(*UP, seq=999, ack=0, flags=SYN)),
        (answer, tcp(*DOWN, seq=8_999, ack=1_000, flags=SYN | ACK)),
    ]


ASK = tcp(*UP, b"ask", seq=1_000, ack=9_000)
TAKEN = tcp(*DOWN, seq=9_000, ack=1_003, flags=ACK)
ANSWER = tcp(*DOWN, b"answer", seq=9_000, ack=1_003)


def test_three_times_are_taken(tmp_path):
    packets = [*opened(), (31, ASK), (41, TAKEN), (91, ANSWER), (99, ANSWER)]
    assert times(tmp_path, *packets) == (30, 10, 60)


def test_one_segment_may_acknowledge_and_answer(tmp_path):
    assert times(tmp_path, *opened(), (31, ASK), (91, ANSWER)) == (30, 60, 60)


def test_what_is_sent_again_makes_a_time_longer_and_never_shorter(tmp_path):
    again = (20, tcp(*UP, seq=999, ack=0, flags=SYN))
    packets = [*opened()[:1], again, *opened()[1:], (31, ASK), (80, ASK), (91, ANSWER)]
    assert times(tmp_path, *packets) == (30, 60, 60)


def test_an_older_acknowledgement_ends_nothing(tmp_path):
    older = tcp(*DOWN, b"greeting", seq=9_000, ack=1_000)
    packets = [*opened(), (31, ASK), (32, older), (91, TAKEN)]
    assert times(tmp_path, *packets) == (30, 60, None)


def test_a_stream_met_in_its_middle_has_no_times(tmp_path):
    assert times(tmp_path, (0, ASK), (30, TAKEN), (31, ANSWER)) == (None, None, None)


def test_a_syn_ack_of_the_same_side_is_no_answer(tmp_path):
    odd = (10, tcp(*UP, seq=999, ack=1, flags=SYN | ACK))
    assert times(tmp_path, opened()[0], odd) == (None, None, None)


def test_where_time_goes_backward_there_is_none(tmp_path):
    assert times(tmp_path, *opened(30, 10)) == (None, None, None)


def test_a_syn_without_an_answer_has_no_time(tmp_path):
    refused = (30, tcp(*DOWN, seq=0, ack=1_000, flags=FIN | ACK))
    assert times(tmp_path, opened()[0], refused) == (None, None, None)


INITIAL = b"\xc0\x00\x00\x00\x01\x08" + bytes(1_194)


@pytest.mark.parametrize(
    ("packets", "ms"),
    [
        ([(0, udp(*UP, INITIAL)), (5, udp(*UP, INITIAL)), (40, udp(*DOWN, INITIAL))], 40),
        ([(0, udp(*UP, b"x" * 1_200)), (40, udp(*DOWN, INITIAL))], None),
        ([(0, udp(*UP, b"x")), (5, udp(*UP, INITIAL)), (40, udp(*DOWN, INITIAL))], None),
        ([(0, udp(*UP, INITIAL)), (40, udp(*UP, INITIAL))], None),
    ],
)
def test_a_conversation_that_begins_with_quic_has_a_handshake(tmp_path, packets, ms):
    assert times(tmp_path, *packets) == (ms, None, None)


LOCAL_6, FAR_6 = ("2001:db8::1", 40_000), ("2a01:4f8::2", 443)
SYN_4, SYN_6 = (
    tcp(*ends, seq=999, ack=0, flags=SYN, hops=63) for ends in ((LOCAL, FAR), (LOCAL_6, FAR_6))
)


@pytest.mark.parametrize(
    ("packets", "hops"),
    [
        ([SYN_4, tcp(*DOWN, seq=8_999, ack=1_000, flags=SYN | ACK, hops=51), ASK], 51),
        ([SYN_6, tcp(FAR_6, LOCAL_6, seq=8_999, ack=1_000, flags=SYN | ACK, hops=242)], 242),
        ([udp(*UP, INITIAL, hops=63), udp(*DOWN, INITIAL, hops=109), udp(*DOWN, INITIAL)], 109),
        ([SYN_4, ASK, TAKEN], None),
        ([udp(*UP, b"x"), udp(*DOWN, b"y")], None),
    ],
    ids=["IPv4", "IPv6", "QUIC", "no answer", "no handshake"],
)
def test_the_hop_limit_is_that_of_the_handshakes_answer(tmp_path, packets, hops):
    found = read(tmp_path, *((10 * n, octets) for n, octets in enumerate(packets)))
    assert found["handshake_hop_limit"] == hops
