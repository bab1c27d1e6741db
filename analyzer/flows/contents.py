"""What flows look like whose protocol is not known."""

import dataframely as dy
import polars as pl

from phonehome.captures.tables import Contents

_SIDES = (("up", True), ("down", False))


def with_contents(flows: pl.DataFrame, contents: dy.DataFrame[Contents]) -> pl.DataFrame:
    """The flows with what each side's first bytes look like, where the service is not known.

    Adds `up_content`, `down_content`, `up_entropy`, `down_entropy`, and `framing`: that of the
    phone's first message, else that of the remote's.
    """
    is_known = pl.col("service").is_not_null()
    for way, is_up in _SIDES:
        side = contents.select(
            "conversation",
            (pl.col("is_from_b") == is_up).alias("is_local_b"),
            pl.col("kind").alias(f"{way}_content"),
            pl.col("entropy").alias(f"{way}_entropy"),
            pl.col("framing").alias(f"{way}_framing"),
        )
        flows = flows.join(
            side, on=("conversation", "is_local_b"), how="left", maintain_order="left"
        )
    framing = pl.coalesce("up_framing", "down_framing").alias("framing")
    found = flows.with_columns(framing).drop("up_framing", "down_framing")
    names = [f"{way}_{what}" for way, _ in _SIDES for what in ("content", "entropy")]
    return found.with_columns(
        pl.when(~is_known).then(pl.col(name)).alias(name) for name in (*names, "framing")
    )
