"""What of a difference can be told from chance: the tests of all keys, judged as one family."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, log
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from phonehome.analyzer.comparison.significance import (
    ALPHA,
    CHUNK,
    MOST_EXACT,
    TIE,
    Flags,
    Numbers,
    association_test,
    difference_test,
    false_discoveries,
    floor,
    needed,
    presence_test,
    ratio_interval,
    sameness_test,
)
from phonehome.analyzer.tables import ALL_STATES, CANNOT_TELL, SIDES

HOUR: Final = 3_600 * 1_000_000_000
MOST_MARGIN: Final = 0.999_999
"""A part of the larger rate that is nearly all of it: logarithms know no more."""
LEAST_EXPOSURE: Final = 0.5
"""A side that looked for less than this part of the other's time may have missed what that saw."""


class Seen(NamedTuple):
    """How many repetitions of each side looked, and how many of those saw something."""

    base: Numbers
    base_of: Numbers
    new: Numbers
    new_of: Numbers


@dataclass(frozen=True)
class Family:
    """Tests that are judged together, each with the lowest p-value that it could have given.

    Attributes:
        p: p-value; NaN: no test.
        least: lowest p-value that the data could have given.
        is_apart: the sides differ at all.
        q: p-value corrected for all tests that could have come out; NaN: it is none of them.
    """

    p: Numbers
    least: Numbers
    is_apart: Flags
    q: Numbers

    @classmethod
    def of(cls, p: Numbers, least: Numbers, is_apart: Flags) -> "Family":
        """The tests with their q-values.

        A test that could not have given 0.05 tells nothing either way, and whether it could is
        known without the labels; so it is left out (Tarone 1990; Gilbert 2005).
        """
        is_in = least <= ALPHA * (1 + TIE)  # of NaN false
        q = np.full(len(p), np.nan)
        q[is_in] = false_discoveries(p[is_in])
        return cls(p, least, is_apart, q)

    def parts(self, sizes: list[int]) -> list[tuple[Numbers, Numbers]]:
        """P and q of the tests that were put together, each with its own again."""
        edges = np.cumsum(sizes)[:-1]
        return list(zip(np.split(self.p, edges), np.split(self.q, edges), strict=True))

    @property
    def size(self) -> int:
        """Tests that were corrected together."""
        return int(np.isfinite(self.q).sum())

    def share(self, lowest: float) -> float:
        """Of the tests that could give `lowest`, the part that did; at least one of them."""
        could = self.least <= lowest * (1 + TIE)
        did = could & (self.p <= lowest * (1 + TIE)) & self.is_apart
        return max(1, int(did.sum())) / max(1, int(could.sum()))

    def needed(self, base: int, new: int) -> tuple[bool, int | None]:
        """Whether so many repetitions are too few for any finding, and how many would do."""
        lowest = floor(base, new)
        share = self.share(lowest)
        if lowest <= ALPHA * share * (1 + TIE):
            return False, None
        return True, needed(share)


def seen_in(table: pl.DataFrame) -> Seen:
    """Repetitions that looked and saw, of a table of changes or traits."""
    columns = (f"{side}_{what}" for side in SIDES for what in ("seen_in", "repetitions"))
    return Seen(*(table[name].cast(pl.Float64).to_numpy() for name in columns))


def enough(table: pl.DataFrame, family: Family) -> list[pl.Series]:
    """Per row, whether its repetitions are too few for a finding, and how many are needed."""
    pairs = table.select("base_repetitions", "new_repetitions").rows()
    known = {pair: family.needed(*pair) for pair in set(pairs)}
    return [
        pl.Series("is_few", [known[pair][0] for pair in pairs], dtype=pl.Boolean),
        pl.Series("needed", [known[pair][1] for pair in pairs], dtype=pl.Int64),
    ]


def presence(seen: Seen) -> tuple[Numbers, Numbers, Flags]:
    """Fisher's test per row: p, the lowest possible p, whether the parts that saw it differ.

    NaN where a side did not look, or every repetition saw it.
    """
    rows = np.column_stack(seen).astype(np.int64).tolist()
    found = [
        presence_test(base, base_of, new, new_of)
        if base_of and new_of and base + new < base_of + new_of
        else (np.nan, np.nan)
        for base, base_of, new, new_of in rows
    ]
    p, least = np.array(found, dtype=np.float64).reshape(-1, 2).T
    return p, least, seen.base * seen.new_of != seen.new * seen.base_of


class Volume(NamedTuple):
    """What the rates of repetitions give per row; NaN where there is no test.

    Attributes:
        p: of no difference.
        least: the lowest that it could have been.
        effect: mean logarithm of new less that of base.
        same: p-value that the rates differ by the margin or more.
        low: lower end of the interval of the ratio.
        high: upper end.
    """

    p: Numbers
    least: Numbers
    effect: Numbers
    same: Numbers
    low: Numbers
    high: Numbers


def volume(
    rows: pl.DataFrame, cells: pl.DataFrame, spans: pl.DataFrame, *, same_within: float
) -> Volume:
    """The tests of rates, and the intervals of their ratios.

    Args:
        rows: state and label of each row, in order.
        cells: row, side, repetition, up_unique_bytes of what was sent.
        spans: side, repetition, state, label, exposure.
        same_within: part of the larger rate up to which two rates are the same.
    """
    found = Volume(*(np.full(rows.height, np.nan) for _ in Volume._fields))
    margin = -log(1 - min(same_within, MOST_MARGIN))
    of_spans = rows.with_row_index("row").group_by("state", "label", maintain_order=True)
    by_span = spans.partition_by("state", "label", as_dict=True)
    for span, part in of_spans:
        times = _times(by_span[span])
        base = sum(side == SIDES[0] for side, _ in times)
        if not base or base == len(times):
            continue
        mine = part["row"].to_numpy()
        sent = _matrix(part, cells, times)
        hours = np.array(list(times.values()))
        # A country with one host has the numbers of that host: each is tested once.
        distinct, place = np.unique(sent, axis=0, return_inverse=True)
        tested = _tested(distinct, hours, base, margin)
        low, high = ratio_interval(distinct, hours, base)
        for column, values in zip(found, (*tested, low, high), strict=True):
            column[mine] = np.array(values, dtype=np.float64)[place]  # None becomes NaN
    return found


def _times(spans: pl.DataFrame) -> dict[tuple[str, int], float]:
    """Hours of each side and repetition that observed any, those of the base first."""
    timed = spans.filter(pl.col("exposure").dt.total_nanoseconds() > 0)
    return {
        (side, repetition): nanoseconds / HOUR
        for side, repetition, nanoseconds in timed.sort("side", "repetition")
        .select("side", "repetition", pl.col("exposure").dt.total_nanoseconds())
        .iter_rows()
    }


def _matrix(
    part: pl.DataFrame, cells: pl.DataFrame, times: dict[tuple[str, int], float]
) -> Numbers:
    """Bytes per row of a span and repetition that observed it."""
    columns = pl.DataFrame(
        [(side, repetition, at) for at, (side, repetition) in enumerate(times)],
        schema={"side": pl.String, "repetition": pl.Int64, "column": pl.Int64},
        orient="row",
    )
    placed = (
        part.select("row")
        .with_row_index("at")
        .join(cells, on="row")
        .join(columns, on=["side", "repetition"])
    )
    sent = np.zeros((part.height, len(times)))
    sent[placed["at"].to_numpy(), placed["column"].to_numpy()] = placed["up_unique_bytes"]
    return sent


def _tested(sent: Numbers, hours: Numbers, base: int, margin: float) -> Iterator[Numbers]:
    """P, lowest p, effect, and p of sameness, of the logarithms of rates.

    Half the lowest rate of a row that is not 0 is added to all rates of a row that has a 0: it is
    the same however the labels are dealt, so the test stays exact.
    """
    rates = sent / hours
    is_some = rates > 0
    lowest = np.where(is_some, rates, inf).min(axis=1)
    has_any = np.isfinite(lowest)
    add = np.where(is_some.all(axis=1), 0.0, np.where(has_any, lowest / 2, 1.0))
    logs = np.log(rates + add[:, np.newaxis])
    step = max(1, CHUNK * 1_000 // MOST_EXACT)
    parts = []
    for at in range(0, len(logs), step * 16):
        chunk = logs[at : at + step * 16]
        parts.append((*difference_test(chunk, base), sameness_test(chunk, base, margin)))
    p, least, effect, same = (np.concatenate(column) for column in zip(*parts, strict=True))
    yield from (np.where(has_any, p, np.nan), np.where(has_any, least, np.nan), effect, same)


def places(rows: pl.DataFrame, traits: dict[str, pl.DataFrame]) -> tuple[Numbers, Numbers, Flags]:
    """The test of each host's places: p, the lowest possible p, whether any was tested.

    Args:
        rows: dimension, key and state of each row; hosts over all states are tested.
        traits: per side: repetition, key, trait, value.
    """
    p, least = np.full(rows.height, np.nan), np.full(rows.height, np.nan)
    at = pl.concat(
        [
            table.filter(pl.col("trait") == "place")
            .group_by("key", "repetition")
            .agg(pl.col("value").sort().str.join("; "))
            .with_columns(pl.lit(side).alias("side"))
            for side, table in traits.items()
        ]
    )
    several = (
        at.group_by("key")
        .agg(pl.col("side").n_unique().alias("sides"), pl.col("value").n_unique().alias("kinds"))
        .filter(pl.col("sides") > 1, pl.col("kinds") > 1)
    )
    hosts = (
        rows.with_row_index("row").filter(dimension="host", state=ALL_STATES).select("row", "key")
    )
    by_host = at.join(several, on="key").join(hosts, on="key").sort("row", "side", "repetition")
    for _, of in by_host.group_by("row", maintain_order=True):
        kinds = of["value"].rank("dense").to_numpy().astype(np.intp) - 1
        row = int(of["row"][0])
        p[row], least[row] = association_test(kinds, int((of["side"] == SIDES[0]).sum()))
    return p, least, np.isfinite(p)


def verdict(table: pl.DataFrame) -> pl.DataFrame:
    """The table with verdict, reason, test, p_value and q_value.

    Args:
        table: the columns of `tables.Changes` that describe, and of each test `…_p` and `…_q`,
            `effect`, `is_few`, `needed`, and the repetitions of each side that took time,
            `base_timed` and `new_timed`.
    """
    is_finding = {name: _is_low(f"{name}_q") for name in ("presence", "volume", "place")}
    base, new = pl.col("base_up_unique_bytes_per_hour"), pl.col("new_up_unique_bytes_per_hour")
    one_sided = (pl.col("base_seen_in") == 0) | (pl.col("new_seen_in") == 0)
    is_same = _is_low("sameness_p") & _saw_all("base") & _saw_all("new") & ~_has_moved()
    present = is_finding["presence"] & ~_looked_less()
    changed = is_finding["volume"] & ~is_same & ~one_sided
    seen_more = pl.col("new_seen_in") * pl.col("base_repetitions") > pl.col(
        "base_seen_in"
    ) * pl.col("new_repetitions")
    word, chosen = (
        pl.when(pl.col("change") == "not comparable")
        .then(pl.lit(nothing))
        .when(present & (pl.col("base_seen_in") == 0))
        .then(pl.lit(new_word))
        .when(present & (pl.col("new_seen_in") == 0))
        .then(pl.lit(gone_word))
        .when(is_finding["place"])
        .then(pl.lit(moved))
        .when(changed & (pl.col("effect") > 0) & (new > base))
        .then(pl.lit(more))
        .when(changed & (pl.col("effect") < 0) & (new < base))
        .then(pl.lit(less))
        .when(present & ~one_sided & seen_more)
        .then(pl.lit(oftener))
        .when(present & ~one_sided)
        .then(pl.lit(seldomer))
        .when(is_same)
        .then(pl.lit(same))
        for nothing, new_word, gone_word, moved, more, less, oftener, seldomer, same in (
            (CANNOT_TELL, "new", "gone", "moved", "more", "less", "more", "less", "same"),
            (None, *["presence"] * 2, "place", *["volume"] * 2, *["presence"] * 2, "sameness"),
        )
    )
    reason = (
        pl.when(pl.col("change") == "not comparable")
        .then(pl.lit("unobserved"))
        .when(one_sided & _looked_less())
        .then(pl.lit("exposure"))
        .when(changed)
        .then(pl.lit("direction"))
        .when(pl.col("is_few"))
        .then(pl.lit("few"))
        .otherwise(pl.lit("chance"))
    )
    judged = table.with_columns(
        word.otherwise(pl.lit(CANNOT_TELL)).alias("verdict"),
        chosen.otherwise(_clearest(one_sided)).alias("test"),
    ).with_columns(pl.when(pl.col("verdict") == CANNOT_TELL).then(reason).alias("reason"))
    return judged.with_columns(
        _of_test("p").alias("p_value"),
        _of_test("q").alias("q_value"),
        pl.when(pl.col("reason") == "few").then(pl.col("needed")).alias("needed_repetitions"),
    )


def _is_low(name: str) -> pl.Expr:
    return (pl.col(name) <= ALPHA * (1 + TIE)).fill_null(value=False)


def _has_moved() -> pl.Expr:
    return pl.col("is_moved").fill_null(value=False) & (pl.col("state") == ALL_STATES)


def _saw_all(side: str) -> pl.Expr:
    return pl.col(f"{side}_seen_in") == pl.col(f"{side}_repetitions")


def _looked_less() -> pl.Expr:
    """Whether the side that saw it in fewer of its repetitions looked for much less time."""
    each = {
        side: pl.col(f"{side}_exposure").dt.total_nanoseconds() / pl.col(f"{side}_timed")
        for side in SIDES
    }
    fewer_on_base = pl.col("base_seen_in") * pl.col("new_repetitions") < pl.col(
        "new_seen_in"
    ) * pl.col("base_repetitions")
    less = (
        pl.when(fewer_on_base)
        .then(each["base"] < LEAST_EXPOSURE * each["new"])
        .otherwise(each["new"] < LEAST_EXPOSURE * each["base"])
    )
    return less.fill_null(value=False)


def _clearest(one_sided: pl.Expr) -> pl.Expr:
    """The test of a row that cannot be told: the one with the lowest p-value.

    Where one side alone saw it, that of presence; where it moved, that of places.
    """
    lowest = pl.min_horizontal("presence_p", "volume_p", "place_p")
    return (
        pl.when(one_sided & pl.col("presence_p").is_not_null())
        .then(pl.lit("presence"))
        .when(_has_moved() & pl.col("place_p").is_not_null())
        .then(pl.lit("place"))
        .when(pl.col("volume_p") == lowest)
        .then(pl.lit("volume"))
        .when(pl.col("place_p") == lowest)
        .then(pl.lit("place"))
        .when(pl.col("presence_p") == lowest)
        .then(pl.lit("presence"))
    )


def _of_test(what: str) -> pl.Expr:
    """The value of the test of a row; sameness is in no family."""
    names = [
        name
        for name in ("presence", "volume", "place", "sameness")
        if (name, what) != ("sameness", "q")
    ]
    found = pl.lit(None, dtype=pl.Float64)
    for name in names:
        found = pl.when(pl.col("test") == name).then(pl.col(f"{name}_{what}")).otherwise(found)
    return found
