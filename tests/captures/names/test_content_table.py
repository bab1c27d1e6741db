"""Samples of unknown protocols, from packets to the table."""

import random

import pytest

from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from tests.small_captures import (
    PHONE,
    REMOTE,
    client_hello,
    connection,
    ethernet,
    pcap,
    put,
    udp,
)

SECRET = random.Random(3).randbytes(2_000)  # noqa: S311 - the same each time


def read(tmp_path, packets):
    frames = [ethernet(octets).at(number) for number, octets in enumerate(packets)]
    reading = Reading(put(tmp_path / "a.pcap", pcap(frames)))
    list(reading.packets())
    reading.sightings(reading.conversations())
    return reading.contents().select("is_from_b", "frame", "octets", "kind").rows()


def test_the_first_segment_of_each_side_is_looked_at(tmp_path):
    messages = [("up", SECRET[:1_200]), ("down", b"hello, who is there?"), ("up", SECRET)]
    packets = connection((PHONE, 40_000), (REMOTE, 8_080), messages)
    assert read(tmp_path, packets) == [(False, 3, 512, "random"), (True, 4, 20, "text")]


def test_the_first_datagram_of_each_side_is_looked_at(tmp_path):
    ends = ((PHONE, 40_000), (REMOTE, 9_000))
    packets = [udp(*ends, SECRET[:300]), udp(*ends, b"text " * 20), udp(*ends[::-1], SECRET[:9])]
    assert read(tmp_path, packets) == [(False, 1, 300, "random"), (True, 3, 9, "too_short")]


@pytest.mark.parametrize("octets", [client_hello("a.example"), b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_known_is_not_looked_at(tmp_path, octets):
    packets = connection((PHONE, 40_000), (REMOTE, 443), [("up", octets)])
    assert read(tmp_path, packets) == []


def test_more_samples_than_the_limit_are_left_out(tmp_path):
    ends = ((PHONE, 40_000), (REMOTE, 9_000))
    frames = [ethernet(udp(*ends, SECRET[:300])), ethernet(udp(*ends[::-1], SECRET[:9]))]
    reading = Reading(put(tmp_path / "a.pcap", pcap(frames)), Limits(names=1))
    list(reading.packets())
    reading.sightings(reading.conversations())
    assert reading.contents().height == 1
