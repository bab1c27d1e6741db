"""Behaviour over time in the report: rates, beacons, bursts and the clock, in words and filters."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from phonehome.reports.page.behaviour import (
    addresses_filter,
    behaviour,
    completeness_sentence,
    frames_filter,
    period_text,
    rate_text,
    sentences,
)
from phonehome.reports.page.report import page
from phonehome.reports.words.sums import by_kind_sent, counted, four_counts


def text(analysis):
    return b"".join(page(analysis)).decode()


def test_the_answer_says_the_idle_rate_and_what_is_periodic(rich):
    said = " ".join(sentences(rich, behaviour(rich)))
    assert "While idle: " in said
    assert "an hour (95 % interval " in said
    assert "every 4 min" in said


def test_without_states_nothing_is_said_of_idle_time(rich):
    unknown = dict.fromkeys(rich.summary.exposure_by_state, 0.0) | {"unknown": 60.0}
    analysis = replace(rich, summary=replace(rich.summary, exposure_by_state=unknown))
    said = sentences(analysis, behaviour(analysis))
    assert [words for words in said if "idle" in words] == []


def test_rows_of_states_are_the_phases_of_the_summary(rich):
    shown = behaviour(rich)
    by_state = {row["state"]: row["up_unique_bytes"] for row in shown["rates"]}
    assert by_state == {
        state: sent
        for state, sent in rich.summary.up_unique_bytes_by_state.items()
        if state in by_state
    }


def test_the_page_shows_all_of_it(rich):
    found = text(rich)
    for words in (
        "Uploaded per observed hour, by state of the phone",
        "Names that were contacted periodically",
        "bursts, in order of time",
        "too little time observed",
        "-37.2",
        "they differ by 3.0 s",
        "2.35",
        "97.5\u00a0% of what the phone says that its apps together sent",
    ):
        assert words in found, words


def test_where_no_state_is_known_stretches_are_shown_as_inferred(rich):
    unknown = dict.fromkeys(rich.summary.exposure_by_state, 0.0) | {"unknown": 60.0}
    analysis = replace(rich, summary=replace(rich.summary, exposure_by_state=unknown))
    found = text(analysis)
    assert "Busy and quiet stretches, inferred" in found
    assert "(inferred)" in found
    assert "Busy and quiet stretches" not in text(rich)


def test_of_an_app_only_its_own_beacons_and_bursts_are_shown(rich):
    app = rich.beacons["app"].drop_nulls()[0]
    asked = replace(rich, summary=replace(rich.summary, app=app, is_app_known=True))
    shown = behaviour(asked)
    assert {row["app"] for row in shown["beacons"]} == {app}
    assert {row["app"] for row in shown["bursts"]} <= {app}


def test_nothing_is_shown_of_nothing(empty):
    shown = behaviour(empty)
    assert (shown["beacons"], shown["bursts"], shown["clocks"]) == ([], [], [])
    assert "Periodic contacts" not in text(empty)


@pytest.mark.parametrize(
    ("first", "last", "addresses", "found"),
    [
        (3, 3, ["203.0.113.7"], "frame.number == 3"),
        (3, 9, ["203.0.113.7"], "frame.number in {3 .. 9} && ip.addr == 203.0.113.7"),
        (
            3,
            9,
            ["203.0.113.7", "2001:db8::1"],
            "frame.number in {3 .. 9} && (ip.addr == 203.0.113.7 || ipv6.addr == 2001:db8::1)",
        ),
        (3, 9, ["a"] * 4, "frame.number in {3 .. 9}"),
        (3, 9, [], "frame.number in {3 .. 9}"),
    ],
)
def test_filters_find_the_frames_of_a_burst(first, last, addresses, found):
    assert frames_filter(first, last, addresses) == found
    assert addresses_filter(["2001:db8::1"]) == "ipv6.addr == 2001:db8::1"


def test_rates_and_periods_are_said_as_people_read_them():
    row = {"up_unique_bytes_per_hour": 1234.5, "low_per_hour": None, "remark": "too little"}
    assert rate_text(row) == "1.23 kB an hour (too little to say how sure that is)"
    assert period_text(timedelta(seconds=2.345)) == "2.3 s"
    assert period_text(timedelta(seconds=239.9)) == "4 min"


def test_long_lists_say_what_they_leave_out(rich):
    beacons = pl.concat([rich.beacons] * 60)
    shown = behaviour(replace(rich, beacons=beacons))
    assert len(shown["beacons"]) + shown["beacons_left_out"] == beacons.height


def test_four_counts_of_destinations_add_up_to_those_of_all(rich):
    part = counted(rich)
    rows = four_counts(part)
    for count in ("wire", "ip", "payload", "unique"):
        assert sum(row[count] for row in rows) == part.uploads[f"up_{count}_bytes"].sum()
    assert "Bytes up per destination, in each count" in text(rich)
    assert "estimated without offload" in text(rich)


def test_what_tls_needs_for_itself_adds_up(rich):
    part = counted(rich)
    kinds = by_kind_sent(part.flows)
    assert sum(kinds[kind] for kind in kinds if kind != "whole") == kinds["whole"]
    assert f"{kinds['handshake']:,} handshake" in text(rich)
    assert by_kind_sent(part.flows.clear()) == {}


def test_what_was_counted_both_ways_is_said_of_both(rich):
    both = {"counted_up_bytes": None, "up_share": None}
    table = rich.completeness.with_columns(pl.lit(None).alias(name) for name in both)
    said = completeness_sentence(replace(rich, completeness=table))
    assert said is not None
    assert said.startswith("91.5 % of what the phone says that its apps together sent and received")
    assert "(11.9 MB of 13.0 MB, headers included)" in said


@pytest.mark.parametrize(
    ("captured", "share"),
    [(1, "under 0.1 %"), (9_996_000, "over 99.9 %"), (10_001_000, "over 100 %"), (0, "0 %")],
)
def test_what_was_captured_is_never_rounded_to_nothing_or_all(rich, captured, share):
    counts = {
        "captured_up_ip_bytes": captured,
        "counted_up_bytes": 10_000_000,
        "up_share": captured / 10_000_000,
    }
    table = rich.completeness.with_columns(pl.lit(of).alias(name) for name, of in counts.items())
    said = completeness_sentence(replace(rich, completeness=table))
    assert said is not None
    assert said.startswith(f"{share} of what the phone says that its apps together sent is in")


@pytest.mark.parametrize(
    ("times", "said"), [(1_819_146_465.0, "1,819,146,465 times"), (0.0003, "under 0.01 times")]
)
def test_how_many_times_over_something_left_is_grouped_and_never_nothing(rich, times, said):
    table = rich.amplification.with_columns(times=pl.lit(times))
    told = sentences(replace(rich, amplification=table), behaviour(rich), says_periodic=False)
    assert any(f"left the phone: {said} its" in sentence for sentence in told)
