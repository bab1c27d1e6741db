"""Digests are those of the files, whenever they are begun."""

import hashlib
from pathlib import Path

import pytest

from phonehome.captures.files import hashing
from phonehome.captures.files.hashing import Digests, FileDigest

CONTENT = bytes(range(256)) * 5_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.pcap"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("at_once", [1_000, 16 << 20])
def test_a_file_is_hashed_in_pieces(path: Path, at_once: int, monkeypatch) -> None:
    monkeypatch.setattr(hashing, "AT_ONCE", at_once)
    digest = FileDigest(path)
    assert digest.sha256() == hashlib.sha256(CONTENT).hexdigest()
    assert digest.size == len(CONTENT)


def test_what_was_begun_is_taken_once(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(hashing, "WORTH_BEGINNING", 1)
    known = Digests()
    known.begin(path)
    first, second = (known.take(path, path.stat()) for _ in range(2))
    assert first is not second
    assert first.sha256() == second.sha256() == hashlib.sha256(CONTENT).hexdigest()


def test_another_file_under_the_same_name_is_hashed_anew(path: Path, monkeypatch) -> None:
    monkeypatch.setattr(hashing, "WORTH_BEGINNING", 1)
    known = Digests()
    known.begin(path)
    other = path.with_name("other")
    other.write_bytes(b"other")
    other.replace(path)
    assert known.take(path, path.stat()).sha256() == hashlib.sha256(b"other").hexdigest()


@pytest.mark.parametrize("name", ["a.pcap", "missing", ".", "a\0b"])
def test_nothing_is_begun_that_is_small_missing_or_no_file(path: Path, name: str) -> None:
    known = Digests()
    known.begin(path.parent / name)
    assert known.take(path, path.stat()).sha256() == hashlib.sha256(CONTENT).hexdigest()
    assert not known._begun
