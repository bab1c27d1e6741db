"""Tables outlive the arrays that they are made of."""

import numpy as np

from captures.batches import excerpts_of, packets_table
from captures.layout import EXCERPT_WIDTH, PACKET_WIDTH


def test_packets_outlive_the_array_that_they_were_read_into() -> None:
    written = np.ones((PACKET_WIDTH, 9), dtype=np.int64)
    table = packets_table(written[:, :4])
    before = table.clone().to_dicts()
    written[:] = 2
    assert table.to_dicts() == before


def test_excerpts_outlive_the_array_that_they_were_read_into() -> None:
    for count in (1, 2, 5):
        written = np.ones((9, EXCERPT_WIDTH), dtype=np.int64)
        octets = np.ones(9, dtype=np.uint8)
        excerpts = excerpts_of(written[:count], octets)
        written[:], octets[:] = 2, 2
        assert all((getattr(excerpts, name) == 1).all() for name in vars(excerpts))
