# Held by tests/test_house.py: the contract: described, and validated in every run.
"""The account that gives each packet one category, and what could not be believed."""

import dataframely as dy

from phonehome.analyzer.tables.columns import count_column

LEDGER_OUTCOMES = (
    "attributed",
    "local",
    "bystander",
    "non_ip",
    "duplicate",
    "malformed",
    "cut",
    "fragment",
    "limit",
)


class Ledger(dy.Schema):
    """One row per capture and outcome: every packet has one outcome, every byte one category.

    In rows with parts, `link_bytes + ip_header_bytes + transport_header_bytes + unique_bytes +
    retransmitted_bytes == wire_bytes`; this is checked on every run.
    """

    capture = dy.String(nullable=False, description="File name of the capture.")
    outcome = dy.String(
        nullable=False, check=lambda word: word.is_in(LEDGER_OUTCOMES), description="Outcome."
    )
    packets = count_column("Packets with that outcome.")
    wire_bytes = count_column("Their bytes on the wire.")
    ip_bytes = dy.Int64(nullable=True, description="Their IP bytes. Null: not read as IP.")
    payload_bytes = dy.Int64(nullable=True, description="Their payload. Null: not read as IP.")
    link_bytes = dy.Int64(
        nullable=True, description="Link header, padding, outer headers of tunnels. Null: as above."
    )
    ip_header_bytes = dy.Int64(nullable=True, description="IP headers. Null: as above.")
    transport_header_bytes = dy.Int64(
        nullable=True, description="TCP, UDP, ICMP headers. Null: as above."
    )
    unique_bytes = dy.Int64(nullable=True, description="Payload first seen. Null: as above.")
    retransmitted_bytes = dy.Int64(nullable=True, description="Payload seen again. Null: as above.")


class Oddities(dy.Schema):
    """One row per thing that could not be read or believed. Sorted by capture, frame, offset."""

    capture = dy.String(nullable=False, description="File name of its capture, or of its timeline.")
    frame = dy.Int64(
        nullable=True,
        description="Frame, from 1; in a timeline the line. Null: not inside a packet.",
    )
    offset = dy.Int64(
        nullable=True, description="Byte in the decompressed file. Null: not at one place."
    )
    layer = dy.String(
        nullable=False, description="file, block, link, network, transport, name, app, timeline."
    )
    kind = dy.String(nullable=False, description="What is odd.")
    needed_bytes = dy.Int64(
        nullable=True,
        description="Bytes it takes; of `link_type_unknown`, the number of that link type. Null: "
        "not about length.",
    )
    got_bytes = dy.Int64(nullable=True, description="Bytes that were there. Null: as above.")
    count = dy.Int64(nullable=False, min=1, description="How many alike this row stands for.")
