"""Usage events: states, sections that repeat one another, damage."""

import pytest

from phonehome.analyzer.timeline.spans import TimelineError
from phonehome.analyzer.timeline.usagestats import read_usagestats
from tests.analyzer.log_times import LOGS, NOON, SECOND, told


def test_events_that_come_in_several_sections_count_once():
    assert told(LOGS / "android10.usagestats.txt") == (
        [
            "0:00 0:05 background: lock screen (4)",
            "0:05 0:06 unknown: screen on, app in front unknown (5)",
            "0:06 5:00 active: com.example.parrot in front (6)",
            "5:00 6:00 background: another app in front (8)",
            "6:00 37:00 idle: screen off (9)",
            "39:00 40:00 unknown: screen on, app in front unknown (14)",
        ],
        [],
    )


def test_milliseconds_need_no_zone_and_damaged_lines_are_odd():
    assert told(LOGS / "android14.usagestats-c.txt", timezone=None) == (
        [
            "0:00 0:01 unknown: screen on, app in front unknown (3)",
            "0:01 1:00 active: com.example.parrot in front (4)",
            "1:00 2:00 idle: screen off (5)",
        ],
        [(6, "line_unknown"), (7, "time_unknown"), (8, "line_unknown")],
    )


def test_before_android_9_nothing_says_whether_the_screen_was_on():
    assert told(LOGS / "android8.usagestats.txt") == ([], [])


def test_types_that_have_no_name_are_understood_by_number():
    text = "time=1773489600000 type=15 package=android\ntime=1773489601000 type=16 package=android"
    assert [(one.time, one.kind, one.value) for one in read_usagestats(text, None).events] == [
        (NOON, "screen", "on"),
        (NOON + SECOND, "screen", "off"),
    ]


def test_local_times_without_a_zone_are_refused():
    text = '\ntime="2026-03-14 13:00:00" type=SCREEN_INTERACTIVE package=android'
    with pytest.raises(TimelineError, match=r"line 2: .*--timezone"):
        read_usagestats(text, None)
