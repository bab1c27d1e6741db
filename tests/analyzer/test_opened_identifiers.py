"""Every identifier in every encoding, sent over real TLS, HTTP/2 and QUIC, is found with keys."""

import shutil
import ssl
import struct

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from tests.captures.decryption.recording import Quic, Tls, post
from tests.captures.search.known import IDENTIFIERS, PLANTED, PLANTS
from tests.small_captures import PHONE, pcap, put

pytestmark = [
    pytest.mark.tshark,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]
HEAD = b"\x83\x87\x84\x01\x09t.example"
"""Head of a request of HTTP/2: POST, https, /, and an authority (HPACK, static table)."""


def listed(folder):
    """The identifiers of the tests of the search, as a list."""
    (folder / "planted.bin").write_bytes(PLANTED)
    parts = []
    for one in IDENTIFIERS:
        held = 'file = "planted.bin"' if one.content else f'value = "{one.value}"'
        keys = f"keys = {[key.decode() for key in one.keys]}".replace("'", '"') if one.keys else ""
        parts.append(
            f'[[identifier]]\nkind = "{one.kind}"\nlabel = "{one.label}"\n{held}\n{keys}\n'
        )
    path = folder / "known.toml"
    path.write_text("\n".join(parts), encoding="utf-8")
    return path


def over_tls(folder, version):
    tls = Tls(folder, version, alpn=["http/1.1"])
    for _, octets in PLANTS.values():
        tls.say(post("/a", octets), is_up=True)
    tls.close()
    return tls.line.frames


def frame(kind, flags, stream, payload):
    return struct.pack("!I", len(payload))[1:] + struct.pack("!BBI", kind, flags, stream) + payload


def over_http2(folder):
    tls = Tls(folder, alpn=["h2"])
    tls.say(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""), is_up=True)
    for number, (_, octets) in enumerate(PLANTS.values()):
        stream = 2 * number + 1
        tls.say(frame(1, 4, stream, HEAD) + frame(0, 1, stream, octets), is_up=True)
    tls.close()
    return tls.line.frames


def over_quic(folder):
    quic = Quic(folder, ["own"])
    for number, (_, octets) in enumerate(PLANTS.values()):
        begin = b"x" if octets[0] <= 1 else b""  # or it looks like a frame of HTTP/3
        quic.say(begin + octets, is_up=True, stream=4 * number)
    return quic.frames


WAYS = {
    "TLS 1.2": lambda folder: over_tls(folder, ssl.TLSVersion.TLSv1_2),
    "TLS 1.3": lambda folder: over_tls(folder, ssl.TLSVersion.TLSv1_3),
    "HTTP/2": over_http2,
    "QUIC": over_quic,
}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_all_that_was_planted_is_found_with_the_keys_and_nothing_without(tmp_path, way):
    capture = put(tmp_path / "a.pcap", pcap(WAYS[way](tmp_path)))
    settings = Settings(phones=(PHONE,), identifiers=(listed(tmp_path),))
    assert analyze([capture], settings).identifiers.is_empty()
    keyed = Settings(
        phones=(PHONE,),
        identifiers=settings.identifiers,
        keylogs=(tmp_path / "keys.log",),
    )
    result = analyze([capture], keyed)
    found = result.identifiers.filter("is_up")
    planted = {}
    for label, _ in PLANTS.values():
        planted[label] = planted.get(label, 0) + 1
    times = dict(found.group_by("label").agg("count").iter_rows())
    assert set(times) == set(planted)
    for label, number in planted.items():
        assert sum(times[label]) >= number, label
    assert set(found["layer"]) == {"quic" if way == "QUIC" else "tls"}
