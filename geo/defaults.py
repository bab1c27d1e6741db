"""The databases that are used unless others are named, and what every report says of any."""

import json
from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.geo.countries import DATA
from phonehome.geo.databases import Database, open_database, open_databases
from phonehome.geo.tables import Databases
from phonehome.geo.user_databases import data_folder, installed_databases, joined

OLD_AFTER = timedelta(days=90)


class Origin(NamedTuple):
    """Where an embedded database came from, as `data/sources.json` keeps it."""

    name: str
    file: str
    sha256: str
    data_date: date
    licence: str
    attribution: str
    attribution_url: str
    note: str | None
    source: str


class Vendor(NamedTuple):
    """What a maker's licence demands beside results made with its database."""

    licence: str
    attribution: str
    attribution_url: str


VENDORS = {
    "geolite2-": Vendor(
        "GeoLite End User License Agreement",
        "This product includes GeoLite Data created by MaxMind, available from "
        "https://www.maxmind.com",
        "https://www.maxmind.com",
    ),
    "dbip-country-lite": Vendor("CC BY 4.0", "IP Geolocation by DB-IP", "https://db-ip.com"),
    "dbip-city-lite": Vendor("CC BY 4.0", "IP Geolocation by DB-IP", "https://db-ip.com"),
    "dbip-asn-lite": Vendor("CC BY 4.0", "IP Geolocation by DB-IP", "https://db-ip.com"),
    "ipinfo ": Vendor(
        "CC BY-SA 4.0 where it is a free edition, else by contract",
        "IP address data powered by IPinfo",
        "https://ipinfo.io",
    ),
}
"""Makers whose free editions demand attribution, by the start of the type in the metadata."""


@cache
def origins() -> tuple[Origin, ...]:
    """The embedded databases in the order in which they are asked. Read once."""
    listed = json.loads((DATA / "sources.json").read_text(encoding="utf-8"))["databases"]
    return tuple(
        Origin(
            each["name"],
            each["file"],
            each["sha256"],
            date.fromisoformat(each["data_date"]),
            each["licence"],
            each["attribution"],
            each["attribution_url"],
            each["note"],
            "{registry} {package} {version}".format(**each["source"]),
        )
        for each in listed
    )


def default_databases() -> list[Database]:
    """The embedded databases: country twice, autonomous systems, anycast; in that order.

    Raises:
        DatabaseError: A file of the installation is missing or damaged.
    """
    return [
        open_database(
            DATA / each.file, name=each.name, data_date=each.data_date, known_sha256=each.sha256
        )
        for each in origins()
    ]


def databases_in_use(paths: Sequence[Path] = ()) -> list[Database]:
    """The databases that a user names; else the fetched ones, and behind them the shipped ones.

    Raises:
        DatabaseError: One is missing, damaged, of the wrong kind, or given twice.
    """
    if paths:
        return open_databases(paths)
    return joined(installed_databases(), default_databases())


def other_data() -> list[dict[str, str | None]]:
    """What is shipped beside databases: maps, borders, names of places, each with its terms.

    Keys: name, data_date, sha256, licence, attribution, note; unknown is None.
    """
    listed = json.loads((DATA / "sources.json").read_text(encoding="utf-8"))["other"]
    keys = ("name", "data_date", "sha256", "licence", "attribution", "note")
    return [{key: row.get(key) for key in keys} for row in listed]


def databases_table(databases: Sequence[Database]) -> dy.DataFrame[Databases]:
    """One row per database: what it is, how old, under which licence, with the hash of its file."""
    rows = [_row(position, each) for position, each in enumerate(databases, start=1)]
    return Databases.validate(pl.DataFrame(rows, schema=Databases.create_empty().schema))


def old_databases(databases: dy.DataFrame[Databases], *, on: date) -> dy.DataFrame[Databases]:
    """The databases whose data are more than 90 days older than the given day.

    Networks move between countries and holders, so old data are told to the reader. A database
    without a date is left out: its age is unknown, which its null date shows.
    """
    return Databases.validate(databases.filter(pl.col("data_date") < on - OLD_AFTER))


def _row(position: int, database: Database) -> dict[str, object]:
    """One row of the table of databases."""
    terms = _embedded(database) if database.is_embedded else _user(database)
    return terms | {
        "position": position,
        "name": database.name,
        "kind": database.kind,
        "database_type": database.database_type,
        "data_date": database.data_date,
        "sha256": database.sha256,
        "is_embedded": database.is_embedded,
        "file": _file(database),
        "ip_version": database.ip_version,
        "nodes": database.nodes,
    }


def _file(database: Database) -> str:
    """Where a reader finds the file; of fetched ones without the user's home."""
    is_ours = database.is_embedded or database.path.parent == data_folder()
    return database.path.name if is_ours else str(database.path)


def _embedded(database: Database) -> dict[str, object]:
    """Licence and source of an embedded database."""
    origin = next(each for each in origins() if each.file == database.path.name)
    return {
        "licence": origin.licence,
        "attribution": origin.attribution,
        "attribution_url": origin.attribution_url,
        "note": origin.note,
        "source": origin.source,
    }


def _user(database: Database) -> dict[str, object]:
    """Licence and attribution of a user's database, where its maker is known."""
    kind = database.database_type.lower()
    vendor = next((VENDORS[start] for start in VENDORS if kind.startswith(start)), None)
    return {
        "licence": vendor and vendor.licence,
        "attribution": vendor and vendor.attribution,
        "attribution_url": vendor and vendor.attribution_url,
        "note": None,
        "source": None,
    }
