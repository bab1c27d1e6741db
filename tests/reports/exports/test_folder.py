import errno
import hashlib
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from phonehome.reports.exports import folder as write
from phonehome.reports.exports import to_json

ALL = frozenset(write.FORMATS)
STARTED = datetime(2026, 3, 15, 12, 0, tzinfo=UTC)


def put(analysis, folder, formats=ALL, *, force=False):
    return write.write(analysis, folder, formats=formats, force=force, started=STARTED)


def names(folder):
    return {path.name for path in folder.iterdir()}


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_format_writes_its_files_and_the_manifest_comes_always(rich, tmp_path):
    tables = {
        kind: {f"{name}.{kind}" for name in to_json.TABLES} | {"manifest.json"}
        for kind in ("csv", "parquet")
    }
    expected = tables | {
        "html": {"report.html", "manifest.json"},
        "md": {"report.md", "manifest.json"},
        "json": {"analysis.json", "manifest.json"},
    }
    for kind, files in expected.items():
        paths = put(rich, tmp_path / kind, frozenset({kind}))
        assert {path.name for path in paths} == files == names(tmp_path / kind)
        assert all(path.is_file() for path in paths)


def test_two_runs_differ_in_nothing_but_the_manifest(rich, tmp_path):
    put(rich, tmp_path / "one")
    put(rich, tmp_path / "two")
    one, two = everything(tmp_path / "one"), everything(tmp_path / "two")
    assert one.pop("manifest.json") != two.pop("manifest.json")
    assert one == two


def test_only_the_manifest_says_when_it_was_written(rich, tmp_path):
    put(rich, tmp_path / "out")
    year = re.compile(rb"2026-03-15|%d-\d\d-\d\dT" % datetime.now(UTC).year)
    files = everything(tmp_path / "out")
    assert year.search(files.pop("manifest.json"))
    allowed = {b"2026-03-14T", b"2026-06-01T"}
    assert not [name for name, body in files.items() if set(year.findall(body)) - allowed]


def test_the_manifest_states_hash_and_size_of_every_other_file(rich, tmp_path):
    put(rich, tmp_path / "out")
    files = everything(tmp_path / "out")
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["outputs"] == [
        {"file": name, "sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
        for name, body in ((entry["file"], files[entry["file"]]) for entry in manifest["outputs"])
    ]
    assert {entry["file"] for entry in manifest["outputs"]} == set(files)


def test_missing_parents_are_made_and_nothing_else_is_left(rich, tmp_path):
    put(rich, tmp_path / "a" / "b" / "out", frozenset({"json"}))
    assert names(tmp_path) == {"a"}
    assert names(tmp_path / "a" / "b") == {"out"}


def test_an_existing_folder_is_refused(rich, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(write.OutputExists, match=r"out: already exists; use --force"):
        put(rich, tmp_path / "out")
    assert names(tmp_path / "out") == set()


def test_force_replaces_an_earlier_result(rich, single, tmp_path):
    put(rich, tmp_path / "out")
    put(single, tmp_path / "out", frozenset({"json"}), force=True)
    assert names(tmp_path / "out") == {"analysis.json", "manifest.json"}
    assert names(tmp_path) == {"out"}


def test_force_never_replaces_a_folder_that_holds_anything_else(rich, tmp_path):
    put(rich, tmp_path / "out", frozenset({"json"}))
    (tmp_path / "out" / "notes.txt").write_text("mine")
    before = everything(tmp_path / "out")
    with pytest.raises(write.OutputExists, match=r"got notes\.txt; it is not replaced"):
        put(rich, tmp_path / "out", force=True)
    assert everything(tmp_path / "out") == before


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"outputs": 3}', '{"outputs": [{"x": 1}]}'])
def test_force_never_replaces_a_folder_whose_manifest_is_not_ours(rich, tmp_path, manifest):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "manifest.json").write_text(manifest)
    (tmp_path / "out" / "capture.pcap").write_text("evidence")
    with pytest.raises(write.OutputExists, match=r"capture\.pcap"):
        put(rich, tmp_path / "out", force=True)


def test_a_file_in_the_way_is_never_replaced(rich, tmp_path):
    (tmp_path / "out").write_text("evidence")
    with pytest.raises(write.OutputExists, match="got a file"):
        put(rich, tmp_path / "out", force=True)
    assert (tmp_path / "out").read_text() == "evidence"


def test_a_link_to_a_folder_stays_a_link(rich, tmp_path):
    put(rich, tmp_path / "real", frozenset({"json"}))
    (tmp_path / "link").symlink_to(tmp_path / "real")
    put(rich, tmp_path / "link", frozenset({"html"}), force=True)
    assert (tmp_path / "link").is_symlink()
    assert names(tmp_path / "real") == {"report.html", "manifest.json"}


class FullDisk:
    """A file that takes so many bytes, then none."""

    def __init__(self, file, room):
        self.file, self.room = file, room

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, piece):
        if len(piece) > self.room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room[0] -= len(piece)
        return self.file.write(piece)


@pytest.mark.parametrize("room", [0, 100, 20_000, 200_000])
@pytest.mark.parametrize("is_there", [False, True])
def test_a_full_disk_leaves_nothing_partial(rich, tmp_path, monkeypatch, room, is_there):
    out = tmp_path / "deep" / "out"
    if is_there:
        put(rich, out, frozenset({"json"}))
    before = everything(out) if is_there else None
    left = [room]
    original = Path.open

    def narrow(path, mode="r", *args, **kwargs):
        file = original(path, mode, *args, **kwargs)
        return FullDisk(file, left) if "x" in mode else file

    monkeypatch.setattr(Path, "open", narrow)
    with pytest.raises(write.WriteError, match="out: cannot be written: No space left on device"):
        put(rich, out, force=True)
    monkeypatch.undo()
    assert (everything(out) if is_there else None) == before
    assert names(tmp_path) == ({"deep"} if is_there else set())


@pytest.mark.parametrize("knows", [True, False])
def test_a_rename_that_fails_leaves_the_earlier_result(rich, tmp_path, monkeypatch, knows):
    out = tmp_path / "out"
    put(rich, out, frozenset({"json"}))
    before = everything(out)
    new = write.rename_new

    def refuse(path, target):
        if path.name == "new":
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        new(path, target)

    def fails(*_):
        if knows:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return False

    monkeypatch.setattr(write, "rename_new", refuse)
    monkeypatch.setattr(write, "exchange", fails)
    with pytest.raises(write.WriteError):
        put(rich, out, force=True)
    assert everything(out) == before
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("knows", [True, False])
def test_a_signal_while_a_result_is_replaced_loses_neither(rich, tmp_path, monkeypatch, knows):
    out = tmp_path / "out"
    put(rich, out, frozenset({"json"}))
    before = everything(out)
    look = write._refuse
    looked = []

    def interrupted(*arguments, **options):
        looked.append(arguments)
        if len(looked) == 3:  # in the midst of the exchange
            raise KeyboardInterrupt
        look(*arguments, **options)

    monkeypatch.setattr(write, "_refuse", interrupted)
    if not knows:
        monkeypatch.setattr(write, "exchange", lambda *_: False)
    with pytest.raises(KeyboardInterrupt):
        put(rich, out, force=True)
    assert everything(out) == before
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("what", ["file", "folder", "full"])
def test_what_appears_at_the_place_meanwhile_is_kept(rich, tmp_path, monkeypatch, what):
    out = tmp_path / "out"
    fill = write._fill

    def meanwhile(*arguments, **options):
        names = fill(*arguments, **options)
        if what == "file":
            out.write_text("somebody's")
        else:
            out.mkdir()
            if what == "full":
                (out / "thesis.txt").write_text("years of work")
        return names

    monkeypatch.setattr(write, "_fill", meanwhile)
    with pytest.raises(write.OutputExists, match="out: already exists"):
        put(rich, out)
    assert out.is_file() if what == "file" else names(out) == ({"thesis.txt"} & names(out))
    assert names(tmp_path) == {"out"}


@pytest.mark.parametrize("knows", [True, False])
def test_a_stranger_that_comes_while_a_result_is_replaced_is_kept(
    rich, tmp_path, monkeypatch, knows
):
    out = tmp_path / "out"
    put(rich, out, frozenset({"json"}))
    look = write._refuse
    looked = []

    def meanwhile(*arguments, **options):
        look(*arguments, **options)
        looked.append(arguments)
        if len(looked) == 2:  # right after the last look before the exchange
            (out / "thesis.txt").write_text("years of work")

    monkeypatch.setattr(write, "_refuse", meanwhile)
    if not knows:
        monkeypatch.setattr(write, "exchange", lambda *_: False)
    with pytest.raises(write.OutputExists, match=r"thesis\.txt"):
        put(rich, out, force=True)
    assert (out / "thesis.txt").read_text() == "years of work"
    assert names(tmp_path) == {"out"}


def test_an_earlier_result_that_a_killed_run_left_behind_is_told(rich, tmp_path):
    out = tmp_path / "out"
    put(rich, out, frozenset({"json"}))
    out.rename(tmp_path / "out.before-abc")
    with pytest.raises(write.OutputExists, match=r"earlier result in .*out\.before-abc"):
        put(rich, out, force=True)


def test_of_two_runs_at_once_one_writes_and_the_other_is_refused(rich, tmp_path):
    out = tmp_path / "out"
    ended = []

    def run():
        try:
            put(rich, out, frozenset({"json"}))
            ended.append("written")
        except write.OutputExists:
            ended.append("refused")

    threads = [Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["refused"] * 3 + ["written"]
    assert names(tmp_path) == {"out"}
    assert names(out) == {"analysis.json", "manifest.json"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(rich, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(write.WriteError, match="Permission denied"):
        put(rich, tmp_path / "locked" / "out")


def test_a_file_as_a_parent_is_named(rich, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(write.WriteError, match="out: cannot be written: "):
        put(rich, tmp_path / "file" / "out")


def test_a_defect_of_ours_leaves_nothing_either(rich, tmp_path, monkeypatch):
    def broken(_):
        raise ZeroDivisionError
        yield b""

    monkeypatch.setattr(to_json, "analysis_json", broken)
    with pytest.raises(ZeroDivisionError):
        put(rich, tmp_path / "out", frozenset({"json"}))
    assert names(tmp_path) == set()


def test_no_name_from_a_capture_becomes_a_file_name(rich, tmp_path):
    files = {path.name for path in put(rich, tmp_path / "out")}
    assert all(re.fullmatch(r"[a-z_]+\.(html|md|json|csv|parquet)", name) for name in files)
