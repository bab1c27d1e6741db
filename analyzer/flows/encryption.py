"""How what each side of a flow sent is protected: plain, compressed, encrypted, mixed.

Where the protocol is recognised, it tells. Elsewhere the first bytes do, as far as they can: octets
that are evenly spread are encrypted, or compressed, and nobody can tell these apart unless a magic
number says compressed; of fewer than 256 octets nothing is said.
"""

from math import erf, log, sqrt

import dataframely as dy
import polars as pl

from phonehome.captures import VALUES, Z_LIMIT
from phonehome.captures.tables import Contents, Exchanges, MmtlsRecords

ENCRYPTING = ("tls", "quic", "dtls", "mmtls", "ssh")
"""Services whose payload is encrypted."""

SURE = 0.999
"""Lower bound: random octets look like text, are unevenly spread or show a magic number in less
than one of 1,000 samples."""

_SIDES = (("up", "local"), ("down", "remote"))
_ALTERNATIVE_BITS = 7.5
_MOST_OCTETS = 512
_MAGICS = (
    *("1f8b08", "28b52ffd", "04224d18", "fd377a585a", "425a6839", "504b0304"),  # packed
    *("ffd8ffe0", "ffd8ffe1", "ffd8ffdb", "89504e47", "57454250", "66747970", "4f676753"),  # media
)
"""Begins of what is packed, hexadecimal: gzip, zstd, LZ4, xz, bzip2, zip; JPEG, PNG, WebP, MP4,
Ogg. They may stand behind a short head."""
_MAGIC = rf"^(?:[0-9a-f]{{2}})*?(?:{'|'.join(_MAGICS)})"
_ZLIB = r"^(?:[0-9a-f]{4}|[0-9a-f]{8})?78(?:01|5e|9c|da)"


def likelihood(octets: int) -> float:
    """How likely the chi-squared test finds so many octets of 7.5 bits each not to be random.

    Its statistic is then about normal, its mean higher by the noncentrality (octets times 2 ln 2
    times the bits that are missing, for small deviations), its variance by four times that.
    """
    freedom = VALUES - 1
    shift = octets * 2 * log(2) * (8 - _ALTERNATIVE_BITS)
    z = (shift - Z_LIMIT * sqrt(2 * freedom)) / sqrt(2 * freedom + 4 * shift)
    return (1 + erf(z / sqrt(2))) / 2


def with_encryption(
    flows: pl.DataFrame,
    contents: dy.DataFrame[Contents],
    exchanges: dy.DataFrame[Exchanges],
    records: dy.DataFrame[MmtlsRecords],
) -> pl.DataFrame:
    """The flows with `up_encryption`, `down_encryption`, and a confidence for each.

    Args:
        flows: conversation, is_local_b, service, heads and bytes by kind of both ends, payload up
            and down.
        contents: what the first bytes look like of what begins like nothing known.
        exchanges: requests of HTTP with their responses.
        records: records of MMTLS.
    """
    packed, hidden = _packed(exchanges), _hidden(records, exchanges)
    found = flows
    for way, side in _SIDES:
        is_b = pl.col("is_local_b") if side == "local" else ~pl.col("is_local_b")
        found = (
            found.with_columns(is_b.alias("is_from_b"))
            .join(_looks(contents), on=_SIDE, how="left", maintain_order="left")
            .join(packed, on=_SIDE, how="left", maintain_order="left")
            .join(hidden, on=_SIDE, how="left", maintain_order="left")
        )
        is_sent = pl.col(f"{way}_payload_bytes") > 0
        by_octets = pl.when(is_sent & pl.col("service").is_null()).then(_by_octets())
        found = found.with_columns(
            pl.when(is_sent).then(pl.coalesce(_by_service(), by_octets)).alias(f"{way}_encryption"),
            _confidence(by_octets).alias(f"{way}_encryption_confidence"),
        ).drop("is_from_b", "look", "octets", "is_packed", "is_hidden")
    return found


_SIDE = ("conversation", "is_from_b")


def _of_side(what: str) -> pl.Expr:
    """A column of the end that is looked at."""
    return pl.when("is_from_b").then(f"b_{what}").otherwise(f"a_{what}")


def _by_service() -> pl.Expr:
    """The class that the protocol tells; null where it is not recognised.

    TLS of which all that was sent is handshake has sent nothing encrypted.
    """
    application, handshake = _of_side("application_bytes"), _of_side("handshake_bytes")
    is_handshake = (pl.col("service") == "tls") & (application == 0) & (handshake > 0)
    return (
        pl.when(pl.col("service").is_null())
        .then(None)
        .when(is_handshake)
        .then(pl.lit("plain"))
        .when(pl.col("service").is_in(ENCRYPTING))
        .then(pl.lit("encrypted"))
        .when(pl.col("is_hidden"))
        .then(pl.lit("mixed"))
        .when(pl.col("is_packed"))
        .then(pl.lit("compressed"))
        .otherwise(pl.lit("plain"))
    )


def _by_octets() -> pl.Expr:
    """The class that the first bytes tell; null where none were looked at."""
    head = _of_side("head").bin.encode("hex")
    is_magic = head.str.contains(_MAGIC) | head.str.contains(_ZLIB)
    classes = {
        "text": "plain",
        "structured": "plain",
        "random": "encrypted",
        "mixed": "mixed",
        "too_short": "too_short",
    }
    told = pl.col("look").replace_strict(classes, default=None, return_dtype=pl.String)
    return (
        pl.when(is_magic.fill_null(value=False) & (pl.col("look") != "text"))
        .then(pl.lit("compressed"))
        .otherwise(told)
    )


def _confidence(word: pl.Expr) -> pl.Expr:
    """How sure the octets make this class."""
    likelihoods = {count: likelihood(count) for count in range(_MOST_OCTETS + 1)}
    by_length = pl.col("octets").replace_strict(likelihoods, default=1.0, return_dtype=pl.Float64)
    return (
        pl.when(word.is_in(("encrypted", "mixed")))
        .then(by_length)
        .when(word.is_in(("plain", "compressed")))
        .then(pl.lit(SURE))
    )


def _looks(contents: dy.DataFrame[Contents]) -> pl.DataFrame:
    return contents.select(*_SIDE, pl.col("kind").alias("look"), "octets")


def _packed(exchanges: dy.DataFrame[Exchanges]) -> pl.DataFrame:
    """Sides that sent a body of HTTP with a content coding."""
    sides = [
        exchanges.filter(is_coded(f"{what}_coding")).select(
            "conversation", (pl.col("is_from_b") == is_asker).alias("is_from_b")
        )
        for what, is_asker in (("request", True), ("response", False))
    ]
    return pl.concat(sides).unique(_SIDE).with_columns(is_packed=pl.lit(value=True))


def is_coded(column: str) -> pl.Expr:
    """A content coding that packs."""
    return pl.col(column).is_not_null() & (pl.col(column).str.to_lowercase() != "identity")


def _hidden(
    records: dy.DataFrame[MmtlsRecords], exchanges: dy.DataFrame[Exchanges]
) -> pl.DataFrame:
    """Sides of HTTP that sent something encrypted in it: records of MMTLS, or through a tunnel."""
    tunnels = exchanges.filter(pl.col("method") == "CONNECT")
    both = [
        tunnels.select("conversation", pl.lit(value=is_b).alias("is_from_b"))
        for is_b in (False, True)
    ]
    sides = pl.concat([records.select(*_SIDE), *both]).unique(_SIDE)
    return sides.with_columns(is_hidden=pl.lit(value=True))
