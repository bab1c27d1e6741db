"""Renames that lose nothing: one that never replaces, and one that exchanges two folders at once.

The usual rename replaces an empty folder in silence, and takes two steps to put a new folder where
an old one stands. Linux and macOS have calls that do better; where they are missing, or the file
system does not know them, the same is done in steps of which each can be undone.
"""

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Final

_AT_FDCWD: Final = -100
_LINUX: Final = {"keep": 1, "exchange": 2}  # RENAME_NOREPLACE, RENAME_EXCHANGE of renameat2(2)
_MACOS: Final = {"keep": 4, "exchange": 2}  # RENAME_EXCL, RENAME_SWAP of renamex_np(2)
_UNKNOWN: Final = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


def rename_new(path: Path, target: Path) -> None:
    """Let a folder take a name that nothing has.

    Raises:
        FileExistsError: something has it, if only since a moment ago.
        OSError: the system refused.
    """
    if _called("keep", path, target):
        return
    target.mkdir()  # fails where anything is: the name is ours, and its folder empty
    try:
        path.rename(target)
    except BaseException:
        target.rmdir()
        raise


def exchange(path: Path, other: Path) -> bool:
    """Let two folders take each other's names in one step; whether this system can do so.

    Raises:
        OSError: the system refused.
    """
    return _called("exchange", path, other)


def _called(how: str, path: Path, other: Path) -> bool:
    """Whether the system knows this kind of rename; then it was done."""
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(path), os.fsencode(other)
    if sys.platform == "linux" and hasattr(library, "renameat2"):
        arguments = (_AT_FDCWD, names[0], _AT_FDCWD, names[1], _LINUX[how])
        failed = library.renameat2(*arguments)
    elif sys.platform == "darwin" and hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, _MACOS[how])
    else:
        return False
    if not failed:
        return True
    number = ctypes.get_errno()
    if number in _UNKNOWN:
        return False
    raise OSError(number, os.strerror(number), str(other))
