import shutil
import struct

import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures.decryption.opened_traffic import ConversationEnds
from phonehome.captures.limits import Limits
from tests.captures.decryption.made_mmtls import (
    CLIENT_HELLO,
    Link,
    cbc,
    packed,
    record,
    short_request,
)
from tests.captures.decryption.recording import Line, Tls, answered, post
from tests.small_captures import PHONE, pcap, pcapng, put

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
pytestmark = pytest.mark.tshark


def spoken(folder, *, port=40_000, at=0.0, keep=True):
    """Frames of a connection over TLS with a request and its answer."""
    log = folder / "keys.log"
    before = log.read_bytes() if log.exists() else b""
    tls = Tls(folder, line=Line(port=port, at=at))
    tls.say(post("/a", b"x" * 100), is_up=True)
    tls.say(answered(b"ok"), is_up=False)
    tls.close()
    if not keep:
        log.write_bytes(before)
    return tls.line.frames


def result(capture, *keylogs, **more):
    return analyze([capture], Settings(keylogs=keylogs, phones=(PHONE,), **more))


def rows(analysis):
    columns = ("flow", "layer", "keys_source", "is_opened", "requests", "reason")
    return analysis.decryption.select(columns).rows()


@needs_tshark
def test_flows_that_keys_open_and_those_that_they_do_not_have_a_row_each(tmp_path):
    frames = spoken(tmp_path) + spoken(tmp_path, port=40_001, at=5, keep=False)
    late = spoken(tmp_path, port=40_002, at=9)[6:]
    capture = put(tmp_path / "a.pcap", pcap(frames + late))
    found = result(capture, tmp_path / "keys.log")
    assert rows(found) == [
        (1, "tls", "keylog", True, 1, None),
        (2, "tls", None, False, 0, "no_key"),
        (3, "tls", None, False, 0, "no_handshake"),
    ]
    opened = found.decryption.row(0, named=True)
    assert opened["up_opened_bytes"] == len(post("/a", b"x" * 100))
    assert opened["down_opened_bytes"] == len(answered(b"ok"))
    assert found.tshark.startswith("4.")
    assert found.keys_used == 1
    assert any(note.startswith("Keys opened 1 of 3 encrypted flows") for note in found.notes)


def secrets(lines):
    body = struct.pack("<II", 0x544C534B, len(lines)) + lines + bytes(-len(lines) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", 10) + length + body + length


@needs_tshark
@pytest.mark.parametrize("is_last", [True, False])
def test_secrets_inside_a_capture_open_it_before_and_behind_its_packets(tmp_path, is_last):
    octets = pcapng(spoken(tmp_path))
    block = secrets((tmp_path / "keys.log").read_bytes())
    begin = 28 + octets[28:].index(struct.pack("<I", 6))
    whole = octets + block if is_last else octets[:begin] + block + octets[begin:]
    found = result(put(tmp_path / "a.pcapng", whole))
    assert rows(found) == [(1, "tls", "secrets_block", True, 1, None)]


@needs_tshark
def test_a_key_log_of_the_other_leg_of_a_proxy_is_recognised(tmp_path):
    spoken(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    capture = put(tmp_path / "a.pcap", pcap(spoken(other)))
    (note,) = [one for one in result(capture, tmp_path / "keys.log").notes if "proxy" in one]
    assert "none of the keys" in note
    both = result(capture, tmp_path / "keys.log", other / "keys.log")
    (note,) = [one for one in both.notes if "proxy" in one]
    assert note.startswith("1 of 2 keys that were given belong")


def test_without_keys_there_is_no_table_and_no_word(tmp_path):
    found = result(put(tmp_path / "a.pcap", pcap(spoken(tmp_path))))
    assert rows(found) == []
    assert found.tshark is None
    assert not any("key" in note.lower() for note in found.notes)


def test_without_tshark_all_else_is_there_and_it_is_said_what_to_install(tmp_path, monkeypatch):
    capture = put(tmp_path / "a.pcap", pcap(spoken(tmp_path)))
    before = result(capture)
    monkeypatch.setenv("PATH", "/nowhere")
    found = result(capture, tmp_path / "keys.log")
    assert found.flows.equals(before.flows)
    assert rows(found) == [(1, "tls", None, False, 0, "tshark_missing")]
    assert any("apt install tshark" in note for note in found.notes)


GARBAGE = """#!/bin/sh
[ "$1" = --version ] && echo 'TShark (Wireshark) 4.0.17' && exit 0
[ "$1" = -G ] && exit 0
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("cat >/dev/null; echo garbage", "none of its lines"),
        ("while :; do echo '{\"layers\": {}}'; done", "none of its lines"),
        ("while :; do echo '{}'; done", "took longer than 2 s"),
        ("exec sleep 600", "took longer than 2 s"),
        ("kill -9 $$", "signal 9"),
        ("exit 7", "code 7"),
        ("exit 0", None),
    ],
)
def test_whatever_tshark_does_all_else_is_there_and_it_is_told(tmp_path, monkeypatch, body, said):
    capture = put(tmp_path / "a.pcap", pcap(spoken(tmp_path)))
    before = result(capture)
    (tmp_path / "bin").mkdir()
    script = put(tmp_path / "bin" / "tshark", f"{GARBAGE}{body}\n".encode())
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")
    found = result(capture, tmp_path / "keys.log", limits=Limits(opening_seconds=2))
    assert found.flows.equals(before.flows)
    assert found.ledger.equals(before.ledger)
    reason = "tshark_stopped" if said else "not_dissected"
    assert rows(found) == [(1, "tls", None, False, 0, reason)]
    assert any(said in note for note in found.notes) if said else True


def mmtls_over_http(octets):
    """A short link: a request of HTTP whose body is records, and its answer."""
    line = Line(remote_port=80)
    line.send(post("/mmtls/00a1b2c3", octets[0]), is_up=True)
    line.send(answered(octets[1]), is_up=False)
    return line.frames


def mmtls_alone(octets):
    """A long link: records in a TCP connection of their own."""
    line = Line(remote_port=8_080)
    for number, part in enumerate(octets):
        line.send(part, is_up=number % 2 == 0)
    return line.frames


@pytest.mark.parametrize("carry", [mmtls_over_http, mmtls_alone])
@pytest.mark.parametrize("size", [100, 60_000])
def test_mmtls_is_opened_with_its_own_key_log_and_without_tshark(
    tmp_path, monkeypatch, carry, size
):
    monkeypatch.setenv("PATH", "/nowhere")
    up, down = Link(), Link(key=bytes(16), is_up=False)
    inner = cbc(bytes(16), bytes(16), packed(b"account 12345678"))
    asked, got = short_request(b"\xbf" + bytes(size) + inner), b"\0answer"
    octets = (record(0x19, CLIENT_HELLO) + up.send(asked), down.send(got))
    log = tmp_path / "mmtls.jsonl"
    log.write_text("\n".join([*up.lines, *down.lines]))
    capture = put(tmp_path / "a.pcap", pcap(carry(octets)))
    found = result(capture, log)
    assert rows(found) == [(1, "mmtls", "mmtls_keylog", True, 1, None)]
    opened = found.decryption.row(0, named=True)
    assert opened["up_opened_bytes"] == len(asked)
    assert opened["down_opened_bytes"] == len(got)
    assert found.tshark is None
    log.write_text("\n".join(line.replace(bytes(range(16)).hex(), "77" * 16) for line in up.lines))
    wrong = result(capture, log)
    assert rows(wrong) == [(1, "mmtls", "mmtls_keylog", False, 0, "nothing_opened")]
    assert wrong.decryption["failures"].to_list() == [1]
    assert wrong.flows.equals(found.flows)


def test_where_keys_are_for_mmtls_alone_tls_has_no_key(tmp_path):
    up = Link()
    up.send(b"0")
    log = put(tmp_path / "mmtls.jsonl", "\n".join(up.lines).encode())
    capture = put(tmp_path / "a.pcap", pcap(spoken(tmp_path)))
    assert rows(result(capture, log)) == [(1, "tls", None, False, 0, "no_key")]


def test_the_conversation_of_a_piece_is_that_of_its_ends_at_its_time(tmp_path):
    frames = spoken(tmp_path)
    flows = result(put(tmp_path / "a.pcap", pcap(frames))).flows
    places = ConversationEnds(
        flows.select(
            "protocol", "first_frame", conversation="flow", a_address="local_address",
            a_port="local_port", b_address="remote_address", b_port="remote_port",
        )
    )  # fmt: skip
    ends = (PHONE, 40_000), (flows["remote_address"][0], 443)
    assert places.find("tcp", *ends, 1) == 1
    assert places.find("tcp", *reversed(ends), 99) == 1
    assert places.find("tcp", *ends, 0) is None
    assert places.find("udp", *ends, 1) is None
