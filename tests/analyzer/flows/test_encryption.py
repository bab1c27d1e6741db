import random
import ssl
from math import log2

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.flows.encryption import likelihood
from phonehome.analyzer.settings import Settings
from tests.captures.decryption.made_mmtls import CLIENT_HELLO, record
from tests.captures.decryption.recording import Line, Tls, answered, post
from tests.small_captures import (
    PHONE,
    REMOTE,
    client_hello,
    connection,
    ethernet,
    gzipped,
    pcap,
    put,
    udp,
)

SOURCE = random.Random(9)  # noqa: S311 - the same each time
RANDOM = SOURCE.randbytes(1_000)
BINARY = bytes(range(40)) * 25


def classes(folder, frames):
    capture = put(folder / "a.pcap", pcap(frames))
    found = analyze([capture], Settings(phones=(PHONE,)))
    return found, found.flows.select("up_encryption", "down_encryption").rows()


def talk(*messages, port=8_080):
    octets = connection((PHONE, 40_000), (REMOTE, port), messages)
    return [ethernet(one).at(number / 10) for number, one in enumerate(octets)]


@pytest.mark.parametrize(
    ("octets", "word"),
    [
        (RANDOM, "encrypted"),
        (RANDOM[:40], "too_short"),
        (b"\1\2\3\4" * 2, "too_short"),
        (b"plain text it is, all of it", "plain"),
        (BINARY, "plain"),
        (b"\0" + BINARY[:255] + RANDOM[:256], "mixed"),
        (gzipped(RANDOM), "compressed"),
        ((1_000).to_bytes(4) + gzipped(RANDOM), "compressed"),
        (b"\x78\x9c" + RANDOM, "compressed"),
        (b"\x01\xf8\xb0\x80" + RANDOM, "encrypted"),
        (gzipped(b"short"), "compressed"),
    ],
    ids=range(11),
)
def test_what_is_not_recognised_is_told_by_its_octets(tmp_path, octets, word):
    found, ((up, down),) = classes(tmp_path, talk(("up", octets), ("down", b"ok, it is there")))
    assert up == word
    assert down == "too_short"
    confidence = found.flows["up_encryption_confidence"][0]
    assert (confidence is None) == (word == "too_short")
    assert confidence is None or confidence > 0.99


def test_datagrams_are_told_by_their_octets_too(tmp_path):
    frames = [ethernet(udp((PHONE, 40_000), (REMOTE, 9_999), RANDOM[:600])).at(0)]
    assert classes(tmp_path, frames)[1] == [("encrypted", None)]


def test_tls_is_encrypted_and_its_handshake_alone_is_plain(tmp_path):
    tls = Tls(tmp_path, ssl.TLSVersion.TLSv1_2)
    tls.say(post("/", b"x" * 400), is_up=True)
    tls.say(answered(b"ok"), is_up=False)
    hello = talk(("up", client_hello("a.example")), port=443)
    found, rows = classes(tmp_path, tls.line.frames)
    assert rows == [("encrypted", "encrypted")]
    assert found.flows["up_encryption_confidence"].to_list() == [None]
    assert classes(tmp_path, hello)[1] == [("plain", None)]


def test_http_is_plain_unless_bodies_are_packed_or_encrypted(tmp_path):
    plain, packed, hidden, tunnel = (Line(port=40_000 + n, remote_port=80) for n in range(4))
    plain.send(post("/", b"body"), is_up=True)
    plain.send(answered(b"ok"), is_up=False)
    packed.send(post("/", gzipped(b"body"), "Content-Encoding: gzip"), is_up=True)
    packed.send(answered(b"ok"), is_up=False)
    hidden.send(post("/mmtls/00a1b2c3", record(0x19, CLIENT_HELLO)), is_up=True)
    hidden.send(answered(b"ok"), is_up=False)
    tunnel.send(b"CONNECT a.example:443 HTTP/1.1\r\n\r\n", is_up=True)
    tunnel.send(b"HTTP/1.1 200 OK\r\n\r\n", is_up=False)
    tunnel.send(client_hello("a.example"), is_up=True)
    frames = [frame for line in (plain, packed, hidden, tunnel) for frame in line.frames]
    found, rows = classes(tmp_path, frames)
    assert rows == [
        ("plain", "plain"),
        ("compressed", "plain"),
        ("mixed", "plain"),
        ("mixed", "mixed"),
    ]
    sums = found.summary.up_unique_bytes_by_encryption
    assert sum(sums.values()) == found.summary.up_unique_bytes
    assert sums["plain"] == found.flows["up_unique_bytes"][0]
    assert sums["encrypted"] == 0


def test_the_likelihood_is_what_trials_say():
    """Octets of which some values come more often, so that they carry 7.5 bits each."""
    often = 1.0
    while (bits := bits_of(often)) > 7.5:
        often += 0.01
    assert bits == pytest.approx(7.5, abs=0.01)
    weights = [often] * 64 + [1.0] * 192
    for size in (128, 256):
        trials = [statistic(SOURCE.choices(range(256), weights, k=size)) for _ in range(400)]
        found = sum(z >= 4 for z in trials) / len(trials)
        assert found - 0.25 < likelihood(size) < found + 0.05  # rather too low than too high
    assert likelihood(40) < 0.05
    assert likelihood(512) > 0.9999


def bits_of(often):
    total = 64 * often + 192
    return -64 * (often / total) * log2(often / total) - 192 / total * log2(1 / total)


def statistic(octets):
    squares = sum(octets.count(value) ** 2 for value in set(octets))
    return (squares * 256 / len(octets) - len(octets) - 255) / (2 * 255) ** 0.5
