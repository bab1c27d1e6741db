"""Inputs are opened for reading, decoded in bounded steps, and never touched."""

import hashlib
import os
import stat
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.captures.errors import CaptureError
from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from tests.captures.building import Ethernet, Ipv4, Pcap, Pcapng, Udp, pcap, records
from tests.captures.reader import Tables, narrow, read, read_path
from tests.small_captures import gzipped

ROOT = Path(__file__).resolve().parents[3]
FRAMES = [Ethernet(Ipv4(Udp(hashlib.sha256(bytes([n])).digest() * 6))) for n in range(40)]
PLAIN = pcap(*FRAMES)


def zstd(octets: bytes, *, has_checksum: bool = False) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=has_checksum).compress(octets)


def zstd_blocks(octets: bytes) -> bytes:
    """A frame of many blocks that does not say how much it holds."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    parts = []
    for at in range(0, len(octets), 500):
        parts.append(packer.compress(octets[at : at + 500]))
        parts.append(packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK))
    return b"".join([*parts, packer.flush()])


def lz4_blocks(octets: bytes) -> bytes:
    """A frame of many blocks that does not say how much it holds."""
    packer = lz4.frame.LZ4FrameCompressor(auto_flush=True, content_checksum=True)
    parts = [packer.begin()]
    parts += [packer.compress(octets[at : at + 500]) for at in range(0, len(octets), 500)]
    return b"".join([*parts, packer.flush()])


CODECS = {
    "gzip": gzipped,
    "zstd": zstd,
    "zstd blocks": zstd_blocks,
    "lz4": lz4.frame.compress,
    "lz4 blocks": lz4_blocks,
}


@pytest.fixture(params=CODECS)
def codec(request) -> str:
    return request.param


def assert_whole(tables: Tables, compression: str | None) -> None:
    assert tables.words == ["conversation"] * len(FRAMES)
    assert tables.capture["compression"] == compression
    assert tables.capture["unread_bytes"] == 0
    assert tables.capture["damage"] is None


def test_a_compressed_file_says_what_the_plain_one_says(codec: str) -> None:
    octets = CODECS[codec](PLAIN)
    tables = read(octets)
    assert_whole(tables, codec.split(maxsplit=1)[0])
    assert tables.packets.equals(read(PLAIN).packets)
    assert tables.capture["file_bytes"] == len(octets)
    assert tables.capture["sha256"] == hashlib.sha256(octets).hexdigest()


def test_members_one_after_the_other_are_one_file(codec: str) -> None:
    squeeze = CODECS[codec]
    members = [squeeze(PLAIN[at : at + 1_000]) for at in range(0, len(PLAIN), 1_000)]
    with narrow():
        assert_whole(read(b"".join(members)), codec.split(maxsplit=1)[0])
    assert_whole(read(b"".join([*members, squeeze(b"")])), codec.split(maxsplit=1)[0])


@pytest.mark.parametrize("codec", ["gzip", "zstd blocks", "lz4 blocks"])
def test_a_compressed_file_cut_anywhere_keeps_what_came_before(codec: str) -> None:
    octets = CODECS[codec](PLAIN)
    counts = []
    for end in range(len(octets) // 2, len(octets), len(octets) // 40):
        tables = read(octets[:end])
        assert tables.capture["damage"] is not None
        assert "decompression" in tables.kinds
        counts.append(len(tables.packets))
    assert counts == sorted(counts)
    assert max(counts) > len(FRAMES) // 2


@pytest.mark.parametrize("codec", ["gzip", "zstd blocks", "lz4 blocks"])
def test_the_last_octet_of_a_compressed_file_is_missed(codec: str) -> None:
    tables = read(CODECS[codec](PLAIN)[:-1])
    assert tables.words == ["conversation"] * len(FRAMES)
    assert tables.capture["damage"] is not None
    assert tables.kinds[-1] == "decompression"


def test_octets_behind_the_last_member_are_told(codec: str) -> None:
    tables = read(CODECS[codec](PLAIN) + b"something else")
    assert tables.words == ["conversation"] * len(FRAMES)
    assert "decompression" in tables.kinds
    assert tables.capture["damage"] is not None


@pytest.mark.parametrize(
    ("octets", "place"),
    [
        (gzipped(PLAIN), -6),
        (zstd(PLAIN, has_checksum=True), -1),
        (zstd_blocks(PLAIN), -1),
        (lz4_blocks(PLAIN), -1),
    ],
)
def test_a_wrong_checksum_is_told_and_what_came_before_it_kept(octets: bytes, place: int) -> None:
    wrong = bytearray(octets)
    wrong[place] ^= 1
    tables = read(bytes(wrong))
    assert tables.words == ["conversation"] * len(FRAMES)
    assert tables.kinds == ["decompression"]
    assert tables.capture["damage"] is not None


@pytest.mark.parametrize("codec", ["gzip", "zstd blocks", "lz4 blocks"])
def test_a_break_in_the_middle_keeps_what_came_before(codec: str) -> None:
    octets = bytearray(CODECS[codec](PLAIN))
    at = 3 * len(octets) // 4
    octets[at : at + 30] = b"\xff" * 30
    tables = read(bytes(octets))
    assert len(FRAMES) // 2 < len(tables.packets) <= len(FRAMES)
    assert "decompression" in tables.kinds


def test_a_file_of_which_nothing_can_be_decoded_is_refused() -> None:
    with pytest.raises(CaptureError, match="zstd: the file ends inside a frame"):
        read(zstd(PLAIN)[:-20])


def test_skippable_frames_are_skipped() -> None:
    skippable = bytes.fromhex("5f2a4d18") + (9).to_bytes(4, "little") + bytes(9)
    first, second = zstd_blocks(PLAIN[:1_000]), zstd(PLAIN[1_000:])
    tables = read(first + skippable + second + skippable)
    assert_whole(tables, "zstd")
    first, second = lz4_blocks(PLAIN[:1_000]), lz4_blocks(PLAIN[1_000:])
    assert_whole(read(first + skippable + second + skippable), "lz4")


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(CODECS)), st.data())
def test_any_compressed_octets_are_read_or_refused(codec: str, data) -> None:
    octets = bytearray(CODECS[codec](PLAIN))
    for _ in range(data.draw(st.integers(1, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        tables = read(bytes(octets))
    except CaptureError:
        return
    assert tables.sum("wire_bytes") == tables.capture["wire_bytes"]


def bomb(codec: str, mebibytes: int) -> bytes:
    """A capture that goes on with zeros for ever."""
    zeros = bytes(1 << 20)
    if codec == "gzip":
        packer = zlib.compressobj(9, wbits=31)
        parts = [packer.compress(PLAIN), *(packer.compress(zeros) for _ in range(mebibytes))]
    elif codec == "lz4":
        return lz4.frame.compress(PLAIN + zeros * mebibytes)
    else:
        packer = zstandard.ZstdCompressor().compressobj()
        parts = [packer.compress(PLAIN), *(packer.compress(zeros) for _ in range(mebibytes))]
    return b"".join([*parts, packer.flush()])


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4"])
def test_a_file_that_unfolds_beyond_all_measure_is_refused(codec: str) -> None:
    with pytest.raises(CaptureError, match=f"{codec} unfolds .* bytes to more than"):
        read(bomb(codec, 64))


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4"])
def test_a_file_may_unfold_as_far_as_limits_say(codec: str) -> None:
    many = Pcap().file(records(*[Ethernet(Ipv4(Udp(bytes(500))))] * 3_000, step=0))
    octets = CODECS[codec](many)
    assert len(many) > 100 * len(octets)
    limits = Limits(decompression_ratio=100_000, decompressed_bytes=len(many))
    assert len(read(octets, limits).packets) == 3_000
    with pytest.raises(CaptureError, match=f"to more than {len(many) - 1}"):
        read(octets, replace(limits, decompressed_bytes=len(many) - 1))


@pytest.mark.parametrize(
    "octets",
    [
        b"\x7fELF\x02\x01\x01" + bytes(60),
        b"a,b,c\n1,2,3\n",
        b"../elsewhere/real.pcap",
        b"PK\x03\x04" + bytes(60),
        b"BZh91AY&SY" + bytes(60),
        b"\xfd7zXZ\x00" + bytes(60),
        b"RIFF" + bytes(60),
        b"\x89PNG\r\n\x1a\n" + bytes(60),
        b"%PDF-1.7\n",
        b"<!DOCTYPE html><html></html>",
        b"snoop\x00\x00\x00\x00\x00\x00\x02",
        b"\xd4\xc3\xb2",
        b"\x0a\x0d\x0d",
        b"\x1f",
        b"\x1f\x8b",
        b"\x1f\x8b\x08\x00" + bytes(60),
        b"\x28\xb5\x2f\xfd",
        gzipped(b""),
        gzipped(b"plain text"),
        zstd(b""),
        zstd(gzipped(PLAIN)),
        b"\x04\x22\x4d\x18",
        b"\x04\x22\x4d\x18" + bytes(60),
        b"\x02\x21\x4c\x18" + bytes(60),
        b"PK\x05\x06" + bytes(18),
        lz4.frame.compress(b""),
        lz4.frame.compress(gzipped(PLAIN)),
        bytes(4_096),
        b"\xff" * 4_096,
        b" " + PLAIN,
        "\N{ZERO WIDTH NO-BREAK SPACE}text".encode(),
    ],
)
def test_what_is_no_capture_is_refused_whatever_it_is_called(tmp_path: Path, octets) -> None:
    for name in ("named.pcap", "named.pcapng", "named.gz"):
        path = tmp_path / name
        path.write_bytes(octets)
        with pytest.raises(CaptureError) as refusal:
            read_path(path)
        assert str(path) in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.touch()
    with pytest.raises(CaptureError, match=r"empty\.pcap: empty"):
        Reading(path)


@pytest.mark.parametrize("octets", [PLAIN, Pcapng(">").file(*FRAMES), zstd(PLAIN)])
def test_the_name_of_a_file_says_nothing_about_its_format(tmp_path: Path, octets: bytes) -> None:
    found = []
    for name in ("a.pcap", "a.pcapng", "a.gz", "a.txt", "no extension"):
        path = tmp_path / name
        path.write_bytes(octets)
        tables = read_path(path)
        assert tables.words == ["conversation"] * len(FRAMES)
        found.append({**tables.capture, "capture": None})
    assert all(row == found[0] for row in found)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match=r"absent\.pcap: cannot be read: No such file"):
        Reading(tmp_path / "absent.pcap")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path, pipe, Path("/dev/zero")):
        with pytest.raises(CaptureError, match="not a regular file"):
            Reading(path)


def facts(path: Path) -> tuple[str, int, int, int, list[str]]:
    status = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    names = sorted(file.name for file in path.parent.iterdir())
    return digest, status.st_mtime_ns, status.st_mode, status.st_ino, names


@pytest.mark.parametrize("mode", [0o444, 0o600])
@pytest.mark.parametrize("octets", [PLAIN, PLAIN[:-7], gzipped(PLAIN), zstd_blocks(PLAIN)[:-7]])
def test_inputs_stay_as_they_are(tmp_path: Path, octets: bytes, mode: int) -> None:
    path = tmp_path / "evidence.pcap"
    path.write_bytes(octets)
    path.chmod(mode)
    before = facts(path)
    tables = read_path(path)
    assert facts(path) == before
    assert tables.capture["sha256"] == before[0]
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("change", ["grown", "replaced", "removed"])
def test_a_file_that_changes_under_the_reader_is_told(tmp_path: Path, change: str) -> None:
    path = tmp_path / "live.pcap"
    path.write_bytes(PLAIN)
    reading = Reading(path)
    assert sum(len(batch) for batch in reading.packets()) == len(FRAMES)
    if change == "grown":
        with path.open("ab") as file:
            file.write(b"more")
    elif change == "replaced":
        other = tmp_path / "other"
        other.write_bytes(PLAIN)
        other.replace(path)
    else:
        path.unlink()
    assert reading.capture()["damage"].to_list() == ["the file was changed while it was read"]


STANDARD_INPUT = """
import sys
from pathlib import Path
from phonehome.captures.errors import CaptureError
from phonehome.captures.reading import Reading
try:
    reading = Reading(Path("-"))
    packets = sum(len(batch) for batch in reading.packets())
except CaptureError as error:
    sys.exit(f"refused: {error}")
row = reading.capture().row(0, named=True)
print(packets, row["capture"], row["sha256"], row["file_bytes"], row["unread_bytes"])
"""


def through_standard_input(octets: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-W", "error", "-c", STANDARD_INPUT]
    return subprocess.run(command, input=octets, capture_output=True, cwd=ROOT, check=False)


def test_standard_input_is_read_like_a_file() -> None:
    for octets in (PLAIN, zstd(PLAIN)):
        digest = hashlib.sha256(octets).hexdigest()
        done = through_standard_input(octets)
        expected = f"{len(FRAMES)} - {digest} {len(octets)} 0\n"
        assert (done.stdout.decode(), done.stderr) == (expected, b"")


def test_standard_input_that_is_no_capture_is_refused() -> None:
    for octets in (b"", b"text"):
        done = through_standard_input(octets)
        assert done.returncode == 1
        assert done.stderr.startswith(b"refused: -: ")


def test_a_closed_standard_input_is_refused(monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(CaptureError, match="standard input is closed"):
        Reading(Path("-"))
