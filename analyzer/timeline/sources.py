"""Files that say when the phone was in which state, as spans of time.

What a file is, its contents say. A log that leaves the year out lies in the year that brings it
closest to the first packet of a capture; that packet is known only once a capture is being read,
and standard input can be read only once. So such logs are parsed first, and are spans per capture.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from phonehome.analyzer.timeline.batterystats import is_batterystats, read_batterystats
from phonehome.analyzer.timeline.events import Log
from phonehome.analyzer.timeline.handwritten import (
    is_csv,
    is_json,
    read_csv,
    read_json,
    refuse_overlap,
)
from phonehome.analyzer.timeline.ios_privacy_report import (
    is_privacy_report,
    names_met,
    read_privacy_report,
)
from phonehome.analyzer.timeline.local_times import LAST_TIME, zone_of
from phonehome.analyzer.timeline.logcat import is_logcat, read_logcat
from phonehome.analyzer.timeline.spans import Oddity, Span, TimelineError, by_start
from phonehome.analyzer.timeline.states_from_events import blurred, layered, spans_of_log
from phonehome.analyzer.timeline.usagestats import is_usagestats, read_usagestats
from phonehome.analyzer.user_files import octets_of
from phonehome.captures import path_text

MAX_BYTES = 16 * 1024 * 1024
HALF_A_YEAR = 180 * 86_400 * 1_000_000_000

_LOGS: tuple[tuple[Callable[[str], bool], Callable[[str, ZoneInfo | None], Log]], ...] = (
    (is_batterystats, read_batterystats),
    (is_usagestats, read_usagestats),
    (is_logcat, read_logcat),
)


@dataclass(frozen=True)
class Source:
    """What one file says: spans and oddities, or a log that needs a year before it has any."""

    path: Path
    spans: list[Span] = field(default_factory=list)
    odd: list[Oddity] = field(default_factory=list)
    log: Log | None = None
    is_written: bool = False
    is_of_capture: bool = False
    """Its clock is that of the capture."""
    met: list[tuple[str, int]] = field(default_factory=list)
    """Names with times at which the phone says that it met them, ns."""


@dataclass(frozen=True)
class PhoneStates:
    """All that the timelines of a run say.

    Attributes:
        files: what each of them says, in the order given.
        app: the app that is active when it is in front; None: any.
        offset: ns to add to times that they name.
        margin: ns that those times may be off even so; so near to an edge no state is known.
    """

    files: tuple[Source, ...] = ()
    app: str | None = None
    offset: int = 0
    margin: int = 0

    @property
    def written(self) -> list[Span]:
        """Spans that people wrote, by start; relative ones as they stand."""
        spans = [span for file in self.files if file.is_written for span in file.spans]
        return sorted(spans, key=by_start)

    def at(self, first_time: int | None) -> tuple[list[Span], list[Oddity]]:
        """The spans of one capture in absolute time, by start, without overlaps; and oddities.

        At each moment the first file given counts that knows the state. Relative spans are there
        only if the capture has a time.

        Raises:
            TimelineError: a relative span overlaps another of people, or ends later than times can.
        """
        layers: list[list[Span]] = []
        odd: list[Oddity] = []
        for file in self.files:
            spans, found = self._of_file(file, first_time)
            layers.append(spans)
            odd += found
        refuse_overlap(
            [
                span
                for file, spans in zip(self.files, layers, strict=True)
                if file.is_written
                for span in spans
            ]
        )
        spans, found = layered(layers)
        return spans, [*odd, *found]

    def _of_file(self, file: Source, first_time: int | None) -> tuple[list[Span], list[Oddity]]:
        spans, odd = file.spans, file.odd
        if file.log is not None:
            if first_time is None:
                return [], []
            spans, odd = spans_of_log(file.log, path_text(file.path.name), self.app, first_time)
        if file.is_of_capture:
            return spans, odd
        own = [span for span in spans if span.is_relative]
        moved = blurred(
            [_moved(span, self.offset) for span in spans if not span.is_relative], self.margin
        )
        return sorted(_resolved([*own, *moved], first_time), key=by_start), odd

    def has_clock(self) -> bool:
        """Whether any file has times of a clock of its own."""
        return any(
            file.log is not None or file.met or any(not span.is_relative for span in file.spans)
            for file in self.files
            if not file.is_of_capture
        )

    @property
    def met(self) -> list[tuple[str, int]]:
        """Names with times at which a phone says that it met them, ns."""
        return [one for file in self.files for one in file.met]

    def has_log(self) -> bool:
        """Whether any file is what a phone logged."""
        return any(not file.is_written and not file.is_of_capture for file in self.files)

    def clocked(self, first_time: int) -> list[Span]:
        """The spans of files with a clock of their own, by start, without overlaps."""
        own = []
        for file in self.files:
            if not file.is_of_capture:
                spans = [span for span in file.spans if not span.is_relative]
                plain = replace(file, spans=spans) if file.log is None else file
                own.append(self._of_file(plain, first_time)[0])
        return layered(own)[0]

    def refuse_years(self, first_times: Iterable[int | None]) -> None:
        """Hold captures with a log without years to one year.

        Raises:
            TimelineError: they lie so far apart that the log may be of either.
        """
        times = [time for time in first_times if time is not None]
        log = next((file.path for file in self.files if file.log is not None), None)
        if log is not None and times and max(times) - min(times) > HALF_A_YEAR:
            raise TimelineError(
                f"{log}: names no year, and the captures lie more than half a year apart: analyse "
                "them one by one, or save the log with years (logcat -v year)"
            )


def read_timelines(
    paths: tuple[Path, ...], timezone: str | None, app: str | None = None
) -> PhoneStates:
    """What these files say, as far as it can be known without a capture.

    Args:
        paths: CSV or JSON of our own (`written`), Android's event log (`logcat`), battery history
            (`batterystats`) or usage events (`usagestats`), App Privacy Reports of iOS.
        timezone: zone of times that name none.
        app: app under test.

    Raises:
        TimelineError: a file cannot be read, is none of these, or leaves open what its times mean;
            a line that a person wrote is not understood, or two such spans overlap.
    """
    zone = zone_of(timezone)
    timeline = PhoneStates(tuple(_read(path, zone, app) for path in paths), app)
    refuse_overlap(timeline.written)
    return timeline


def _moved(span: Span, offset: int) -> Span:
    return replace(span, start=span.start + offset, end=span.end + offset) if offset else span


def _resolved(spans: list[Span], first_time: int | None) -> list[Span]:
    return [
        _after(span, first_time) if span.is_relative and first_time is not None else span
        for span in spans
        if first_time is not None or not span.is_relative
    ]


def _after(span: Span, first_time: int) -> Span:
    if span.end > LAST_TIME - first_time:
        raise TimelineError(f"{span.source}: the end is out of range")
    return replace(
        span, start=span.start + first_time, end=span.end + first_time, is_relative=False
    )


def _read(path: Path, zone: ZoneInfo | None, app: str | None) -> Source:
    octets = octets_of(path, MAX_BYTES, TimelineError)
    text = octets.decode("utf-8-sig", errors="replace")
    for is_form, read in _LOGS:
        if is_form(text):
            return _file_of_log(_logged(read, text, zone, path), path, app)
    if is_privacy_report(text):
        return Source(
            path, *read_privacy_report(text, path_text(path.name), app), met=names_met(text)
        )
    text = _exact(octets, path)
    if is_json(text):
        return Source(path, read_json(text, path, zone), is_written=True)
    if is_csv(text):
        return Source(path, read_csv(text, path, zone), is_written=True)
    raise TimelineError(
        f"{path}: line 1: columns start,end,state,label expected, or the output of dumpsys "
        "batterystats, dumpsys usagestats, logcat -b events, or an App Privacy Report of iOS"
    )


def _logged(
    read: Callable[[str, ZoneInfo | None], Log], text: str, zone: ZoneInfo | None, path: Path
) -> Log:
    try:
        return read(text, zone)
    except TimelineError as error:
        raise TimelineError(f"{path}: {error}") from error


def _file_of_log(log: Log, path: Path, app: str | None) -> Source:
    if log.needs_year():
        return Source(path, log=log)
    return Source(path, *spans_of_log(log, path_text(path.name), app, None))


def _exact(octets: bytes, path: Path) -> str:
    try:
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TimelineError(f"{path}: byte {error.start}: UTF-8 text expected") from error
