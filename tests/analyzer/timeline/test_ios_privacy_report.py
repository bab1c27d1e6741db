"""App Privacy Reports: accesses become labels, never states."""

from tests.analyzer.log_times import LOGS, PARROT, told

REPORT = LOGS / "ios15.ndjson"
ODD = [(9, "value_unknown"), (10, "line_unknown")]


def test_accesses_of_the_app_under_test_are_labelled():
    assert told(REPORT, timezone=None) == (
        [
            "0:00 0:10 unknown: com.example.parrot uses camera (2)",
            f"0:10 0:30 unknown: {PARROT} uses camera, {PARROT} uses microphone (3)",
            "0:30 1:00 unknown: com.example.parrot uses microphone (3)",
        ],
        ODD,
    )


def test_without_an_app_under_test_all_apps_are_named():
    spans, odd = told(REPORT, app=None)
    assert spans[2:] == [
        "0:30 0:40 unknown: com.example.parrot uses microphone (3)",
        "0:40 1:00 unknown: com.example.parrot uses microphone, com.vendor.maps uses location (5)",
        "1:00 1:10 unknown: com.vendor.maps uses location (5)",
    ]
    assert odd == ODD
