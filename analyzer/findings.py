"""Sentences on what the phone's flows show beside where they went: what others could read, or not.

Each names how many connections, or how many bytes (payload, each counted once), it is about.
"""

import polars as pl

from analyzer.hosts import COVERS

PLAIN = (
    "{} bytes ({} %) were uploaded in plain text (HTTP), to {}: whoever carried these packets "
    "could read and change them."
)
RESOLVERS = (
    "{} to resolvers that encrypt ({}): which names were asked for there cannot be seen, so "
    "destinations may lack a name in this capture."
)
ECH = (
    "In {} the client offered Encrypted Client Hello, or a decoy that looks like it: where a "
    "server took it, the server name in the clear is a cover."
)
COVERED = "{} with only a cover ({}) for a server name: it names no destination."
LISTED = 3
DNS_OVER_TLS = 853  # RFC 7858; RFC 9250 for QUIC
HTTPS = 443
PERCENT = 100


def findings(flows: pl.DataFrame) -> list[str]:
    """What is to be said of these flows.

    Args:
        flows: of the phone with public remotes: service, host, remote_address, remote_port,
            organisation_kind, is_ech, up_unique_bytes.
    """
    return [*_plain(flows), *_resolvers(flows), *_hidden(flows)]


def _plain(flows: pl.DataFrame) -> list[str]:
    """What was uploaded in the clear."""
    plain = flows.filter(pl.col("service") == "http", pl.col("up_unique_bytes") > 0)
    if plain.is_empty():
        return []
    sent, whole = (int(table["up_unique_bytes"].sum()) for table in (plain, flows))
    return [PLAIN.format(f"{sent:,}", _percent(sent, whole), _named(plain))]


def _percent(part: int, whole: int) -> str:
    """A share with one decimal; 0.0 and 100.0 are said only where they are exact."""
    share = PERCENT * part / whole
    if 0 < share < 0.1:  # noqa: PLR2004 - what one decimal cannot say
        return "under 0.1"
    return f"{min(share, 99.9) if part < whole else share:.1f}"


def _resolvers(flows: pl.DataFrame) -> list[str]:
    """Connections to which names may have gone that no capture shows."""
    is_web = pl.col("remote_port") == HTTPS
    asked = flows.filter(
        (pl.col("remote_port") == DNS_OVER_TLS)
        | ((pl.col("organisation_kind") == "dns").fill_null(value=False) & is_web)
    )
    if asked.is_empty():
        return []
    return [RESOLVERS.format(_connections(asked.height), _named(asked))]


def _hidden(flows: pl.DataFrame) -> list[str]:
    """Connections whose server name may be a cover, or is one."""
    offered = flows.filter(pl.col("is_ech").fill_null(value=False))
    covered = flows.filter(pl.col("is_covered"))
    said = [ECH.format(_connections(offered.height))] if offered.height else []
    if covered.height:
        said.append(COVERED.format(_connections(covered.height), ", ".join(COVERS)))
    return said


def _connections(count: int) -> str:
    return f"{count:,} connection{'' if count == 1 else 's'}"


def _named(flows: pl.DataFrame) -> str:
    """The remotes that got most, by name or address, and how many more there are."""
    sums = (
        flows.group_by(pl.coalesce("host", "remote_address").alias("name"))
        .agg(pl.col("up_unique_bytes").sum())
        .sort(-pl.col("up_unique_bytes"), "name")["name"]
        .to_list()
    )
    more = f" and {len(sums) - LISTED} more" if sums[LISTED:] else ""
    return ", ".join(sums[:LISTED]) + more
