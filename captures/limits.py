# Held by tests/analyzer/test_analysis.py: values only; they bite there.
"""Bounds on what one capture may cost. Each that bites is counted and shown."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on what one capture may cost.

    Attributes:
        record_bytes: longest packet record that is believed.
        block_bytes: longest pcapng block that is believed.
        decompressed_bytes: most that one compressed file may unfold to.
        decompression_ratio: most it may unfold to, per byte read, after the first MiB.
        conversations: most conversations of one capture; packets of others are only counted.
        open_gaps: most gaps in one direction's sequence space that are kept open; when there are
            more, the older half is closed: bytes that fill those count as seen before.
        stream_bytes: most that is put together of one message, to find names.
        body_bytes: longest body of an HTTP message that is put together.
        names: most name sightings of one capture.
        exchanges: most requests of HTTP of one capture that are kept with their responses.
        dissected_packets: most packets of one capture that are given to scapy, which is slow.
        opening_seconds: longest that tshark may take to open one capture with keys.
        opening_memory_bytes: most memory that it may take for that.
        opened_piece_bytes: longest piece of what keys opened that is looked into; a longer message
            is cut there.
        opened_bytes: most that waits, of what keys opened, for the rest of its message.
        marks: most comments of one capture that mark phases.
        contacts: most stretches of new payload of one capture; where there are more, longer
            pauses part them first.
        oddities: most rows of one kind in one capture; the rest is one row with a count.
    """

    record_bytes: int = 262_144
    block_bytes: int = 16 * 1024 * 1024
    decompressed_bytes: int = 50 * 1024**3
    decompression_ratio: int = 100
    conversations: int = 1_000_000
    open_gaps: int = 4_096
    stream_bytes: int = 65_536
    body_bytes: int = 16_384
    names: int = 1_000_000
    exchanges: int = 100_000
    dissected_packets: int = 10_000
    opening_seconds: float = 600
    opening_memory_bytes: int = 4 * 1024**3
    opened_piece_bytes: int = 1024**2
    opened_bytes: int = 64 * 1024**2
    marks: int = 10_000
    contacts: int = 300_000
    oddities: int = 100
