"""What the tables may be if what is doubtful in them is otherwise than they say.

A claim holds in a capture only if it holds in each of these worlds: wherever the addresses are
whose country has no accepted verdict, whatever names those bear that may bear several, and whether
or not what has no known owner is the app's.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from phonehome.analyzer.claims.file import Claim
from phonehome.analyzer.claims.query_text import Query
from phonehome.analyzer.claims.tables import LOCATED, Tables
from phonehome.analyzer.claims.worker import KEPT

LOCATION: Final = "location unverifiable"
NAMES: Final = "names hidden"
APPS: Final = "app unknown"

ELSEWHERE: Final = "ZZ"
"""A code that no country has: somewhere that the claim does not name."""

NAME_COLUMNS: Final = (
    "host",
    "host_unicode",
    "domain",
    "organisation",
    "organisation_country",
    "organisation_kind",
    "party",
)
OWNER_COLUMNS: Final = frozenset(
    {"organisation", "organisation_country", "organisation_kind", "party"}
)
CODE: Final = re.compile("[A-Z]{2}")
_MOST_CODES: Final = 6
_OF_FLOWS: Final = ("requests", "mmtls", "certificates")
_OWNED: Final = ("flows", "uploads", "bursts", "beacons", "timeline")
_ADDED_UP: Final = ("rates", "amplification")

Columns = Mapping[str, pl.DataFrame]
"""Per table the columns that stand in the place of its own."""


@dataclass(frozen=True, eq=False)  # tables have no truth of being equal
class World:
    """One way in which the doubtful may be: which doubt, and what the tables then are.

    Attributes:
        doubt: kind of doubt.
        columns: what stands in the place of the tables' own.
        is_of_absence: it weighs only where something was not seen: the claim accepts what was.
    """

    doubt: str
    columns: Columns
    is_of_absence: bool = False


def as_found(tables: Tables) -> Columns:
    """The tables as the analysis has them, restricted to the app where it alone counts."""
    return {} if tables.app is None else _of_app(tables, is_unknown_in=not tables.is_alone)


def phone_tables(tables: Tables) -> dict[str, pl.DataFrame]:
    """The tables without what other devices sent: nothing of it is the phone's."""
    flows = tables.frames["flows"]
    return tables.frames | {"flows": flows.filter(pl.col("role") != "bystander")}


def worlds(tables: Tables, claim: Claim) -> list[World]:
    """The other worlds that could change the answer to the query of this claim."""
    found: list[World] = []
    base = as_found(tables)
    if is_by_country(claim.query):
        found += [
            World(LOCATION, _joined(base, columns), is_of_absence)
            for is_of_absence, columns in _placed_elsewhere(tables, claim)
        ]
    if is_by_name(claim.query):
        unsure = _named_otherwise(phone_tables(tables))
        found += [World(NAMES, _joined(base, unsure))] if unsure else []
    is_of_app = tables.app is not None or claim.is_of_app
    if is_of_app and (tables.is_alone or not tables.is_app_alone):
        found += [World(APPS, _of_app(tables, is_unknown_in=tables.is_alone))]
    return found


def is_by_country(query: Query) -> bool:
    """The answer hangs on where databases place addresses."""
    return "country" in query.names or (query.is_of_all_columns and bool(query.tables & {*LOCATED}))


def is_by_owner(query: Query) -> bool:
    """The answer hangs on who runs hosts, which a table says."""
    return bool(query.names & OWNER_COLUMNS)


def is_by_name(query: Query) -> bool:
    """The answer hangs on names of hosts, or on who runs them."""
    return bool(query.names & {*NAME_COLUMNS, "other_hosts", "name", "names"})


def doubtful_places(tables: Tables, accepted: Sequence[str]) -> pl.DataFrame:
    """The public addresses that may be elsewhere than the first database says.

    Of an accepted verdict are here only those whose databases differ: they may be where another
    database says, which weighs only where something was not seen.

    Columns: address, country, verdict, `is_accepted`; `others`, where it may be: where databases
    say, if that is accepted or was held against a round trip; null: anywhere.
    """
    verdict = pl.col("verdict")
    is_moving = pl.col("is_anycast").fill_null(value=False) & (verdict != "consistent")
    is_accepted = verdict.is_in(accepted) & (~is_moving | pl.lit("anycast" in accepted))
    is_held = pl.col("rtt_floor").is_not_null() & pl.lit(tables.is_located)
    is_measured = is_held | pl.lit("unverifiable" in accepted)
    is_between = (verdict == "disputed") & is_measured & ~is_moving
    opinions = pl.col("opinions").list.eval(pl.element().struct.field("country").drop_nulls())
    return (
        tables.frames["places"]
        .filter(pl.col("scope") == "global")
        .with_columns(is_accepted.fill_null(value=False).alias("is_accepted"))
        .with_columns(
            pl.when(pl.col("is_accepted") | is_between)
            .then(opinions.list.unique().list.sort())
            .alias("others")
        )
        .filter(pl.col("others").is_null() | (pl.col("others").list.len() > 1))
        .select("address", "country", "verdict", "is_accepted", "others")
    )


def _placed_elsewhere(tables: Tables, claim: Claim) -> Iterator[tuple[bool, Columns]]:
    """Doubtful addresses in each country that the claim names, in all, and in none of them.

    First those of no accepted verdict; then, for what was not seen, also those where databases
    differ.
    """
    doubtful = doubtful_places(tables, claim.verdicts).to_dicts()
    unaccepted = [row for row in doubtful if not row["is_accepted"]]
    said = (*claim.query.texts, *map(str, claim.expect.wanted))
    codes = list(dict.fromkeys(code for code in said if CODE.fullmatch(code)))
    choices = [codes] + [[code] for code in codes[:_MOST_CODES] if len(codes) > 1]
    frames = phone_tables(tables)
    for rows, is_of_absence in ((unaccepted, False), (doubtful, True)):
        if not rows or (is_of_absence and len(rows) == len(unaccepted)):
            continue
        moved = [
            {row["address"]: _inside(row, chosen) for row in rows} for chosen in choices if chosen
        ]
        moved.append({row["address"]: _outside(row, codes) for row in rows})
        for placed in moved:
            yield is_of_absence, _located(frames, placed)


def _inside(row: dict[str, object], codes: Sequence[str]) -> object:
    """The first of these countries that it may be in; else the one that it is said to be in."""
    return next((code for code in codes if _may_be_in(row, code)), row["country"])


def _outside(row: dict[str, object], codes: Sequence[str]) -> object:
    """A country that is none of these, where it may be in one."""
    others = row["others"]
    candidates = others if isinstance(others, list) else [ELSEWHERE]
    return next((code for code in candidates if code not in codes), row["country"])


def _may_be_in(row: dict[str, object], code: str) -> bool:
    if row["verdict"] == "impossible":
        return code != row["country"]
    others = row["others"]
    return code in others if isinstance(others, list) else True


def _located(frames: Mapping[str, pl.DataFrame], placed: Mapping[str, object]) -> Columns:
    """The column of countries of each table, with these addresses where they are placed."""
    moved = pl.DataFrame(
        {"address": list(placed), "moved": list(placed.values())},
        schema={"address": pl.String, "moved": pl.String},
    )
    return {
        name: frames[name]
        .select(pl.col(key).alias("address"), "country")
        .join(moved, on="address", how="left", maintain_order="left")
        .select(pl.coalesce("moved", "country").alias("country"))
        for name, key in LOCATED.items()
    }


def _named_otherwise(frames: Mapping[str, pl.DataFrame]) -> Columns | None:
    """Tables without the names that flows may not have meant; None: there are none."""
    flows = frames["flows"].with_columns(is_unsure=unsure_name())
    if not flows["is_unsure"].any():
        return None
    keys = ["remote_address", "host", "app"]
    sure = flows.group_by(keys).agg(pl.col("is_unsure").all())
    uploads = frames["uploads"].join(
        sure, on=keys, how="left", nulls_equal=True, maintain_order="left"
    )
    return {"flows": _unnamed(flows), "uploads": _unnamed(uploads)}


def unsure_name() -> pl.Expr:
    """Whether the name of a flow may be another: one of several, or a cover of another."""
    return pl.any_horizontal(pl.col("is_host_ambiguous", "is_ech").fill_null(value=False)) & (
        pl.col("host").is_not_null()
    )


def _unnamed(table: pl.DataFrame) -> pl.DataFrame:
    is_unsure = pl.col("is_unsure").fill_null(value=False)
    columns = [name for name in NAME_COLUMNS if name in table.columns]
    return table.select(pl.when(~is_unsure).then(pl.col(name)).alias(name) for name in columns)


def _of_app(tables: Tables, *, is_unknown_in: bool) -> Columns:
    """Which rows are the app's: those that say so, and with or without those that say nothing."""
    frames = phone_tables(tables)
    found = {name: _kept(frames[name], tables, is_unknown_in) for name in _OWNED}
    flows = frames["flows"].filter(found["flows"][KEPT])["flow"].implode()
    found |= {
        name: frames[name].select(pl.col("flow").is_in(flows).alias(KEPT)) for name in _OF_FLOWS
    }
    if not tables.is_alone:  # they are sums over all apps
        found |= {name: _kept(frames[name], tables, is_unknown_in) for name in _ADDED_UP}
    return found


def _kept(table: pl.DataFrame, tables: Tables, is_unknown_in: bool) -> pl.DataFrame:  # noqa: FBT001 - of a private function
    """Per row whether it is the app's."""
    is_unknown = pl.Series(KEPT, [is_unknown_in]).new_from_index(0, table.height)
    if not tables.is_alone:
        return is_unknown.to_frame()
    return table.select(pl.col("app").eq(tables.app).fill_null(is_unknown_in).alias(KEPT))


def _joined(first: Columns, second: Columns) -> Columns:
    """Both sets of columns, table by table."""
    return {
        name: pl.concat(
            [columns[name] for columns in (first, second) if name in columns], how="horizontal"
        )
        for name in {**first, **second}
    }
