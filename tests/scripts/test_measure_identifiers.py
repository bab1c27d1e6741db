"""The measurement of hits by chance: its lists can be read, and it finds what is there."""

import random
import struct

import measure_identifiers as measure
import pytest

from phonehome.analyzer.content.identifiers import read_identifiers


def test_a_list_holds_so_many_identifiers_and_is_the_same_again(tmp_path):
    path = measure.listed(measure.TWENTY, tmp_path / "known.toml")
    assert len(read_identifiers([path]).identifiers) == measure.TWENTY
    assert measure.listed(measure.TWENTY, tmp_path / "again.toml").read_text() == path.read_text()


@pytest.mark.parametrize("is_planted", [False, True])
def test_a_value_that_is_there_is_counted_and_random_octets_are_searched(tmp_path, is_planted):
    listed = measure.listed(1, tmp_path / "known.toml")
    value = measure.value(measure.KINDS[0], random.Random(measure.SEED))  # noqa: S311 - no secret
    octets = b"".join(measure.datagrams(1))
    if is_planted:
        at = len(octets) - measure.DATAGRAM // 2
        octets = octets[:at] + value.encode() + octets[at + len(value) :]
    path = tmp_path / "random.pcap"
    path.write_bytes(octets)
    searched, found = measure.hits([path], listed, (str(measure.PHONE),))
    assert searched == 1_000_000 // measure.DATAGRAM * measure.DATAGRAM
    assert found["certain"] == is_planted


def test_a_file_that_is_no_capture_is_passed_over(tmp_path):
    path = tmp_path / "text.pcap"
    path.write_bytes(struct.pack("<I", 7))
    known = measure.listed(1, tmp_path / "known.toml")
    assert measure.hits([path], known, ()) == (0, {})
