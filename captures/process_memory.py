"""Keeps the C library from holding memory that nobody uses.

It keeps what was freed in its heap, in case it is asked for again. What reading a capture took is
not asked for again by the tables that follow, and would be on top of theirs. And it has a heap for
each of the first threads, up to eight per core, of which each keeps its own.
"""

import ctypes
import sys
from collections.abc import Callable
from typing import Final

_ARENA_MAX: Final = -8  # M_ARENA_MAX of malloc.h, glibc
_ARENAS: Final = 2


def share_heaps() -> None:
    """Let all threads to come share two heaps; nothing where the C library is not glibc."""
    limit = _call("mallopt")
    if limit is not None:
        limit(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Give back what the C library keeps; nothing where it is not glibc."""
    trim = _call("malloc_trim")
    if trim is not None:
        trim(0)


def _call(name: str) -> Callable[..., int] | None:
    """A function of the C library; None: it has none of this name."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
