"""What keys opened of each capture, mapped to its flows, and what they did not open, and why."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dataframely as dy
import polars as pl

from phonehome.analyzer.tables import Decryption
from phonehome.captures.decryption.keylogs import Keys, keys_of
from phonehome.captures.decryption.plaintext import Attempt, Opened
from phonehome.captures.decryption.session import Opening
from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading

ENCRYPTED = ("tls", "quic", "dtls", "mmtls")
"""Services whose payload is encrypted."""

OPENED = "Keys opened {} of {}: {:,} plain bytes up and {:,} down, {}."
OTHER_LEG = (
    "{}: none of the keys that were given ({}) belongs to a connection in it ({} whose begin was "
    "captured). They are of another time, or of the other side of a proxy that reads along: take "
    "the key log of the side on which the capture was made."
)
SPARE = (
    "{} of {} that were given belong to no connection in the captures: they are of another time, "
    "or of the other side of a proxy that reads along."
)
PROBLEM = "{}: {}."

Take = Callable[[Opened, int | None], None]
"""Gets each piece that was opened, with the number of its conversation in the capture."""

_Ends = tuple[str, tuple[str, int], tuple[str, int]]

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


@dataclass(frozen=True)
class Decrypted:
    """What keys opened of one capture.

    Attributes:
        table: a row per encrypted conversation and layer; empty where there are no keys.
        version: version of tshark; None: it was not needed, or is not there.
        problem: what went wrong, in a line; None: nothing.
        limits_hit: how often each limit left something out.
        given_randoms: connections that the key logs given have keys for.
        seen_randoms: those of them that are in the capture.
        hellos: connections of the capture whose begin was captured.
    """

    table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_COLUMNS))
    version: str | None = None
    problem: str | None = None
    limits_hit: dict[str, int] = field(default_factory=dict)
    given_randoms: int = 0
    seen_randoms: frozenset[bytes] = frozenset()
    hellos: int = 0


def _ignore(_: Opened, __: int | None) -> None:
    """Look at nothing of what was opened."""


def decrypted(  # noqa: PLR0913, PLR0917 - one capture, and all that is needed to open it
    path: Path,
    given: Keys,
    reading: Reading,
    flows: pl.DataFrame,
    limits: Limits,
    take: Take = _ignore,
) -> Decrypted:
    """What keys open of a capture that was read.

    Args:
        path: the capture.
        given: keys that the user gave; those inside the capture are added.
        reading: the capture, read to its end.
        flows: its conversations, seen from the phone.
        limits: bounds on what opening may cost.
        take: gets each piece that was opened, with its conversation, in order.
    """
    keys = given.merged(keys_of(reading.secrets(), "secrets_block"))
    if not keys.lines and not keys.mmtls:
        return Decrypted()
    places = Places(flows)
    records, tried, records_hit = reading.opened_records(reading.conversations())
    for piece in records:
        take(piece, places.of(piece))
    opening = Opening(path, keys, limits)
    if keys.lines:
        for piece in opening.pieces():
            take(piece, places.of(piece))
    attempts = opening.attempts()
    limits_hit = Counter(opening.limits_hit) + Counter(records_hit)
    return Decrypted(
        table=_table(
            flows,
            [*attempts, *tried],
            places,
            reason=opening.reason if keys.lines else "no_key",
            greeted=frozenset(reading.hellos()["conversation"]),
        ),
        version=opening.version,
        problem=opening.problem,
        limits_hit=dict(limits_hit),
        given_randoms=len(given.sources),
        seen_randoms=frozenset(opening.seen_randoms & given.sources.keys()),
        hellos=sum(attempt.has_hello for attempt in attempts),
    )


class Places:
    """Finds the conversation of a capture that has these ends, and this frame in it.

    Args:
        flows: conversation, protocol, both ends, first_frame, last_frame, is_local_b.
    """

    def __init__(self, flows: pl.DataFrame) -> None:
        self._known: dict[_Ends, list[tuple[int, int]]] = {}
        self.locals: dict[int, tuple[str, int]] = {}
        rows = flows.filter(pl.col("protocol").is_in(("tcp", "udp"))).select(
            "conversation",
            "protocol",
            "local_address",
            "local_port",
            "remote_address",
            "remote_port",
            "first_frame",
        )
        for conversation, protocol, *ends, frame in rows.sort("first_frame").iter_rows():
            local, remote = (ends[0], ends[1]), (ends[2], ends[3])
            self._known.setdefault(_ends(protocol, local, remote), []).append((frame, conversation))
            self.locals[conversation] = local

    def of(self, piece: Opened) -> int | None:
        """The conversation of a piece; None: none has its ends."""
        source = (piece.source, piece.source_port)
        destination = (piece.destination, piece.destination_port)
        return self.find(piece.protocol, source, destination, piece.frame)

    def find(
        self, protocol: str, one: tuple[str, int], other: tuple[str, int], frame: int
    ) -> int | None:
        """The conversation between two ends that a frame belongs to; None as above."""
        known = self._known.get(_ends(protocol, one, other), [])
        place = bisect_right(known, frame, key=lambda begun: begun[0])
        return known[place - 1][1] if place else None


def _ends(protocol: str, one: tuple[str, int], other: tuple[str, int]) -> _Ends:
    first, second = sorted((one, other))
    return protocol, first, second


def _table(
    flows: pl.DataFrame,
    attempts: Iterable[Attempt],
    places: Places,
    *,
    reason: str | None,
    greeted: frozenset[int],
) -> pl.DataFrame:
    """A row per encrypted conversation and layer.

    Args:
        flows: as for `decrypted`.
        attempts: what became of the connections that were tried.
        places: finds their conversations.
        reason: why tshark stopped, or did not begin; None: it came to its end.
        greeted: conversations of which the hello of the client was captured.
    """
    tried: dict[tuple[int, str], list[Attempt]] = {}
    for attempt in attempts:
        conversation = places.find(
            attempt.protocol, attempt.client, attempt.server, attempt.first_frame
        )
        if conversation is not None:
            tried.setdefault((conversation, attempt.layer), []).append(attempt)
    encrypted = flows.filter(pl.col("service").is_in(ENCRYPTED)).select("conversation", "service")
    for conversation, service in encrypted.iter_rows():
        tried.setdefault((conversation, service), [])
    rows = [
        _row(
            conversation,
            layer,
            found,
            places.locals.get(conversation),
            reason or ("not_dissected" if conversation in greeted else None),
        )
        for (conversation, layer), found in sorted(tried.items())
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
        found: tables of `Decrypted`, with `flow` for `conversation`.
        flows: flow and capture.
    """
    table = (
        found.join(flows.select("flow", "capture"), on="flow", maintain_order="left")
        .with_columns(is_opened=pl.col("reason").is_null())
        .sort("flow", "layer")
    )
    return Decryption.validate(table.select(Decryption.column_names()))


def decryption_notes(
    table: dy.DataFrame[Decryption], captures: list[tuple[str, Decrypted]]
) -> list[str]:
    """Sentences on what keys opened, and on what is wrong with them.

    Args:
        table: what they opened.
        captures: per capture its name, and what was opened of it.
    """
    said = [PROBLEM.format(name, one.problem) for name, one in captures if one.problem]
    if not table.is_empty():
        opened = table.filter("is_opened")
        said.append(
            OPENED.format(
                f"{opened['flow'].n_unique():,}",
                _counted(table["flow"].n_unique(), "encrypted "),
                int(opened["up_opened_bytes"].sum()),
                int(opened["down_opened_bytes"].sum()),
                _requests(int(opened["requests"].sum())),
            )
        )
    said += [
        OTHER_LEG.format(name, f"{one.given_randoms:,}", f"{one.hellos:,}")
        for name, one in captures
        if one.given_randoms and one.hellos and not one.seen_randoms and not one.problem
    ]
    return said + _spare([one for _, one in captures])


def _spare(captures: list[Decrypted]) -> list[str]:
    """That some of the keys belong to nothing, where others do."""
    given = max((one.given_randoms for one in captures), default=0)
    seen = len(frozenset[bytes]().union(*(one.seen_randoms for one in captures)))
    if not 0 < seen < given:
        return []
    keys = "1 key" if given == 1 else f"{given:,} keys"
    return [SPARE.format(f"{given - seen:,}", keys)]


def _counted(count: int, kind: str) -> str:
    return f"{count:,} {kind}flow{'' if count == 1 else 's'}"


def _requests(count: int) -> str:
    return f"{count:,} request{'' if count == 1 else 's'}"
