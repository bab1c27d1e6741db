"""Databases that `geo update` fetched: where they lie, and how they join those that are shipped."""

import os
import sys
from pathlib import Path

from phonehome.geo.databases import Database, open_database

SUFFIX = ".mmdb"
REPLACED = {"dbip-country": "dbip-country"}
"""Shipped databases that one of these names replaces: a newer issue of the same opinion."""


def data_folder() -> Path:
    """Where fetched databases are kept, as each system has it; XDG_DATA_HOME leads everywhere."""
    home = os.environ.get("XDG_DATA_HOME", "")
    if home and Path(home).is_absolute():
        root = Path(home)
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        root = Path.home() / ".local" / "share"
    return root / "phonehome" / "geo"


def installed_databases() -> list[Database]:
    """The fetched databases, sorted by name; none where none was fetched.

    Raises:
        DatabaseError: One is damaged; the message names its file.
    """
    paths = sorted(data_folder().glob(f"*{SUFFIX}"))
    return [open_database(path, name=path.stem) for path in paths]


def joined(fetched: list[Database], shipped: list[Database]) -> list[Database]:
    """Fetched databases before shipped ones, without the shipped ones that they replace."""
    gone = {REPLACED.get(each.name) for each in fetched}
    names = {each.name for each in fetched}
    return fetched + [each for each in shipped if each.name not in gone and each.name not in names]
