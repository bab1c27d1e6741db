"""What a reader must know of the input: how often, what it does to the numbers, what helps."""

from dataclasses import dataclass, replace
from typing import Final

from phonehome.analyzer import quality_counts
from phonehome.analyzer.tables import Analysis
from phonehome.reports.words.translate import mark, say


@dataclass(frozen=True)
class Quality:
    """One thing to know of the input.

    Attributes:
        found: what it is.
        count: how often; None: nobody can know.
        effect: what it does to the numbers.
        advice: what the user can do.
        is_special: it is not true of every capture.
    """

    found: str
    count: int | None
    effect: str
    advice: str
    is_special: bool = True


_SENTENCES: Final = {
    "unread_bytes": (
        mark("Bytes that could not be read"),
        mark("What lies behind the damage is in no number."),
        mark(
            "Copy the file again from where it was made; a file that is still being written ends "
            "so."
        ),
    ),
    "link_type_unknown": (
        mark("Packets of a link type that is not known"),
        mark("They count as “non-IP”: no flow, no upload."),
        mark("If it is missing, install the extra “dissect”: scapy is then asked about them."),
    ),
    "gap_bytes": (
        mark("Bytes missing inside TCP streams"),
        mark("The capture missed packets: uploads are lower bounds."),
        mark("Capture with a larger buffer, or on a less busy machine."),
    ),
    "dropped_packets": (
        mark("Packets that the file says were lost"),
        mark("They are in no number: totals are lower bounds."),
        mark("Capture with a larger buffer, or on a less busy machine."),
    ),
    "duplicate": (
        mark("Packets met on a second interface"),
        mark("Counted once; the copies stand in the ledger as “duplicate”."),
        mark("Nothing; capture on one interface to avoid them."),
    ),
    "giant_packets": (
        mark("Packets longer than a link carries (1,500 bytes of IP)"),
        mark(
            "Segmentation offload, or a tunnel, joined several: packets are fewer and bytes on the "
            "wire less than on the air. Payload is exact."
        ),
        mark("Compare payload, not packets; switch offload off to count packets."),
    ),
    "ip_length_zero": (
        mark("Packets with an IP length of zero"),
        mark("Segmentation offload left the length open; it is taken from the frame."),
        mark("Nothing; switch offload off to avoid them."),
    ),
    "tool_bytes": (
        mark("Bytes that the capture tool added to packets"),
        mark("Taken off every count; other programs count them as sent."),
        mark("Nothing."),
    ),
    "bare": (
        mark("Packets without a link header, or from an app that captures through a VPN"),
        mark(
            "If a VPN app made the capture, IP and TCP headers are its own and handshakes local: "
            "packets, round trips and retransmissions then say little. Payload is the apps'."
        ),
        mark("Capture on the router or as root for what is on the air."),
    ),
    "host_times": (
        mark("Packets whose time a computer beside the phone made"),
        mark(
            "Times include the way to that computer, and follow its clock: short phases are unsure."
        ),
        mark("Compare its clock with the phone's before and after."),
    ),
    "backward_steps": (
        mark("Times that run back"),
        mark("Counted as they stand; first and last time are the earliest and latest."),
        mark("Nothing, if they are few; else order the capture by time."),
    ),
    "time_far_off": (
        mark("Times that cannot be right"),
        mark("Left out of spans and rates; the bytes count."),
        mark("Set the clock before capturing."),
    ),
    "timeless": (
        mark("Packets of captures without any time"),
        mark("They are in no phase; rates and exposure are unknown."),
        mark("Capture to a format with time stamps."),
    ),
    "snapped_packets": (
        mark("Packets cut by a snap length"),
        mark(
            "Byte counts follow the length fields and are exact; names in the part that was cut "
            "are missing."
        ),
        mark("Capture whole packets."),
    ),
    "marked_again_new_packets": (
        mark("Packets that the phone marks as sent again, with payload that is not there before"),
        mark("Their payload counts as uploaded, once."),
        mark("Nothing: the capture began later, or missed the first sending."),
    ),
}


_LOSSES: Final = Quality(
    mark("Packets lost in captures that do not record losses"),
    None,
    mark("Totals are lower bounds."),
    mark("Capture to pcapng, whose statistics record losses."),
    is_special=False,
)


def _losses() -> Quality:
    return replace(
        _LOSSES,
        found=say(_LOSSES.found),
        effect=say(_LOSSES.effect),
        advice=say(_LOSSES.advice),
    )


def quality(analysis: Analysis) -> list[Quality]:
    """All there is to know, what changes totals most first.

    What comes last says nothing special: losses that nobody recorded, and check sums.
    """
    counts = quality_counts(analysis)
    rows = [
        Quality(say(found), counts[key], say(effect), say(advice))
        for key, (found, effect, advice) in _SENTENCES.items()
        if counts[key]
    ]
    unverified = Quality(
        say("Packets whose check sums were not verified"),
        int(analysis.captures["packets"].sum()),
        say(
            "A packet that was damaged on its way counts like any other; phones leave check sums "
            "to hardware, so that captures hold wrong ones of sound packets."
        ),
        say("Nothing."),
        is_special=False,
    )
    return [*rows, *([_losses()] if counts["silent"] else []), unverified]
