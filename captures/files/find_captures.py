"""From what a user names to the capture files it stands for."""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from phonehome.captures.errors import CaptureError
from phonehome.captures.files.archives import captures_in, is_archive, place_in_archive
from phonehome.captures.files.containers import CAPTURE_MAGICS
from phonehome.captures.files.decompression import COMPRESSED_MAGICS
from phonehome.captures.files.open_capture import STANDARD_INPUT
from phonehome.captures.files.path_text import path_text

MAGICS = (*CAPTURE_MAGICS, *COMPRESSED_MAGICS)
CALLED = re.compile(r"(?i)\.(?:pcap|pcapng|cap)\d*(?:\.(?:gz|zst|zstd|lz4))?$")
"""How captures are called; of a folder, what is called so and is none is told."""
MOST_TOLD = 3


@dataclass(frozen=True)
class LeftOut:
    """A file or folder that looks like a capture, or may hold some, and was not taken.

    Attributes:
        path: where it is.
        reason: why not, as a clause.
    """

    path: Path
    reason: str


@dataclass(frozen=True)
class FoundCaptures:
    """What names stand for.

    Attributes:
        files: captures, each once however it is spelled, in order of the names.
        left_out: what a folder holds besides that looks like a capture and cannot be read.
        of_folders: those of the files that nobody named: they stand in a folder, an archive or a
            pattern that was named.
    """

    files: list[Path]
    left_out: list[LeftOut]
    of_folders: frozenset[Path] = frozenset()


def find_captures(named: Iterable[str | Path]) -> FoundCaptures:
    """Captures that these names stand for, and what was not taken of the folders among them.

    A directory stands for the captures below it, sorted by path; what a file is called does not
    count, its first bytes do. But a file that is called like a capture and is none, and whatever
    cannot be opened, is told. A zip archive stands for the captures in it, `archive.zip/member`.
    A name with `*`, `?` or `[` that is no file is a pattern.

    Raises:
        CaptureError: a name stands for no file, or for none that is a capture; an archive cannot
            be read.
    """
    found: dict[Path, Path] = {}
    left_out: list[LeftOut] = []
    of_folders: set[Path] = set()
    for name in named:
        path = Path(name)
        if str(path) == STANDARD_INPUT:
            files = [path]
        elif path.is_dir():
            below = _below(path)
            files, left_out = below.files, [*left_out, *below.left_out]
        elif path.exists() or not glob.has_magic(str(path)) or place_in_archive(path):
            files = _unpacked(path)
        else:
            files = [file for match in sorted(_matches(path)) for file in _unpacked(match)]
            if not files:
                raise CaptureError(f"{path}: no file of this pattern")
        of_folders.update(file for file in files if file != path)
        for file in files:
            found.setdefault(file if str(file) == STANDARD_INPUT else _real(file), file)
    return FoundCaptures(list(found.values()), left_out, frozenset(of_folders))


def capture_files(named: Iterable[str | Path]) -> list[Path]:
    """The captures of `find_captures` alone."""
    return find_captures(named).files


def _below(folder: Path) -> FoundCaptures:
    """The captures below a folder, sorted by path, and what looks like one and cannot be read.

    Raises:
        CaptureError: there is none.
    """
    files: list[Path] = []
    left_out: list[LeftOut] = []

    def closed(error: OSError) -> None:
        left_out.append(LeftOut(Path(error.filename), f"it cannot be opened: {error.strerror}"))

    below = (Path(at) / name for at, _, names in os.walk(folder, onerror=closed) for name in names)
    for path in sorted(below):
        found = _captures_at(path)
        if isinstance(found, LeftOut):
            left_out.append(found)
        else:
            files += found
    if not files:
        told = [f"{path_text(each.path)}: {each.reason}" for each in left_out[:MOST_TOLD]]
        more = [f"and {len(left_out) - MOST_TOLD} more"] if left_out[MOST_TOLD:] else []
        raise CaptureError("; ".join([f"{folder}: no capture in this directory", *told, *more]))
    return FoundCaptures(files, sorted(left_out, key=lambda each: each.path))


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


def _captures_at(path: Path) -> list[Path] | LeftOut:
    """The capture or captures that a file in a directory is; none for anything else."""
    is_called_so = bool(CALLED.search(path.name))
    try:
        if not path.is_file():
            is_lost = is_called_so and path.is_symlink()
            return LeftOut(path, "it is a link that leads to no file") if is_lost else []
        with path.open("rb") as file:
            first = file.read(4)
    except OSError as error:
        return LeftOut(path, f"it cannot be read: {error.strerror}")
    if first.startswith(MAGICS):
        return [path]
    if is_archive(path):
        return captures_in(path, _is_plain)
    if not is_called_so:
        return []
    return LeftOut(path, "it is empty" if not first else "it does not begin as a capture does")


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
    return path_text("/".join(file.parts[-depth:]) or str(file))
