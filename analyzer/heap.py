"""Gives memory that is no longer used back to the system.

The C library keeps what was freed in its heap, in case it is asked for again. What reading a
capture took is not asked for again by the tables that follow, and would be on top of theirs.
"""

import ctypes
import sys


def give_back() -> None:
    """Give back what the C library keeps; nothing where it cannot (it is not glibc)."""
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
