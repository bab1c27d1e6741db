"""Single files of results: each appears whole or not at all, in the place of an earlier one."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from phonehome.reports.exports.folder import OutputExists, WriteError

_MODE = 0o666


def write_files(contents: Mapping[Path, bytes]) -> None:
    """Write each content to its path; none of them appears before all could be written.

    Raises:
        WriteError: the system refused; the message names the path and the cause.
    """
    written: list[tuple[Path, Path]] = []
    path = Path()
    try:
        for path, content in contents.items():
            written.append((_beside(path, content), path))
        for beside, path in written:
            beside.replace(path)
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        for beside, _ in written:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def refuse_targets(targets: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write over an input, into a folder's place, or two results into one file.

    Raises:
        OutputExists: one of the targets would be; the message names it.
    """
    taken = {path.resolve() for path in inputs}
    for path in targets:
        if path.is_dir():
            raise OutputExists(f"{path}: expected a file or nothing, got a folder")
        if path.resolve() in taken:
            raise OutputExists(f"{path}: expected a file of its own, got an input or a result")
        taken.add(path.resolve())


def _beside(path: Path, content: bytes) -> Path:
    """A new file with this content in the folder of `path`; none where it could not be written."""
    handle, name = mkstemp(prefix=f".{path.name[:200]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(_MODE & ~_umask())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _umask() -> int:
    """The mask of new files, which the system tells only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
