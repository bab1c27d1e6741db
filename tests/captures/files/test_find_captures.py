"""Files are found in folders made for each test."""

import os
from pathlib import Path

import pytest

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.find_captures import capture_files, capture_names, find_captures
from phonehome.captures.files.path_text import path_text
from tests.captures.building import Pcapng, pcap
from tests.small_captures import gzipped

SUBTREE = ("b.pcap", "a.pcapng", "deep/c.cap", "deep/er/d.pcap.gz")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """A folder of captures and of what only looks like some; the working directory."""
    (tmp_path / "deep/er").mkdir(parents=True)
    for name, octets in zip(
        SUBTREE, (pcap(), Pcapng().file(), pcap(), gzipped(pcap())), strict=True
    ):
        (tmp_path / name).write_bytes(octets)
    (tmp_path / "table.pcap").write_text("a,b\n1,2\n")
    (tmp_path / "empty.pcap").touch()
    (tmp_path / "broken.pcap").symlink_to(tmp_path / "nowhere")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_stands_for_the_captures_below_it_by_their_first_octets(folder: Path) -> None:
    found = [file.relative_to(folder).as_posix() for file in capture_files([folder])]
    assert found == ["a.pcapng", "b.pcap", "deep/c.cap", "deep/er/d.pcap.gz"]


def test_what_is_called_like_a_capture_and_cannot_be_read_is_told(folder: Path) -> None:
    left_out = find_captures([folder]).left_out
    assert [(each.path.name, each.reason) for each in left_out] == [
        ("broken.pcap", "it is a link that leads to no file"),
        ("empty.pcap", "it is empty"),
        ("table.pcap", "it does not begin as a capture does"),
    ]


def test_what_may_not_be_opened_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Path.open

    def refuse(path: Path, *rest, **other):
        if path.name == "b.pcap":
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path, *rest, **other)

    listed = os.scandir

    def closed(path):
        if Path(path).name == "deep":
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(os, "scandir", closed)
    found = find_captures([folder])
    assert [file.name for file in found.files] == ["a.pcapng"]
    told = {each.path.name: each.reason for each in found.left_out}
    assert told["b.pcap"] == "it cannot be read: Permission denied"
    assert told["deep"] == "it cannot be opened: Permission denied"


def test_what_was_named_is_told_from_what_a_folder_holds(folder: Path) -> None:
    found = find_captures(["b.pcap", folder])
    assert {file.name for file in found.of_folders} == {"a.pcapng", "b.pcap", "c.cap", "d.pcap.gz"}
    assert find_captures(["b.pcap"]).of_folders == frozenset()


def test_where_nothing_is_left_what_was_left_out_is_told(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / f"{name}.pcap").touch()
    with pytest.raises(CaptureError, match=r"a\.pcap: it is empty; .*; and 1 more$"):
        find_captures([tmp_path])


@pytest.mark.parametrize("name", ["a.pcap0", "A.PCAP", "a.pcapng.gz", "a.cap.zst"])
def test_captures_are_called_in_many_ways(tmp_path: Path, name: str) -> None:
    (tmp_path / "one.pcap").write_bytes(pcap())
    (tmp_path / name).touch()
    assert [each.path.name for each in find_captures([tmp_path]).left_out] == [name]


def test_octets_of_a_name_that_are_not_utf_8_are_told_as_numbers() -> None:
    assert path_text(os.fsdecode(b"phone-\xff.pcap")) == "phone-\\xff.pcap"
    assert path_text("prüfung.pcap") == "prüfung.pcap"


def test_a_folder_without_a_capture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no capture in this directory"):
        capture_files([tmp_path])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.pcapng", ["a.pcapng"]),
        ("[ab].pcap*", ["a.pcapng", "b.pcap"]),
        ("deep/*.cap", ["deep/c.cap"]),
        ("**/?.pcap*", ["a.pcapng", "b.pcap", "deep/er/d.pcap.gz"]),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_pattern_stands_for_the_files_it_matches(pattern: str, expected: list[str]) -> None:
    assert [file.as_posix() for file in capture_files([pattern])] == expected


def test_a_pattern_may_be_absolute(folder: Path) -> None:
    assert capture_files([f"{folder}/*.pcapng"]) == [folder / "a.pcapng"]


@pytest.mark.usefixtures("folder")
def test_a_pattern_passes_over_folders() -> None:
    assert [file.name for file in capture_files(["[ad]*"])] == ["a.pcapng"]


@pytest.mark.usefixtures("folder")
def test_a_pattern_of_no_file_is_refused() -> None:
    with pytest.raises(CaptureError, match=r"\*\.absent: no file of this pattern"):
        capture_files(["*.absent"])


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(folder: Path) -> None:
    odd = folder / "run[1].pcap"
    odd.write_bytes(pcap())
    assert capture_files([odd]) == [odd]


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_named_is_taken_as_it_is() -> None:
    named = ["table.pcap", "absent.pcap", "-"]
    assert capture_files(named) == [Path(name) for name in named]


@pytest.mark.usefixtures("folder")
def test_each_file_counts_once_in_the_order_of_the_names() -> None:
    found = capture_files(["deep", "b.pcap", "./b.pcap", "*.pcap*", "deep/c.cap"])
    assert [file.as_posix() for file in found][:4] == [
        "deep/c.cap",
        "deep/er/d.pcap.gz",
        "b.pcap",
        "a.pcapng",
    ]
    assert len(found) == len(set(found))


def test_each_file_counts_once_however_it_is_spelled(folder: Path) -> None:
    assert capture_files(["b.pcap", folder / "b.pcap", "deep/../b.pcap"]) == [Path("b.pcap")]


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["x/a.pcap"], ["a.pcap"]),
        (["x/a.pcap", "x/b.pcap"], ["a.pcap", "b.pcap"]),
        (["x/a.pcap", "y/a.pcap", "y/b.pcap"], ["x/a.pcap", "y/a.pcap", "b.pcap"]),
        (["1/x/a.pcap", "2/x/a.pcap"], ["1/x/a.pcap", "2/x/a.pcap"]),
        (["a.pcap", "x/a.pcap"], ["a.pcap", "x/a.pcap"]),
        (["-"], ["-"]),
    ],
)
def test_captures_are_called_by_as_little_of_their_path_as_tells_them_apart(files, names) -> None:
    assert capture_names([Path(file) for file in files]) == names
