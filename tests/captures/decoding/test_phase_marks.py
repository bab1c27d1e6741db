"""Comments of packets that mark phases, read with the packets."""

from dataclasses import replace

import pytest

from phonehome.captures.limits import Limits
from phonehome.captures.reading import Reading
from tests.captures.reader import compile_once, interpreted
from tests.small_captures import BEGIN, household, pcapng, put


def marked(tmp_path, comments, order="<", limits=None):
    """The marks of a capture whose packets bear these comments, by place."""
    frames = [replace(frame, comment=comments.get(at)) for at, frame in enumerate(household())]
    reading = Reading(put(tmp_path / "a.pcapng", pcapng(frames, order=order)), limits)
    packets = sum(table.height for table in reading.packets())
    assert packets == len(frames)
    return reading


@pytest.mark.parametrize("order", ["<", ">"])
def test_marks_have_frame_time_and_text(tmp_path, order):
    compile_once()
    comments = {
        0: b"phase: idle screen off",
        9: b"phase:active",
        12: b"phase",
        13: b"x phase: idle",
    }
    reading = marked(tmp_path, comments, order)
    assert [(mark.frame, mark.text) for mark in reading.marks()] == [
        (1, "idle screen off"),
        (10, "active"),
    ]
    assert reading.marks()[0].time == BEGIN
    assert reading.limits_hit() == {}


def test_interpreted_they_are_too(tmp_path):
    with interpreted():
        reading = marked(tmp_path, {3: "phase: nuit \u00e9toil\u00e9e".encode()})
        assert [mark.text for mark in reading.marks()] == ["nuit \u00e9toil\u00e9e"]


def test_packets_without_a_conversation_may_bear_one(tmp_path):
    compile_once()
    every = dict.fromkeys(range(len(household())), b"phase: idle " + bytes([0xFF]) * 2_000)
    reading = marked(tmp_path, every)
    assert len(reading.marks()) == len(household())
    assert max(len(mark.text) for mark in reading.marks()) <= 1_024


def test_more_marks_than_the_limit_are_counted(tmp_path):
    compile_once()
    reading = marked(tmp_path, dict.fromkeys(range(5), b"phase: idle"), limits=Limits(marks=2))
    assert (len(reading.marks()), reading.limits_hit()) == (2, {"marks": 3})
