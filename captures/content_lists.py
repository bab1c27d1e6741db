"""Collects what unknown protocols look like while packets are read, and makes the table."""

import dataframely as dy
import polars as pl

from captures.contents import Content, content
from captures.readings import Moment
from captures.tables import Contents


class ContentList:
    """The first sample of each side of a conversation.

    Args:
        most: samples that are looked at.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[tuple[int, int], tuple[int, Content]] = {}

    def add(self, side: tuple[int, int], moment: Moment, octets: bytes) -> None:
        """Look at what a side sent first."""
        if octets and side not in self._found and len(self._found) < self._most:
            self._found[side] = (moment.frame, content(octets))

    def table(self) -> dy.DataFrame[Contents]:
        """One row per conversation and side, in this order."""
        rows = [
            (side[0], bool(side[1]), frame, said.octets, said.kind, said.entropy, said.framing)
            for side, (frame, said) in sorted(self._found.items())
        ]
        schema = Contents.create_empty().schema
        return Contents.validate(pl.DataFrame(rows, schema=schema, orient="row"))
