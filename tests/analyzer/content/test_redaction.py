"""What is withheld from tables: values of parameters, tokens, known identifiers."""

import re
import ssl

import dataframely as dy
import polars as pl
import pytest

from phonehome.analyzer.content.identifiers import read_identifiers
from phonehome.analyzer.content.redaction import (
    target_without_values,
    withheld,
    without_identifiers,
)
from phonehome.captures.words import SAID_BY_CAPTURE
from tests.captures import certifying
from tests.small_captures import (
    PHONE,
    PHONE_MAC,
    REMOTE,
    client_hello,
    connection,
    ethernet,
)

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
        ("/0/9f86d081884c7d659a2feaa0c55ad015.json", "/0/….json"),
        ("/1/V1StGXR8_Z5jdHi6B-myT", "/1/…"),
        ("/p/-JhLeOlGIEjaIOFHR0xd", "/p/…"),
        ("/q?{%22uid%22:%2238400000-8cf0-11bd-b23e-10b96e4ac0d9%22}", "/q?…"),
        ("/r?ids[Zk3qL9xTr0PvBw7yUd2Nh5Ms]=1&b[]=2", "/r?ids[…]=…&b[]=…"),
        ("/s?13800138000&wsdl&v2", "/s?…&wsdl&v2"),
        ("/t?Bob+Marleyson", "/t?…"),
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


def test_lists_of_texts_are_looked_through_too(known):
    table = pl.DataFrame({"names": [[f"{IMEI}.example", "a.example"], [], ["b.example"]]})
    shown = without_identifiers(table, ["names"], known)["names"].to_list()
    assert shown == [["[imei].example", "a.example"], [], ["b.example"]]


def test_what_certificates_and_addresses_of_the_link_say_of_a_person_is_withheld(
    tmp_path, analysed
):
    name, mac = "smithfamily1984", ":".join(re.findall("..", PHONE_MAC))
    path = tmp_path / "known.toml"
    path.write_text(
        f'[[identifier]]\nkind = "account"\nvalue = "{name}"\n'
        f'[[identifier]]\nkind = "mac"\nvalue = "{mac}"\n'
    )
    cert = certifying.issued(f"{name}.nas.example", "x.example", common=name)
    shown = certifying.handshake(cert, ssl.TLSVersion.TLSv1_2)
    sent = [("up", client_hello("x.example")), ("down", shown)]
    octets = connection((PHONE, 50_001), (REMOTE, 443), sent)
    frames = [ethernet(each).at(place / 100) for place, each in enumerate(octets)]
    hidden = analysed(frames, identifiers=(path,))
    (row,) = hidden.certificates.to_dicts()
    assert (row["subject"], row["names"]) == ("[account]", ["[account].nas.example", "x.example"])
    plain = analysed(frames, identifiers=(path,), is_revealed=True)
    assert plain.certificates["subject"].to_list() == [name]
    of_phone = plain.phones.filter("is_phone")["mac"].to_list()
    assert hidden.phones.filter("is_phone")["mac"].to_list() == ["[mac]"] * len(of_phone)
    assert of_phone == [mac]


def test_a_column_that_says_what_a_capture_said_is_withheld_and_no_other(known):
    class Sayings(dy.Schema):
        """A table of a test."""

        said = dy.String(metadata=SAID_BY_CAPTURE, description="Of a capture.")
        listed = dy.List(dy.String(), metadata=SAID_BY_CAPTURE, description="Of a capture.")
        ours = dy.String(description="Our own words.")

    secret = known.identifiers[0].value
    table = pl.DataFrame({"said": [secret], "listed": [[secret]], "ours": [secret]})
    shown = withheld(table, Sayings, known).row(0, named=True)
    assert secret not in shown["said"]
    assert secret not in shown["listed"][0]
    assert shown["ours"] == secret
