"""What was uploaded by kind, of TLS and QUIC: handshake, application data, keep-alive."""

import polars as pl

KINDS = ("handshake", "application", "keep_alive")
SERVICES = ("tls", "quic")


def with_kinds(flows: pl.DataFrame) -> pl.DataFrame:
    """Adds `up_…_bytes` of each kind; together no more than was uploaded.

    Records are counted when they begin; one of which the end never came counts as far as bytes
    were uploaded.

    Args:
        flows: service, is_local_b, up_unique_bytes, and the bytes per kind of both ends.
    """
    is_known = pl.col("service").is_in(SERVICES)
    is_rest = (pl.col("service") == "quic").fill_null(value=False)
    left = pl.col("up_unique_bytes")
    found = flows
    for kind in KINDS:
        sent = pl.when("is_local_b").then(pl.col(f"b_{kind}_bytes")).otherwise(f"a_{kind}_bytes")
        if kind == "application":  # of QUIC, whatever is no handshake
            sent = pl.when(is_rest).then(left).otherwise(sent)
        capped = pl.min_horizontal(sent, left)
        found = found.with_columns(pl.when(is_known).then(capped).alias(f"up_{kind}_bytes"))
        left -= pl.col(f"up_{kind}_bytes").fill_null(0)
    return found
