"""What a phone itself counted per app: `dumpsys netstats`, or what a person copied by hand.

Counters only grow, so two readings, before and after a capture, say what was sent between them.
Rows with a tag are part of those without one; what a VPN carried is counted again for its users.
Neither counts here.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from phonehome.analyzer.user_files import octets_of
from phonehome.errors import PhonehomeError

MOST_BYTES = 64 << 20
MOST_COUNTED = 1 << 50
"""Bytes of one app, one way."""

MOST_TOGETHER = 1 << 60
"""Bytes of all apps, both ways."""

NOBODY = -1
"""User id of rows of a CSV: such apps are known by name alone."""
FOREGROUND = "FOREGROUND"
COLUMNS = ("app", "up_bytes", "down_bytes")
COLUMNS_BOTH = ("app", "bytes")
"""As iOS shows them: no app's bytes are told apart by direction."""

_HEAD = re.compile(
    r"\s*ident=(?P<ident>.*) uid=(?P<uid>-?\d{1,10}) set=(?P<set>\w+) tag=(?P<tag>0x[0-9a-f]+)\s*"
)
_VPN = re.compile(r"\btype=(?:17|VPN)\b")
_ROW = re.compile(
    r"\s*(?:st|bucketStart)=\d+ (?:activeTime=\d+ )?(?:rb|rxBytes)=(?P<down>\d{1,18}) "
    r"(?:rp|rxPackets)=\d+ (?:tb|txBytes)=(?P<up>\d{1,18}) .*"
)
_BUCKETS = re.compile(r"\s*NetworkStatsHistory: bucketDuration=(\d{1,12})\s*")
_MILLISECONDS = 100_000
"""From here on the length of a bucket is in milliseconds, as old versions print it."""
_LIVE = re.compile(r"\s*mAppUidStatsMap:?\s*")
_LIVE_ROW = re.compile(r"\s*(?P<uid>\d{1,10}) (?P<down>\d{1,18}) \d+ (?P<up>\d{1,18}) \d+\s*")


class CountersError(PhonehomeError):
    """Counters that cannot be used; the message names the file and what was expected."""


class Counted(NamedTuple):
    """Bytes that a phone counted for one app; IP headers included.

    Attributes:
        up: sent.
        down: received.
        foreground_up: sent while the app was in front; None: the source does not tell.
        both: both ways together, where the source tells no more; then up and down are 0.
        bucket_seconds: length of the buckets in which a history counts; None: it is no history.
    """

    up: int
    down: int
    foreground_up: int | None = None
    both: int | None = None
    bucket_seconds: int | None = None


Key = tuple[int, str | None]
"""User id and, where that is `NOBODY`, the app's name."""


class Reading(NamedTuple):
    """One reading of the counters.

    Attributes:
        live: since the phone started, to the moment; empty: not in the file.
        history: in buckets of hours; empty: not in the file.
    """

    live: dict[Key, Counted]
    history: dict[Key, Counted]


def read_counters(path: Path) -> Reading:
    """What a file says that the phone counted.

    Args:
        path: output of `dumpsys netstats`, or a CSV with `COLUMNS` or `COLUMNS_BOTH`.

    Raises:
        CountersError: it cannot be read, or is neither.
    """
    text = octets_of(path, MOST_BYTES, CountersError).decode("utf-8-sig", "replace")
    first = text.split("\n", 1)[0]
    columns = {cell.strip() for cell in first.split(",")}
    for wanted in (COLUMNS, COLUMNS_BOTH):
        if set(wanted) <= columns:
            return _refused_beyond(Reading(_written(text, path, wanted[1:]), {}), path)
    found = _refused_beyond(Reading(dict(_live(text)), _history(text)), path)
    if not found.live and not found.history:
        raise CountersError(
            f"{path}: no counters: expected what `dumpsys netstats --full --uid` prints, or a CSV "
            f"with {','.join(COLUMNS)}, or {','.join(COLUMNS_BOTH)}"
        )
    return found


def _written(text: str, path: Path, columns: Sequence[str]) -> dict[Key, Counted]:
    """Rows of a CSV with these columns of bytes; of an app with several rows, their sums."""
    found: dict[Key, Counted] = {}
    reader = csv.DictReader(StringIO(text), skipinitialspace=True)
    for row in reader:
        try:
            numbers = [int((row[name] or "").replace("_", "x")) for name in columns]
        except ValueError as error:
            raise CountersError(
                f"{path}: line {reader.line_num}: whole numbers of bytes expected"
            ) from error
        if min(numbers) < 0 or not row["app"]:
            raise CountersError(f"{path}: line {reader.line_num}: an app and its bytes expected")
        key = (NOBODY, row["app"].strip())
        before = found.get(key, Counted(0, 0))
        if columns == COLUMNS_BOTH[1:]:
            found[key] = Counted(0, 0, both=(before.both or 0) + numbers[0])
        else:
            found[key] = Counted(before.up + numbers[0], before.down + numbers[1])
    return found


def _refused_beyond(found: Reading, path: Path) -> Reading:
    """The reading itself, where no sum in it is more than any phone counts."""
    for table in found:
        counted = [(of.up, of.down, of.both or 0) for of in table.values()]
        most = max(map(max, counted), default=0)
        together = sum(map(sum, counted))
        if most > MOST_COUNTED or together > MOST_TOGETHER:
            number = most if most > MOST_COUNTED else together
            raise CountersError(f"{path}: {number} bytes are more than any phone counts")
    return found


def _live(text: str) -> Iterator[tuple[Key, Counted]]:
    """The map of the kernel's counters; it ends with the first line that is no row of it."""
    is_inside = False
    for line in text.splitlines():
        if _LIVE.fullmatch(line):
            is_inside = True
        elif is_inside and (match := _LIVE_ROW.fullmatch(line)):
            yield (int(match["uid"]), None), Counted(int(match["up"]), int(match["down"]))
        elif is_inside and not line.strip().startswith("uid "):
            is_inside = False


def _history(text: str) -> dict[Key, Counted]:
    """The sums of all buckets per user id."""
    found: dict[Key, Counted] = {}
    head: re.Match[str] | None = None
    length: int | None = None
    for line in text.splitlines():
        if match := _HEAD.fullmatch(line):
            counts = match["tag"] == "0x0" and int(match["uid"]) >= 0
            is_again = match["set"].startswith("DBG") or _VPN.search(match["ident"])
            head = match if counts and not is_again else None
        elif match := _BUCKETS.fullmatch(line):
            length = int(match[1]) // (1_000 if int(match[1]) >= _MILLISECONDS else 1)
        elif head is not None and (row := _ROW.fullmatch(line)):
            key = (int(head["uid"]), None)
            before = found.get(key, Counted(0, 0, 0))
            up = int(row["up"])
            in_front = up if head["set"] == FOREGROUND else 0
            found[key] = Counted(
                before.up + up,
                before.down + int(row["down"]),
                (before.foreground_up or 0) + in_front,
                bucket_seconds=length,
            )
    return found


def between(before: Reading, after: Reading) -> dict[Key, Counted | None]:
    """What was counted between two readings, per app; None: its counter was reset between them.

    The live counters are taken where both readings have them, else the history.
    """
    pairs = (
        (before.live, after.live) if before.live and after.live else (before.history, after.history)
    )
    first, last = pairs
    found: dict[Key, Counted | None] = {}
    for key, now in last.items():
        then = first.get(key, Counted(0, 0, None if now.foreground_up is None else 0))
        up, down = now.up - then.up, now.down - then.down
        in_front = None
        if now.foreground_up is not None and then.foreground_up is not None:
            in_front = now.foreground_up - then.foreground_up
        both = None if now.both is None else now.both - (then.both or 0)
        is_reset = min(up, down, in_front or 0, both or 0) < 0
        found[key] = None if is_reset else Counted(up, down, in_front, both, now.bucket_seconds)
    return found
