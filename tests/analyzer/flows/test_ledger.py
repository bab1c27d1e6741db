"""The ledger: one outcome per packet, one category per byte, and every identity that must hold."""

import polars as pl
import pytest

import phonehome.analyzer.analysis
from phonehome import geo
from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.flows.ledger import PARTS, READ_OUTCOMES, ledger, violations
from phonehome.analyzer.flows.seen_from_phone import seen_from_phone
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import LEDGER_OUTCOMES
from phonehome.captures.words import OUTCOMES
from tests.analyzer.crafted import conversations, side, tallied
from tests.small_captures import LAPTOP, PHONE, PRINTER, REMOTE, Frame, household, pcap, put

TABLES = ("captures", "flows", "uploads", "timeline")


def seen(*rows):
    table = conversations(*rows)
    addresses = {*table["a_address"], *table["b_address"]}
    return seen_from_phone(table, {one: geo.scope(one) for one in addresses}, [PHONE])


@pytest.fixture(scope="module")
def balanced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("balanced")
    for number, frames in enumerate((household(), household()[:9]), start=1):
        put(folder / f"{number}.pcap", pcap(frames))
    analysis = analyze([folder], Settings())
    assert check(analysis) == []
    return analysis


def check(analysis, **changed):
    tables = {name: getattr(analysis, name) for name in TABLES} | changed
    return violations(tables.pop("accounts", analysis.ledger), **tables)


def one_more(table, column, row=None):
    """The table with one more in a column of one row, the first in which it is not 0."""
    at = row if row is not None else int((table[column] > 0).arg_max())
    return table.with_columns(
        pl.when(pl.int_range(pl.len()) == at)
        .then(pl.col(column) + 1)
        .otherwise(pl.col(column))
        .alias(column)
    )


def test_a_ledger_has_all_nine_outcomes_in_the_order_of_the_design():
    table = ledger("x.pcap", seen(("udp", PHONE, 1, REMOTE, 2)), tallied(side(0)))
    assert tuple(table["outcome"]) == LEDGER_OUTCOMES
    assert len(LEDGER_OUTCOMES) == 9
    assert table["packets"].to_list() == [1, *[0] * 8]


def test_conversations_go_to_the_outcome_of_their_role():
    table = seen(
        ("udp", PHONE, 1, REMOTE, 2), ("udp", PHONE, 1, PRINTER, 2), ("udp", LAPTOP, 1, REMOTE, 2)
    )
    sums = tallied(side(0), side(1, packets=2), side(2, packets=3, is_from_b=True))
    found = ledger("x.pcap", table, sums).select("outcome", "packets").rows()
    assert found[:3] == [("attributed", 1), ("local", 2), ("bystander", 3)]


def test_packets_without_a_conversation_go_to_the_outcome_that_reading_gave_them():
    outcomes = [(number, number + 1, 60) for number in range(1, len(OUTCOMES))]
    table = ledger("x.pcap", seen(), tallied(outcomes=outcomes))
    found = dict(table.select("outcome", "packets").iter_rows())
    assert found == {"attributed": 0, "local": 0, "bystander": 0} | {
        OUTCOMES[number]: packets for number, packets, _ in outcomes
    }
    assert table["wire_bytes"].sum() == 60 * 6


def test_an_outcome_that_reading_does_not_know_is_a_mistake_of_ours():
    with pytest.raises(pl.exceptions.PolarsError):
        ledger("x.pcap", seen(), tallied(outcomes=[(200, 1, 60)]))


def test_parts_are_unknown_where_a_packet_was_not_read_as_ip():
    table = ledger("x.pcap", seen(), tallied(outcomes=[(1, 1, 60), (2, 1, 60), (3, 1, 60)]))
    for row in table.to_dicts():
        is_known = row["outcome"] in READ_OUTCOMES
        for name in ("ip_bytes", "payload_bytes", *PARTS):
            assert (row[name] is not None) is is_known, (row["outcome"], name)


def test_payload_is_first_seen_or_seen_again():
    sums = tallied(side(0, payload_bytes=58, unique_bytes=50))
    row = ledger("x.pcap", seen(("udp", PHONE, 1, REMOTE, 2)), sums).row(0, named=True)
    assert (row["unique_bytes"], row["retransmitted_bytes"]) == (50, 8)
    assert sum(row[name] for name in PARTS) == row["wire_bytes"] == 100


def test_nothing_is_wrong_with_what_balances(balanced):
    assert balanced.summary.is_balanced
    assert balanced.ledger["packets"].sum() == balanced.captures["packets"].sum()


@pytest.mark.parametrize("column", ["packets", "wire_bytes"])
def test_a_packet_that_was_read_and_not_told_is_found(balanced, column):
    wrong = check(balanced, captures=one_more(balanced.captures, column, 1))
    words = column.replace("_", " ")
    total = int(balanced.captures[column][1])
    assert wrong == [f"2.pcap: {words} of the ledger: {total}, but {words} read: {total + 1}"]


def test_captures_do_not_make_up_for_each_other(balanced):
    shifted = one_more(balanced.captures, "packets", 0).with_columns(
        (pl.col("packets") - pl.int_range(pl.len())).alias("packets")
    )
    assert shifted["packets"].sum() == balanced.captures["packets"].sum()
    assert len(check(balanced, captures=shifted)) == 2


def test_a_capture_without_a_ledger_is_found(balanced):
    accounts = balanced.ledger.filter(pl.col("capture") == "1.pcap")
    assert any(
        line.startswith("2.pcap: packets of the ledger: 0")
        for line in check(balanced, accounts=accounts)
    )


@pytest.mark.parametrize(
    "name", ["packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes"]
)
@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("role", ["phone", "local", "bystander"])
def test_each_count_of_each_role_is_checked_against_the_ledger(balanced, name, way, role):
    row = int((balanced.flows["role"] == role).arg_max())
    wrong = check(balanced, flows=one_more(balanced.flows, f"{way}_{name}", row))
    words = name.replace("_", " ")
    assert any(line.startswith(f"{words} of flows with role {role}: ") for line in wrong)
    assert len(wrong) == (1 if role != "phone" else 2)


@pytest.mark.parametrize(
    "name", ["packets", "wire_bytes", "ip_bytes", "payload_bytes", "unique_bytes"]
)
@pytest.mark.parametrize(("way", "ways"), [("up", "uploads"), ("down", "downloads")])
def test_each_count_of_uploads_is_checked_against_the_flows(balanced, name, way, ways):
    column = f"{way}_{name}"
    total = int(balanced.uploads[column].sum())
    wrong = check(balanced, uploads=one_more(balanced.uploads, column))
    words = f"{name.replace('_', ' ')} of {ways}"
    assert f"{words}: {total + 1}, but {words} of flows: {total}" in wrong


@pytest.mark.parametrize(("way", "ways"), [("up", "uploads"), ("down", "downloads")])
def test_what_goes_over_time_is_checked_against_the_uploads(balanced, way, ways):
    column = f"{way}_unique_bytes"
    total = int(balanced.timeline[column].sum())
    assert check(balanced, timeline=one_more(balanced.timeline, column)) == [
        f"unique bytes of {ways}: {total}, but unique bytes of {ways} of the timeline: {total + 1}"
    ]


@pytest.mark.parametrize("part", PARTS)
def test_parts_that_do_not_add_up_are_found(balanced, part):
    wrong = check(balanced, accounts=one_more(balanced.ledger, part))
    assert any(line.startswith("1.pcap: parts of attributed do not add up to ") for line in wrong)


def test_a_run_whose_accounts_do_not_balance_says_so(analysed, monkeypatch):
    def loses_a_packet(capture, seen, tallied):
        return one_more(ledger(capture, seen, tallied), "packets")

    monkeypatch.setattr(phonehome.analyzer.one_capture, "ledger", loses_a_packet)
    analysis = analysed(household())
    assert not analysis.summary.is_balanced
    assert any("packets of the ledger" in note for note in analysis.notes)


def test_every_way_to_spoil_a_frame_still_has_one_outcome(analysed):
    """Each octet of some frames wrong, and each frame cut at each length: the sums hold."""
    frames = household()[:8]
    spoiled = [
        Frame(octets[:at] + bytes([octets[at] ^ 0xFF]) + octets[at + 1 :], frame.time)
        for frame in frames
        for octets in [frame.octets[:80]]
        for at in range(len(octets))
    ]
    spoiled += [
        Frame(frame.octets[:length], frame.time, len(frame.octets))
        for frame in frames
        for length in range(min(len(frame.octets), 80))
    ]
    analysis = analysed(spoiled)
    assert not any(", but " in note for note in analysis.notes)
    assert analysis.summary.is_balanced
    assert analysis.ledger["packets"].sum() == len(spoiled)
    used = set(analysis.ledger.filter(pl.col("packets") > 0)["outcome"])
    assert {"attributed", "local", "non_ip", "malformed", "cut"} <= used
