"""Battery histories: both forms, their clocks, reboots and damage."""

from zoneinfo import ZoneInfo

import pytest

from phonehome.analyzer.timeline.batterystats import is_batterystats, read_batterystats
from phonehome.analyzer.timeline.spans import TimelineError
from tests.analyzer.log_times import LOGS, told

STATES = {
    "android8.batterystats.txt": [
        "0:00 0:10 unknown: screen on, app in front unknown (3)",
        "0:10 5:00 active: com.example.parrot in front (6)",
        "5:00 6:00 background: another app in front (7)",
        "6:00 26:00 idle: screen off (9)",
        "26:00 66:00 idle: screen off, doze (10)",
        "66:00 70:00 idle: screen off (11)",
        "70:00 71:00 background: another app in front (12)",
        "72:01 73:00 idle: screen off (16)",
    ],
    "android12.batterystats-c.txt": [
        "0:00 0:10 unknown: screen on, app in front unknown (5)",
        "0:10 5:00 active: com.example.parrot in front (6)",
        "5:00 6:00 background: another app in front (7)",
        "6:00 26:00 idle: screen off (9)",
        "26:00 87:00 idle: screen off, doze (10)",
    ],
    "android15.batterystats.txt": [
        "0:00 10:00 idle: screen off (3)",
        "10:00 10:05 unknown: screen on, app in front unknown (4)",
        "10:05 20:00 active: com.example.parrot in front (5)",
        "20:00 50:00 idle: screen off (6)",
    ],
}
HEAD = "Battery History (1% used):\n"


@pytest.mark.parametrize("name", STATES)
def test_histories_of_each_version_give_the_states_that_people_would_write_down(name):
    assert told(LOGS / name) == (STATES[name], [])


def test_lines_before_the_first_time_are_counted_back_and_a_clock_that_was_set_is_a_gap():
    assert told(LOGS / "damaged.batterystats.txt") == (
        [
            "0:10 1:00 unknown: screen on, app in front unknown (2)",
            "120:30 121:00 unknown: screen on, app in front unknown (7)",
            "122:00 123:00 idle: screen off (10)",
        ],
        [(4, "line_unknown"), (8, "time_unknown"), (6, "clock_set")],
    )


def test_the_terse_form_needs_no_zone():
    path = LOGS / "android12.batterystats-c.txt"
    assert told(path, timezone=None) == (STATES[path.name], [])


def test_an_app_that_left_the_top_after_another_came_takes_nothing_away():
    text = (
        "9,h,0:RESET:TIME:1773489600000\n9,h,0,+S,+Etp=1\n9,h,9,+Etp=2\n9,h,1,-Etp=1\n"
        '9,hsp,1,10001,"com.a"\n9,hsp,2,10002,"com.b:remote"\n'
    )
    events = read_batterystats(text, None).events
    assert [(one.kind, one.value) for one in events if one.kind in {"front", "gone"}] == [
        ("front", "com.a"),
        ("front", "com.b"),
        ("gone", "com.a"),
    ]


@pytest.mark.parametrize(
    ("duration", "milliseconds"),
    [
        ("0", 0),
        ("+1ms", 1),
        ("+2s003ms", 2_003),
        ("+1h26m18s315ms", 5_178_315),
        ("+1d0h0m0s001ms", 86_400_001),
    ],
)
def test_durations_are_exact(duration, milliseconds):
    text = f"{HEAD} 0 (9) TIME: 2026-03-14-12-00-00\n {duration} (2) 100 +wifi\n"
    first, second = read_batterystats(text, ZoneInfo("UTC")).events
    assert second.time - first.time == milliseconds * 1_000_000


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            f"{HEAD}  +10s000ms (2) 100 +screen\n",
            "a line with TIME, which says what the clock said, expected",
        ),
        ("9,h,10,+S\n", "a line with TIME, which says what the clock said, expected"),
        (
            f"{HEAD}  0 (9) RESET:TIME: 2026-03-14-13-00-00\n",
            "line 2: .*--timezone, or save it with",
        ),
    ],
)
def test_histories_that_leave_the_time_open_are_refused(text, cause):
    assert is_batterystats(text)
    with pytest.raises(TimelineError, match=cause):
        read_batterystats(text, None)
