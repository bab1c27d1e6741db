import hashlib
import shutil
import struct
import subprocess

import pytest

from benchmarks.make_capture import make_capture


def frames_of(content):
    """Time in microseconds and bytes of each frame of a classic pcap."""
    at, found = 24, []
    while at < len(content):
        seconds, micros, captured, original = struct.unpack_from("<IIII", content, at)
        assert captured == original
        found.append((seconds * 1_000_000 + micros, content[at + 16 : at + 16 + captured]))
        at += 16 + captured
    assert at == len(content)
    return found


def frames_of_pcapng(content):
    """The same of the enhanced packet blocks of a pcapng file."""
    at, found = 0, []
    while at < len(content):
        kind, length = struct.unpack_from("<II", content, at)
        assert struct.unpack_from("<I", content, at + length - 4) == (length,)
        if kind == 6:
            _, high, low, captured, _ = struct.unpack_from("<5I", content, at + 8)
            found.append((high << 32 | low, content[at + 28 : at + 28 + captured]))
        at += length
    assert at == len(content)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "made.pcap"
    make_capture(path, packets=3_000, flows=100, seed=3)
    return path.read_bytes()


def test_the_same_seed_gives_the_same_file(tmp_path, made):
    make_capture(tmp_path / "again.pcap", packets=3_000, flows=100, seed=3)
    make_capture(tmp_path / "other.pcap", packets=3_000, flows=100, seed=4)
    digest = hashlib.sha256(made).digest()
    assert hashlib.sha256((tmp_path / "again.pcap").read_bytes()).digest() == digest
    assert hashlib.sha256((tmp_path / "other.pcap").read_bytes()).digest() != digest


def test_pcapng_holds_the_same_frames_at_the_same_times(tmp_path, made):
    make_capture(tmp_path / "made.pcapng", packets=3_000, flows=100, seed=3, is_pcapng=True)
    frames = frames_of(made)
    assert len(frames) == 3_000
    assert frames_of_pcapng((tmp_path / "made.pcapng").read_bytes()) == frames


def test_lengths_of_all_layers_agree_with_the_frame(made):
    families, protocols = set(), set()
    for _, frame in frames_of(made):
        ethertype = frame[12:14].hex()
        packet = frame[14:]
        if ethertype == "0800":
            assert int.from_bytes(packet[2:4], "big") == len(packet)
            protocol, inner = packet[9], packet[20:]
        else:
            assert ethertype == "86dd"
            assert int.from_bytes(packet[4:6], "big") == len(packet) - 40
            protocol, inner = packet[6], packet[40:]
        if protocol == 17:
            assert int.from_bytes(inner[4:6], "big") == len(inner)
        else:
            assert (inner[12] >> 4) * 4 in (32, 40)
        families.add(ethertype)
        protocols.add(protocol)
    assert families == {"0800", "86dd"}
    assert protocols == {6, 17}


def test_header_checksums_of_ipv4_are_right(made):
    headers = [frame[14:34] for _, frame in frames_of(made) if frame[12:14] == b"\x08\x00"]
    assert headers
    for header in headers:
        total = sum(struct.unpack("!10H", header))
        assert (total & 0xFFFF) + (total >> 16) == 0xFFFF


def test_one_end_of_every_frame_is_the_phone(made):
    for _, frame in frames_of(made):
        is_up = frame[6:12].hex() == "02a1b2c3d4e5"
        assert is_up != (frame[:6].hex() == "02a1b2c3d4e5")
        if frame[12:14] == b"\x08\x00":
            assert frame[26 + 4 * (not is_up) :][:4] == bytes([192, 168, 43, 17])
        else:
            assert frame[22 + 16 * (not is_up) :][:4].hex() == "24098a00"


def test_a_refused_size_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="packets: expected at least"):
        make_capture(tmp_path / "made.pcap", packets=100, flows=100)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("capinfos") is None, reason="capinfos is not installed")
def test_capinfos_agrees_with_the_number_of_packets(tmp_path, made):
    path = tmp_path / "made.pcap"
    path.write_bytes(made)
    said = subprocess.run(
        ["capinfos", "-M", "-c", path], capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[-1] == "3000"
