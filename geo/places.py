"""What the databases say of each address: every opinion kept, the first one named.

Addresses are looked up once each, in numeric order, which keeps the walks through a database's
tree close together in memory.
"""

from collections.abc import Iterable, Mapping, Sequence

import dataframely as dy
import polars as pl

from phonehome.geo.databases import Database
from phonehome.geo.holders import holder_index
from phonehome.geo.scopes import V4_BYTES, lookup_address, packed, packed_scope, short_text
from phonehome.geo.tables import HOLDER_KINDS, SCOPES, Answers, Places

_SAID = {
    "country": pl.String(),
    "registered_country": pl.String(),
    "asn": pl.Int64(),
    "as_org": pl.String(),
    "is_anycast": pl.Boolean(),
}
_FIELDS = {**_SAID, "network": pl.String()}
_OPINIONS = pl.List(pl.Struct({"database": pl.String, "country": pl.String}))


def places(
    addresses: Iterable[str] | pl.Series, databases: Sequence[Database]
) -> dy.DataFrame[Places]:
    """One row per distinct address, with the opinion of every database.

    Two spellings of one address are one row. Only addresses of scope global are looked up.

    Returns:
        Sorted by IP version, then by numeric value, whatever the order of the input.

    Raises:
        AddressError: A text is no IPv4 or IPv6 address.
        DatabaseError: A database turns out to be damaged at an address that is looked up.
    """
    asked = _addresses(addresses)
    said = [
        _said(asked["packed"], database, has_networks="country" in database.kinds).select(
            pl.all().name.suffix(f"_{position}")
        )
        for position, database in enumerate(databases)
    ]
    everyone = range(len(databases))
    opining = [position for position in everyone if "country" in databases[position].kinds]
    table = pl.concat([asked, *said], how="horizontal").select(
        "address",
        "scope",
        "lookup_address",
        _of_first("country", "country", opining),
        _of_first("registered_country", "registered_country", everyone),
        _of_first("asn", "asn", everyone),
        _of_first("as_org", "asn", everyone),
        *_holders(everyone),
        _is_anycast(everyone),
        _of_first("network", "country", opining),
        _opinions({position: databases[position].name for position in opining}),
        _agreement(opining),
    )
    return Places.validate(table)


def answers(addresses: Iterable[str], databases: Sequence[Database]) -> dy.DataFrame[Answers]:
    """One row per distinct address and database: who says what, and for which network.

    Returns:
        Sorted by IP version, numeric value, and the order of the databases.

    Raises:
        AddressError: A text is no IPv4 or IPv6 address.
        DatabaseError: A database turns out to be damaged at an address that is looked up.
    """
    asked = _addresses(addresses).with_row_index("row")
    by_database = [
        pl.concat(
            [asked, _said(asked["packed"], database, has_networks=True)], how="horizontal"
        ).with_columns(
            position=pl.lit(position, pl.Int64), database=pl.lit(database.name, pl.String)
        )
        for position, database in enumerate(databases, start=1)
    ]
    if not by_database:
        return Answers.create_empty()
    table = pl.concat(by_database).sort("row", "position")
    return Answers.validate(table.select(Answers.column_names()))


def _addresses(addresses: Iterable[str]) -> pl.DataFrame:
    """The distinct addresses, sorted, with scope and lookup address, packed and as text."""
    texts = {packed(text): text for text in addresses}
    distinct = sorted(each for each in texts if len(each) == V4_BYTES)
    distinct += sorted(each for each in texts if len(each) > V4_BYTES)
    # An IPv4 address has one spelling only, so its text need not be made again.
    short = [texts[each] if len(each) == V4_BYTES else short_text(each) for each in distinct]
    scopes = [*map(packed_scope, distinct)]
    inner = [
        (each if len(each) == V4_BYTES else lookup_address(each)) if scope == "global" else None
        for each, scope in zip(distinct, scopes, strict=True)
    ]
    lookups = [
        text if looked_up is each else looked_up and short_text(looked_up)
        for each, text, looked_up in zip(distinct, short, inner, strict=True)
    ]
    return pl.DataFrame(
        {"address": short, "scope": scopes, "lookup_address": lookups, "packed": inner},
        schema={
            "address": pl.String,
            "scope": pl.Enum(SCOPES),
            "lookup_address": pl.String,
            "packed": pl.Binary,
        },
    )


def _said(lookups: pl.Series, database: Database, *, has_networks: bool) -> pl.DataFrame:
    """What one database says: a row per packed lookup address; networks as text take time."""
    hits, indexes = database.find(lookups.to_list())
    known = {id(hit.answer): hit.answer for hit in hits}  # many networks share an answer
    places = dict(zip(known, range(len(known)), strict=True))
    columns = zip(*known.values(), strict=True)
    said = pl.DataFrame(
        [
            pl.Series(name, values, dtype)
            for (name, dtype), values in zip(_SAID.items(), columns, strict=True)
        ]
    )
    networks = [hit.network if has_networks else None for hit in hits]
    return said[[places[id(hit.answer)] for hit in hits]].with_columns(
        pl.Series("network", networks, pl.String)
    )[indexes]


def _of_first(field: str, needed: str, positions: Sequence[int]) -> pl.Expr:
    """A field of the first database whose other field, the needed one, is not null."""
    value = pl.lit(None, _FIELDS[field])
    for position in reversed(positions):
        value = (
            pl.when(pl.col(f"{needed}_{position}").is_not_null())
            .then(pl.col(f"{field}_{position}"))
            .otherwise(value)
        )
    return value.alias(field)


def _holders(positions: Sequence[int]) -> list[pl.Expr]:
    """The company behind the system that `asn` names, its home, and what the system is for."""
    asn = _of_first("asn", "asn", positions)
    known = holder_index()
    return [
        asn.replace_strict(
            {number: getattr(holder, field) for number, holder in known.items()},
            default=None,
            return_dtype=dtype,
        ).alias(name)
        for name, field, dtype in (
            ("holder", "holder", pl.String()),
            ("holder_country", "country", pl.String()),
            ("holder_kind", "kind", pl.Enum(HOLDER_KINDS)),
        )
    ]


def _is_anycast(positions: Sequence[int]) -> pl.Expr:
    """True when any database says so, else false when any denies it, else null."""
    said = [pl.col(f"is_anycast_{position}").cast(pl.Int8) for position in positions]
    nobody = pl.lit(None, pl.Int8)
    return pl.max_horizontal(nobody, *said).cast(pl.Boolean).alias("is_anycast")


def _opinions(names: Mapping[int, str]) -> pl.Expr:
    """Database and country of every country database, in order; empty where nobody was asked."""
    nothing = pl.lit([], _OPINIONS)
    if not names:
        return nothing.alias("opinions")
    every = pl.concat_arr(  # concat_list takes 40 times as long for structs (polars 2.1)
        pl.struct(
            pl.lit(name, pl.String).alias("database"),
            pl.col(f"country_{position}").alias("country"),
        )
        for position, name in names.items()
    )
    is_asked = pl.col("lookup_address").is_not_null()
    return pl.when(is_asked).then(every.arr.to_list()).otherwise(nothing).alias("opinions")


def _agreement(positions: Sequence[int]) -> pl.Expr:
    """How many countries equal the first one; null where there is none."""
    first = _of_first("country", "country", positions)
    same = [(pl.col(f"country_{position}") == first).cast(pl.Int64) for position in positions]
    count = pl.sum_horizontal(pl.lit(0, pl.Int64), *same)
    return pl.when(first.is_not_null()).then(count).otherwise(None).alias("agreement")
