"""What to know before believing a row of a comparison: moves, disputed places, shared addresses."""

import polars as pl

from phonehome.analyzer.comparison.repetition import HOST
from phonehome.analyzer.comparison.sides import Side

MOST = 3
"""So many addresses are named in a remark; the others are counted."""

KEY = ("dimension", "key")


def place_facts(base: Side, new: Side, host: pl.Expr) -> pl.DataFrame:
    """Per host of either side: whether it is a name, its countries and ASNs, whether it moved.

    Args:
        base: the one side.
        new: the other.
        host: the key of a host, over `Side.sent`.
    """
    both = _places_of(base, host).join(_places_of(new, host), on="key", how="full", coalesce=True)
    is_on_both = pl.col("base_addresses").is_not_null() & pl.col("new_addresses").is_not_null()
    differs = {
        what: pl.col(f"base_{what}") != pl.col(f"new_{what}")
        for what in ("addresses", "countries", "asns")
    }
    nothing = [
        pl.col(f"{side}_{what}") for side in ("base", "new") for what in ("countries", "asns")
    ]
    return both.with_columns(
        pl.lit("host").alias("dimension"),
        (pl.col("base_is_named").fill_null(pl.col("new_is_named"))).alias("is_named"),
        pl.when(is_on_both)
        .then(differs["addresses"] & (differs["countries"] | differs["asns"]))
        .alias("is_moved"),
        *(column.fill_null([]) for column in nothing),
    ).select(
        *KEY,
        "is_named",
        "base_countries",
        "new_countries",
        "base_asns",
        "new_asns",
        "is_moved",
    )


def _places_of(side: Side, host: pl.Expr) -> pl.DataFrame:
    name = side.side
    return side.sent.group_by(host.alias("key")).agg(
        pl.col("host").is_not_null().any().alias(f"{name}_is_named"),
        _set("remote_address").alias(f"{name}_addresses"),
        _set("country").alias(f"{name}_countries"),
        _set("asn").alias(f"{name}_asns"),
    )


def _set(column: str) -> pl.Expr:
    return pl.col(column).drop_nulls().unique().sort()


def remarks(base: Side, new: Side) -> pl.DataFrame:
    """Per dimension and key, its remarks as one text; keys without one are left out."""
    said = pl.concat(
        [*_of_countries(base, new), *_of_hosts(base, new, HOST)], how="vertical_relaxed"
    )
    return (
        said.filter(pl.col("key").is_not_null())
        .group_by(*KEY, "about")
        .agg(
            pl.col("text").unique().sort().head(MOST).str.join("; "),
            (pl.col("text").n_unique().cast(pl.Int64) - MOST).alias("left"),
        )
        .with_columns(
            pl.when(pl.col("left") > 0)
            .then(pl.format("{}; and {} more", "text", "left"))
            .otherwise("text")
            .alias("text")
        )
        .sort(*KEY, "about")
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("text").str.join("; ").alias("remark"))
    )


def _of_countries(base: Side, new: Side) -> list[pl.DataFrame]:
    """Addresses that another database places in another country, for both countries."""
    differing = (
        pl.concat([_opinions(base), _opinions(new)])
        .group_by("address", "country", "database", "other")
        .agg(pl.col("side").unique().sort().str.join(" and "))
    )
    country = pl.col("country").fill_null("no country")
    return [
        differing.select(
            pl.lit("country").alias("dimension"),
            pl.col("country").alias("key"),
            pl.lit("elsewhere").alias("about"),
            pl.format("{} places {} ({}) in {}", "database", "address", "side", "other").alias(
                "text"
            ),
        ),
        differing.select(
            pl.lit("country").alias("dimension"),
            pl.col("other").alias("key"),
            pl.lit("here").alias("about"),
            pl.format(
                "{} also places {} ({}) here, the first database in {}",
                "database",
                "address",
                "side",
                country,
            ).alias("text"),
        ),
    ]


def _opinions(side: Side) -> pl.DataFrame:
    """Opinions that are not the first one, of the remotes of a side."""
    opinion = pl.col("opinions").struct
    return (
        side.places.join(side.sent, left_on="address", right_on="remote_address", how="semi")
        .select("address", "country", "opinions")
        .explode("opinions")
        .select(
            "address",
            "country",
            opinion.field("database").alias("database"),
            opinion.field("country").alias("other"),
            pl.lit(side.side).alias("side"),
        )
        .filter(pl.col("other").is_not_null() & pl.col("other").ne_missing(pl.col("country")))
    )


def _of_hosts(base: Side, new: Side, host: pl.Expr) -> list[pl.DataFrame]:
    """Addresses that bear another name on a side that does not know the host."""
    seen = [
        side.sent.select(
            host.alias("key"),
            pl.col("remote_address").alias("address"),
            pl.col("host"),
            pl.lit(side.side).alias("side"),
        ).unique()
        for side in (base, new)
    ]
    named = pl.concat(seen).filter(pl.col("host").is_not_null())
    return [
        _elsewhere(seen[0], seen[1]),
        _elsewhere(seen[1], seen[0]),
        pl.concat(seen)
        .filter(pl.col("host").is_null())
        .select("key", "address")
        .unique()
        .join(named.drop("key"), on="address")
        .group_by("key", "host")
        .agg(pl.col("side").unique().sort().str.join(" and "))
        .select(
            pl.lit("host").alias("dimension"),
            "key",
            pl.lit("name").alias("about"),
            pl.format("the address also bears the name {} ({})", "host", "side").alias("text"),
        ),
    ]


def _elsewhere(here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Names that the other side does not know, at addresses that it does."""
    known_as = pl.col("host_right").fill_null("an address without a name")
    return (
        here.filter(pl.col("host").is_not_null())
        .join(there, on="key", how="anti")
        .join(there, on="address")
        .select(
            pl.lit("host").alias("dimension"),
            "key",
            pl.lit("address").alias("about"),
            pl.format("{} on {} is {}", "address", "side_right", known_as).alias("text"),
        )
    )
