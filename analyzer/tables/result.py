# Held by tests/test_house.py: the contract: described, and validated in every run.
"""All tables of one run, and the answer in numbers."""

from dataclasses import dataclass, field

import dataframely as dy

from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import glance
from phonehome.analyzer.tables.accounts import Ledger, Oddities
from phonehome.analyzer.tables.behaviour import Beacons, Bursts, Rates, Stretches
from phonehome.analyzer.tables.claims import Claims
from phonehome.analyzer.tables.content import Decryption, Identifiers, Tokens
from phonehome.analyzer.tables.findings import Amplification, Completeness, Findings
from phonehome.analyzer.tables.flows import (
    Flows,
    Mmtls,
    Names,
    Phones,
    Requests,
    ServerCertificates,
)
from phonehome.analyzer.tables.phases import (
    Clocks,
    FlowPhases,
    Moments,
    Phases,
    Uploads,
    UploadsOverTime,
)
from phonehome.analyzer.tables.places import Places
from phonehome.captures.tables import Captures
from phonehome.geo.tables import Databases


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The answer in numbers: totals of the phone's traffic with public remotes.

    Attributes:
        app: app under test; None: all traffic of the phone counts.
        is_app_known: the captures say which app owns a flow.
        version: version label; None: none was given.
        up_unique_bytes: uploaded.
        down_unique_bytes: downloaded, each byte once.
        up_wire_bytes: uploaded as it went over the wire.
        flows: flows of the phone with public remotes.
        remotes: public addresses that it exchanged packets with.
        hosts: different names of those.
        countries: countries that got at least one uploaded byte, first opinion.
        organisations: holders of autonomous systems that got at least one uploaded byte.
        up_unique_bytes_by_state: uploaded per state of the phone; every state has a key.
        exposure_by_state: observed seconds per state; every state has a key.
        idle_means: which states count as idle: `screen-off` (idle), `background`, or `both`.
        is_inferred: states were inferred from traffic: no log says them.
        idle_share: part of all uploaded that was uploaded in phases known to be idle: a lower
            bound where some was uploaded in unknown ones. None: no phase of a known state was
            observed, or nothing was uploaded.
        unnamed_up_unique_bytes: uploaded to remotes without a name.
        unnamed_share: its part of all uploaded. None: nothing was uploaded.
        disputed_up_unique_bytes: uploaded to remotes on whose country databases differ.
        up_unique_bytes_by_verdict: uploaded to remotes whose country has this verdict; every
            verdict has a key, and `none`: remotes without a country.
        up_unique_bytes_by_encryption: uploaded per class of `Flows.up_encryption`; every class has
            a key, and `unknown`: flows of which nothing was captured that tells.
        first_time: earliest packet, ISO 8601. None: no packet has a time.
        last_time: latest packet, ISO 8601.
        packets: packets in all captures.
        wire_bytes: their bytes on the wire.
        is_damaged: part of an input could not be read.
        is_balanced: the ledger's identities hold.
        searched_up_bytes: uploaded octets that were searched for identifiers in the clear, or
            opened with keys: the rest is encrypted, or was not captured. None: nobody asked.
    """

    app: str | None
    is_app_known: bool
    version: str | None
    up_unique_bytes: int
    down_unique_bytes: int
    up_wire_bytes: int
    flows: int
    remotes: int
    hosts: int
    countries: int
    organisations: int
    up_unique_bytes_by_state: dict[str, int]
    exposure_by_state: dict[str, float]
    idle_means: str = "screen-off"
    is_inferred: bool = False
    idle_share: float | None
    unnamed_up_unique_bytes: int
    unnamed_share: float | None
    disputed_up_unique_bytes: int
    up_unique_bytes_by_verdict: dict[str, int]
    up_unique_bytes_by_encryption: dict[str, int] = field(default_factory=dict)
    first_time: str | None
    last_time: str | None
    packets: int
    wire_bytes: int
    is_damaged: bool
    is_balanced: bool
    searched_up_bytes: int | None = None

    @property
    def counted_app(self) -> str | None:
        """The app that alone counts; None: all traffic of the phone does."""
        return self.app if self.is_app_known else None


@dataclass(frozen=True, kw_only=True, repr=False)
class Analysis:
    """All tables of one run, with the settings that made them.

    Shows itself in three lines: what was read, what went up to whom, and what to know before that.

    Attributes:
        decryption: what keys opened, and what not.
        tshark: version of the tshark that opened it; None: none did.
        keys_used: flows that keys opened.
        limits_hit: per limit that bit (see `settings.Limits`), how often.
        notes: sentences on what the run could not do, for the report's first lines.
    """

    settings: Settings
    summary: Summary
    captures: dy.DataFrame[Captures]
    phones: dy.DataFrame[Phones]
    flows: dy.DataFrame[Flows]
    names: dy.DataFrame[Names]
    requests: dy.DataFrame[Requests]
    certificates: dy.DataFrame[ServerCertificates]
    mmtls: dy.DataFrame[Mmtls]
    places: dy.DataFrame[Places]
    phases: dy.DataFrame[Phases]
    uploads: dy.DataFrame[Uploads]
    flow_phases: dy.DataFrame[FlowPhases]
    timeline: dy.DataFrame[UploadsOverTime]
    moments: dy.DataFrame[Moments]
    clocks: dy.DataFrame[Clocks]
    rates: dy.DataFrame[Rates]
    bursts: dy.DataFrame[Bursts]
    beacons: dy.DataFrame[Beacons]
    stretches: dy.DataFrame[Stretches]
    amplification: dy.DataFrame[Amplification]
    completeness: dy.DataFrame[Completeness]
    identifiers: dy.DataFrame[Identifiers]
    tokens: dy.DataFrame[Tokens]
    ledger: dy.DataFrame[Ledger]
    oddities: dy.DataFrame[Oddities]
    databases: dy.DataFrame[Databases]
    limits_hit: dict[str, int]
    notes: tuple[str, ...]
    decryption: dy.DataFrame[Decryption] = field(default_factory=Decryption.create_empty)
    tshark: str | None = None
    keys_used: int = 0
    claims: dy.DataFrame[Claims] = field(default_factory=Claims.create_empty)
    findings: dy.DataFrame[Findings] = field(default_factory=Findings.create_empty)

    def __repr__(self) -> str:
        """Three lines for a terminal or a debugger."""
        return glance.text(self)

    def _repr_html_(self) -> str:
        """The same for a notebook, with every name escaped, and the hosts that got most."""
        return glance.page(self)
