"""Contacts, phases and flows written by hand, as the modules on behaviour over time take them."""

import polars as pl

from phonehome.analyzer.flows.contacts import of_phone

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


OF_FLOW = ("capture", "app", "host", "remote_address", "service", "country", "is_answered")


def contacts(*rows):
    """Contacts; `at` is the begin in seconds, `end` the end, which is the begin if not given."""
    made = []
    for row in rows:
        start = round(row["at"] * SECOND)
        last = round(row["end"] * SECOND) if "end" in row else start
        said = {key: value for key, value in row.items() if key not in {"at", "end"}}
        made.append(CONTACT | {"start": start, "last": last} | said)
    table = pl.DataFrame(made, schema=_SCHEMA, orient="row")
    return table.with_columns(remote=pl.col("remote_address").rank("dense"))


def met(*rows):
    """The same as `contacts.of_phone` makes them; what differs in a flow makes another of it."""
    table = contacts(*rows)
    flows: dict = {}
    for row in table.to_dicts():
        key = (row["flow"], *(row[name] for name in OF_FLOW))
        number = row["flow"] if all(of != row["flow"] for of in flows.values()) else 1_000
        flows.setdefault(key, number + (len(flows) if number == 1_000 else 0))
    numbers = [flows[row["flow"], *(row[name] for name in OF_FLOW)] for row in table.to_dicts()]
    of_flows = pl.DataFrame(
        [(number, *key[1:]) for key, number in flows.items()],
        schema={"flow": pl.Int64, **{name: _SCHEMA[name] for name in OF_FLOW}},
        orient="row",
    ).with_columns(role=pl.lit("phone"), down_packets=pl.col("is_answered").cast(pl.Int64))
    spans = table.unique("phase").select("phase", "state").sort("phase")
    plain = table.with_columns(flow=pl.Series(numbers, dtype=pl.Int64)).select(
        "flow", "phase", "is_up", "start", "last", "unique_bytes", "packets", "first_frame",
        "last_frame",
    )  # fmt: skip
    return of_phone(plain, of_flows, spans)


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
