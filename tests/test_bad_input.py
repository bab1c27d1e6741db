"""Bad input: each ends as the design says, in one line, and no input is ever touched."""

import gzip
import hashlib
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import phonehome.captures.files.open_capture
from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.settings import Settings
from phonehome.captures.errors import CaptureError
from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from tests.small_captures import SLL, Frame, gzipped, household, pcap, pcapng, put

ROOT = Path(__file__).parents[1]
REFUSED, DAMAGED = 4, 3
FIRST_BYTES = 4_096
ESCAPES = "\x1b[31m\x1b]0;owned\x07\u202egro.live\u2028\x85"


def state(folder):
    """All that can be known of a folder without opening it for writing."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        found[str(path)] = (digest, about.st_size, about.st_mtime_ns, about.st_mode, about.st_ino)
    return found


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    """A folder of inputs that must be unchanged at the end; the test works beside it."""
    folder = tmp_path / "inputs"
    folder.mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    yield folder
    assert not list(folder.rglob("*.phonehome"))


@pytest.fixture
def refused(call, inputs):
    """Analyses a path, expects a refusal of one line and nothing written, gives the line."""

    def check(path):
        before = state(inputs)
        code, out, told = call("analyze", path)
        assert (code, out) == (REFUSED, ""), told
        assert told.count("\n") == 1
        assert told.startswith(f"phonehome: {path}: ")
        assert state(inputs) == before
        assert list(Path.cwd().iterdir()) == []
        return told

    return check


@pytest.fixture
def damaged(call, inputs):
    """Analyses a path, expects a whole result that tells of the damage, gives the capture's row."""

    def check(path):
        before = state(inputs)
        code, out, _ = call(
            "analyze", path, "--quiet", "--json", "--format", "json,html", "-o", "out"
        )
        assert code == DAMAGED
        assert json.loads(out)["is_damaged"] is True
        assert state(inputs) == before
        manifest = json.loads(Path("out/manifest.json").read_bytes())
        assert manifest["is_damaged"] is True
        (row,) = json.loads(Path("out/analysis.json").read_bytes())["captures"]
        assert row["damage"] in Path("out/report.html").read_text(encoding="utf-8")
        return row

    return check


def test_an_empty_file_is_refused(refused, inputs):
    assert "empty" in refused(put(inputs / "empty.pcap", b""))


IMPOSTORS = {
    "text.pcap": b"time,source,destination\n1,2,3\n",
    "one-byte.pcap": b"\xd4",
    "three-bytes.pcap": b"\xd4\xc3\xb2",
    "zeros.pcap": bytes(5_000),
    "ones.pcapng": b"\xff" * 5_000,
    "page.html": b"<!doctype html><title>not found</title>",
    "table.json": b'{"packets": []}',
    "archive.zip": b"PK\x03\x04" + bytes(60),
    "program": b"\x7fELF\x02\x01\x01" + bytes(60),
    "bom.pcap": b"\xef\xbb\xbf\xd4\xc3\xb2\xa1",
    "swapped.pcap": b"\xb2\xa1\xd4\xc3" + bytes(60),
    "sheet.xlsx": b"PK\x03\x04\x14\0\x06\0" + bytes(60),
    "text.gz": gzipped(b"no capture at all, only text"),
    "empty.gz": gzipped(b""),
    "twice.gz": gzipped(gzipped(pcap(household()))),
    "bad.gz": b"\x1f\x8b\x08\0" + bytes(60),
    "cut.gz": gzipped(pcap(household()))[:12],
    "bad.zst": b"\x28\xb5\x2f\xfd" + bytes(60),
    "header-only-half.pcap": pcap([])[:20],
    "no-interface.pcapng": pcapng([])[:28],
    "version-9.pcap": pcap([])[:4] + struct.pack("<HH", 9, 4) + pcap([])[8:],
}


@pytest.mark.parametrize("name", IMPOSTORS)
def test_what_is_no_capture_is_refused_whatever_it_is_called(refused, inputs, name):
    refused(put_as_is(inputs / name, IMPOSTORS[name]))


def put_as_is(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("container", [pcap, pcapng])
def test_a_capture_without_a_packet_is_refused(refused, inputs, container):
    assert "no packet" in refused(put(inputs / "none.pcap", container([])))


def test_a_file_that_is_not_there_is_refused(refused, inputs):
    assert "No such file" in refused(inputs / "missing.pcap")


def test_a_directory_without_captures_is_refused(refused, inputs):
    (inputs / "deep" / "deeper").mkdir(parents=True)
    put(inputs / "deep" / "notes.pcap", b"no capture")
    put(inputs / "deep" / "deeper" / "empty.pcap", b"")
    assert "no capture in this directory" in refused(inputs)


def test_a_pattern_that_stands_for_nothing_is_refused(refused, inputs):
    assert "no file of this pattern" in refused(inputs / "*.pcap")


def test_what_is_no_regular_file_is_refused_without_waiting(refused, inputs):
    os.mkfifo(inputs / "pipe.pcap")
    refused(inputs / "pipe.pcap")
    refused(Path("/dev/null"))
    refused(Path("/dev/zero"))


def test_a_file_that_may_not_be_read_is_refused(refused, inputs, monkeypatch):
    path = put(inputs / "secret.pcap", pcap(household()))
    if os.geteuid() == 0:  # root reads all files: the system's refusal is played

        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(phonehome.captures.files.open_capture.io, "FileIO", refuse)
    else:
        path.chmod(0)
    assert "Permission denied" in refused(path)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root, setpriv")
def test_a_file_of_somebody_else_is_refused_by_the_system_itself(run, tmp_path):
    """Without the right to read everything, as any user but root."""
    path = put(tmp_path / "secret.pcap", pcap(household()))
    path.chmod(0o200)
    drop = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
    finished = run("analyze", path, cwd=tmp_path, prefix=drop)
    if finished.returncode == 0:
        pytest.skip("this root keeps its rights")
    assert finished.returncode == REFUSED
    assert finished.stderr == f"phonehome: {path}: cannot be read: Permission denied\n".encode()
    assert {one.name for one in tmp_path.iterdir()} == {"secret.pcap"}


def test_a_disk_that_fails_in_the_middle_is_refused(refused, inputs, monkeypatch):
    path = put(inputs / "walk.pcap", pcap(household()))

    class Failing(phonehome.captures.files.open_capture.io.FileIO):
        def readinto(self, view):
            if self.tell() > 0:
                raise OSError(5, "Input/output error")
            return super().readinto(view[:100])

    monkeypatch.setattr(phonehome.captures.files.open_capture.io, "FileIO", Failing)
    assert "Input/output error" in refused(path)


def test_a_record_that_claims_four_gigabytes_is_damage_and_takes_no_memory(damaged, inputs):
    whole = pcap(household())
    lie = struct.pack("<IIII", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF) + b"x" * 50
    row = damaged(put(inputs / "lie.pcap", whole + lie))
    assert row["packets"] == len(household())
    assert row["unread_bytes"] == len(lie)
    assert str(len(whole)) in row["damage"]
    assert str(0xFFFFFFFF) in row["damage"]


def test_a_capture_of_nothing_but_such_a_record_is_refused(refused, inputs):
    lie = struct.pack("<IIII", 1, 1, 0xFFFFFFFF, 0xFFFFFFFF) + b"x" * 50
    refused(put(inputs / "lie.pcap", pcap([]) + lie))


def test_a_block_that_claims_four_gigabytes_is_damage(damaged, inputs):
    whole = pcapng(household())
    row = damaged(
        put(inputs / "lie.pcapng", whole + struct.pack("<III", 6, 0xFFFFFFFC, 0) + bytes(40))
    )
    assert row["packets"] == len(household())
    assert row["unread_bytes"] == 52


def test_a_record_longer_than_its_own_claim_is_damage_or_an_oddity(call, inputs):
    frame = household()[2]
    path = put(inputs / "short.pcap", pcap([frame, Frame(frame.octets, frame.time, 20), frame]))
    code, out, _ = call("analyze", path, "--quiet", "--json", "--format", "json")
    assert code in {0, DAMAGED}
    assert json.loads(out)["packets"] == 3


def analysed(path, data):
    """The analysis of this data; None where it is refused, in one line that names the file."""
    path.write_bytes(data)
    try:
        return analyze([path], Settings())
    except CaptureError as error:
        return check_refusal(str(error), path)


def check_refusal(message, path):
    assert str(path) in message
    assert "\n" not in message


def starts(frames, header, extra, padding=1):
    """Offsets at which records end, the header's end first."""
    ends = [header]
    for frame in frames:
        length = -(-len(frame.octets) // padding) * padding
        ends.append(ends[-1] + extra + length)
    return ends


def capture_and_ends(container):
    """A capture of more than 4 KB, and where its header and each of its records end."""
    frames = household()
    if container == "pcap":
        data, ends = pcap(frames), starts(frames, 24, 16)
    else:
        data, ends = pcapng(frames), starts(frames, 28 + 32, 32, padding=4)
    assert ends[-1] == len(data) >= FIRST_BYTES
    return data, ends


def check_row(row, ends, length):
    """The capture's row tells of the cut to the byte."""
    whole = sum(end <= length for end in ends) - 1
    assert row["packets"] == whole, length
    assert row["unread_bytes"] == length - ends[whole], length
    assert (row["damage"] is None) == (length in ends), length


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("container", ["pcap", "pcapng"])
def test_a_file_cut_at_every_byte_of_its_first_4_kb_is_read_to_the_byte(tmp_path, container, part):
    data, ends = capture_and_ends(container)
    path = tmp_path / f"cut.{container}"
    for length in range(part, FIRST_BYTES + 1, 4):
        path.write_bytes(data[:length])
        try:
            reading = Reading(path)
        except CaptureError as error:
            assert length < ends[0], length
            check_refusal(str(error), path)
            continue
        packets = sum(batch.height for batch in reading.packets())
        (row,) = reading.capture().to_dicts()
        assert packets == row["packets"], length
        if length >= ends[0]:
            check_row(row, ends, length)


@pytest.mark.slow
@pytest.mark.parametrize("container", ["pcap", "pcapng"])
def test_a_file_cut_beside_every_edge_is_reported_with_its_damage(tmp_path, container):
    data, ends = capture_and_ends(container)
    edges = [*ends[:3], *ends[3::5], ends[-1]]
    lengths = {edge + beside for edge in edges for beside in (-1, 0, 1)} | set(range(0, 100, 9))
    for length in sorted(length for length in lengths if length <= len(data)):
        analysis = analysed(tmp_path / f"cut.{container}", data[:length])
        if length < ends[1]:
            assert analysis is None, length
            continue
        check_row(analysis.captures.row(0, named=True), ends, length)
        assert analysis.summary.is_balanced, length
        assert analysis.summary.is_damaged == (length not in ends), length


@pytest.mark.slow
def test_a_compressed_file_cut_anywhere_keeps_what_can_be_unpacked(tmp_path):
    data = gzipped(pcap(household()))
    path = tmp_path / "cut.pcap.gz"
    last = 0
    for length in range(0, len(data), 31):
        analysis = analysed(path, data[:length])
        if analysis is not None:
            assert analysis.summary.is_damaged
            assert analysis.summary.is_balanced
            assert analysis.summary.packets >= last
            last = analysis.summary.packets
    assert last > 0


@pytest.mark.parametrize("length", [0, 10, 24, 100, 3_000])
def test_the_command_ends_as_the_analysis_does_on_cut_files(call, inputs, length):
    path = put_as_is(inputs / "cut.pcap", pcap(household())[:length])
    before = state(inputs)
    code, out, told = call("analyze", path, "--quiet", "--json", "--format", "html")
    assert code == (REFUSED if length < 200 else DAMAGED)
    assert (out == "") == (code == REFUSED)
    assert "Traceback" not in told
    assert state(inputs) == before


def test_a_bomb_is_refused_before_it_unfolds(tmp_path):
    path = tmp_path / "bomb.pcap.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(pcap(household()))
        for _ in range(64):
            file.write(bytes(1 << 20))
    with pytest.raises(CaptureError, match="unfolds"):
        analyze([path], Settings(limits=Limits(decompressed_bytes=1 << 22)))


def archived(path, octets):
    """An archive of one capture."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("run.pcap", octets)
    return path


def test_an_archive_that_cannot_be_read_is_refused(refused, inputs):
    path = archived(inputs / "cut.zip", pcap(household()))
    path.write_bytes(path.read_bytes()[:-30])
    assert "a zip archive that cannot be read" in refused(path)


def test_a_bomb_in_an_archive_is_refused_before_it_unfolds(call, inputs):
    path = archived(inputs / "bomb.zip", pcap(household()) + bytes(64 << 20))
    code, out, told = call("analyze", path)
    assert (code, out) == (REFUSED, "")
    assert told.startswith(f"phonehome: {path}/run.pcap: zip unfolds ")
    assert told.count("\n") == 1
    assert list(Path.cwd().iterdir()) == []


def test_a_member_of_an_archive_that_breaks_is_damage(damaged, inputs):
    path = archived(inputs / "run.zip", pcap(household()))
    octets = bytearray(path.read_bytes())
    middle = len(octets) // 2
    octets[middle : middle + 40] = b"\xff" * 40
    path.write_bytes(octets)
    row = damaged(path)
    assert row["capture"] == "run.zip/run.pcap"
    assert row["damage"].startswith("zip: ")


@pytest.mark.parametrize("link_type", [147, 250, 65_535])
def test_a_link_type_that_nobody_knows_is_an_oddity_per_packet(call, inputs, link_type):
    path = put(inputs / "odd.pcap", pcap(household(), link_type=link_type))
    code, out, _ = call("analyze", path, "--quiet", "--json", "--format", "json", "-o", "out")
    told = json.loads(out)
    assert code in {0, DAMAGED}
    assert told["packets"] == len(household())
    assert told["up_unique_bytes"] == 0
    odd = json.loads(Path("out/analysis.json").read_bytes())["oddities"]
    assert sum(row["count"] for row in odd) >= len(household())


def test_the_wrong_link_type_is_read_without_harm(call, inputs):
    path = put(inputs / "wrong.pcap", pcap(household(), link_type=SLL))
    assert call("analyze", path, "--quiet", "--format", "html")[0] in {0, DAMAGED}


def test_an_input_that_cannot_be_written_is_read(call, inputs):
    path = put(inputs / "walk.pcap", pcap(household()))
    path.chmod(0o400)
    inputs.chmod(0o500)
    before = state(inputs)
    try:
        assert call("analyze", path, "--quiet", "--format", "json")[0] == 0
        assert state(inputs) == before
    finally:
        inputs.chmod(0o700)


def test_a_whole_run_leaves_its_inputs_as_they_were(call, inputs):
    path = put(inputs / "walk.pcap", pcap(household()))
    timeline = put(inputs / "t.csv", b"start,end,state,label\n0,10,idle,x\n")
    before = state(inputs)
    assert call("analyze", path, "--timeline", timeline, "--quiet")[0] == 0
    assert state(inputs) == before


def test_an_input_that_grows_while_it_is_read_is_told(tmp_path, monkeypatch):
    path = put(tmp_path / "live.pcap", pcap(household()))
    original = phonehome.captures.files.open_capture.CaptureFile.readinto

    def grows(self, view):
        count = original(self, view)
        if count == 0:
            with path.open("ab") as file:
                file.write(b"more")
        return count

    monkeypatch.setattr(phonehome.captures.files.open_capture.CaptureFile, "readinto", grows)
    analysis = analyze([path], Settings())
    assert analysis.summary.is_damaged
    assert "changed" in analysis.captures["damage"].item()


def test_the_result_may_not_replace_its_own_input(call, inputs):
    path = put(inputs / "walk.pcap", pcap(household()))
    before = state(inputs)
    assert call("analyze", path, "-o", path, "--force", "--quiet")[0] == 2
    assert call("analyze", path, "-o", inputs, "--force", "--quiet")[0] == 2
    assert state(inputs) == before


SMALL_DISK = """
set -e
mount -t tmpfs -o size=300k,mode=0777 tmpfs "$1"
disk=$1
shift
code=0
"$@" || code=$?
echo "code $code, left:" $(ls -A "$disk") >&2
"""


def may_mount():
    """Whether this user may mount in a namespace of its own."""
    if not shutil.which("unshare"):
        return False
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return tried.returncode == 0


@pytest.mark.skipif(not may_mount(), reason="needs the right to mount (root, unshare)")
def test_a_full_disk_is_exit_6_and_nothing_is_left(run, inputs, tmp_path):
    """A real one, of 300 kB: the report alone is larger."""
    path = put(inputs / "walk.pcap", pcap(household()))
    disk = tmp_path / "disk"
    disk.mkdir()
    before = state(inputs)
    finished = run(
        *("analyze", path, "-o", disk / "out", "--quiet", "--json"),
        prefix=("unshare", "-m", "sh", "-c", SMALL_DISK, "sh", str(disk)),
        cwd=tmp_path,
    )
    told = finished.stderr.decode().splitlines()
    assert told == [
        f"phonehome: {disk}/out: cannot be written: No space left on device",
        "code 6, left:",
    ]
    assert finished.stdout == b""
    assert state(inputs) == before


def test_a_quota_that_is_used_up_is_exit_6_and_nothing_is_left(inputs, tmp_path):
    """No file may grow beyond 40 kB: the system refuses in the middle of one."""
    path = put(inputs / "walk.pcap", pcap(household()))
    before = state(inputs)
    limit = "import resource, runpy, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000)); "
    limit += "sys.argv = ['phonehome', *sys.argv[1:]]; "
    limit += "runpy.run_module('phonehome.cli', run_name='__main__')"
    finished = subprocess.run(
        [sys.executable, "-c", limit, "analyze", path, "-o", "out", "--quiet"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path / "work",
        timeout=120,
    )
    assert finished.returncode == 6, finished.stderr
    assert finished.stderr.decode() == "phonehome: out: cannot be written: File too large\n"
    assert list((tmp_path / "work").iterdir()) == []
    assert state(inputs) == before


def through_a_terminal(*arguments, cwd):
    """All bytes that a terminal gets from the real command, and its exit code."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "phonehome.cli", *map(str, arguments)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"},
        cwd=cwd,
    ) as process:
        os.close(follower)
        shown = b""
        started = time.monotonic()
        while time.monotonic() - started < 60:
            try:
                piece = os.read(leader, 65_536)
            except OSError:  # the other end is closed: all was read
                break
            if not piece:
                break
            shown += piece
    os.close(leader)
    return process.returncode, shown


def test_what_a_file_is_called_never_moves_a_terminal(inputs, tmp_path):
    name = f"a{ESCAPES}b.pcap"
    put(inputs / name, pcap(household())[:-5])
    code, shown = through_a_terminal("analyze", inputs / name, cwd=tmp_path / "work")
    assert code == DAMAGED
    assert b"owned" in shown
    check_harmless(shown)


def test_what_is_refused_never_moves_a_terminal_either(tmp_path):
    code, shown = through_a_terminal("analyze", f"no{ESCAPES}.pcap", cwd=tmp_path)
    assert code == REFUSED
    assert b"owned" in shown
    check_harmless(shown)


@pytest.mark.parametrize(
    "arguments", [(f"--no{ESCAPES}",), (f"no{ESCAPES}",), ("geo", "lookup", ESCAPES)]
)
def test_a_wrong_word_on_the_command_line_never_moves_a_terminal(tmp_path, arguments):
    code, shown = through_a_terminal(*arguments, cwd=tmp_path)
    assert code == 2
    assert b"owned" in shown
    check_harmless(shown)


def check_harmless(shown):
    """No escape but colours that rich itself makes, no other control, nothing bidirectional."""
    text = shown.decode().replace("\r\n", "\n")
    for part in ("\x1b[1m", "\x1b[0m"):
        text = text.replace(part, "")
    bad = {hex(ord(one)) for one in text if ord(one) < 32 and one != "\n"}
    bad |= {hex(ord(one)) for one in text if one in "\x7f\x85\u2028\u202e\u2066\u200f"}
    assert bad == set()


def test_a_capture_of_a_folder_that_cannot_be_read_is_named_and_the_rest_analysed(call, tmp_path):
    put(tmp_path / "all" / "good.pcap", pcap(household()))
    put(tmp_path / "all" / "empty.pcap", b"")
    put(tmp_path / "all" / "over.pcapng", b"<html>not found</html>")
    put(tmp_path / "all" / "begun.pcap", pcap(household())[:10])
    code, _, told = call("analyze", tmp_path / "all", "-o", tmp_path / "out")
    assert code == 3
    (capture,) = json.loads((tmp_path / "out/analysis.json").read_bytes())["captures"]
    assert capture["capture"] == "good.pcap"
    notes = json.loads((tmp_path / "out/analysis.json").read_bytes())["notes"]
    said = " ".join(told.split())
    for name in ("empty.pcap", "over.pcapng", "begun.pcap"):
        assert any(f"{name} was not read: " in note for note in notes), name
        assert f"{name} was not read: " in said, name


def test_where_no_capture_of_a_folder_can_be_read_nothing_is_written(call, tmp_path):
    put(tmp_path / "all" / "empty.pcap", b"")
    put(tmp_path / "all" / "begun.pcap", pcap(household())[:10])
    code, _, told = call("analyze", tmp_path / "all", "-o", tmp_path / "out")
    assert code == 4
    assert "begun.pcap" in told
    assert not (tmp_path / "out").exists()


def test_a_folder_of_a_comparison_tells_what_it_left_out(call, tmp_path):
    for side in ("old", "new"):
        put(tmp_path / side / "good.pcap", pcap(household()))
    put(tmp_path / "new" / "begun.pcap", pcap(household())[:10])
    sides = ("--base", tmp_path / "old", "--new", tmp_path / "new")
    code, _, _ = call("compare", *sides, "-o", tmp_path / "out", "--quiet")
    assert code == 3
    notes = json.loads((tmp_path / "out/compare.json").read_bytes())["notes"]
    assert any(note.startswith("new: ") and "begun.pcap was not read" in note for note in notes)


ODD = os.fsdecode(b"odd-\xff")


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_file_name_that_is_not_utf_8_is_told_and_analysed(call, tmp_path, is_folder):
    folder = tmp_path / ODD
    capture = put(folder / f"{ODD}.pcap", pcap(household()))
    spans = put(folder / f"{ODD}.csv", b"start,end,state,label\n0,1,idle,screen off\n")
    put(folder / "plain.pcap", pcap(household()[:-1]))
    formats = ("--format", "html,md,json,csv,parquet")
    given = (folder if is_folder else capture, "--timeline", spans, *formats)
    code, _, told = call("analyze", *given, "-o", tmp_path / f"{ODD}.out")
    assert code == 0, told
    assert r"odd-\xff.out" in told
    whole = json.loads((tmp_path / f"{ODD}.out" / "analysis.json").read_bytes())
    assert r"odd-\xff.pcap" in [row["capture"] for row in whole["captures"]]
    assert any(row["source"].startswith(r"odd-\xff.csv:") for row in whole["phases"])
    page = (tmp_path / f"{ODD}.out" / "report.html").read_text(encoding="utf-8")
    assert r"odd-\xff.pcap" in page
    manifest = json.loads((tmp_path / f"{ODD}.out" / "manifest.json").read_bytes())
    assert manifest["settings"]["timelines"][0].endswith(r"odd-\xff.csv")


def test_a_comparison_of_names_that_are_not_utf_8(call, tmp_path):
    for side in ("old", "new"):
        put(tmp_path / ODD / side / f"{ODD}.pcap", pcap(household()))
    sides = ("--base", tmp_path / ODD / "old", "--new", tmp_path / ODD / "new")
    assert call("compare", *sides, "-o", tmp_path / "out", "--quiet")[0] == 0
    assert rb"odd-\\xff.pcap" in (tmp_path / "out" / "compare.json").read_bytes()


@pytest.mark.parametrize("option", ["--app", "--version-label", "--publisher", "--phone-location"])
def test_text_that_is_not_utf_8_is_refused_in_one_line(call, tmp_path, option):
    capture = put(tmp_path / "a.pcap", pcap(household()))
    code, _, told = call("analyze", capture, option, ODD)
    assert code == 2
    assert "text in UTF-8 expected" in told
    assert "Traceback" not in told


def test_claims_and_their_files_may_have_names_that_are_not_utf_8(call, tmp_path):
    capture = put(tmp_path / f"{ODD}.pcap", pcap(household()))
    claims = tmp_path / f"{ODD}.toml"
    shutil.copy(ROOT / "claims" / "strict-privacy.toml", claims)
    sinks = {name: tmp_path / f"{ODD}.{name}" for name in ("junit", "sarif", "markdown")}
    words = [word for name, path in sinks.items() for word in (f"--{name}", path)]
    code, _, told = call("check", capture, "--claims", claims, *words)
    assert code in {0, 1}, told
    assert rb"odd-\xff" in sinks["junit"].read_bytes()  # names the file
    assert all(path.stat().st_size for path in sinks.values())
