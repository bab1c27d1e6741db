"""Comparisons of the samples, held to what was planted in them, and of sides made by hand."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.comparison.compare import SAME_WITHIN, changes, compare, compared
from phonehome.analyzer.settings import Settings
from phonehome.analyzer.tables import ALL_STATES, CANNOT_TELL
from tests.looks import first
from tests.made_sides import Repetition, Sent, side

SAMPLES = Path(__file__).parents[3] / "captures" / "samples"
OLD, NEW = SAMPLES / "parrot-1.0", SAMPLES / "parrot-2.0"
BOTH = (Settings(), Settings())


@pytest.fixture(scope="module")
def samples_compared():
    return compare([OLD], [NEW], settings=BOTH)


@pytest.fixture(scope="module")
def planted(samples):
    return samples("parrot-2.0/rep1").truth["planted"]


@pytest.fixture(scope="module")
def addresses(samples):
    """Address of every named server of both versions."""
    return {
        destination["host"]: destination["address"]
        for name in ("parrot-1.0/rep1", "parrot-2.0/rep1")
        for destination in samples(name).truth["destinations"]
        if destination["host"] is not None
    }


def keys(table, dimension, change, state=ALL_STATES):
    of_change = (pl.col("change") == change) & (pl.col("state") == state)
    return set(table.filter(pl.col("dimension") == dimension, of_change)["key"])


def test_new_and_dropped_countries_are_those_that_were_planted(samples_compared, planted):
    assert keys(samples_compared.changes, "country", "new") == set(planted["new_countries"])
    assert keys(samples_compared.changes, "country", "gone") == set(planted["dropped_countries"])


def test_a_new_host_is_found_by_its_name_or_else_by_its_address(
    samples_compared, planted, addresses
):
    found = keys(samples_compared.changes, "host", "new")
    moved = {host["to"]["address"] for host in planted["moved_hosts"]}
    named = {addresses[host] for host in planted["new_hosts"]}
    assert all({host, addresses[host]} & found for host in planted["new_hosts"])
    assert set(planted["new_addresses"]) - moved - named <= found
    assert len(found) == len(set(planted["new_addresses"]) - moved)


def test_a_dropped_host_is_gone(samples_compared, planted):
    assert keys(samples_compared.changes, "host", "gone") == set(planted["dropped_hosts"])


def test_a_moved_host_is_found_with_the_places_that_it_left_and_went_to(samples_compared, planted):
    moved = samples_compared.changes.filter(pl.col("is_moved"), pl.col("state") == ALL_STATES)
    assert moved.select(
        "key", "base_countries", "new_countries", "base_asns", "new_asns"
    ).rows() == [
        (
            host["host"],
            [host["from"]["country"]],
            [host["to"]["country"]],
            [host["from"]["asn"]],
            [host["to"]["asn"]],
        )
        for host in planted["moved_hosts"]
    ]


def test_more_upload_while_idle_is_found(samples_compared, planted, addresses):
    table = samples_compared.changes
    found = keys(table, "host", "more", "idle") | keys(table, "host", "new", "idle")
    assert all({host, addresses[host]} & found for host in planted["more_idle_upload_to"])
    assert keys(table, "host", "more", "idle") <= set(planted["more_idle_upload_to"])


def test_the_disputed_country_stands_beside_the_new_one(samples_compared, planted):
    (disputed,) = planted["disputed_addresses"]
    row = samples_compared.changes.filter(
        pl.col("key") == disputed["ipfire"], pl.col("state") == ALL_STATES
    )
    assert disputed["address"] in row["remark"].item()
    assert disputed["dbip"] in row["remark"].item()


def test_bytes_and_time_are_those_of_the_truths(samples_compared, samples):
    truths = [samples(f"parrot-2.0/rep{number}").truth for number in (1, 2, 3)]
    sent = sum(
        phase["up_unique_bytes"]
        for truth in truths
        for destination in truth["destinations"]
        for phase in destination["phases"]
        if destination["host"] == "push.vendor.example" and phase["state"] == "idle"
    )
    row = samples_compared.changes.row(
        by_predicate=(pl.col("key") == "push.vendor.example") & (pl.col("state") == "idle"),
        named=True,
    )
    assert row["new_up_unique_bytes"] == sent
    assert row["new_exposure"] == timedelta(minutes=3 * 50)
    assert row["new_up_unique_bytes_per_hour"] == pytest.approx(sent / 2.5)
    assert row["new_least_per_hour"] <= row["new_up_unique_bytes_per_hour"]
    assert row["new_up_unique_bytes_per_hour"] <= row["new_most_per_hour"]
    assert (row["new_seen_in"], row["new_repetitions"]) == (3, 3)


@pytest.mark.parametrize(
    "paths", first([[NEW / "rep1.pcapng"], [OLD], [NEW / "rep3.pcapng.gz", OLD]])
)
def test_comparing_captures_with_themselves_finds_nothing(paths):
    result = compare(paths, paths, settings=BOTH, same_within=0)
    assert set(result.changes["change"]) == {"same"}
    assert not result.changes["is_moved"].any()
    assert set(result.changes["verdict"]) <= {"same", CANNOT_TELL}
    assert set(result.traits["verdict"]) <= {"same", CANNOT_TELL}


def test_changing_sides_turns_every_word_round(samples_compared):
    turned = compare([NEW], [OLD], settings=BOTH).changes
    opposite = {"new": "gone", "gone": "new", "more": "less", "less": "more", "same": "same"}
    same_rows = ["dimension", "key", "state", "label"]
    pairs = samples_compared.changes.join(turned, on=same_rows, nulls_equal=True)
    assert pairs.height == turned.height == samples_compared.changes.height
    assert pairs["change"].replace_strict(opposite).to_list() == pairs["change_right"].to_list()


def test_two_runs_give_the_same_rows_in_the_same_order(samples_compared):
    again = compare([OLD], [NEW], settings=BOTH)
    assert again.changes.equals(samples_compared.changes)


def one(table, key="chat.example", state="idle"):
    of_key = (pl.col("key") == key) & (pl.col("state") == state) & pl.col("label").is_null()
    return table.row(by_predicate=of_key, named=True)


def changed(base, new, **options):
    return changes(side("base", *base), side("new", *new), **{"same_within": SAME_WITHIN} | options)


@pytest.mark.parametrize(
    ("base", "new", "word"),
    [
        (100, 100, "same"),
        (100, 111, "same"),
        (100, 112, "more"),
        (112, 100, "less"),
        (0, 0, "same"),
    ],
)
def test_rates_are_the_same_up_to_a_part_of_the_larger_one(base, new, word):
    table = changed([Repetition((Sent(base),))], [Repetition((Sent(new),))])
    assert one(table)["change"] == word


def test_the_rates_of_much_are_no_other_numbers():
    row = one(changed([Repetition((Sent(9_000_000),))], [Repetition((Sent(90_000_000_000),))]))
    assert row["base_up_unique_bytes_per_hour"] == 9_000_000
    assert row["new_up_unique_bytes_per_hour"] == 90_000_000_000
    assert (row["new_least_per_hour"], row["new_most_per_hour"]) == (90_000_000_000,) * 2


def test_with_no_part_allowed_only_equal_rates_are_the_same():
    table = changed([Repetition((Sent(100),))], [Repetition((Sent(101),))], same_within=0)
    assert one(table)["change"] == "more"


def test_a_rate_is_bytes_over_the_time_of_all_repetitions_those_without_it_too():
    base = [Repetition((Sent(100),)), Repetition((), {"idle": 3.0})]
    row = one(changed(base, [Repetition((Sent(100),))]))
    assert row["base_up_unique_bytes_per_hour"] == 25
    assert (row["base_seen_in"], row["base_repetitions"]) == (1, 2)
    assert (row["base_least_per_hour"], row["base_most_per_hour"]) == (0, 100)


def test_a_repetition_that_never_saw_a_state_counts_neither_for_it_nor_against_it():
    base = [Repetition((Sent(100),)), Repetition((Sent(9, state="active"),), {"active": 1.0})]
    row = one(changed(base, [Repetition((Sent(100),))]))
    assert (row["base_seen_in"], row["base_repetitions"]) == (1, 1)
    assert row["base_least_per_hour"] == 100


def test_a_state_that_one_side_never_observed_is_not_comparable_there():
    base = [Repetition((Sent(50, state="active"),), {"active": 1.0})]
    table = changed(base, [Repetition((Sent(100),))])
    assert one(table)["change"] == "not comparable"
    assert one(table)["base_up_unique_bytes_per_hour"] is None
    assert one(table, state="active")["change"] == "not comparable"
    assert one(table, state=ALL_STATES)["change"] == "more"


def test_new_in_a_state_is_not_new_over_all_states():
    hours = {"active": 1.0, "idle": 1.0}
    base = [Repetition((Sent(50, state="active"),), hours)]
    table = changed(base, [Repetition((Sent(50, state="active"), Sent(50)), hours)])
    assert one(table)["change"] == "new"
    assert one(table, state=ALL_STATES)["change"] == "more"
    assert keys(table, "host", "new") == set()


def test_without_any_time_new_and_gone_are_still_told_and_rates_are_not():
    base = [Repetition((Sent(1), Sent(2, host="old.example")), {})]
    new = [Repetition((Sent(1), Sent(2, host="young.example")), {})]
    table = changed(base, new)
    assert one(table, "young.example", ALL_STATES)["change"] == "new"
    assert one(table, "old.example", ALL_STATES)["change"] == "gone"
    assert one(table, state=ALL_STATES)["change"] == "not comparable"


def test_a_contact_without_upload_is_new_too():
    table = changed([Repetition((Sent(1),))], [Repetition((Sent(1), Sent(0, host="a.example")))])
    assert one(table, "a.example")["change"] == "new"


def test_ranges_are_held_against_each_other_only_where_both_sides_were_repeated():
    twice = [Repetition((Sent(100),)), Repetition((Sent(200),))]
    higher = [Repetition((Sent(200),)), Repetition((Sent(900),))]
    apart = [Repetition((Sent(300),)), Repetition((Sent(400),))]
    assert one(changed(twice, higher))["is_overlapping"] is True
    assert one(changed(twice, apart))["is_overlapping"] is False
    assert one(changed(twice, [Repetition((Sent(900),))]))["is_overlapping"] is None


def test_a_server_without_a_name_is_known_by_its_address():
    unnamed = Sent(5, host=None, address="113.96.232.10", country="CN", asn=4134)
    table = changed([Repetition((Sent(1),))], [Repetition((Sent(1), unnamed))])
    row = one(table, "113.96.232.10")
    assert (row["dimension"], row["change"], row["is_named"]) == ("host", "new", False)
    assert one(table)["is_named"] is True


def test_a_place_that_no_database_knows_has_a_row_without_a_key():
    nowhere = Sent(5, host="a.example", address="102.22.22.22", country=None, asn=None, as_org=None)
    table = changed([Repetition((Sent(1),))], [Repetition((Sent(1), nowhere))])
    lost = table.filter(pl.col("key").is_null(), pl.col("state") == "idle")
    assert lost.select("dimension", "change").rows() == [("country", "new"), ("asn", "new")]


def test_an_asn_has_the_name_of_its_holder():
    table = changed([Repetition((Sent(1),))], [Repetition((Sent(1),))])
    assert one(table, "AS14618")["holder"] == "Amazon.com, Inc."
    assert one(table)["holder"] is None


def test_damage_and_broken_accounts_of_either_side_are_those_of_the_comparison():
    whole = side("base", Repetition((Sent(1),)))
    damaged = side("new", Repetition((Sent(1),), damage="cut at byte 7"))
    assert compared(whole, damaged).is_damaged
    assert not compared(whole, side("new", Repetition((Sent(1),)))).is_damaged
    assert compared(whole, damaged).is_balanced
