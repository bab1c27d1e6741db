"""The best name of each flow's remote, with the frame that proves it, and the names it might be.

In this order: what the flow itself says (SNI, QUIC SNI, HTTP Host), the last answer to a look-up
(DNS, HTTPDNS) that gave the address before the flow began, what another flow to the same address
and port said, the certificate that the flow's server showed, that which it showed to another flow,
an answer that came later. An address written as a name is no name, and a cover of Encrypted
Client Hello names no destination.

A name that the flow itself does not say is a guess where the same address bore others: the flow
is ambiguous, and they are listed.
"""

import polars as pl

from phonehome.analyzer.tables.flows import HOST_RULES
from phonehome.captures.words import NAME_SOURCES

DIRECT = ("sni", "quic_sni", "http_host")
COVERS = ("cloudflare-ech.com",)
"""Names that stand in the clear for others behind Encrypted Client Hello."""
IS_ADDRESS = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*|\[.*\](:\d+)?)$"
CHOICE = ("host", "host_source", "host_frame")
ANSWERS = ("dns", "httpdns")
LISTED_NAMES = 16
SURE_RULES = ("own", "certificate")


def hosts(flows: pl.DataFrame, sightings: pl.DataFrame) -> pl.DataFrame:
    """Per flow host, host_source, host_frame, host_rule, and what speaks against them.

    `other_hosts` are up to `LISTED_NAMES` other names that the address (and port) bore,
    `is_host_ambiguous`: the flow itself does not say its name, and there are others;
    `is_host_answered`: an answer to a look-up gave this address for this name; null where the
    name is such an answer, or where there is no answer at all. Flows without a name are left out.

    Args:
        flows: of one capture: flow, conversation, remote_address, remote_port, first_time.
        sightings: of the same capture, as `captures.tables.Sightings`.
    """
    rank = {source: place for place, source in enumerate(NAME_SOURCES)}
    named = (
        sightings.filter(~pl.col("name").str.contains(IS_ADDRESS), ~pl.col("name").is_in(COVERS))
        .with_columns(pl.col("source").replace_strict(rank, return_dtype=pl.Int64).alias("rank"))
        .select(
            "conversation",
            "address",
            "port",
            "time",
            "rank",
            pl.col("name").alias("host"),
            pl.col("source").alias("host_source"),
            pl.col("frame").alias("host_frame"),
        )
        .sort("rank", "host_frame", "host")
    )
    direct = named.filter(pl.col("host_source").is_in(DIRECT))
    shown = named.filter(pl.col("host_source") == "certificate")
    answers = named.filter(pl.col("host_source").is_in(ANSWERS))
    found = (
        _own(flows, direct),
        _answered_before(flows, answers),
        _said_elsewhere(flows, direct),
        _own(flows, shown),
        _said_elsewhere(flows, shown),
        _answered_later(flows, answers),
    )
    chosen = (
        pl.concat(
            [
                table.with_columns(host_rule=pl.lit(rule))
                for table, rule in zip(found, HOST_RULES, strict=True)
            ]
        )
        .unique("flow", keep="first", maintain_order=True)
        .sort("flow")
    )
    return _with_others(chosen, flows, named, answers)


def _with_others(
    chosen: pl.DataFrame, flows: pl.DataFrame, named: pl.DataFrame, answers: pl.DataFrame
) -> pl.DataFrame:
    """What speaks against the names that were chosen, beside them."""
    ends = flows.select("flow", "remote_address", "remote_port")
    chosen = chosen.join(ends, on="flow", maintain_order="left")
    places = chosen.select("remote_address", "remote_port").unique()
    by_address = named.filter(pl.col("port").is_null()).select("address", "host").unique()
    by_port = named.filter(pl.col("port").is_not_null()).select("address", "port", "host").unique()
    borne = pl.concat(
        [
            places.join(by_address, left_on="remote_address", right_on="address"),
            places.join(
                by_port, left_on=("remote_address", "remote_port"), right_on=("address", "port")
            ),
        ]
    ).unique()
    several = borne.group_by("remote_address", "remote_port").agg(
        pl.col("host").sort().head(LISTED_NAMES + 1).alias("other_hosts")
    )
    several = several.filter(pl.col("other_hosts").list.len() > 1)
    given = answers.select("address", "host").unique().with_columns(pl.lit(value=True).alias("hit"))
    is_answer = pl.col("host_source").is_in(ANSWERS)
    return (
        chosen.join(several, on=("remote_address", "remote_port"), how="left", nulls_equal=True)
        .join(given, left_on=("remote_address", "host"), right_on=("address", "host"), how="left")
        .with_columns(
            pl.col("other_hosts")
            .list.set_difference(pl.concat_list("host"))
            .list.sort()
            .list.head(LISTED_NAMES)
            .fill_null(pl.lit([], dtype=pl.List(pl.String))),
            pl.when(~is_answer & pl.lit(answers.height > 0))
            .then(pl.col("hit").fill_null(value=False))
            .alias("is_host_answered"),
        )
        .with_columns(
            is_host_ambiguous=~pl.col("host_rule").is_in(SURE_RULES)
            & (pl.col("other_hosts").list.len() > 0)
        )
        .select(
            "flow", *CHOICE, "host_rule", "other_hosts", "is_host_ambiguous", "is_host_answered"
        )
        .sort("flow")
    )


def _own(flows: pl.DataFrame, direct: pl.DataFrame) -> pl.DataFrame:
    """What the flow itself says, the most telling source, then the first frame."""
    first = direct.unique(("conversation", "address"), keep="first", maintain_order=True)
    return flows.join(
        first,
        left_on=("conversation", "remote_address"),
        right_on=("conversation", "address"),
        maintain_order="left",
    ).select("flow", *CHOICE)


def _answered_before(flows: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The last DNS answer for the address at or before the flow's first packet."""
    timed = answers.filter(pl.col("time").is_not_null()).sort("time", "host_frame", "host")
    return (
        flows.filter(pl.col("first_time").is_not_null())
        .sort("first_time")
        .join_asof(
            timed,
            left_on="first_time",
            right_on="time",
            by_left="remote_address",
            by_right="address",
            strategy="backward",
            check_sortedness=False,
        )
        .filter(pl.col("host").is_not_null())
        .select("flow", *CHOICE)
    )


def _said_elsewhere(flows: pl.DataFrame, direct: pl.DataFrame) -> pl.DataFrame:
    """What another flow to the same address and port says first."""
    first = direct.unique(("address", "port"), keep="first", maintain_order=True)
    return flows.join(
        first,
        left_on=("remote_address", "remote_port"),
        right_on=("address", "port"),
        maintain_order="left",
    ).select("flow", *CHOICE)


def _answered_later(flows: pl.DataFrame, answers: pl.DataFrame) -> pl.DataFrame:
    """The first DNS answer for the address at all."""
    first = answers.unique("address", keep="first", maintain_order=True)
    return flows.join(
        first, left_on="remote_address", right_on="address", maintain_order="left"
    ).select("flow", *CHOICE)
