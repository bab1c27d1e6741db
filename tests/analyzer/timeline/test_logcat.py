"""Event logs of Android: every format with times, every version's tags, and what is refused."""

import pytest

from phonehome.analyzer.timeline.events import DOZE, FRONT, KEYGUARD, OFF, ON, SCREEN
from phonehome.analyzer.timeline.logcat import is_logcat, read_logcat
from phonehome.analyzer.timeline.spans import TimelineError
from tests.analyzer.log_times import LOGS, NOON, SECOND, told

STATES = {
    "android8.threadtime.txt": [
        "0:00 0:02.500 unknown: screen on, app in front unknown (3)",
        "0:02.500 0:10 background: another app in front (5)",
        "0:10 10:00 active: com.example.parrot in front (6)",
        "10:00 40:00 idle: screen off (9)",
        "40:00 55:00 idle: screen off, doze (11)",
        "55:00 70:00 idle: screen off (12)",
        "70:00 70:05 active: com.example.parrot in front (13)",
    ],
    "android10.time-year.txt": [
        "0:00 30:00 idle: screen off (1)",
        "30:00 30:01 unknown: screen on, app in front unknown (2)",
        "30:01 30:05 background: lock screen (3)",
        "30:05 31:00 unknown: screen on, app in front unknown (4)",
    ],
    "android12.threadtime-uid-utc.txt": [
        "0:00 0:00.050 unknown: screen on, app in front unknown (2)",
        "0:00.050 0:03 background: lock screen (3)",
        "0:03 0:04 unknown: screen on, app in front unknown (4)",
        "0:04 5:00 active: com.example.parrot in front (6)",
        "5:00 6:00 background: another app in front (7)",
        "31:00 32:00 unknown: screen on, app in front unknown (10)",
    ],
    "android14.epoch.txt": [
        "0:00 0:01 unknown: screen on, app in front unknown (2)",
        "0:01 1:00 active: com.example.parrot in front (4)",
        "1:00 2:00 idle: screen off (5)",
        "2:00 3:00 idle: screen off, light doze (6)",
        "3:00 4:00 idle: screen off (7)",
    ],
}


def events(*lines):
    log = read_logcat("\n".join(lines), None)
    return [(event.kind, event.value) for event in log.events[:-1]]


def line(tag, said):
    return f"1773489600.000  1660  1700 I {tag}: {said}"


@pytest.mark.parametrize("name", STATES)
def test_logs_of_each_version_give_the_states_that_people_would_write_down(name):
    assert told(LOGS / name) == (STATES[name], [])


def test_damaged_lines_are_odd_and_what_they_hide_is_unknown():
    assert told(LOGS / "damaged.threadtime.txt") == (
        [
            "0:00 1:00 unknown: screen on, app in front unknown (1)",
            "4:00 5:00 unknown: screen on, app in front unknown (7)",
            "6:00 7:00 idle: screen off (9)",
        ],
        [(2, "line_unknown"), (3, "value_unknown"), (5, "time_unknown"), (8, "value_unknown")],
    )


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("1773489600.000  1660  1700 I", NOON),
        ("1773489600.000001  1660  1700 I", NOON + 1_000),
        ("1773489600.000000001  1660  1700 I", NOON + 1),
        ("1773489600.000  1000  1660  1700 I", NOON),
        ("2026-03-14 12:00:00.000 +0000  1660  1700 I", NOON),
        ("2026-03-14 12:00:00.250000 +0000  1660  1700 I", NOON + SECOND // 4),
    ],
)
def test_times_with_year_and_zone_need_nothing_else(text, time):
    (seen,) = read_logcat(f"{text} tag: 1", None).events
    assert seen.time == time or seen.time.timestamp() == time / SECOND


@pytest.mark.parametrize(
    ("tag", "said", "meant"),
    [
        ("screen_toggled", "0", (SCREEN, OFF)),
        ("screen_toggled", "1", (SCREEN, ON)),
        ("screen_toggled", "2", (KEYGUARD, OFF)),
        ("power_screen_state", "[1,0,0,0]", (SCREEN, ON)),
        ("wm_set_keyguard_shown", "[1,0,0,why]", (KEYGUARD, ON)),
        ("wm_set_keyguard_shown", "[0,1,0,why]", (KEYGUARD, OFF)),
        ("wm_set_keyguard_shown", "[0,1,0,0,why]", (KEYGUARD, ON)),
        ("wm_set_keyguard_shown", "[0,1,0,0,1,why]", (KEYGUARD, OFF)),
        ("wm_set_keyguard_shown", "[0,1,0,1,0,why]", (KEYGUARD, OFF)),
        ("am_focused_activity", "[0,com.a/.B,why]", (FRONT, "com.a")),
        ("am_resume_activity", "[0,123,7,com.a/com.a.B]", (FRONT, "com.a")),
        ("wm_restart_activity", "[0,123,7,com.a/.B]", (FRONT, "com.a")),
        ("wm_set_resumed_activity", "[0,null,why]", (FRONT, "")),
        ("device_idle", "[5,deep]", (DOZE, "doze")),
        ("device_idle", "[0,motion]", (DOZE, OFF)),
        ("device_idle_light", "[4,light]", (DOZE, "light doze")),
    ],
)
def test_each_tag_means_what_android_says(tag, said, meant):
    assert events(line(tag, said)) == [meant]


def test_the_keyguard_of_another_display_says_nothing():
    assert events(line("wm_set_keyguard_shown", "[2,1,0,0,0,why]")) == []


@pytest.mark.parametrize(
    ("said", "is_lost"), [("expire 5 lines", True), ("identical 5 lines", False)]
)
def test_lines_that_were_dropped_are_missed_and_repeated_ones_are_not(said, is_lost):
    lines = (line("screen_toggled", "0"), line("chatty", f"uid=1000(system) {said}"))
    assert (("missed", "") in events(*lines)) == is_lost


def test_other_tags_say_nothing_and_are_not_odd():
    log = read_logcat(line("am_pss", "[1,2,com.a]"), None)
    assert ([event.kind for event in log.events], log.odd) == (["seen"], [])


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("I/screen_toggled( 1042): 1", "save it with logcat -v threadtime"),
        ("I/screen_toggled: 1", "-v threadtime"),
        ("I( 1042): 1", "-v threadtime"),
        ("I( 1042: 1060): 1", "-v threadtime"),
        ("[ 03-14 13:00:00.000  1042: 1060 I/screen_toggled ]\n1\n", "-v threadtime"),
        ("   123.456  1042  1060 I screen_toggled: 1", "save it with logcat -v epoch"),
        (
            "03-14 13:00:00.000  1042  1060 I screen_toggled: 1",
            "--timezone, or save it with -v UTC",
        ),
    ],
)
def test_formats_that_leave_the_time_open_are_refused_with_what_to_do(text, cause):
    assert is_logcat(text)
    with pytest.raises(TimelineError, match=r"^line 1: ") as caught:
        read_logcat(text, None)
    assert cause in str(caught.value)
    assert "\n" not in str(caught.value)
