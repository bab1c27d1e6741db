"""What others could read, and what names may be hidden, is said with its amount."""

import polars as pl
import pytest

from analyzer.analysis import analyze
from analyzer.findings import findings
from analyzer.settings import Settings
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
}


def flow(**said):
    plain = {"service": "tls", "remote_address": "203.0.113.7", "remote_port": 443}
    return plain | {"is_covered": False, "up_unique_bytes": 100} | said


def told(*flows):
    return findings(pl.DataFrame(list(flows), schema=SCHEMA))


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
