# Held by tests/analyzer/test_analysis.py: values only; each is used there.
"""What the user asked for, and the limits that hold: printed whole in every manifest."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from phonehome.captures import Limits

ENGLISH = "en"
LANGUAGES = (ENGLISH, "de")
"""Languages that reports can be written in."""

IDLE_STATES = {
    "screen-off": ("idle",),
    "background": ("background",),
    "both": ("idle", "background"),
}
"""States of the phone that count as idle in the answer, by what idle was said to mean."""


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Something that a user says was sent.

    Attributes:
        label: of the phases in which it was sent; None: in all.
        name: what it is called.
        size: its bytes, at least one.
    """

    label: str | None
    name: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What one run was asked for.

    Attributes:
        phones: addresses of the phone; empty: find out.
        app: app under test; None: all traffic of the phone.
        is_app_alone: the user says that no other app sent anything; weighs in claims alone.
        timelines: files that say when the phone was active or idle.
        idle_means: which states count as idle in the answer: a key of `IDLE_STATES`.
        packages: files that name the package of each user id; see `apps.read_packages`.
        keylogs: files with keys of TLS, QUIC or MMTLS, to open what was encrypted.
        connections: lists of connections beside the captures; see `connections`.
        clock_offset: seconds to add to times of timelines; None: what the captures themselves say.
        infer_phases: where there is no timeline, take busy stretches for active, quiet ones for
            idle.
        sent: what the user says was sent, to see how many times over it left the phone.
        counters: readings of the phone's own counters before and after: two files, or none.
        timezone: IANA zone for logs without one; None: such logs are refused.
        organisations: tables of who runs which domain, on top of the shipped one.
        publisher: organisation that publishes the app; None: by the name of its package.
        phone_location: where the phone was, as `geo.locate` understands it; None: not told.
        databases: geo databases; empty: the embedded ones.
        claims: files of claims to test, or names of shipped ones; see `claims_file`.
        version: label under which the captures are compared.
        identifiers: lists of what is known of phone and account, to be searched for.
        language: what reports are written in, one of `LANGUAGES`; changes no number and no table.
        is_revealed: values that were found are written, and not only their digests.
        limits: bounds on what a capture may cost; see `captures.limits`.
    """

    phones: tuple[str, ...] = ()
    app: str | None = None
    is_app_alone: bool = False
    timelines: tuple[Path, ...] = ()
    idle_means: str = "screen-off"
    packages: tuple[Path, ...] = ()
    keylogs: tuple[Path, ...] = ()
    connections: tuple[Path, ...] = ()
    clock_offset: float | None = 0.0
    infer_phases: bool = False
    sent: tuple[Sent, ...] = ()
    counters: tuple[Path, ...] = ()
    timezone: str | None = None
    organisations: tuple[Path, ...] = ()
    publisher: str | None = None
    phone_location: str | None = None
    databases: tuple[Path, ...] = ()
    claims: tuple[Path, ...] = ()
    version: str | None = None
    identifiers: tuple[Path, ...] = ()
    language: str = ENGLISH
    is_revealed: bool = False
    limits: Limits = field(default_factory=Limits)

    def called(self, version: str) -> "Settings":
        """The same, for captures of this version."""
        return replace(self, version=version)
