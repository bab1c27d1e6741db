"""What the page says of encryption: how much was protected, and what keys opened of it."""

from collections.abc import Sequence
from typing import Any, Final

import polars as pl

from phonehome.analyzer.tables import ENCRYPTION, Analysis
from phonehome.reports.words import sums
from phonehome.reports.words.translate import mark, say

CLASSES: Final = {
    "encrypted": mark("encrypted"),
    "mixed": mark("partly encrypted"),
    "compressed": mark("compressed, not encrypted"),
    "plain": mark("plain"),
    "too_short": mark("too short to tell"),
    "unknown": mark("nothing captured that tells"),
}
"""Classes of encryption as the page names them, in the order in which it lists them."""

REASONS: Final = {
    "no_key": mark("no key is for this connection"),
    "no_handshake": mark("its begin was not captured, so nobody knows which key is for it"),
    "not_dissected": mark("tshark did not find this connection, of which phonehome saw the begin"),
    "no_answer": mark("the server's answer to its hello was not captured"),
    "nothing_opened": mark(
        "there is a key, but it opened nothing: it is wrong, packets are missing, or nothing was "
        "sent"
    ),
    "tshark_missing": mark("tshark is not installed, or too old"),
    "tshark_stopped": mark("tshark was stopped before it was done"),
    "read_once": mark("standard input cannot be read a second time"),
    "not_supported": mark("this encryption cannot be opened here"),
}
"""Why nothing of a flow was opened, as the page says it."""

LAYERS: Final = {
    "tls": "TLS",
    "quic": "QUIC",
    "dtls": "DTLS",
    "mmtls": "MMTLS",
    "mmtls-inner": mark("MMTLS, business layer"),
}
_MOST_ROWS: Final = 100


def encryption(analysis: Analysis, flows: pl.DataFrame) -> dict[str, Any]:
    """What the template of this part shows.

    Args:
        analysis: the tables.
        flows: flows that count.

    Returns:
        `classes`: per class its bytes up; `whole`: all of them; `destinations`: per destination
        its bytes up per class, the largest first; `more`: destinations left out; `opened`: per
        layer and outcome its flows, requests and bytes; `program`: what opened them.
    """
    by_class = dict.fromkeys(CLASSES, 0) | dict(
        flows.group_by(_CLASS).agg(sums.UP.sum()).iter_rows()
    )
    destinations = _destinations(flows)
    return {
        "classes": [(say(CLASSES[name]), by_class[name]) for name in CLASSES if by_class[name]],
        "whole": sum(by_class.values()),
        "names": [(name, say(text)) for name, text in CLASSES.items()],
        "destinations": destinations[:_MOST_ROWS],
        "more": max(0, len(destinations) - _MOST_ROWS),
        "opened": _opened(analysis.decryption, flows),
        "program": analysis.tshark,
    }


_CLASS: Final = pl.col("up_encryption").fill_null("unknown")


def _destinations(flows: pl.DataFrame) -> Sequence[dict[str, Any]]:
    """Per destination that got something, its bytes up per class."""
    named = pl.coalesce("host", "remote_address").alias("destination")
    columns = [
        sums.UP.filter(_CLASS.eq(name)).sum().alias(name) for name in (*ENCRYPTION, "unknown")
    ]
    least = pl.col("up_encryption_confidence").min().alias("confidence")
    return (
        flows.filter(sums.UP > 0)
        .group_by(named)
        .agg(*columns, least, up=sums.UP.sum())
        .sort(-pl.col("up"), "destination")
        .to_dicts()
    )


def _opened(decryption: pl.DataFrame, flows: pl.DataFrame) -> list[dict[str, Any]]:
    """Per layer and reason: flows, requests and plain bytes of the flows that count."""
    order = ("layer", "reason")
    rows = (
        decryption.join(flows.select("flow"), on="flow", how="semi")
        .group_by(order)
        .agg(
            pl.col("flow").n_unique().alias("flows"),
            pl.col("requests", "up_opened_bytes", "down_opened_bytes", "failures").sum(),
        )
        .sort(*order, nulls_last=False)
        .to_dicts()
    )
    return [row | _said(LAYERS[row["layer"]], row["reason"]) for row in rows]


def _said(layer: str, reason: str | None) -> dict[str, str]:
    """Layer and outcome of a row in words."""
    if reason is None:
        return {"layer": say(layer), "outcome": say("opened")}
    why = REASONS[reason]
    return {"layer": say(layer), "outcome": say(why)}
