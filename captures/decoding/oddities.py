# Held by tests/captures/kernels/test_packet_loop.py: oddities, against the slow twin.
"""What was odd in a capture: rows for the first of each kind, a count for the rest."""

import numpy as np
from numpy.typing import NDArray

from phonehome.captures.kernels.layout import (
    COUNT_KINDS,
    COUNT_ODDITIES,
    ODDITY_FRAME,
    ODDITY_GOT,
    ODDITY_KIND,
    ODDITY_NEEDED,
    ODDITY_OFFSET,
)
from phonehome.captures.words import PACKET_ODDITIES

LIMIT_KINDS = {
    "conversations_limit": "conversations",
    "sequence_gaps_limit": "open_gaps",
    "fragment_table_full": "open_fragments",
}
"""Kinds of oddity that say that a limit bit."""


Oddity = tuple[int | None, int | None, str, str, int | None, int | None, int]
"""A row of `tables.Oddities`."""


class Strange:
    """Collects oddities while a capture is read."""

    def __init__(self, row_limit: int) -> None:
        self._row_limit = row_limit
        self._rows: list[Oddity] = []

    def add(
        self,
        layer: str,
        kind: str,
        *,
        offset: int | None = None,
        needed: int | None = None,
        got: int | None = None,
    ) -> None:
        """Add one that is not inside a packet."""
        self._rows.append((None, offset, layer, kind, needed, got, 1))

    def add_count(self, layer: str, kind: str, count: int) -> None:
        """Add one row for all of a kind."""
        self._rows.append((None, None, layer, kind, None, None, count))

    def take(self, rows: NDArray[np.int64], counts: NDArray[np.int64]) -> None:
        """Add what the compiled loop found since the last time."""
        for row in rows[: counts[COUNT_ODDITIES]].tolist():
            layer, kind = PACKET_ODDITIES[row[ODDITY_KIND]]
            self._rows.append(
                (
                    row[ODDITY_FRAME],
                    row[ODDITY_OFFSET],
                    layer,
                    kind,
                    row[ODDITY_NEEDED],
                    row[ODDITY_GOT],
                    1,
                )
            )
        counts[COUNT_ODDITIES] = 0

    def rows(self, counts: NDArray[np.int64]) -> list[Oddity]:
        """All oddities; of each kind one row more that counts those without a row of their own."""
        rest: list[Oddity] = [
            (None, None, layer, kind, None, None, int(count) - self._row_limit)
            for (layer, kind), count in zip(PACKET_ODDITIES, counts[COUNT_KINDS:], strict=True)
            if count > self._row_limit
        ]
        return self._rows + rest

    @staticmethod
    def limits_hit(counts: NDArray[np.int64]) -> dict[str, int]:
        """Per limit that bit, how often."""
        return {
            LIMIT_KINDS[kind]: int(count)
            for (_, kind), count in zip(PACKET_ODDITIES, counts[COUNT_KINDS:], strict=True)
            if count and kind in LIMIT_KINDS
        }
