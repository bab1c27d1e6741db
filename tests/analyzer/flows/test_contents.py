"""What unknown protocols look like, seen from the phone."""

import random

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from tests.small_captures import PHONE, REMOTE, client_hello, connection, ethernet, pcap, put

SECRET = random.Random(3).randbytes(600)  # noqa: S311 - the same each time
FRAMED = (600).to_bytes(4, "big") + SECRET


def test_unknown_flows_say_what_each_side_looks_like(tmp_path):
    talks = [
        (8_080, [("up", FRAMED), ("down", b"plain text it is, all of it")]),
        (443, [("up", client_hello("a.example"))]),
    ]
    packets = [
        octets
        for number, (port, messages) in enumerate(talks)
        for octets in connection((PHONE, 40_000 + number), (REMOTE, port), messages)
    ]
    frames = [ethernet(octets).at(number / 10) for number, octets in enumerate(packets)]
    flows = analyze([put(tmp_path / "a.pcap", pcap(frames))], Settings(phones=(PHONE,))).flows
    assert flows.select("service", "up_content", "down_content", "framing").rows() == [
        (None, "random", "text", "length of the rest in 32 bits, big-endian, at 0"),
        ("tls", None, None, None),
    ]
    first, second = flows.select("up_entropy", "down_entropy").rows()
    assert first[0] > 7.5 > first[1] > 1
    assert second == (None, None)
