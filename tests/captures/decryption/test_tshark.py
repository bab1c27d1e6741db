import os
import shutil
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

import pytest

from phonehome.captures.decryption import tshark
from phonehome.captures.decryption.tshark import Program, TsharkError
from phonehome.captures.limits import Limits

SOON = Limits(opening_seconds=1)
CANARY = b"CLIENT_RANDOM " + b"ca" * 32 + b" " + b"fe" * 48 + b"\n"
VERSION = 'if [ "$1" = --version ]; then echo "TShark (Wireshark) 4.0.17 (Git)"; exit 0; fi\n'
PROTOCOLS = (
    'if [ "$1" = -G ]; then printf "Name\\tShort\\tafs\\nName\\tShort\\ttls\\n"; exit 0; fi\n'
)


@pytest.fixture
def fake(tmp_path, monkeypatch):
    """Puts a script named tshark first on the path."""

    def write(body, *, before=VERSION + PROTOCOLS):
        script = tmp_path / "bin" / "tshark"
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{before}{body}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(script.parent))
        return Program(str(script), "4.0.17")

    return write


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where private folders are made; looks there at the end."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    yield place
    assert list(place.iterdir()) == []


def run(program, pieces=(), limits=SOON):
    return list(
        tshark.lines(program, iter(pieces), CANARY, fields=("a.b",), shown="tls", limits=limits)
    )


def until_stopped(program):
    """The lines that come before the error, and the error."""
    lines = []
    given = tshark.lines(program, iter(()), CANARY, fields=(), shown="tls", limits=SOON)
    try:
        lines.extend(line for line in given if line)
    except TsharkError as error:
        return lines, error
    raise AssertionError


def test_without_tshark_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(TsharkError, match="apt install tshark") as error:
        tshark.program(SOON)
    assert error.value.reason == "tshark_missing"


@pytest.mark.parametrize("said", ["TShark (Wireshark) 3.4.10 (Git)", "garbage", ""])
def test_one_that_is_too_old_or_says_no_version_is_none(fake, said):
    fake("", before=f"echo '{said}'\n")
    with pytest.raises(TsharkError, match="install Wireshark"):
        tshark.program(SOON)


def test_its_version_is_read(fake):
    program = fake("")
    assert tshark.program(SOON) == program


def test_one_that_hangs_is_ended_when_its_time_is_over(fake):
    program = fake("sleep 600 & echo $! >/dev/stderr; sleep 600")
    begun = time.monotonic()
    with pytest.raises(TsharkError, match="longer than 1 s") as error:
        run(program, [b"x" * 1_000_000] * 3)
    assert error.value.reason == "tshark_stopped"
    assert time.monotonic() - begun < 10


def test_its_whole_process_group_is_ended(fake, tmp_path):
    program = fake(f"sleep 600 & echo $! >{tmp_path}/child; wait")
    with pytest.raises(TsharkError):
        run(program)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        state = Path(f"/proc/{child}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        pytest.fail("it is still there")


def test_a_line_without_end_is_an_end(fake, monkeypatch):
    monkeypatch.setattr(tshark, "LONGEST_LINE", 1 << 20)
    program = fake("while :; do printf '%01000d' 0; done")
    with pytest.raises(TsharkError, match="without end"):
        run(program, limits=Limits(opening_seconds=20))


def test_lines_without_end_stop_at_the_time_limit(fake):
    program = fake("while :; do echo '{}'; done")
    given = tshark.lines(program, iter(()), b"", fields=(), shown="tls", limits=SOON)
    with pytest.raises(TsharkError, match="longer than 1 s"):
        assert sum(1 for _ in given)


@pytest.mark.parametrize(("end", "said"), [("kill -9 $$", "signal 9"), ("exit 3", "code 3")])
def test_one_that_ends_badly_says_so_after_what_it_printed(fake, end, said):
    lines, error = until_stopped(fake(f"echo one; {end}"))
    assert lines == [b"one"]
    assert said in str(error)


def test_one_that_reads_nothing_is_no_deadlock(fake):
    program = fake("exec <&-; echo one")
    assert [line for line in run(program, [b"x" * (1 << 20)] * 8) if line] == [b"one"]


def test_it_gets_the_capture_and_no_more_than_it_needs(fake):
    program = fake('printf "%s " "$@"; echo; env; stat -c %a .; cat | wc -c; cat disabled_protos')
    said = b"\n".join(run(program, [b"12345", b"678"])).decode()
    assert "-n -r - -T ek -Y tls -o tls.keylog_file:" in said
    assert "\n8\n" in said
    assert "\n700\n" in said
    assert "\nafs" in said
    names = {line.partition("=")[0] for line in said.splitlines() if "=" in line}
    assert names <= {
        *("HOME", "LC_ALL", "PATH", "TMPDIR", "WIRESHARK_CONFIG_DIR", "XDG_CONFIG_HOME"),
        *("PWD", "OLDPWD", "SHLVL", "_"),
    }


def test_keys_are_readable_to_it_and_in_no_file_argument_or_variable(fake):
    program = fake(
        'for word in "$@"; do case $word in tls.keylog_file:*) cat "${word#*:}";; esac; done; '
        'echo "$@"; env; grep -r "$(printf fe%.0s 1 2 3 4)" . ; ls -a'
    )
    said = b"\n".join(run(program))
    assert said.count(b"fe" * 48) == 1
    if sys.platform == "linux":
        assert b"/dev/fd/" in said


def test_where_no_file_lies_nowhere_keys_are_in_the_private_folder_alone(fake, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    program = fake("stat -c '%a %n' keys; cat keys; kill -9 $$")
    lines, _ = until_stopped(program)
    assert lines[0] == b"600 keys"
    assert lines[1] + b"\n" == CANARY


def test_its_memory_time_and_files_are_bounded_before_it_reads(fake):
    program = fake("cat >/dev/null; ulimit -v; ulimit -t; ulimit -f; ulimit -c")
    memory, seconds, blocks, core = (int(line) for line in run(program, [b"x"]) if line)
    assert memory == Limits().opening_memory_bytes // 1024
    assert (seconds, core) == (1, 0)
    assert blocks * 512 == 1 << 20


def test_the_private_folder_is_gone_when_nobody_reads_on(fake, folder):
    program = fake("echo one; echo two; sleep 600")
    given = tshark.lines(program, iter(()), CANARY, fields=(), shown="", limits=Limits())
    assert next(given) == b"one"
    (private,) = folder.iterdir()
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    given.close()


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
@pytest.mark.parametrize("octets", [b"", b"garbage" * 100, bytes(5_000), b"\n\r\r\n" * 50])
def test_hostile_bytes_end_it_and_nothing_else(octets):
    program = tshark.program(Limits())
    with pytest.raises(TsharkError, match="code"):
        run(program, [octets], limits=Limits(opening_seconds=60))
