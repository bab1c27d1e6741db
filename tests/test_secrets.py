"""Nothing of a key reaches an output, a message, a temporary file or a traceback."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phonehome.captures.decryption.keylogs import keys_of
from tests.captures.decryption.made_mmtls import Link, record, short_request
from tests.captures.decryption.recording import Line, Tls, answered, post
from tests.small_captures import PHONE, pcapng, put

ROOT = Path(__file__).parents[1]
HANGS = """#!/bin/sh
[ "$1" = --version ] && echo 'TShark (Wireshark) 4.0.17' && exit 0
sleep 600
"""


def secrets_of(log):
    """What of a key log must not be told: every key and every nonce in it."""
    found = set()
    for line in log.splitlines():
        if line.startswith("{"):
            found |= {json.loads(line)[name] for name in ("key", "nonce")}
        elif line and not line.startswith("#"):
            found.add(line.split()[2])
    return found


def forms(secret):
    octets = bytes.fromhex(secret)
    return {secret.encode(), secret.upper().encode(), octets, repr(octets)[2:-1].encode()}


def holds(octets, canaries):
    return [secret for secret in canaries if any(form in octets for form in forms(secret))]


def all_files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def block(lines):
    body = struct.pack("<II", 0x544C534B, len(lines)) + lines + bytes(-len(lines) % 4)
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", 10) + length + body + length


@pytest.fixture
def planted(tmp_path):
    """A capture and key logs with 200 canaries and more, some of them inside the capture."""
    folder = tmp_path / "kept"
    folder.mkdir()
    tls = Tls(folder)
    tls.say(post("/", b"x" * 50, "Cookie: session=c0ffee-cookie"), is_up=True)
    tls.say(answered(b"ok", "Set-Cookie: c0ffee-set"), is_up=False)
    line, link = Line(port=40_001, remote_port=8_080, at=5), Link(key=os.urandom(16))
    line.send(link.send(short_request(b"inner")) + record(0x15, bytes(30)), is_up=True)
    log = (folder / "keys.log").read_text()
    others = [f"CLIENT_RANDOM {os.urandom(32).hex()} {os.urandom(48).hex()}" for _ in range(200)]
    inside = f"CLIENT_RANDOM {os.urandom(32).hex()} {os.urandom(48).hex()}"
    (folder / "keys.log").write_text("\n".join([log, *others]))
    (folder / "mmtls.jsonl").write_text("\n".join(link.lines))
    octets = pcapng([*tls.line.frames, *line.frames]) + block(inside.encode())
    capture = put(folder / "a.pcapng", octets)
    texts = [(folder / name).read_text() for name in ("keys.log", "mmtls.jsonl")]
    canaries = set().union(*map(secrets_of, [*texts, inside]))
    assert len(canaries) > 200
    (folder / "chain.pem").unlink()
    return capture, canaries


def analyze(run, capture, folder, *more, **environment):
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    logs = [capture.with_name(name) for name in ("keys.log", "mmtls.jsonl")]
    return run(
        *("analyze", capture, "-o", folder / "out", "--phone", PHONE, "--force"),
        *("--format", "html,md,json,csv,parquet", "--json"),
        *(word for log in logs for word in ("--keylog", log)),
        *more,
        environment={"TMPDIR": str(temporary), **environment},
    )


@pytest.mark.tshark
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_keys_that_open_traffic_reach_nothing_that_is_written_or_said(run, planted, tmp_path):
    capture, canaries = planted
    done = analyze(run, capture, tmp_path)
    assert done.returncode == 0, done.stderr
    assert b"Keys opened 2 of 2 encrypted flows" in b" ".join(done.stderr.split())
    assert holds(done.stdout + done.stderr, canaries) == []
    for path, octets in all_files(tmp_path / "out").items():
        assert holds(octets, canaries) == [], path
        assert b"c0ffee" not in octets, path
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_key_log_that_cannot_be_used_is_told_without_what_it_holds(run, planted, tmp_path):
    capture, canaries = planted
    broken = capture.with_name("broken.log")
    broken.write_text("\n".join(f"KEY {secret}" for secret in canaries))
    done = analyze(run, capture, tmp_path, "--keylog", broken)
    assert done.returncode == 2
    assert b"broken.log" in done.stderr
    assert holds(done.stdout + done.stderr, canaries) == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_when_it_is_stopped_nothing_of_it_stays(planted, tmp_path, ending):
    capture, canaries = planted
    (tmp_path / "bin").mkdir()
    script = put(tmp_path / "bin" / "tshark", HANGS.encode())
    script.chmod(0o755)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "phonehome.cli", "analyze", capture, "-o", tmp_path / "out"),
            *("--keylog", capture.with_name("keys.log")),
        ],
        env={
            **os.environ,
            "PATH": f"{script.parent}:/usr/bin:/bin",
            "PYTHONPATH": paths,
            "TMPDIR": str(temporary),
        },
        stderr=subprocess.PIPE,
    ) as program:
        for _ in range(600):
            private = list(temporary.iterdir())
            if private and any("sleep" in one for one in children_of(program.pid)):
                break
            time.sleep(0.1)
        assert private
        for path, octets in all_files(temporary).items():
            assert holds(octets, canaries) == [], path
        program.send_signal(ending)
        said = program.stderr.read()
    assert program.returncode == 130
    assert b"stopped" in said
    assert b"Traceback" not in said
    assert holds(said, canaries) == []
    assert list(temporary.iterdir()) == []
    assert not (tmp_path / "out").exists()


def children_of(parent):
    """Names of processes whose parent, or whose parent's parent, is this one."""
    found, names = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        found[int(path.parent.name)] = int(rest.split()[1])
        names[int(path.parent.name)] = name
    near = {one for one, above in found.items() if above == parent}
    return [names[one] for one, above in found.items() if above == parent or above in near]


def test_a_traceback_holds_no_key(tmp_path):
    canaries = {os.urandom(32).hex() for _ in range(5)}
    lines = "\n".join(f"CLIENT_RANDOM {os.urandom(32).hex()} {one}" for one in canaries)
    put(tmp_path / "k.log", lines.encode())
    code = (
        "from pathlib import Path\n"
        "from phonehome.captures.decryption.keylogs import read_keylogs\n"
        f"keys = read_keylogs([Path({str(tmp_path / 'k.log')!r})])\n"
        "raise RuntimeError(keys)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert b"RuntimeError" in done.stderr
    assert holds(done.stderr, canaries) == []
    assert keys_of(lines.encode(), "keylog").lines
