"""Which organisation runs a host, by its name: a curated table, and the user's own on top.

A row says of a domain and all below it who runs it, in which country that organisation's parent
has its headquarters, what the domain is for, and in which document that can be checked. The
longest domain that fits a host speaks for it; a name that no row fits has no organisation.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import dataframely as dy
import polars as pl
from publicsuffixlist import PublicSuffixList

from phonehome.captures import path_text
from phonehome.errors import PhonehomeError

TABLE = Path(__file__).with_name("data") / "organisations.csv"
SOURCES = Path(__file__).with_name("data") / "organisation_sources.csv"
PUBLISHERS = Path(__file__).with_name("data") / "publishers.csv"
LARGEST_TABLE = 16 << 20
NETWORKS = ("carrier", "cdn", "cloud", "dns")
INFRASTRUCTURE = (*NETWORKS, "certificates", "location aid", "platform", "push", "time")
TRACKERS = ("advertising", "analytics", "crash reports")
OTHERS = ("messaging", "service", "social")
KINDS = (*INFRASTRUCTURE, *TRACKERS, *OTHERS)
_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_PORT = re.compile(r":\d+$")
_PARENT = re.compile(r".*\((.+)\)")
_COUNTRY = re.compile(r"[A-Z]{2}|")


class OrganisationsError(PhonehomeError):
    """A table of organisations cannot be read, or a row of it cannot be believed."""


class Organisation(NamedTuple):
    """Who runs a domain."""

    name: str
    country: str | None
    kind: str
    source: str

    @property
    def parent(self) -> str:
        """Its parent, which its name gives in brackets; else itself."""
        match = _PARENT.fullmatch(self.name)
        return match[1] if match else self.name


class Destinations(dy.Schema):
    """One row per host: who runs it."""

    host = dy.String(nullable=False, primary_key=True, description="Name of the host.")
    domain = dy.String(
        nullable=True,
        description="Its registrable domain, by the public suffix list. Null: it has none.",
    )
    organisation = dy.String(nullable=True, description="Who runs it. Null: in no table.")
    organisation_parent = dy.String(
        nullable=True, description="Who controls that organisation, or itself. Null: in no table."
    )
    organisation_country = dy.String(
        nullable=True, description="Where its parent has its headquarters. Null: not said."
    )
    organisation_kind = dy.String(nullable=True, description="One of `KINDS`. Null: in no table.")


@dataclass(frozen=True)
class Organisations:
    """Organisations by domain.

    Attributes:
        of_domain: organisation of each domain in the tables.
        suffixes: the public suffix list; read in a thread of its own, while captures are decoded.
    """

    of_domain: dict[str, Organisation]
    suffixes: Future[PublicSuffixList]

    def of(self, host: str) -> Organisation | None:
        """Who runs the host, by the longest domain that fits; None: no row fits."""
        labels = _PORT.sub("", host).split(".")
        for first in range(len(labels)):
            found = self.of_domain.get(".".join(labels[first:]))
            if found is not None:
                return found
        return None


def read_organisations(paths: Sequence[Path] = ()) -> Organisations:
    """The shipped table, with the user's tables on top; of a domain the last row counts.

    Args:
        paths: CSV files with the columns domain, organisation, and as far as known country,
            kind and source.

    Raises:
        OrganisationsError: a file cannot be read, or a row lacks a domain or an organisation,
            or has a country or a kind that is none.
    """
    found = _shipped()
    for path in paths:
        found = found | _organisations(path)
    return Organisations(found, _suffixes())


@cache
def _shipped() -> dict[str, Organisation]:
    """The shipped table, read once: it is part of the program."""
    return _organisations(TABLE)


@cache
def _suffixes() -> Future[PublicSuffixList]:
    """The public suffixes, which take a while to read and are asked for late."""
    thread = ThreadPoolExecutor(1)
    suffixes = thread.submit(PublicSuffixList)
    thread.shutdown(wait=False)
    return suffixes


def _organisations(path: Path) -> dict[str, Organisation]:
    """The organisation of each domain that a table lists."""
    found: dict[str, Organisation] = {}
    for line, row in enumerate(_rows(path), start=2):
        domain = (row.get("domain") or "").strip().lower().strip(".")
        name = (row.get("organisation") or "").strip()
        country = (row.get("country") or "").strip()
        kind = (row.get("kind") or "service").strip()
        for what, is_good in (
            ("domain", bool(domain)),
            ("organisation", bool(name)),
            ("country", _COUNTRY.fullmatch(country)),
            ("kind", kind in KINDS),
        ):
            if not is_good:
                raise OrganisationsError(f"{path}: line {line}: {what}: {_expected(what)}")
        source = (row.get("source") or path_text(path.name)).strip()
        found[domain] = Organisation(name, country or None, kind, source)
    return found


def _expected(what: str) -> str:
    """What a column must hold."""
    return {
        "country": "expected two capital letters, or nothing",
        "kind": f"expected one of {', '.join(KINDS)}",
    }.get(what, "expected a text, got nothing")


def _rows(path: Path) -> Iterable[dict[str, str]]:
    """The rows of a CSV file."""
    try:
        if path.stat().st_size > LARGEST_TABLE:
            raise OrganisationsError(f"{path}: larger than {LARGEST_TABLE >> 20} MiB")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if not {"domain", "organisation"} <= set(rows.fieldnames or ()):
                raise OrganisationsError(f"{path}: expected columns domain and organisation")
            return list(rows)
    except OSError as error:
        raise OrganisationsError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise OrganisationsError(f"{path}: not a CSV file in UTF-8: {error}") from error


def destinations(hosts: Iterable[str], organisations: Organisations) -> dy.DataFrame[Destinations]:
    """Who runs each host, by name; every host once, in order.

    Args:
        hosts: names as flows have them; what is no name of a host has no domain.
        organisations: who runs which domain.
    """
    names = sorted(set(hosts))
    domain_of = _registrable(names, organisations)
    rows = []
    for host in names:
        found = organisations.of(host)
        of_owner = (found.name, found.parent, found.country, found.kind) if found else (None,) * 4
        rows.append((host, domain_of.get(host), *of_owner))
    schema = Destinations.create_empty().schema
    return Destinations.validate(pl.DataFrame(rows, schema=schema, orient="row"))


def with_organisations(
    flows: pl.DataFrame, organisations: Organisations, publisher: str | None
) -> pl.DataFrame:
    """The flows with domain, organisation, its country and kind, and what it is to the app.

    Args:
        flows: app and host of each.
        organisations: who runs which domain.
        publisher: who publishes the app under test; None: what the name of each flow's app says.
    """
    apps = {app: publisher or publisher_of(app) for app in flows["app"].unique()}
    owners = organisations.of_domain.values()
    parents = {owner.name.casefold(): owner.parent for owner in owners}
    own = {app: parents.get((name or "").casefold(), name) for app, name in apps.items()}
    is_own = pl.col("organisation_parent") == pl.col("app").replace_strict(
        list(own), list(own.values()), return_dtype=pl.String
    )
    kind = pl.col("organisation_kind")
    return (
        flows.join(
            destinations(flows["host"].drop_nulls(), organisations),
            on="host",
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.when(is_own)
            .then(pl.lit("first"))
            .when(kind.is_in(TRACKERS))
            .then(pl.lit("tracker"))
            .when(kind.is_in(INFRASTRUCTURE))
            .then(pl.lit("infrastructure"))
            .when(kind.is_not_null())
            .then(pl.lit("third"))
            .alias("party")
        )
        .drop("organisation_parent")
    )


def publisher_of(app: str | None) -> str | None:
    """The organisation that publishes an app, by its package name; None: not in the table."""
    if app is None:
        return None
    with PUBLISHERS.open(encoding="utf-8", newline="") as file:
        fitting = [row for row in csv.DictReader(file) if app.startswith(row["prefix"])]
    return max(fitting, key=lambda row: len(row["prefix"]))["organisation"] if fitting else None


def _registrable(hosts: Sequence[str], organisations: Organisations) -> dict[str, str | None]:
    """The registrable domain of each name that can have one."""
    bare = {host: _PORT.sub("", host) for host in hosts}
    names = {host: name for host, name in bare.items() if _HOST_NAME.fullmatch(name)}
    if not names:
        return {}
    suffixes = organisations.suffixes.result()
    return {host: suffixes.privatesuffix(name) for host, name in names.items()}
