"""What `analyze` wrote, read back: the tables that a comparison needs of one repetition."""

from pathlib import Path
from typing import Final

import polars as pl

from phonehome.analyzer.comparison.repetition import Observed
from phonehome.analyzer.result_folder import saved_result, shown_name
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    Beacons,
    Findings,
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

KEPT: Final = ("version", "phone_location", "app", "clock_offset", "infer_phases", "is_revealed")
"""Settings of a saved analysis that a comparison asks for."""


def saved(folder: Path) -> Observed:
    """What `analyze` wrote; every table is held to the hash in its manifest."""
    result = saved_result(folder)
    asked = result.settings()
    phases = result.table("phases", Phases)
    sources = phases.filter(~pl.col("source").is_in(["none", "uncovered"]))["source"]
    names = sources.str.replace(r":\d+$", "").unique().sort()
    return Observed(
        name=shown_name(folder),
        is_saved=True,
        timelines=tuple(map(Path, names)),
        timeline_source="saved" if len(names) else None,
        settings=Settings(**{name: getattr(asked, name) for name in KEPT}),
        captures=result.table("captures", Captures),
        phones=result.table("phones", Phones),
        phases=phases,
        flows=result.table("flows", Flows),
        flow_phases=result.table("flow_phases", FlowPhases),
        uploads=result.table("uploads", Uploads),
        places=result.table("places", Places),
        beacons=result.table("beacons", Beacons),
        requests=result.table("requests", Requests),
        databases=result.table("databases", Databases),
        notes=tuple(map(str, result.manifest.get("notes", ()))),
        findings=result.known_table("findings", Findings),
        is_balanced=result.manifest.get("is_balanced") is True,
    )
