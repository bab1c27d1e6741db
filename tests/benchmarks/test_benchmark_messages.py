import shutil
import subprocess

import pytest

from benchmarks.make_capture import make_capture
from benchmarks.messages import SEGMENT
from benchmarks.plan import Kind


def of_kind(flows, bodies, kind):
    return [
        (flows.names[flows.name[flow]].encode(), *bodies[3 * flow : 3 * flow + 3])
        for flow in (flows.kind == kind).nonzero()[0].tolist()
    ]


def test_each_hello_names_its_host_and_tells_its_own_length(flows, bodies):
    for name, first, rest, _ in of_kind(flows, bodies, Kind.TLS):
        hello = first + rest
        assert name in hello
        assert int.from_bytes(hello[3:5], "big") == len(hello) - 5
        assert int.from_bytes(hello[6:9], "big") == len(hello) - 9


def test_a_tenth_of_the_hellos_needs_a_second_segment(flows, bodies):
    hellos = of_kind(flows, bodies, Kind.TLS)
    long = [first for _, first, rest, _ in hellos if rest]
    assert 0.04 < len(long) / len(hellos) < 0.18
    assert {len(first) for first in long} == {SEGMENT}


def test_a_seventh_of_the_servers_show_their_certificate(flows, bodies):
    answers = [(name, answer) for name, _, _, answer in of_kind(flows, bodies, Kind.TLS)]
    shown = [name in answer for name, answer in answers]
    assert 0.07 < sum(shown) / len(shown) < 0.22


def test_answers_fit_into_a_segment(bodies):
    assert max(map(len, bodies)) <= SEGMENT


def test_a_dns_answer_ends_with_the_address_of_the_flow_it_was_asked_for(flows, bodies):
    for flow in (flows.kind == Kind.DNS).nonzero()[0].tolist():
        asked = flows.asks_for[flow]
        width = 16 if flows.is_v6[asked] else 4
        assert bodies[3 * flow + 2].endswith(flows.addresses[flows.remote[asked]].tobytes()[:width])
        assert bodies[3 * flow][:2] == bodies[3 * flow + 2][:2]


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ("tcp && tls.handshake.extensions_server_name", Kind.TLS),
        ("quic && tls.handshake.extensions_server_name", Kind.QUIC),
        ("http.host", Kind.HTTP),
        ("dns.flags.response == 1 && (dns.a || dns.aaaa)", Kind.DNS),
    ],
)
def test_tshark_finds_the_name_of_every_flow(tmp_path, flows, condition, kind):
    path = tmp_path / "made.pcap"
    make_capture(path, packets=12_000, flows=400, seed=7)
    field = {Kind.HTTP: "http.host", Kind.DNS: "dns.qry.name"}.get(
        kind, "tls.handshake.extensions_server_name"
    )
    command = ["tshark", "-n", "-r", path, "-Y", condition, "-T", "fields", "-e", field]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    expected = {flows.names[number] for number in flows.name[flows.kind == kind]}
    assert expected
    assert set(found) == expected
