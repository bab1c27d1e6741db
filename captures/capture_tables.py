# Held by tests/captures/test_reading.py: all that reading hands on stands in it.
"""What reading one capture hands on, whole: a value that any process can make and pass on."""

from dataclasses import dataclass, field

import dataframely as dy
import polars as pl

from phonehome.captures.decoding.phase_marks import Mark
from phonehome.captures.decryption.opened_traffic import OpenedTraffic
from phonehome.captures.tables import (
    Captures,
    Certificates,
    Contents,
    Conversations,
    Exchanges,
    Hellos,
    Hits,
    MmtlsRecords,
    Oddities,
    Owners,
    Searched,
    ServerHellos,
    Sightings,
)


@dataclass(frozen=True, kw_only=True)
class PacketSums:
    """What the packets of a capture add up to, per span of time.

    The spans are numbered by codes: edges are their begins and ends in order, and a code is the
    number of edges at or before a time; -1: a packet without a time.

    Attributes:
        begin: time of the first packet that has one, ns since 1970; None: none has.
        sides: one row per conversation, direction and code, with sums.
        bins: one row per conversation, direction, code and bin of time, with its new payload; a
            bin is a multiple of `bin_seconds` since 1970, null without a time.
        bin_seconds: seconds per bin.
        outcomes: one row per outcome of packets that belong to no conversation.
        contacts: stretches of new payload without a pause: conversation, is_from_b, code, start
            and last (ns), and sums.
        pause: ns that part two contacts.
        contacts_left_out: contacts for which there was no room.
    """

    begin: int | None
    sides: pl.DataFrame
    bins: pl.DataFrame
    bin_seconds: int
    outcomes: pl.DataFrame
    contacts: pl.DataFrame
    pause: int
    contacts_left_out: int


@dataclass(frozen=True, kw_only=True)
class CaptureTables:
    """Everything that one capture holds, before anyone asks whose phone it was.

    Holds no open file, and can be pickled. Names and requests stand in it as they were sent,
    identifiers included: whoever shows them withholds first.

    Attributes:
        capture: the one row that says what was read.
        span: first and last time, ns since 1970; None: no packet has one.
        conversations: all conversations, by first packet.
        services: service of each conversation, in their order.
        sums: what the packets add up to.
        sightings: all name sightings.
        hellos: all ClientHellos.
        server_hellos: all ServerHellos.
        certificates: all certificates that were sent in the clear.
        exchanges: all requests of HTTP/1 with their responses.
        mmtls_records: all records of MMTLS, added up.
        contents: what conversations look like that begin like nothing known.
        owners: all owners that the capture names.
        marks: comments of packets that mark the begin of a phase, in file order.
        hiding_names: names whose servers take Encrypted Client Hello, as answers of DNS say.
        values: what `ReadOptions.values_of` found in requests.
        opened: what keys opened.
        hits: all identifiers that were found.
        searched: octets that were searched.
        oddities: all that was odd, in file order.
        limits_hit: per limit that bit, how often.
    """

    capture: dy.DataFrame[Captures]
    span: tuple[int, int] | None
    conversations: dy.DataFrame[Conversations]
    services: pl.Series
    sums: PacketSums
    sightings: dy.DataFrame[Sightings]
    hellos: dy.DataFrame[Hellos]
    server_hellos: dy.DataFrame[ServerHellos]
    certificates: dy.DataFrame[Certificates]
    exchanges: dy.DataFrame[Exchanges]
    mmtls_records: dy.DataFrame[MmtlsRecords]
    contents: dy.DataFrame[Contents]
    owners: dy.DataFrame[Owners]
    marks: tuple[Mark, ...]
    hiding_names: frozenset[str]
    values: pl.DataFrame
    opened: OpenedTraffic
    hits: dy.DataFrame[Hits]
    searched: dy.DataFrame[Searched]
    oddities: dy.DataFrame[Oddities]
    limits_hit: dict[str, int] = field(default_factory=dict)

    @property
    def packets(self) -> int:
        """Packets that were read."""
        return int(self.capture["packets"][0])

    @property
    def sha256(self) -> str:
        """SHA-256 of the file, hex."""
        return str(self.capture["sha256"][0])
