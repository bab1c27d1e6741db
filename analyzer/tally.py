"""Packets, batch by batch, added up: what is kept of a capture grows with its flows.

Sums per conversation, direction and phase; uploads per bin of time; packets without a
conversation per outcome. Partial sums are merged whenever they have become many.
"""

from dataclasses import dataclass

import dataframely as dy
import polars as pl

from analyzer.phases import NO_CODE, CapturePhases
from analyzer.timelines import Span
from captures.tables import Packets

SUMS = (
    "wire_bytes",
    "ip_bytes",
    "link_bytes",
    "network_header_bytes",
    "transport_header_bytes",
    "payload_bytes",
    "unique_bytes",
)
SIDE = ("conversation", "is_from_b", "code")
MERGE_ROWS = 1_000_000
MOST_BINS = 4_096
SECOND = 1_000_000_000
KEYS_PER_CODE = 1 << 33  # twice the numbers that a conversation may have

_MERGED = [
    *(pl.col(name).sum() for name in ("packets", *SUMS, "outbound_packets", "inbound_packets")),
    *(pl.col(name).min() for name in ("first_time", "first_frame")),
    *(pl.col(name).max() for name in ("last_time", "last_frame")),
]
_FIRST = [
    pl.len().cast(pl.Int64).alias("packets"),
    *(pl.col(name).sum() for name in SUMS),
    pl.col("is_outbound").sum().cast(pl.Int64).alias("outbound_packets"),
    (~pl.col("is_outbound")).sum().cast(pl.Int64).alias("inbound_packets"),
    pl.col("time").min().alias("first_time"),
    pl.col("frame").min().alias("first_frame"),
    pl.col("time").max().alias("last_time"),
    pl.col("frame").max().alias("last_frame"),
]


@dataclass(frozen=True)
class Tallied:
    """What a capture's packets add up to.

    Attributes:
        sides: one row per conversation, direction and phase code, with sums.
        bins: one row per conversation, direction, phase code and bin of time, with its upload;
            a bin is a multiple of `width` seconds since 1970, null without a time.
        width: seconds per bin.
        outcomes: one row per outcome of packets that belong to no conversation.
        phases: the phases that the codes are of.
    """

    sides: pl.DataFrame
    bins: pl.DataFrame
    width: int
    outcomes: pl.DataFrame
    phases: CapturePhases


class Tally:
    """Adds up the packets of one capture."""

    def __init__(self, spans: list[Span]) -> None:
        self._spans = spans
        self._phases: CapturePhases | None = None
        self._sides: list[pl.DataFrame] = []
        self._bins: list[pl.DataFrame] = []
        self._outcomes: list[pl.DataFrame] = []
        self._width = 1
        self._rows = 0

    def add(self, packets: dy.DataFrame[Packets]) -> None:
        """Add a batch."""
        if self._phases is None:
            self._begin(packets)
        keyed = packets.lazy().with_columns(self._key(packets))
        bins = (
            keyed.filter(pl.col("unique_bytes") > 0)
            .with_columns((pl.col("time").to_physical() // (SECOND * self._width)).alias("bin"))
            .group_by("key", "bin")
            .agg(pl.col("unique_bytes").sum())
        )
        wanted = [keyed.group_by("key").agg(_FIRST), bins]
        if packets["conversation"].null_count():
            others = keyed.filter(pl.col("conversation").is_null())
            wanted.append(others.group_by("outcome").agg(_FIRST))
        sides, bins_found, *outcomes = pl.collect_all(wanted)
        self._sides.append(sides.filter(pl.col("key").is_not_null()))
        self._bins.append(bins_found)
        self._outcomes += outcomes
        self._rows += sides.height + bins_found.height
        if self._rows > MERGE_ROWS:
            self._merge()

    def _key(self, packets: pl.DataFrame) -> pl.Expr | pl.Series:
        """Conversation, direction and phase code as one number: groups are found in half the time.

        Null where there is no conversation.
        """
        side = pl.col("conversation").cast(pl.Int64) * 2 + pl.col("is_from_b").cast(pl.Int64)
        if self._phases is not None and len(self._phases.edges):
            codes = self._phases.codes(packets["time"])
        else:
            codes = packets["time"].is_null().cast(pl.Int64) * NO_CODE
        return ((pl.lit(codes.cast(pl.Int64)) - NO_CODE) * KEYS_PER_CODE + side).alias("key")

    def _begin(self, packets: pl.DataFrame) -> None:
        times = packets["time"].drop_nulls()
        if len(times):
            first = int(times.to_physical()[0])
            self._phases = CapturePhases.of(self._spans, first)

    def _merge(self) -> None:
        self._sides = [pl.concat(self._sides).group_by("key").agg(_MERGED)]
        bins = pl.concat(self._bins).group_by("key", "bin").agg(pl.col("unique_bytes").sum())
        while bins["bin"].n_unique() > MOST_BINS:
            self._width *= 2
            bins = (
                bins.with_columns(pl.col("bin") // 2)
                .group_by("key", "bin")
                .agg(pl.col("unique_bytes").sum())
            )
        self._bins = [bins]
        self._rows = 0

    def result(self) -> Tallied:
        """All that was added."""
        if not self._sides:
            self.add(Packets.create_empty())
        self._merge()
        nothing = Packets.create_empty().group_by("outcome").agg(_FIRST)
        return Tallied(
            sides=_unpacked(self._sides[0]).sort(SIDE),
            bins=_unpacked(self._bins[0]).sort(*SIDE, "bin"),
            width=self._width,
            outcomes=pl.concat([nothing, *self._outcomes])
            .group_by("outcome")
            .agg(_MERGED)
            .sort("outcome"),
            phases=self._phases or CapturePhases.of(self._spans, None),
        )


def _unpacked(table: pl.DataFrame) -> pl.DataFrame:
    """The table with the columns of `SIDE` instead of the key."""
    side = pl.col("key") % KEYS_PER_CODE
    return table.select(
        (side // 2).cast(pl.Int32).alias("conversation"),
        (side % 2 == 1).alias("is_from_b"),
        (pl.col("key") // KEYS_PER_CODE + NO_CODE).cast(pl.Int32).alias("code"),
        pl.exclude("key"),
    )
