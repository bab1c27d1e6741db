"""What the sample app does, whom it talks to and when: the plan that recording follows.

Parrot is a chat app that does not exist. Its names end in `.example`, which nobody can register.
Its servers bear addresses of real networks, so that an analysis can place them in a country;
the owners of those networks have nothing to do with it, and nothing is ever sent to them.
"""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

PHONE_IPV4 = "192.168.43.17"
PHONE_IPV6 = "fd00:43::17"
RESOLVER = "192.168.43.1"

Kind = Literal["http", "https", "push", "certificate", "binary", "quic", "httpdns"]
Mishap = Literal["lose_data", "lose_ack", "late_data"]


@dataclass(frozen=True)
class Destination:
    """One server: its name, the address it is to appear under, and how the app reaches it.

    `recorded` is the address inside the closed recording network. `opinions` are the countries
    that two databases gave for `address` when it was chosen (DB-IP Lite of 2026-06, IPFire of
    2026-06). `lookup` says where the app learns the address; null means it is built in.
    `source` is the strongest evidence for the name that the traffic itself holds.
    """

    host: str
    address: str
    recorded: str
    port: int
    kind: Kind
    rtt_ms: float
    hop_limit: int
    opinions: tuple[str, str]
    asn: int
    lookup: Literal["udp", "tcp", "httpdns"] | None
    source: str | None
    alias: str | None = None


@dataclass(frozen=True)
class Step:
    """One thing the app does: `at` seconds after the first phase begins.

    `body` and `reply` are the bytes of message that go up and come down, before any protocol
    wraps them. `mishap` is what the network does wrong meanwhile.
    """

    at: float
    host: str
    path: str
    body: int
    reply: int
    mishap: Mishap | None = None


@dataclass(frozen=True)
class Phase:
    """A span of the timeline, in seconds after the first phase begins."""

    start: float
    end: float
    state: str
    label: str


@dataclass(frozen=True)
class Plan:
    """Everything that one recording is to do."""

    version: str
    repetition: int
    start: datetime
    destinations: tuple[Destination, ...]
    phases: tuple[Phase, ...]
    steps: tuple[Step, ...]


PHASES = (
    Phase(0, 600, "active", "in use"),
    Phase(600, 900, "background", "home screen"),
    Phase(900, 3900, "idle", "screen off"),
    Phase(3900, 4200, "active", "in use again"),
)

API = "api.parrot.example"
CDN = "cdn.parrot.example"
MEDIA = "media.parrot.example"
CALLS = "calls.parrot.example"
CHAT = "chat.parrot.example"
BACKUP = "backup.parrot.example"
COLLECT = "collect.parrot.example"
HTTPDNS = "httpdns.vendor.example"
PUSH = "push.vendor.example"
PORTAL = "connectivity.vendor.example"
TELEMETRY = "telemetry.tracker.example"
ADS = "stats.oldads.example"

# Every row was looked up in both databases; round trips are what fibre from Toronto can do.
_BOTH = (
    Destination(CDN, "35.182.44.19", "10.66.0.2", 443, "https", 14, 244, ("CA", "CA"),
                16509, "udp", "sni", alias="parrot.cdn.vendor.example"),
    Destination(MEDIA, "52.17.33.8", "10.66.0.3", 443, "https", 92, 229, ("IE", "IE"),
                16509, "udp", "sni"),
    Destination(CALLS, "13.113.8.8", "10.66.0.4", 443, "quic", 168, 41, ("JP", "JP"),
                16509, "udp", "quic_sni"),
    Destination(CHAT, "54.210.11.7", "10.66.0.5", 8080, "binary", 31, 52, ("US", "US"),
                16509, "tcp", "dns"),
    Destination(BACKUP, "18.196.44.2", "10.66.0.6", 443, "certificate", 101, 45, ("DE", "DE"),
                16509, None, "certificate"),
    Destination(PUSH, "2a01:4f8:c17:b0f::2", "fd66::7", 5223, "push", 104, 50, ("DE", "DE"),
                24940, "udp", "sni"),
    Destination(PORTAL, "3.233.10.5", "10.66.0.8", 80, "http", 26, 239, ("US", "US"),
                14618, "udp", "http_host"),
    Destination(TELEMETRY, "203.205.254.157", "10.66.0.9", 80, "http", 212, 43, ("HK", "CN"),
                132203, "udp", "http_host"),
)  # fmt: skip
_ONLY = {
    "1.0": (
        Destination(API, "52.23.61.14", "10.66.0.1", 443, "https", 28, 238, ("US", "US"),
                    14618, "udp", "sni"),
        Destination(ADS, "95.216.3.4", "10.66.0.10", 80, "http", 118, 46, ("FI", "FI"),
                    24940, "udp", "http_host"),
    ),
    "2.0": (
        Destination(API, "13.250.100.4", "10.66.0.1", 443, "https", 236, 226, ("SG", "SG"),
                    16509, "udp", "sni"),
        Destination(HTTPDNS, "119.29.29.29", "10.66.0.11", 80, "httpdns", 229, 47, ("SG", "SG"),
                    132203, None, None),
        Destination(COLLECT, "113.96.232.10", "10.66.0.12", 8081, "binary", 248, 108, ("CN", "CN"),
                    4134, "httpdns", "httpdns"),
    ),
}  # fmt: skip

PLANTED = {
    "base": "1.0",
    "new": "2.0",
    "new_hosts": [COLLECT],
    "new_addresses": ["113.96.232.10", "119.29.29.29", "13.250.100.4"],
    "dropped_hosts": [ADS],
    "dropped_addresses": ["52.23.61.14", "95.216.3.4"],
    "new_countries": ["CN", "SG"],
    "dropped_countries": ["FI"],
    "moved_hosts": [
        {
            "host": API,
            "from": {"address": "52.23.61.14", "country": "US", "asn": 14618},
            "to": {"address": "13.250.100.4", "country": "SG", "asn": 16509},
        }
    ],
    "more_idle_upload_to": [COLLECT, PUSH, TELEMETRY],
    "disputed_addresses": [
        {"address": "203.205.254.157", "dbip": "HK", "ipfire": "CN"},
    ],
}


def plan(version: str, repetition: int) -> Plan:
    """The plan of one recording.

    Sizes and moments vary a little between repetitions, as a tester's do; the seed is made of
    version and repetition, so the same recording is always planned the same.
    """
    rng = random.Random(f"parrot {version} {repetition}")  # noqa: S311 - variety, not a secret
    both = _in_use(rng) + _unattended(rng, is_new=version == "2.0")
    only = _only_old(rng) if version == "1.0" else _only_new(rng)
    start = datetime(2026, 9, 14, 13, 0, tzinfo=UTC) + timedelta(
        days=repetition - 1 + (14 if version == "2.0" else 0), minutes=7 * repetition
    )
    return Plan(
        version=version,
        repetition=repetition,
        start=start,
        destinations=_BOTH + _ONLY[version],
        phases=PHASES,
        steps=tuple(sorted(both + only, key=lambda step: step.at)),
    )


def _about(rng: random.Random, size: int) -> int:
    """A size within six per cent of the one asked for."""
    return round(size * rng.uniform(0.94, 1.06))


def _when(rng: random.Random, at: float) -> float:
    """A moment up to eight seconds after the one asked for; steps are further apart than that."""
    return round(at + rng.uniform(0.5, 8), 6)


def _in_use(rng: random.Random) -> list[Step]:
    """What happens while the tester uses the app, and the system's own check just before."""
    return [
        Step(-20.0, PORTAL, "/generate_204", 0, 0),
        Step(_when(rng, 4), API, "/login", _about(rng, 1500), _about(rng, 3200)),
        Step(_when(rng, 22), PUSH, "/register", _about(rng, 420), 160),
        Step(_when(rng, 45), CDN, "/stickers", 0, _about(rng, 60_000), "late_data"),
        Step(_when(rng, 90), CHAT, "", _about(rng, 900), _about(rng, 300)),
        Step(_when(rng, 180), MEDIA, "/photo", _about(rng, 40_000), 220, "lose_data"),
        Step(_when(rng, 260), CALLS, "/report", _about(rng, 6000), _about(rng, 12_000)),
        Step(_when(rng, 330), TELEMETRY, "/batch", _about(rng, 3000), 40),
        Step(_when(rng, 510), API, "/messages", _about(rng, 800), _about(rng, 2400)),
        Step(_when(rng, 560), CHAT, "", _about(rng, 500), _about(rng, 700)),
        Step(_when(rng, 3940), API, "/messages", _about(rng, 600), _about(rng, 1800)),
        Step(_when(rng, 4010), MEDIA, "/photo", _about(rng, 9000), 220),
        Step(_when(rng, 4100), CHAT, "", _about(rng, 400), _about(rng, 400)),
    ]


def _unattended(rng: random.Random, *, is_new: bool) -> list[Step]:
    """What both versions do in the background and while idle; the new one sends more."""
    beat, batch = (640, 9000) if is_new else (180, 5000)
    steps = [
        Step(_when(rng, 640), TELEMETRY, "/batch", _about(rng, 1200), 40),
        Step(_when(rng, 780), BACKUP, "/contacts", _about(rng, 5000), 300),
        Step(_when(rng, 2100), API, "/poll", 60, _about(rng, 500)),
        Step(_when(rng, 1500), TELEMETRY, "/batch", _about(rng, batch), 40),
        Step(_when(rng, 2940), TELEMETRY, "/batch", _about(rng, batch), 40),
    ]
    for number in range(13):
        mishap: Mishap | None = "lose_ack" if number == 3 else None  # noqa: PLR2004 - any one
        at = _when(rng, 740 + 240 * number)
        steps.append(Step(at, PUSH, "/beat", _about(rng, beat), 60, mishap))
    return steps


def _only_old(rng: random.Random) -> list[Step]:
    """What the new version no longer does."""
    return [
        Step(_when(rng, 420), ADS, "/impression", _about(rng, 700), 43),
        Step(_when(rng, 2500), ADS, "/impression", _about(rng, 700), 43),
    ]


def _only_new(rng: random.Random) -> list[Step]:
    """What the old version did not do: uploads to a new country while nobody touches the phone."""
    steps = []
    for at in (1800.0, 2700.0, 3500.0):
        steps.append(Step(_when(rng, at), HTTPDNS, f"/d?dn={COLLECT}", 0, 0))
        steps.append(Step(_when(rng, at + 15), COLLECT, "", _about(rng, 8000), 64, None))
    return steps
