"""From what a phone logged to spans of the states that it was in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from phonehome.analyzer.timeline.events import (
    DOZE,
    FRONT,
    FRONT_CLASS,
    GONE,
    KEYGUARD,
    LOST,
    MISSED,
    OFF,
    ON,
    SCREEN,
    Log,
)
from phonehome.analyzer.timeline.local_times import placed
from phonehome.analyzer.timeline.spans import Oddity, Span, TimelineError, by_start

BACKWARD = 60_000_000_000
"""Lines of a log may be this late, ns; later ones are of a clock that was set back."""
MOST_RUNS = 100
DISAGREEMENT = 10_000_000_000
"""Logs that say different states for longer than this, ns, disagree."""

SCREEN_OFF, LOCK_SCREEN, SCREEN_ON = "screen off", "lock screen", "screen on"
NEAR_EDGE = "edge within the clock's uncertainty"
ANOTHER_APP, UNKNOWN_APP = "another app in front", "screen on, app in front unknown"


class _Moment(NamedTuple):
    """An event in absolute time."""

    time: int
    kind: str
    value: str
    line: int


@dataclass
class _Phone:
    """What is known of the phone; None: nothing yet."""

    screen: str | None = None
    keyguard: str | None = None
    doze: str | None = None
    front: str | None = None
    is_class: bool = False

    def take(self, event: _Moment) -> None:
        """Learn from an event."""
        if event.kind == LOST:
            self.screen = self.keyguard = self.doze = self.front = None
        elif event.kind in {FRONT, FRONT_CLASS}:
            self.front, self.is_class = event.value, event.kind == FRONT_CLASS
        elif event.kind == GONE:
            self.front = "" if self.front == event.value else self.front
        elif event.kind == SCREEN:
            self.screen = event.value
        elif event.kind == KEYGUARD:
            self.keyguard = event.value
        elif event.kind == DOZE:
            self.doze = event.value

    def state(self, app: str | None) -> tuple[str, str] | None:
        """State and label; None: not even the screen is known."""
        if self.screen is None:
            return None
        if self.screen == OFF:
            dozes = self.doze not in {None, OFF}
            return "idle", f"{SCREEN_OFF}, {self.doze}" if dozes else SCREEN_OFF
        if self.keyguard == ON:
            return "background", LOCK_SCREEN
        return ("active", SCREEN_ON) if app is None else self._with_screen_on(app)

    def _with_screen_on(self, app: str) -> tuple[str, str]:
        if self.front is None:
            return "unknown", UNKNOWN_APP
        if self.front == app or (self.is_class and self.front.startswith(f"{app}.")):
            return "active", f"{app} in front"
        return "background", ANOTHER_APP


def spans_of_log(
    log: Log, file: str, app: str | None, near: int | None
) -> tuple[list[Span], list[Oddity]]:
    """The spans of a log, by start, and what in it was odd.

    Idle: the screen is off. Active: it is on, no keyguard is shown, and `app` is in front, or any
    app where that is None. Background: it is on and another app or the lock screen is in front.
    What nobody logged has no span: before the first event, after the last line, from a reboot or
    lost lines to the next event. Of a clock that was set back, time that was told twice has none.

    Args:
        log: what the phone logged.
        file: name for the sources of spans.
        app: app under test.
        near: ns since 1970, for times that lack the year.

    Raises:
        TimelineError: the clock runs back so often that this is no log in order.
    """
    odd = [Oddity(file, line, kind) for line, kind in log.odd]
    runs = _runs(list(_moments(log, file, near, odd)))
    if len(runs) > MOST_RUNS:
        raise TimelineError(
            f"{file}: lines in order of time expected, {len(runs)} steps back found"
        )
    odd += [Oddity(file, run[0].line, "clock_set") for run in runs[1:]]
    spans: list[Span] = []
    told: list[Span] = []
    for run in runs:
        whole = _span(run[0].time, run[-1].time, ("unknown", ""), file, run[0].line)
        own = without(list(_spans(run, file, app)), sorted(told, key=by_start))
        spans = sorted([*without(spans, [whole]), *own], key=by_start)
        told.append(whole)
    return spans, odd


def _moments(log: Log, file: str, near: int | None, odd: list[Oddity]) -> Iterator[_Moment]:
    """Events in absolute time; what was missed is lost since the one before."""
    last: int | None = None
    for event in log.events:
        time = placed(event.time, near)
        if time is None:
            odd.append(Oddity(file, event.line, "time_ambiguous"))
        if last is not None and (time is None or event.kind == MISSED):
            yield _Moment(last, LOST, "", event.line)
        if time is not None and event.kind != MISSED:
            yield _Moment(time, *event[1:])
        last = last if time is None else time


def _runs(moments: list[_Moment]) -> list[list[_Moment]]:
    """Events between steps back of the clock; small ones are levelled."""
    runs: list[list[_Moment]] = []
    for moment in moments:
        last = runs[-1][-1].time if runs else None
        if last is None or moment.time < last - BACKWARD:
            runs.append([moment])
        else:
            runs[-1].append(moment._replace(time=max(last, moment.time)))
    return runs


def _spans(moments: list[_Moment], file: str, app: str | None) -> Iterator[Span]:
    """Spans of one run, each from the event that changed the state to the next that does."""
    phone = _Phone()
    state: tuple[str, str] | None = None
    start, line = 0, 0
    for moment in moments:
        phone.take(moment)
        new = phone.state(app)
        if new == state:
            continue
        if state is not None and moment.time > start:
            yield _span(start, moment.time, state, file, line)
        state, start, line = new, moment.time, moment.line
    if state is not None and moments[-1].time > start:
        yield _span(start, moments[-1].time, state, file, line)


def _span(start: int, end: int, state: tuple[str, str], file: str, line: int) -> Span:
    return Span(
        start=start,
        end=end,
        is_relative=False,
        state=state[0],
        label=state[1],
        source=f"{file}:{line}",
    )


def without(spans: list[Span], taken: list[Span]) -> list[Span]:
    """The parts of spans that no taken one covers; both in order, and `taken` may overlap."""
    left: list[Span] = []
    first = 0
    for span in spans:
        while first < len(taken) and taken[first].end <= span.start:
            first += 1
        start = span.start
        for other in taken[first:]:
            if other.start >= span.end:
                break
            if other.start > start:
                left.append(replace(span, start=start, end=other.start))
            start = max(start, other.end)
        if start < span.end:
            left.append(replace(span, start=start))
    return left


def blurred(spans: list[Span], margin: int) -> list[Span]:
    """The spans with what lies nearer to a change of state than a margin (ns) cut out as unknown.

    Args:
        spans: without overlaps.
        margin: how far edges may be off.
    """
    if margin <= 0:
        return spans
    ordered = sorted(spans, key=by_start)
    cut: list[Span] = []
    for at, span in enumerate(ordered):
        before = ordered[at - 1] if at else None
        after = ordered[at + 1] if at + 1 < len(ordered) else None
        goes_on = [
            other is not None and touches and other.state == span.state
            for other, touches in (
                (before, before is not None and before.end == span.start),
                (after, after is not None and after.start == span.end),
            )
        ]
        start = span.start if goes_on[0] else min(span.start + margin, span.end)
        end = span.end if goes_on[1] else max(span.end - margin, start)
        pieces = ((span.start, start), (start, end), (end, span.end))
        for place, (low, high) in enumerate(pieces):
            if low < high:
                is_known = place == 1
                cut.append(
                    replace(
                        span,
                        start=low,
                        end=high,
                        state=span.state if is_known else "unknown",
                        label=span.label if is_known else f"{span.label}: {NEAR_EDGE}",
                    )
                )
    return cut


def layered(files: list[list[Span]]) -> tuple[list[Span], list[Oddity]]:
    """One timeline of several: at each moment that of the first file which knows the state.

    Where none knows it, of the first file that says anything. Files that disagree for long are odd.
    """
    odd: list[Oddity] = []
    taken: list[Span] = []
    for is_known in (True, False):
        for spans in files:
            layer = [span for span in spans if (span.state != "unknown") == is_known]
            if is_known:
                odd += _disagreements(layer, taken)
            taken = sorted([*taken, *without(layer, taken)], key=by_start)
    return taken, odd


def _disagreements(spans: list[Span], taken: list[Span]) -> Iterator[Oddity]:
    first = 0
    for span in spans:
        while first < len(taken) and taken[first].end <= span.start:
            first += 1
        place = first
        while place < len(taken) and taken[place].start < span.end:
            other = taken[place]
            shared = min(other.end, span.end) - max(other.start, span.start)
            if other.state != span.state and shared > DISAGREEMENT:
                file, _, line = span.source.rpartition(":")
                yield Oddity(file, int(line), "states_disagree")
                break
            place += 1
