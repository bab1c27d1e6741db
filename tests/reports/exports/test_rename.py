"""Renames that lose nothing, by the system's own calls and without them."""

import errno

import pytest

from phonehome.reports.exports import rename
from phonehome.reports.exports.rename import exchange, rename_new


@pytest.fixture(params=[True, False])
def folders(request, tmp_path, monkeypatch):
    """Two folders with a file each, with the calls of the system and without."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "name").write_text(name)
    if not request.param:
        monkeypatch.setattr(rename, "_called", lambda *_: False)
    return tmp_path / "one", tmp_path / "two"


def test_a_free_name_is_taken(folders, tmp_path):
    rename_new(folders[0], tmp_path / "three")
    assert (tmp_path / "three" / "name").read_text() == "one"
    assert not folders[0].exists()


@pytest.mark.parametrize("is_empty", [True, False])
def test_a_name_that_something_has_is_not_taken(folders, is_empty):
    one, two = folders
    if is_empty:
        (two / "name").unlink()
    with pytest.raises(FileExistsError):
        rename_new(one, two)
    assert (one / "name").read_text() == "one"
    assert two.is_dir()


def test_a_file_is_not_replaced(folders, tmp_path):
    (tmp_path / "three").write_text("kept")
    with pytest.raises(FileExistsError):
        rename_new(folders[0], tmp_path / "three")
    assert (tmp_path / "three").read_text() == "kept"


def test_two_folders_change_names_in_one_step_or_not_at_all(folders):
    one, two = folders
    is_known = exchange(one, two)
    assert (one / "name").read_text() == ("two" if is_known else "one")
    assert (two / "name").read_text() == ("one" if is_known else "two")


def test_what_the_system_refuses_is_raised(tmp_path):
    with pytest.raises(OSError, match="No such file") as refused:
        rename_new(tmp_path / "nowhere", tmp_path / "new")
    assert refused.value.errno == errno.ENOENT
    assert list(tmp_path.iterdir()) == []
