"""Where the doubtful may be otherwise, and what then remains of a claim."""

from dataclasses import replace
from datetime import timedelta

from phonehome.analyzer.claims.possible_worlds import doubtful_places
from tests.analyzer.stated import Sent, tables

UNCHECKED = Sent(70, "CN", "113.96.232.10", verdict="unverifiable")
NO_CHINA = 'no-upload-to = ["CN"]'
ONLY_US = 'only-countries = ["US"]'
HIDDEN = ("cannot tell", "location unverifiable")


def accept(*verdicts):
    return f"verdicts = {list(verdicts)}"


def test_a_country_without_an_accepted_verdict_decides_nothing(concluded):
    assert concluded(tables(UNCHECKED), NO_CHINA) == HIDDEN
    assert "70 bytes): CN, unverifiable, for a reason" in concluded.row["explanation"]
    assert concluded.row["display_filter"] == "ip.addr == 113.96.232.10"
    assert concluded(tables(UNCHECKED), NO_CHINA, accept("consistent", "unverifiable")) == (
        "contradicted",
        None,
    )


def test_an_unchecked_address_elsewhere_may_be_in_the_country_after_all(concluded):
    abroad = UNCHECKED._replace(country="SG")
    assert concluded(tables(abroad), NO_CHINA) == HIDDEN
    assert concluded(tables(abroad), NO_CHINA, accept("unverifiable")) == ("supported", None)


def test_what_is_certain_decides_whatever_else_is_doubtful(concluded):
    sent = tables(UNCHECKED, Sent(5, "CN", "1.2.4.8"))
    assert concluded(sent, NO_CHINA) == ("contradicted", None)
    assert concluded(tables(UNCHECKED, Sent(5, "DE", "1.2.4.8")), ONLY_US) == ("contradicted", None)


def test_an_address_in_an_impossible_country_is_anywhere_but_there(concluded):
    impossible = Sent(70, "CN", verdict="impossible")
    assert concluded(tables(impossible), NO_CHINA) == HIDDEN
    elsewhere = Sent(70, "DE", verdict="impossible")
    assert concluded(tables(elsewhere), NO_CHINA, accept("unverifiable", "disputed")) == HIDDEN
    assert concluded(tables(Sent(70, "US", verdict="impossible")), ONLY_US) == HIDDEN


def test_an_address_of_no_country_may_be_in_any(concluded):
    nowhere = Sent(70, None, verdict=None)
    assert concluded(tables(Sent(9), nowhere._replace(address="9.9.9.9")), NO_CHINA) == HIDDEN
    assert concluded(tables(Sent(9), nowhere._replace(address="9.9.9.9")), ONLY_US) == HIDDEN


DISPUTED = Sent(70, "CN", others=("HK",), verdict="disputed")


def test_a_disputed_country_counts_as_seen_where_the_claim_accepts_it(concluded):
    assert concluded(tables(DISPUTED), NO_CHINA) == HIDDEN
    assert concluded(tables(DISPUTED), NO_CHINA, accept("disputed")) == ("contradicted", None)


def test_a_disputed_country_is_absent_only_if_no_database_names_it(concluded):
    other = DISPUTED._replace(country="HK", others=("CN",))
    assert concluded(tables(other), NO_CHINA, accept("disputed")) == HIDDEN
    assert "absent only if no database" in concluded.row["explanation"]
    third = DISPUTED._replace(country="HK", others=("SG",))
    assert concluded(tables(third), NO_CHINA, accept("disputed")) == ("supported", None)


def test_an_address_of_many_places_needs_a_claim_that_accepts_that(concluded):
    anycast = UNCHECKED._replace(is_anycast=True)
    assert concluded(tables(anycast), NO_CHINA, accept("unverifiable")) == HIDDEN
    assert concluded(tables(anycast), NO_CHINA, accept("unverifiable", "anycast")) == (
        "contradicted",
        None,
    )


def test_doubtful_places_are_those_of_no_accepted_verdict_and_those_in_dispute():
    sent = tables(Sent(1), UNCHECKED, DISPUTED._replace(address="1.1.1.1"))
    found = doubtful_places(sent, ("consistent", "disputed")).sort("address")
    assert found["address"].to_list() == ["1.1.1.1", "113.96.232.10"]
    assert set(found["others"][0]) == {"CN", "HK"}
    assert found["others"][1] is None


APP, OTHER = "com.example.app", "com.example.other"


def test_where_captures_name_apps_only_the_app_counts(concluded):
    sent = tables(Sent(9, app=APP), Sent(70, "CN", "1.2.4.8", app=OTHER), app=APP)
    assert concluded(sent, NO_CHINA) == ("supported", None)
    assert f"Only flows that the captures ascribe to {APP} count." in concluded.row["remarks"]


def test_what_has_no_owner_may_be_the_apps(concluded):
    sent = tables(Sent(9, app=APP), Sent(70, "CN", "1.2.4.8"), app=APP)
    assert concluded(sent, NO_CHINA) == ("cannot tell", "app unknown")
    assert "Were the flows without a known owner" in concluded.row["explanation"]
    assert concluded.row["display_filter"] == "ip.addr == 1.2.4.8"


def test_where_captures_name_no_app_a_sighting_may_be_anothers(concluded):
    sent = tables(Sent(70, "CN"), app=APP)
    assert concluded(sent, NO_CHINA) == ("cannot tell", "app unknown")
    assert "do not say which app owns a flow" in concluded.row["explanation"]
    absent = tables(Sent(70), app=APP)
    assert concluded(absent, NO_CHINA) == ("supported", None)
    assert any("do not say which app owns a flow" in remark for remark in concluded.row["remarks"])


def test_without_an_app_all_traffic_counts_and_that_is_said(concluded):
    assert concluded(tables(Sent(70, "CN", app=OTHER)), NO_CHINA) == ("contradicted", None)
    assert "All traffic of the phone counts, whichever app sent it." in concluded.row["remarks"]


def test_what_other_devices_sent_never_counts(concluded):
    query = "query = \"SELECT host FROM flows WHERE country = 'CN'\""
    sent = tables(Sent(9), Sent(70, "CN", "1.2.4.8", role="bystander"))
    assert concluded(sent, query, 'expect = "empty"') == ("supported", None)


OF_APP = 'subject = "app"'


def test_a_capture_of_one_app_says_nothing_of_another_unless_no_other_sent_anything(concluded):
    sent = tables(Sent(70, "CN"))
    assert concluded(sent, NO_CHINA, OF_APP) == ("cannot tell", "app unknown")
    assert "--app names the app" in concluded.row["explanation"]
    assert concluded(replace(sent, is_app_alone=True), NO_CHINA, OF_APP) == ("contradicted", None)
    assert any("because the user says" in remark for remark in concluded.row["remarks"])
    only_us = tables(Sent(70, app=APP))
    assert concluded(only_us, ONLY_US, OF_APP) == ("cannot tell", "app unknown")
    assert "may be missing because the app is" in concluded.row["explanation"]
    assert concluded(replace(only_us, is_app_alone=True), ONLY_US, OF_APP) == ("supported", None)
    assert concluded(replace(only_us, app=APP), ONLY_US, OF_APP) == ("supported", None)


def test_what_captures_say_of_apps_outweighs_what_the_user_says(concluded):
    named = tables(Sent(9, app=APP), Sent(70, "CN", "1.2.4.8"), app=APP)
    assert concluded(replace(named, is_app_alone=True), NO_CHINA, OF_APP) == (
        "cannot tell",
        "app unknown",
    )
    other = tables(Sent(70, "CN", app=OTHER), Sent(9, app=APP), app=APP)
    assert concluded(other, NO_CHINA, OF_APP) == ("supported", None)


def test_a_dispute_that_a_round_trip_bounds_is_between_what_databases_say(concluded):
    assert concluded(tables(DISPUTED), 'no-upload-to = "RU"') == HIDDEN
    bounded = tables(DISPUTED, rtt=timedelta(milliseconds=20))
    assert concluded(bounded, 'no-upload-to = "RU"') == ("supported", None)
    assert concluded(tables(DISPUTED), 'no-upload-to = "RU"', accept("unverifiable")) == (
        "supported",
        None,
    )
    assert concluded(bounded, NO_CHINA) == HIDDEN
    assert concluded(replace(bounded, is_located=False), 'no-upload-to = "RU"') == HIDDEN
