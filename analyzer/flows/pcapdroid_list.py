"""PCAPdroid's list of connections beside a capture: the app of flows that have none in it.

The list is the CSV that PCAPdroid exports (`ConnectionsTable`): a line per connection with its two
ends, the app's user id and name, and when it was seen first and last.
"""

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import polars as pl

from phonehome.analyzer.flows.apps import Apps, listed_app
from phonehome.analyzer.kinds.run import BAD_ROWS, UNMATCHED
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.timeline.local_times import zone_of
from phonehome.analyzer.user_files import octets_of
from phonehome.captures import path_text
from phonehome.captures.words import PROTOCOLS
from phonehome.errors import PhonehomeError

SOURCE: Final = "connections"
TOLERANCE: Final = timedelta(seconds=5)
"""A flow may begin so much before its connection, or end so much behind it: the list is made by
another clock, and notes a connection once it is known."""
LONGEST_LIST: Final = 512 << 20
NEEDED: Final = ("ipproto", "srcip", "srcport", "dstip", "dstport")
MILLISECONDS_FROM: Final = 100_000_000_000  # more seconds than this are milliseconds
COLUMNS: Final = {
    "protocol": pl.String(),
    "local_address": pl.String(),
    "local_port": pl.Int64(),
    "remote_address": pl.String(),
    "remote_port": pl.Int64(),
    "uid": pl.Int64(),
    "listed": pl.String(),
    "begin": pl.Datetime("ns", "UTC"),
    "end": pl.Datetime("ns", "UTC"),
}
ENDS: Final = ("protocol", "local_address", "local_port", "remote_address", "remote_port")


class ConnectionsError(PhonehomeError):
    """A list of connections cannot be read, or is none."""


@dataclass(frozen=True)
class Connections:
    """Connections of all lists.

    Attributes:
        table: a row each: `connection` (number), `ENDS`, `uid`, `listed` (app as the list has it),
            `begin` and `end` (null: the list does not say, or in a zone that nobody named).
        notes: what was wrong with the lists.
    """

    table: pl.DataFrame
    notes: tuple[Statement, ...]


def read_connections(paths: Sequence[Path], timezone: str | None) -> Connections:
    """The connections of these lists.

    Raises:
        ConnectionsError: a file cannot be read, is no list of connections, or lists none.
        TimelineError: nobody knows the zone.
    """
    zone = zone_of(timezone)
    tables, notes = [pl.DataFrame(schema=COLUMNS)], []
    for path in paths:
        whole = _parsed(path, zone)
        is_good = pl.all_horizontal(
            pl.col("protocol", "local_address", "remote_address").is_not_null()
        )
        good, bad = whole.filter(is_good), whole.filter(~is_good)
        if not len(good):
            raise ConnectionsError(f"{path}: no connection in it")
        if len(bad):
            notes.append(
                BAD_ROWS(list=path_text(path.name), count=len(bad), line=int(bad["line"][0]))
            )
        tables.append(good.select(*COLUMNS))
    table = pl.concat(tables).with_row_index("connection")
    return Connections(table, tuple(notes))


def _parsed(path: Path, zone: ZoneInfo | None) -> pl.DataFrame:
    said = _columns(path)
    missing = [name for name in NEEDED if name not in said.columns]
    if missing:
        raise ConnectionsError(
            f"{path}: expected PCAPdroid's list of connections (CSV), found no column "
            f"{', '.join(missing)}"
        )
    none = pl.lit(None, dtype=pl.String)
    column = {
        name: pl.col(name) if name in said.columns else none
        for name in (*NEEDED, "uid", "app", "package", "firstseen", "lastseen")
    }
    uid = _number(column["uid"])
    is_known = (uid >= 0).fill_null(value=True)  # PCAPdroid writes -1 where it knows no owner
    name = pl.coalesce(_text(column["package"]), _text(column["app"]))
    return said.with_row_index("line", 2).select(
        pl.col("line").cast(pl.Int64),
        _protocol(column["ipproto"]).alias("protocol"),
        _address(said["srcip"], "local_address"),
        _number(column["srcport"]).alias("local_port"),
        _address(said["dstip"], "remote_address"),
        _number(column["dstport"]).alias("remote_port"),
        pl.when(is_known).then(uid).alias("uid"),
        pl.when(is_known).then(name).alias("listed"),
        _time(column["firstseen"], zone).alias("begin"),
        _time(column["lastseen"], zone).alias("end"),
    )


def _columns(path: Path) -> pl.DataFrame:
    """The file as columns of text, their names in small letters."""
    octets = octets_of(path, LONGEST_LIST, ConnectionsError)
    octets = octets.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"")
    head = octets.split(b"\n", 1)[0]
    try:
        table = pl.read_csv(
            io.BytesIO(octets),
            separator=";" if head.count(b";") > head.count(b",") else ",",
            infer_schema=False,
            encoding="utf8-lossy",
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError as error:
        raise ConnectionsError(
            f"{path}: expected PCAPdroid's list of connections (CSV): "
            f"{str(error).partition(chr(10))[0]}"
        ) from error
    names = [name.strip().strip('"').lower() for name in table.columns]
    if any("_duplicated_" in name for name in names) or len(set(names)) < len(names):
        raise ConnectionsError(f"{path}: two columns have one name")
    table.columns = names
    return table


def _text(column: pl.Expr) -> pl.Expr:
    stripped = column.str.strip_chars()
    return pl.when(stripped != "").then(stripped)


def _number(column: pl.Expr) -> pl.Expr:
    return column.str.strip_chars().cast(pl.Int64, strict=False)


def _protocol(column: pl.Expr) -> pl.Expr:
    """Protocols by number or by name, as flows have them."""
    numbers = {str(number): name for number, name in PROTOCOLS.items()}
    names = {name: name for name in PROTOCOLS.values()}
    return column.str.strip_chars().str.to_lowercase().replace_strict(numbers | names, default=None)


def _address(column: pl.Series, name: str) -> pl.Series:
    """Addresses in their usual short form; null: none."""
    known = column.unique().to_list()
    return column.replace_strict(
        known, [_short(text) for text in known], return_dtype=pl.String
    ).alias(name)


def _short(text: str | None) -> str | None:
    try:
        return str(ip_address((text or "").strip().strip("[]")))
    except ValueError:
        return None


def _time(column: pl.Expr, zone: ZoneInfo | None) -> pl.Expr:
    """Times in UTC: seconds or milliseconds since 1970, or as text with a zone of its own."""
    number = column.str.strip_chars().cast(pl.Int64, strict=False)
    is_fine = number.is_between(0, 253_402_300_800_000)
    milliseconds = pl.when(number >= MILLISECONDS_FROM).then(number).otherwise(number * 1_000)
    counted = pl.from_epoch(pl.when(is_fine).then(milliseconds), "ms").dt.replace_time_zone("UTC")
    text = column.str.strip_chars().str.replace(" ", "T", literal=True)
    zoned = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f%#z", time_zone="UTC", strict=False)
    found = [counted.cast(pl.Datetime("ns", "UTC")), zoned.cast(pl.Datetime("ns", "UTC"))]
    if zone is not None:
        local = text.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False)
        placed = local.dt.replace_time_zone(zone.key, ambiguous="null", non_existent="null")
        found.append(placed.dt.convert_time_zone("UTC").cast(pl.Datetime("ns", "UTC")))
    return pl.coalesce(found)


def with_connections(
    flows: pl.DataFrame, connections: Connections, apps: Apps
) -> tuple[pl.DataFrame, pl.DataFrame, set[int]]:
    """The flows of one capture with what the lists say of them.

    A flow takes the connection with the same protocol and ends, either way round, that shares most
    time with it, `TOLERANCE` on both sides. A connection without times fits only where all that
    could be meant name one app. What the capture itself says stays.

    Args:
        flows: with `ENDS`, `first_time`, `last_time`, `first_frame`, `app`, `app_source`, `uid`.
        connections: of all lists.
        apps: packages by user id.

    Returns:
        The flows, with `app`, `app_source` and `uid` filled; of those that the list gives another
        owner than the capture, `first_frame`; the numbers of the connections that were found.
    """
    if connections.table.is_empty():
        return flows, flows.select("first_frame").clear(), set()
    fitting = _fitting(flows, connections.table)
    best = (
        fitting.sort("flow", -pl.col("shared"), "connection", nulls_last=True)
        .group_by("flow", maintain_order=True)
        .agg(pl.col("listed", "uid").first(), is_timed=pl.col("shared").is_not_null().any(),
             owners=pl.struct("listed", "uid").n_unique())
        .filter(pl.col("is_timed") | (pl.col("owners") == 1))
        .select("flow", "listed", pl.col("uid").alias("listed_uid"))
        .with_columns(listed_app(pl.col("listed_uid"), pl.col("listed"), apps).alias("listed"))
    )  # fmt: skip
    joined = flows.join(best, on="flow", how="left", maintain_order="left")
    is_new = pl.col("app").is_null() & pl.col("listed").is_not_null()
    differs = pl.when(pl.col("uid").is_not_null() & pl.col("listed_uid").is_not_null())
    is_other = differs.then(pl.col("uid") != pl.col("listed_uid")).otherwise(
        pl.col("app") != pl.col("listed")
    )
    disagreeing = joined.filter(pl.col("listed").is_not_null() & ~is_new & is_other)
    filled = joined.with_columns(
        pl.when(is_new).then("listed").otherwise("app").alias("app"),
        pl.when(is_new).then(pl.lit(SOURCE)).otherwise("app_source").alias("app_source"),
        pl.when(is_new).then("listed_uid").otherwise("uid").alias("uid"),
    ).drop("listed", "listed_uid")
    return filled, disagreeing.select("first_frame"), set(fitting["connection"].to_list())


def _fitting(flows: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Pairs of flow and connection that may be one: `flow`, and the connection's columns.

    `shared` is the time that they share, null where the list has no time.
    """
    other_way = table.rename(
        {
            "local_address": "remote_address", "local_port": "remote_port",
            "remote_address": "local_address", "remote_port": "local_port",
        }
    )  # fmt: skip
    both = pl.concat([table, other_way.select(table.columns)])
    begin = pl.max_horizontal(pl.col("begin") - TOLERANCE, "first_time")
    end = pl.min_horizontal(pl.coalesce("end", "begin") + TOLERANCE, "last_time")
    shared = pl.when(pl.col("begin").is_not_null() & pl.col("first_time").is_not_null()).then(
        (end - begin).dt.total_nanoseconds()
    )
    return (
        flows.select("flow", *ENDS, "first_time", "last_time")
        .join(both, on=ENDS, nulls_equal=True)
        .unique(["flow", "connection"], maintain_order=True)
        .with_columns(shared=shared)
        .filter(pl.col("shared").is_null() | (pl.col("shared") >= 0))
    )


def connection_notes(
    connections: Connections, found: Collection[int], flows: pl.DataFrame
) -> list[Statement]:
    """What was wrong with the lists, and what of them and of the phone's flows has no match."""
    total, unnamed = len(connections.table), flows["app"].null_count()
    lost = total - len(found)
    if not total or not (lost or unnamed):
        return list(connections.notes)
    return [
        *connections.notes,
        UNMATCHED(unmatched=lost, connections=total, without=unnamed, flows=len(flows)),
    ]
