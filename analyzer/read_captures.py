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
from phonehome.analyzer.findings.run import READ_ONCE, SAME_FILE
from phonehome.analyzer.flows.phone_address import phone_addresses
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


def read_captures(
    files: list[Path],
    settings: Settings,
    beside: SideFiles,
    *,
    progress: Progress | None,
    digests: Digests | None,
) -> tuple[list[PhoneCapture], list[str]]:
    """These captures seen from the phone, and a sentence for each that repeats another.

    Args:
        files: capture files; `-`: standard input.
        settings: what the user asked for.
        beside: what is known beside them.
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
    given = zip(files, capture_names(files), _reports(files, progress), strict=True)
    read, repeated = _each_once(
        [
            _File(
                path=path,
                name=name,
                tables=read_capture(path, options, digests=digests, report=report),
                report=report,
            )
            for path, name, report in given
        ]
    )
    beside.states.refuse_years(file.tables.span[0] for file in read if file.tables.span)
    if not sum(file.tables.packets for file in read):
        raise CaptureError(f"{', '.join(map(str, files))}: no packet to analyse")
    scopes = _scopes([file.tables for file in read])
    phones = phone_addresses([(file.name, file.tables) for file in read], scopes, settings.phones)

    def seen(file: _File, tables: CaptureTables, states: PhoneStates) -> PhoneCapture:
        return see(file.name, tables, phones, scopes, states, beside, settings)

    return [_seen(file, seen, options, settings, beside.states) for file in read], repeated


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
        return replace(part, estimates=tuple(unmoved(look.estimates)), remarks=(READ_ONCE,))
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


def _each_once(read: list[_File]) -> tuple[list[_File], list[str]]:
    """The captures without those that hold the same bytes as one before; and what was left out."""
    known: dict[str, str] = {}
    kept, repeated = [], []
    for file in read:
        name = known.setdefault(file.tables.sha256, file.name)
        if name is file.name:
            kept.append(file)
        else:
            repeated.append(SAME_FILE.format(file.name, name))
    return kept, repeated


def _reports(files: list[Path], progress: Progress | None) -> list[Callable[[int], None] | None]:
    """Per file what tells the progress of all, from the bytes read of it."""
    if progress is None:
        return [None] * len(files)
    sizes = [0 if str(file) == STANDARD_INPUT else _size(file) for file in files]
    befores = [sum(sizes[:place]) for place in range(len(sizes))]
    return [partial(_tell, progress, before, sum(sizes)) for before in befores]


def _tell(progress: Progress, before: int, total: int, done: int) -> None:
    progress(before + done, total)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
