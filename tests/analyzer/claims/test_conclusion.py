"""What may be concluded, and what not: the heart of claims."""

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from phonehome.analyzer.claims.ask import Answer
from phonehome.analyzer.claims.conclusion import found_text
from tests.analyzer.stated import BEGIN, Sent, tables

NO_CHINA = 'no-upload-to = ["CN"]'
ANY_VERDICT = 'verdicts = ["consistent", "disputed", "unverifiable"]'


def test_what_was_seen_contradicts_that_it_is_not_there(concluded):
    sent = tables(Sent(900), Sent(70, "CN", "113.96.232.10"))
    assert concluded(sent, NO_CHINA) == ("contradicted", None)
    assert concluded.row["found"] == "70"
    assert concluded.row["explanation"] == (
        "Bytes uploaded to CN: 70 (expected: == 0), in 60.0 min observed. Bytes of the flows "
        "concerned, by the verdict on their country: 70 consistent."
    )
    assert concluded.row["display_filter"] == "ip.addr == 113.96.232.10"
    assert (
        concluded.row["flows"],
        concluded.row["flow_count"],
        concluded.row["up_unique_bytes"],
    ) == ([2], 1, 70)


def test_what_was_not_seen_is_said_of_these_captures_alone(concluded):
    assert concluded(tables(Sent(900)), NO_CHINA) == ("supported", None)
    assert "it does not show that it never happens" in concluded.row["explanation"]
    assert concluded.row["display_filter"] is None


def test_a_sighting_needs_no_time(concluded):
    sent = tables(Sent(70, "CN"), hours={"idle": 0.001})
    assert concluded(sent, NO_CHINA) == ("contradicted", None)


def test_an_absence_needs_time(concluded):
    sent = tables(Sent(900), hours={"idle": 0.1})
    assert concluded(sent, NO_CHINA) == ("cannot tell", "too little time")
    assert concluded(sent, NO_CHINA, 'exposure = "6 min"') == ("supported", None)
    assert concluded(sent, NO_CHINA, 'exposure = "7 min"') == ("cannot tell", "too little time")


def test_a_capture_without_uploads_tells_nothing(concluded):
    nothing = ("cannot tell", "nothing observed")
    assert concluded(tables(), NO_CHINA) == nothing
    assert concluded(tables(Sent(0)), NO_CHINA) == nothing
    assert concluded(tables(Sent(9, role="bystander")), NO_CHINA) == nothing
    assert (
        concluded(tables(), 'query = "SELECT country FROM uploads"', "expect = 'contains \"CN\"'")
        == nothing
    )


@pytest.mark.parametrize(
    "changes",
    [{"damage": "cut short"}, {"limit": 4}],
)
def test_what_was_not_read_may_hold_what_was_not_seen(concluded, changes):
    assert concluded(tables(Sent(9), **changes), NO_CHINA) == ("cannot tell", "input damaged")
    assert concluded(tables(Sent(9, "CN"), **changes), NO_CHINA) == ("contradicted", None)


def test_lost_packets_are_remarked_upon(concluded):
    concluded(tables(Sent(9), losses=1_200), NO_CHINA)
    assert any("1,200 packets lost" in remark for remark in concluded.row["remarks"])


IDLE = 'idle-upload-below = "100 bytes"'


def test_a_claim_about_idle_time_counts_idle_time_alone(concluded):
    sent = tables(Sent(50), Sent(9_000, state="active"), hours={"idle": 1, "active": 1})
    assert concluded(sent, IDLE) == ("supported", None)
    assert concluded.row["states"] == ["idle"]
    assert concluded.row["exposure"].total_seconds() == 3_600
    more = tables(Sent(101), hours={"idle": 1})
    assert concluded(more, IDLE) == ("contradicted", None)


def test_without_phases_idle_time_cannot_be_told(concluded):
    sent = tables(Sent(50, state="unknown"), hours={"unknown": 5}, source="none")
    assert concluded(sent, IDLE) == ("cannot tell", "no phases known")
    assert "--timeline" in concluded.row["explanation"]


def test_phases_without_idle_time_tell_nothing_of_it(concluded):
    sent = tables(Sent(50, state="active"), hours={"active": 5})
    assert concluded(sent, IDLE) == ("cannot tell", "nothing observed")


@pytest.mark.parametrize("sent", [10, 5_000])
def test_inferred_phases_decide_nothing_unless_the_claim_says_so(concluded, sent):
    guessed = tables(Sent(sent), source="inferred")
    assert concluded(guessed, IDLE) == ("cannot tell", "phases inferred")
    result, reason = concluded(guessed, IDLE, "inferred = true")
    assert (result, reason) == ("supported" if sent < 100 else "contradicted", None)
    assert any("inferred" in remark for remark in concluded.row["remarks"])


def test_inferred_phases_do_not_weigh_where_the_claim_is_about_no_state(concluded):
    assert concluded(tables(Sent(9, "CN"), source="inferred"), NO_CHINA) == ("contradicted", None)


def test_states_named_in_a_query_of_ones_own_count_as_states(concluded):
    query = "query = \"SELECT sum(up_unique_bytes) FROM uploads WHERE state = 'idle'\""
    guessed = tables(Sent(50), source="inferred")
    assert concluded(guessed, query, 'expect = "== 0"') == ("cannot tell", "phases inferred")


def test_a_rate_needs_time_either_way(concluded):
    rate = 'idle-upload-below = "100 bytes per hour"'
    assert concluded(tables(Sent(500)), rate) == ("contradicted", None)
    assert concluded(tables(Sent(500), hours={"idle": 0.05}), rate) == (
        "cannot tell",
        "too little time",
    )
    assert concluded(tables(Sent(4)), rate) == ("supported", None)


CONTAINS = (
    'query = "SELECT country FROM uploads WHERE up_unique_bytes > 0"',
    "expect = 'contains \"CN\"'",
)


def test_what_is_claimed_to_be_there_is_supported_by_one_sighting(concluded):
    assert concluded(tables(Sent(9), Sent(1, "CN", "1.2.4.8")), *CONTAINS) == ("supported", None)
    assert concluded.row["display_filter"] == "ip.addr == 1.2.4.8"


def test_what_is_claimed_to_be_there_and_was_not_seen_is_no_contradiction(concluded):
    assert concluded(tables(Sent(9)), *CONTAINS) == ("cannot tell", "not seen")
    assert concluded(tables(Sent(9)), *CONTAINS, 'exposure = "30 min"') == ("contradicted", None)
    assert "asks to see it within 30.0 min" in concluded.row["explanation"]
    assert concluded(tables(Sent(9)), *CONTAINS, 'exposure = "2 h"') == (
        "cannot tell",
        "too little time",
    )


HOST = 'no-upload-to = ["tracker.example"]'


@pytest.mark.parametrize(
    "hidden",
    [
        Sent(70, host=None, address="9.9.9.1"),
        Sent(70, host="cover.example", is_ech=True, address="9.9.9.1"),
        Sent(70, host="a.example", is_host_ambiguous=True, address="9.9.9.1"),
    ],
)
def test_where_names_are_hidden_no_host_is_absent(concluded, hidden):
    assert concluded(tables(Sent(9), hidden), HOST) == ("cannot tell", "names hidden")
    assert "70 bytes went up in 1 flow " in concluded.row["explanation"]
    assert concluded.row["display_filter"] == "ip.addr == 9.9.9.1"
    assert concluded(tables(Sent(9), hidden), NO_CHINA) == ("supported", None)


def test_where_names_are_hidden_a_host_that_was_seen_was_seen(concluded):
    sent = tables(Sent(70, host=None), Sent(5, host="x.tracker.example"))
    assert concluded(sent, HOST) == ("contradicted", None)
    assert concluded(tables(Sent(5, host="nottracker.example")), HOST) == ("supported", None)


def test_a_name_that_may_be_another_contradicts_nothing(concluded):
    cover = Sent(70, host="tracker.example", is_host_ambiguous=True)
    assert concluded(tables(cover), HOST) == ("cannot tell", "names hidden")


def test_questions_to_dns_need_no_name_of_their_server(concluded):
    sent = tables(Sent(9), Sent(40, host=None, address="8.8.8.8", service="dns"))
    assert concluded(sent, HOST) == ("supported", None)


def test_networks_that_no_database_knows_may_be_any(concluded):
    sent = tables(Sent(9), Sent(9, address="9.9.9.9", asn=None))
    assert concluded(sent, 'no-upload-to = ["AS4134"]') == ("cannot tell", "network unknown")
    assert concluded(sent, 'only-asns = ["AS14618"]') == ("cannot tell", "network unknown")
    assert concluded(tables(Sent(9)), 'only-asns = ["AS14618"]') == ("supported", None)
    assert concluded(tables(Sent(9, asn=4134)), 'only-asns = ["AS14618"]') == ("contradicted", None)


def test_owners_that_no_table_knows_may_be_any(concluded):
    query = "query = \"SELECT host FROM uploads WHERE organisation = 'Tencent'\""
    sent = tables(Sent(9), Sent(9, host="b.example", organisation=None))
    assert concluded(sent, query, 'expect = "empty"') == ("cannot tell", "names hidden")
    assert concluded(tables(Sent(9)), query, 'expect = "empty"') == ("supported", None)


def test_plain_text_is_seen_and_what_may_be_plain_is_not_called_encrypted(concluded):
    plain = "no-plaintext = true"
    assert concluded(tables(Sent(9)), plain) == ("supported", None)
    assert concluded(tables(Sent(9), Sent(5, service="http")), plain) == ("contradicted", None)
    text = Sent(5, service=None, content="text")
    assert concluded(tables(Sent(9), text), plain) == ("contradicted", None)
    random = Sent(5, service=None, content="random")
    assert concluded(tables(Sent(9), random), plain) == ("supported", None)
    short = Sent(5, service=None, content=None)
    assert concluded(tables(Sent(9), short), plain) == ("cannot tell", "content unknown")


def test_what_the_claim_excepts_keeps_an_absence_from_being_told(concluded):
    lines = (
        "query = \"SELECT host FROM flows WHERE service = 'http'\"",
        'expect = "empty"',
        "unless = \"SELECT host FROM flows WHERE service = 'vpn'\"",
    )
    assert concluded(tables(Sent(9)), *lines) == ("supported", None)
    tunnel = Sent(9, host="vpn.example", service="vpn")
    assert concluded(tables(tunnel), *lines) == ("cannot tell", "as the claim says")
    assert "vpn.example" in concluded.row["explanation"]


def test_a_query_that_matches_nothing_gives_no_number(concluded):
    query = "query = \"SELECT max(up_unique_bytes) FROM flows WHERE country = 'JP'\""
    assert concluded(tables(Sent(9)), query, 'expect = "== 5"') == (
        "cannot tell",
        "nothing observed",
    )


def test_a_test_of_a_part_can_contradict_a_sentence_and_not_support_it(concluded):
    lines = (
        "query = \"SELECT sum(up_unique_bytes) FROM uploads WHERE state = 'idle'\"",
        'expect = "> 0"',
        "part = true",
    )
    assert concluded(tables(Sent(9)), *lines) == ("cannot tell", "only a part")
    assert "holds, and is only a part" in concluded.row["explanation"]
    quiet = tables(Sent(9, state="active"), hours={"idle": 1, "active": 1})
    assert concluded(quiet, *lines, 'exposure = "1 h"') == ("contradicted", None)


def at(*spans, hours, observed=None):
    """Tables of a capture whose flows lasted from one hour to another, idle all the time."""
    found = tables(*(Sent(9, address=f"52.23.61.{n}") for n, _ in enumerate(spans)))
    begins, ends = ([BEGIN + timedelta(hours=span[n]) for span in spans] for n in (0, 1))
    frames = found.frames
    moments = {"first_time": begins, "last_time": ends}
    flows = frames["flows"].with_columns(
        **{
            name: pl.Series(name, value, pl.Datetime("ns", "UTC"))
            for name, value in moments.items()
        }
    )
    phases = frames["phases"].with_columns(
        start=pl.lit(BEGIN, pl.Datetime("ns", "UTC")),
        end=pl.lit(BEGIN + timedelta(hours=hours), pl.Datetime("ns", "UTC")),
        exposure=pl.lit(timedelta(hours=observed or hours), pl.Duration("ns")),
    )
    return replace(found, frames=frames | {"flows": flows, "phases": phases})


def test_days_without_a_flow_were_not_observed(concluded):
    years = at((0, 0.01), (36_000, 36_000.01), hours=36_000.01, observed=0.02)
    assert concluded(years, NO_CHINA) == ("cannot tell", "too little time")
    assert "in 72 s observed" in concluded.row["explanation"]
    assert any(
        remark.startswith("36,000.0 h do not count as observed")
        for remark in concluded.row["remarks"]
    )


def test_a_day_of_one_long_flow_and_a_quiet_night_were_observed(concluded):
    assert concluded(at((0, 30), (1, 2), (50, 51), hours=51), NO_CHINA) == ("supported", None)
    assert "in 51.0 h observed" in concluded.row["explanation"]


def test_less_than_was_asked_for_is_not_called_unseen(concluded):
    lines = ('query = "SELECT count(DISTINCT country) AS n FROM uploads"', 'expect = ">= 2"')
    concluded(tables(Sent(9)), *lines)
    assert "So much was not seen" in concluded.row["explanation"]
    lines = (lines[0].replace("uploads", "uploads WHERE country = 'CN'"), lines[1])
    concluded(tables(Sent(9)), *lines)
    assert " It was not seen" in concluded.row["explanation"]


def test_a_told_result_says_how_sure_its_countries_are(concluded):
    sent = tables(
        Sent(70, "CN", "113.96.232.10"),
        Sent(5, "CN", "113.96.232.11", verdict="disputed", others=("US",)),
    )
    accepted = (NO_CHINA, 'verdicts = ["consistent", "disputed"]')
    assert concluded(sent, *accepted) == ("contradicted", None)
    assert concluded.row["explanation"].endswith(
        "by the verdict on their country: 70 consistent, 5 disputed."
    )


def test_numbers_that_were_found_stand_in_their_order():
    assert found_text(Answer(("flow",), is_integer=True, values=((11, 2, None, 2),))) == "2, 11"
