"""What is withheld from tables: values of parameters, tokens, known identifiers."""

import polars as pl
import pytest

from analyzer.identifiers import read_identifiers
from analyzer.withheld import target_without_values, without_identifiers

EMAIL, IMEI = "ann.test@parrot.example", "490154203237518"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("/", "/"),
        ("/up", "/up"),
        ("/up?id=1&token=abc", "/up?id=…&token=…"),
        (
            "/up?clientversion=671094583&v=8.0.23&lang=de",
            "/up?clientversion=671094583&v=8.0.23&lang=de",
        ),
        ("/up?v=490154203237518", "/up?v=…"),
        ("/up?flag&empty=", "/up?flag&empty="),
        ("/u/ann@parrot.example/x", "/u/…/x"),
        ("/u/ann%40parrot.example", "/u/…"),
        ("/d/38400000-8cf0-11bd-b23e-10b96e40000d/x", "/d/…/x"),
        ("/w/43.651070,-79.347015", "/w/…"),
        ("/a/490154203237518", "/a/…"),
        ("/mmtls/00ab12cd", "/mmtls/00ab12cd"),
        ("/assets/app-release-2024.js", "/assets/app-release-2024.js"),
        ("http://t.example/x?y=1", "http://t.example/x?y=…"),
        ("*", "*"),
        ("/?38400000-8cf0-11bd-b23e-10b96e40000d", "/?…"),
        ("/?a=1&38400000-8cf0-11bd-b23e-10b96e40000d", "/?a=…&…"),
        ("/a;jsessionid=9F86D081884C7D659A2FEAA0C55AD015", "/a;jsessionid=…"),
        ("/x:38400000-8cf0-11bd-b23e-10b96e40000d", "/x:…"),
    ],
)
def test_a_target_shows_its_path_and_the_names_of_its_parameters(sent, shown):
    assert target_without_values(sent) == shown


@pytest.fixture
def known(tmp_path):
    path = tmp_path / "known.toml"
    path.write_text(
        f'[[identifier]]\nkind = "email"\nvalue = "{EMAIL}"\n'
        f'[[identifier]]\nkind = "imei"\nvalue = "{IMEI}"\n'
    )
    return read_identifiers([path])


def test_a_text_that_holds_an_identifier_says_which_kind(known):
    table = pl.DataFrame({"agent": ["App/1 (imei 490154203237518)", "App/1", None]})
    shown = without_identifiers(table, ["agent"], known)
    assert shown["agent"].to_list() == ["[imei]", "App/1", None]


def test_of_the_name_of_a_host_only_what_holds_it_is_replaced(known):
    table = pl.DataFrame(
        {"name": [f"{IMEI}.track.example", "ann.test@parrot.example", "a.example"]}
    )
    shown = without_identifiers(table, ["name"], known)["name"].to_list()
    assert shown == ["[imei].track.example", "[email]", "a.example"]


def test_without_a_list_nothing_is_replaced():
    table = pl.DataFrame({"name": [f"{IMEI}.track.example"]})
    assert without_identifiers(table, ["name"], read_identifiers([])).equals(table)
