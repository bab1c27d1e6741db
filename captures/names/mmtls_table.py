"""Adds up records of MMTLS while packets are read, and makes their table at the end."""

from collections.abc import Iterable
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl

from phonehome.captures.names.faults import Moment
from phonehome.captures.names.mmtls import Record
from phonehome.captures.tables import MmtlsRecords

_COUNT, _BYTES, _SUITES, _TIME, _TIME_FRAME, _TIME_SEEN = 0, 1, 3, 4, 5, 6
_NO_TIME = np.iinfo(np.int64).min
_SECOND = 1_000_000_000


class RecordSums:
    """Records by conversation, direction and type.

    Args:
        most: sums that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sums: dict[tuple[int, int, str], list[Any]] = {}

    def add(self, side: tuple[int, int], said: Iterable[tuple[Record, Moment]]) -> None:
        """Add the records that a side sent."""
        for record, moment in said:
            key = (*side, record.kind)
            if key not in self._sums and len(self._sums) >= self._most:
                continue
            sums = self._sums.setdefault(key, [0, 0, moment.frame, None, None, None, None])
            sums[_COUNT] += 1
            sums[_BYTES] += record.size
            if record.hello is not None and sums[_TIME] is None:
                sums[_SUITES] = record.hello.suites
                sums[_TIME], sums[_TIME_FRAME] = record.hello.time * _SECOND, moment.frame
                sums[_TIME_SEEN] = None if moment.time == _NO_TIME else moment.time

    def table(self) -> dy.DataFrame[MmtlsRecords]:
        """One row per conversation, direction and type, in this order."""
        schema = MmtlsRecords.create_empty().schema
        plain = {
            name: pl.Int64 if isinstance(dtype, pl.Datetime | pl.Boolean) else dtype
            for name, dtype in schema.items()
        }
        rows = [(*key, *sums) for key, sums in sorted(self._sums.items())]
        found = pl.DataFrame(rows, schema=plain, orient="row")
        return MmtlsRecords.validate(found, cast=True)
