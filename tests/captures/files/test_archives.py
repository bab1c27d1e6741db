"""Archives are written by the standard library, and then lie in one field after the other."""

import hashlib
import os
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures.errors import CaptureError
from phonehome.captures.files import archives
from phonehome.captures.files.archives import is_archive, place_in_archive
from phonehome.captures.files.find_captures import capture_files, capture_names
from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from tests.captures.building import Ethernet, Ipv4, Pcap, Pcapng, Tcp, Udp, pcap, records
from tests.captures.reader import Tables, narrow, read_path
from tests.small_captures import gzipped

FRAMES = [Ethernet(Ipv4(Udp(hashlib.sha256(bytes([n])).digest() * 6))) for n in range(40)]
PLAIN, OTHER = pcap(*FRAMES), Pcapng().file(*FRAMES[:7])
METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]
DAY = (2026, 11, 1, 0, 0, 0)


def archive(
    path: Path, members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", method) as written:
        for name, octets in members:
            written.writestr(zipfile.ZipInfo(name, DAY), octets, method)
    return path


def assert_whole(tables: Tables) -> None:
    assert tables.words == ["conversation"] * len(FRAMES)
    assert tables.capture["unread_bytes"] == 0
    assert tables.capture["damage"] is None


@pytest.mark.parametrize("method", METHODS)
def test_a_capture_in_an_archive_says_what_it_says_outside(tmp_path: Path, method) -> None:
    (tmp_path / "outside.pcap").write_bytes(PLAIN)
    path = archive(tmp_path / "run.zip", [("inside.pcap", PLAIN)], method)
    before = path.read_bytes(), path.stat().st_mtime_ns
    [member] = capture_files([path])
    inside, outside = read_path(member), read_path(tmp_path / "outside.pcap")
    assert_whole(inside)
    assert inside.packets.equals(outside.packets)
    assert inside.capture["compression"] == "zip"
    assert inside.capture["sha256"] == hashlib.sha256(PLAIN).hexdigest()
    assert (inside.capture["file_bytes"] < len(PLAIN)) == (method == zipfile.ZIP_DEFLATED)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["outside.pcap", "run.zip"]


def test_an_archive_stands_for_the_captures_in_it(tmp_path: Path) -> None:
    members = [
        ("b/second.pcap", PLAIN),
        ("a first.pcapng", OTHER),
        ("b/notes.txt", b"seen by nobody"),
        ("empty.pcap", b""),
        ("b/", b""),
        ("named like a [pattern]*.pcap", PLAIN),
    ]
    path = archive(tmp_path / "runs.zip", members)
    (tmp_path / "beside.pcap").write_bytes(PLAIN)
    names = ["a first.pcapng", "b/second.pcap", "named like a [pattern]*.pcap"]
    files = capture_files([path])
    assert files == [path / name for name in names]
    assert capture_names(files) == [f"runs.zip/{name}" for name in names]
    assert capture_files([tmp_path]) == [tmp_path / "beside.pcap", *files]
    assert capture_files([f"{tmp_path}/*.zip"]) == files
    assert capture_files(files) == files
    assert [len(read_path(file).packets) for file in files] == [7, 40, 40]


def test_members_of_one_name_are_told_apart_by_their_archives(tmp_path: Path) -> None:
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        archive(tmp_path / folder / "run.zip", [("a.pcap", PLAIN)])
    files = capture_files([tmp_path])
    assert capture_names(files) == ["x/run.zip/a.pcap", "y/run.zip/a.pcap"]


def test_captures_of_an_archive_are_analysed_like_those_of_a_folder(tmp_path: Path) -> None:
    parts = [
        Pcap().file(records(*[Ethernet(Ipv4(Tcp(b"no. %d" % n)))] * 3, time=10**18 + n * 10**11))
        for n in range(3)
    ]
    members = [(f"{n}.pcap", part) for n, part in enumerate(parts)]
    path = archive(tmp_path / "runs.zip", members)
    result = analyze([path], Settings(phones=("192.168.1.5",)))
    assert result.captures["capture"].to_list() == [
        "runs.zip/0.pcap",
        "runs.zip/1.pcap",
        "runs.zip/2.pcap",
    ]
    assert result.captures["packets"].to_list() == [3, 3, 3]
    digests = [hashlib.sha256(part).hexdigest() for part in parts]
    assert result.captures["sha256"].to_list() == digests


def test_an_archive_that_holds_no_capture_is_refused_and_passed_over_in_a_folder(tmp_path) -> None:
    path = archive(tmp_path / "app.apk", [("classes.dex", b"dex\n"), ("assets/x.zip", b"PK\3\4")])
    (tmp_path / "run.pcap").write_bytes(PLAIN)
    with pytest.raises(CaptureError, match=r"app\.apk: no capture in this archive"):
        capture_files([path])
    assert capture_files([tmp_path]) == [tmp_path / "run.pcap"]
    with pytest.raises(CaptureError, match=r"app\.apk: a zip archive where a capture was expected"):
        read_path(path)


@pytest.mark.parametrize("packed", [gzipped(PLAIN), b"PK\x03\x04" + bytes(40)])
def test_what_is_packed_twice_is_refused(tmp_path: Path, packed: bytes) -> None:
    both = archive(tmp_path / "both.zip", [("a.pcap", PLAIN), ("b", packed)])
    with pytest.raises(CaptureError, match=r"both\.zip/b: packed twice: unpack the archive first"):
        capture_files([both])
    with pytest.raises(CaptureError, match=r"inside zip: unpack|a zip archive where a capture"):
        read_path(both / "b")
    alone = archive(tmp_path / "alone.zip", [("b", packed)])
    with pytest.raises(CaptureError, match="none that is packed only once"):
        capture_files([alone])


def test_a_member_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = archive(tmp_path / "run.zip", [("a.pcap", PLAIN)])
    with pytest.raises(CaptureError, match=r"run\.zip: no member of the name 'b\.pcap'"):
        read_path(path / "b.pcap")
    (tmp_path / "plain.pcap").write_bytes(PLAIN)
    with pytest.raises(CaptureError, match=r"plain\.pcap/b\.pcap: cannot be read"):
        read_path(tmp_path / "plain.pcap" / "b.pcap")


NAMES = ["../a.pcap", "/etc/a.pcap", "x/../../a.pcap", "x\\a.pcap", "./a.pcap", "x//a.pcap", "."]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "run.zip", [(name, PLAIN)])
    with pytest.raises(CaptureError, match="a name that leads out of the archive") as refusal:
        capture_files([path])
    assert "\n" not in str(refusal.value)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = archive(tmp_path / "run.zip", [("a.pcap", PLAIN), ("a.pcap", OTHER)])
    with pytest.raises(CaptureError, match=r"two members of the name 'a\.pcap'"):
        capture_files([path])


def changed(path: Path, central: int, value: bytes) -> Path:
    """The archive with some octets of its first central header changed."""
    octets = bytearray(path.read_bytes())
    at = octets.index(b"PK\x01\x02") + central
    octets[at : at + len(value)] = value
    path.write_bytes(octets)
    return path


@pytest.mark.parametrize(
    ("central", "value", "told"),
    [
        (8, b"\x01", "encrypted: unpack it first"),
        (10, b"\x0c", "stored or deflated expected, method 12 found"),
        (20, b"\xff\xff\xff\x7f", "its members claim more bytes than the archive has"),
        (42, b"\x07", "header of a member expected at byte 7"),
        (42, b"\xff\xff\xff\x7f", "header of a member expected|cannot be read"),
    ],
)
def test_a_lie_about_a_member_is_told_in_one_line(tmp_path: Path, central, value, told) -> None:
    path = changed(archive(tmp_path / "run.zip", [("a.pcap", PLAIN)]), central, value)
    with pytest.raises(CaptureError, match=told) as refusal:
        capture_files([path])
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("central", "kind"), [(16, "check sum"), (24, "bytes expected")])
def test_a_member_unlike_what_is_said_of_it_is_read_and_told(tmp_path, central, kind: str) -> None:
    path = changed(archive(tmp_path / "run.zip", [("a.pcap", PLAIN)]), central, b"\x01\x02")
    tables = read_path(path / "a.pcap")
    assert tables.words == ["conversation"] * len(FRAMES)
    assert tables.kinds == ["decompression"]
    assert kind in tables.capture["damage"]
    assert tables.capture["sha256"] == hashlib.sha256(PLAIN).hexdigest()


def test_a_member_that_breaks_keeps_what_came_before(tmp_path: Path) -> None:
    path = archive(tmp_path / "run.zip", [("a.pcap", PLAIN)])
    octets = bytearray(path.read_bytes())
    octets[len(octets) // 2 : len(octets) // 2 + 30] = b"\xff" * 30
    path.write_bytes(octets)
    with narrow():
        tables = read_path(path / "a.pcap")
    assert 5 < len(tables.packets) < len(FRAMES)
    assert "decompression" in tables.kinds
    assert tables.capture["damage"].startswith("zip: ")


def test_a_bomb_is_refused_before_it_unfolds(tmp_path: Path) -> None:
    path = archive(tmp_path / "bomb.zip", [("a.pcap", PLAIN + bytes(64 << 20))])
    with pytest.raises(CaptureError, match=r"zip unfolds \d+ bytes to more than"):
        read_path(path / "a.pcap")
    limits = Limits(decompression_ratio=100_000, decompressed_bytes=len(PLAIN) - 1)
    whole = archive(tmp_path / "whole.zip", [("a.pcap", PLAIN)])
    with pytest.raises(CaptureError, match=f"to more than {len(PLAIN) - 1}"):
        read_path(whole / "a.pcap", limits)


def test_a_list_of_members_without_end_is_refused(tmp_path: Path, monkeypatch) -> None:
    path = archive(tmp_path / "run.zip", [(f"{n}.txt", b"") for n in range(900)])
    monkeypatch.setattr(archives, "LONGEST_LIST", 40_000)
    with pytest.raises(CaptureError, match=r"run\.zip: a zip archive that cannot be read"):
        capture_files([path])


def test_the_list_of_members_is_read_once_for_all_of_them(tmp_path: Path, monkeypatch) -> None:
    path = archive(tmp_path / "run.zip", [(f"{n}.pcap", OTHER) for n in range(40)])
    reads: list[int] = []
    monkeypatch.setattr(
        archives,
        "_read_list",
        lambda *given, read=archives._read_list: reads.append(1) or read(*given),
    )
    files = capture_files([path])
    assert [len(read_path(file).packets) for file in files] == [7] * 40
    assert len(reads) == 1
    archive(path, [("0.pcap", PLAIN)])
    assert len(read_path(files[0]).packets) == len(FRAMES)
    assert len(reads) == 2


def test_bytes_that_members_share_are_not_unpacked_again_and_again(tmp_path: Path) -> None:
    path = archive(tmp_path / "run.zip", [("a.pcap", PLAIN)], zipfile.ZIP_STORED)
    octets = path.read_bytes()
    begin, end = octets.index(b"PK\x01\x02"), octets.index(b"PK\x05\x06")
    header = octets[begin:end]
    alike = [header.replace(b"a.pcap", b"%d.pcap" % n) for n in range(9)]
    tail = bytearray(octets[end:])
    tail[8:16] = struct.pack("<HHI", 9, 9, len(header) * 9)
    path.write_bytes(octets[:begin] + b"".join(alike) + tail)
    with pytest.raises(CaptureError, match=r"claim more bytes than|cannot be read"):
        capture_files([path])


def test_a_cut_archive_is_refused_wherever_it_is_cut(tmp_path: Path) -> None:
    octets = archive(tmp_path / "whole.zip", [("a.pcap", PLAIN[:400])]).read_bytes()
    path = tmp_path / "cut.zip"
    for end in range(4, len(octets)):
        path.write_bytes(octets[:end])
        with pytest.raises(CaptureError, match=r"cut\.zip: a zip archive that cannot be read"):
            capture_files([path])


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_octets_of_an_archive_are_read_or_refused(tmp_path_factory, data) -> None:
    folder = tmp_path_factory.mktemp("archives")
    method = data.draw(st.sampled_from(METHODS))
    path = archive(folder / "a.zip", [("a.pcap", PLAIN[:900]), ("b", OTHER[:500])], method)
    octets = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        octets[data.draw(st.integers(4, len(octets) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(octets)
    try:
        files = capture_files([path])
        assert all(os.path.commonpath([file, path]) == str(path) for file in files)
        found = [read_path(file) for file in files]
    except CaptureError:
        return
    for tables in found:
        assert tables.sum("wire_bytes") == tables.capture["wire_bytes"]


def test_an_archive_that_grows_under_the_reader_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "run.zip", [("a.pcap", PLAIN)])
    tables = read_path(path / "a.pcap")
    assert tables.capture["damage"] is None
    reading = Reading(path / "a.pcap")
    assert sum(len(batch) for batch in reading.packets()) == len(FRAMES)
    with path.open("ab") as file:
        file.write(b"more")
    assert reading.capture()["damage"].to_list() == ["the file was changed while it was read"]


def test_what_is_no_file_is_no_archive_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert not any(map(is_archive, (tmp_path / "pipe", tmp_path, tmp_path / "absent")))
    assert capture_files([tmp_path / "pipe"]) == [tmp_path / "pipe"]
    assert place_in_archive(tmp_path / "pipe" / "a") is None


def test_paths_that_lead_through_no_archive_have_no_place_in_one(tmp_path: Path) -> None:
    (tmp_path / "text.zip").write_text("no archive")
    path = archive(tmp_path / "run.zip", [("a.pcap", PLAIN)])
    assert place_in_archive(tmp_path / "text.zip" / "a.pcap") is None
    assert place_in_archive(path) is None
    assert place_in_archive(Path("-")) is None
    assert place_in_archive(path / "x" / "y") == (path, "x/y")
