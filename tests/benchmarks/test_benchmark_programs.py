import json
from pathlib import Path

import pytest

from benchmarks import programs
from benchmarks.measure import RunError

PEERS = {program.name: program for program in programs.peers(9_995)}


def manifest(scratch, **changes):
    content = {"inputs": [{"packets": 5}, {"packets": 7}], "outputs": [{"file": "analysis.json"}]}
    (scratch / programs.OUTPUT).mkdir()
    (scratch / programs.OUTPUT / "manifest.json").write_text(json.dumps(content | changes))


def test_the_command_of_phonehome_is_that_of_a_user(tmp_path):
    command = programs.phonehome().command(Path("a.pcap"), tmp_path)
    output = str(tmp_path / "out.phonehome")
    assert command[1:] == [
        "analyze",
        "a.pcap",
        "-o",
        output,
        "--format",
        "json",
        "--quiet",
        "--force",
    ]


def test_the_manifest_tells_how_many_packets_were_read(tmp_path):
    manifest(tmp_path)
    assert programs.phonehome().counted(tmp_path / "log", tmp_path) == 12


def test_a_phonehome_that_wrote_nothing_has_read_nothing(tmp_path):
    with pytest.raises(RunError, match=r"expected manifest\.json"):
        programs.phonehome().counted(tmp_path / "log", tmp_path)


def test_a_manifest_without_the_wanted_file_is_no_proof(tmp_path):
    manifest(tmp_path, outputs=[{"file": "report.html"}])
    with pytest.raises(RunError, match=r"expected analysis\.json among its outputs"):
        programs.phonehome().counted(tmp_path / "log", tmp_path)


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("softflowd", "Number of active flows: 0\nPackets processed: 42\nFragments: 0\n"),
        ("capinfos", "File name:           a.pcap\nNumber of packets:   42\n"),
        ("nfstream", "42\n"),
    ],
)
def test_peers_tell_how_many_packets_they_read(tmp_path, name, log):
    (tmp_path / "log").write_text(log)
    assert PEERS[name].counted(tmp_path / "log", tmp_path) == 42


@pytest.mark.parametrize("name", ["softflowd", "capinfos", "nfstream"])
def test_a_peer_that_says_nothing_has_read_nothing(tmp_path, name):
    (tmp_path / "log").write_text("")
    with pytest.raises(RunError, match="expected a line like"):
        PEERS[name].counted(tmp_path / "log", tmp_path)


@pytest.mark.parametrize("name", ["ndpiReader", "tshark"])
def test_peers_that_never_say_are_not_asked(tmp_path, name):
    assert PEERS[name].counted(tmp_path / "log", tmp_path) is None


def test_a_program_that_is_not_there_is_not_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not programs.is_installed(PEERS["softflowd"])


def test_the_version_of_phonehome_is_that_of_the_project():
    assert programs.VERSION.fullmatch(programs.version(programs.phonehome()))
