# Held by tests/captures/search/test_payload_search.py: each row of it.
"""Collects what was found while packets are read, and makes its table at the end."""

from collections.abc import Iterable
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.captures.kernels.layout import NO_TIME
from phonehome.captures.names.faults import Moment
from phonehome.captures.search.layers import Found
from phonehome.captures.tables import Hits

MOST_ROWS = 100_000


class Place(NamedTuple):
    """Where a content stood.

    Attributes:
        conversation: conversation that carried it.
        is_from_b: 1 where end b sent it.
        layer: what carried it: tcp, udp, dns, http, tls, quic, mmtls.
        part: which part of that: stream, datagram, request head, request body, name, …
    """

    conversation: int
    is_from_b: int
    layer: str
    part: str


class HitList:
    """Hits, those that are alike in one row.

    Attributes:
        left_out: hits that would have made a row beyond `MOST_ROWS`, or of which one content has
            too many; and contents that hold more than they may unfold to.
    """

    def __init__(self) -> None:
        self.left_out = 0
        self._rows: dict[tuple[object, ...], list[int]] = {}
        self._bits: dict[tuple[object, ...], float] = {}

    def add(self, place: Place, found: Iterable[Found], moment: Moment, before: int = 0) -> None:
        """Note what was found in a content.

        Args:
            place: where it stood.
            found: what was found in it.
            moment: when it was complete.
            before: octets of the same stream that came before it.
        """
        for one in found:
            key = (one.identifier, *place, one.field, ", ".join(one.steps))
            row = self._rows.get(key)
            if row is not None:
                row[3], row[4] = moment.frame, row[4] + 1
            elif len(self._rows) < MOST_ROWS:
                self._rows[key] = [moment.frame, moment.time, before + one.at, moment.frame, 1]
                self._bits[key] = one.bits
            else:
                self.left_out += 1

    def table(self) -> dy.DataFrame[Hits]:
        """One row per identifier, conversation, direction, place, field and encoding."""
        rows = [
            (*key, frame, None if time == NO_TIME else time, offset, last, count, self._bits[key])
            for key, (frame, time, offset, last, count) in self._rows.items()
        ]
        schema = Hits.create_empty().schema
        plain = {
            name: pl.Int64 if isinstance(dtype, pl.Datetime | pl.Boolean) else dtype
            for name, dtype in schema.items()
        }
        order = ("first_frame", "offset", "identifier", "conversation", "part", "field", "encoding")
        found = pl.DataFrame(rows, schema=plain, orient="row")
        return Hits.validate(found.sort(order, nulls_last=True), cast=True)
