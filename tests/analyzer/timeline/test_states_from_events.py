"""Events become spans; spans of several files become one timeline."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.analyzer.timeline.events import (
    FRONT,
    FRONT_CLASS,
    KEYGUARD,
    LOST,
    MISSED,
    OFF,
    ON,
    SCREEN,
    SEEN,
    Event,
    Log,
)
from phonehome.analyzer.timeline.spans import Oddity, Span, TimelineError
from phonehome.analyzer.timeline.states_from_events import (
    DISAGREEMENT,
    MOST_RUNS,
    NEAR_EDGE,
    blurred,
    layered,
    spans_of_log,
    without,
)

SECOND = 1_000_000_000
KINDS = [
    (SCREEN, ON),
    (SCREEN, OFF),
    (KEYGUARD, ON),
    (KEYGUARD, OFF),
    (FRONT, "a"),
    (FRONT, "b"),
    (LOST, ""),
    (MISSED, ""),
    (SEEN, ""),
]


def states(*events, app="a"):
    log = Log(
        [
            Event(second * SECOND, kind, value, line)
            for line, (second, kind, value) in enumerate(events, 1)
        ]
    )
    spans, odd = spans_of_log(log, "log", app, None)
    return [(span.start // SECOND, span.end // SECOND, span.state) for span in spans], odd


def span(start, end, state="idle", source="t:1"):
    return Span(start=start, end=end, is_relative=False, state=state, label=state, source=source)


def test_what_is_idle_background_and_active():
    assert states(
        (0, SCREEN, OFF),
        (1, SCREEN, ON),
        (2, FRONT, "b"),
        (3, FRONT, "a"),
        (4, KEYGUARD, ON),
        (5, KEYGUARD, OFF),
        (6, SCREEN, OFF),
        (7, SEEN, ""),
    )[0] == [
        (0, 1, "idle"),
        (1, 2, "unknown"),
        (2, 3, "background"),
        (3, 4, "active"),
        (4, 5, "background"),
        (5, 6, "active"),
        (6, 7, "idle"),
    ]


def test_without_an_app_under_test_any_app_is_active():
    found, _ = states(
        (0, SCREEN, ON),
        (2, FRONT, "b"),
        (3, KEYGUARD, ON),
        (4, SCREEN, OFF),
        (5, SEEN, ""),
        app=None,
    )
    assert found == [(0, 3, "active"), (3, 4, "background"), (4, 5, "idle")]


@pytest.mark.parametrize(("name", "state"), [("a.Main", "active"), ("ab.Main", "background")])
def test_a_class_is_of_the_app_whose_name_it_begins_with(name, state):
    assert states((0, SCREEN, ON), (0, FRONT_CLASS, name), (1, SEEN, ""))[0] == [(0, 1, state)]


def test_nothing_is_known_after_a_loss_and_since_the_last_line_before_a_reboot():
    found, _ = states(
        (0, SCREEN, OFF),
        (5, LOST, ""),
        (9, SCREEN, OFF),
        (12, SEEN, ""),
        (20, MISSED, ""),
        (21, SEEN, ""),
    )
    assert found == [(0, 5, "idle"), (9, 12, "idle")]


def test_time_that_a_clock_set_back_told_twice_is_unknown():
    found, odd = states((0, SCREEN, OFF), (1000, SEEN, ""), (500, SCREEN, OFF), (1500, SEEN, ""))
    assert found == [(0, 500, "idle"), (1000, 1500, "idle")]
    assert odd == [Oddity("log", 3, "clock_set")]


def test_lines_that_are_a_little_late_are_no_step_back():
    assert states((0, SCREEN, OFF), (50, SCREEN, ON), (49, FRONT, "a"), (60, SEEN, "")) == (
        [(0, 50, "idle"), (50, 60, "active")],
        [],
    )


def test_a_log_without_order_is_refused():
    with pytest.raises(TimelineError, match="steps back"):
        states(*[(second, SCREEN, ON) for second in [1000, 0] * (MOST_RUNS + 1)])


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(KINDS)), max_size=30))
def test_spans_never_overlap_and_lie_within_the_log(events):
    found, _ = states(*[(second, *what) for second, what in events])
    assert all(start < end for start, end, _ in found)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    if found:
        assert min(second for second, _ in events) <= found[0][0]
        assert found[-1][1] <= max(second for second, _ in events)


INTERVALS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=8)


@given(st.sets(st.integers(0, 40)), INTERVALS)
def test_what_is_left_is_what_nothing_took(edges, taken):
    ordered = sorted(edges)
    spans = [span(low, high) for low, high in zip(ordered[::2], ordered[1::2], strict=False)]
    others = sorted(
        (span(low, low + width) for low, width in taken), key=lambda one: (one.start, one.end)
    )
    left = {moment for one in without(spans, others) for moment in range(one.start, one.end)}
    assert left == {
        moment
        for one in spans
        for moment in range(one.start, one.end)
        if not any(other.start <= moment < other.end for other in others)
    }


def test_the_first_file_that_knows_the_state_counts():
    first = [span(0, 10, "idle", "a:1"), span(10, 20, "unknown", "a:2")]
    second = [span(5, 15, "active", "b:1"), span(18, 30, "unknown", "b:2")]
    spans, odd = layered([first, second])
    assert [(one.start, one.end, one.source) for one in spans] == [
        (0, 10, "a:1"),
        (10, 15, "b:1"),
        (15, 20, "a:2"),
        (20, 30, "b:2"),
    ]
    assert odd == []


def test_files_that_disagree_for_long_are_odd_and_for_short_are_not():
    first = [span(0, 100 * SECOND, "idle", "a:1")]
    assert layered([first, [span(0, DISAGREEMENT, "active", "b:7")]])[1] == []
    assert layered([first, [span(0, DISAGREEMENT + 1, "active", "b:7")]])[1] == [
        Oddity("b", 7, "states_disagree")
    ]
    assert layered([first, [span(0, 50 * SECOND, "idle", "b:7")]])[1] == []


def test_near_a_change_of_state_none_is_known():
    spans = [span(0, 100), span(100, 150, "active"), span(150, 156, "idle"), span(300, 400, "idle")]
    cut = blurred(spans, 10)
    assert [(of.start, of.end, of.state) for of in cut] == [
        (0, 10, "unknown"),
        (10, 90, "idle"),
        (90, 100, "unknown"),
        (100, 110, "unknown"),
        (110, 140, "active"),
        (140, 150, "unknown"),
        (150, 156, "unknown"),
        (300, 310, "unknown"),
        (310, 390, "idle"),
        (390, 400, "unknown"),
    ]
    assert NEAR_EDGE in cut[0].label
    assert blurred(spans, 0) == spans


def test_where_the_state_goes_on_nothing_is_cut():
    cut = blurred([span(0, 100), span(100, 200)], 10)
    assert [(of.start, of.end) for of in cut if of.state == "idle"] == [(10, 100), (100, 190)]


@given(
    st.lists(st.integers(0, 500), max_size=10, unique=True).map(sorted),
    st.integers(1, 60),
)
def test_what_is_cut_out_covers_the_same_time(edges, margin):
    states = ("idle", "active", "background")
    spans = [
        span(start, end, states[at % 3])
        for at, (start, end) in enumerate(zip(edges[::2], edges[1::2], strict=False))
    ]
    cut = blurred(spans, margin)
    assert sum(of.end - of.start for of in cut) == sum(of.end - of.start for of in spans)
    assert all(of.end <= after.start for of, after in pairwise(cut))
