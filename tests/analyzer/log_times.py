"""What tests of phone logs share: the logs, and spans as people would write them down."""

from datetime import UTC, datetime
from pathlib import Path

from phonehome.analyzer.timeline.sources import read_timelines

LOGS = Path(__file__).parent / "logs"
SECOND = 1_000_000_000
NOON = int(datetime(2026, 3, 14, 12, tzinfo=UTC).timestamp()) * SECOND
"""13:00 in Berlin, where the phones of these logs are."""
PARROT = "com.example.parrot"


def clock(time):
    """Minutes, seconds and, if there are any, thousandths after noon in UTC."""
    minutes, rest = divmod(time - NOON, 60 * SECOND)
    return f"{minutes}:{rest / SECOND:06.3f}".removesuffix(".000")


def told(path, *, app=PARROT, timezone="Europe/Berlin", near=NOON):
    """Spans of a log, as lines of text, and its oddities."""
    spans, odd = read_timelines((path,), timezone, app).at(near)
    rows = [
        f"{clock(span.start)} {clock(span.end)} {span.state}: {span.label}"
        f" ({span.source.rpartition(':')[2]})"
        for span in spans
    ]
    return rows, [(one.line, one.kind) for one in odd]
