"""Collects what unknown protocols look like while packets are read, and makes the table."""

from array import array

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.captures.kernels.content_shape import ENTROPY_UNITS, PLACES
from phonehome.captures.kernels.excerpts import Excerpts
from phonehome.captures.tables import Contents
from phonehome.captures.words import CONTENTS

KINDS = len(CONTENTS)
"""A sample's shape is its kind and, so many times, the code of its framing."""
_ROW = 6
_MOST_ENTROPY = 8.0


def framing_words(code: int) -> str | None:
    """What a code of `contents.framing` says; None: nothing."""
    if not code:
        return None
    code, is_rest = divmod(code - 1, 2)
    code, is_little = divmod(code, 2)
    place, is_short = divmod(code, 2)
    what = "length of the rest" if is_rest else "length"
    order = "little-endian" if is_little else "big-endian"
    return f"{what} in {16 if is_short else 32} bits, {order}, at {place}"


class ContentList:
    """The first sample of each side of a conversation.

    Args:
        most: samples that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._numbers = array("q")

    def add_read(self, excerpts: Excerpts, is_sample: NDArray[np.bool_]) -> None:
        """Note the samples that the loop has looked at, all of a window at once."""
        columns = (
            excerpts.conversation,
            excerpts.is_from_b,
            excerpts.frame,
            excerpts.message,
            excerpts.position,
            excerpts.shape,
        )
        rows = np.stack([column[is_sample].astype(np.int64) for column in columns], axis=1)
        room = max(self._most - len(self._numbers) // _ROW, 0)
        self._numbers.frombytes(np.ascontiguousarray(rows[:room]).tobytes())

    def table(self) -> dy.DataFrame[Contents]:
        """One row per conversation and side, in this order; of several samples the first."""
        rows = np.array(self._numbers, dtype=np.int64).reshape(-1, _ROW)
        sides = rows[:, 0] * 2 + rows[:, 1]
        _, first = np.unique(sides, return_index=True)
        rows = rows[first]
        words = pl.Series([framing_words(code) for code in range(1 + PLACES * 8)], dtype=pl.String)
        return Contents.validate(
            pl.DataFrame(
                {
                    "conversation": rows[:, 0].astype(np.int32),
                    "is_from_b": rows[:, 1].astype(np.bool_),
                    "frame": rows[:, 2].copy(),
                    "octets": rows[:, 3].copy(),
                    "kind": pl.Series(CONTENTS).gather(rows[:, 5] % KINDS),
                    "entropy": np.clip(rows[:, 4] / ENTROPY_UNITS, 0.0, _MOST_ENTROPY),
                    "framing": words.gather(rows[:, 5] // KINDS),
                }
            )
        )
