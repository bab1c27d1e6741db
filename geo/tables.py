"""The tables that `geo` hands on: one class a table, one line a column.

`Places` says what the databases say of an address, `Answers` says which database said it,
`Databases` says which databases were asked, `Countries` names the countries, `Holders` the
companies behind networks.
The analyzer adds its own verdict to `Places`; nothing here judges.
"""

import dataframely as dy

SCOPES = (
    "global",
    "private",
    "shared",
    "loopback",
    "link_local",
    "unique_local",
    "site_local",
    "multicast",
    "broadcast",
    "documentation",
    "benchmarking",
    "translation",
    "tunnel",
    "unspecified",
    "reserved",
)
"""Every scope there is; `geo.scopes` holds the ranges and their sources.

`translation` is the NAT64 prefix for local use and `tunnel` is Teredo: what stands behind
such an address is on the public Internet, yet its place cannot be known from it.
"""

HOLDER_KINDS = ("cloud", "cdn", "dns", "platform", "service", "carrier")
"""What an autonomous system is for; a cloud and a CDN serve whoever rents them."""

_SCOPE = "range that holds the lookup address, after the IANA special-purpose registries"
_LOOKUP_ADDRESS = (
    "address that the databases were asked for: the IPv4 address inside an IPv4-mapped, NAT64 or "
    "6to4 address, else the address itself; null when the scope is not global (nobody was asked)"
)


class Places(dy.Schema):
    """What the databases say of each remote address; sorted by IP version, then by value."""

    address = dy.String(primary_key=True, description="remote address in its short text form")
    scope = dy.Enum(SCOPES, description=_SCOPE)
    lookup_address = dy.String(nullable=True, description=_LOOKUP_ADDRESS)
    country = dy.String(
        nullable=True,
        regex=r"^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2 code, opinion of the first database that has one; null "
        "when the scope is not global or no database has an opinion",
    )
    registered_country = dy.String(
        nullable=True,
        regex=r"^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2 code of the country where the network is registered, from "
        "the first database that has one; null when none has (the embedded ones have none)",
    )
    asn = dy.Int64(
        nullable=True,
        min=1,
        max=2**32 - 1,
        description="number of the autonomous system that announces the network, from the first "
        "database that has one; null when none has or the scope is not global",
    )
    as_org = dy.String(
        nullable=True,
        description="holder of that autonomous system, in the words of the same database; null "
        "when asn is null or the database names no holder",
    )
    holder = dy.String(
        nullable=True,
        description="company behind that system, by the table of holders; null when asn is null "
        "or the table does not have it",
    )
    holder_country = dy.String(
        nullable=True,
        regex=r"^[A-Z]{2}$",
        description="ISO 3166-1 alpha-2 code of the country where that company has its head "
        "office, wherever the address is; null as for holder",
    )
    holder_kind = dy.Enum(
        HOLDER_KINDS,
        nullable=True,
        description="what the system is for: cloud, cdn, dns, platform, service, carrier; null "
        "as for holder",
    )
    is_anycast = dy.Bool(
        nullable=True,
        description="whether the network is announced from many places at once: true when any "
        "database says so, false when one denies it; null where no database says",
    )
    network = dy.String(
        nullable=True,
        description="network prefix that the first opinion was given for, address/length; null "
        "when country is null",
    )
    opinions = dy.List(
        dy.Struct({"database": dy.String(), "country": dy.String(nullable=True)}),
        description="every country database in the order asked, with its country; an inner null "
        "means that the database has no answer; empty when the scope is not global",
    )
    agreement = dy.Int64(
        nullable=True,
        min=1,
        description="number of country databases that share the first opinion, itself included; "
        "null when there is no opinion",
    )


class Answers(dy.Schema):
    """What each database says of each address: one row per address and database, as asked."""

    address = dy.String(primary_key=True, description="address in its short text form")
    position = dy.Int64(primary_key=True, min=1, description="place of the database in the order")
    database = dy.String(description="name of the database, as in the table of databases")
    scope = dy.Enum(SCOPES, description=_SCOPE)
    lookup_address = dy.String(nullable=True, description=_LOOKUP_ADDRESS)
    network = dy.String(
        nullable=True,
        description="network prefix that matched, address/length; null when the database holds "
        "no record for the address, or was not asked",
    )
    country = dy.String(nullable=True, description="ISO 3166-1 alpha-2 code; null: not said")
    registered_country = dy.String(
        nullable=True,
        description="ISO 3166-1 alpha-2 code of the country of registration; null: not said",
    )
    asn = dy.Int64(nullable=True, description="autonomous system number; null: not said")
    as_org = dy.String(nullable=True, description="holder of the system; null: not said")
    is_anycast = dy.Bool(nullable=True, description="announced from many places; null: not said")


class Databases(dy.Schema):
    """The databases in use, in the order in which they are asked."""

    position = dy.Int64(primary_key=True, min=1, description="place in the order, from 1")
    name = dy.String(unique=True, description="short name, used in opinions")
    kind = dy.String(
        regex=r"^(country|asn|anycast)(\+(asn|anycast))*$",
        description="what its records say: country, asn, anycast, or several joined by +",
    )
    database_type = dy.String(description="type in the file's own metadata; may be empty")
    data_date = dy.Date(
        nullable=True,
        description="day of the data (UTC): for embedded databases the date of their source, else "
        "the build time in the file's metadata; null when that is no date",
    )
    sha256 = dy.String(regex=r"^[0-9a-f]{64}$", description="SHA-256 of the whole file")
    licence = dy.String(
        nullable=True,
        description="licence of the data; null when the file is a user's and its vendor unknown",
    )
    attribution = dy.String(
        nullable=True,
        description="text that the licence demands beside results; null when none is known",
    )
    attribution_url = dy.String(
        nullable=True, description="where the attribution must link to; null when none is known"
    )
    note = dy.String(
        nullable=True,
        description="known weakness of the data, told to the reader; null when none is known",
    )
    source = dy.String(
        nullable=True,
        description="registry, package and version that it was made from; null for a user's file",
    )
    is_embedded = dy.Bool(description="whether the file was shipped with phonehome")
    file = dy.String(description="file name when shipped or fetched, else the path given")
    ip_version = dy.Int64(description="6: both IPv6 and IPv4, 4: only IPv4")
    nodes = dy.Int64(min=0, description="nodes of the search tree, a measure of its detail")


class Countries(dy.Schema):
    """Countries and territories with an ISO 3166-1 code, and Kosovo; sorted by code."""

    code = dy.String(primary_key=True, regex=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")
    alpha_3 = dy.String(unique=True, regex=r"^[A-Z]{3}$", description="ISO 3166-1 alpha-3")
    name = dy.String(description="English short name")
    longitude = dy.Float64(
        min=-180, max=180, description="label point on the map, degrees east of Greenwich"
    )
    latitude = dy.Float64(min=-90, max=90, description="label point on the map, degrees north")
    is_on_map = dy.Bool(
        description="whether the 110m world map has a shape for it; where it has none, only the "
        "label point can show it"
    )


class Holders(dy.Schema):
    """The companies behind the autonomous systems that phones meet most; sorted by number."""

    asn = dy.Int64(primary_key=True, min=1, max=2**32 - 1, description="autonomous system")
    holder = dy.String(description="company, in brackets its parent")
    country = dy.String(
        regex=r"^[A-Z]{2}$", description="where the parent has its head office, ISO 3166-1 alpha-2"
    )
    kind = dy.Enum(HOLDER_KINDS, description="what the system is for")
    registered_as = dy.String(description="holder in the shipped table of systems")
    source = dy.String(description="where a reader finds the head office")
