import sys
from pathlib import Path

import pytest

from phonehome.geo.databases import open_databases
from phonehome.geo.defaults import databases_in_use, databases_table
from phonehome.geo.errors import DatabaseError
from phonehome.geo.user_databases import data_folder, installed_databases, joined

COUNTRY = {"country": {"iso_code": "SG"}}
SHIPPED = ["dbip-country", "ipfire-country", "asn", "ipfire-anycast"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "phonehome" / "geo"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, "/data/phonehome/geo"),
        ("linux", {"XDG_DATA_HOME": "relative"}, "/home/a/.local/share/phonehome/geo"),
        ("linux", {}, "/home/a/.local/share/phonehome/geo"),
        ("darwin", {}, "/home/a/Library/Application Support/phonehome/geo"),
        ("darwin", {"XDG_DATA_HOME": "/data"}, "/data/phonehome/geo"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/phonehome/geo"),
        ("win32", {}, "/home/a/AppData/Local/phonehome/geo"),
    ],
)
def test_each_system_has_its_folder(monkeypatch, platform, variables, folder):
    for name in ("XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/a", **variables}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert data_folder() == Path(folder)


def test_where_nothing_was_fetched_the_shipped_ones_are_used(home):
    assert installed_databases() == []
    assert [each.name for each in databases_in_use()] == SHIPPED
    home.rmdir()
    assert [each.name for each in databases_in_use()] == SHIPPED


def test_fetched_ones_come_first_and_a_newer_issue_replaces_the_shipped_one(home, write):
    write({"8.8.8.0/24": COUNTRY}).rename(home / "geolite2-country.mmdb")
    assert [each.name for each in databases_in_use()] == ["geolite2-country", *SHIPPED]
    write({"8.8.8.0/24": COUNTRY}).rename(home / "dbip-country.mmdb")
    names = [each.name for each in databases_in_use()]
    assert names == ["dbip-country", "geolite2-country", *SHIPPED[1:]]


def test_names_stay_distinct_whatever_was_fetched(home, write):
    write({"8.8.8.0/24": COUNTRY}).rename(home / "asn.mmdb")
    names = [each.name for each in databases_in_use()]
    assert sorted(names) == sorted(SHIPPED)
    assert names[0] == "asn"


def test_databases_that_a_user_names_stand_alone(home, write):
    write({"8.8.8.0/24": COUNTRY}).rename(home / "geolite2-country.mmdb")
    own = write({"8.8.8.0/24": COUNTRY}, "own.mmdb")
    assert [each.name for each in databases_in_use([own])] == ["own"]


def test_the_table_names_a_fetched_file_without_the_home_of_the_user(home, write):
    write({"8.8.8.0/24": COUNTRY}).rename(home / "geolite2-country.mmdb")
    row = databases_table(databases_in_use()).row(0, named=True)
    assert (row["file"], row["is_embedded"]) == ("geolite2-country.mmdb", False)


def test_a_fetched_file_that_was_damaged_since_is_named(home):
    (home / "geolite2-country.mmdb").write_bytes(b"damaged")
    with pytest.raises(DatabaseError, match=str(home / "geolite2-country.mmdb")):
        databases_in_use()


def test_joining_keeps_order(write):
    fetched = open_databases([write({"8.8.8.0/24": COUNTRY}, "b.mmdb")])
    shipped = open_databases(
        [write({"8.8.8.0/24": COUNTRY}, name) for name in ("c.mmdb", "a.mmdb")]
    )
    assert [each.name for each in joined(fetched, shipped)] == ["b", "c", "a"]
