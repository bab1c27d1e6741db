"""Places with a verdict: how far the country that databases name can be believed.

Databases have opinions; a round trip is a measurement. Nothing comes back from farther away than
light in fibre gets in half of it. So a country whose nearest point is farther than that from the
phone is impossible, whatever any database says. One that is near enough is consistent, which is
no proof: a lower round trip could still exclude it.
"""

import dataframely as dy
import polars as pl

from phonehome.analyzer.kinds.measured import OPINIONS, TOO_FAR
from phonehome.analyzer.kinds.run import ATTRIBUTION, PHONE_LOCATION
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.tables import Places, RoundTrips
from phonehome.geo import KM_A_SECOND, Location, least_km
from phonehome.geo import Places as GeoPlaces

ALONE = "only one database has an opinion"
AGREED = "the databases agree"
ANYCAST = "announced from many places at once: where it is depends on who asks"
NO_LOCATION = "the distance was not checked, because the phone's place was not named"
NO_ROUND_TRIP = "no round trip was measured"
NO_BORDER = "the map has no border for the country"
_HALF_NANOSECONDS = 2e9
_MS = 1e6


def judged(
    places: dy.DataFrame[GeoPlaces],
    location: Location | None = None,
    round_trips: dy.DataFrame[RoundTrips] | None = None,
) -> dy.DataFrame[Places]:
    """The places with a verdict each, in the same order.

    Impossible outranks disputed, disputed outranks consistent; what cannot be checked is
    unverifiable, with the reason.

    Args:
        places: what databases say of each address.
        location: where the phone was; None: not named.
        round_trips: the shortest round trip to each address; None: none was measured.
    """
    measured = places.join(
        RoundTrips.create_empty() if round_trips is None else round_trips,
        on="address",
        how="left",
        maintain_order="left",
    ).join(_kilometres(places, location), on="country", how="left", maintain_order="left")
    table = (
        measured.with_columns(
            pl.col("scope", "holder_kind").cast(pl.String),
            (pl.col("rtt_floor").dt.total_nanoseconds() / _HALF_NANOSECONDS * KM_A_SECOND).alias(
                "reach_km"
            ),
        )
        .with_columns(_verdict().alias("verdict"))
        .pipe(lambda judged: judged.with_columns(_reason(judged, location).alias("reason")))
    )
    return Places.validate(table.select(Places.column_names()))


def location_notes(location: Location | None) -> tuple[Statement, ...]:
    """What a reader must know of the place that distances are measured from."""
    return (PHONE_LOCATION(place=location.label), ATTRIBUTION()) if location else ()


def _kilometres(places: pl.DataFrame, location: Location | None) -> pl.DataFrame:
    """The least distance to each country that is named; one without a border is left out."""
    named = sorted(places["country"].drop_nulls().unique())
    known = least_km(location, named) if location else {}
    return pl.DataFrame(
        {"country": list(known), "km": list(known.values())},
        schema={"country": pl.String, "km": pl.Float64},
    )


def _verdict() -> pl.Expr:
    """One of the verdicts; null where there is no country to judge."""
    is_checked = pl.col("reach_km").is_not_null() & pl.col("km").is_not_null()
    return (
        pl.when(pl.col("country").is_null())
        .then(None)
        .when(is_checked & (pl.col("km") > pl.col("reach_km")))
        .then(pl.lit("impossible"))
        .when(_given().list.n_unique() > 1)
        .then(pl.lit("disputed"))
        .when(is_checked)
        .then(pl.lit("consistent"))
        .otherwise(pl.lit("unverifiable"))
    )


def _reason(judged: pl.DataFrame, location: Location | None) -> pl.Expr:
    """Why that verdict; null where there is none."""
    said = pl.col("opinions").list.eval(
        pl.format(
            "{} says {}",
            pl.element().struct.field("database"),
            pl.element().struct.field("country").fill_null("nothing"),
        )
    )
    return (
        pl.when(pl.col("verdict") == "disputed")
        .then(said.list.join("; "))
        .when(pl.col("verdict") == "unverifiable")
        .then(OPINIONS.column(judged.select(opinion=_opinions(), checked=_unchecked(location))))
        .when(pl.col("verdict").is_not_null())
        .then(TOO_FAR.column(judged.select(_measured(location))["measured"]))
    )


def _given() -> pl.Expr:
    """The countries that databases name, without those that name none."""
    return pl.col("opinions").list.eval(pl.element().struct.field("country").drop_nulls())


def _opinions() -> pl.Expr:
    """How many speak for the country."""
    return (
        pl.when(pl.col("is_anycast"))
        .then(pl.lit(ANYCAST))
        .when(_given().list.len() == 1)
        .then(pl.lit(ALONE))
        .otherwise(pl.lit(AGREED))
    )


def _unchecked(location: Location | None) -> pl.Expr:
    """Why the distance was not checked."""
    if location is None:
        return pl.lit(NO_LOCATION)
    return (
        pl.when(pl.col("rtt_problem").is_not_null())
        .then(pl.col("rtt_problem"))
        .when(pl.col("rtt_floor").is_null())
        .then(pl.lit(NO_ROUND_TRIP))
        .otherwise(pl.lit(NO_BORDER))
    )


def _measured(location: Location | None) -> pl.Expr:
    """The round trip beside the distance, as parts of `TOO_FAR`."""
    return pl.struct(
        time=(pl.col("rtt_floor").dt.total_nanoseconds() / _MS).round(3).cast(pl.String),
        reach=pl.col("reach_km").floor().cast(pl.Int64).cast(pl.String),
        country=pl.col("country"),
        distance=pl.col("km").floor().cast(pl.Int64).cast(pl.String),
        place=pl.lit(location.label if location else None, pl.String),
    ).alias("measured")
