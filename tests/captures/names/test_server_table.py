"""ServerHellos and certificates as tables: read by the loop, in pieces, and beyond limits."""

import ssl

import pytest

from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from tests.captures.certifying import END, handshake, issued
from tests.small_captures import (
    PHONE,
    REMOTE,
    ROUTER_MAC,
    client_hello,
    connection,
    ethernet,
    pcap,
    put,
)

LOCAL, FAR = (PHONE, 50_000), (REMOTE, 443)
CERTIFICATE = issued("*.example.org", common="*.example.org")


def read(tmp_path, *messages, **limits):
    packets = [ethernet(octets) for octets in connection(LOCAL, FAR, messages)]
    frames = [frame.at(number) for number, frame in enumerate(packets)]
    reading = Reading(put(tmp_path / "a.pcap", pcap(frames)), Limits(**limits))
    list(reading.packets())
    return reading, reading.sightings(reading.conversations())


def pieces(octets, size):
    return [("down", octets[begin : begin + size]) for begin in range(0, len(octets), size)]


@pytest.mark.parametrize("size", [100, 536, 1_460, 9_000])
def test_a_server_of_tls_1_2_is_read_and_named_by_its_certificate(tmp_path, size):
    flight = handshake(CERTIFICATE, ssl.TLSVersion.TLSv1_2)
    reading, sightings = read(tmp_path, *pieces(flight, size))
    (hello,) = reading.server_hellos().to_dicts()
    assert (hello["version"], hello["alpn"], hello["is_from_b"]) == (0x0303, "h2", True)
    (row,) = reading.certificates().to_dicts()
    assert (row["subject"], row["issuer"]) == ("*.example.org", "Parrot Authority")
    assert row["not_after"] == END
    assert sightings.select("address", "port", "name", "source").rows() == [
        (REMOTE, 443, "*.example.org", "certificate")
    ]


@pytest.mark.parametrize("size", [50, 9_000])
def test_a_server_of_tls_1_3_is_read_by_the_loop_or_in_pieces_alike(tmp_path, size):
    flight = handshake(CERTIFICATE, ssl.TLSVersion.TLSv1_3)
    reading, sightings = read(tmp_path, *pieces(flight, size))
    (hello,) = reading.server_hellos().to_dicts()
    assert (hello["version"], hello["alpn"]) == (0x0304, None)
    assert hello["cipher"] in {0x1301, 0x1302, 0x1303}
    assert reading.certificates().is_empty()
    assert sightings.is_empty()


def test_a_hello_that_is_sent_again_counts_once(tmp_path):
    flight = handshake(CERTIFICATE, ssl.TLSVersion.TLSv1_3)
    packets = connection(LOCAL, FAR, [("down", flight)])
    frames = [ethernet(octets, ROUTER_MAC) for octets in (*packets[:3], packets[2], *packets[3:])]
    reading = Reading(put(tmp_path / "a.pcap", pcap(frames)))
    list(reading.packets())
    reading.sightings(reading.conversations())
    assert reading.server_hellos().height == 1


def test_a_damaged_certificate_is_odd_and_names_nothing(tmp_path):
    flight = bytearray(handshake(CERTIFICATE, ssl.TLSVersion.TLSv1_2))
    at = flight.index(CERTIFICATE[0])
    flight[at + 1] = 0x10
    reading, sightings = read(tmp_path, ("down", bytes(flight)))
    assert reading.certificates().is_empty()
    assert sightings.is_empty()
    assert "certificate_malformed" in reading.oddities()["kind"].to_list()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_more_than_the_limit_are_left_out(tmp_path, version):
    reading, _ = read(tmp_path, ("down", handshake(CERTIFICATE, version)), names=0)
    assert reading.server_hellos().is_empty()
    assert reading.certificates().is_empty()


def test_a_client_hello_behind_a_change_of_ciphers_is_read(tmp_path):
    """As the second one is of a connection whose server asked for another."""
    again = b"\x14\x03\x03\x00\x01\x01" + client_hello("again.example")
    messages = [("up", client_hello("first.example")), ("down", b"\x16\3\3\0\1\0"), ("up", again)]
    _, sightings = read(tmp_path, *messages)
    assert sightings.select("frame", "name").rows() == [(3, "first.example"), (5, "again.example")]
