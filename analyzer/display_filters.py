"""Wireshark display filters: what finds the frames that a row of a table is about."""

from collections.abc import Iterable
from typing import Any, Final

import polars as pl

_MOST_PORTS: Final = 12
MOST_ADDRESSES: Final = 12


def addresses_filter(addresses: Iterable[str]) -> str:
    """The filter that finds what goes to any of these addresses."""
    return " || ".join(
        f"{'ipv6' if ':' in address else 'ip'}.addr == {address}" for address in addresses
    )


def display_filter(row: dict[str, Any]) -> str:
    """The filter that finds the frames of one destination.

    Where an address bears several names the local ports tell them apart, if they are few.
    """
    found = addresses_filter([row["remote_address"]])
    ports, protocols = row["local_ports"], row["protocols"]
    is_told_apart = 0 < len(ports) <= _MOST_PORTS and protocols in (["tcp"], ["udp"])
    if not row["is_shared"] or not is_told_apart:
        return found
    return f"{found} && {protocols[0]}.port in {{{', '.join(map(str, ports))}}}"


def flows_filter(concerned: pl.DataFrame, flows: pl.DataFrame) -> str | None:
    """The filter that finds these flows among all; None: there are none.

    Of more than `MOST_ADDRESSES` addresses those that got most.
    """
    counts = flows.group_by("remote_address").agg(pl.len().alias("all"))
    rows = (
        concerned.group_by("remote_address")
        .agg(
            pl.col("up_unique_bytes").sum().alias("up"),
            pl.len().alias("own"),
            pl.col("local_port").drop_nulls().unique().sort().alias("local_ports"),
            pl.col("protocol").unique().sort().alias("protocols"),
        )
        .join(counts, on="remote_address", how="left")
        .with_columns(is_shared=pl.col("all") > pl.col("own"))
        .sort(-pl.col("up"), "remote_address")
        .head(MOST_ADDRESSES)
    )
    parts = [display_filter(row) for row in rows.to_dicts()]
    if not parts:
        return None
    return " || ".join(f"({part})" if "&&" in part and len(parts) > 1 else part for part in parts)
