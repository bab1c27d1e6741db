"""What went up per state of the phone and hour of it, and how far such a rate can be believed.

A rate has an interval by block bootstrap: the observed time of a state is cut into blocks, blocks
are drawn anew, and the middle 95 % of the rates that they give is the interval. Blocks keep
together what comes together; what is periodic beyond their width they do not see.
"""

from collections.abc import Iterator
from typing import NamedTuple

import dataframely as dy
import numpy as np
import polars as pl
from numpy.typing import NDArray

from phonehome.analyzer.flows.contacts import NAME, Met
from phonehome.analyzer.tables import STATES, Rates
from phonehome.captures.words import SECOND

HOUR = 3_600 * SECOND
SHORTEST_BLOCK = 60 * SECOND
MOST_BLOCKS = 60
FEWEST_BLOCKS = 10
"""With fewer, or less time than so many of the shortest, too little was observed."""
DRAWS = 1_000
SEED = 20_200_919
LEVEL = 0.95
MOST_KEYS = 300
"""Keys of a state and dimension that have a row, by bytes uploaded; `all` has the whole."""
TOO_LITTLE = "too little time observed"
MOST_SHARES = 1 << 18
"""Contacts times blocks that are made at once."""
DIMENSIONS = ("all", "country", "host")


class _Blocks(NamedTuple):
    """The blocks of a state: begin and end of each, in order, and about how long they are, ns."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    width: int

    def are_too_few(self) -> bool:
        """Whether too little time was observed; short phases make many blocks of little time."""
        observed = int((self.ends - self.begins).sum())
        return len(self.begins) < FEWEST_BLOCKS or observed < FEWEST_BLOCKS * SHORTEST_BLOCK


def rates(
    met: Met,
    uploads: pl.DataFrame,
    per_phase: pl.DataFrame,
    phases: pl.DataFrame,
    observed: list[tuple[int, int]],
) -> dy.DataFrame[Rates]:
    """One row per state that was observed and key, and one for all of the state.

    Args:
        met: contacts of what counts.
        uploads: rows of `tables.Uploads` that count.
        per_phase: flow, phase, first_time of what counts, with host, remote_address and country.
        phases: all phases.
        observed: time that captures observed, ns, in order, without overlaps.
    """
    first_met = _first_met(per_phase, phases)
    ups = met.contacts.filter("is_up")
    names = met.flows.select("flow", "name", "country")
    parts = []
    for place, state in enumerate(STATES):
        of_state = phases.filter(pl.col("state") == state)
        exposure = int(of_state["exposure"].dt.total_nanoseconds().sum())
        if not exposure:
            continue
        blocks = _blocks(of_state, observed, exposure)
        sent = uploads.filter(pl.col("state") == state)
        seen = per_phase.join(of_state.select("phase"), on="phase", how="semi")
        counted = _per_block(ups.filter(pl.col("state") == place), names, blocks)
        parts += [
            _rows(dimension, state, exposure, blocks, sent, counted, first_met, seen)
            for dimension in DIMENSIONS
        ]
    if not parts:
        return Rates.create_empty()
    table = pl.concat(parts, how="vertical_relaxed")
    return Rates.validate(table.select(Rates.column_names()), cast=True)


def _key(dimension: str) -> pl.Expr:
    return {
        "all": pl.lit(None, dtype=pl.String),
        "country": pl.col("country"),
        "host": NAME,
    }[dimension].alias("key")


def _per_block(contacts: pl.DataFrame, names: pl.DataFrame, blocks: _Blocks) -> pl.DataFrame:
    """Uploaded per name, country and block of time; where there are too few blocks, nothing.

    Args:
        contacts: those of one state.
        names: flow, name, country.
        blocks: of that state.
    """
    if blocks.are_too_few():
        contacts = contacts.clear()
    first = np.searchsorted(blocks.begins, contacts["start"].to_numpy(), side="right") - 1
    first = np.maximum(first, 0)
    placed = contacts.select("flow", "start", "last", "unique_bytes", block=pl.Series(first))
    is_within = pl.Series(contacts["last"].to_numpy() <= blocks.ends[first])
    long = placed.filter(~is_within).sort("flow")  # few flows per piece make few rows of sums
    pieces = (_spread(piece, blocks) for piece in _pieces(long, blocks))
    whole = placed.filter(is_within).select("flow", "block", "unique_bytes")
    per_flow = pl.concat([_added(piece) for piece in (whole, *pieces)])
    return per_flow.join(names, on="flow")


def _added(shares: pl.DataFrame) -> pl.DataFrame:
    """What was uploaded per flow and block."""
    return shares.group_by("flow", "block").agg(pl.col("unique_bytes").sum())


def _pieces(contacts: pl.DataFrame, blocks: _Blocks) -> Iterator[pl.DataFrame]:
    """Contacts, a few at a time, so that their shares take little memory together."""
    number = max(1, MOST_SHARES // max(len(blocks.begins), 1))
    return contacts.iter_slices(number)


def _spread(contacts: pl.DataFrame, blocks: _Blocks) -> pl.DataFrame:
    """The bytes of contacts by the blocks between their begin and their end.

    Each block has of them what it has of the time, in whole bytes that add up to the contact's. A
    contact of which no time lies in a block keeps its own.

    Args:
        contacts: flow, start, last, unique_bytes, and block: the one of its begin.
        blocks: of the state of the contacts.
    """
    start, last, first = (contacts[name].to_numpy() for name in ("start", "last", "block"))
    sizes = np.searchsorted(blocks.begins, last, side="right") - first
    ends = np.cumsum(sizes)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    block = np.arange(len(owner)) - (ends - sizes - first)[owner]
    shared = np.minimum(blocks.ends[block], last[owner]) - np.maximum(
        blocks.begins[block], start[owner]
    )
    so_far = np.append(0, np.cumsum(np.maximum(shared, 0)))  # wraps; differences are right
    done, whole = so_far[1:] - so_far[ends - sizes][owner], so_far[ends] - so_far[ends - sizes]
    share = np.where(whole[owner] > 0, done / np.maximum(whole[owner], 1), 1.0)
    octets = contacts["unique_bytes"].to_numpy()
    given = np.floor(octets[owner] * share).astype(np.int64)
    given[ends - 1] = octets
    before = np.append(0, given[:-1])
    before[ends - sizes] = 0
    return pl.DataFrame(
        {
            "flow": contacts["flow"].gather(owner),
            "block": block,
            "unique_bytes": given - before,
        },
        schema_overrides={"block": pl.Int64},
    )


def _first_met(per_phase: pl.DataFrame, phases: pl.DataFrame) -> pl.DataFrame:
    """State in which each host was first met."""
    return (
        per_phase.join(phases.select("phase", "state"), on="phase")
        .with_columns(_key("host"))
        .sort("first_time", "flow", nulls_last=True)
        .group_by("key", maintain_order=True)
        .agg(pl.col("state").first().alias("first_met"))
        .with_columns(dimension=pl.lit("host"))
    )


def _rows(  # noqa: PLR0913, PLR0917 - all that a row is made of
    dimension: str,
    state: str,
    exposure: int,
    blocks: _Blocks,
    uploads: pl.DataFrame,
    per_block: pl.DataFrame,
    first_met: pl.DataFrame,
    seen: pl.DataFrame,
) -> pl.DataFrame:
    """The rows of one state and dimension, most bytes first."""
    table = (
        uploads.with_columns(_key(dimension))
        .group_by("key")
        .agg(
            pl.col("up_unique_bytes", "up_packets", "down_unique_bytes").sum(),
            pl.col("remote_address").n_unique().alias("remotes"),
            NAME.n_unique().alias("destinations"),
        )
        .sort(-pl.col("up_unique_bytes"), "key", nulls_last=True)
        .head(MOST_KEYS)
    )
    flows = seen.group_by(_key(dimension)).agg(pl.col("flow").n_unique().alias("flows"))
    table = table.join(
        flows, on="key", how="left", nulls_equal=True, maintain_order="left"
    ).with_columns(pl.col("flows").fill_null(0))
    if dimension == "all" and table.is_empty():
        table = pl.DataFrame(
            {"key": [None], **dict.fromkeys(table.columns[1:], 0)}, schema=table.schema
        )
    named = {"all": pl.lit(None, pl.String), "country": pl.col("country"), "host": pl.col("name")}
    keyed = per_block.select("block", "unique_bytes", key=named[dimension])
    low, high = _intervals(keyed, table["key"], blocks)
    hours = exposure / HOUR
    return table.with_columns(
        pl.lit(state).alias("state"),
        pl.lit(dimension).alias("dimension"),
        pl.lit(exposure).cast(pl.Duration("ns")).alias("exposure"),
        (pl.col("up_unique_bytes") / hours).alias("up_unique_bytes_per_hour"),
        pl.Series("low_per_hour", low, dtype=pl.Float64),
        pl.Series("high_per_hour", high, dtype=pl.Float64),
        pl.lit(len(blocks.begins)).alias("blocks"),
        pl.lit(blocks.width).cast(pl.Duration("ns")).alias("block"),
        pl.lit(TOO_LITTLE if blocks.are_too_few() else None, dtype=pl.String).alias("remark"),
    ).join(first_met, on=["dimension", "key"], how="left", maintain_order="left")


def _blocks(phases: pl.DataFrame, observed: list[tuple[int, int]], exposure: int) -> _Blocks:
    """The observed time of a state in blocks of nearly one width, none across two phases."""
    width = max(SHORTEST_BLOCK, -(-exposure // MOST_BLOCKS))
    begins: list[int] = []
    ends: list[int] = []
    spans = phases.select(pl.col("start", "end").to_physical()).drop_nulls().rows()
    for start, end in spans:
        for low, high in observed:
            begin, stop = max(start, low), min(end, high)
            if begin >= stop:
                continue
            number = max(1, round((stop - begin) / width))
            edges = [begin + (stop - begin) * at // number for at in range(number + 1)]
            begins += edges[:-1]
            ends += edges[1:]
    order = np.argsort(begins, kind="stable")
    starts, stops = (np.array(of, dtype=np.int64)[order] for of in (begins, ends))
    return _Blocks(starts, stops, width)


def _intervals(
    per_block: pl.DataFrame, keys: pl.Series, blocks: _Blocks
) -> tuple[list[float | None], list[float | None]]:
    """Low and high rate per hour of each key; None where too little was observed."""
    number = len(blocks.begins)
    if blocks.are_too_few() or keys.is_empty():
        return [None] * len(keys), [None] * len(keys)
    place = pl.DataFrame({"key": keys}).with_row_index("at")
    counted = (
        per_block.group_by("block", "key")
        .agg(pl.col("unique_bytes").sum())
        .join(place, on="key", nulls_equal=True)
    )
    sums = np.zeros((number, len(keys)))
    sums[counted["block"].to_numpy(), counted["at"].to_numpy()] = counted["unique_bytes"].to_numpy()
    drawn = np.random.default_rng(SEED).multinomial(number, [1 / number] * number, size=DRAWS)
    hours = (drawn @ (blocks.ends - blocks.begins)) / HOUR
    found = (drawn.astype(np.float64) @ sums) / hours[:, np.newaxis]  # sums of whole numbers: exact
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(found, [tail, 1 - tail], axis=0)
    return low.tolist(), high.tolist()
