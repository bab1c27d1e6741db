# Held by tests/captures/files/test_find_captures.py: names that are not UTF-8 are told there.
"""Names of files as text: what is not UTF-8 in them stands as a backslash, an x and two digits."""

import os
from pathlib import Path


def path_text(path: str | Path) -> str:
    r"""A path as tables, pages and messages can hold it: octets that are not UTF-8 as `\xff`.

    Systems allow any octets in a name but slash and nul, and Python keeps those that are not
    UTF-8 as halves of surrogates, which no file of ours can hold.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
