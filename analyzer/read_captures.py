"""Every capture of a run: read, the phone found once over all of them, and each seen from it.

Reading is pure, so captures could be read by many processes; who the phone is, is decided
between reading and seeing, and nothing after that asks again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl

from phonehome import geo
from phonehome.analyzer.clock.second_pass import second_look, unmoved
from phonehome.analyzer.content.opaque_values import Values
from phonehome.analyzer.flows.phone_address import phone_addresses
from phonehome.analyzer.kinds.run import READ_ONCE, SAME_FILE
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.one_capture import PhoneCapture, see
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.side_files import SideFiles
from phonehome.analyzer.timeline.phases import edges_of
from phonehome.analyzer.timeline.sources import PhoneStates
from phonehome.captures import (
    STANDARD_INPUT,
    CaptureError,
    CaptureTables,
    Digests,
    FoundCaptures,
    LeftOut,
    ReadOptions,
    capture_names,
    read_capture,
)

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


@dataclass(frozen=True, kw_only=True)
class _File:
    """A capture that was read once.

    Attributes:
        path: where it is.
        name: what it is called.
        tables: what it holds.
        report: called with the bytes read of it.
    """

    path: Path
    name: str
    tables: CaptureTables
    report: Callable[[int], None] | None


@dataclass(frozen=True, kw_only=True)
class SeenCaptures:
    """All captures of a run, seen from the phone.

    Attributes:
        parts: the captures, in the order in which they were given; of the same bytes one.
        repeated: sentences on captures that hold the same bytes as one before.
        left_out: what was found and cannot be read.
    """

    parts: list[PhoneCapture]
    repeated: list[Statement]
    left_out: list[LeftOut]


def read_captures(
    found: FoundCaptures,
    settings: Settings,
    beside: SideFiles,
    *,
    progress: Progress | None,
    digests: Digests | None,
) -> SeenCaptures:
    """These captures seen from the phone.

    A capture that nobody named, but a folder that it is in, is left out where it cannot be read.

    Args:
        found: what was named, and what it stands for.
        settings: what the user asked for.
        beside: what is known beside the captures.
        progress: called now and then while captures are read.
        digests: digests of the files that may have been begun already.

    Raises:
        CaptureError: a file is no capture, or none of them holds a packet.
        TimelineError: the captures are too far apart for a log without years.
    """
    options = ReadOptions(
        limits=settings.limits,
        keys=beside.keys,
        identifiers=beside.known.identifiers,
        edges_of=partial(edges_of, beside.states),
        values_of=Values,
    )
    read, left_out = _read(found, options, progress, digests)
    read, repeated = _each_once(read)
    beside.states.refuse_years(file.tables.span[0] for file in read if file.tables.span)
    if not sum(file.tables.packets for file in read):
        raise CaptureError(f"{', '.join(map(str, found.files))}: no packet to analyse")
    scopes = _scopes([file.tables for file in read])
    phones = phone_addresses([(file.name, file.tables) for file in read], scopes, settings.phones)

    def seen(file: _File, tables: CaptureTables, states: PhoneStates) -> PhoneCapture:
        return see(file.name, tables, phones, scopes, states, beside, settings)

    return SeenCaptures(
        parts=[_seen(file, seen, options, settings, beside.states) for file in read],
        repeated=repeated,
        left_out=[*found.left_out, *left_out],
    )


def _read(
    found: FoundCaptures,
    options: ReadOptions,
    progress: Progress | None,
    digests: Digests | None,
) -> tuple[list[_File], list[LeftOut]]:
    """The captures, read once, and those that cannot be."""
    names = capture_names(found.files)
    read: list[_File] = []
    left_out: list[LeftOut] = []
    for path, name, report in zip(found.files, names, _reports(found.files, progress), strict=True):
        try:
            tables = read_capture(path, options, digests=digests, report=report)
        except CaptureError as error:
            if path not in found.of_folders:
                raise
            left_out.append(LeftOut(path, str(error).removeprefix(f"{path}: ")))
        else:
            read.append(_File(path=path, name=name, tables=tables, report=report))
    if not read:
        raise CaptureError("; ".join(f"{each.path}: {each.reason}" for each in left_out))
    return read, left_out


def _seen(
    file: _File,
    seen: Callable[[_File, CaptureTables, PhoneStates], PhoneCapture],
    options: ReadOptions,
    settings: Settings,
    states: PhoneStates,
) -> PhoneCapture:
    """A capture seen from the phone; read and seen again where it knows its phases better."""
    part = seen(file, file.tables, states)
    look = second_look(
        file.name,
        file.tables,
        states,
        settings,
        flows=part.flows,
        contacts=part.contacts,
        names=part.names,
    )
    if look.timeline is None:
        return replace(part, estimates=tuple(look.estimates))
    if str(file.path) == STANDARD_INPUT:
        return replace(part, estimates=tuple(unmoved(look.estimates)), remarks=(READ_ONCE(),))
    part = seen(file, _read_again(file, options, look.timeline), look.timeline)
    return replace(part, estimates=tuple(look.estimates))


def _read_again(file: _File, options: ReadOptions, states: PhoneStates) -> CaptureTables:
    """The tables of a capture with its sums kept apart by better states; all else stands."""
    wanted = ReadOptions(limits=options.limits, edges_of=partial(edges_of, states))
    sums = read_capture(file.path, wanted, report=file.report).sums
    return replace(file.tables, sums=sums)


def _scopes(captures: Sequence[CaptureTables]) -> dict[str, str]:
    """The scope of every address in the captures."""
    ends = [of.conversations[end] for of in captures for end in ("a_address", "b_address")]
    return {address: geo.scope(address) for address in pl.concat(ends).unique()}


def _each_once(read: list[_File]) -> tuple[list[_File], list[Statement]]:
    """The captures without those that hold the same bytes as one before; and what was left out."""
    known: dict[str, str] = {}
    kept: list[_File] = []
    repeated: list[Statement] = []
    for file in read:
        digest = file.tables.sha256
        if digest in known:
            repeated.append(SAME_FILE(capture=file.name, other=known[digest]))
        else:
            known[digest] = file.name
            kept.append(file)
    return kept, repeated


def _reports(files: list[Path], progress: Progress | None) -> list[Callable[[int], None] | None]:
    """Per file what tells the progress of all, from the bytes read of it."""
    if progress is None:
        return [None] * len(files)
    sizes = [0 if str(file) == STANDARD_INPUT else _size(file) for file in files]
    done = [sum(sizes[:place]) for place in range(len(sizes))]
    return [partial(_tell, progress, before, sum(sizes)) for before in done]


def _tell(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
