"""Records of TLS and datagrams of QUIC by kind, against a slow twin that reads whole streams."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.captures.building import Ethernet, Ipv4, Tcp, Udp, pcap
from tests.captures.reader import interpreted, read

RECORD = st.tuples(
    st.sampled_from([20, 21, 22, 23, 23, 23, 24]), st.integers(0, 900), st.sampled_from([1, 3])
)
KINDS = {20: "handshake", 21: "handshake", 22: "handshake", 23: "application", 24: "keep_alive"}


def record(kind, size, minor=3):
    return bytes([kind, 3, minor]) + size.to_bytes(2) + bytes([kind]) * size


def counted(*segments):
    """Bytes by kind of a stream that comes in segments: (position, bytes)."""
    frames = [Ethernet(Ipv4(Tcp(payload=octets, sequence=1_000 + at))) for at, octets in segments]
    syn = Ethernet(Ipv4(Tcp(sequence=999, flags=2)))
    return of_first(read(pcap(syn, *frames)).conversations)


def of_first(conversations):
    row = conversations.row(0, named=True)
    return {kind: row[f"a_{kind}_bytes"] for kind in ("handshake", "application", "keep_alive")}


def expected(*records):
    sums = dict.fromkeys(("handshake", "application", "keep_alive"), 0)
    for kind, size, *_ in records:
        sums[KINDS[kind]] += 5 + size
    return sums


def cut(stream, cuts):
    edges = sorted({0, len(stream), *(at % (len(stream) + 1) for at in cuts)})
    pairs = pairwise(edges)
    return [(begin, stream[begin:end]) for begin, end in pairs if end > begin]


@settings(deadline=None, max_examples=60)
@given(st.lists(RECORD, min_size=1, max_size=8), st.lists(st.integers(0, 9_000), max_size=12))
def test_records_are_counted_however_the_stream_is_cut(records, cuts):
    stream = b"".join(record(*of) for of in records)
    assert counted(*cut(stream, cuts)) == expected(*records)


@settings(deadline=None, max_examples=20)
@given(st.lists(RECORD, min_size=1, max_size=4), st.lists(st.integers(0, 4_000), max_size=6))
def test_interpreted_they_are_too(records, cuts):
    stream = b"".join(record(*of) for of in records)
    with interpreted():
        assert counted(*cut(stream, cuts)) == expected(*records)


def test_what_is_sent_again_counts_once():
    stream = record(22, 100) + record(23, 400)
    assert counted((0, stream), (0, stream), (50, stream[50:])) == expected((22, 100), (23, 400))


def test_behind_a_gap_nothing_is_guessed():
    first, second, third = record(22, 100), record(23, 400), record(23, 50)
    at = len(first + second)
    assert counted((0, first + second), (at + 10, third)) == expected((22, 100), (23, 400))


@pytest.mark.parametrize(
    "stream",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x04\x01\0\5hello", record(19, 5), b"\x17\3\3\xff\xff" * 9],
)
def test_what_is_no_record_counts_as_none(stream):
    assert counted((0, stream)) == expected()


def test_ports_used_again_begin_anew():
    syn = Ethernet(Ipv4(Tcp(sequence=90_000, flags=2)))
    stream = record(23, 60)
    segments = [
        Ethernet(Ipv4(Tcp(payload=stream[:30], sequence=1_000))),
        syn,
        Ethernet(Ipv4(Tcp(payload=stream, sequence=90_001))),
    ]
    assert of_first(read(pcap(*segments)).conversations)["application"] == 2 * len(stream)


def test_datagrams_of_quic_are_told_apart_by_their_first_bit():
    datagrams = [b"\xc3" + bytes(1_199), b"\x40" + bytes(99), b"\x41" + bytes(49)]
    tables = read(pcap(*(Ethernet(Ipv4(Udp(payload=octets))) for octets in datagrams)))
    assert of_first(tables.conversations) == {
        "handshake": 1_200,
        "application": 0,
        "keep_alive": 0,
    }
