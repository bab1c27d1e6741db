"""Tables written by hand, and claims about them."""

from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import polars as pl

from phonehome.analyzer.claims.ask import Answer
from phonehome.analyzer.claims.check import claims_table
from phonehome.analyzer.claims.file import read_claims
from phonehome.analyzer.claims.query_text import QueryError
from phonehome.analyzer.claims.tables import SCHEMAS, Tables
from phonehome.analyzer.claims.worker import answer, in_place

BEGIN = datetime(2026, 9, 14, 13, 0, tzinfo=UTC)
PUBLISHED = 'sentence = "As somebody said."\nsource = "Somebody"'


class Sent(NamedTuple):
    """What the phone sent in one flow to one remote, in one state."""

    bytes: int
    country: str | None = "US"
    address: str = "52.23.61.14"
    host: str | None = "chat.example"
    state: str = "idle"
    app: str | None = None
    asn: int | None = 14618
    organisation: str | None = "Example"
    verdict: str | None = "consistent"
    others: tuple[str, ...] = ()
    is_anycast: bool = False
    service: str | None = "tls"
    content: str | None = None
    is_ech: bool | None = None
    is_host_ambiguous: bool = False
    role: str = "phone"


def tables(  # noqa: PLR0913 - of a test
    *sent, hours=None, source="log.csv:2", app=None, damage=None, losses=0, limit=0, rtt=None
):
    """The tables of a phone that sent this, observed for so many hours of each state."""
    spans = {"idle": 1.0} if hours is None else hours
    flows = [_flow(number, one) for number, one in enumerate(sent, start=1)]
    mine = [row for row, one in zip(flows, sent, strict=True) if one.role == "phone"]
    rows = {
        "flows": flows,
        "uploads": [row | {"phase": 1} for row in mine],
        "places": list({one.address: _place(one, rtt) for one in sent}.values()),
        "phases": [
            {"phase": number, "state": state, "source": source, "exposure": timedelta(hours=long)}
            for number, (state, long) in enumerate(spans.items(), start=1)
        ],
        "captures": [{"capture": "a.pcap", "damage": damage, "dropped_packets": losses,
                      "gap_bytes": 0}],
        "ledger": [{"outcome": "limit", "packets": limit}],
        "databases": [{"name": "first", "kind": "country", "data_date": date(2026, 6, 1)}],
    }  # fmt: skip
    return Tables(
        frames={
            name: pl.DataFrame(rows.get(name, []), schema=schema.create_empty().schema)
            for name, schema in SCHEMAS.items()
        },
        app=app,
        is_located=rtt is not None,
        idle_means="screen-off",
        limits_hit={},
        is_balanced=True,
    )


def _flow(number, one):
    return {
        "flow": number,
        "capture": "a.pcap",
        "app": one.app,
        "role": one.role,
        "protocol": "tcp",
        "local_port": 40_000 + number,
        "remote_address": one.address,
        "host": one.host,
        "country": one.country,
        "asn": one.asn,
        "organisation": one.organisation,
        "state": one.state,
        "service": one.service,
        "up_content": one.content,
        "is_ech": one.is_ech,
        "is_host_ambiguous": one.is_host_ambiguous,
        "up_packets": 1,
        "up_unique_bytes": one.bytes,
    }


def _place(one, rtt):
    return {
        "address": one.address,
        "scope": "global",
        "country": one.country,
        "asn": one.asn,
        "is_anycast": one.is_anycast,
        "opinions": [{"database": str(n), "country": code}
                     for n, code in enumerate((one.country, *one.others))],
        "rtt_floor": rtt,
        "verdict": one.verdict,
        "reason": None if one.verdict is None else "for a reason",
    }  # fmt: skip


def written(folder, *lines, name="claims.toml"):
    """A file of one claim with these lines."""
    path = folder / name
    path.write_text("\n".join(["[[claim]]", 'id = "one"', PUBLISHED, *lines]), encoding="utf-8")
    return path


def tested(folder, of, *lines):
    """What came of one claim with these lines."""
    stated = read_claims([written(folder, *lines)], of.idle_means)
    return claims_table(of, stated).row(0, named=True)


def answers_here(given, jobs, **_):
    """What `claims_queries.answers` gives, without a process: many tests ask little each."""
    found = []
    for job in jobs:
        others = {f"{name}:": table for name, table in job.others.items()}
        placed = in_place({**given, **others}, {name: f"{name}:" for name in job.others})
        said = answer(placed, job.sql)
        if "error" in said:
            raise QueryError(f"{job.claim}: {job.what}: {said['error']}")
        values = tuple(map(tuple, said["values"]))
        found.append(Answer(tuple(said["columns"]), said["is_integer"], values))
    return found
