"""What a reader must know of the input: how often, what it does to the numbers, what helps."""

from dataclasses import dataclass
from typing import Final

from analyzer.quality import quality_counts
from analyzer.tables import Analysis


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
        "Bytes that could not be read",
        "What lies behind the damage is in no number.",
        "Copy the file again from where it was made; a file that is still being written ends so.",
    ),
    "link_type_unknown": (
        "Packets of a link type that is not known",
        "They count as “non-IP”: no flow, no upload.",
        "If it is missing, install the extra “dissect”: scapy is then asked about them.",
    ),
    "gap_bytes": (
        "Bytes missing inside TCP streams",
        "The capture missed packets: uploads are lower bounds.",
        "Capture with a larger buffer, or on a less busy machine.",
    ),
    "dropped_packets": (
        "Packets that the file says were lost",
        "They are in no number: totals are lower bounds.",
        "Capture with a larger buffer, or on a less busy machine.",
    ),
    "duplicate": (
        "Packets met on a second interface",
        "Counted once; the copies stand in the ledger as “duplicate”.",
        "Nothing; capture on one interface to avoid them.",
    ),
    "giant_packets": (
        "Packets longer than a link carries (1,500 bytes of IP)",
        (
            "Segmentation offload, or a tunnel, joined several: packets are fewer and bytes on the "
            "wire less than on the air. Payload is exact."
        ),
        "Compare payload, not packets; switch offload off to count packets.",
    ),
    "ip_length_zero": (
        "Packets with an IP length of zero",
        "Segmentation offload left the length open; it is taken from the frame.",
        "Nothing; switch offload off to avoid them.",
    ),
    "tool_bytes": (
        "Bytes that the capture tool added to packets",
        "Taken off every count; other programs count them as sent.",
        "Nothing.",
    ),
    "bare": (
        "Packets without a link header, or from an app that captures through a VPN",
        (
            "If a VPN app made the capture, IP and TCP headers are its own and handshakes local: "
            "packets, round trips and retransmissions then say little. Payload is the apps'."
        ),
        "Capture on the router or as root for what is on the air.",
    ),
    "host_times": (
        "Packets whose time a computer beside the phone made",
        "Times include the way to that computer, and follow its clock: short phases are unsure.",
        "Compare its clock with the phone's before and after.",
    ),
    "backward_steps": (
        "Times that run back",
        "Counted as they stand; first and last time are the earliest and latest.",
        "Nothing, if they are few; else order the capture by time.",
    ),
    "time_far_off": (
        "Times that cannot be right",
        "Left out of spans and rates; the bytes count.",
        "Set the clock before capturing.",
    ),
    "timeless": (
        "Packets of captures without any time",
        "They are in no phase; rates and exposure are unknown.",
        "Capture to a format with time stamps.",
    ),
    "snapped_packets": (
        "Packets cut by a snap length",
        (
            "Byte counts follow the length fields and are exact; names in the part that was cut "
            "are missing."
        ),
        "Capture whole packets.",
    ),
    "marked_again_new_packets": (
        "Packets that the phone marks as sent again, with payload that is not there before",
        "Their payload counts as uploaded, once.",
        "Nothing: the capture began later, or missed the first sending.",
    ),
}


_LOSSES: Final = Quality(
    "Packets lost in captures that do not record losses",
    None,
    "Totals are lower bounds.",
    "Capture to pcapng, whose statistics record losses.",
    is_special=False,
)


def quality(analysis: Analysis) -> list[Quality]:
    """All there is to know, what changes totals most first.

    What comes last says nothing special: losses that nobody recorded, and check sums.
    """
    counts = quality_counts(analysis)
    rows = [
        Quality(found, counts[key], effect, advice)
        for key, (found, effect, advice) in _SENTENCES.items()
        if counts[key]
    ]
    unverified = Quality(
        "Packets whose check sums were not verified",
        int(analysis.captures["packets"].sum()),
        "A packet that was damaged on its way counts like any other; phones leave check sums "
        "to hardware, so that captures hold wrong ones of sound packets.",
        "Nothing.",
        is_special=False,
    )
    return [*rows, *([_LOSSES] if counts["silent"] else []), unverified]
