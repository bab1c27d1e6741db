"""Contacts of the phone with public remotes: stretches of new payload without a pause."""

import polars as pl

from captures.batches import contacts_table
from captures.sums import Sums

NAME = pl.coalesce("host", "remote_address")
"""What a remote is called where contacts are grouped: its host, else its address."""
OF_FLOW = ("app", "host", "remote_address", "service", "country", "asn", "is_answered")


def contacts_of(sums: Sums) -> pl.DataFrame:
    """All contacts of a capture: conversation, is_from_b, code, start and last (ns), and sums."""
    return contacts_table(sums.contact_rows())


def of_phone(contacts: pl.DataFrame, flows: pl.DataFrame, phases: pl.DataFrame) -> pl.DataFrame:
    """The contacts of the phone's flows, with what is known of flow and phase, in order of time.

    Columns: flow, capture, phase, state, is_up, start and last (ns), unique_bytes, packets,
    first_frame, last_frame, and those of `OF_FLOW`.

    Args:
        contacts: flow, phase, is_up, start, last, unique_bytes, packets, first_ and last_frame.
        flows: all flows.
        phases: all phases.
    """
    wanted = flows.filter(pl.col("role") == "phone").with_columns(
        is_answered=pl.col("down_packets") > 0
    )
    return (
        contacts.join(wanted.select("flow", "capture", *OF_FLOW), on="flow")
        .join(phases.select("phase", "state"), on="phase")
        .sort("capture", "start", "first_frame", "flow", "is_up")
    )
