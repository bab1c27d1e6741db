"""Requests, certificates and MMTLS of an analysis: each with its flow, seen from the phone."""

import ssl
from datetime import timedelta

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from tests.captures.certifying import handshake, issued
from tests.captures.names.test_mmtls import STREAM
from tests.small_captures import PHONE, REMOTE, connection, ethernet, pcap, put

POST = b"POST /up HTTP/1.1\r\nHost: up.example\r\nContent-Length: 3\r\n\r\nabc"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def analysed(tmp_path):
    flight = handshake(issued("api.example.org"), ssl.TLSVersion.TLSv1_2)
    talks = [
        (80, [("up", POST), ("down", ANSWER)]),
        (443, [("up", b"\x16\3\1\0\5\2"), ("down", flight)]),
        (8080, [("up", STREAM)]),
    ]
    frames = [
        ethernet(octets)
        for number, (port, messages) in enumerate(talks)
        for octets in connection((PHONE, 40_000 + number), (REMOTE, port), messages)
    ]
    path = put(tmp_path / "a.pcap", pcap([f.at(n / 10) for n, f in enumerate(frames)]))
    return analyze([path], Settings(phones=(PHONE,)))


def test_each_has_its_flow_and_its_side(tmp_path):
    found = analysed(tmp_path)
    (row,) = found.requests.to_dicts()
    assert (row["flow"], row["is_up"], row["remote_port"]) == (1, True, 80)
    assert (row["method"], row["status"], row["request_bytes"]) == ("POST", 200, 3)
    (row,) = found.certificates.to_dicts()
    assert (row["flow"], row["address"], row["port"]) == (2, REMOTE, 443)
    table = found.mmtls
    assert table.select("flow", "is_up", "kind", "records").rows() == [
        (3, True, "alert", 1),
        (3, True, "data", 1),
        (3, True, "early", 2),
    ]
    stated = table.filter(kind="early").to_dicts()[0]
    assert abs(stated["client_time"] - found.captures["first_time"][0]) < timedelta(days=1)


def test_a_flow_says_what_its_server_chose_and_which_rule_named_it(tmp_path):
    flows = analysed(tmp_path).flows
    assert flows.select("host", "host_source", "host_rule", "tls_version").rows() == [
        ("up.example", "http_host", "own", None),
        ("api.example.org", "certificate", "certificate", "1.2"),
        (None, None, None, None),
    ]
    (names,) = analysed(tmp_path).names.filter(source="certificate").to_dicts()
    assert (names["address"], names["local_address"]) == (REMOTE, PHONE)
