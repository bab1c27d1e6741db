from dataclasses import replace

import polars as pl

from phonehome.analyzer.findings.table import findings_of
from phonehome.analyzer.kinds.run import ATTRIBUTION, PHONE_LOCATION
from phonehome.analyzer.kinds.traffic import PLAIN
from phonehome.reports.page import behaviour
from phonehome.reports.page.highlights import MOST, highlights, unsaid
from phonehome.reports.words import sums


def found(analysis):
    return highlights(analysis, sums.counted(analysis), behaviour.behaviour(analysis))


def by_kind(analysis):
    return {row.kind: row for row in found(analysis)}


def test_findings_come_ranked_by_what_they_are_of(rich):
    assert [row.kind for row in found(rich)] == [
        "idle", "token", "beacon", "amplified", "disputed", "unnamed",
    ]  # fmt: skip


def test_nothing_uploaded_has_no_findings(empty):
    assert found(empty) == []


def test_an_impossible_country_comes_first_with_its_filter_and_link(rich):
    address = "43.153.232.152"
    verdict = pl.when(pl.col("address") == address).then(pl.lit("impossible")).otherwise("verdict")
    first = found(replace(rich, places=rich.places.with_columns(verdict=verdict)))[0]
    assert first.kind == "impossible"
    assert first.says.startswith("1.48 MB (64.0 %) is said to go to Singapore (SG), where")
    assert (first.filter, first.link) == (f"ip.addr == {address}", "#country=SG")


def test_who_got_most_while_idle_is_named_by_address_where_no_name_was_seen(rich):
    row = by_kind(rich)["idle"]
    assert row.says == "2402:4e00::1 got 142 kB while idle, 42.2 % of all that was sent then."
    assert row.because == "In 1 phase of that state, to China (CN)."
    assert row.filter == "ipv6.addr == 2402:4e00::1"


def test_plain_text_is_told_with_a_filter_that_finds_the_requests(rich):
    service = pl.when(pl.col("remote_port") == 80).then(pl.lit("http")).otherwise("service")
    row = by_kind(replace(rich, flows=rich.flows.with_columns(service=service)))["plain"]
    assert row.says.startswith("6.80 kB (0.3 %) was sent in plain text, to ")
    assert row.filter.startswith("http.request && (ip.addr == ")


def test_a_tracker_is_told_by_its_hosts(rich):
    party = pl.when(pl.col("host") == "cdn.chat.example").then(pl.lit("tracker")).otherwise("party")
    row = by_kind(replace(rich, uploads=rich.uploads.with_columns(party=party)))["tracker"]
    assert row.says == (
        "92.5 kB (4.0 %) went to advertising, analytics or crash reports: cdn.chat.example."
    )


def test_a_deceptive_name_is_told_with_the_frame_that_proves_it(rich):
    first = pl.col("flow") == 2
    warning = pl.when(first).then(pl.lit("mixes scripts")).otherwise("host_warning")
    row = by_kind(replace(rich, flows=rich.flows.with_columns(host_warning=warning)))["deceptive"]
    assert row.says == "The name sg.chat.example deceives: mixes scripts."
    assert row.because == "It was seen in frame 23 of walk.pcapng."


def test_a_hint_of_a_relay_is_worded_as_one(rich):
    hint = pl.when(pl.col("address") == "104.16.132.229").then(pl.lit("answers from 180 ms away."))
    places = rich.places.with_columns(relay_hint=hint.otherwise("relay_hint"))
    row = by_kind(replace(rich, places=places))["relay"]
    assert row.because == "A hint, no proof: answers from 180 ms away."


def test_no_more_findings_are_listed_than_a_reader_takes_in(rich):
    assert len(found(rich)) <= MOST


def test_what_a_finding_says_is_no_note_too_and_attributions_stand_elsewhere(rich):
    plain = PLAIN(bytes=1_250, share="25.0", names=["a.example"])
    notes = [PHONE_LOCATION(place="Toronto, CA"), ATTRIBUTION(), plain]
    noted = replace(rich, notes=tuple(map(str, notes)), findings=findings_of(notes))
    assert unsaid(noted, found(rich)) == [notes[0], plain]
    flows = rich.flows.with_columns(service=pl.lit("http"))
    assert unsaid(noted, found(replace(rich, flows=flows))) == [notes[0]]


def test_how_many_times_over_something_left_has_its_thousands_apart(rich):
    table = rich.amplification.with_columns(times=pl.lit(1_819_146_465.0))
    assert by_kind(replace(rich, amplification=table))["amplified"].says.endswith(
        "left the phone 1,819,146,465 times over."
    )
