"""Rows of the table of claims, as hostile as a file and a capture can make them."""

from datetime import timedelta

import polars as pl

from phonehome.analyzer.tables import Claims

USUAL = {
    "claim": "one",
    "file": "claims.toml",
    "sentence": "No data goes to China.",
    "source": "Somebody",
    "source_date": "2020-09-17",
    "source_url": "https://example.com/x",
    "test": "bytes uploaded to CN",
    "can_show": None,
    "cannot_show": "What happens behind the first server.",
    "query": "SELECT 1 FROM flows",
    "expect": "== 0",
    "found": "70",
    "result": "contradicted",
    "reason": None,
    "explanation": "Bytes uploaded to CN: 70 (expected: == 0), in 60.0 min observed.",
    "remarks": ["All traffic of the phone counts."],
    "verdicts": ["consistent"],
    "states": [],
    "exposure": timedelta(hours=1),
    "needed_exposure": timedelta(minutes=10),
    "up_unique_bytes": 70,
    "flow_count": 1,
    "flows": [2],
    "display_filter": "ip.addr == 113.96.232.10",
}
UNTOLD = {"claim": "two", "result": "cannot tell", "reason": "too little time"}
HELD = {"claim": "three", "result": "supported", "display_filter": None}


def rows(*changes):
    made = [USUAL | change for change in changes]
    return Claims.validate(pl.DataFrame(made, schema=Claims.create_empty().schema))


def all_three():
    return rows({}, UNTOLD, HELD)


def hostile(text):
    """One claim with this text wherever a file or a capture has a say."""
    free = (
        "sentence",
        "source",
        "source_date",
        "can_show",
        "found",
        "explanation",
        "query",
        "file",
    )
    return rows(dict.fromkeys(free, text) | {"remarks": [text], "display_filter": text})
