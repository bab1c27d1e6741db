"""What `analyze` wrote, read back: the tables that a comparison needs of one repetition."""

from pathlib import Path
from typing import Any

import polars as pl

from phonehome.analyzer.comparison.repetition import Observed
from phonehome.analyzer.result_folder import manifest_of, saved_findings, saved_table, shown_name
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    Beacons,
    FlowPhases,
    Flows,
    Phases,
    Phones,
    Places,
    Requests,
    Uploads,
)
from phonehome.captures.tables import Captures
from phonehome.geo.tables import Databases

KEPT: dict[str, type | tuple[type, ...]] = {
    "version": str,
    "phone_location": str,
    "app": str,
    "clock_offset": (int, float, type(None)),
    "infer_phases": bool,
    "is_revealed": bool,
}
"""Settings of a saved analysis that a comparison asks for, and their kinds."""


def saved(folder: Path) -> Observed:
    """What `analyze` wrote; every table is held to the hash in its manifest."""
    manifest = manifest_of(folder)
    phases = saved_table(folder, "phases", Phases.validate, manifest)
    sources = phases.filter(~pl.col("source").is_in(["none", "uncovered"]))["source"]
    names = sources.str.replace(r":\d+$", "").unique().sort()
    return Observed(
        name=shown_name(folder),
        is_saved=True,
        timelines=tuple(map(Path, names)),
        timeline_source="saved" if len(names) else None,
        settings=_settings(manifest),
        captures=saved_table(folder, "captures", Captures.validate, manifest),
        phones=saved_table(folder, "phones", Phones.validate, manifest),
        phases=phases,
        flows=saved_table(folder, "flows", Flows.validate, manifest),
        flow_phases=saved_table(folder, "flow_phases", FlowPhases.validate, manifest),
        uploads=saved_table(folder, "uploads", Uploads.validate, manifest),
        places=saved_table(folder, "places", Places.validate, manifest),
        beacons=saved_table(folder, "beacons", Beacons.validate, manifest),
        requests=saved_table(folder, "requests", Requests.validate, manifest),
        databases=saved_table(folder, "databases", Databases.validate, manifest),
        notes=tuple(map(str, manifest.get("notes", ()))),
        findings=saved_findings(folder, manifest),
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
