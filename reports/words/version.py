# Held by tests/reports/exports/test_manifest.py: known, installed or not.
"""The version of phonehome, as pages and files state it."""

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path


@cache
def version() -> str:
    """The version of phonehome.

    A checkout that is not installed is no package: its `pyproject.toml` says the version.
    """
    try:
        return metadata.version("phonehome")
    except metadata.PackageNotFoundError:
        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
