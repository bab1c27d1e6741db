"""What `analyze` wrote, read back: the tables that a comparison needs of one repetition."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import dataframely as dy
import polars as pl

from analyzer.observed import Observed
from analyzer.settings import Settings
from analyzer.tables import (
    Beacons,
    FlowPhases,
    Flows,
    Phases,
    Phones,
    Places,
    Requests,
    Uploads,
)
from captures.errors import CaptureError
from captures.tables import Captures
from geo.tables import Databases

MANIFEST = "manifest.json"
KEPT: dict[str, type | tuple[type, ...]] = {
    "version": str,
    "phone_location": str,
    "app": str,
    "clock_offset": (int, float, type(None)),
    "infer_phases": bool,
}
"""Settings of a saved analysis that a comparison asks for, and their kinds."""
RESULTS = ("uploads.parquet", "analysis.json")

Table = TypeVar("Table")


def saved_folder(path: Path) -> Path | None:
    """The folder of results that a path names, itself or by a file in it; None: it is none."""
    folder = path.parent if path.name in RESULTS else path
    return folder if any((folder / name).is_file() for name in RESULTS) else None


def shown_name(path: Path) -> str:
    """The last part of a path; of `.` and the like, that of the folder it stands for."""
    return path.name or path.resolve().name or str(path)


def saved(folder: Path) -> Observed:
    """What `analyze` wrote; every table is held to the hash in its manifest."""
    manifest = _manifest(folder)
    hashes = {output["file"]: output["sha256"] for output in manifest["outputs"]}
    phases = _table(folder, "phases", Phases.validate, hashes)
    sources = phases.filter(~pl.col("source").is_in(["none", "uncovered"]))["source"]
    names = sources.str.replace(r":\d+$", "").unique().sort()
    return Observed(
        name=shown_name(folder),
        is_saved=True,
        timelines=tuple(map(Path, names)),
        timeline_source="saved" if len(names) else None,
        settings=_settings(manifest),
        captures=_table(folder, "captures", Captures.validate, hashes),
        phones=_table(folder, "phones", Phones.validate, hashes),
        phases=phases,
        flows=_table(folder, "flows", Flows.validate, hashes),
        flow_phases=_table(folder, "flow_phases", FlowPhases.validate, hashes),
        uploads=_table(folder, "uploads", Uploads.validate, hashes),
        places=_table(folder, "places", Places.validate, hashes),
        beacons=_table(folder, "beacons", Beacons.validate, hashes),
        requests=_table(folder, "requests", Requests.validate, hashes),
        databases=_table(folder, "databases", Databases.validate, hashes),
        notes=tuple(map(str, manifest.get("notes", ()))),
        is_balanced=manifest.get("is_balanced") is True,
    )


def _settings(manifest: dict[str, Any]) -> Settings:
    """What a comparison asks of the settings that an analysis was run with."""
    asked = manifest.get("settings")
    if not isinstance(asked, dict):
        return Settings()
    told: dict[str, Any] = {
        name: asked[name]
        for name, kind in KEPT.items()
        if name in asked and isinstance(asked[name], kind)
    }
    return Settings(**told)


def _manifest(folder: Path) -> dict[str, Any]:
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


def _table(
    folder: Path, name: str, validate: Callable[[pl.DataFrame], Table], hashes: dict[str, str]
) -> Table:
    path = folder / f"{name}.parquet"
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


def sha256(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def saved_tables(
    folder: Path, schemas: Mapping[str, type[dy.Schema]]
) -> tuple[dict[str, pl.DataFrame], dict[str, Any]]:
    """These tables as `analyze` wrote them, each held to the hash in the manifest; and that.

    Raises:
        CaptureError: a table or the manifest is missing, changed, or of another version.
    """
    manifest = _manifest(folder)
    hashes = {output["file"]: output["sha256"] for output in manifest["outputs"]}
    tables: dict[str, pl.DataFrame] = {
        name: _table(folder, name, schema.validate, hashes) for name, schema in schemas.items()
    }
    return tables, manifest
