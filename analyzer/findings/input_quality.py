# Held by tests/reports/page/test_quality.py: each count beside its sentence.
"""How often was met what a reader must know of the input before its numbers."""

from typing import Final

import polars as pl

from phonehome.analyzer.tables import Analysis
from phonehome.captures.words import BARE_LINK_TYPES

VPN_SOURCES: Final = ("pcapdroid_trailer", "pcapdroid_comment", "antmonitor")
"""What says which app owns a flow in captures that apps make through Android's VPN interface."""

HOST_SOURCES: Final = ("pymobiledevice3",)
"""The same in captures whose times a computer beside the phone made."""

SUMMED: Final = (
    "unread_bytes",
    "gap_bytes",
    "dropped_packets",
    "giant_packets",
    "tool_bytes",
    "backward_steps",
    "snapped_packets",
    "marked_again_new_packets",
)
"""Columns of `captures` that are added up."""

ODD: Final = ("link_type_unknown", "ip_length_zero", "time_far_off")
"""Kinds of oddity that are counted."""


def quality_counts(analysis: Analysis) -> dict[str, int]:
    """Count of each thing, by its name: `SUMMED`, `ODD`, and five more, all in packets.

    `duplicate`: copies met on a second interface; `bare`: of captures without link headers, or of
    apps that capture through a VPN interface; `host_times`: of tools that make times themselves;
    `timeless`: of captures without any time; `silent`: of captures that record no losses.
    """
    captures, flows = analysis.captures, analysis.flows
    kinds = dict(analysis.oddities.group_by("kind").agg(pl.col("count").sum()).iter_rows())
    link_types = pl.col("link_types")
    is_bare = link_types.list.eval(pl.element().is_in(BARE_LINK_TYPES)).list.all()
    bare = captures.filter(is_bare & (link_types.list.len() > 0))
    by_app = flows.filter(~pl.col("capture").is_in(bare["capture"].to_list()))
    duplicates = analysis.ledger.filter(pl.col("outcome") == "duplicate")
    return {
        **{name: int(captures[name].sum()) for name in SUMMED},
        **{kind: int(kinds.get(kind, 0)) for kind in ODD},
        "duplicate": int(duplicates["packets"].sum()),
        "bare": int(bare["packets"].sum()) + _packets_of(by_app, VPN_SOURCES),
        "host_times": _packets_of(flows, HOST_SOURCES),
        "timeless": int(captures.filter(pl.col("first_time").is_null())["packets"].sum()),
        "silent": int(captures.filter(pl.col("dropped_packets").is_null())["packets"].sum()),
    }


def _packets_of(flows: pl.DataFrame, sources: tuple[str, ...]) -> int:
    """Packets of the flows whose app one of these sources names."""
    found = flows.filter(pl.col("app_source").is_in(sources))
    return int(found["up_packets"].sum()) + int(found["down_packets"].sum())
