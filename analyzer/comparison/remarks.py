"""What to know before believing a row of a comparison: moves, disputed places, shared addresses."""

from collections.abc import Iterator

import polars as pl

from phonehome.analyzer.comparison.repetition import HOST
from phonehome.analyzer.comparison.sides import Side
from phonehome.analyzer.kinds.comparison import (
    ALSO_HERE,
    AND_MORE,
    IS_NAMED,
    NO_NAME,
    OTHER_COUNTRY,
    OTHER_NAME,
    REMARKS,
)
from phonehome.analyzer.kinds.statement import kept

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
    by_key = (
        said.filter(pl.col("key").is_not_null())
        .group_by(*KEY, "about")
        .agg(
            pl.col("text").unique().sort().head(MOST),
            (pl.col("text").n_unique().cast(pl.Int64) - MOST).alias("left"),
        )
        .sort(*KEY, "about")
        .group_by(KEY, maintain_order=True)
        .agg("text", "left")
    )
    remarks = [
        REMARKS(parts=list(_parts(row["text"], row["left"])))
        for row in by_key.iter_rows(named=True)
    ]
    texts = pl.Series("remark", list(map(str, remarks)), dtype=pl.String)
    return by_key.select(KEY).with_columns(texts)


def _parts(groups: list[list[str]], left: list[int]) -> Iterator[str]:
    """The remarks of each group, and how many more it has."""
    for texts, more in zip(groups, left, strict=True):
        yield from map(kept, texts)
        if more > 0:
            yield AND_MORE(count=more)


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
            OTHER_COUNTRY.column(
                differing.select("database", "address", "side", country="other")
            ).alias("text"),
        ),
        differing.select(
            pl.lit("country").alias("dimension"),
            pl.col("other").alias("key"),
            pl.lit("here").alias("about"),
            ALSO_HERE.column(
                differing.select("database", "address", "side", country=country)
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
    others = (
        pl.concat(seen)
        .filter(pl.col("host").is_null())
        .select("key", "address")
        .unique()
        .join(named.drop("key"), on="address")
        .group_by("key", "host")
        .agg(pl.col("side").unique().sort().str.join(" and "))
    )
    return [
        _elsewhere(seen[0], seen[1]),
        _elsewhere(seen[1], seen[0]),
        others.select(
            pl.lit("host").alias("dimension"),
            "key",
            pl.lit("name").alias("about"),
            OTHER_NAME.column(others.select("side", name="host")).alias("text"),
        ),
    ]


def _elsewhere(here: pl.DataFrame, there: pl.DataFrame) -> pl.DataFrame:
    """Names that the other side does not know, at addresses that it does."""
    met = (
        here.filter(pl.col("host").is_not_null())
        .join(there, on="key", how="anti")
        .join(there, on="address")
        .select("key", "address", side="side_right", name="host_right")
    )
    return met.select(
        pl.lit("host").alias("dimension"),
        "key",
        pl.lit("address").alias("about"),
        pl.coalesce(
            IS_NAMED.column(met.select("address", "side", "name")),
            NO_NAME.column(met.select("address", "side")),
        ).alias("text"),
    )
