"""The shortest round trip to each remote, and why there is none that can be used.

Used are handshakes that the phone began: SYN to SYN-ACK, and QUIC's Initial to the first datagram
back. Where something near the phone answers for the servers (`terminators`), they measure the way
to that, so none of the capture is used: a lower bound on the distance would be claimed that nothing
supports. What answers that late tells of its own: see `relay_hint`.
"""

import dataframely as dy
import polars as pl

from phonehome.analyzer.kinds.measured import RELAY
from phonehome.analyzer.places.near_answers import NEEDED, terminator
from phonehome.analyzer.tables import RoundTrips

TOO_FAST = "handshakes were answered within a millisecond, nearer than any public server is"
NO_HANDSHAKE = "no handshake that the phone began was captured with its answer"

LEAST_FLOWS = 3
FAR_FASTER = 4
LEAST_TRIP_MS = 1.0
RELAY_MS = 50.0

_MS = 1e6


def usable(flows: pl.DataFrame) -> pl.DataFrame:
    """The flows of one capture with `trip` and `trip_problem`, one of which is null.

    Args:
        flows: of one capture: opener, is_local_b, protocol, role, app_source, addresses, and the
            three times and the hop limit of `captures.tables.Conversations`.
    """
    own = pl.when("is_local_b").then(pl.lit("b")).otherwise(pl.lit("a"))
    is_first = pl.col("protocol").eq("udp") & ~pl.col("is_local_b")
    is_own = (pl.col("opener") == own).fill_null(is_first)
    timed = flows.with_columns(pl.when(is_own).then("handshake").alias("trip"))
    problem = pl.lit(terminator(timed.filter(role="phone").select(NEEDED)), pl.String)
    is_too_fast = _ms("trip") < LEAST_TRIP_MS
    return timed.with_columns(
        pl.coalesce(
            pl.when(pl.col("trip").is_null()).then(pl.lit(NO_HANDSHAKE)),
            problem,
            pl.when(is_too_fast).then(pl.lit(TOO_FAST)),
        ).alias("trip_problem")
    ).with_columns(pl.when(pl.col("trip_problem").is_null()).then("trip").alias("trip"))


def _ms(column: str) -> pl.Expr:
    return pl.col(column).dt.total_nanoseconds() / _MS


def round_trips(flows: pl.DataFrame) -> dy.DataFrame[RoundTrips]:
    """One row per remote of the phone's flows.

    Args:
        flows: of all captures, with what `usable` adds.
    """
    phones = flows.filter(role="phone").select(
        "flow", "remote_address", "trip", "trip_problem", "answered"
    )
    shortest = phones.group_by(pl.col("remote_address").alias("address")).agg(
        rtt_floor=pl.col("trip").min(),
        rtt_problem=pl.col("trip_problem")
        .sort_by(pl.col("trip_problem") == NO_HANDSHAKE, "flow")
        .drop_nulls()
        .first(),
        hint=_hint(),
    )
    return RoundTrips.validate(
        shortest.with_columns(
            pl.when(pl.col("rtt_floor").is_null()).then("rtt_problem").alias("rtt_problem"),
            pl.when(pl.col("rtt_floor").is_not_null())
            .then(RELAY.column(shortest["hint"]))
            .alias("relay_hint"),
        )
        .select(RoundTrips.column_names())
        .sort("address")
    )


def _hint() -> pl.Expr:
    """What answers that never come soon suggest of one address; null: nothing."""
    floor, answers = pl.col("trip").min(), pl.col("answered").filter(pl.col("trip").is_not_null())
    soonest = answers.min()
    is_late = (soonest > FAR_FASTER * floor) & (
        (soonest - floor).dt.total_nanoseconds() / _MS > RELAY_MS
    )
    return pl.when(is_late & (answers.count() >= LEAST_FLOWS)).then(
        pl.struct(
            handshake=(floor.dt.total_nanoseconds() / _MS).round(1).cast(pl.String),
            requests=answers.count().cast(pl.String),
            answer=(soonest.dt.total_nanoseconds() / _MS).round(1).cast(pl.String),
        )
    )
