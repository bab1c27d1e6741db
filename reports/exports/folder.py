"""The folder of results: written beside its place, then renamed in one step, or not at all."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from glob import escape
from pathlib import Path
from tempfile import mkdtemp
from typing import Final, Protocol, TypeVar

from phonehome.analyzer.tables import Analysis
from phonehome.captures.files.read_ahead import ahead
from phonehome.errors import NOT_WRITTEN, PhonehomeError
from phonehome.reports.exports import manifest as manifest_file
from phonehome.reports.exports import to_json, to_tables
from phonehome.reports.exports.manifest import Output
from phonehome.reports.exports.rename import exchange, rename_new
from phonehome.reports.page import markdown

FORMATS: Final = ("html", "md", "json", "csv", "parquet")
MANIFEST: Final = "manifest.json"
EXISTS: Final = "already exists; use --force to replace it or -o for another folder"
BEFORE: Final = ".before-"
"""Behind the name of an earlier result, while it is being replaced and the system cannot swap."""
PIECES_AHEAD: Final = 2  # made while those before them are hashed and written

Content = Callable[[], Iterator[bytes]]
Manifest = Callable[[list[Output]], bytes]


class Private(Protocol):
    """What may hold values that were to be revealed to the user alone."""

    @property
    def is_private(self) -> bool:
        """Nobody but the user may read what is written of it."""
        ...


Made = TypeVar("Made", bound=Private, contravariant=True)  # noqa: PLC0105 - for both of its uses


class ManifestOf(Protocol[Made]):
    """Makes the manifest of what was made, once its files are written."""

    def __call__(self, made: Made, /, outputs: list[Output], *, started: datetime) -> bytes:
        """The content of `manifest.json`."""
        ...


class OutputExists(PhonehomeError):  # noqa: N818  # named for what is the case, as FileExistsError is
    """The folder of results is there already, or holds what phonehome did not write."""


class FormatError(PhonehomeError):
    """What a result shall be written as is no format."""


class WriteError(PhonehomeError, OSError):
    """The results could not be written; nothing partial is left behind."""

    exit_code = NOT_WRITTEN


def write(
    analysis: Analysis,
    folder: str | Path,
    *,
    formats: str | Iterable[str] = "html",
    force: bool = False,
    started: datetime | None = None,
) -> list[Path]:
    """The files of one run, in `folder`, the manifest last.

    They are written into a new folder beside it, which then takes its name. Files are not
    forced to the disk: after a power cut the folder may be missing, or its files empty.

    Args:
        analysis: what to write.
        folder: where; missing parents are made.
        formats: those of `FORMATS` that are wanted, in a list or with commas between them;
            `manifest.json` comes always. What `load` shall read needs parquet or json.
        force: replace an earlier result. A folder that holds anything that its manifest does
            not list is never replaced.
        started: when the run began, for the manifest; None: now.

    Raises:
        FormatError: a format is none of `FORMATS`.
        OutputExists: `folder` is there, and may not be replaced.
        WriteError: the system refused; the message names the path and the cause.
    """
    begun = started or datetime.now(UTC)

    def manifest(outputs: list[Output]) -> bytes:
        finished = datetime.now(UTC)
        return manifest_file.manifest(analysis, outputs, started=begun, finished=finished)

    return write_folder(
        contents(analysis, wanted_formats(formats)),
        Path(folder),
        manifest=manifest,
        force=force,
        is_private=analysis.settings.is_revealed,
    )


def wanted_formats(
    formats: str | Iterable[str], known: tuple[str, ...] = FORMATS
) -> frozenset[str]:
    """Formats that are written in a list, or with commas between them.

    Raises:
        FormatError: one is none of those that are known, or there is none.
    """
    named = formats.split(",") if isinstance(formats, str) else formats
    wanted = frozenset(name.strip() for name in named if name.strip())
    if not wanted or wanted - set(known):
        raise FormatError(f"formats: {','.join(known)} expected, {formats!r} found")
    return wanted


def write_made(  # noqa: PLR0913 - two for the kind, the rest as in `write`
    contents_of: Callable[[Made, frozenset[str]], dict[str, Content]],
    manifest_of: ManifestOf[Made],
    made: Made,
    folder: Path,
    *,
    formats: frozenset[str],
    force: bool,
    started: datetime,
) -> list[Path]:
    """The files of what was made, in `folder`, the manifest last; all of them, or none.

    Raises:
        OutputExists: `folder` is there, and may not be replaced.
        WriteError: the system refused; the message names the path and the cause.
    """
    return write_folder(
        contents_of(made, formats),
        folder,
        manifest=lambda outputs: manifest_of(made, outputs, started=started),
        force=force,
        is_private=made.is_private,
    )


def write_folder(
    files: dict[str, Content],
    folder: Path,
    *,
    manifest: Manifest,
    force: bool,
    is_private: bool = False,
) -> list[Path]:
    """These files in `folder`, and last the manifest; all of them, or none.

    Args:
        files: what goes into each, by name.
        folder: where they shall be.
        manifest: makes the content of the manifest.
        force: an earlier result is replaced.
        is_private: nobody but the user may read them.

    Raises:
        OutputExists: `folder` is there, and may not be replaced.
        WriteError: the system refused; the message names the path and the cause.
    """
    refuse_existing(folder, force=force)
    target = folder.resolve()
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(mkdtemp(prefix=f".{target.name[:200]}.", dir=target.parent))
        try:
            names = _fill(beside / "new", files, manifest, is_private=is_private)
            _take_the_name(beside / "new", folder, target, force=force)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        _remove_empty(made)
        raise WriteError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return [folder / name for name in names]


def contents(analysis: Analysis, formats: frozenset[str]) -> dict[str, Content]:
    """What goes into each file of the result, by file name; nothing is made before it is called."""
    files: dict[str, Content] = {}
    if "html" in formats:
        files["report.html"] = partial(_page, analysis)
    if "md" in formats:
        files["report.md"] = partial(markdown.report, analysis)
    if "json" in formats:
        files["analysis.json"] = partial(to_json.analysis_json, analysis)
    for name, table in to_json.exported(analysis).items():
        if "parquet" in formats:
            files[f"{name}.parquet"] = partial(to_tables.parquet, table)
        if "csv" in formats:
            files[f"{name}.csv"] = partial(to_tables.csv, table)
    return files


def _page(analysis: Analysis) -> Iterator[bytes]:
    from phonehome.reports.page import report  # noqa: PLC0415  # jinja2 costs 45 ms, which only the page shall pay

    return report.page(analysis)


def _fill(
    new: Path, files: dict[str, Content], manifest: Manifest, *, is_private: bool
) -> list[str]:
    new.mkdir(mode=0o700 if is_private else 0o777)
    outputs = [_write_file(new, *file, is_private=is_private) for file in files.items()]
    content = manifest(outputs)
    _write_file(new, MANIFEST, lambda: iter([content]), is_private=is_private)
    return [*(output.file for output in outputs), MANIFEST]


def _write_file(folder: Path, name: str, content: Content, *, is_private: bool) -> Output:
    digest = hashlib.sha256()
    size = 0
    with (folder / name).open("xb") as file:
        if is_private:
            os.fchmod(file.fileno(), 0o600)
        for piece in ahead(content(), PIECES_AHEAD):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return Output(name, digest.hexdigest(), size)


def _take_the_name(new: Path, folder: Path, target: Path, *, force: bool) -> None:
    """Let the folder `new` become `target`; an earlier result there is then `new`, or gone.

    Between the two there is no moment in which neither of them has the name; where the system
    knows no exchange, the earlier result has the name `.before-…` for that moment, for all to see.

    Raises:
        OutputExists: something came there meanwhile that may not be replaced.
        OSError: the system refused.
    """
    if not force or not target.exists():
        try:
            rename_new(new, target)
        except FileExistsError:
            raise OutputExists(f"{folder}: {EXISTS}") from None
        return
    _refuse(folder, target, force=True)
    if exchange(new, target):
        try:
            _refuse(folder, new, force=True)  # what was exchanged, not what was looked at before
        except BaseException:
            exchange(new, target)
            raise
        return
    before = target.with_name(f"{target.name}{BEFORE}{new.parent.name[-8:]}")
    rename_new(target, before)
    try:
        _refuse(folder, before, force=True)
        rename_new(new, target)
    except BaseException:
        rename_new(before, target)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _remove_empty(made: list[Path]) -> None:
    for parent in made:
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def refuse_existing(folder: Path, *, force: bool) -> None:
    """Raise what writing into this folder would raise already now, before long work is done.

    Raises:
        OutputExists: `folder` is there, and may not be replaced.
        WriteError: the system does not say what is there.
    """
    try:
        target = folder.resolve()
        if target.exists():
            _refuse(folder, target, force=force)
        for before in sorted(target.parent.glob(f"{escape(target.name)}{BEFORE}*")):
            raise OutputExists(
                f"{folder}: a run that was killed while it replaced this folder left the earlier "
                f"result in {before}: keep it under another name, or remove it"
            )
    except (OSError, RuntimeError) as error:  # a loop of symbolic links is a RuntimeError
        cause = getattr(error, "strerror", None) or error
        raise WriteError(f"{folder}: cannot be written: {cause}") from error


def _refuse(folder: Path, target: Path, *, force: bool) -> None:
    if not target.is_dir():
        raise OutputExists(f"{folder}: expected a folder or nothing, got a file")
    if not force:
        raise OutputExists(f"{folder}: {EXISTS}")
    strangers = sorted({entry.name for entry in target.iterdir()} - _own_files(target))
    if strangers:
        raise OutputExists(
            f"{folder}: expected only files that its {MANIFEST} lists, got {strangers[0]}; "
            "it is not replaced"
        )


def _own_files(target: Path) -> set[str]:
    """The names that the manifest in `target` lists, and its own; none where it cannot be read."""
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
        return {MANIFEST, *(output["file"] for output in manifest["outputs"])}
    except (OSError, ValueError, TypeError, LookupError):
        return set()


def write_private(path: Path, text: str) -> None:
    """A new file with this text, which nobody but the user may read.

    Raises:
        OutputExists: there is something of that name.
        WriteError: the system refused; the message names the path and the cause.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputExists(f"{path}: expected no such file, got one") from error
    except OSError as error:
        raise WriteError(f"{path}: cannot be written: {error.strerror or error}") from error
