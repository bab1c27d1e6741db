"""Single files of results: each appears whole or not at all, in the place of an earlier one.

What is no regular file, such as a terminal or a pipe, cannot be replaced: it is written to.
"""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from tempfile import mkstemp
from typing import Final

from phonehome.reports.exports.folder import OutputExists, WriteError

_MODE: Final = 0o666
_PRIVATE: Final = 0o600
_OF_THE_SYSTEM: Final = ("/dev", "/proc")
"""Below these, even a regular file is an open one of some process: to be written to."""


def write_files(contents: Mapping[Path, bytes], *, is_private: bool = False) -> None:
    """Write each content to its path; none of them appears before all could be written.

    A link stands for what it leads to.

    Args:
        contents: what goes into each file.
        is_private: nobody but the user may read them.

    Raises:
        WriteError: the system refused; the message names the path and the cause.
    """
    written: list[tuple[Path, Path]] = []
    through: list[tuple[Path, bytes]] = []
    path = Path()
    try:
        for path, content in contents.items():
            if _is_written_to(path):
                through.append((path, content))
            else:
                target = path.resolve()
                written.append((_beside(target, content, is_private=is_private), target))
        for path, content in through:
            path.write_bytes(content)
        for beside, path in written:
            beside.replace(path)
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError
        cause = getattr(error, "strerror", None) or error
        raise WriteError(f"{path}: cannot be written: {cause}") from error
    finally:
        for beside, _ in written:
            with suppress(OSError):
                beside.unlink(missing_ok=True)


def refuse_targets(targets: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write over or into an input, into a folder's place, or two results into one file.

    Raises:
        OutputExists: one of the targets would be; the message names it.
    """
    given = {Path(os.path.realpath(path)) for path in inputs}
    taken = set(given)
    for path in targets:
        target = Path(os.path.realpath(path))
        if path.is_dir():
            raise OutputExists(f"{path}: expected a file or nothing, got a folder")
        if target in taken:
            raise OutputExists(f"{path}: expected a file of its own, got an input or a result")
        if given & set(target.parents):
            raise OutputExists(f"{path}: expected a file outside of the inputs, got one inside")
        taken.add(target)


def _is_written_to(path: Path) -> bool:
    """Whether there is something of that name that is no regular file, or is none of ours."""
    try:
        is_regular = S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        return False
    return not is_regular or any(path.is_relative_to(folder) for folder in _OF_THE_SYSTEM)


def _beside(path: Path, content: bytes, *, is_private: bool) -> Path:
    """A new file with this content in the folder of `path`; none where it could not be written."""
    handle, name = mkstemp(prefix=f".{path.name[:200]}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).chmod(_PRIVATE if is_private else _MODE & ~_umask())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _umask() -> int:
    """The mask of new files, which the system tells only by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
