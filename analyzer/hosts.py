"""The best name of each flow's remote, with the frame that proves it.

In this order: what the flow itself says (SNI, QUIC SNI, HTTP Host), the last DNS answer for the
address before the flow began, what another flow to the same address and port said, a DNS answer
that came later. An address written as a name is no name, and a cover of Encrypted Client Hello
names no destination.
"""

import polars as pl

from captures.words import NAME_SOURCES

DIRECT = ("sni", "quic_sni", "http_host")
COVERS = ("cloudflare-ech.com",)
"""Names that stand in the clear for others behind Encrypted Client Hello."""
IS_ADDRESS = r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*|\[.*\](:\d+)?)$"
CHOICE = ("host", "host_source", "host_frame")


def hosts(flows: pl.DataFrame, sightings: pl.DataFrame) -> pl.DataFrame:
    """Host, host_source and host_frame per flow; flows without a name are left out.

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
    answers = named.filter(pl.col("port").is_null())
    return (
        pl.concat(
            [
                _own(flows, direct),
                _answered_before(flows, answers),
                _said_elsewhere(flows, direct),
                _answered_later(flows, answers),
            ]
        )
        .unique("flow", keep="first", maintain_order=True)
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
