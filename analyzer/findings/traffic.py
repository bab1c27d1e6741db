"""Sentences on what the phone's flows show beside where they went: what others could read, or not.

Each names how many connections, or how many bytes (payload, each counted once), it is about.
"""

from collections.abc import Collection

import polars as pl

from phonehome.analyzer.flows.hosts import COVERS

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
ANNOUNCED = (
    "Answers of DNS announce Encrypted Client Hello for {} ({}): the server name that a client "
    "sends there may be a cover."
)
GUESSED = (
    "{} bytes ({} %) were uploaded to addresses that bore several names, of which the flow itself "
    "says none: the name given is the likeliest, and the others are listed."
)
UNANSWERED = (
    "{} with a name for which no look-up in the capture gave that address ({}): it was looked up "
    "before, elsewhere or encrypted, or the name is a front."
)
DECEPTIVE = "The name {} ({}) {}."
OWN_ENCRYPTION = (
    "{} bytes in {} of MMTLS, WeChat's own encryption: without its keys their content cannot be "
    "read, their number and length can."
)
CLOCK = (
    "The phone's clock, as {} of MMTLS {}, differs from the capture's by {:+.0f} to {:+.0f} s "
    "(to the second)."
)
LISTED = 3
DNS_OVER_TLS = 853  # RFC 7858; RFC 9250 for QUIC
HTTPS = 443
PERCENT = 100


def findings(flows: pl.DataFrame, mmtls: pl.DataFrame, announced: Collection[str]) -> list[str]:
    """What is to be said of these flows.

    Args:
        flows: of the phone with public remotes: service, host with all that is known of it,
            remote_address, remote_port, organisation_kind, is_ech, up_unique_bytes.
        mmtls: as `analyzer.tables.Mmtls`.
        announced: names for which DNS announces Encrypted Client Hello.
    """
    return [
        *_plain(flows),
        *_resolvers(flows),
        *_hidden(flows),
        *_announced(announced),
        *_doubtful(flows),
        *_deceptive(flows),
        *_own_encryption(mmtls),
    ]


def _announced(names: Collection[str]) -> list[str]:
    """Names whose servers say that they take a hidden one."""
    if not names:
        return []
    return [ANNOUNCED.format(_counted(len(names), "name"), _listed(sorted(names)))]


def _doubtful(flows: pl.DataFrame) -> list[str]:
    """Names that are guessed, and names that nothing else in the capture supports."""
    said = []
    guessed = flows.filter(pl.col("is_host_ambiguous").fill_null(value=False))
    sent, whole = (int(table["up_unique_bytes"].sum()) for table in (guessed, flows))
    if sent:
        said.append(GUESSED.format(f"{sent:,}", _percent(sent, whole)))
    alone = flows.filter(pl.col("host_rule") == "own", ~pl.col("is_host_answered"))
    if alone.height:
        said.append(UNANSWERED.format(_connections(alone.height), _named(alone)))
    return said


def _deceptive(flows: pl.DataFrame) -> list[str]:
    """Names that look like others."""
    names = flows.filter(pl.col("host_warning").is_not_null())
    rows = names.select("host", pl.col("host_unicode").fill_null("-"), "host_warning").unique()
    return [DECEPTIVE.format(*row) for row in rows.sort("host").head(LISTED).rows()]


def _own_encryption(mmtls: pl.DataFrame) -> list[str]:
    """How much went through MMTLS, and what it tells of the phone's clock."""
    if mmtls.is_empty():
        return []
    records = _counted(int(mmtls["records"].sum()), "record")
    said = [OWN_ENCRYPTION.format(f"{int(mmtls['record_bytes'].sum()):,}", records)]
    apart = mmtls.select(
        (pl.col("client_time") - pl.col("client_time_seen").dt.truncate("1s")).dt.total_seconds()
    )["client_time"].drop_nulls()
    if len(apart):
        hellos = _counted(len(apart), "hello")
        verb = "states" if len(apart) == 1 else "state"
        said.append(CLOCK.format(hellos, verb, apart.min(), apart.max()))
    return said


def _counted(count: int, one: str) -> str:
    return f"{count:,} {one}{'' if count == 1 else 's'}"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if names[LISTED:] else ""
    return ", ".join(names[:LISTED]) + more


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
    return _counted(count, "connection")


def _named(flows: pl.DataFrame) -> str:
    """The remotes that got most, by name or address, and how many more there are."""
    sums = (
        flows.group_by(pl.coalesce("host", "remote_address").alias("name"))
        .agg(pl.col("up_unique_bytes").sum())
        .sort(-pl.col("up_unique_bytes"), "name")["name"]
        .to_list()
    )
    return _listed(sums)
