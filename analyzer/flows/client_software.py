"""What software opened each conversation, as far as its first ClientHello shows."""

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.hosts import COVERS
from phonehome.captures.tables import Hellos


def software(hellos: dy.DataFrame[Hellos]) -> pl.DataFrame:
    """One row per conversation with a hello: conversation, alpn, ja3, ja4, is_ech, is_covered.

    Of its first hello that is whole, if one is. Protocols are one text, with commas between; null:
    none. A hello is covered if its name is known to stand for others.
    """
    first = hellos.sort(pl.col("ja4").is_null(), "frame", maintain_order=True)
    offered = pl.col("alpn").list.join(",")
    return first.unique("conversation", keep="first", maintain_order=True).select(
        "conversation",
        pl.when(offered != "").then(offered).alias("alpn"),
        "ja3",
        "ja4",
        "is_ech",
        pl.col("name").is_in(COVERS).fill_null(value=False).alias("is_covered"),
    )
