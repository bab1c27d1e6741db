import maxminddb
import pytest

from phonehome.geo.countries import DATA, country_index
from phonehome.geo.defaults import default_databases
from phonehome.geo.holders import held_by, holder_index, holders
from phonehome.geo.places import places
from phonehome.geo.tables import HOLDER_KINDS


@pytest.fixture(scope="module")
def registered():
    """What each autonomous system is registered as, in the shipped table."""
    with maxminddb.open_database(DATA / "asn.mmdb") as reader:
        return {
            record["autonomous_system_number"]: record.get("autonomous_system_organization")
            for _, record in reader
        }


def test_each_number_is_registered_as_the_table_says(registered):
    found = {asn: registered.get(asn) for asn in holder_index()}
    assert found == {asn: holder.registered_as for asn, holder in holder_index().items()}


def test_the_table_is_large_enough_sorted_and_of_known_countries():
    table = holders()
    assert table.height >= 100
    assert table["asn"].is_sorted()
    assert set(table["country"]) <= set(country_index())
    assert set(table["kind"]) == set(HOLDER_KINDS)
    assert all(len(source) > 5 for source in table["source"])


def test_one_company_has_one_home():
    homes = holders().group_by("holder").agg(count="country")
    assert homes.filter(homes["count"].list.n_unique() > 1).is_empty()


@pytest.mark.parametrize(
    ("asn", "holder", "country"),
    [
        (132203, "Tencent", "CN"),
        (45102, "Alibaba", "CN"),
        (136907, "Huawei", "CN"),
        (396986, "ByteDance", "CN"),
        (38365, "Baidu", "CN"),
        (15169, "Google", "US"),
        (714, "Apple", "US"),
        (32934, "Meta", "US"),
        (16509, "Amazon", "US"),
        (8075, "Microsoft", "US"),
        (20940, "Akamai", "US"),
        (13335, "Cloudflare", "US"),
        (54113, "Fastly", "US"),
    ],
)
def test_the_systems_that_phones_meet_most_are_there(asn, holder, country):
    assert holder_index()[asn][:2] == (holder, country)


def test_places_name_the_company_behind_the_network_and_its_home():
    table = places(["203.205.254.157", "192.168.0.1", "193.0.6.139"], default_databases())
    rows = {row["address"]: row for row in table.to_dicts()}
    tencent = rows["203.205.254.157"]
    assert (tencent["holder"], tencent["holder_country"], tencent["holder_kind"]) == (
        "Tencent",
        "CN",
        "cloud",
    )
    assert tencent["country"] != "CN"
    for address in ("192.168.0.1", "193.0.6.139"):
        assert rows[address]["holder"] is rows[address]["holder_country"] is None


def test_where_and_whose_is_one_line():
    assert held_by("SG", 132203, "x") == "in Singapore, on AS132203 of Tencent (CN, cloud)"
    assert held_by("NL", 3333, "RIPE NCC") == "in Netherlands, on AS3333 of RIPE NCC"
    assert held_by(None, 3333, None) == (
        "in a country that nobody names, on AS3333 of a holder that nobody names"
    )
    assert held_by("NL", None, None) == "in Netherlands, on a network that nobody names"
