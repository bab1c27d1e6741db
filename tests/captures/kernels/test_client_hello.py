"""What the loop reads of a ClientHello is what `tls` reads of it, or nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.kernels.client_hello import NOT_READ, read_hello
from phonehome.captures.names.faults import spelled
from phonehome.captures.names.fingerprints import fingerprint
from phonehome.captures.names.tls import whole_hello
from tests.captures.building import SECOND, START, Ethernet, Ipv4, Tcp, pcap
from tests.captures.payloads import (
    hello_message,
    openssl_hello,
    records,
    sized,
)
from tests.captures.payloads import server_name as server_name_extension
from tests.captures.reader import read as read_capture

ALPN = b"\0\x03\x02h2"
SEED = np.uint64(7)
NAME = b"api.example.com"
PLAIN = records(hello_message(server_name_extension(NAME)))


def read(octets, before=b"??"):
    """The name that the loop reads, None where it leaves the hello to `tls`."""
    data = np.frombuffer(before + octets, dtype=np.uint8)
    with np.errstate(over="ignore"):
        at, length, _ = read_hello(data, len(before), len(data), SEED)
    return None if length == NOT_READ else data[at : at + length].tobytes()


def holds(octets):
    """Whatever the loop reads, `tls` reads too, and spells as it stands."""
    found = read(octets)
    if found is None:
        return
    told = whole_hello(octets)
    assert told is not None
    assert told.fault is None
    assert (told.name or b"") == found
    assert spelled(found) == found.decode("ascii")


@pytest.mark.parametrize("name", ["a.example", "xn--80ak6aa92e.com", "x" * 63 + ".example"])
def test_the_name_in_a_hello_of_openssl_is_read(name):
    assert read(openssl_hello(name)) == name.encode()


def test_a_hello_without_a_name_is_read_as_that():
    assert read(openssl_hello(None)) == b""


def test_what_follows_the_record_is_not_looked_at():
    assert read(PLAIN + b"\x16\x03\x01\xff\xff") == NAME


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        PLAIN[:-1],
        records(hello_message(server_name_extension(NAME)), 20),
        records(hello_message(server_name_extension(b"API.example.com"))),
        records(hello_message(server_name_extension(b"api.example.com."))),
        records(hello_message(server_name_extension(b"api\\example"))),
        records(hello_message(server_name_extension(b"api example"))),
        records(hello_message(server_name_extension(b"x" * 256))),
        records(hello_message(server_name_extension(b""))),
        records(hello_message(b"\0\0" + sized(sized(b"\1" + sized(NAME, 2), 2), 2))),
        b"\x16\x02" + PLAIN[2:],
        PLAIN[:5] + b"\x02" + PLAIN[6:],
    ],
)
def test_whatever_is_unusual_is_left_to_the_reader_of_tls(octets):
    assert read(octets) is None


@pytest.mark.parametrize("size", range(len(PLAIN)))
def test_a_hello_cut_anywhere_is_left_to_the_reader_of_tls(size):
    assert read(PLAIN[:size]) is None


@given(st.data())
def test_a_hello_with_wrong_bytes_is_read_as_tls_reads_it(data):
    octets = bytearray(data.draw(st.sampled_from([PLAIN, openssl_hello("host.example")])))
    places = st.integers(0, len(octets) - 1)
    for at, octet in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=4)):
        octets[at] = octet
    holds(bytes(octets))


@given(st.binary(max_size=80))
def test_arbitrary_extensions_are_read_as_tls_reads_them(extensions):
    holds(records(hello_message(extensions, server_name_extension(NAME))))
    holds(records(hello_message(server_name_extension(NAME), extensions)))


def read_hellos(*segments):
    """The ClientHellos in a stream of segments: (position, bytes)."""
    frames = [Ethernet(Ipv4(Tcp(payload=octets, sequence=1_000 + at))) for at, octets in segments]
    return read_capture(pcap(*frames)).hellos


def seen(*segments):
    """Frame and name of each sighting in a stream of segments: (position, bytes)."""
    frames = [Ethernet(Ipv4(Tcp(payload=octets, sequence=1_000 + at))) for at, octets in segments]
    return read_capture(pcap(*frames)).sightings.select("frame", "name").rows()


def test_a_hello_that_is_sent_again_is_seen_once():
    half = len(PLAIN) // 2
    again = [(0, PLAIN), (0, PLAIN[:half]), (half, PLAIN[half:])]
    assert seen((0, PLAIN), *again) == [(1, NAME.decode())]


def test_a_hello_that_began_in_pieces_is_seen_where_it_is_whole():
    assert seen((0, PLAIN[:60]), (0, PLAIN), (60, PLAIN[60:])) == [(2, NAME.decode())]


def test_a_second_hello_in_the_stream_is_seen_too():
    other = openssl_hello("other.example")
    segments = [(0, PLAIN), (len(PLAIN), other), (len(PLAIN), other)]
    assert seen(*segments) == [(1, NAME.decode()), (2, "other.example")]


def test_another_connection_from_the_same_port_is_seen_too():
    syn = Ethernet(Ipv4(Tcp(sequence=90_000, flags=2)))
    hellos = [Ethernet(Ipv4(Tcp(payload=PLAIN, sequence=at, flags=24))) for at in (1_000, 90_001)]
    tables = read_capture(pcap(hellos[0], syn, hellos[1]))
    assert tables.sightings["frame"].to_list() == [1, 3]


def test_the_loop_and_the_reader_of_pieces_show_the_same_software():
    """Whole in a segment, and in two: the same rows but for the frame."""
    for name in ("a.example", None):
        octets = openssl_hello(name)
        whole, pieces = (
            read_hellos((0, octets)),
            read_hellos((0, octets[:70]), (70, octets[70:])),
        )
        assert whole.drop("frame").equals(pieces.drop("frame"))
        assert (whole["frame"].to_list(), pieces["frame"].to_list()) == ([1], [2])
        found = fingerprint(octets[5:])
        row = whole.row(0, named=True)
        assert (row["name"], row["ja3"], row["ja4"]) == (name, found.ja3, found.ja4)
        assert (row["version"], row["is_ech"]) == (found.version, False)


def test_hellos_of_other_software_are_told_apart_in_one_capture():
    other = records(hello_message(server_name_extension(NAME), b"\0\x10" + sized(ALPN, 2)))
    table = read_hellos((0, PLAIN), (len(PLAIN), other), (len(PLAIN + other), PLAIN))
    assert table["ja4"].to_list() == [
        fingerprint(octets[5:]).ja4 for octets in (PLAIN, other, PLAIN)
    ]
    assert table["alpn"].to_list() == [[], ["h2"], []]


def test_a_hello_that_lies_has_a_row_without_a_fingerprint():
    lying = records(hello_message(server_name_extension(NAME), b"\0\x10\xff\xff"))
    assert read_hellos((0, lying))["ja4"].to_list() == [None]


def test_a_hello_that_states_its_time_says_so_and_chance_does_not():
    stated = START // SECOND + 37
    hello = bytearray(PLAIN)
    hello[11:15] = stated.to_bytes(4)
    for octets in (bytes(hello), records(bytes(hello)[5:], 40)):
        (row,) = read_hellos((0, octets)).to_dicts()
        assert round(row["client_time"].timestamp()) == stated
        assert (row["client_time"] - row["client_time_seen"]).total_seconds() == 37
    hello[11:15] = (stated + 3 * 86_400).to_bytes(4)
    assert read_hellos((0, bytes(hello)))["client_time"].to_list() == [None]
