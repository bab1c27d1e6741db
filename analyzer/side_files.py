# Held by tests/analyzer/test_analysis.py: each file beside a capture is given there.
"""What is known beside the captures: databases, logs, lists and keys that were given with them."""

from dataclasses import dataclass, replace

from phonehome import geo
from phonehome.analyzer.claims.file import Claim, read_claims
from phonehome.analyzer.content.identifiers import Known, read_identifiers
from phonehome.analyzer.findings.phone_counters import Counted, Key, between, read_counters
from phonehome.analyzer.flows.apps import Apps, read_packages
from phonehome.analyzer.flows.pcapdroid_list import Connections, read_connections
from phonehome.analyzer.places.organisations import Organisations, read_organisations
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.timeline.sources import PhoneStates, read_timelines
from phonehome.captures import Keys, read_keylogs
from phonehome.captures.words import SECOND


@dataclass(frozen=True, kw_only=True)
class SideFiles:
    """What was given beside the captures, read.

    Attributes:
        databases: geo databases that are asked.
        location: where the phone was; None: not told.
        states: when the phone was active or idle, moved by the offset that was asked for.
        apps: packages by user id.
        connections: lists of connections that another tool wrote.
        counted: what the phone's own counters say; None for a key: they were reset.
        organisations: who runs which domain.
        keys: keys that open what was encrypted.
        known: identifiers to look for.
        claims: claims to test.
    """

    databases: list[geo.Database]
    location: geo.Location | None
    states: PhoneStates
    apps: Apps
    connections: Connections
    counted: dict[Key, Counted | None]
    organisations: Organisations
    keys: Keys
    known: Known
    claims: tuple[Claim, ...]


def read_side_files(settings: Settings) -> SideFiles:
    """All files that the settings name, captures apart.

    Raises:
        GeoError: a database, an address or the phone's place cannot be used.
        TimelineError: a timeline cannot be used.
        IdentifiersError: a list of identifiers cannot be used.
        PackagesError: a list of packages cannot be used.
        ConnectionsError: a list of connections cannot be used.
        CountersError: readings of the phone's counters cannot be used.
        OrganisationsError: a table of organisations cannot be used.
        KeylogError: a key log cannot be used.
        ClaimsError: a file of claims cannot be used.
    """
    location = geo.locate(settings.phone_location) if settings.phone_location is not None else None
    states = read_timelines(settings.timelines, settings.timezone, settings.app)
    counters = [read_counters(path) for path in settings.counters]
    return SideFiles(
        databases=geo.databases_in_use(settings.databases),
        location=location,
        states=replace(states, offset=round((settings.clock_offset or 0) * SECOND)),
        apps=read_packages(settings.packages),
        connections=read_connections(settings.connections, settings.timezone),
        counted=between(*counters) if counters else {},
        organisations=read_organisations(settings.organisations),
        keys=read_keylogs(settings.keylogs),
        known=read_identifiers(settings.identifiers),
        claims=read_claims(settings.claims, settings.idle_means),
    )
