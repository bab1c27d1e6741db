"""Sentences on what the phone's flows show beside where they went: what others could read, or not.

Each names how many connections, or how many bytes (payload, each counted once), it is about.
"""

from collections.abc import Collection

import polars as pl

from phonehome.analyzer.flows.hosts import COVERS
from phonehome.analyzer.kinds.counted import counted
from phonehome.analyzer.kinds.statement import Listed, Statement, kept, listed
from phonehome.analyzer.kinds.traffic import (
    ANNOUNCED,
    CLOCK,
    COVERED,
    DECEPTIVE,
    ECH,
    GUESSED,
    ONE_CLOCK,
    OWN_ENCRYPTION,
    PLAIN,
    RESOLVERS,
    UNANSWERED,
)

LISTED = 3
DNS_OVER_TLS = 853  # RFC 7858; RFC 9250 for QUIC
HTTPS = 443
PERCENT = 100


def traffic_notes(
    flows: pl.DataFrame,
    mmtls: pl.DataFrame,
    announced: Collection[str],
) -> list[Statement]:
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


def _announced(names: Collection[str]) -> list[Statement]:
    """Names whose servers say that they take a hidden one."""
    if not names:
        return []
    return [ANNOUNCED(count=counted(len(names), "name"), names=listed(sorted(names), LISTED))]


def _doubtful(flows: pl.DataFrame) -> list[Statement]:
    """Names that are guessed, and names that nothing else in the capture supports."""
    said = []
    guessed = flows.filter(pl.col("is_host_ambiguous").fill_null(value=False))
    sent, whole = (int(table["up_unique_bytes"].sum()) for table in (guessed, flows))
    if sent:
        said.append(GUESSED(bytes=sent, share=_percent(sent, whole)))
    alone = flows.filter(pl.col("host_rule") == "own", ~pl.col("is_host_answered"))
    if alone.height:
        said.append(
            UNANSWERED(connections=counted(alone.height, "connection"), names=_named(alone))
        )
    return said


def _deceptive(flows: pl.DataFrame) -> list[Statement]:
    """Names that look like others."""
    names = flows.filter(pl.col("host_warning").is_not_null())
    rows = names.select("host", pl.col("host_unicode").fill_null("-"), "host_warning").unique()
    return [
        DECEPTIVE(name=name, shown=shown, warning=kept(warning))
        for name, shown, warning in rows.sort("host").head(LISTED).rows()
    ]


def _own_encryption(mmtls: pl.DataFrame) -> list[Statement]:
    """How much went through MMTLS, and what it tells of the phone's clock."""
    if mmtls.is_empty():
        return []
    records = counted(int(mmtls["records"].sum()), "record")
    said = [OWN_ENCRYPTION(bytes=int(mmtls["record_bytes"].sum()), records=records)]
    apart = mmtls.select(
        (pl.col("client_time") - pl.col("client_time_seen").dt.truncate("1s")).dt.total_seconds()
    )["client_time"].drop_nulls()
    if len(apart):
        kind = ONE_CLOCK if len(apart) == 1 else CLOCK
        seconds = sorted(apart.to_list())
        low, high = f"{seconds[0]:+d}", f"{seconds[-1]:+d}"
        said.append(kind(hellos=counted(len(apart), "hello"), low=low, high=high))
    return said


def _plain(flows: pl.DataFrame) -> list[Statement]:
    """What was uploaded in the clear."""
    plain = flows.filter(pl.col("service") == "http", pl.col("up_unique_bytes") > 0)
    if plain.is_empty():
        return []
    sent, whole = (int(table["up_unique_bytes"].sum()) for table in (plain, flows))
    return [PLAIN(bytes=sent, share=_percent(sent, whole), names=_named(plain))]


def _percent(part: int, whole: int) -> str:
    """A share with one decimal; 0.0 and 100.0 are said only where they are exact."""
    share = PERCENT * part / whole
    if 0 < share < 0.1:  # noqa: PLR2004 - what one decimal cannot say
        return "under 0.1"
    return f"{min(share, 99.9) if part < whole else share:.1f}"


def _resolvers(flows: pl.DataFrame) -> list[Statement]:
    """Connections to which names may have gone that no capture shows."""
    is_web = pl.col("remote_port") == HTTPS
    asked = flows.filter(
        (pl.col("remote_port") == DNS_OVER_TLS)
        | ((pl.col("organisation_kind") == "dns").fill_null(value=False) & is_web)
    )
    if asked.is_empty():
        return []
    return [RESOLVERS(connections=counted(asked.height, "connection"), names=_named(asked))]


def _hidden(flows: pl.DataFrame) -> list[Statement]:
    """Connections whose server name may be a cover, or is one."""
    offered = flows.filter(pl.col("is_ech").fill_null(value=False))
    covered = flows.filter(pl.col("is_covered"))
    said = [ECH(connections=counted(offered.height, "connection"))] if offered.height else []
    if covered.height:
        said.append(COVERED(connections=counted(covered.height, "connection"), names=list(COVERS)))
    return said


def _named(flows: pl.DataFrame) -> Listed:
    """The remotes that got most, by name or address, and how many more there are."""
    sums = (
        flows.group_by(pl.coalesce("host", "remote_address").alias("name"))
        .agg(pl.col("up_unique_bytes").sum())
        .sort(-pl.col("up_unique_bytes"), "name")["name"]
        .to_list()
    )
    return listed(sums, LISTED)
