"""What a reader must know of the input: how often, what it does to the numbers, what helps."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from analyzer.tables import Analysis

BARE_LINK_TYPES: Final = (12, 14, 101, 228, 229)
"""Link types of packets without a link header: interfaces of tunnels and of VPN apps."""

VPN_SOURCES: Final = ("pcapdroid_trailer", "pcapdroid_comment", "antmonitor")
"""What says which app owns a flow in captures that apps make through Android's VPN interface."""

HOST_SOURCES: Final = ("pymobiledevice3",)
"""The same in captures whose times a computer beside the phone made."""


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
        "Install the extra “dissect”, with which scapy is asked about them.",
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
        "Packets captured inside the phone's VPN or a tunnel interface",
        (
            "IP and TCP headers can be the capture app's own, and answers to handshakes local: "
            "packets, round trips and retransmissions say little. Payload is the app's."
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
        "Packets that the phone marks as sent again, whose first sending is not in the capture",
        "Their payload counts as uploaded, once.",
        "Nothing: the capture began later, or missed the first sending.",
    ),
}


def quality(analysis: Analysis) -> list[Quality]:
    """All there is to know, what changes totals most first.

    The last two are true of every capture: losses that nobody recorded, and check sums.
    """
    counts = _counts(analysis)
    rows = [
        Quality(found, counts[key], effect, advice)
        for key, (found, effect, advice) in _SENTENCES.items()
        if counts[key]
    ]
    return [*rows, *_always(analysis.captures)]


def _counts(analysis: Analysis) -> dict[str, int]:
    """How often each thing was met, by key of `_SENTENCES`."""
    captures, flows = analysis.captures, analysis.flows
    packets = pl.col("up_packets") + pl.col("down_packets")
    summed = (
        "unread_bytes", "gap_bytes", "dropped_packets", "giant_packets", "tool_bytes",
        "backward_steps", "snapped_packets", "marked_again_new_packets",
    )  # fmt: skip
    odd = dict(analysis.oddities.group_by("kind").agg(pl.col("count").sum()).iter_rows())
    is_bare = pl.col("link_types").list.eval(pl.element().is_in(BARE_LINK_TYPES)).list.all()
    bare = captures.filter(is_bare & (pl.col("link_types").list.len() > 0))
    by_app = flows.filter(
        pl.col("app_source").is_in(VPN_SOURCES)
        & ~pl.col("capture").is_in(bare["capture"].to_list())
    )
    ledger = analysis.ledger.filter(pl.col("outcome") == "duplicate")
    return {
        **{name: int(captures[name].sum()) for name in summed},
        **{
            kind: int(odd.get(kind, 0))
            for kind in ("link_type_unknown", "ip_length_zero", "time_far_off")
        },
        "duplicate": int(ledger["packets"].sum()),
        "bare": int(bare["packets"].sum()) + int(by_app.select(packets.sum()).item()),
        "host_times": int(
            flows.filter(pl.col("app_source").is_in(HOST_SOURCES)).select(packets.sum()).item()
        ),
        "timeless": int(captures.filter(pl.col("first_time").is_null())["packets"].sum()),
    }


def _always(captures: pl.DataFrame) -> list[Quality]:
    silent = captures.filter(pl.col("dropped_packets").is_null())
    rows = [
        Quality(
            "Packets whose check sums were not verified",
            int(captures["packets"].sum()),
            "A packet that was damaged on its way counts like any other; phones leave check sums "
            "to hardware, so that captures hold wrong ones of sound packets.",
            "Nothing.",
            is_special=False,
        )
    ]
    if len(silent):
        rows.insert(
            0,
            Quality(
                "Packets lost in captures that do not record losses",
                None,
                "Totals are lower bounds.",
                "Capture to pcapng, whose statistics record losses.",
                is_special=False,
            ),
        )
    return rows
