"""One side of a comparison: each capture, or saved analysis, is one repetition of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from phonehome.analyzer.analysis import Progress, analyze
from phonehome.analyzer.claims.tables import tables_in, tables_of
from phonehome.analyzer.comparison.from_folder import saved
from phonehome.analyzer.comparison.repetition import Observed, sent, spans, traits
from phonehome.analyzer.comparison.version_labels import Label, Told, label, told
from phonehome.analyzer.findings.table import statements
from phonehome.analyzer.kinds.comparison import NO_TIMELINE_GIVEN, NOTE, NOTE_OF
from phonehome.analyzer.kinds.run import LEFT_OUT, NO_TIMELINE
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.result_folder import saved_folder, sha256
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    ALL_STATES,
    STATES,
    Analysis,
    ComparedDatabases,
    Exposures,
    Repetitions,
)
from phonehome.analyzer.tables.glance import files as files_of
from phonehome.captures import (
    STANDARD_INPUT,
    CaptureError,
    FoundCaptures,
    LeftOut,
    capture_names,
    find_captures,
    path_text,
)
from phonehome.captures.tables import Captures

COMPRESSED = (".gz", ".zst", ".zstd", ".lz4")
TIMELINE = "{}.timeline.csv"


@dataclass(frozen=True, kw_only=True)
class Side:
    """What was observed on one side.

    Attributes:
        side: `base` or `new`.
        label: what it is called.
        label_source: who says so.
        told: versions that its traffic tells of.
        repetitions: its repetitions.
        exposures: for how long each of them observed each state.
        spans: the same, also per label of a phase: repetition, state, label (null: all of the
            state), exposure.
        sent: bytes uploaded and flows per repetition, state, label (as in `spans`) and what
            `observed.REMOTE` names.
        traits: what each host was like, per repetition: key, trait, value.
        places: what is known of each remote address.
        databases: what placed them.
        observed: the analyses of its repetitions, in order.
        captures: all captures.
        settings: what was asked for.
        notes: sentences on what the runs could not do.
        is_balanced: the ledgers' identities hold.
        left_out: what its folders hold that cannot be read.
    """

    side: str
    label: str
    label_source: str
    told: tuple[Told, ...]
    repetitions: dy.DataFrame[Repetitions]
    exposures: dy.DataFrame[Exposures]
    spans: pl.DataFrame
    sent: pl.DataFrame
    traits: pl.DataFrame
    places: pl.DataFrame
    databases: dy.DataFrame[ComparedDatabases]
    observed: tuple[Observed, ...]
    captures: dy.DataFrame[Captures]
    settings: Settings
    notes: tuple[Statement, ...]
    is_balanced: bool
    left_out: tuple[LeftOut, ...] = ()


def timeline_beside(capture: Path) -> Path | None:
    """The timeline that lies beside a capture by convention; None: there is none.

    `rep1.timeline.csv` is that of `rep1.pcap`, of `rep1.pcapng` and of `rep1.pcap.gz`.
    """
    if str(capture) == STANDARD_INPUT:
        return None
    name = capture.name
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    timeline = capture.with_name(TIMELINE.format(Path(name).stem))
    return timeline if timeline.is_file() else None


def observe(
    side: str,
    given: Sequence[str | Path | Analysis],
    settings: Settings,
    *,
    progress: Progress | None = None,
) -> Side:
    """One side, every capture of it analysed by itself.

    Args:
        side: `base` or `new`.
        given: captures, directories of captures, patterns, folders that `analyze` wrote, or
            analyses, each of which is one repetition; they come first.
        settings: what the user asked for. Without timelines, that beside each capture is taken.
        progress: called now and then while captures are read.

    Raises:
        CaptureError: a path cannot be read, or nothing in it is a phone's.
        GeoError: a database or an address cannot be used.
        TimelineError: a timeline cannot be used.
    """
    paths = [one for one in given if not isinstance(one, Analysis)]
    made = [one for one in given if isinstance(one, Analysis)]
    names_given = [*map(files_of, made), *paths]
    found, captures = _found(paths)
    left_out = list(captures.left_out)
    files = captures.files
    names = dict(zip(files, capture_names(files), strict=True))
    sizes = {file: file.stat().st_size if file.is_file() else 0 for file in files}
    observed = [_of_analysis(one) for one in made]
    for path, is_saved in found.items():
        if is_saved:
            observed.append(replace(saved(path), claimed=partial(tables_in, path)))
            continue
        before = sum(sizes[file] for file in files[: files.index(path)])
        report = _shifted(progress, before, sum(sizes.values())) if progress else None
        try:
            observed.append(_analysed(path, names[path], settings, report))
        except CaptureError as error:
            if path not in captures.of_folders:
                raise
            left_out.append(LeftOut(path, str(error).removeprefix(f"{path}: ")))
    if not any(part.phones["is_phone"].any() for part in observed):
        raise CaptureError(
            f"{', '.join(map(str, names_given))}: no address behaves like a phone, so there is "
            "nothing to compare: name it with --phone"
        )
    called = label(names_given, observed, settings.version, settings.app)
    lost = (LEFT_OUT(capture=path_text(each.path), reason=each.reason) for each in left_out)
    told = (NOTE(side=side, note=note) for note in lost)
    whole = side_of(side, called, observed, settings)
    return replace(whole, notes=(*told, *whole.notes), left_out=tuple(left_out))


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)


def _found(paths: Sequence[str | Path]) -> tuple[dict[Path, bool], FoundCaptures]:
    """Captures and saved analyses, each once, and whether it is a saved one; and the captures."""
    found: dict[Path, bool] = {}
    captures = FoundCaptures([], [])
    for named in paths:
        folder = saved_folder(Path(named))
        if folder:
            found[folder] = True
            continue
        below = find_captures([named])
        found.update(dict.fromkeys(below.files, False))
        captures = FoundCaptures(
            [path for path, is_saved in found.items() if not is_saved],
            [*captures.left_out, *below.left_out],
            captures.of_folders | below.of_folders,
        )
    return found, captures


def _analysed(file: Path, name: str, settings: Settings, progress: Progress | None) -> Observed:
    beside = None if settings.timelines else timeline_beside(file)
    timelines = (beside,) if beside else settings.timelines
    result = analyze([file], replace(settings, timelines=timelines), progress=progress)
    source = "beside" if beside else "given" if timelines else None
    return as_observed(name, result, timelines, source)


def _of_analysis(made: Analysis) -> Observed:
    """An analysis that a caller has at hand, as one repetition."""
    timelines = made.settings.timelines
    return as_observed(files_of(made), made, timelines, "given" if timelines else None)


def as_observed(
    name: str, result: Analysis, timelines: tuple[Path, ...] = (), source: str | None = None
) -> Observed:
    """An analysis as one repetition, under a name; `source` as `Observed.timeline_source`."""
    return Observed(
        name=name,
        is_saved=False,
        timelines=timelines,
        timeline_source=source,
        settings=result.settings,
        captures=result.captures,
        phones=result.phones,
        phases=result.phases,
        flows=result.flows,
        flow_phases=result.flow_phases,
        uploads=result.uploads,
        places=result.places,
        beacons=result.beacons,
        requests=result.requests,
        databases=result.databases,
        notes=result.notes,
        findings=result.findings,
        is_balanced=result.summary.is_balanced,
        claimed=partial(tables_of, result),
    )


def side_of(side: str, called: Label, observed: Sequence[Observed], settings: Settings) -> Side:
    """One side of repetitions that were analysed already, in this order.

    Args:
        side: `base` or `new`.
        called: its label.
        observed: its repetitions.
        settings: what was asked for.
    """
    numbered = list(enumerate(observed, start=1))
    went = _numbered([sent(part, settings.app) for part in observed])
    observed_spans = _numbered([spans(part) for part in observed])
    exposures = _exposures(side, observed_spans, went)
    return Side(
        side=side,
        label=called.text,
        label_source=called.source,
        told=told(observed, settings.app),
        repetitions=Repetitions.validate(
            pl.DataFrame(
                [_repetition(side, number, part) for number, part in numbered],
                schema=Repetitions.create_empty().drop("up_unique_bytes").schema,
            )
            .join(_whole(exposures), on="repetition", maintain_order="left")
            .select(Repetitions.column_names())
        ),
        exposures=exposures,
        spans=observed_spans,
        sent=went,
        traits=_numbered([traits(part, settings.app) for part in observed]),
        places=pl.concat(
            [
                part.places.select("address", "country", "asn", "opinions", "verdict", "reason")
                for part in observed
            ]
        ).unique("address", keep="first", maintain_order=True),
        databases=_databases(side, observed),
        observed=tuple(observed),
        captures=Captures.validate(
            pl.concat(
                [
                    part.captures
                    if part.is_saved
                    else part.captures.with_columns(pl.lit(part.name).alias("capture"))
                    for part in observed
                ]
            )
        ),
        settings=settings,
        notes=_notes(side, observed),
        is_balanced=all(part.is_balanced for part in observed),
    )


def _numbered(tables: list[pl.DataFrame]) -> pl.DataFrame:
    """The tables of all repetitions, with the number of each."""
    return pl.concat(
        [
            table.with_columns(pl.lit(number, dtype=pl.Int64).alias("repetition"))
            for number, table in enumerate(tables, start=1)
        ]
    )


def _repetition(side: str, number: int, part: Observed) -> dict[str, Any]:
    captures = part.captures
    is_phone = part.phones.filter("is_phone")
    return {
        "side": side,
        "repetition": number,
        "name": part.name,
        "is_saved": part.is_saved,
        "captures": captures.height,
        "sha256": captures["sha256"].to_list(),
        "timelines": [path_text(path.name) for path in part.timelines],
        "timelines_sha256": [] if part.is_saved else [sha256(path) for path in part.timelines],
        "timeline_source": part.timeline_source,
        "phone_addresses": is_phone["address"].unique().sort().to_list(),
        "packets": captures["packets"].sum(),
        "first_time": captures["first_time"].min(),
        "last_time": captures["last_time"].max(),
        "is_damaged": bool(captures["damage"].is_not_null().any()),
    }


def _whole(exposures: pl.DataFrame) -> pl.DataFrame:
    """Bytes uploaded in each repetition."""
    return exposures.filter(pl.col("state") == ALL_STATES).select("repetition", "up_unique_bytes")


def _exposures(side: str, observed: pl.DataFrame, went: pl.DataFrame) -> dy.DataFrame[Exposures]:
    """A row per repetition and state, and one for all, 0 where nothing was observed."""
    uploaded = (
        went.filter(pl.col("label").is_null())
        .group_by("repetition", "state")
        .agg(pl.col("up_unique_bytes").sum())
    )
    order = pl.col("state").replace_strict([ALL_STATES, *STATES], range(1 + len(STATES)))
    table = (
        observed.filter(pl.col("label").is_null())
        .join(uploaded, on=["repetition", "state"], how="left")
        .with_columns(pl.lit(side).alias("side"), pl.col("up_unique_bytes").fill_null(0))
        .sort("repetition", order)
    )
    return Exposures.validate(table.select(Exposures.column_names()))


def _notes(side: str, observed: Sequence[Observed]) -> tuple[Statement, ...]:
    """Each note once, with the repetitions that it is about where it is not about all."""
    about: dict[str, list[str]] = {}
    made: dict[str, Statement] = {}
    for part in observed:
        made |= statements(part.findings)
        for note in part.notes:
            about.setdefault(note, []).append(part.name)
    return tuple(
        NOTE(side=side, note=_of_side(side, made.get(note, note)))
        if len(names) == len(observed) or note.startswith(names[0])
        else NOTE_OF(side=side, captures=names, note=_of_side(side, made.get(note, note)))
        for note, names in about.items()
    )


def _of_side(side: str, note: str) -> str:
    """The note with the option of a side where it names one of a single analysis."""
    return NO_TIMELINE_GIVEN(option=side) if note == NO_TIMELINE.template else note


def _databases(side: str, observed: Sequence[Observed]) -> dy.DataFrame[ComparedDatabases]:
    table = pl.concat([part.databases for part in observed]).with_columns(
        pl.lit(side).alias("side")
    )
    return ComparedDatabases.validate(
        table.select(ComparedDatabases.column_names())
        .unique(["sha256", "name"], keep="first", maintain_order=True)
        .sort("position", "name", "sha256")
    )
