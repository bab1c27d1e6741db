"""Excerpts outlive the arrays that they are made of."""

import numpy as np

from phonehome.captures.kernels.excerpts import excerpts_of
from phonehome.captures.kernels.layout import EXCERPT_WIDTH


def test_excerpts_outlive_the_array_that_they_were_read_into() -> None:
    for count in (1, 2, 5):
        written = np.ones((9, EXCERPT_WIDTH), dtype=np.int64)
        octets = np.ones(9, dtype=np.uint8)
        excerpts = excerpts_of(written[:count], octets)
        written[:], octets[:] = 2, 2
        assert all((getattr(excerpts, name) == 1).all() for name in vars(excerpts))
