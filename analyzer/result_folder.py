# Held by tests/analyzer/comparison/test_from_folder.py: what is saved is read through it.
"""Folders that `analyze` wrote: which paths name one, and its tables, held to its manifest."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import dataframely as dy
import polars as pl

from phonehome.analyzer.settings import Sent, Settings
from phonehome.analyzer.tables import Analysis, Findings, Summary
from phonehome.captures import CaptureError, Limits, path_text

MANIFEST = "manifest.json"
RESULTS = ("uploads.parquet", "analysis.json")

Table = TypeVar("Table")

_LATER: Final = ("findings",)
"""Tables that came after the first layout: an older folder lacks them."""
_SUMMARY: Final = {each.name for each in fields(Summary)}


def saved_folder(path: Path) -> Path | None:
    """The folder of results that a path names, itself or by a file in it; None: it is none."""
    folder = path.parent if path.name in RESULTS else path
    return folder if any((folder / name).is_file() for name in RESULTS) else None


def shown_name(path: Path) -> str:
    """The last part of a path; of `.` and the like, that of the folder it stands for."""
    return path_text(path.name or path.resolve().name or path)


def manifest_of(folder: Path) -> dict[str, Any]:
    """What the folder's manifest says.

    Raises:
        CaptureError: it is missing, or is none.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
        [(output["file"], output["sha256"]) for output in manifest["outputs"]]
    except FileNotFoundError as error:
        raise CaptureError(
            f"{folder}: expected {MANIFEST} in a saved analysis, got none"
        ) from error
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise CaptureError(f"{path}: expected what analyze writes, got {error!r}") from error
    return dict(manifest)


def saved_table(
    folder: Path, name: str, validate: Callable[[pl.DataFrame], Table], manifest: dict[str, Any]
) -> Table:
    """One table as `analyze` wrote it, held to the hash in the manifest.

    Raises:
        CaptureError: it is missing, changed, or of another version.
    """
    path = folder / f"{name}.parquet"
    hashes = {output["file"]: output["sha256"] for output in manifest["outputs"]}
    if path.name not in hashes:
        raise CaptureError(
            f"{folder}: expected {path.name}, got none: it was saved without Parquet or by an "
            "older phonehome; analyse again with --format parquet"
        )
    try:
        if sha256(path) != hashes[path.name]:
            raise CaptureError(f"{path}: expected the SHA-256 in {MANIFEST}, got another one")
        return validate(pl.read_parquet(path))
    except OSError as error:
        raise CaptureError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (pl.exceptions.PolarsError, dy.exc.SchemaError, dy.exc.ValidationError) as error:
        reason = str(error).partition("\n")[0]
        raise CaptureError(
            f"{path}: expected the table that this version writes; analyse again: {reason}"
        ) from error


def saved_findings(folder: Path, manifest: dict[str, Any]) -> dy.DataFrame[Findings]:
    """The findings as `analyze` wrote them; none where it was older than they are.

    Raises:
        CaptureError: they were changed.
    """
    if all(output["file"] != "findings.parquet" for output in manifest["outputs"]):
        return Findings.create_empty()
    return saved_table(folder, "findings", Findings.validate, manifest)


def sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def saved_tables(
    folder: Path, schemas: Mapping[str, type[dy.Schema]]
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """These tables, and the manifest.

    Raises:
        CaptureError: one of them is missing, changed, or of another version.
    """
    manifest = manifest_of(folder)
    tables: dict[str, pl.DataFrame] = {
        name: saved_table(folder, name, schema.validate, manifest)
        for name, schema in schemas.items()
    }
    return tables, manifest


def load(folder: str | Path) -> Analysis:
    """The analysis that `write` saved with Parquet, table by table as it was.

    Tables that an older phonehome did not write are empty, where they may be.

    Args:
        folder: what `write` made, or a file in it.

    Raises:
        CaptureError: a table is missing or was changed, or the manifest is none.
    """
    path = Path(folder)
    found = saved_folder(path)
    if found is None:
        raise CaptureError(f"{path_text(path)}: expected a folder that analyze wrote, got none")
    manifest = manifest_of(found)
    written = {output["file"] for output in manifest["outputs"]}
    tables: dict[str, Any] = {
        name: schema.create_empty()
        if name in _LATER and f"{name}.parquet" not in written
        else saved_table(found, name, schema.validate, manifest)
        for name, schema in _schemas().items()
    }
    answer = _summary(found, manifest)
    try:
        return Analysis(
            settings=_settings(dict(manifest["settings"])),
            summary=Summary(**{key: answer[key] for key in _SUMMARY & answer.keys()}),
            notes=tuple(map(str, manifest["notes"])),
            limits_hit=dict(manifest["limits_hit"]),
            tshark=manifest.get("tshark"),
            keys_used=int(manifest.get("keys_used") or 0),
            **tables,
        )
    except (TypeError, LookupError, AttributeError, ValueError) as error:
        raise CaptureError(
            f"{found}: expected what this version writes; analyse again: {error}"
        ) from error


def _schemas() -> dict[str, type[dy.Schema]]:
    """Every table of an analysis, by the name of its attribute."""
    hints = get_type_hints(Analysis)
    return {
        name: get_args(hint)[0] for name, hint in hints.items() if get_origin(hint) is dy.DataFrame
    }


def _summary(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """The summary, which stands before the tables in `analysis.json`, on its first line."""
    path = folder / "analysis.json"
    hashes = {output["file"]: output["sha256"] for output in manifest["outputs"]}
    try:
        is_whole = sha256(path) == hashes.get(path.name)
        with path.open(encoding="utf-8") as file:
            head = json.loads(file.readline().rstrip().rstrip(",") + "}")
        summary = dict(head["summary"])
    except (OSError, ValueError, LookupError) as error:
        raise CaptureError(
            f"{folder}: expected analysis.json beside the tables: save with the formats json and "
            f"parquet ({error})"
        ) from error
    if not is_whole:
        raise CaptureError(f"{path}: expected the SHA-256 in {MANIFEST}, got another one")
    return summary


def _settings(asked: dict[str, Any]) -> Settings:
    """Settings as a manifest has them."""
    limits = Limits(**asked.pop("limits"))
    sent = tuple(Sent(**each) for each in asked.pop("sent", ()))
    return Settings(**asked, limits=limits, sent=sent)
