"""Contacts, phases and flows written by hand, as the modules on behaviour over time take them."""

import polars as pl

SECOND = 1_000_000_000
CONTACT = {
    "flow": 1,
    "capture": "a.pcap",
    "phase": 1,
    "state": "idle",
    "is_up": True,
    "start": 0,
    "last": 0,
    "unique_bytes": 100,
    "packets": 1,
    "first_frame": 1,
    "last_frame": 1,
    "app": None,
    "host": "a.example",
    "remote_address": "203.0.113.7",
    "service": "tls",
    "country": "DE",
    "asn": 64500,
    "is_answered": True,
}
_SCHEMA = {
    name: pl.Boolean
    if isinstance(value, bool)
    else pl.Int64
    if isinstance(value, int)
    else pl.String
    for name, value in CONTACT.items()
}


def contacts(*rows):
    """Contacts; `at` is the begin in seconds, `end` the end, which is the begin if not given."""
    made = []
    for row in rows:
        start = round(row.pop("at") * SECOND)
        last = round(row.pop("end") * SECOND) if "end" in row else start
        made.append(CONTACT | {"start": start, "last": last} | row)
    return pl.DataFrame(made, schema=_SCHEMA, orient="row")


def train(times, **of):
    return [{"at": time, **of} for time in times]


def phases(*rows):
    """Phases of (state, start, end) in seconds, all of them observed."""
    return pl.DataFrame(
        {
            "phase": list(range(1, len(rows) + 1)),
            "state": [state for state, _, _ in rows],
            "start": [start * SECOND for _, start, _ in rows],
            "end": [end * SECOND for _, _, end in rows],
            "exposure": [(end - start) * SECOND for _, start, end in rows],
        },
    ).with_columns(
        pl.col("start", "end").cast(pl.Datetime("ns", "UTC")),
        pl.col("exposure").cast(pl.Duration("ns")),
    )
