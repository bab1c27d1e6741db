import ipaddress
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.geo.databases import open_databases
from phonehome.geo.defaults import default_databases
from phonehome.geo.errors import AddressError
from phonehome.geo.places import answers, places
from phonehome.geo.scopes import packed
from phonehome.geo.tables import Places


@pytest.fixture(scope="module")
def shipped():
    return default_databases()


@pytest.fixture
def three(write):
    """Two countries that differ at 8.8.8.0/24, and one file of systems."""
    return open_databases(
        [
            write(
                {
                    "8.8.8.0/24": {"country": {"iso_code": "SG"}},
                    "2a00:1450::/32": {"country": {"iso_code": "DE"}},
                },
                "one.mmdb",
            ),
            write(
                {
                    "8.8.0.0/16": {
                        "country": {"iso_code": "US"},
                        "registered_country": {"iso_code": "CN"},
                        "traits": {"is_anycast": True},
                    },
                    "2a00:1450::/32": {"country": {"iso_code": "DE"}},
                },
                "two.mmdb",
            ),
            write({"8.0.0.0/8": {"asn": "AS5", "as_name": "Five"}}, "systems.mmdb"),
        ]
    )


def row(address, databases):
    return places([address], databases).to_dicts()[0]


def test_opinions_that_differ_are_all_kept_in_the_order_asked(three):
    assert row("8.8.8.8", three) == {
        "address": "8.8.8.8",
        "scope": "global",
        "lookup_address": "8.8.8.8",
        "country": "SG",
        "registered_country": "CN",
        "asn": 5,
        "as_org": "Five",
        "holder": None,
        "holder_country": None,
        "holder_kind": None,
        "is_anycast": True,
        "network": "8.8.8.0/24",
        "opinions": [{"database": "one", "country": "SG"}, {"database": "two", "country": "US"}],
        "agreement": 1,
    }


def test_the_order_of_the_databases_decides_whose_opinion_is_first(three):
    turned = row("8.8.8.8", [three[1], three[0]])
    assert (turned["country"], turned["network"], turned["agreement"]) == ("US", "8.8.0.0/16", 1)
    assert turned["asn"] is None


def test_agreement_counts_the_databases_that_share_the_first_opinion(three):
    assert row("2a00:1450::1", three)["agreement"] == 2


def test_where_the_first_database_is_silent_the_next_one_gives_the_first_opinion(three):
    place = row("8.8.9.9", three)
    assert (place["country"], place["network"], place["agreement"]) == ("US", "8.8.0.0/16", 1)
    assert place["opinions"][0] == {"database": "one", "country": None}


def test_an_address_that_nobody_knows_is_a_row_of_nulls_with_silent_opinions(three):
    place = row("9.9.9.9", three)
    assert place["opinions"] == [
        {"database": "one", "country": None},
        {"database": "two", "country": None},
    ]
    unknown = (
        "country",
        "registered_country",
        "asn",
        "as_org",
        "is_anycast",
        "network",
        "agreement",
    )
    assert [place[name] for name in unknown] == [None] * 7


def test_an_address_that_is_not_global_is_not_looked_up(write):
    everything = open_databases([write({"0.0.0.0/0": {"country_code": "US"}})])
    place = row("10.0.0.1", everything)
    assert (place["scope"], place["lookup_address"], place["country"]) == ("private", None, None)
    assert place["opinions"] == []
    assert row("8.8.8.8", everything)["country"] == "US"


def test_the_ipv4_address_inside_ipv6_is_the_one_that_is_looked_up(three):
    for address in ("::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"):
        place = row(address, three)
        assert (place["lookup_address"], place["country"], place["asn"]) == ("8.8.8.8", "SG", 5)


def test_a_denial_counts_only_where_nobody_claims_anycast(write):
    databases = open_databases(
        [
            write({"8.0.0.0/7": {"traits": {"is_anycast": False}}}, "no.mmdb"),
            write({"8.0.0.0/8": {"traits": {"is_anycast": True}}}, "yes.mmdb"),
        ]
    )
    table = places(["8.8.8.8", "9.9.9.9", "11.1.1.1"], databases)
    assert table["is_anycast"].to_list() == [True, False, None]


def test_without_databases_scopes_are_still_told():
    table = places(["8.8.8.8", "10.0.0.1"], [])
    assert table["scope"].to_list() == ["global", "private"]
    assert table["opinions"].to_list() == [[], []]
    assert table["country"].to_list() == [None, None]


def test_no_address_gives_an_empty_table_of_the_promised_shape(three):
    table = places([], three)
    assert table.height == 0
    assert table.schema == Places.create_empty().schema
    assert answers([], three).height == 0
    assert answers(["8.8.8.8"], []).height == 0


def test_addresses_are_distinct_short_and_sorted_by_version_then_value(three):
    given_twice = [
        "2A00:1450:0::1",
        "10.0.0.2",
        "9.0.0.1",
        "2a00:1450::1",
        "10.0.0.10",
        "::1",
        "9.0.0.1",
    ]
    expected = ["9.0.0.1", "10.0.0.2", "10.0.0.10", "::1", "2a00:1450::1"]
    assert places(given_twice, three)["address"].to_list() == expected
    assert places(pl.Series(given_twice), three)["address"].to_list() == expected


def test_a_text_that_is_no_address_is_refused(three):
    with pytest.raises(AddressError, match=r"expected an IPv4 or IPv6 address, got 'example\.com'"):
        places(["8.8.8.8", "example.com"], three)


def test_answers_tell_who_said_what_for_which_network(three):
    table = answers(["8.8.8.8", "10.0.0.1"], three)
    told = table.select("address", "database", "network", "country", "asn").rows()
    assert told == [
        ("8.8.8.8", "one", "8.8.8.0/24", "SG", None),
        ("8.8.8.8", "two", "8.8.0.0/16", "US", None),
        ("8.8.8.8", "systems", "8.0.0.0/8", None, 5),
        ("10.0.0.1", "one", None, None, None),
        ("10.0.0.1", "two", None, None, None),
        ("10.0.0.1", "systems", None, None, None),
    ]


def slow_place(address, databases):
    """Country, agreement, ASN and anycast of an address, one question after the other."""
    said = [database.find([packed(address)]) for database in databases]
    told = [found.hits[found.indexes[0]].answer for found in said]
    countries = [
        each.country
        for each, database in zip(told, databases, strict=True)
        if "country" in database.kinds
    ]
    country = next(filter(None, countries), None)
    flags = {each.is_anycast for each in told}
    return (
        country,
        countries.count(country) if country else None,
        next((each.asn for each in told if each.asn), None),
        next((each.as_org for each in told if each.asn), None),
        next((flag for flag in (True, False) if flag in flags), None),
    )


def test_the_table_of_many_addresses_says_the_same_as_one_question_after_the_other(shipped):
    draw = random.Random(7)  # noqa: S311  the same addresses each time
    asked = [str(ipaddress.IPv4Address(draw.randrange(2**32))) for _ in range(1500)]
    asked += [
        str(ipaddress.IPv6Address((0x2A00 << 112) + draw.randrange(2**112))) for _ in range(500)
    ]
    table = places(asked, shipped).filter(scope="global")
    columns = ("country", "agreement", "asn", "as_org", "is_anycast")
    for place in table.to_dicts():
        assert tuple(place[name] for name in columns) == slow_place(place["address"], shipped)
    assert table.filter(pl.col("country").is_not_null()).height > 1000


def test_the_matched_network_holds_the_address(shipped):
    table = places(["119.29.29.29", "2a00:1450:4001:800::200e", "64:ff9b::8.8.8.8"], shipped)
    for place in table.to_dicts():
        network = ipaddress.ip_network(place["network"])  # refuses bits beyond the prefix
        assert ipaddress.ip_address(place["lookup_address"]) in network


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str), max_size=30),
    st.randoms(),
)
def test_neither_order_nor_repetition_of_the_addresses_matters(addresses, draw):
    databases = default_databases()
    shuffled = addresses * 2
    draw.shuffle(shuffled)
    assert places(addresses, databases).equals(places(shuffled, databases))
