"""What hosts that both sides met are like: services, fingerprints of TLS, periodic contacts."""

import dataframely as dy
import polars as pl

from phonehome.analyzer.comparison.sides import Side
from phonehome.analyzer.comparison.significance import ALPHA, TIE, Numbers
from phonehome.analyzer.comparison.verdicts import Family, enough
from phonehome.analyzer.tables import CANNOT_TELL, TRAITS, Traits


def met_traits(base: Side, new: Side) -> pl.DataFrame:
    """Values of traits of hosts on both sides, and how many repetitions saw them, in order.

    Columns: key, trait, value, and per side `…_repetitions` (that met the host), `…_seen_in`.
    """
    met = _met(base).join(_met(new), on="key")
    seen = _seen(base).join(_seen(new), on=["key", "trait", "value"], how="full", coalesce=True)
    return (
        seen.join(met, on="key")
        .with_columns(pl.col("base_seen_in", "new_seen_in").fill_null(0))
        .sort("key", pl.col("trait").replace_strict(list(TRAITS), range(len(TRAITS))), "value")
    )


def _met(side: Side) -> pl.DataFrame:
    return side.traits.group_by("key").agg(
        pl.col("repetition").n_unique().cast(pl.Int64).alias(f"{side.side}_repetitions")
    )


def _seen(side: Side) -> pl.DataFrame:
    return (
        side.traits.filter(pl.col("trait").is_in(TRAITS))
        .group_by("key", "trait", "value")
        .agg(pl.col("repetition").n_unique().cast(pl.Int64).alias(f"{side.side}_seen_in"))
    )


def judged_traits(
    table: pl.DataFrame, tested: tuple[Numbers, Numbers], family: Family
) -> dy.DataFrame[Traits]:
    """The traits with their verdicts.

    Args:
        table: as `met_traits` has them.
        tested: p and q of their presence.
        family: all tests of the comparison.
    """
    base, new = pl.col("base_seen_in"), pl.col("new_seen_in")
    is_finding = (pl.col("q_value") <= ALPHA * (1 + TIE)).fill_null(value=False)
    grew = new * pl.col("base_repetitions") > base * pl.col("new_repetitions")
    is_everywhere = (base == pl.col("base_repetitions")) & (new == pl.col("new_repetitions"))
    p, q = tested
    verdict = (
        pl.when(is_finding & (base == 0))
        .then(pl.lit("new"))
        .when(is_finding & (new == 0))
        .then(pl.lit("gone"))
        .when(is_finding & grew)
        .then(pl.lit("more"))
        .when(is_finding)
        .then(pl.lit("less"))
        .when(is_everywhere & ~pl.col("is_few"))
        .then(pl.lit("same"))
        .otherwise(pl.lit(CANNOT_TELL))
    )
    judged = table.with_columns(
        pl.Series("p_value", p, nan_to_null=True),
        pl.Series("q_value", q, nan_to_null=True),
        pl.when(base == 0)
        .then(pl.lit("new"))
        .when(new == 0)
        .then(pl.lit("gone"))
        .otherwise(pl.lit("same"))
        .alias("change"),
        *enough(table, family),
    ).with_columns(verdict.alias("verdict"))
    is_short = pl.col("is_few") & (pl.col("verdict") == CANNOT_TELL)
    return Traits.validate(
        judged.with_columns(
            pl.when(is_short).then(pl.col("needed")).alias("needed_repetitions")
        ).select(Traits.column_names())
    )
