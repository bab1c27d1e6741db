"""What the packets of a capture add up to, per phase."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.flows.contacts import contacts_of
from phonehome.analyzer.process_memory import give_back
from phonehome.analyzer.timeline.phases import CapturePhases
from phonehome.analyzer.timeline.sources import PhoneStates
from phonehome.captures.decoding.packet_batches import bins_table, others_table, sides_table
from phonehome.captures.decoding.sums import Sums
from phonehome.captures.reading import Reading


@dataclass(frozen=True)
class Tallied:
    """What a capture's packets add up to.

    Attributes:
        sides: one row per conversation, direction and phase code, with sums.
        bins: one row per conversation, direction, phase code and bin of time, with its upload;
            a bin is a multiple of `width` seconds since 1970, null without a time.
        width: seconds per bin.
        outcomes: one row per outcome of packets that belong to no conversation.
        contacts: stretches of new payload without a pause; see `contacts.contacts_of`.
        pause: ns that part two contacts.
        contacts_left_out: contacts for which there was no room.
        phases: the phases that the codes are of.
    """

    sides: pl.DataFrame
    bins: pl.DataFrame
    width: int
    outcomes: pl.DataFrame
    contacts: pl.DataFrame
    pause: int
    contacts_left_out: int
    phases: CapturePhases


def tally(reading: Reading, timeline: PhoneStates, report: Callable[[int], None] | None) -> Tallied:
    """Read a capture to its end, and add its packets up.

    Args:
        reading: a capture of which nothing was read.
        timeline: what is known of the phone's states.
        report: called now and then with the bytes read so far.
    """
    phases = CapturePhases.of(timeline, None)

    def edges_of(first_time: int) -> NDArray[np.int64]:
        nonlocal phases
        phases = CapturePhases.of(timeline, first_time)
        return phases.edges

    sums = Sums(edges_of, reading.limits)
    for _ in reading.added_to(sums):
        if report:
            report(reading.done_bytes)
    give_back()
    bins = bins_table(sums.bins())
    contacts = contacts_of(sums)
    return Tallied(
        sides=sides_table(sums.sides()),
        bins=bins,
        width=sums.width,
        outcomes=others_table(sums.others()),
        contacts=contacts,
        pause=sums.contacts.pause,
        contacts_left_out=sums.contacts.left_out,
        phases=phases,
    )
