"""Sides of a comparison made by hand: what was observed for how long, and what was sent."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from phonehome.analyzer.comparison.compare import compared
from phonehome.analyzer.comparison.sides import Side
from phonehome.analyzer.comparison.version_labels import OF_PATHS
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import ALL_STATES, STATES, ComparedDatabases, Exposures, Repetitions
from phonehome.captures.tables import Captures

HOSTILE = "</script><script>alert(1)</script>\x1b[31m\u202e.example"
FORMULA = "=cmd|'/C calc'!A0"
"""Names that want to be more than names."""
BEGIN = datetime(2026, 9, 14, 13, 0, tzinfo=UTC)


class Sent(NamedTuple):
    """What one repetition sent to one remote in one state."""

    bytes: int
    host: str | None = "chat.example"
    address: str = "52.23.61.14"
    country: str | None = "US"
    asn: int | None = 14618
    as_org: str | None = "Amazon.com, Inc."
    state: str = "idle"
    label: str = "screen off"
    app: str | None = None
    service: str | None = "tls"
    organisation: str | None = None
    flows: int = 1
    ja4: str | None = None
    domain: str | None = None


class Repetition(NamedTuple):
    """One repetition: what it sent, and the hours that it observed of each state."""

    sent: tuple[Sent, ...]
    hours: dict[str, float] = {"idle": 1.0}  # noqa: RUF012 - nothing changes it
    file: str = ""
    damage: str | None = None
    dropped: int | None = None
    hours_of_labels: dict[tuple[str, str], float] = {}  # noqa: RUF012 - the same
    beacons: tuple[tuple[str, str], ...] = ()
    phone: str = "192.168.43.17"
    timeline_source: str | None = "beside"
    captures: int = 1
    is_saved: bool = False


def side(name, *repetitions, opinions=None, database="a" * 64, verdicts=None, told=()):
    """A side; `opinions` says per address what each database thinks of its country."""
    numbered = list(enumerate(repetitions, start=1))
    exposures = Exposures.validate(
        pl.DataFrame(
            [row for number, part in numbered for row in _exposures(name, number, part)],
            schema=Exposures.create_empty().schema,
        )
    )
    return Side(
        side=name,
        label=f"{name}.pcap",
        label_source=OF_PATHS,
        told=told,
        repetitions=Repetitions.validate(
            pl.DataFrame(
                [_repetition(name, number, part) for number, part in numbered],
                schema=Repetitions.create_empty().schema,
            )
        ),
        exposures=exposures,
        spans=_spans(exposures, numbered),
        sent=_sent(numbered),
        traits=_traits(numbered),
        places=_places(repetitions, opinions or {}, verdicts or {}),
        databases=ComparedDatabases.validate(
            pl.DataFrame(
                [[name, 1, "dbip", "country", date(2026, 6, 1), database, None, None, None]],
                schema=ComparedDatabases.create_empty().schema,
                orient="row",
            )
        ),
        observed=(),
        captures=Captures.validate(
            pl.DataFrame(
                [_capture(name, number, part) for number, part in numbered],
                schema=Captures.create_empty().schema,
            )
        ),
        settings=Settings(),
        notes=(),
        is_balanced=True,
    )


def _spans(exposures, numbered):
    whole = exposures.select(
        "repetition", "state", pl.lit(None, dtype=pl.String).alias("label"), "exposure"
    )
    labels = [
        (number, state, label, timedelta(hours=hours))
        for number, part in numbered
        for (state, label), hours in part.hours_of_labels.items()
    ]
    return pl.concat([whole, pl.DataFrame(labels, schema=whole.schema, orient="row")])


def _traits(numbered):
    rows = [
        (number, sent.host or sent.address, trait, value)
        for number, part in numbered
        for sent in part.sent
        for trait, value in (
            ("service", sent.service),
            ("ja4", sent.ja4),
            ("place", f"{sent.country} AS{sent.asn}"),
        )
        if value is not None
    ]
    rows += [
        (number, host, "beacon", state) for number, part in numbered for host, state in part.beacons
    ]
    schema = {"repetition": pl.Int64, "key": pl.String, "trait": pl.String, "value": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").unique()


def _file(name, number, part):
    return part.file or f"{name}{number}.pcap"


def _repetition(name, number, part):
    return {
        "side": name,
        "repetition": number,
        "name": _file(name, number, part),
        "is_saved": part.is_saved,
        "captures": part.captures,
        "sha256": ["0" * 64],
        "timelines": [] if part.timeline_source is None else ["rep.timeline.csv"],
        "timelines_sha256": [],
        "timeline_source": part.timeline_source,
        "phone_addresses": [part.phone],
        "packets": 10,
        "first_time": BEGIN,
        "last_time": BEGIN + timedelta(hours=1),
        "up_unique_bytes": sum(sent.bytes for sent in part.sent),
        "is_damaged": part.damage is not None,
    }


def _exposures(name, number, part):
    for state in (ALL_STATES, *STATES):
        is_here = [sent.bytes for sent in part.sent if state in (ALL_STATES, sent.state)]
        hours = sum(part.hours.values()) if state == ALL_STATES else part.hours.get(state, 0)
        yield {
            "side": name,
            "repetition": number,
            "state": state,
            "exposure": timedelta(hours=hours),
            "up_unique_bytes": sum(is_here),
        }


def _sent(numbered):
    rows = [
        {
            "state": state,
            "label": label,
            "remote_address": sent.address,
            "host": sent.host,
            "country": sent.country,
            "asn": sent.asn,
            "as_org": sent.as_org,
            "organisation": sent.organisation,
            "domain": sent.domain,
            "app": sent.app,
            "service": sent.service,
            "up_unique_bytes": sent.bytes,
            "flows": sent.flows,
            "repetition": number,
        }
        for number, part in numbered
        for sent in part.sent
        for state, label in (
            (ALL_STATES, None),
            (sent.state, None),
            *(
                [(sent.state, sent.label)]
                if (sent.state, sent.label) in part.hours_of_labels
                else []
            ),
        )
    ]
    text = dict.fromkeys(("state", "label", "remote_address", "host", "country"), pl.String)
    more = dict.fromkeys(("organisation", "domain", "app", "service"), pl.String)
    numbers = dict.fromkeys(("up_unique_bytes", "flows", "repetition"), pl.Int64)
    schema = text | {"asn": pl.Int64, "as_org": pl.String} | more | numbers
    return pl.DataFrame(rows, schema=schema)


def _places(repetitions, opinions, verdicts):
    known = {sent.address: sent for part in repetitions for sent in part.sent}
    fields = [pl.Field("database", pl.String), pl.Field("country", pl.String)]
    return pl.DataFrame(
        [
            {
                "address": address,
                "country": sent.country,
                "asn": sent.asn,
                "opinions": [
                    {"database": database, "country": country}
                    for database, country in opinions.get(address, {"dbip": sent.country}).items()
                ],
                "verdict": verdicts.get(address, "unverifiable"),
                "reason": "made",
            }
            for address, sent in known.items()
        ],
        schema={
            "address": pl.String,
            "country": pl.String,
            "asn": pl.Int64,
            "opinions": pl.List(pl.Struct(fields)),
            "verdict": pl.String,
            "reason": pl.String,
        },
    )


def _capture(name, number, part):
    file = _file(name, number, part)
    return dict.fromkeys(Captures.column_names(), 0) | {
        "capture": file,
        "sha256": file.encode().hex().ljust(64, "0")[:64],
        "format": "pcap",
        "compression": None,
        "link_types": [1],
        "first_time": BEGIN,
        "last_time": BEGIN + timedelta(hours=1),
        "dropped_packets": part.dropped,
        "damage": part.damage,
    }


def every_change():
    """A comparison with a row of every change, and hostile names."""
    hours = {"active": 1.0, "idle": 2.0}
    base = [
        Sent(100, host="same.example"),
        Sent(100, host="more.example"),
        Sent(900, host="less.example"),
        Sent(7, host="gone.example", address="95.216.3.4", country="FI", asn=24940),
        Sent(3, host="moved.example"),
    ]
    new = [
        Sent(101, host="same.example"),
        Sent(900, host="more.example"),
        Sent(100, host="less.example"),
        Sent(50, host=HOSTILE, address="113.96.232.10", country="CN", asn=4134, as_org=FORMULA),
        Sent(60, host=FORMULA, address="113.96.232.11", country="CN", asn=4134, as_org=FORMULA),
        Sent(3, host="moved.example", address="13.250.100.4", country="SG", asn=16509),
        Sent(9, host="same.example", state="background"),
    ]
    return compared(
        side("base", *[Repetition(tuple(base), hours)] * 2),
        side("new", *[Repetition(tuple(new), hours | {"background": 0.5})] * 3),
    )
