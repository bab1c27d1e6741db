"""From what a user names to the capture files it stands for."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.archives import captures_in, is_archive, place_in_archive
from phonehome.captures.files.containers import CAPTURE_MAGICS
from phonehome.captures.files.decompression import COMPRESSED_MAGICS
from phonehome.captures.files.open_capture import STANDARD_INPUT

MAGICS = (*CAPTURE_MAGICS, *COMPRESSED_MAGICS)


def capture_files(named: Iterable[str | Path]) -> list[Path]:
    """Files that these names stand for, each once however it is spelled, in order of the names.

    A directory stands for the captures below it, sorted by path; what a file is called does not
    count, its first bytes do. A zip archive stands for the captures in it, `archive.zip/member`.
    A name with `*`, `?` or `[` that is no file is a pattern.

    Raises:
        CaptureError: a name stands for no file, or for none that is a capture; an archive cannot
            be read.
    """
    found: dict[Path, Path] = {}
    for name in named:
        path = Path(name)
        if str(path) == STANDARD_INPUT:
            files = [path]
        elif path.is_dir():
            files = [file for below in sorted(path.rglob("*")) for file in _captures_at(below)]
            if not files:
                raise CaptureError(f"{path}: no capture in this directory")
        elif path.exists() or not glob.has_magic(str(path)) or place_in_archive(path):
            files = _unpacked(path)
        else:
            files = [file for match in sorted(_matches(path)) for file in _unpacked(match)]
            if not files:
                raise CaptureError(f"{path}: no file of this pattern")
        for file in files:
            found.setdefault(file if str(file) == STANDARD_INPUT else _real(file), file)
    return list(found.values())


def _real(file: Path) -> Path:
    """Where a file lies, whatever links lead to it; links that lead nowhere are no error."""
    return Path(os.path.realpath(file))


def _matches(pattern: Path) -> Iterator[Path]:
    found = Path(pattern.anchor or ".").glob(str(pattern.relative_to(pattern.anchor)))
    return (path for path in found if not path.is_dir())


def _unpacked(path: Path) -> list[Path]:
    """What a file that was named stands for: an archive for its captures, others for themselves."""
    if not is_archive(path):
        return [path]
    files = captures_in(path, _is_plain)
    if not files:
        raise CaptureError(f"{path}: no capture in this archive, or none that is packed only once")
    return files


def _captures_at(path: Path) -> list[Path]:
    """The capture or captures that a file in a directory is; none for anything else."""
    if not path.is_file():
        return []
    try:
        with path.open("rb") as file:
            if file.read(4).startswith(MAGICS):
                return [path]
    except OSError:
        return []
    return captures_in(path, _is_plain) if is_archive(path) else []


def _is_plain(first: bytes) -> bool:
    return first.startswith(CAPTURE_MAGICS)


def capture_names(files: list[Path]) -> list[str]:
    """How each capture is called in tables: its file name, with folders where two share one.

    A member of an archive bears the archive's name too.
    """
    depths = [_own_depth(file) for file in files]
    names = [_last(file, depth) for file, depth in zip(files, depths, strict=True)]
    depth = 1
    while len(set(names)) < len(names) and depth < max(len(file.parts) for file in files):
        depth += 1
        names = [
            name if names.count(name) == 1 else _last(file, max(depth, own))
            for name, file, own in zip(names, files, depths, strict=True)
        ]
    return names


def _own_depth(file: Path) -> int:
    """Parts of a path that its name has at least."""
    place = place_in_archive(file)
    return 1 if place is None else 1 + len(Path(place[1]).parts)


def _last(file: Path, depth: int) -> str:
    return "/".join(file.parts[-depth:]) or str(file)
