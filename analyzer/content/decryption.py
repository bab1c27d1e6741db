"""What keys opened of each capture, mapped to its flows, and what they did not open, and why."""

from collections.abc import Collection
from typing import Any

import dataframely as dy
import polars as pl

from phonehome.analyzer.kinds.counted import counted
from phonehome.analyzer.kinds.run import KEYS_OF_OTHERS, KEYS_OPENED, KEYS_PROBLEM, KEYS_SPARE
from phonehome.analyzer.kinds.statement import Statement
from phonehome.analyzer.tables import Decryption
from phonehome.captures import Attempt, OpenedTraffic

ENCRYPTED = ("tls", "quic", "dtls", "mmtls")
"""Services whose payload is encrypted."""

_COLUMNS = {
    "conversation": pl.Int32,
    "layer": pl.String,
    "keys_source": pl.String,
    "up_opened_bytes": pl.Int64,
    "down_opened_bytes": pl.Int64,
    "requests": pl.Int64,
    "failures": pl.Int64,
    "reason": pl.String,
}


def tried(flows: pl.DataFrame, opened: OpenedTraffic, greeted: Collection[int]) -> pl.DataFrame:
    """A row per encrypted conversation and layer of one capture; none where there are no keys.

    Args:
        flows: conversation, service, local_address, local_port.
        opened: what keys opened.
        greeted: conversations of which the hello of the client was captured.
    """
    if not opened.is_tried:
        return pl.DataFrame(schema=_COLUMNS)
    found: dict[tuple[int, str], list[Attempt]] = {}
    for conversation, attempt in opened.attempts:
        found.setdefault((conversation, attempt.layer), []).append(attempt)
    encrypted = flows.filter(pl.col("service").is_in(ENCRYPTED)).select("conversation", "service")
    for conversation, service in encrypted.iter_rows():
        found.setdefault((conversation, service), [])
    ends = flows.select("conversation", "local_address", "local_port").iter_rows()
    local = {conversation: (address, port) for conversation, address, port in ends}
    rows = [
        _row(
            conversation,
            layer,
            attempts,
            local.get(conversation),
            opened.reason or ("not_dissected" if conversation in greeted else None),
        )
        for (conversation, layer), attempts in sorted(found.items())
    ]
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def _row(
    conversation: int,
    layer: str,
    attempts: list[Attempt],
    local: tuple[str, int] | None,
    reason: str | None,
) -> tuple[Any, ...]:
    """One row: what all connections of a conversation come to."""
    opened = {True: 0, False: 0}
    for attempt in attempts:
        for is_client, count in attempt.opened_bytes.items():
            opened[is_client == (attempt.client == local)] += count
    return (
        conversation,
        layer,
        next((attempt.keys_source for attempt in attempts if attempt.keys_source), None),
        opened[True],
        opened[False],
        sum(attempt.requests for attempt in attempts),
        sum(attempt.failures for attempt in attempts),
        None if any(opened.values()) else _why_not(layer, attempts, reason),
    )


def _why_not(layer: str, attempts: list[Attempt], reason: str | None) -> str:
    """Why nothing of a conversation was opened: one of `opened.REASONS`."""
    if layer == "dtls":
        return "not_supported"
    if layer in {"mmtls", "mmtls-inner"}:
        return "nothing_opened" if any(one.keys_source for one in attempts) else "no_key"
    if any(attempt.keys_source for attempt in attempts):
        if reason not in {None, "not_dissected"}:
            return str(reason)
        return "nothing_opened" if any(one.has_answer for one in attempts) else "no_answer"
    if any(attempt.has_hello for attempt in attempts):
        return "no_key"
    return reason or "no_handshake"


def decryption(found: pl.DataFrame, flows: pl.DataFrame) -> dy.DataFrame[Decryption]:
    """What keys opened, by flow.

    Args:
        found: rows of `tried`, with `flow` for `conversation`.
        flows: flow and capture.
    """
    table = (
        found.join(flows.select("flow", "capture"), on="flow", maintain_order="left")
        .with_columns(is_opened=pl.col("reason").is_null())
        .sort("flow", "layer")
    )
    return Decryption.validate(table.select(Decryption.column_names()))


def decryption_notes(
    table: dy.DataFrame[Decryption], captures: list[tuple[str, OpenedTraffic]]
) -> list[Statement]:
    """Sentences on what keys opened, and on what is wrong with them.

    Args:
        table: what they opened.
        captures: per capture its name, and what was opened of it.
    """
    said = [
        KEYS_PROBLEM(capture=name, problem=one.problem) for name, one in captures if one.problem
    ]
    if not table.is_empty():
        opened = table.filter("is_opened")
        said.append(
            KEYS_OPENED(
                flows=opened["flow"].n_unique(),
                all=counted(table["flow"].n_unique(), "encrypted flow"),
                up=int(opened["up_opened_bytes"].sum()),
                down=int(opened["down_opened_bytes"].sum()),
                how=counted(int(opened["requests"].sum()), "request"),
            )
        )
    said += [
        KEYS_OF_OTHERS(capture=name, keys=one.given_randoms, connections=one.hellos)
        for name, one in captures
        if one.given_randoms and one.hellos and not one.seen_randoms and not one.problem
    ]
    return said + _spare([one for _, one in captures])


def _spare(captures: list[OpenedTraffic]) -> list[Statement]:
    """That some of the keys belong to nothing, where others do."""
    given = max((one.given_randoms for one in captures), default=0)
    seen = len(frozenset[bytes]().union(*(one.seen_randoms for one in captures)))
    if not 0 < seen < given:
        return []
    return [KEYS_SPARE(keys=given - seen, all=counted(given, "key"))]
