import csv
import hashlib
import json
import shutil
from datetime import date
from pathlib import Path

import geoip2.database
import maxminddb
import polars as pl
import pytest

from phonehome.geo import defaults
from phonehome.geo.countries import DATA
from phonehome.geo.databases import open_databases
from phonehome.geo.defaults import databases_table, default_databases, old_databases, origins
from phonehome.geo.errors import DatabaseError
from phonehome.geo.places import places

SAMPLE = Path(__file__).parent / "source_sample.csv"


@pytest.fixture(scope="module")
def shipped():
    return default_databases()


def test_country_twice_systems_and_anycast_are_shipped(shipped):
    assert [(each.name, each.kind) for each in shipped] == [
        ("dbip-country", "country"),
        ("ipfire-country", "country"),
        ("asn", "asn"),
        ("ipfire-anycast", "anycast"),
    ]


def test_the_table_tells_date_hash_licence_and_source_of_every_shipped_database(shipped):
    table = databases_table(shipped)
    for each in table.to_dicts():
        file = DATA / each["file"]
        assert each["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
        assert each["licence"].startswith("CC BY")
        assert each["attribution_url"].startswith("https://")
        assert each["is_embedded"]
        assert each["ip_version"] == 6
    assert table["source"].str.split(" ").list.len().to_list() == [3, 3, 3, 3]
    assert table["position"].to_list() == [1, 2, 3, 4]


def test_the_notice_of_every_source_is_shipped():
    notice = (DATA / "LICENSES.md").read_text(encoding="utf-8")
    kept = json.loads((DATA / "sources.json").read_text(encoding="utf-8"))
    for each in kept["databases"] + kept["other"]:
        assert each["file"] in notice
        assert each["source"]["package"] in notice
        assert each["licence"] in notice
        assert each["attribution_url"] in notice


def test_every_shipped_file_has_the_hash_that_is_recorded():
    kept = json.loads((DATA / "sources.json").read_text(encoding="utf-8"))
    for each in kept["databases"] + kept["other"]:
        assert each["sha256"] == hashlib.sha256((DATA / each["file"]).read_bytes()).hexdigest()


def test_the_shipped_data_stay_below_35_megabytes():
    assert sum(file.stat().st_size for file in DATA.iterdir()) < 35_000_000


def test_the_built_databases_agree_with_a_sample_of_their_sources():
    with SAMPLE.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    readers = {name: maxminddb.open_database(DATA / name) for name in {row["file"] for row in rows}}
    assert len(readers) == 3
    for row in rows:
        assert readers[row["file"]].get(row["address"]) == json.loads(row["record"]), row
    assert len(rows) == 2000
    assert sum(":" in row["address"] for row in rows) > 500
    assert sum(row["record"] != "null" for row in rows) > 1000


def test_geoip2_reads_the_shipped_country_and_asn_files():
    for address in ("8.8.8.8", "2001:4860:4860::8888"):
        with geoip2.database.Reader(DATA / "ipfire-country.mmdb") as reader:
            assert reader.country(address).country.iso_code == "US"
        with geoip2.database.Reader(DATA / "asn.mmdb") as reader:
            assert reader.asn(address).autonomous_system_number == 15169
            assert "Google" in reader.asn(address).autonomous_system_organization


def test_well_known_addresses_are_placed(shipped):
    table = places(["8.8.8.8", "119.29.29.29", "2402:4e00::1", "1.1.1.1"], shipped)
    told = {each["address"]: each for each in table.to_dicts()}
    assert (told["8.8.8.8"]["country"], told["8.8.8.8"]["asn"]) == ("US", 15169)
    assert told["119.29.29.29"]["asn"] == 132203
    assert told["2402:4e00::1"]["country"] == "CN"
    assert told["1.1.1.1"]["is_anycast"] is True
    assert told["119.29.29.29"]["is_anycast"] is False


def test_networks_of_a_chinese_cloud_abroad_get_two_opinions(shipped):
    place = places(["47.74.128.1"], shipped).to_dicts()[0]
    assert [each["country"] for each in place["opinions"]] == ["SG", "US"]
    assert (place["country"], place["agreement"]) == ("SG", 1)


def test_data_older_than_ninety_days_are_named_by_the_day_given(shipped):
    table = databases_table(shipped)
    assert table["data_date"].to_list() == [each.data_date for each in origins()]
    dbip = date(2026, 6, 1)
    assert table["data_date"][0] == dbip
    names = old_databases(table, on=date(2026, 8, 30))["name"].to_list()
    assert names == ["ipfire-anycast"]
    names = old_databases(table, on=date(2026, 8, 31))["name"].to_list()
    assert names == ["dbip-country", "ipfire-anycast"]


def test_data_without_a_date_are_not_called_old(shipped):
    table = databases_table(shipped)
    undated = table.with_columns(data_date=pl.lit(None, pl.Date))
    assert old_databases(undated, on=date(2100, 1, 1)).height == 0


@pytest.mark.parametrize(
    ("database_type", "attribution"),
    [
        ("GeoLite2-Country", "GeoLite Data created by MaxMind"),
        ("DBIP-Country-Lite", "IP Geolocation by DB-IP"),
        ("ipinfo generic_lite.mmdb", "powered by IPinfo"),
    ],
)
def test_the_attribution_that_a_known_maker_demands_is_told(write, database_type, attribution):
    path = write({"8.8.8.0/24": {"country_code": "US"}}, database_type=database_type)
    told = databases_table(open_databases([path])).to_dicts()[0]
    assert attribution in told["attribution"]
    assert told["licence"]
    assert told["attribution_url"].startswith("https://")
    assert (told["is_embedded"], told["source"], told["file"]) == (False, None, str(path))


def test_an_unknown_maker_has_no_licence_invented(write):
    path = write({"8.8.8.0/24": {"country_code": "US"}}, database_type="My own")
    told = databases_table(open_databases([path])).to_dicts()[0]
    assert (told["licence"], told["attribution"], told["attribution_url"]) == (None, None, None)


def test_no_database_is_an_empty_table():
    assert databases_table([]).height == 0


def test_a_damaged_installation_is_one_line(tmp_path, monkeypatch):
    for origin in origins():
        shutil.copyfile(DATA / origin.file, tmp_path / origin.file)
    whole = (tmp_path / "asn.mmdb").read_bytes()
    (tmp_path / "asn.mmdb").write_bytes(whole[:5000] + b"\0" + whole[5001:])
    monkeypatch.setattr(defaults, "DATA", tmp_path)
    with pytest.raises(DatabaseError, match=r"asn\.mmdb: expected the file shipped, SHA-256"):
        default_databases()


def test_an_incomplete_installation_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(defaults, "DATA", tmp_path)
    origins()
    with pytest.raises(DatabaseError, match=r"dbip-country\.mmdb: expected a readable MMDB file"):
        default_databases()
