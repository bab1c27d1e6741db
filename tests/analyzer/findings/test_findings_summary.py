"""The answer in numbers, and what it cannot say."""

import polars as pl
import pytest

from phonehome.analyzer.kinds.run import NO_APPS, NO_TIMELINE
from phonehome.analyzer.tables import STATES
from tests.small_captures import (
    BEGIN,
    OTHER_REMOTE,
    PHONE,
    REMOTE,
    ROUTER_MAC,
    arp,
    ethernet,
    household,
    lookup,
    udp,
)

DISPUTED = "203.205.254.157"


def upload(seconds, size=100, remote=REMOTE):
    return ethernet(udp((PHONE, 4_000), (remote, 9_000), b"x" * size)).at(seconds)


def download(seconds, size=100, remote=REMOTE):
    octets = udp((remote, 9_000), (PHONE, 4_000), b"x" * size)
    return ethernet(octets, ROUTER_MAC, "0a1b2c3d4e17").at(seconds)


def test_totals_are_those_of_the_tables(analysed):
    analysis = analysed(household())
    found = analysis.summary
    assert found.up_unique_bytes == analysis.uploads["up_unique_bytes"].sum() > 0
    assert found.down_unique_bytes == analysis.uploads["down_unique_bytes"].sum() > 0
    assert found.up_wire_bytes == analysis.uploads["up_wire_bytes"].sum()
    assert found.packets == len(household())
    assert found.wire_bytes == sum(len(frame.octets) for frame in household())
    assert (found.flows, found.remotes, found.hosts) == (3, 3, 1)


def test_without_a_timeline_nothing_is_known_of_idle_time(analysed):
    analysis = analysed(household())
    found = analysis.summary
    assert found.idle_share is None
    assert set(found.up_unique_bytes_by_state) == set(found.exposure_by_state) == set(STATES)
    assert found.up_unique_bytes_by_state["unknown"] == found.up_unique_bytes
    assert NO_TIMELINE() in analysis.notes


@pytest.mark.parametrize(
    ("lines", "share"),
    [
        (("0,10,active,a", "10,20,idle,b"), 0.25),
        (("0,10,idle,a", "10,20,background,b"), 0.75),
        (("0,20,idle,a",), 1.0),
        (("0,20,active,a",), 0.0),
        (("0,20,unknown,a",), None),
        (("11,20,idle,a",), 0.25),
        (("5,9,idle,a",), 0.0),
    ],
)
def test_the_idle_share_is_of_all_that_went_up(analysed, timeline_file, lines, share):
    frames = [upload(0, 300), upload(11, 100), upload(19, 0)]
    found = analysed(frames, timelines=(timeline_file(*lines),)).summary
    assert found.idle_share == share
    assert sum(found.up_unique_bytes_by_state.values()) == found.up_unique_bytes == 400


def test_where_nothing_was_uploaded_no_share_is_known(analysed, timeline_file):
    timeline = timeline_file("0,10,idle,a")
    found = analysed([download(0), download(5)], timelines=(timeline,)).summary
    assert (found.up_unique_bytes, found.down_unique_bytes) == (0, 200)
    assert (found.idle_share, found.unnamed_share) == (None, None)
    assert (found.countries, found.organisations, found.remotes) == (0, 0, 1)


def test_uploads_without_a_name_are_their_own_share(analysed):
    frames = [*lookup("a.example", REMOTE), upload(1, 300), upload(2, 100, OTHER_REMOTE)]
    found = analysed(frames).summary
    assert (found.unnamed_up_unique_bytes, found.unnamed_share) == (100, 0.25)
    assert found.hosts == 1


def test_uploads_to_places_that_databases_dispute_are_added_up(analysed):
    analysis = analysed([upload(1, 300), upload(2, 100, DISPUTED)])
    assert analysis.places.filter(pl.col("address") == DISPUTED)["verdict"].item() == "disputed"
    assert analysis.summary.disputed_up_unique_bytes == 100


def test_a_country_counts_if_it_got_at_least_one_byte(analysed):
    frames = [upload(0), upload(1, 0, OTHER_REMOTE), download(2, 10, OTHER_REMOTE)]
    found = analysed(frames).summary
    assert (found.countries, found.organisations, found.remotes) == (1, 1, 2)


def test_times_have_all_their_digits(analysed):
    found = analysed([upload(0), upload(1.5)]).summary
    assert found.first_time == "2026-09-28T12:53:20.000000000Z"
    assert found.last_time == "2026-09-28T12:53:21.500000000Z"
    assert BEGIN == 1_790_600_000_000_000_000


def test_no_conversation_at_all_is_an_answer_too(analysed):
    found = analysed([arp()]).summary
    assert (found.flows, found.remotes, found.up_unique_bytes, found.packets) == (0, 0, 0, 1)
    assert found.is_balanced
    assert not found.is_damaged


def test_an_app_that_the_captures_cannot_tell_is_said_so(analysed):
    analysis = analysed(household(), app="com.example.chat")
    assert analysis.summary.app == "com.example.chat"
    assert not analysis.summary.is_app_known
    assert NO_APPS() in analysis.notes


def test_a_version_label_is_kept(analysed):
    assert analysed(household(), version="8.0").summary.version == "8.0"
    assert analysed(household()).summary.version is None
