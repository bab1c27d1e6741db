"""The name of a flow's remote: the order of sources, and the frame that proves it."""

import polars as pl
import pytest

from phonehome.analyzer.flows.hosts import IS_ADDRESS, hosts
from phonehome.captures.words import NAME_SOURCES
from tests.analyzer.crafted import sightings
from tests.small_captures import (
    HOST,
    PHONE,
    REMOTE,
    ROUTER_MAC,
    connection,
    ethernet,
    lookup,
    udp,
)


def flows(*rows):
    """Flows from (conversation, remote port, first time)."""
    return pl.DataFrame(
        [
            {
                "flow": conversation + 100,
                "conversation": conversation,
                "remote_address": REMOTE,
                "remote_port": port,
                "first_time": time,
            }
            for conversation, port, time in rows
        ],
        schema={
            "flow": pl.Int64,
            "conversation": pl.Int32,
            "remote_address": pl.String,
            "remote_port": pl.Int64,
            "first_time": pl.Datetime("ns", "UTC"),
        },
    )


def chosen(table, *rows):
    found = hosts(table, sightings(*rows))
    return {
        row["flow"]: (row["host"], row["host_source"], row["host_frame"])
        for row in found.to_dicts()
    }


def own(frame, name, source, conversation=0, port=443):
    return (frame, 1_000 + frame, conversation, REMOTE, port, name, source)


def answer(frame, time, name):
    return (frame, time, 9, REMOTE, None, name, "dns")


ONE = flows((0, 443, 50))


def test_the_sources_are_asked_in_the_order_of_their_weight():
    rows = [
        own(9, "sni.example", "sni"),
        own(8, "quic.example", "quic_sni"),
        own(7, "host.example", "http_host"),
        answer(1, 10, "before.example"),
        own(6, "elsewhere.example", "sni", conversation=5),
        answer(30, 900, "after.example"),
    ]
    wanted = [
        ("sni.example", "sni", 9),
        ("quic.example", "quic_sni", 8),
        ("host.example", "http_host", 7),
        ("before.example", "dns", 1),
        ("elsewhere.example", "sni", 6),
        ("after.example", "dns", 30),
    ]
    for left_out, expected in enumerate(wanted):
        assert chosen(ONE, *rows[left_out:]) == {100: expected}
    assert chosen(ONE) == {}


def test_the_order_of_the_rows_does_not_matter():
    rows = [own(9, "sni.example", "sni"), own(7, "host.example", "http_host")]
    assert chosen(ONE, *rows) == chosen(ONE, *rows[::-1])


def test_of_one_source_the_first_frame_counts():
    rows = [own(9, "second.example", "sni"), own(4, "first.example", "sni")]
    assert chosen(ONE, *rows) == {100: ("first.example", "sni", 4)}


def test_the_last_answer_before_the_flow_names_it():
    rows = [
        answer(1, 10, "old.example"),
        answer(2, 40, "new.example"),
        answer(3, 60, "late.example"),
    ]
    assert chosen(ONE, *rows) == {100: ("new.example", "dns", 2)}


def test_an_answer_at_the_very_time_of_the_first_packet_counts_as_before():
    assert chosen(ONE, answer(1, 50, "now.example"), answer(2, 51, "late.example")) == {
        100: ("now.example", "dns", 1)
    }


def test_each_flow_has_the_answer_of_its_own_time():
    table = flows((0, 443, 50), (1, 443, 70), (2, 443, 5))
    rows = [answer(1, 10, "one.example"), answer(2, 60, "two.example")]
    assert {flow: host for flow, (host, _, _) in chosen(table, *rows).items()} == {
        100: "one.example",
        101: "two.example",
        102: "one.example",
    }


def test_what_another_flow_says_counts_for_the_same_port_only():
    table = flows((0, 443, 50), (1, 8443, 50))
    assert chosen(table, own(6, "elsewhere.example", "sni", conversation=5)) == {
        100: ("elsewhere.example", "sni", 6)
    }


def test_what_is_said_of_another_address_names_nothing():
    other = (1, 10, 0, "52.23.61.99", 443, "x.example", "sni")
    assert chosen(ONE, other) == {}


def test_a_flow_without_a_time_is_named_by_any_answer():
    assert chosen(flows((0, 443, None)), answer(2, 40, "x.example")) == {
        100: ("x.example", "dns", 2)
    }


def test_an_answer_without_a_time_names_what_nothing_else_does():
    assert chosen(ONE, (2, None, 9, REMOTE, None, "x.example", "dns")) == {
        100: ("x.example", "dns", 2)
    }


@pytest.mark.parametrize(
    "name", ["119.29.29.29", "[2a01:4f8::1]", "2a01:4f8::1", "::1", "1.2.3.4:80", "[::1]:8080"]
)
def test_an_address_is_no_name(name):
    rows = [own(1, name, "http_host"), answer(2, 10, "dns.example")]
    assert chosen(ONE, *rows) == {100: ("dns.example", "dns", 2)}


@pytest.mark.parametrize("name", ["1.2.3.4.example", "cafe.example", "a", "4.3.2.1.in-addr.arpa"])
def test_a_name_that_only_looks_like_an_address_is_one(name):
    assert chosen(ONE, own(1, name, "sni")) == {100: (name, "sni", 1)}
    assert not pl.Series([name]).str.contains(IS_ADDRESS).item()


def test_the_order_of_weight_is_that_of_the_design():
    assert NAME_SOURCES == ("sni", "quic_sni", "http_host", "httpdns", "dns", "certificate")


def test_names_of_one_capture_name_nothing_in_another(analysed):
    with_name = lookup(HOST, REMOTE)
    without = [ethernet(octets) for octets in connection((PHONE, 5), (REMOTE, 443), [("up", b"x")])]
    table = analysed(with_name, without).flows
    assert table.filter(pl.col("remote_address") == REMOTE)["host"].to_list() == [None]
    table = analysed(with_name + without).flows
    row = table.filter(pl.col("remote_address") == REMOTE).row(0, named=True)
    assert (row["host"], row["host_source"], row["host_frame"]) == (HOST, "dns", 2)


def test_a_sighting_says_who_asked(analysed):
    frames = lookup(HOST, REMOTE, port=40_123)
    frames.append(ethernet(udp((REMOTE, 7), (PHONE, 7), b"x"), ROUTER_MAC, "0a1b2c3d4e17"))
    (row,) = analysed(frames).names.to_dicts()
    assert (row["address"], row["port"], row["name"], row["source"], row["frame"]) == (
        REMOTE,
        None,
        HOST,
        "dns",
        2,
    )
    assert (row["local_address"], row["local_port"]) == (PHONE, 40_123)


def told(table, *rows):
    """Per flow the rule that chose, other names, whether it is a guess, and whether answered."""
    found = hosts(table, sightings(*rows))
    return found.select(
        "flow", "host_rule", "other_hosts", "is_host_ambiguous", "is_host_answered"
    ).rows()


def test_a_name_of_its_own_is_sure_and_others_are_listed():
    rows = [own(9, "a.example", "sni"), answer(1, 10, "b.example"), answer(2, 11, "c.example")]
    assert told(ONE, *rows) == [(100, "own", ["b.example", "c.example"], False, False)]
    assert told(ONE, *rows, answer(3, 12, "a.example"))[0][4] is True


def test_a_name_from_answers_is_a_guess_where_there_are_several():
    assert told(ONE, answer(1, 10, "a.example")) == [(100, "answered_before", [], False, None)]
    rows = [answer(1, 10, "a.example"), answer(2, 20, "b.example")]
    assert told(ONE, *rows) == [(100, "answered_before", ["a.example"], True, None)]


def test_without_any_answer_nothing_is_said_on_answers():
    assert told(ONE, own(9, "a.example", "sni")) == [(100, "own", [], False, None)]


def test_a_certificate_names_what_nothing_before_it_does():
    shown = own(9, "*.example", "certificate")
    assert told(ONE, shown) == [(100, "certificate", [], False, None)]
    other = own(9, "*.example", "certificate", conversation=5)
    assert told(ONE, other) == [(100, "certificate_elsewhere", [], False, None)]
    assert told(ONE, shown, answer(30, 900, "late.example")) == [
        (100, "certificate", ["late.example"], False, False)
    ]


def test_names_of_another_port_are_no_candidates():
    rows = [own(9, "a.example", "sni"), own(8, "b.example", "sni", conversation=3, port=8443)]
    assert told(ONE, *rows) == [(100, "own", [], False, None)]


def test_very_many_names_are_listed_up_to_a_bound():
    rows = [answer(n + 1, n, f"n{n:03}.example") for n in range(40)]
    ((_, rule, others, is_ambiguous, _),) = told(ONE, *rows)
    assert (rule, len(others), is_ambiguous) == ("answered_before", 16, True)
