"""What a reader must know before the numbers stands in the notes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.clock.offset import Estimate, clocks
from phonehome.analyzer.findings.run import notes
from phonehome.analyzer.kinds import run as room
from phonehome.analyzer.kinds.statement import listed
from phonehome.analyzer.settings import Settings
from tests.small_captures import household, pcap, put

BEGIN = datetime(2026, 6, 2, 12, tzinfo=UTC)
WITH_TIMELINE = Settings(timelines=(Path("phone.csv"),))


def told(settings=WITH_TIMELINE, *, captures=None, phones=None, phases=None, **rest):
    """Notes on one capture of an hour with one phone and one idle phase, but for what is given."""
    return notes(
        settings,
        captures=captures if captures is not None else table_of(("a.pcap", 0, 60)),
        phones=phones if phones is not None else candidates(("10.0.0.2", True, 1)),
        phases=pl.DataFrame(
            phases or {"state": ["idle"], "exposure": [timedelta(minutes=5)]},
            schema={"state": pl.String, "exposure": pl.Duration("ns")},
        ).with_columns(source=pl.lit(rest.get("source", "phone.csv:2"))),
        clocks=clocks(rest.get("estimates", ())),
        databases=pl.DataFrame(
            {"kind": ["country"], "data_date": [rest.get("data_date", BEGIN.date())]}
        ),
        apps=pl.Series(rest.get("apps", ()), dtype=pl.String),
    )


@pytest.mark.parametrize(
    ("apps", "words"),
    [
        ([], ["The captures do not say which app owns a flow"]),
        ([None, None], ["The captures do not say which app owns a flow"]),
        (["chat", "chat"], []),
        (["chat", None, "mail"], ["Of 3 flows of the phone, 1 have no known app"]),
        (["mail", "clock"], ["No flow belongs to chat. The captures name: clock, mail."]),
        ([f"a{n:02}" for n in range(14)], ["a11 and 2 more."]),
    ],
)
def test_what_captures_say_of_an_app_that_was_asked_for(apps, words):
    asked = replace(WITH_TIMELINE, app="chat")
    found = told(asked, apps=apps)
    assert len(found) == len(words)
    assert all(word in note for word, note in zip(words, found, strict=True))
    assert told(apps=apps) == []


def table_of(*rows):
    return pl.DataFrame(
        [
            (name, BEGIN + timedelta(minutes=first), BEGIN + timedelta(minutes=last), [1])
            for name, first, last in rows
        ],
        schema={
            "capture": pl.String,
            "first_time": pl.Datetime("ns", "UTC"),
            "last_time": pl.Datetime("ns", "UTC"),
            "link_types": pl.List(pl.Int64),
        },
        orient="row",
    )


def candidates(*rows):
    return pl.DataFrame(
        [("a.pcap", address, is_phone, opened, "private") for address, is_phone, opened in rows],
        schema={
            "capture": pl.String,
            "address": pl.String,
            "is_phone": pl.Boolean,
            "opened": pl.Int64,
            "scope": pl.String,
        },
        orient="row",
    )


def test_nothing_to_say_is_no_note():
    assert told() == []


def test_another_device_that_opens_connections_is_named():
    phones = candidates(("10.0.0.2", True, 5), ("10.0.0.3", False, 4), ("10.0.0.1", False, 0))
    assert told(phones=phones) == [room.OTHER_DEVICES(capture=["a.pcap"], addresses=["10.0.0.3"])]


def test_many_other_devices_are_counted():
    others = [(f"10.0.0.{n}", False, 1) for n in range(3, 8)]
    (note,) = told(phones=candidates(("10.0.0.2", True, 5), *others))
    assert "10.0.0.3, 10.0.0.4, 10.0.0.5 and 2 more" in note


def test_a_capture_without_a_phone_is_told():
    assert told(phones=candidates()) == [room.NO_PHONE(capture=["a.pcap"])]
    given = Settings(timelines=WITH_TIMELINE.timelines, phones=("10.0.0.9",))
    assert told(given, phones=candidates()) == [room.NO_PHONE_GIVEN(capture=["a.pcap"])]


def test_no_timeline_is_told():
    unknown = {"state": ["unknown"], "exposure": [timedelta(minutes=5)]}
    assert told(Settings(), phases=unknown) == [room.NO_TIMELINE()]


def test_a_timeline_of_another_time_is_told():
    phases = {"state": ["unknown"], "exposure": [timedelta(hours=1)]}
    (note,) = told(phases=phases)
    assert note.startswith("No span of the timeline falls into the time of the captures")


def test_captures_of_the_same_time_are_told():
    captures = table_of(("a.pcap", 0, 60), ("b.pcap", 30, 90), ("c.pcap", 100, 110))
    phones = candidates(("10.0.0.2", True, 1))
    phones = pl.concat([phones.with_columns(capture=pl.lit(f"{name}.pcap")) for name in "abc"])
    assert told(captures=captures, phones=phones) == [room.OVERLAP(first="a.pcap", second="b.pcap")]


@pytest.mark.parametrize(("days", "is_told"), [(180, False), (200, True), (-200, True)])
def test_geo_data_of_another_half_year_are_told(days, is_told):
    made = (BEGIN + timedelta(days=days)).date()
    assert bool(told(data_date=made)) == is_told


def test_the_same_bytes_are_counted_once(tmp_path):
    one = put(tmp_path / "one.pcap", pcap(household()))
    two = put(tmp_path / "two.pcap", pcap(household()))
    alone, both = analyze([one], Settings()), analyze([one, two], Settings())
    assert both.summary == alone.summary
    assert room.SAME_FILE(capture="two.pcap", other="one.pcap") in both.notes


def test_what_is_true_of_several_captures_is_told_once():
    hours = {"a.pcap": 0, "b.pcap": 60, "c.pcap": 120, "d.pcap": 180}
    captures = table_of(*((name, begin, begin + 30) for name, begin in hours.items()))
    one = candidates(("10.0.0.2", True, 1), ("10.0.0.3", False, 2))
    phones = pl.concat([one.with_columns(capture=pl.lit(name)) for name in hours])
    told_once = room.OTHER_DEVICES(
        capture=listed(["a.pcap", "b.pcap", "c.pcap", "d.pcap"], 3), addresses=["10.0.0.3"]
    )
    assert told(captures=captures, phones=phones) == [told_once]


OFF = Estimate("bursts", 30, -37_200_000_000, -38_400_000_000, -36_500_000_000)
SAME = Estimate("hellos", 3, 100_000_000, -400_000_000, 600_000_000)
UNTOLD = Estimate("bursts", 3, remark="fewer than 10 bursts")


@pytest.mark.parametrize(
    ("offset", "estimate", "is_applied", "words"),
    [
        (0.0, OFF, False, "-37.2 s (between -38.4 and -36.5)"),
        (None, OFF, True, "was shifted by -37.2 s"),
        (5.0, OFF, False, "shifted nothing"),
        (0.0, SAME, False, None),
        (None, SAME, True, "was shifted by +0.1 s"),
        (0.0, UNTOLD, False, None),
        (None, UNTOLD, False, "cannot be told by uploads that follow the screen coming on: fewer"),
        (
            5.0,
            Estimate("given", 0, 5 * 10**9, 5 * 10**9, 5 * 10**9),
            True,
            "+5.0 s, as --clock-offset asks",
        ),
    ],
)
def test_a_clock_that_is_off_is_told(offset, estimate, is_applied, words):
    estimates = [("a.pcap", estimate, is_applied)]
    found = told(replace(WITH_TIMELINE, clock_offset=offset), estimates=estimates)
    assert len(found) == (words is not None)
    assert all(words in note for note in found)


def test_inferred_phases_are_called_that():
    (note,) = told(Settings(infer_phases=True), source="inferred")
    assert "inferred from traffic" in note


def test_an_offset_that_moves_nothing_says_so():
    (note,) = told(replace(WITH_TIMELINE, clock_offset=5.0))
    assert note.startswith("--clock-offset shifted nothing")
