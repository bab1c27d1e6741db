import polars as pl

from phonehome.analyzer.comparison.remarks import MOST, place_facts, remarks
from phonehome.analyzer.comparison.repetition import HOST
from tests.made_sides import Repetition, Sent, side

HERE, THERE = "52.23.61.14", "13.250.100.4"
NOWHERE = Repetition((Sent(1, host="other.example", address="9.9.9.9", country="CH", asn=19281),))


def fact(base, new, host="chat.example"):
    facts = place_facts(side("base", *base), side("new", *new), HOST)
    return facts.row(by_predicate=pl.col("key") == host, named=True)


def remark(base, new, key, **opinions):
    sides = side("base", *base, **opinions), side("new", *new, **opinions)
    table = remarks(*sides)
    found = table.filter(pl.col("key") == key)["remark"]
    return found[0] if len(found) else None


def test_a_host_moved_whose_addresses_and_countries_differ():
    moved = Repetition((Sent(1, address=THERE, country="SG", asn=16509),))
    row = fact([Repetition((Sent(1),))], [moved])
    assert row["is_moved"]
    assert (row["base_countries"], row["new_countries"]) == (["US"], ["SG"])
    assert (row["base_asns"], row["new_asns"]) == ([14618], [16509])


def test_a_host_at_another_address_of_the_same_place_did_not_move():
    assert (
        fact([Repetition((Sent(1),))], [Repetition((Sent(1, address=THERE),))])["is_moved"] is False
    )


def test_a_host_at_the_same_address_did_not_move_even_if_a_database_did():
    assert (
        fact([Repetition((Sent(1),))], [Repetition((Sent(1, country="CA"),))])["is_moved"] is False
    )


def test_a_host_of_one_side_alone_cannot_have_moved():
    row = fact([NOWHERE], [Repetition((Sent(1),))])
    assert row["is_moved"] is None
    assert (row["base_countries"], row["new_countries"]) == ([], ["US"])


def test_both_countries_of_a_disputed_address_are_remarked():
    rows = [Repetition((Sent(1),))]
    opinions = {HERE: {"dbip": "US", "ipfire": "CN"}}
    assert (
        remark(rows, rows, "US", opinions=opinions) == f"ipfire places {HERE} (base and new) in CN"
    )
    assert remark(rows, [NOWHERE], "CN", opinions=opinions) == (
        f"ipfire also places {HERE} (base) here, the first database in US"
    )


def test_agreeing_and_silent_databases_are_no_remark():
    rows = [Repetition((Sent(1),))]
    opinions = {HERE: {"dbip": "US", "ipfire": None, "mine": "US"}}
    assert remark(rows, rows, "US", opinions=opinions) is None


def test_an_address_that_bears_a_name_elsewhere_is_remarked():
    unnamed = Repetition((Sent(1, host=None),))
    assert remark([Repetition((Sent(1),))], [unnamed], HERE) == (
        "the address also bears the name chat.example (base)"
    )


def test_a_new_name_at_a_known_address_is_remarked():
    renamed = Repetition((Sent(1, host="talk.example"),))
    base = [Repetition((Sent(1),))]
    assert remark(base, [renamed], "talk.example") == f"{HERE} on base is chat.example"
    unnamed = Repetition((Sent(1, host=None),))
    assert remark([unnamed], base, "chat.example") == f"{HERE} on base is an address without a name"


def test_many_remarks_are_cut_and_the_rest_is_counted():
    many = tuple(Sent(1, address=f"52.23.61.{number}") for number in range(MOST + 2))
    opinions = {sent.address: {"dbip": "US", "ipfire": "CN"} for sent in many}
    text = remark([Repetition(many)], [NOWHERE], "US", opinions=opinions)
    assert text.count("ipfire places") == MOST
    assert text.endswith("and 2 more")
