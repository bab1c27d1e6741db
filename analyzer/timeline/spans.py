# Held by tests/analyzer/timeline/test_sources.py: values only; each is read there.
"""What a timeline says: spans of time, each with a state, and what in its files was odd."""

from dataclasses import dataclass
from typing import NamedTuple

from phonehome.errors import PhonehomeError

INFERRED = "inferred"
"""Source of spans that nobody logged: what traffic suggests."""


class TimelineError(PhonehomeError):
    """A timeline that cannot be used; the message names file, line, what was expected and found."""


class Oddity(NamedTuple):
    """A line of a timeline that could not be read or believed."""

    file: str
    line: int
    kind: str


@dataclass(frozen=True, kw_only=True)
class Span:
    """A span of a timeline.

    Attributes:
        start: begin, included; ns since 1970, or since the capture's first packet.
        end: end, excluded; as `start`.
        is_relative: counted from the first packet.
        state: one of `tables.STATES`.
        label: what happened, in the words of the file; of a log, in ours.
        source: file and line; of a log, the line that began it.
    """

    start: int
    end: int
    is_relative: bool
    state: str
    label: str
    source: str


def by_start(span: Span) -> tuple[int, int]:
    """Key that puts spans in order."""
    return span.start, span.end
