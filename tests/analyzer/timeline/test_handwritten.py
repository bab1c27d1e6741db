"""Spans as JSON; those as CSV are held in `test_timelines.py`."""

import json

import pytest

from phonehome.analyzer.timeline.sources import read_timelines
from phonehome.analyzer.timeline.spans import TimelineError

NIGHT = {"start": "2026-03-14T12:00:00Z", "end": "2026-03-14T13:00:00Z", "state": "idle"}


def read(tmp_path, text):
    path = tmp_path / "timeline.json"
    path.write_text(text, encoding="utf-8")
    return read_timelines((path,), None).written


def test_json_says_the_same_as_csv(tmp_path, timeline_file):
    spans = [NIGHT | {"label": "night"}, {"start": 0, "end": 1.5, "state": "active"}]
    csv = timeline_file("2026-03-14T12:00:00Z,2026-03-14T13:00:00Z,idle,night", "0,1.5,active,")
    found = read(tmp_path, json.dumps(spans))
    expected = read_timelines((csv,), None).written
    for one, other in zip(found, expected, strict=True):
        assert (one.start, one.end, one.state, one.label, one.is_relative) == (
            other.start,
            other.end,
            other.state,
            other.label,
            other.is_relative,
        )


def test_a_span_has_the_line_that_its_object_begins_in(tmp_path):
    spans = read(tmp_path, json.dumps([NIGHT, {"start": 0, "end": 1, "state": "idle"}], indent=1))
    assert sorted(one.source for one in spans) == ["timeline.json:2", "timeline.json:7"]


def test_an_empty_list_has_no_spans(tmp_path):
    assert read(tmp_path, "[ \n ]") == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("[{}]", "line 1: start, end, state missing"),
        ("[\n1]", "line 2: an object"),
        ('[\n{"start": 0, "end": 1, "state": 3.5}]', "line 2: state .* expected, '3.5' found"),
        ('[\n{"start": 0, "end": [1], "state": "idle"}]', "line 2: an object with texts"),
        ('[\n{"start": 0, "end": 1, "state": "asleep"}]', "line 2: .*'asleep' found"),
        ('[{"start": 0, "end": 1, "state": "idle"}\n{}]', "line 2: a comma or ]"),
        ('[{"start": 0, "end": 1, "state": "idle"}', "a comma or ]"),
        ("[{", "line 1: a list of objects in JSON expected"),
        ("[" * 100_000, "line 1: a list of objects in JSON expected"),
        ("[1] x", "line 1: "),
    ],
)
def test_json_that_makes_no_sense_is_refused_by_line(tmp_path, text, cause):
    with pytest.raises(TimelineError, match=cause):
        read(tmp_path, text)
