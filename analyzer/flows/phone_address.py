"""Which addresses of a capture are the phone's, and why; the rejected candidates too.

The user's word comes first, then what the file says (direction flags, SLL packet types), then
what a phone does: it opens connections and asks for names, from an address that is not public.
"""

from collections.abc import Collection, Mapping, Sequence
from ipaddress import ip_address

import dataframely as dy
import polars as pl

from phonehome.analyzer.flows.seen_from_phone import scope_of
from phonehome.analyzer.tables import Phones
from phonehome.captures import CaptureTables, PacketSums
from phonehome.captures.tables import Conversations

OWN_SCOPES = ("private", "link_local", "shared", "unique_local")
NEVER_SCOPES = ("multicast", "broadcast", "unspecified", "loopback")
DNS_PORT = 53
ROUTER_ADDRESSES = 8  # a link address that sends from more of them forwards for others

GIVEN = "given by the user"
SAID = "the file marks packets as sent from it"
BEHAVES = "opens connections and asks for names"
BUSIEST = "takes part in most of the traffic; nothing opened a connection or asked for a name"
BUSIEST_OWN = (
    "is not public and takes part in most of the traffic; nothing opened a connection or asked for"
    " a name"
)
SAME_MAC = "same link address as the phone"
SAME_BEHAVIOUR = "behaves as the phone does, in the other IP version; the link has no addresses"


def phone_addresses(
    captures: Sequence[tuple[str, CaptureTables]], scopes: Mapping[str, str], given: Collection[str]
) -> dy.DataFrame[Phones]:
    """Who the phone is: candidates of all captures of a run, decided once for all of them.

    Args:
        captures: name and tables of each, in order.
        scopes: scope of every address in them.
        given: addresses that the user named, in any form; then nothing is inferred.

    Raises:
        ValueError: a given address is none.
    """
    tables = [phones(name, of.conversations, of.sums, scopes, given) for name, of in captures]
    return Phones.validate(pl.concat(tables))


def phones(
    capture: str,
    conversations: dy.DataFrame[Conversations],
    sums: PacketSums,
    scopes: Mapping[str, str],
    given: Collection[str],
) -> dy.DataFrame[Phones]:
    """Candidates of one capture: taken ones first, then by what speaks for them.

    Args:
        capture: name of the capture.
        conversations: its conversations.
        sums: what its packets add up to.
        scopes: scope of every address in it.
        given: addresses that the user named, in any form; then nothing is inferred.

    Raises:
        ValueError: a given address is none.
    """
    ends = _ends(conversations, sums, scopes)
    if given:
        named = {str(ip_address(address)) for address in given}
        chosen = {address: GIVEN for address in ends["address"] if address in named}
    else:
        chosen = _said(ends) or _inferred(ends)
        chosen |= _of_same_link(ends, chosen)
    candidates = ends.filter(
        pl.col("address").is_in(list(chosen))
        | pl.col("scope").is_in(OWN_SCOPES)
        | (pl.col("outbound_packets") > 0)
        | (pl.col("opened_public") > 0)
    )
    table = candidates.with_columns(
        pl.lit(capture).alias("capture"),
        pl.col("address").is_in(list(chosen)).alias("is_phone"),
        pl.col("address")
        .replace_strict(chosen, default=None, return_dtype=pl.String)
        .fill_null(_rejection(given, chosen))
        .alias("reason"),
    ).sort(
        pl.col("is_phone"),
        "outbound_packets",
        "opened",
        "asked_dns",
        "packets",
        "address",
        descending=[True, True, True, True, True, False],
    )
    return Phones.validate(table.select(Phones.column_names()))


def _rejection(given: Collection[str], chosen: dict[str, str]) -> str:
    if given:
        return "the user named others"
    if SAID in chosen.values():
        return "the file marks no packet as sent from it"
    return "another address opens more connections"


def _ends(conversations: pl.DataFrame, sums: PacketSums, scopes: Mapping[str, str]) -> pl.DataFrame:
    """One row per address: what it did."""
    per_side = (
        sums.sides.lazy()
        .group_by("conversation", "is_from_b")
        .agg(pl.col("packets", "outbound_packets", "inbound_packets").sum())
    )
    per_conversation = conversations.lazy().join(
        per_side.group_by("conversation").agg(pl.col("packets").sum()), on="conversation"
    )
    sides = []
    for end, other in (("a", "b"), ("b", "a")):
        sent = per_side.filter(pl.col("is_from_b") == (end == "b"))
        heard = per_side.filter(pl.col("is_from_b") == (end == "a"))
        is_public = scope_of(f"{other}_address", scopes) == "global"
        sides.append(
            per_conversation.join(
                sent.select("conversation", "outbound_packets"), on="conversation", how="left"
            )
            .join(heard.select("conversation", "inbound_packets"), on="conversation", how="left")
            .select(
                pl.col(f"{end}_address").alias("address"),
                pl.col(f"{end}_mac").alias("mac"),
                "packets",
                "conversation",
                (
                    pl.col("outbound_packets").fill_null(0) + pl.col("inbound_packets").fill_null(0)
                ).alias("outbound_packets"),
                (pl.col("opener") == end).fill_null(value=False).alias("opened"),
                ((pl.col("opener") == end).fill_null(value=False) & is_public).alias(
                    "opened_public"
                ),
                (pl.lit(end == "a") & (pl.col(f"{other}_port") == DNS_PORT))
                .fill_null(value=False)
                .alias("asked_dns"),
                (pl.lit(end == "a") & is_public).alias("spoke_first"),
                (
                    scope_of(f"{other}_address", scopes).is_in(OWN_SCOPES)
                    & (pl.lit(end == "b") | (pl.col("opener") == other).fill_null(value=False))
                ).alias("served"),
            )
        )
    did = pl.col(
        "packets",
        "outbound_packets",
        "opened",
        "opened_public",
        "asked_dns",
        "spoke_first",
        "served",
    )
    return (
        pl.concat(sides)
        .group_by("address", "mac")
        .agg(pl.len().alias("times"), did.cast(pl.Int64).sum())
        .sort("times", "mac", descending=[True, False])
        .group_by("address", maintain_order=True)
        .agg(
            pl.col("mac").drop_nulls().first(),
            pl.col("mac").drop_nulls().sort().alias("macs"),
            did.sum(),
        )
        .with_columns(scope_of("address", scopes).alias("scope"))
        .sort("address")
        .collect()
    )


def _said(ends: pl.DataFrame) -> dict[str, str]:
    """Addresses from which the file says that packets were sent.

    Not public ones that opened nothing and served an address that is not public: there the file
    was written by a machine that forwards, and its outbound is the phone's inbound.
    """
    is_server = (
        (pl.col("scope") == "global") & (pl.col("opened_public") == 0) & (pl.col("served") > 0)
    )
    marked = ends.filter(
        (pl.col("outbound_packets") > 0) & ~pl.col("scope").is_in(NEVER_SCOPES) & ~is_server
    )
    if not len(marked):
        return {}
    most = int(marked["outbound_packets"].max())  # type: ignore[arg-type] # a column of Int64
    clear = marked.filter(pl.col("outbound_packets") * 100 >= most)
    return dict.fromkeys(clear["address"], SAID)


def _inferred(ends: pl.DataFrame) -> dict[str, str]:
    """The address that behaves most like a phone, one per IP version where links are bare."""
    possible = ends.filter(~pl.col("scope").is_in(NEVER_SCOPES))
    behaving = possible.filter(
        (pl.col("opened_public") + pl.col("asked_dns") + pl.col("opened") + pl.col("spoke_first"))
        > 0
    )
    ranked = behaving.with_columns(pl.col("scope").is_in(OWN_SCOPES).alias("is_own")).sort(
        "opened_public",
        "is_own",
        "asked_dns",
        "opened",
        "spoke_first",
        "packets",
        "address",
        descending=[True] * 6 + [False],
    )
    if not len(ranked):
        return _busiest(possible)
    best = ranked.row(0, named=True)
    chosen = {best["address"]: BEHAVES}
    if best["mac"] is None:
        is_six = ":" in best["address"]
        others = ranked.filter(pl.col("address").str.contains(":", literal=True) != is_six)
        if len(others) and others["opened_public"][0] + others["asked_dns"][0] > 0:
            chosen[others["address"][0]] = SAME_BEHAVIOUR
    return chosen


def _busiest(possible: pl.DataFrame) -> dict[str, str]:
    """The busiest address that is not public, since servers on the internet are; else any."""
    own = possible.filter(pl.col("scope").is_in(OWN_SCOPES))
    busiest = (own if len(own) else possible).sort("packets", "address", descending=[True, False])
    if not len(busiest):
        return {}
    return {busiest["address"][0]: BUSIEST_OWN if 0 < len(own) < len(possible) else BUSIEST}


def _of_same_link(ends: pl.DataFrame, chosen: dict[str, str]) -> dict[str, str]:
    """Other addresses that the phone's link address sends from, unless it forwards for others."""
    macs = set(ends.filter(pl.col("address").is_in(list(chosen)))["mac"].drop_nulls())
    same: dict[str, str] = {}
    for mac in sorted(macs):
        of_mac = ends.filter(pl.col("macs").list.contains(mac))
        sending = of_mac.filter(~pl.col("scope").is_in(NEVER_SCOPES))
        is_public = (sending["scope"] == "global") & ~sending["address"].str.contains(":")
        if len(sending) > ROUTER_ADDRESSES or is_public.any():
            continue
        same |= {address: SAME_MAC for address in sending["address"] if address not in chosen}
    return same
