"""What a capture itself says of phases: known only once it was read, so it is then read again.

Three things can be: comments of packets that mark phases, how far the clock of the timelines is
off, and, where nothing else is known and it is asked for, phases inferred from traffic.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.behaviour.bursts import burst_starts
from phonehome.analyzer.behaviour.busy_and_quiet import BUSY, stretches
from phonehome.analyzer.clock.offset import GIVEN, Estimate, by_bursts, by_hellos
from phonehome.analyzer.clock.offset_by_names import by_names
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import STATES
from phonehome.analyzer.timeline.sources import PhoneStates, Source
from phonehome.analyzer.timeline.spans import INFERRED, Oddity, Span
from phonehome.captures import CaptureTables, Mark
from phonehome.captures.words import SECOND

STATE_OF = {True: "active", False: "idle"}
FEWEST_HELLOS = 3
TOGETHER = 2 * SECOND

Judged = tuple[str, Estimate, bool]
"""Capture, what is known of its timelines' clock, and whether it was applied."""


@dataclass(frozen=True)
class SecondLook:
    """What is known after the first reading.

    Attributes:
        timeline: to read the capture with again; None: the first reading stands.
        estimates: what is known of the clock of the timelines.
    """

    timeline: PhoneStates | None
    estimates: list[Judged]


def second_look(  # noqa: PLR0913 - all that the first reading gave
    name: str,
    tables: CaptureTables,
    states: PhoneStates,
    settings: Settings,
    *,
    flows: pl.DataFrame,
    contacts: pl.DataFrame,
    names: pl.DataFrame,
) -> SecondLook:
    """What the first reading of a capture says of its phases.

    Args:
        name: of the capture.
        tables: what it holds.
        states: timelines of the run, moved by the offset that the user gave.
        settings: what the user asked for.
        flows: conversation, role, is_local_b, remote_address.
        contacts: conversation, is_up, start, last, unique_bytes, first_frame.
        names: name, time of each sighting.
    """
    span, marks = tables.span, tables.marks
    if span is None or not (states.files or marks or settings.infer_phases):
        return SecondLook(None, [])
    of_phone = flows.filter(pl.col("role") == "phone")
    met = contacts.join(
        of_phone.select("conversation", remote=pl.col("remote_address").rank("dense")),
        on="conversation",
    )
    estimates: list[Estimate] = []
    if states.has_clock():
        own = replace(states, offset=0, margin=0).clocked(span[0])
        found = (
            by_hellos(_stated(of_phone, tables.hellos, tables.mmtls_records)),
            by_names(states.met, _times_of(names, states.met)),
            by_bursts(own, burst_starts(met), *span),
        )
        estimates += [estimate for estimate in found if estimate is not None]
    chosen = _chosen(estimates, states) if settings.clock_offset is None else None
    timeline = states
    if chosen is not None and chosen.offset is not None:
        low, high = chosen.low or 0, chosen.high or 0
        margin = max(high - chosen.offset, chosen.offset - low)  # the best need not be the middle
        timeline = replace(timeline, offset=chosen.offset, margin=margin)
    if marks:
        marked = Source(Path(name), *_marked(name, marks, span[1]), is_of_capture=True)
        timeline = replace(timeline, files=(*timeline.files, marked))
    if settings.infer_phases and not timeline.files:
        timeline = replace(timeline, files=(_inferred(met, span),))
    judged = [(name, estimate, estimate is chosen) for estimate in estimates]
    if settings.clock_offset and states.has_clock():
        offset = round(settings.clock_offset * SECOND)
        judged.append((name, Estimate(GIVEN, 0, offset, offset, offset), True))
    return SecondLook(timeline if timeline != states else None, judged)


def unmoved(estimates: list[Judged]) -> list[Judged]:
    """The estimates where none of them could be applied."""
    return [(name, estimate, False) for name, estimate, _ in estimates]


def _stated(
    flows: pl.DataFrame, hellos: pl.DataFrame, mmtls: pl.DataFrame
) -> list[tuple[int, int]]:
    """Times that the phone's hellos state, and when they were seen, ns.

    Hellos of TLS count where several agree: what looks like a time may be chance.
    """
    clients = flows.select("conversation", is_from_b="is_local_b")
    both = pl.col("client_time", "client_time_seen").to_physical()
    own, of_tls = (
        table.join(clients, on=["conversation", "is_from_b"]).select(both).drop_nulls().rows()
        for table in (mmtls, hellos)
    )
    ahead = sorted(stated - seen for stated, seen in of_tls)
    if len(ahead) >= FEWEST_HELLOS:
        middle = ahead[len(ahead) // 2]
        close = [pair for pair in of_tls if abs(pair[0] - pair[1] - middle) <= TOGETHER]
        if len(close) >= max(FEWEST_HELLOS, len(ahead) / 2):
            own += close
    return own


def _times_of(names: pl.DataFrame, met: Sequence[tuple[str, int]]) -> dict[str, NDArray[np.int64]]:
    """When the capture shows each of these names, ns."""
    wanted = names.filter(pl.col("name").is_in(sorted({name for name, _ in met}))).drop_nulls(
        "time"
    )
    by_name = wanted.group_by("name").agg(pl.col("time").to_physical())
    return {name: np.array(times, dtype=np.int64) for name, times in by_name.rows()}


def _chosen(estimates: list[Estimate], states: PhoneStates) -> Estimate | None:
    """The estimate that moves the timelines: of logs the hellos', else of names, else of bursts.

    Where they contradict each other, none.
    """
    known = [
        estimate
        for estimate in estimates
        if estimate.offset is not None and (states.has_log() or estimate.evidence == "bursts")
    ]
    lows, highs = ([getattr(of, end) for of in known] for end in ("low", "high"))
    return known[0] if known and max(lows) <= min(highs) else None


def _marked(name: str, marks: Sequence[Mark], last: int) -> tuple[list[Span], list[Oddity]]:
    """The spans that comments mark, each up to the next one."""
    spans, odd = [], []
    timed: list[tuple[int, Mark]] = []
    for mark in marks:
        if mark.time is None or (timed and mark.time < timed[-1][0]):
            odd.append(Oddity(name, mark.frame, "time_unknown"))
        else:
            timed.append((mark.time, mark))
    ends = [time for time, _ in timed[1:]] + [last + 1]
    for (start, mark), end in zip(timed, ends, strict=True):
        word, _, label = mark.text.partition(" ")
        is_state = word.rstrip(":,") in STATES
        if start < end:
            spans.append(
                Span(
                    start=start,
                    end=end,
                    is_relative=False,
                    state=word.rstrip(":,") if is_state else "unknown",
                    label=(label.strip() or word) if is_state else mark.text,
                    source=f"{name}:{mark.frame}",
                )
            )
    return spans, odd


def _inferred(contacts: pl.DataFrame, span: tuple[int, int]) -> Source:
    """Busy stretches as active, quiet ones as idle."""
    table = stretches(contacts, [(span[0], span[1])])
    spans = [
        Span(
            start=start,
            end=end + (end == span[1]),
            is_relative=False,
            state=STATE_OF[activity == BUSY],
            label=f"{INFERRED}: {activity}",
            source=INFERRED,
        )
        for start, end, activity in table.select(
            pl.col("start", "end").to_physical(), "activity"
        ).rows()
    ]
    return Source(Path(INFERRED), spans, is_of_capture=True)
