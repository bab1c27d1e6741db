"""Mutants of geo databases: none may break the contract, hang, or take the process's memory."""

import struct
import time

import pytest

from phonehome.geo.databases import METADATA_MARKER, open_database
from phonehome.geo.errors import DatabaseError
from tests.fuzz import databases
from tests.fuzz.databases import MOST_GROWTH, bases, bounded, held, mutant, run_batch


@pytest.mark.slow
def test_two_thousand_changed_databases_end_in_answers_or_in_one_line():
    outcome = run_batch((1, 2000))
    assert outcome.findings == []
    assert outcome.growth <= MOST_GROWTH
    assert outcome.ends["answered"] > 100
    assert outcome.ends["refused"] > 100
    assert outcome.ends["damaged at an address"] > 5


def test_the_same_seed_makes_the_same_mutant():
    made = [mutant(seed) for seed in range(100)]
    bases.cache_clear()
    assert made == [mutant(seed) for seed in range(100)]
    assert len(set(made)) > 90


def test_whole_databases_are_answered(tmp_path):
    for base in bases():
        (tmp_path / "whole.mmdb").write_bytes(base)
        assert held(tmp_path / "whole.mmdb") == "answered"


@pytest.mark.parametrize("wrong", [RuntimeError("oh"), AssertionError("oh"), RecursionError("oh")])
def test_what_breaks_the_contract_is_a_finding(monkeypatch, wrong):
    calls = []

    def breaks(path):
        calls.append(path)
        if len(calls) > 1:  # the first one warms up
            raise wrong

    monkeypatch.setattr(databases, "held", breaks)
    outcome = run_batch((5, 2))
    assert [seed for seed, _ in outcome.findings] == [5, 6]
    assert "oh" in outcome.findings[0][1]


def test_what_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(databases, "MOST_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match="no end after"), bounded():
        time.sleep(10)


def database_of(record, depth):
    """A database of one node, both of whose sides lead to a record."""
    tree = struct.pack(">II", *[1 + 16 + 0, 1 + 16 + 0])[1:4] + struct.pack(">I", 17)[1:]
    metadata = {
        b"node_count": b"\xa1\x01",
        b"record_size": b"\xa1\x18",
        b"ip_version": b"\xa1\x04",
        b"binary_format_major_version": b"\xa1\x02",
        b"binary_format_minor_version": b"\xa1\x00",
        b"build_epoch": b"\x01\x02\x01",
        b"database_type": b"\x44Test",
        b"languages": b"\x00\x04",
        b"description": b"\xe0",
    }
    assert depth < 250
    body = b"".join(bytes([0x40 | len(key)]) + key + value for key, value in metadata.items())
    return tree + bytes(16) + record + METADATA_MARKER + bytes([0xE0 | len(metadata)]) + body


def bomb(depth):
    """Arrays of two pointers to the array behind, again and again: 2 ** depth values of few bytes.

    Each is 6 octets: an array of two, and two pointers of two octets each.
    """
    record = b""
    for level in range(depth):
        to = 6 * (level + 1)
        pointer = bytes([0x20 | to >> 8 & 7, to & 0xFF])
        record += b"\x02\x04" + pointer * 2
    return record + b"\xa1\x01"


def test_the_database_of_this_test_is_read(tmp_path):
    path = tmp_path / "a.mmdb"
    path.write_bytes(database_of(b"\xe1\x4ccountry_code\x42SG", 0))
    assert open_database(path, name="a").kinds == ("country",)
    path.write_bytes(database_of(bomb(2), 2))
    with pytest.raises(DatabaseError, match="records without fields"):
        open_database(path, name="a")


@pytest.mark.parametrize("depth", [20, 40, 100, 200])
def test_pointers_that_share_what_they_point_to_cost_little(tmp_path, depth):
    path = tmp_path / "bomb.mmdb"
    path.write_bytes(database_of(bomb(depth), depth))
    with bounded(), pytest.raises(DatabaseError):
        open_database(path, name="bomb")


def test_a_pointer_to_itself_is_refused(tmp_path):
    path = tmp_path / "self.mmdb"
    path.write_bytes(database_of(b"\x20\x00", 0))
    with bounded(), pytest.raises(DatabaseError):
        open_database(path, name="self")
