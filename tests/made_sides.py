"""Sides of a comparison made by hand: what was observed for how long, and what was sent."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from analyzer.settings import Settings
from analyzer.sides import Side
from analyzer.tables import ALL_STATES, STATES, ComparedDatabases, Exposures, Repetitions
from captures.tables import Captures

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


class Repetition(NamedTuple):
    """One repetition: what it sent, and the hours that it observed of each state."""

    sent: tuple[Sent, ...]
    hours: dict[str, float] = {"idle": 1.0}  # noqa: RUF012 - nothing changes it
    file: str = ""
    damage: str | None = None
    dropped: int | None = None
    phone: str = "192.168.43.17"
    timeline_source: str | None = "beside"
    captures: int = 1
    is_saved: bool = False


def side(name, *repetitions, opinions=None, database="a" * 64):
    """A side; `opinions` says per address what each database thinks of its country."""
    numbered = list(enumerate(repetitions, start=1))
    return Side(
        side=name,
        label=f"{name}.pcap",
        repetitions=Repetitions.validate(
            pl.DataFrame(
                [_repetition(name, number, part) for number, part in numbered],
                schema=Repetitions.create_empty().schema,
            )
        ),
        exposures=Exposures.validate(
            pl.DataFrame(
                [row for number, part in numbered for row in _exposures(name, number, part)],
                schema=Exposures.create_empty().schema,
            )
        ),
        sent=_sent(numbered),
        places=_places(repetitions, opinions or {}),
        databases=ComparedDatabases.validate(
            pl.DataFrame(
                [[name, 1, "dbip", "country", date(2026, 6, 1), database, None, None, None]],
                schema=ComparedDatabases.create_empty().schema,
                orient="row",
            )
        ),
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
            "remote_address": sent.address,
            "host": sent.host,
            "country": sent.country,
            "asn": sent.asn,
            "as_org": sent.as_org,
            "up_unique_bytes": sent.bytes,
            "repetition": number,
        }
        for number, part in numbered
        for sent in part.sent
        for state in (ALL_STATES, sent.state)
    ]
    text = dict.fromkeys(("state", "remote_address", "host", "country"), pl.String)
    numbers = {"up_unique_bytes": pl.Int64, "repetition": pl.Int64}
    return pl.DataFrame(rows, schema=text | {"asn": pl.Int64, "as_org": pl.String} | numbers)


def _places(repetitions, opinions):
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
            }
            for address, sent in known.items()
        ],
        schema={
            "address": pl.String,
            "country": pl.String,
            "asn": pl.Int64,
            "opinions": pl.List(pl.Struct(fields)),
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
