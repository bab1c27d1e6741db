"""Addresses → places: what databases say of each remote address, with every opinion kept.

A database says where a network is *registered or believed* to be; it does not measure. So this
room hands on opinions, never truths: `places` names the country of the first database and keeps
what all others say beside it, and the analyzer weighs them against what the capture shows.

Nothing that is imported here touches the network; `geo.updates` fetches newer databases, and only
the command `geo update` imports it. Four databases are shipped (`default_databases`), fetched ones
come before them (`databases_in_use`), a user's own stand in their place (`open_databases`).
`databases_table` says of each in use what a report must print: date, hash, licence, attribution.
Files, addresses and places that cannot be used raise a `GeoError` whose message is one line.
"""

from phonehome.geo.countries import Country, countries, country_index, country_name, world_topology
from phonehome.geo.databases import Database, open_database, open_databases
from phonehome.geo.defaults import (
    OLD_AFTER,
    databases_in_use,
    databases_table,
    default_databases,
    old_databases,
    other_data,
)
from phonehome.geo.errors import AddressError, DatabaseError, GeoError, LocationError, UpdateError
from phonehome.geo.gazetteer import Location, locate
from phonehome.geo.holders import held_by, holders
from phonehome.geo.places import answers, places
from phonehome.geo.scopes import scope
from phonehome.geo.signal_reach import GRANTED_KM, KM_A_SECOND, least_km
from phonehome.geo.tables import SCOPES, Answers, Countries, Databases, Holders, Places

__all__ = [
    "GRANTED_KM",
    "KM_A_SECOND",
    "OLD_AFTER",
    "SCOPES",
    "AddressError",
    "Answers",
    "Countries",
    "Country",
    "Database",
    "DatabaseError",
    "Databases",
    "GeoError",
    "Holders",
    "Location",
    "LocationError",
    "Places",
    "UpdateError",
    "answers",
    "countries",
    "country_index",
    "country_name",
    "databases_in_use",
    "databases_table",
    "default_databases",
    "held_by",
    "holders",
    "least_km",
    "locate",
    "old_databases",
    "open_database",
    "open_databases",
    "other_data",
    "places",
    "scope",
    "world_topology",
]
