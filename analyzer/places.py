"""Places with a verdict: how far a country can be believed, as far as is known today."""

import dataframely as dy
import polars as pl

from analyzer.tables import Places
from geo import Places as GeoPlaces

ALONE = "only one database has an opinion, and no distance was checked"
AGREED = "the databases agree, but no distance was checked"
ANYCAST = "announced from many places at once: where it is depends on who asks"


def judged(places: dy.DataFrame[GeoPlaces]) -> dy.DataFrame[Places]:
    """The places with a verdict each: disputed where databases differ, else unverifiable."""
    given = pl.col("opinions").list.eval(pl.element().struct.field("country").drop_nulls())
    said = pl.col("opinions").list.eval(
        pl.format(
            "{} says {}",
            pl.element().struct.field("database"),
            pl.element().struct.field("country").fill_null("nothing"),
        )
    )
    is_disputed = given.list.n_unique() > 1
    has_country = pl.col("country").is_not_null()
    table = places.with_columns(
        pl.col("scope").cast(pl.String),
        pl.lit(None, dtype=pl.Duration("ns")).alias("rtt_floor"),
        pl.when(has_country & is_disputed)
        .then(pl.lit("disputed"))
        .when(has_country)
        .then(pl.lit("unverifiable"))
        .alias("verdict"),
        pl.when(has_country & is_disputed)
        .then(said.list.join("; "))
        .when(has_country & pl.col("is_anycast"))
        .then(pl.lit(ANYCAST))
        .when(has_country & (given.list.len() == 1))
        .then(pl.lit(ALONE))
        .when(has_country)
        .then(pl.lit(AGREED))
        .alias("reason"),
    )
    return Places.validate(table.select(Places.column_names()))
