"""What others could read, and what names may be hidden, is said with its amount."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.findings.traffic import traffic_notes
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import Mmtls
from tests.captures.payloads import hello_message, records, server_name
from tests.small_captures import (
    PHONE,
    PHONE_MAC,
    ROUTER_MAC,
    connection,
    ethernet,
    lookup,
    pcap,
    put,
)

SCHEMA = {
    "service": pl.String,
    "host": pl.String,
    "remote_address": pl.String,
    "remote_port": pl.Int64,
    "organisation_kind": pl.String,
    "is_ech": pl.Boolean,
    "is_covered": pl.Boolean,
    "up_unique_bytes": pl.Int64,
    "host_rule": pl.String,
    "host_unicode": pl.String,
    "host_warning": pl.String,
    "is_host_ambiguous": pl.Boolean,
    "is_host_answered": pl.Boolean,
}
NO_RECORDS = Mmtls.create_empty()


def flow(**said):
    plain = {"service": "tls", "remote_address": "203.0.113.7", "remote_port": 443}
    return plain | {"is_covered": False, "up_unique_bytes": 100} | said


def told(*flows, mmtls=NO_RECORDS, announced=()):
    return traffic_notes(pl.DataFrame(list(flows), schema=SCHEMA), mmtls, announced)


def test_nothing_is_said_of_nothing():
    assert told() == []
    assert told(flow(host="a.example"), flow(is_ech=False)) == []


def test_what_goes_in_the_clear_is_said_with_its_share_and_its_receivers():
    hosts = [flow(service="http", host=f"{name}.example", up_unique_bytes=50) for name in "edcba"]
    (said,) = told(*hosts, flow(service="http", up_unique_bytes=1_000), flow(up_unique_bytes=3_750))
    assert said.startswith(
        "1,250 bytes (25.0 %) were uploaded in plain text (HTTP), to 203.0.113.7, a.example, "
        "b.example and 3 more: "
    )


@pytest.mark.parametrize(
    ("part", "whole", "words"),
    [(1, 1, "100.0 %"), (1, 10_000, "under 0.1 %"), (9_999, 10_000, "99.9 %"), (1, 3, "33.3 %")],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part, whole, words):
    rest = [flow(up_unique_bytes=whole - part)] if whole > part else []
    assert words in told(flow(service="http", up_unique_bytes=part), *rest)[0]


def test_http_that_uploads_nothing_is_no_finding():
    assert told(flow(service="http", up_unique_bytes=0)) == []


def test_resolvers_that_encrypt_are_named():
    (said,) = told(
        flow(host="dns.google", organisation_kind="dns"),
        flow(remote_port=853, remote_address="198.51.100.1"),
        flow(remote_port=53, organisation_kind="dns"),
    )
    assert said.startswith("2 connections to resolvers that encrypt (198.51.100.1, dns.google): ")


def test_encrypted_hellos_and_covers_are_counted():
    ech, cover = told(flow(is_ech=True), flow(is_ech=True, is_covered=True), flow(is_ech=False))
    assert ech.startswith("In 2 connections the client offered Encrypted Client Hello")
    assert cover.startswith("1 connection with only a cover (cloudflare-ech.com)")


def test_a_cover_is_no_destination(tmp_path):
    ech = b"\xfe\x0d" + (4).to_bytes(2) + b"ech!"
    hello = records(hello_message(server_name(b"cloudflare-ech.com"), ech))
    packets = connection((PHONE, 50_000), ("93.184.216.34", 443), [("up", hello)])
    frames = [*lookup("true.example", "93.184.216.34")]
    frames += [
        (ethernet(octets) if at != 1 else ethernet(octets, ROUTER_MAC, PHONE_MAC)).at(at + 1)
        for at, octets in enumerate(packets)
    ]
    analysis = analyze([put(tmp_path / "a.pcap", pcap(frames))], Settings())
    (row,) = analysis.flows.filter(service="tls").to_dicts()
    assert (row["host"], row["host_source"], row["is_ech"]) == ("true.example", "dns", True)
    assert "cloudflare-ech.com" in analysis.names["name"].to_list()
    assert any("only a cover (cloudflare-ech.com)" in note for note in analysis.notes)


def test_names_that_are_guessed_are_said_with_their_share():
    (said,) = told(
        flow(host="a.example", host_rule="answered_before", is_host_ambiguous=True),
        flow(host="b.example", host_rule="own", is_host_ambiguous=False, up_unique_bytes=300),
    )
    assert said.startswith("100 bytes (25.0 %) were uploaded to addresses that bore several names")


def test_names_that_no_look_up_supports_are_said():
    named = {"host": "a.example", "host_rule": "own"}
    (said,) = told(flow(**named, is_host_answered=False), flow(**named, is_host_answered=True))
    assert said.startswith("1 connection with a name for which no look-up in the capture gave")
    assert told(flow(**named, is_host_answered=None)) == []


def test_names_that_deceive_are_said_once():
    odd = flow(host="xn--a.example", host_unicode="x.example", host_warning="looks like b")
    assert told(odd, odd) == ["The name xn--a.example (x.example) looks like b."]


def test_names_for_which_a_hidden_one_is_taken_are_listed():
    (said,) = told(announced={"b.example", "a.example"})
    assert "for 2 names (a.example, b.example)" in said


def test_records_of_mmtls_tell_their_number_and_the_clock():
    seen = datetime(2026, 9, 28, 12, 0, 30, 900_000, tzinfo=UTC)
    rows = [
        (1, "a", True, "early", 2, 300, 4, "c02b", seen - timedelta(seconds=5.9), 4, seen),
        (1, "a", True, "data", 3, 900, 5, None, None, None, None),
    ]
    table = pl.DataFrame(rows, schema=Mmtls.create_empty().schema, orient="row")
    first, second = told(mmtls=Mmtls.validate(table))
    assert first.startswith("1,200 bytes in 5 records of MMTLS")
    assert "as 1 hello of MMTLS states, differs from the capture's by -5 to -5 s" in second
