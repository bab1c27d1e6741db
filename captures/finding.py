"""From what a user names to the capture files it stands for."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from captures.containers import PCAP_MAGICS, PCAPNG_MAGIC
from captures.decompression import GZIP_MAGIC, ZSTD_MAGIC
from captures.errors import CaptureError
from captures.files import STANDARD_INPUT

MAGICS = (*PCAP_MAGICS, PCAPNG_MAGIC, GZIP_MAGIC, ZSTD_MAGIC)


def capture_files(named: Iterable[str | Path]) -> list[Path]:
    """Files that these names stand for, each once however it is spelled, in order of the names.

    A directory stands for the captures below it, sorted by path; what a file is called does not
    count, its first bytes do. A name with `*`, `?` or `[` that is no file is a pattern.

    Raises:
        CaptureError: a name stands for no file, or for none that is a capture.
    """
    found: dict[Path, Path] = {}
    for name in named:
        path = Path(name)
        if str(path) == STANDARD_INPUT:
            files = [path]
        elif path.is_dir():
            files = sorted(file for file in path.rglob("*") if _is_capture(file))
            if not files:
                raise CaptureError(f"{path}: no capture in this directory")
        elif not path.exists() and glob.has_magic(str(path)):
            files = sorted(_matches(path))
            if not files:
                raise CaptureError(f"{path}: no file of this pattern")
        else:
            files = [path]
        for file in files:
            found.setdefault(file if str(file) == STANDARD_INPUT else _real(file), file)
    return list(found.values())


def _real(file: Path) -> Path:
    """Where a file lies, whatever links lead to it; links that lead nowhere are no error."""
    return Path(os.path.realpath(file))


def _matches(pattern: Path) -> Iterator[Path]:
    found = Path(pattern.anchor or ".").glob(str(pattern.relative_to(pattern.anchor)))
    return (path for path in found if not path.is_dir())


def _is_capture(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return file.read(4).startswith(MAGICS)
    except OSError:
        return False


def capture_names(files: list[Path]) -> list[str]:
    """How each capture is called in tables: its file name, with folders where two share one."""
    names = [file.name or str(file) for file in files]
    depth = 1
    while len(set(names)) < len(names) and depth < max(len(file.parts) for file in files):
        depth += 1
        names = [
            name if names.count(name) == 1 else "/".join(file.parts[-depth:])
            for name, file in zip(names, files, strict=True)
        ]
    return names
