"""Who runs a host: the longest domain that fits, the user's word on top, parties of the app."""

import csv

import polars as pl
import pytest

from phonehome.analyzer.places.organisations import (
    KINDS,
    PUBLISHERS,
    SOURCES,
    TABLE,
    Organisation,
    OrganisationsError,
    destinations,
    publisher_of,
    read_organisations,
    with_organisations,
)

SHIPPED = read_organisations()


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table(tmp_path, text, name="own.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("host", "name", "kind"),
    [
        ("short.weixin.qq.com", "Tencent", "messaging"),
        ("android.bugly.qq.com", "Tencent", "crash reports"),
        ("graph.facebook.com", "Meta", "advertising"),
        ("edge-mqtt.facebook.com", "Meta", "social"),
        ("mtalk.google.com:5228", "Google", "push"),
        ("p16-sign.tiktokcdn.com", "TikTok (ByteDance)", "social"),
        ("qq.com", "Tencent", "messaging"),
    ],
)
def test_the_longest_domain_that_fits_speaks_for_a_host(host, name, kind):
    found = SHIPPED.of(host)
    assert (found.name, found.kind) == (name, kind)


@pytest.mark.parametrize(
    "host", ["notqq.com", "qq.com.evil.example", "com", "", ".", "..", ":443", "192.0.2.7", "[::1]"]
)
def test_what_only_looks_like_a_domain_has_no_organisation(host):
    assert SHIPPED.of(host) is None


def test_every_row_of_the_shipped_table_can_be_checked_somewhere():
    documents = {row["source"] for row in rows(SOURCES)}
    shipped = rows(TABLE)
    assert {row["source"] for row in shipped} == documents
    assert {row["kind"] for row in shipped} == set(KINDS)
    domains = [row["domain"] for row in shipped]
    assert domains == sorted(set(domains))
    assert all(row["domain"] == row["domain"].lower().strip(". ") for row in shipped)


def test_every_publisher_runs_a_domain_of_the_table():
    names = {of.parent for of in SHIPPED.of_domain.values()}
    assert {row["organisation"] for row in rows(PUBLISHERS)} <= names


def test_the_user_has_the_last_word(tmp_path):
    first = table(tmp_path, "domain,organisation\nQQ.com.,Somebody\nmine.example,Me\n", "a.csv")
    last = table(
        tmp_path,
        "\ufefforganisation,domain,country,kind,source,note\nMe,qq.com,SE,cdn,letter,x\n",
        "b.csv",
    )
    found = read_organisations([first, last])
    assert found.of("im.qq.com") == Organisation("Me", "SE", "cdn", "letter")
    assert found.of("mine.example") == Organisation("Me", None, "service", "a.csv")
    assert found.of("weixin.qq.com").name == "Tencent"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected columns"),
        ("domain;organisation\na;b\n", "expected columns"),
        ("domain,organisation\n,Me\n", "line 2: domain"),
        ("domain,organisation\na.example,\n", "line 2: organisation"),
        ("domain,organisation\na.example\n", "line 2: organisation"),
        ("domain,organisation,country\na.example,Me,Sweden\n", "line 2: country"),
        ("domain,organisation,kind\na.example,Me,CDN!\n", "line 2: kind"),
    ],
)
def test_a_table_that_cannot_be_believed_is_one_line(tmp_path, text, said):
    with pytest.raises(OrganisationsError, match=said) as error:
        read_organisations([table(tmp_path, text)])
    assert "\n" not in str(error.value)


def test_a_table_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(OrganisationsError, match="cannot be read"):
        read_organisations([tmp_path / "none.csv"])
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"domain,organisation\n\xff\xfe,x\n")
    with pytest.raises(OrganisationsError, match="UTF-8"):
        read_organisations([path])


def test_hosts_have_registrable_domains_where_they_can():
    found = destinations(
        [
            "a.b.example.co.uk",
            "localhost",
            "api.example.com:8443",
            "app.appspot.com",
            "a\\x00b.example.com",
            "co.uk",
            "a.b.example.co.uk",
        ],
        SHIPPED,
    )
    assert dict(zip(found["host"], found["domain"], strict=True)) == {
        "a.b.example.co.uk": "example.co.uk",
        "a\\x00b.example.com": None,
        "api.example.com:8443": "example.com",
        "app.appspot.com": "app.appspot.com",
        "co.uk": None,
        "localhost": None,
    }


def test_no_host_is_no_row():
    assert destinations([], SHIPPED).height == 0


def parties(app, publisher, *hosts):
    flows = pl.DataFrame(
        {"app": [app] * len(hosts), "host": list(hosts)},
        schema={"app": pl.String, "host": pl.String},
    )
    return with_organisations(flows, SHIPPED, publisher)["party"].to_list()


HOSTS = ("short.weixin.qq.com", "bugly.qq.com", "app-measurement.com", "mtalk.google.com")
HOSTS += ("x.com", "unknown.example", None)


def test_parties_are_relative_to_the_publisher_of_each_flows_app():
    assert parties("com.tencent.mm", None, *HOSTS) == [
        "first",
        "first",
        "tracker",
        "infrastructure",
        "third",
        None,
        None,
    ]
    assert parties("com.zhiliaoapp.musically", None, "tiktokv.com") == ["first"]


def test_without_a_publisher_nobody_is_the_first_party():
    for app in (None, "org.example.app"):
        assert parties(app, None, *HOSTS[:3]) == ["third", "tracker", "tracker"]


def test_the_user_names_the_publisher():
    assert parties(None, "meta", "whatsapp.net", "qq.com") == ["first", "third"]
    assert parties("com.tencent.mm", "Meta", "whatsapp.net", "qq.com") == ["first", "third"]
    assert parties(None, "Nobody", "qq.com") == ["third"]


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("com.tencent.mm", "Tencent"),
        ("com.google.android.gms", "Google"),
        ("com.whatsapp", "Meta"),
        ("org.example", None),
        ("", None),
        (None, None),
    ],
)
def test_a_package_names_its_publisher(app, name):
    assert publisher_of(app) == name
