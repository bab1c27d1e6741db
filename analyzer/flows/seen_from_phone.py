"""Conversations of a capture, seen from the phone: roles, sides, counts."""

from collections.abc import Collection, Mapping

import polars as pl

from phonehome.captures import PacketSums
from phonehome.captures.words import SUMS

PUBLIC_SCOPES = ("global", "translation", "tunnel")
"""Scopes of remotes outside the phone's own network; the last two hide where they lead."""
GROUP_SCOPES = ("multicast", "broadcast")

PACKET_SUMS = ("packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes")


def scope_of(column: str, scopes: Mapping[str, str]) -> pl.Expr:
    """Scope of each address of a column; every address must be in the dictionary."""
    addresses = pl.Series(scopes.keys(), dtype=pl.String)
    return pl.col(column).replace_strict(addresses, pl.Series(scopes.values(), dtype=pl.String))


def seen_from_phone(
    conversations: pl.DataFrame, scopes: Mapping[str, str], phone: Collection[str]
) -> pl.DataFrame:
    """One row per conversation: role, is_local_b, and both ends as local and remote.

    Phone and public remote: `phone`. Phone and any other remote, and whatever goes to a group:
    `local`. The rest: `bystander`, whose local end is the one that sent first.
    """
    is_a, is_b = (pl.col(f"{end}_address").is_in(list(phone)) for end in "ab")
    is_public = pl.col("remote_scope").is_in(PUBLIC_SCOPES)
    is_group = [scope_of(f"{end}_address", scopes).is_in(GROUP_SCOPES) for end in "ab"]
    return (
        conversations.with_columns(
            (is_b & ~is_a).alias("is_local_b"),
            (is_a | is_b).alias("is_phones"),
            pl.any_horizontal(is_group).alias("is_group"),
        )
        .with_columns(
            *(
                pl.when("is_local_b").then(far).otherwise(near).alias(f"{side}_{what}")
                for side, near_end, far_end in (("local", "a", "b"), ("remote", "b", "a"))
                for what in ("address", "port")
                for near, far in [(pl.col(f"{near_end}_{what}"), pl.col(f"{far_end}_{what}"))]
            ),
        )
        .with_columns(scope_of("remote_address", scopes).alias("remote_scope"))
        .with_columns(
            pl.when(pl.col("is_phones") & is_public)
            .then(pl.lit("phone"))
            .when(pl.col("is_phones") | pl.col("is_group"))
            .then(pl.lit("local"))
            .otherwise(pl.lit("bystander"))
            .alias("role")
        )
    )


def directed(seen: pl.DataFrame, sides: pl.DataFrame) -> pl.DataFrame:
    """Sums per conversation and phase code, as `up_…` and `down_…`; no traffic is 0."""
    oriented = sides.join(
        seen.select("conversation", "is_local_b"), on="conversation"
    ).with_columns((pl.col("is_from_b") == pl.col("is_local_b")).alias("is_up"))
    sums = [
        pl.when(pl.col("is_up") == is_up)
        .then(pl.col(name))
        .otherwise(0)
        .sum()
        .alias(f"{way}_{name}")
        for way, is_up in (("up", True), ("down", False))
        for name in PACKET_SUMS
    ]
    return oriented.group_by("conversation", "code").agg(
        *sums,
        pl.col("first_time", "first_frame").min(),
        pl.col("last_time", "last_frame").max(),
    )


def flow_sums(per_phase: pl.DataFrame) -> pl.DataFrame:
    """Sums per conversation."""
    return per_phase.group_by("conversation").agg(
        *(pl.col(f"{way}_{name}").sum() for way in ("up", "down") for name in PACKET_SUMS),
        pl.col("first_time", "first_frame").min(),
        pl.col("last_time", "last_frame").max(),
    )


def parts_by_role(seen: pl.DataFrame, sums: PacketSums) -> pl.DataFrame:
    """Packets and all byte sums per role, straight from the packets."""
    return (
        sums.sides.join(seen.select("conversation", "role"), on="conversation")
        .group_by("role")
        .agg(pl.col("packets", *SUMS).sum())
    )
