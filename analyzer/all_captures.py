# Held by tests/analyzer/test_analysis.py: each analysis there goes through it.
"""All captures of a run, joined: put in order of their first packets, flows and phases numbered.

What one capture says by conversation and by code of a phase stands here by flow and by phase.
"""

from collections import Counter
from dataclasses import dataclass

import dataframely as dy
import polars as pl

from phonehome.analyzer.content.decryption import decryption
from phonehome.analyzer.flows import details
from phonehome.analyzer.flows.file_order import order_of
from phonehome.analyzer.flows.unicode_names import with_unicode
from phonehome.analyzer.one_capture import PhoneCapture
from phonehome.analyzer.tables import (
    Decryption,
    Ledger,
    Mmtls,
    Names,
    Oddities,
    Phases,
    Phones,
    Requests,
    ServerCertificates,
)
from phonehome.analyzer.timeline.line_oddities import odd_lines
from phonehome.analyzer.timeline.phases import phases
from phonehome.captures.tables import Captures
from phonehome.captures.words import SECOND

_Tables = list[pl.DataFrame]


@dataclass(frozen=True, kw_only=True)
class AllCaptures:
    """What all captures of a run show, by flow and phase.

    Attributes:
        parts: the captures, by first packet.
        captures: what was read, in this order.
        phones: candidates for the phone.
        flows: all conversations, with all that is known of them but organisation and place.
        per_phase: sums per flow and phase.
        bins: of each capture its bins per flow and phase, and their seconds.
        contacts: stretches of new payload, per flow and phase.
        pause: ns that part two contacts, the longest of all captures.
        phases: all phases.
        names: all sightings.
        requests: all requests of HTTP/1.
        certificates: all certificates.
        mmtls: all records of MMTLS, added up.
        decryption: what keys opened.
        hits: identifiers that were found, by flow.
        searched: octets that were searched, by flow.
        values: opaque values of requests, by flow.
        ledger: a row per capture and outcome.
        oddities: all that was odd.
        limits_hit: per limit that bit, how often.
    """

    parts: list[PhoneCapture]
    captures: dy.DataFrame[Captures]
    phones: dy.DataFrame[Phones]
    flows: pl.DataFrame
    per_phase: pl.DataFrame
    bins: list[tuple[pl.DataFrame, int]]
    contacts: pl.DataFrame
    pause: int
    phases: dy.DataFrame[Phases]
    names: dy.DataFrame[Names]
    requests: dy.DataFrame[Requests]
    certificates: dy.DataFrame[ServerCertificates]
    mmtls: dy.DataFrame[Mmtls]
    decryption: dy.DataFrame[Decryption]
    hits: pl.DataFrame
    searched: pl.DataFrame
    values: pl.DataFrame
    ledger: dy.DataFrame[Ledger]
    oddities: dy.DataFrame[Oddities]
    limits_hit: dict[str, int]

    @property
    def observed(self) -> list[tuple[int, int]]:
        """Spans of time that the captures observed, ns."""
        return [span for part in self.parts for span in part.observed]

    @property
    def observed_seconds(self) -> float:
        """Time that the captures observed, all together."""
        return sum(last - first for first, last in self.observed) / SECOND

    @property
    def hiding_names(self) -> set[str]:
        """Names whose servers take Encrypted Client Hello, as answers of DNS say."""
        return set[str]().union(*(part.tables.hiding_names for part in self.parts))

    @property
    def found_connections(self) -> set[int]:
        """Rows of the lists of connections that are in a capture."""
        return set[int]().union(*(part.found_connections for part in self.parts))


def join(given: list[PhoneCapture]) -> AllCaptures:
    """The captures as one, by first packet.

    Args:
        given: at least one, in the order in which they were given.
    """
    parts = [given[place] for place in order_of([part.begin for part in given])]
    table, numbers = phases(
        [(part.phases, list(part.observed), set(part.tables.sums.sides["code"])) for part in parts]
    )
    offsets = [sum(part.flows.height for part in parts[:place]) + 1 for place in range(len(parts))]
    numbered = zip(parts, offsets, strict=True)
    flows = with_unicode(pl.concat([_with_flow(part.flows, offset) for part, offset in numbered]))
    bins = [
        (_numbered([part.bins], [offset], [number]).drop("conversation", "code"), width)
        for part, offset, number in zip(parts, offsets, numbers, strict=True)
        for width in [part.tables.sums.bin_seconds]
    ]
    return AllCaptures(
        parts=parts,
        captures=captures_table(parts),
        phones=Phones.validate(pl.concat([part.phones for part in parts])),
        flows=flows,
        per_phase=_numbered([part.per_phase for part in parts], offsets, numbers),
        bins=bins,
        contacts=_numbered([part.contacts for part in parts], offsets, numbers),
        pause=max((part.tables.sums.pause for part in parts), default=0),
        phases=table,
        names=_names(parts),
        requests=details.requests(_by_flow([part.requests for part in parts], offsets), flows),
        certificates=details.certificates(
            _by_flow([part.certificates for part in parts], offsets), flows
        ),
        mmtls=details.mmtls(
            _by_flow([part.tables.mmtls_records for part in parts], offsets), flows
        ),
        decryption=decryption(_by_flow([part.decryption for part in parts], offsets), flows),
        hits=_by_flow([part.tables.hits for part in parts], offsets),
        searched=_by_flow([part.tables.searched for part in parts], offsets),
        values=_by_flow([part.tables.values for part in parts], offsets),
        ledger=Ledger.validate(pl.concat([part.ledger for part in parts])),
        oddities=_oddities(parts),
        limits_hit=_limits_hit(parts),
    )


def captures_table(parts: list[PhoneCapture]) -> dy.DataFrame[Captures]:
    """What was read, in this order."""
    rows = [part.tables.capture.with_columns(capture=pl.lit(part.name)) for part in parts]
    return Captures.validate(pl.concat(rows))


def _limits_hit(parts: list[PhoneCapture]) -> dict[str, int]:
    """Per limit that bit in any capture, how often."""
    hit = Counter[str]()
    for part in parts:
        hit.update(part.tables.limits_hit)
        hit.update(part.tables.opened.limits_hit)
    return dict(+hit)


def _with_flow(table: pl.DataFrame, offset: int) -> pl.DataFrame:
    """The number of a flow of all, from that of its conversation in its capture."""
    return table.with_columns(pl.col("conversation").cast(pl.Int64).add(offset).alias("flow"))


def _numbered(tables: _Tables, offsets: list[int], numbers: list[dict[int, int]]) -> pl.DataFrame:
    """Rows by conversation and code of a capture as rows by flow and phase of all."""
    return pl.concat(
        [
            _with_flow(table, offset).with_columns(
                pl.col("code")
                .replace_strict(number or {0: 0}, default=None, return_dtype=pl.Int64)
                .alias("phase"),
            )
            for table, offset, number in zip(tables, offsets, numbers, strict=True)
        ]
    )


def _by_flow(tables: _Tables, offsets: list[int]) -> pl.DataFrame:
    """Rows by conversation of a capture as rows by flow of all."""
    return pl.concat(
        [
            _with_flow(table, offset).drop("conversation")
            for table, offset in zip(tables, offsets, strict=True)
        ]
    )


def _names(parts: list[PhoneCapture]) -> dy.DataFrame[Names]:
    named = pl.concat([part.names for part in parts])
    ordered = named.select(Names.column_names()).sort(
        "capture", "frame", "address", "port", "name", "source", nulls_last=True
    )
    return Names.validate(ordered)


def _oddities(parts: list[PhoneCapture]) -> dy.DataFrame[Oddities]:
    lines = odd_lines(odd for part in parts for odd in part.phases.oddities)
    odd = pl.concat([*(part.oddities.select(lines.columns) for part in parts), lines])
    ordered = odd.select(Oddities.column_names()).sort(
        "capture", "frame", "offset", "layer", "kind", nulls_last=True
    )
    return Oddities.validate(ordered)
