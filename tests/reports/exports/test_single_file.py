import os
from pathlib import Path
from threading import Thread

import pytest

from phonehome.reports.exports.folder import OutputExists, WriteError
from phonehome.reports.exports.single_file import refuse_targets, write_files


def test_files_take_the_place_of_earlier_ones(tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b"old")
    write_files({path: b"new", tmp_path / "b": b"other"})
    assert path.read_bytes() == b"new"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.xml", "b"]


def test_none_appears_where_one_cannot_be_written(tmp_path):
    with pytest.raises(WriteError, match="cannot be written"):
        write_files({tmp_path / "a": b"x", tmp_path / "none" / "b": b"y"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_place_for_a_file(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(WriteError, match="a: cannot be written"):
        write_files({tmp_path / "a": b"x"})
    assert [one.name for one in tmp_path.iterdir()] == ["a"]


def test_modes_are_those_of_new_files(tmp_path):
    mask = os.umask(0o027)
    try:
        write_files({tmp_path / "a": b"x"})
    finally:
        os.umask(mask)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_inputs_and_each_other_are_never_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refuse_targets([Path("a"), Path("b")], [Path("c")])
    for targets, inputs in (([Path("a")], [tmp_path / "a"]), ([Path("a"), tmp_path / "a"], [])):
        with pytest.raises(OutputExists, match="a file of its own"):
            refuse_targets(targets, inputs)


def test_a_link_stands_for_what_it_leads_to(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    write_files({tmp_path / "link": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_loop_of_links_is_refused_in_one_line(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(WriteError, match="a: cannot be written"):
        write_files({tmp_path / "a": b"new"})


def test_a_pipe_and_a_device_are_written_to_and_stay(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    heard = []
    reader = Thread(target=lambda: heard.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    write_files({tmp_path / "pipe": b"new", Path(os.devnull): b"new"})
    reader.join()
    assert heard == [b"new"]
    assert (tmp_path / "pipe").is_fifo()
    assert Path(os.devnull).is_char_device()


def test_nothing_is_written_into_an_input(tmp_path):
    (tmp_path / "result").mkdir()
    (tmp_path / "link").symlink_to("result")
    for path in ("result/manifest.json", "result/deep/new.xml", "link/new.xml"):
        with pytest.raises(OutputExists, match="outside of the inputs"):
            refuse_targets([tmp_path / path], [tmp_path / "result"])


def test_what_is_private_only_the_user_may_read(tmp_path):
    write_files({tmp_path / "a": b"x"}, is_private=True)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
