"""Sums of MMTLS records, of long links and short links."""

from phonehome.captures.limits import Limits
from phonehome.captures.names.faults import Moment
from phonehome.captures.names.mmtls import Record
from phonehome.captures.names.mmtls_table import RecordSums
from phonehome.captures.names.reader import NameReader
from tests.captures.names.test_mmtls import STREAM, TIME
from tests.captures.payloads import Piece, conversations, excerpts

EARLY, DATA, ALERT = ("early", 2), ("data", 1), ("alert", 1)


def test_a_long_link_and_a_short_link_give_the_same_sums():
    body = b"POST /mmtls/00a1b2c3 HTTP/1.1\r\nHost: a.example\r\nContent-Length: "
    body += b"%d\r\n\r\n" % len(STREAM) + STREAM
    reader = NameReader(Limits())
    reader.add(excerpts(Piece(STREAM[:90], 1), Piece(STREAM[90:], 2, position=90)))
    reader.add(excerpts(Piece(body, 7, conversation=1)))
    reader.sightings(conversations(8080, 80))
    table = reader.mmtls_records()
    assert table.select("conversation", "kind", "records", "client_time_frame").rows() == [
        (0, "alert", 1, None),
        (0, "data", 1, None),
        (0, "early", 2, 1),
        (1, "alert", 1, None),
        (1, "data", 1, None),
        (1, "early", 2, 7),
    ]
    assert table["client_time"].dt.epoch("s").drop_nulls().to_list() == [TIME, TIME]
    assert table["suites"].drop_nulls().to_list() == ["c02b,00a8"] * 2
    assert table["record_bytes"].sum() == 2 * (len(STREAM) - 20)


def test_more_sums_than_the_limit_are_left_out():
    sums = RecordSums(1)
    for conversation in range(3):
        sums.add((conversation, 0), [(Record("data", 5), Moment(1, 0))] * 2)
    assert sums.table().select("records", "record_bytes").rows() == [(2, 10)]
