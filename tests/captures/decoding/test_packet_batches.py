"""Tables of sums outlive the arrays that they are made of; no time is null."""

import numpy as np
import pytest

from phonehome.captures.decoding.packet_batches import bins_table, others_table, sides_table
from phonehome.captures.kernels.layout import (
    BIN_START,
    BIN_WIDTH,
    NO_TIME,
    SIDE_SUM,
    SIDE_WIDTH,
    SUM_FIRST_TIME,
    SUM_LAST_TIME,
    SUM_WIDTH,
)


@pytest.mark.parametrize(
    ("table", "width"),
    [(sides_table, SIDE_WIDTH), (bins_table, BIN_WIDTH), (others_table, SUM_WIDTH)],
)
def test_a_table_outlives_the_rows_that_it_was_made_of(table, width) -> None:
    for count in (1, 2, 5):
        rows = np.ones((count, width), dtype=np.int64)
        made = table(rows)
        before = made.clone().to_dicts()
        rows[:] = 2
        assert made.to_dicts() == before


def test_what_has_no_time_has_none_in_the_table() -> None:
    bins = np.ones((2, BIN_WIDTH), dtype=np.int64)
    bins[1, BIN_START] = NO_TIME
    assert bins_table(bins)["bin"].to_list() == [1, None]
    sides = np.ones((1, SIDE_WIDTH), dtype=np.int64)
    sides[0, [SIDE_SUM + SUM_FIRST_TIME, SIDE_SUM + SUM_LAST_TIME]] = NO_TIME
    assert sides_table(sides).select("first_time", "last_time").row(0) == (None, None)
