"""Timelines: what is understood, and what is refused with file, line, expected and found."""

import re
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.analyzer.timeline.sources import MAX_BYTES, PhoneStates, Source, read_timelines
from phonehome.analyzer.timeline.spans import Span, TimelineError
from tests.analyzer.log_times import LOGS, PARROT

SECOND = 1_000_000_000
NOON = int(datetime(2026, 3, 14, 12, tzinfo=UTC).timestamp()) * SECOND
DAY = "2026-03-14T"


def read(*paths, timezone=None):
    return read_timelines(paths, timezone).written


def times(*paths, timezone=None):
    return [(span.start, span.end) for span in read(*paths, timezone=timezone)]


def refusal(*paths, timezone=None):
    with pytest.raises(TimelineError) as caught:
        read_timelines(paths, timezone)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_line_is_a_span_with_state_label_and_place(timeline_file):
    path = timeline_file(f"{DAY}12:00:00Z,{DAY}12:00:10Z,idle,screen off")
    assert read(path) == [
        Span(
            start=NOON,
            end=NOON + 10 * SECOND,
            is_relative=False,
            state="idle",
            label="screen off",
            source="timeline.csv:2",
        )
    ]


def test_columns_may_come_in_any_order_with_blanks_and_others_between(timeline_file):
    path = timeline_file(
        f"who, idle , night , {DAY}12:00:00Z , {DAY}12:00:01Z",
        header="note, state, label, start, end",
    )
    (span,) = read(path)
    assert (span.start, span.end, span.state, span.label) == (
        NOON,
        NOON + SECOND,
        "idle",
        "night",
    )


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("start,end,state,label\r\n0,1,idle,ü\r\n".encode("utf-8-sig"))
    assert [(span.label, span.is_relative) for span in read(path)] == [("ü", True)]


def test_a_label_that_is_left_out_is_the_state(timeline_file):
    assert [span.label for span in read(timeline_file("0,1,idle,", "1,2,active"))] == [
        "idle",
        "active",
    ]


@pytest.mark.parametrize("label", ["a\u2028b", "a\x0bb", "a\x85b", "a\x1cb"])
def test_only_line_ends_end_a_line(timeline_file, label):
    (span,) = read(timeline_file(f"0,1,idle,{label}"))
    assert span.label == label


def test_a_quoted_label_may_hold_commas_and_line_ends(timeline_file):
    spans = read(timeline_file('0,1,idle,"one, two\nthree"', "1,2,active,x"))
    assert [(span.label, span.source) for span in spans] == [
        ("one, two\nthree", "timeline.csv:3"),
        ("x", "timeline.csv:4"),
    ]


def test_spans_come_sorted_whatever_the_order_of_lines_and_files(timeline_file):
    late = timeline_file("20,30,idle,c", "0,10,active,a", name="late.csv")
    early = timeline_file("10,20,idle,b", name="early.csv")
    assert [span.label for span in read(late, early)] == ["a", "b", "c"]


def test_a_file_without_lines_has_no_spans(timeline_file):
    assert read(timeline_file()) == []
    assert read() == []


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        (f"{DAY}12:00:00Z", 0),
        (f"{DAY}12:00:00.5Z", SECOND // 2),
        (f"{DAY}14:00:00+02:00", 0),
        (f"{DAY}12:00:00.000000001Z", 1),
        (f"{DAY}12:00:00.123456789+00:00", 123_456_789),
        (f"{DAY}12:00:00,1234567Z", 123_456_700),
        ("20260314T120000Z", 0),
    ],
)
def test_times_are_exact_to_the_nanosecond(timeline_file, text, nanoseconds):
    comma = f'"{text}"'
    assert times(timeline_file(f"{comma},2026-03-15T00:00:00Z,idle,x"))[0][0] == NOON + nanoseconds


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [("0", 0), ("1.5", 1_500_000_000), ("0.0000000019", 1), ("3.", 3 * SECOND)],
)
def test_plain_numbers_are_seconds_from_the_first_packet(timeline_file, text, nanoseconds):
    (span,) = read(timeline_file(f"{text},9,idle,x"))
    assert (span.start, span.is_relative) == (nanoseconds, True)


def test_times_without_a_zone_take_the_zone_that_was_given(timeline_file):
    path = timeline_file(f"{DAY}13:00:00,{DAY}14:00:00,idle,x")
    assert times(path, timezone="Europe/Berlin") == [(NOON, NOON + 3_600 * SECOND)]


def test_a_zone_in_the_file_wins(timeline_file):
    path = timeline_file(f"{DAY}12:00:00Z,{DAY}13:00:00Z,idle,x")
    assert times(path, timezone="Asia/Tokyo")[0][0] == NOON


def test_a_time_without_any_zone_is_refused(timeline_file):
    message = refusal(timeline_file("0,1,idle,x", f"{DAY}13:00:00,{DAY}14:00:00,idle,x"))
    assert re.search(r"timeline\.csv: line 3: .*no time zone.*--timezone", message)


@pytest.mark.parametrize("hour", ["2026-10-25T02:30:00", "2026-03-29T02:30:00"])
def test_an_hour_that_exists_twice_or_never_is_refused(timeline_file, hour):
    path = timeline_file(f"{hour},2026-11-01T00:00:00,idle,x")
    message = refusal(path, timezone="Europe/Berlin")
    assert "line 2" in message
    assert "Europe/Berlin" in message
    assert "offset" in message


def test_that_hour_with_an_offset_is_understood(timeline_file):
    path = timeline_file("2026-10-25T02:30:00+01:00,2026-10-25T03:00:00+01:00,idle,x")
    assert times(path, timezone="Europe/Berlin")[0][1] - times(path)[0][0] == 1_800 * SECOND


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America", "UTC\0x"])
def test_a_zone_that_nobody_knows_is_refused(zone):
    message = refusal(timezone=zone)
    assert "IANA" in message
    assert repr(zone) in message


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("5,5,idle,x", "end after the start"),
        ("6,5,idle,x", "end after the start"),
        ("-5,5,idle,x", "'-5' found"),
        ("--5,5,idle,x", "'--5' found"),
        (f"0,{DAY}12:00:00Z,idle,x", "one kind"),
        ("0,1,asleep,x", "active, background, idle, unknown expected, 'asleep' found"),
        ("0,1,Idle,x", "'Idle' found"),
        ("0,1,,x", "'' found"),
        ("yesterday,1,idle,x", "'yesterday' found"),
        (",1,idle,x", "'' found"),
        ("0", "'' found"),
        ("99999999999999999999,100000000000000000000,idle,x", "'99999999999999999999' found"),
        ("9223372036,9223372037,idle,x", "found"),
        ("2263-01-01T00:00:00Z,2264-01-01T00:00:00Z,idle,x", "out of range"),
        ("1600-01-01T00:00:00Z,2026-01-01T00:00:00Z,idle,x", "out of range"),
        ("2026-01-01T00:00:00Z,9999-12-31T23:59:59-14:00,idle,x", "out of range"),
        (f"{DAY}24:30:00Z,{DAY}25:00:00Z,idle,x", "ISO 8601"),
        ("0,1,idle,in use, again", "4 cells expected, 5 found"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_by_number(timeline_file, line, cause):
    message = refusal(timeline_file("20,30,idle,good", line))
    assert "timeline.csv: line 3: " in message
    assert cause in message


@pytest.mark.parametrize("line", ["9,11,idle,x", "0,5,idle,x", "2,3,idle,x", "0,20,idle,x"])
def test_spans_that_overlap_are_refused_with_both_lines(timeline_file, line):
    message = refusal(timeline_file("0,10,active,a", line))
    assert "timeline.csv:2" in message
    assert "timeline.csv:3" in message


def test_spans_of_two_files_may_not_overlap_either(timeline_file):
    one, two = (
        timeline_file("0,10,active,a", name="a.csv"),
        timeline_file("9,10,idle,b", name="b.csv"),
    )
    assert refusal(one, two) == "b.csv:2: begins before a.csv:2 ends"


def test_spans_may_touch(timeline_file):
    assert times(timeline_file("0,10,active,a", "10,20,idle,b")) == [
        (0, 10 * SECOND),
        (10 * SECOND, 20 * SECOND),
    ]


@pytest.mark.parametrize("missing", ["start", "end", "state", "label"])
def test_a_missing_column_is_named(timeline_file, missing):
    header = ",".join(name for name in ("start", "end", "state", "label") if name != missing)
    message = refusal(timeline_file("0,1,idle", header=header))
    assert message.endswith(f"line 1: columns start,end,state,label expected, {missing} missing")


def test_an_empty_file_has_no_columns(tmp_path):
    path = tmp_path / "empty.csv"
    path.touch()
    assert "start,end,state,label missing" in refusal(path)


def test_a_column_that_comes_twice_is_refused(timeline_file):
    message = refusal(timeline_file("0,1,2,idle,x", header="start,start,end,state,label"))
    assert "line 1" in message
    assert "start" in message


def test_text_that_is_not_utf_8_is_refused_with_the_byte(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("start,end,state,label\n0,1,idle,ü".encode("latin-1"))
    assert refusal(path) == f"{path}: byte 31: UTF-8 text expected"


def test_utf_16_is_refused(tmp_path):
    path = tmp_path / "excel.csv"
    path.write_bytes("start,end,state,label\n".encode("utf-16"))
    assert "byte 0: UTF-8 text expected" in refusal(path)


def test_more_than_sixteen_mebibytes_are_refused(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert refusal(path) == f"{path}: larger than {MAX_BYTES} bytes"
    assert MAX_BYTES == 16 * 1024 * 1024


def test_a_stream_without_end_is_refused_too(tmp_path):
    path = tmp_path / "endless.csv"
    path.symlink_to("/dev/zero")
    assert "larger than" in refusal(path)


def test_a_file_that_is_not_there_and_a_folder_are_refused(tmp_path):
    assert refusal(tmp_path / "no.csv").startswith(f"{tmp_path}/no.csv: cannot be read: ")
    assert refusal(tmp_path).startswith(f"{tmp_path}: cannot be read: ")


def test_a_cell_beyond_all_bounds_is_refused(timeline_file):
    assert "line 2" in refusal(timeline_file(f"0,1,idle,{'x' * 200_000}"))


def test_a_nul_byte_is_no_reason_to_crash(timeline_file):
    (span,) = read(timeline_file("0,1,idle,a\0b"))
    assert span.label == "a\0b"


def span(start, end, *, is_relative):
    return Span(
        start=start, end=end, is_relative=is_relative, state="idle", label="x", source=f"t:{start}"
    )


def resolved(spans, first_time):
    return PhoneStates((Source(Path("t"), spans, is_written=True),)).at(first_time)[0]


def test_relative_spans_count_from_the_first_packet_of_each_capture():
    spans = [span(0, 5, is_relative=True), span(7, 9, is_relative=True)]
    assert [(one.start, one.end) for one in resolved(spans, 100)] == [(100, 105), (107, 109)]
    assert [(one.start, one.end) for one in resolved(spans, 200)] == [(200, 205), (207, 209)]


def test_relative_spans_say_nothing_of_a_capture_without_times():
    spans = [span(0, 5, is_relative=True), span(7, 9, is_relative=False)]
    assert resolved(spans, None) == [spans[1]]


def test_relative_and_absolute_spans_may_not_overlap():
    spans = [span(0, 5, is_relative=True), span(102, 109, is_relative=False)]
    assert len(resolved(spans, 200)) == 2
    with pytest.raises(TimelineError, match="t:102: begins before t:0 ends"):
        resolved(spans, 100)


def test_relative_spans_beyond_the_end_of_time_are_refused():
    spans = [span(0, 9_223_372_035 * SECOND, is_relative=True)]
    with pytest.raises(TimelineError, match=r"t:0: .*out of range"):
        resolved(spans, NOON)


YEARLESS = (
    "03-14 13:00:00.000  1  2 I screen_toggled: 0\n03-14 14:00:00.000  1  2 I screen_toggled: 1\n"
)


def year_less(tmp_path):
    path = tmp_path / "events.txt"
    path.write_text(YEARLESS, encoding="utf-8")
    return read_timelines((path,), "Europe/Berlin")


def test_a_log_without_years_lies_where_the_capture_does(tmp_path):
    timeline = year_less(tmp_path)
    assert [(one.start, one.source) for one in timeline.at(NOON + 7)[0]] == [(NOON, "events.txt:1")]
    assert timeline.at(None) == ([], [])


def test_captures_that_lie_years_apart_leave_its_year_open(tmp_path):
    timeline = year_less(tmp_path)
    timeline.refuse_years([NOON, None, NOON + 86_400 * SECOND])
    with pytest.raises(TimelineError, match=r"events\.txt: names no year.*logcat -v year"):
        timeline.refuse_years([NOON, NOON + 365 * 86_400 * SECOND])


def test_what_people_wrote_may_lie_over_logs(tmp_path, timeline_file):
    log = tmp_path / "events.txt"
    log.write_text(YEARLESS, encoding="utf-8")
    written = timeline_file(f"{DAY}12:30:00Z,{DAY}12:40:00Z,active,call")
    first, last = (
        read_timelines(paths, "Europe/Berlin").at(NOON)
        for paths in ((written, log), (log, written))
    )
    assert [(one.state, one.source) for one in first[0]] == [
        ("idle", "events.txt:1"),
        ("active", "timeline.csv:2"),
        ("idle", "events.txt:1"),
    ]
    assert [one.state for one in last[0]] == ["idle"]
    assert [one.kind for one in last[1]] == ["states_disagree"]


@pytest.mark.parametrize("text", ["hello\nworld\n", "{}", "<html>", "a,b\n1,2\n"])
def test_a_file_of_no_known_form_is_refused(tmp_path, text):
    path = tmp_path / "notes.txt"
    path.write_text(text, encoding="utf-8")
    assert "line 1: columns start,end,state,label expected, or the output of" in refusal(path)


def damaged(octets, place, change):
    """Octets with a piece cut out, doubled, or overwritten at a place."""
    place %= len(octets)
    kind, width, filling = change
    piece = octets[place : place + width]
    middle = (b"", piece * 2, filling)[kind]
    return octets[:place] + middle + octets[place + width :]


CHANGES = st.tuples(st.integers(0, 2), st.integers(0, 40), st.binary(max_size=12))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(LOGS.iterdir())),
    st.lists(st.tuples(st.integers(0, 4_000), CHANGES), min_size=1, max_size=4),
)
def test_damaged_logs_give_spans_in_order_or_are_refused(path, changes):
    octets = path.read_bytes()
    for place, change in changes:
        octets = damaged(octets, place, change) or b"\0"
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / path.name
        changed.write_bytes(octets)
        spans, odd = [], []
        with suppress(TimelineError):
            spans, odd = read_timelines((changed,), "Europe/Berlin", PARROT).at(NOON)
    lines = octets.count(b"\n") + 1
    assert all(one.start < one.end for one in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert all(1 <= int(one.source.rpartition(":")[2]) <= lines for one in spans)
    assert all(1 <= one.line <= lines for one in odd)


@pytest.mark.parametrize("piece", [" ", "\n", "a", "9,h,1,", "time=", "[", "(", "03-14 ", "1d"])
def test_no_text_takes_long_to_refuse(tmp_path, piece):
    path = tmp_path / "long.txt"
    path.write_text(piece * (1_000_000 // len(piece)), encoding="utf-8")
    began = time.process_time()
    with suppress(TimelineError):
        read_timelines((path,), "UTC").at(NOON)
    assert time.process_time() - began < 20  # quadratic work would take minutes
