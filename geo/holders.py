"""Who really holds a network: the company behind an autonomous system, and its home country.

Read from `data/holders.csv`, a table by hand of the systems that phones meet most. Each row names
what the number is registered as, so that a test can hold it against the shipped data, and where a
reader finds the home of the company. Home is where the parent has its head office: neither where
the servers stand, nor where a holding or a branch is registered.
"""

import csv
from functools import cache
from typing import NamedTuple

import dataframely as dy
import polars as pl

from phonehome.geo.countries import DATA, country_name
from phonehome.geo.tables import Holders


class Holder(NamedTuple):
    """The company behind an autonomous system; one row of `Holders` without the number."""

    holder: str
    country: str
    kind: str
    registered_as: str
    source: str


@cache
def holder_index() -> dict[int, Holder]:
    """The company behind each autonomous system that the table has, by number. Read once."""
    with (DATA / "holders.csv").open(encoding="utf-8", newline="") as rows:
        return {
            int(row["asn"]): Holder(
                row["holder"], row["country"], row["kind"], row["registered_as"], row["source"]
            )
            for row in csv.DictReader(rows)
        }


def holders() -> dy.DataFrame[Holders]:
    """Every row of the table, sorted by number."""
    rows = [(asn, *holder) for asn, holder in sorted(holder_index().items())]
    return Holders.validate(pl.DataFrame(rows, schema=Holders.create_empty().schema, orient="row"))


def held_by(country: str | None, asn: int | None, as_org: str | None) -> str:
    """Where an address is and who holds its network, in one line.

    As `in Singapore, on AS132203 of Tencent (CN, cloud)`, with what is not known left out or said.
    """
    where = f"in {country_name(country)}" if country else "in a country that nobody names"
    if asn is None:
        return f"{where}, on a network that nobody names"
    known = holder_index().get(asn)
    if known is not None:
        return f"{where}, on AS{asn} of {known.holder} ({known.country}, {known.kind})"
    return f"{where}, on AS{asn} of {as_org or 'a holder that nobody names'}"
