"""Tables written by hand: conversations, what their packets add up to, sightings."""

import polars as pl

from phonehome.captures import PacketSums
from phonehome.captures.tables import Conversations, Sightings
from phonehome.captures.words import SUMS
from tests.captures.payloads import NO_KINDS


def conversations(*rows):
    """Conversations from (protocol, a, a_port, b, b_port); nobody opened, no link addresses."""
    names = ("protocol", "a_address", "a_port", "b_address", "b_port")
    table = pl.DataFrame(
        [
            dict(zip(names, row, strict=True)) | NO_KINDS | {"conversation": at}
            for at, row in enumerate(rows)
        ],
        schema=Conversations.create_empty().schema,
    )
    return Conversations.validate(table)


def side(conversation, *, is_from_b=False, code=0, **sums):
    """One row of `PacketSums.sides`: a packet of 100 bytes on the wire unless said otherwise."""
    usual = {
        "packets": 1,
        "wire_bytes": 100,
        "ip_bytes": 86,
        "link_bytes": 14,
        "network_header_bytes": 20,
        "transport_header_bytes": 8,
        "payload_bytes": 58,
        "unique_bytes": 58,
        "outbound_packets": 0,
        "inbound_packets": 0,
        "first_time": 0,
        "last_time": 0,
        "first_frame": 1,
        "last_frame": 1,
    }
    return {"conversation": conversation, "is_from_b": is_from_b, "code": code} | usual | sums


def tallied(*sides, outcomes=()):
    """What packets add up to, from rows of `side`; outcomes as (number, packets, wire bytes)."""
    schema = {
        "conversation": pl.Int32,
        "is_from_b": pl.Boolean,
        "code": pl.Int32,
        "packets": pl.Int64,
        **dict.fromkeys(SUMS, pl.Int64),
        "outbound_packets": pl.Int64,
        "inbound_packets": pl.Int64,
        "first_time": pl.Datetime("ns", "UTC"),
        "first_frame": pl.Int64,
        "last_time": pl.Datetime("ns", "UTC"),
        "last_frame": pl.Int64,
    }
    others = [
        {"outcome": number, "packets": packets, "wire_bytes": wire}
        | dict.fromkeys(set(SUMS) - {"wire_bytes"}, 0)
        for number, packets, wire in outcomes
    ]
    rest = {name: kind for name, kind in schema.items() if name == "packets" or name in SUMS}
    return PacketSums(
        begin=None,
        sides=pl.DataFrame(list(sides), schema=schema),
        bins=pl.DataFrame(),
        bin_seconds=1,
        outcomes=pl.DataFrame(others, schema={"outcome": pl.UInt8, **rest}),
        contacts=pl.DataFrame(),
        pause=0,
        contacts_left_out=0,
    )


def sightings(*rows):
    """Sightings from (frame, time, conversation, address, port, name, source)."""
    names = ("frame", "time", "conversation", "address", "port", "name", "source")
    table = pl.DataFrame(
        [dict(zip(names, row, strict=True)) | {"is_from_b": False} for row in rows],
        schema=Sightings.create_empty().schema,
    )
    return Sightings.validate(table)
