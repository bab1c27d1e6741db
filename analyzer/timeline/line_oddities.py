"""Rows of the oddities table for lines of timelines."""

from collections import Counter
from collections.abc import Iterable

import polars as pl

from phonehome.analyzer.tables import Oddities
from phonehome.analyzer.timeline.spans import Oddity

MOST_ROWS = 20
"""Rows of one kind in one file; what follows is in the `count` of the last."""


def odd_lines(oddities: Iterable[Oddity]) -> pl.DataFrame:
    """Each odd line once: in `capture` the timeline's name, in `frame` its line."""
    counts: Counter[tuple[str, str]] = Counter()
    rows: dict[tuple[str, str, int], int] = {}
    last: dict[tuple[str, str], int] = {}
    for file, line, kind in sorted(set(oddities)):
        counts[file, kind] += 1
        if counts[file, kind] <= MOST_ROWS:
            last[file, kind] = line
        place = file, kind, last[file, kind]
        rows[place] = rows.get(place, 0) + 1
    empty = [None] * len(rows)
    return pl.DataFrame(
        {
            "capture": [file for file, _, _ in rows],
            "frame": [line for _, _, line in rows],
            "offset": empty,
            "layer": ["timeline"] * len(rows),
            "kind": [kind for _, kind, _ in rows],
            "needed_bytes": empty,
            "got_bytes": empty,
            "count": list(rows.values()),
        },
        schema=Oddities.create_empty().schema,
    )
