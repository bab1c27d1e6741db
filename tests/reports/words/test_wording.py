import json
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.reports.words import wording

HALVES = [
    (1_125, "1.13 kB"),
    (10_250, "10.3 kB"),
    (1_125_000, "1.13 MB"),
    (1_005, "1.01 kB"),
    (9_994, "9.99 kB"),
    (9_995, "10.0 kB"),
    (99_949, "99.9 kB"),
    (99_950, "100 kB"),
    (999_499_999_999_999_999, "999 PB"),
    (1_000 * 10**15, "1,000 PB"),
]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1_000, "1.00 kB"),
        (1_234, "1.23 kB"),
        (52_349, "52.3 kB"),
        (999_499, "999 kB"),
        (999_500, "1.00 MB"),
        (2_308_600, "2.31 MB"),
        (1_800_000_000, "1.80 GB"),
        *HALVES,
    ],
)
def test_bytes_are_said_with_three_digits(count, said):
    assert wording.bytes_text(count) == said


@pytest.mark.parametrize(
    ("part", "whole", "said"),
    [
        (0, 0, "0 %"),
        (0, 5, "0 %"),
        (5, 5, "100 %"),
        (1, 3, "33.3 %"),
        (1, 100_000, "under 0.1 %"),
        (99_999, 100_000, "over 99.9 %"),
        (1, 1_000, "0.1 %"),
        (10_004, 10_000, "over 100 %"),
        (10_020, 10_000, "100.2 %"),
        (25, 2, "1,250.0 %"),
        (2**60 - 1, 2**60, "over 99.9 %"),
        (2**60 + 1, 2**60, "over 100 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(part, whole, said):
    assert wording.share_text(part, whole) == said


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (0.0, "0.00"),
        (0.0003, "under 0.01"),
        (0.01, "0.01"),
        (1.5, "1.50"),
        (999.999, "1,000.00"),
        (1_819_146_465.2, "1,819,146,465"),
    ],
)
def test_how_many_times_is_grouped_and_never_rounded_to_nothing(times, said):
    assert wording.times_text(times) == said


@pytest.mark.skipif(shutil.which("node") is None, reason="node runs the page's script")
def test_the_script_of_the_page_says_sizes_alike():
    counts = [count for count, _ in HALVES if count < 2**53] + [
        number * 5 * 10**power for number in (201, 225, 1_999, 20_050) for power in range(1, 11)
    ]
    script = (Path(wording.__file__).parents[1] / "assets" / "selection.js").read_text()
    size = script[script.index("function size(count)") :].partition("\n}\n")[0] + "\n}"
    ask = f"""
      const words = {{ point: ".", byte: "", bytes: "" }};
      const filled = () => "";
      const grouped = (number) => number.toLocaleString("en");
      {size}
      console.log(JSON.stringify({json.dumps(counts)}.map(size)));
    """
    said = subprocess.run(["node", "-e", ask], check=True, capture_output=True)
    assert json.loads(said.stdout) == [wording.bytes_text(count) for count in counts]


@given(st.integers(1, 10**15), st.integers(1, 10**15))
def test_only_what_is_nothing_is_said_to_be_nothing(one, other):
    part, whole = sorted((one, other))
    assert (wording.share_text(part, whole) == "100 %") == (part == whole)
    assert wording.share_text(part, whole) not in {"0 %", "0.0 %", "100.0 %"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (59.6, "1 min"),
        (75, "1 min 15 s"),
        (3_600, "1 h"),
        (4_500, "1 h 15 min"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_span_is_said_in_its_two_largest_units(seconds, said):
    assert wording.seconds_text(seconds) == said


def test_a_moment_is_said_in_utc():
    moment = datetime(2026, 3, 14, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    assert wording.time_text(moment) == "2026-03-14 09:00:00 UTC"
    assert wording.time_text(datetime(2026, 3, 14, tzinfo=UTC)) == "2026-03-14 00:00:00 UTC"
    assert wording.time_text(None) == "no time recorded"


def test_the_headline_says_how_much_to_how_many_and_how_much_while_idle(rich):
    assert wording.headline(rich.summary) == (
        "The phone uploaded 2.31 MB to 9 countries, 14.6 % of it while idle."
    )


def with_unknown(analysis, unknown, idle=None):
    """The analysis with so many more bytes, uploaded in a state that nobody knows."""
    uploaded = dict(analysis.summary.up_unique_bytes_by_state)
    uploaded |= {"unknown": unknown} | ({} if idle is None else {"idle": idle})
    whole = sum(uploaded.values())
    share = uploaded["idle"] / whole
    summary = replace(
        analysis.summary,
        up_unique_bytes=whole,
        up_unique_bytes_by_state=uploaded,
        idle_share=share,
    )
    return replace(analysis, summary=summary)


def test_without_a_timeline_the_idle_share_is_unknown_and_the_way_out_is_named(single):
    assert "How much of it while idle is unknown." in wording.headline(single.summary)
    assert wording.idle_share_text(single.summary) == "unknown"
    assert "--timeline" in wording.idle_detail(single)


def test_a_mostly_unknown_state_is_said_with_the_idle_share_of_all_uploaded(rich):
    mostly = with_unknown(rich, 100_000_000)
    summary = mostly.summary
    said = "at least 0.3 % of it while idle (state unknown for 97.7 %)."
    assert said in wording.headline(summary)
    assert wording.idle_share_text(summary) == "at least 0.3 %"
    detail = "336 kB in 1 h of idle time; state unknown for 97.7 % of all uploaded (100 MB)."
    assert wording.idle_detail(mostly) == detail
    assert dict(wording.answer_rows(mostly))["while idle"].startswith("at least 0.3 %: 336 kB in")


def test_a_little_of_unknown_state_makes_the_idle_share_a_lower_bound(rich):
    little = with_unknown(rich, 5_000)
    assert ", at least 14.5 % of it while idle." in wording.headline(little.summary)
    assert "state unknown for 0.2 % of all uploaded (5.00 kB)" in wording.idle_detail(little)


def test_a_share_that_is_small_or_all_is_not_said_to_be_at_least_under(rich):
    tiny = with_unknown(rich, 1_000, idle=1)
    assert wording.idle_share_text(tiny.summary) == "more than 0 %"
    assert wording.idle_share_text(with_unknown(rich, 0, idle=1).summary) == "under 0.1 %"
    huge = with_unknown(rich, 1_000, idle=10**13)
    assert wording.idle_share_text(huge.summary) == "over 99.9 %"


def test_a_phase_in_which_nothing_was_uploaded_is_not_called_unobserved(empty):
    assert wording.idle_detail(empty) == "Nothing was uploaded in a phase whose state is known."


def with_a_timeline(analysis, **changes):
    settings = replace(analysis.settings, timelines=(Path("other-day.csv"),))
    return replace(analysis, settings=settings, **changes)


def test_a_timeline_that_covers_no_moment_is_not_asked_for_again(single):
    said = wording.idle_detail(with_a_timeline(single))
    assert said == (
        "The timelines given cover no moment of the captures, which last "
        "from 2026-03-14 09:00:00 UTC to 2026-03-14 10:15:00 UTC."
    )


def test_a_timeline_that_names_no_state_is_not_said_to_cover_nothing(single):
    phases = single.phases.with_columns(source=pl.lit("other-day.csv:2"))
    said = wording.idle_detail(with_a_timeline(single, phases=phases))
    assert "name no state but “unknown”" in said


def test_a_timeline_cannot_cover_packets_without_a_time(single):
    summary = replace(single.summary, first_time=None, last_time=None)
    said = wording.idle_detail(with_a_timeline(single, summary=summary))
    assert said.startswith("No packet has a time")


def test_the_addresses_taken_for_the_phone_are_named_with_the_reason(rich):
    said = wording.phones_sentence(pl.concat([rich.phones, rich.phones]))
    assert said == (
        "Taken for the phone: 10.215.173.1 (opened 12 of 12 connections), "
        "2001:db8::5 (same link address)."
    )
    many = pl.concat(
        rich.phones.head(1).with_columns(address=pl.lit(f"10.0.0.{end}")) for end in range(6)
    )
    assert "10.0.0.3 (" in wording.phones_sentence(many)
    assert wording.phones_sentence(many).endswith("), 2 other addresses.")
    nobody = rich.phones.filter(~pl.col("is_phone"))
    assert wording.phones_sentence(nobody).startswith("No address was taken for the phone")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "the first database (data of 2026-06-01)"),
        ({"data_date": None}, "the first database (age of its data unknown)"),
        ({"kind": "asn"}, "no database that knows countries"),
    ],
)
def test_the_age_of_the_data_stands_with_the_countries(rich, changes, said):
    first = [row | changes for row in rich.databases.head(1).to_dicts()]
    table = pl.DataFrame(first, schema=rich.databases.schema)
    assert wording.country_source(table) == said


def test_the_database_that_places_is_the_first_that_knows_countries(rich):
    asn = rich.databases.head(1).with_columns(kind=pl.lit("asn"), data_date=pl.date(2020, 1, 1))
    country = rich.databases.head(1).with_columns(position=pl.lit(2, pl.Int64))
    assert "2026-06-01" in wording.country_source(pl.concat([asn, country]))


def test_what_is_not_there_was_not_seen_in_this_capture(empty):
    assert wording.headline(empty.summary) == (
        "No upload to a public server was seen in this capture."
    )


def test_the_app_is_the_subject_only_where_the_capture_knows_it(rich):
    asked = replace(rich.summary, app="com.example.chat")
    assert wording.headline(asked).startswith("com.example.chat uploaded ")
    blind = replace(asked, is_app_known=False)
    assert wording.headline(blind).startswith("The phone uploaded ")
    assert "not only that of com.example.chat" in wording.apps_sentence(blind)


def test_all_apps_count_where_none_was_asked_for(rich, single):
    assert wording.apps_sentence(rich.summary) is None
    assert wording.apps_sentence(single.summary) == (
        "The input names no app: all traffic of the phone counts."
    )


@pytest.mark.parametrize(
    ("dropped", "gaps", "said"),
    [
        ([None, None], 0, "unknowable"),
        (
            [None, None],
            1_200,
            "No file counts its losses, but at least 2,400 bytes are missing inside TCP streams: ",
        ),
        ([0], 0, "record 0 packets lost while capturing."),
        ([0], 1, "0 packets lost while capturing. At least 1 byte is missing inside TCP streams"),
        ([3, None], 0, "record 3 packets lost while capturing. 1 file does not say."),
        ([3, None], 5, "1 file does not say. At least 10 bytes are missing inside TCP streams"),
    ],
)
def test_loss_is_recorded_or_found_or_unknowable(dropped, gaps, said):
    captures = pl.DataFrame(
        {"dropped_packets": dropped, "gap_bytes": [gaps] * len(dropped)},
        schema={"dropped_packets": pl.Int64, "gap_bytes": pl.Int64},
    )
    assert said in wording.loss_sentence(captures)


def test_where_nobody_looked_for_gaps_none_is_claimed():
    captures = pl.DataFrame({"dropped_packets": [None]}, schema={"dropped_packets": pl.Int64})
    assert "unknowable" in wording.loss_sentence(captures)


def test_a_broken_account_is_shouted_in_the_terminal(rich):
    broken = replace(rich, summary=replace(rich.summary, is_balanced=False, is_damaged=True))
    names = [name for name, _ in wording.answer_rows(broken)]
    assert {"ACCOUNTING", "damage"} <= set(names)


@pytest.mark.parametrize(
    ("means", "states", "when"),
    [
        ("screen-off", ("idle",), "while idle"),
        ("background", ("background",), "in the background"),
        ("both", ("idle", "background"), "while idle or in the background"),
    ],
)
def test_the_answer_says_which_states_count_as_idle(rich, means, states, when):
    uploaded = {"active": 900, "background": 40, "idle": 60, "unknown": 0}
    summary = replace(
        rich.summary,
        idle_means=means,
        up_unique_bytes=1_000,
        up_unique_bytes_by_state=uploaded,
        exposure_by_state={"active": 1.0, "background": 60.0, "idle": 120.0, "unknown": 0.0},
        idle_share=0.1,
    )
    sent = sum(uploaded[state] for state in states)
    seconds = sum({"idle": 120, "background": 60}[state] for state in states)
    assert f", {sent / 10:.1f} % of it {when}." in wording.headline(summary)
    detail = wording.idle_detail(replace(rich, summary=summary))
    assert detail == f"{sent} bytes in {seconds // 60} min of {' and '.join(states)} time."
    assert when in dict(wording.answer_rows(replace(rich, summary=summary)))
