# Held by tests/analyzer/content/test_content_decryption.py: each capture with keys goes through it.
"""What keys opened of one capture, and the conversation that each piece and connection is of."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from phonehome.captures.decryption.keylogs import Keys
from phonehome.captures.decryption.plaintext import Attempt, Opened
from phonehome.captures.decryption.session import Opening
from phonehome.captures.limits import Limits

Take = Callable[[Opened, int | None], None]
"""Gets each piece that was opened, with the number of its conversation in the capture."""

_Ends = tuple[str, tuple[str, int], tuple[str, int]]


@dataclass(frozen=True)
class OpenedTraffic:
    """What keys opened of one capture; without keys nothing, and nothing was tried.

    Attributes:
        is_tried: there are keys, given by the user or kept in the capture.
        attempts: connections that were tried, each with its conversation.
        reason: why tshark stopped, or did not begin, one of `plaintext.REASONS`; None: it came
            to its end.
        version: version of tshark; None: it was not needed, or is not there.
        problem: what went wrong, in a line; None: nothing.
        limits_hit: how often each limit left something out.
        given_randoms: connections that the key logs given have keys for.
        seen_randoms: those of them that are in the capture.
        hellos: connections of the capture whose begin was captured.
    """

    is_tried: bool = False
    attempts: tuple[tuple[int, Attempt], ...] = ()
    reason: str | None = None
    version: str | None = None
    problem: str | None = None
    limits_hit: dict[str, int] = field(default_factory=dict)
    given_randoms: int = 0
    seen_randoms: frozenset[bytes] = frozenset()
    hellos: int = 0


def opened_traffic(  # noqa: PLR0913 - one capture, and all that is needed to open it
    path: Path,
    *,
    given: Keys,
    keys: Keys,
    records: tuple[Iterable[Opened], Iterable[Attempt], dict[str, int]],
    conversations: pl.DataFrame,
    limits: Limits,
    take: Take,
) -> OpenedTraffic:
    """What keys open of a capture that was read.

    Args:
        path: the capture.
        given: keys that the user gave.
        keys: those, and the ones inside the capture.
        records: what was opened of MMTLS while the capture was read, what became of its
            connections, and limits that bit.
        conversations: as for `ConversationEnds`.
        limits: bounds on what opening may cost.
        take: gets each piece that was opened, with its conversation, in order.

    Raises:
        CaptureError: the capture cannot be read any more.
    """
    if not keys.lines and not keys.mmtls:
        return OpenedTraffic()
    ends = ConversationEnds(conversations)
    pieces, tried, records_hit = records
    for piece in pieces:
        take(piece, ends.of(piece))
    opening = Opening(path, keys, limits)
    if keys.lines:
        for piece in opening.pieces():
            take(piece, ends.of(piece))
    attempts = opening.attempts()
    placed = ((ends.of_attempt(attempt), attempt) for attempt in (*attempts, *tried))
    return OpenedTraffic(
        is_tried=True,
        attempts=tuple((number, attempt) for number, attempt in placed if number is not None),
        reason=opening.reason if keys.lines else "no_key",
        version=opening.version,
        problem=opening.problem,
        limits_hit=dict(Counter(opening.limits_hit) + Counter(records_hit)),
        given_randoms=len(given.sources),
        seen_randoms=frozenset(opening.seen_randoms & given.sources.keys()),
        hellos=sum(attempt.has_hello for attempt in attempts),
    )


class ConversationEnds:
    """Finds the conversation of a capture that has these ends, and this frame in it.

    Args:
        conversations: conversation, protocol, both ends, first_frame.
    """

    def __init__(self, conversations: pl.DataFrame) -> None:
        self._known: dict[_Ends, list[tuple[int, int]]] = {}
        rows = conversations.filter(pl.col("protocol").is_in(("tcp", "udp"))).select(
            "conversation", "protocol", "a_address", "a_port", "b_address", "b_port", "first_frame"
        )
        for conversation, protocol, *ends, frame in rows.sort("first_frame").iter_rows():
            between = _between(protocol, (ends[0], ends[1]), (ends[2], ends[3]))
            self._known.setdefault(between, []).append((frame, conversation))

    def of(self, piece: Opened) -> int | None:
        """The conversation of a piece; None: none has its ends."""
        source = (piece.source, piece.source_port)
        destination = (piece.destination, piece.destination_port)
        return self.find(piece.protocol, source, destination, piece.frame)

    def of_attempt(self, attempt: Attempt) -> int | None:
        """The conversation of a connection that was tried; None as above."""
        return self.find(attempt.protocol, attempt.client, attempt.server, attempt.first_frame)

    def find(
        self, protocol: str, one: tuple[str, int], other: tuple[str, int], frame: int
    ) -> int | None:
        """The conversation between two ends that a frame belongs to; None as above."""
        known = self._known.get(_between(protocol, one, other), [])
        place = bisect_right(known, frame, key=lambda begun: begun[0])
        return known[place - 1][1] if place else None


def _between(protocol: str, one: tuple[str, int], other: tuple[str, int]) -> _Ends:
    first, second = sorted((one, other))
    return protocol, first, second
