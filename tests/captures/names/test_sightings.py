from datetime import UTC, datetime

import numpy as np
import polars as pl

from phonehome.captures.names.faults import Fault, Moment
from phonehome.captures.names.sightings import FaultList, SightingList
from tests.captures.payloads import PHONE, REMOTE, SECOND, conversations

NO_TIME = int(np.iinfo(np.int64).min)
FROM_A, FROM_B = (0, 0), (0, 1)


def rows(sightings, *ports, columns=("frame", "address", "port", "name", "source")):
    return sightings.table(conversations(*ports)).select(columns).rows()


def test_a_host_is_the_name_of_the_end_that_it_was_sent_to():
    sightings = SightingList(10)
    sightings.add(Moment(1, 0), FROM_A, "sni", "a.example")
    sightings.add(Moment(2, 0), FROM_B, "http_host", "b.example")
    assert rows(sightings, 443) == [
        (1, REMOTE, 443, "a.example", "sni"),
        (2, PHONE, 50_000, "b.example", "http_host"),
    ]


def test_a_name_of_dns_belongs_to_the_address_in_the_answer():
    sightings = SightingList(10)
    sightings.add(Moment(1, 0), FROM_B, "dns", "a.example", b"\xcb\x00\x71\x01")
    sightings.add(Moment(1, 0), FROM_B, "dns", "a.example", bytes.fromhex("20010db8") + bytes(12))
    assert rows(sightings, 53) == [
        (1, "203.0.113.1", None, "a.example", "dns"),
        (1, "2001:db8::", None, "a.example", "dns"),
    ]


def test_an_answer_that_does_not_come_from_port_53_is_left_out():
    sightings = SightingList(10)
    for conversation in range(3):
        sightings.add(Moment(1, 0), (conversation, 1), "dns", "a.local", b"\x0a\0\0\1")
    sightings.add(Moment(2, 0), FROM_A, "dns", "forged.example", b"\x0a\0\0\1")
    assert [row[0] for row in rows(sightings, 53, 5353, None)] == [1]


def test_the_same_name_in_the_same_frame_is_one_sighting():
    sightings = SightingList(10)
    for frame in (2, 2, 1):
        sightings.add(Moment(frame, 0), FROM_A, "http_host", "a.example")
    assert [row[0] for row in rows(sightings, 80)] == [1, 2]


def test_sightings_stand_by_frame_and_then_as_they_were_said():
    sightings = SightingList(10)
    for frame, name in ((2, "z"), (2, "a"), (1, "m")):
        sightings.add(Moment(frame, 0), FROM_A, "http_host", name)
    assert [row[3] for row in rows(sightings, 80)] == ["m", "z", "a"]


def test_a_time_that_is_absent_is_null():
    sightings = SightingList(10)
    sightings.add(Moment(1, NO_TIME), FROM_A, "sni", "a")
    sightings.add(Moment(2, SECOND + 1), FROM_A, "sni", "a")
    table = sightings.table(conversations(443))
    assert table["time"].to_list() == [None, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)]
    assert table["time"].cast(pl.Int64)[1] == SECOND + 1


def test_each_of_many_names_is_kept(monkeypatch):
    monkeypatch.setattr("phonehome.captures.names.sightings._RECENT_WORDS", 3)
    sightings = SightingList(100)
    names = [f"{number}.example" for number in (0, 1, 2, 3, 0, 4, 5, 6, 7, 1, 1)]
    for frame, name in enumerate(names, start=1):
        sightings.add(Moment(frame, 0), FROM_B, "dns", name, bytes([10, 0, 0, frame]))
    assert rows(sightings, 53, columns=("address", "name")) == [
        (f"10.0.0.{frame}", name) for frame, name in enumerate(names, start=1)
    ]


def test_beyond_the_limit_sightings_are_counted_alone():
    sightings = SightingList(2)
    for frame in range(1, 6):
        sightings.add(Moment(frame, 0), FROM_A, "sni", "a")
    assert sightings.left_out == 3
    assert len(sightings.table(conversations(443))) == 2


def test_no_sighting_makes_an_empty_table():
    assert SightingList(1).table(conversations(443)).is_empty()


def test_the_first_faults_of_a_kind_have_rows_and_the_rest_has_one():
    faults = FaultList(2)
    for frame in range(1, 6):
        faults.add(frame, Fault("dns_cut", 12, frame))
    faults.add(9, Fault("tls_malformed"))
    table = faults.table()
    assert table.select("frame", "kind", "needed_bytes", "got_bytes", "count").rows() == [
        (1, "dns_cut", 12, 1, 1),
        (2, "dns_cut", 12, 2, 1),
        (9, "tls_malformed", None, None, 1),
        (None, "dns_cut", None, None, 3),
    ]
    assert set(table["layer"]) == {"name"}


def test_no_fault_makes_an_empty_table():
    assert FaultList(1).table().is_empty()
