import ipaddress
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from phonehome.geo.errors import AddressError
from phonehome.geo.scopes import (
    RANGES_V4,
    RANGES_V6,
    lookup_address,
    packed,
    packed_scope,
    scope,
    short_text,
)
from phonehome.geo.tables import SCOPES

EDGES = [
    # first, last, scope, scope just before, scope just after (None: no such address)
    ("0.0.0.0", "0.0.0.0", "unspecified", None, "reserved"),  # noqa: S104  no socket is bound
    ("0.0.0.1", "0.255.255.255", "reserved", "unspecified", "global"),
    ("10.0.0.0", "10.255.255.255", "private", "global", "global"),
    ("100.64.0.0", "100.127.255.255", "shared", "global", "global"),
    ("127.0.0.0", "127.255.255.255", "loopback", "global", "global"),
    ("169.254.0.0", "169.254.255.255", "link_local", "global", "global"),
    ("172.16.0.0", "172.31.255.255", "private", "global", "global"),
    ("192.0.0.0", "192.0.0.8", "reserved", "global", "global"),
    ("192.0.0.9", "192.0.0.10", "global", "reserved", "reserved"),
    ("192.0.0.11", "192.0.0.255", "reserved", "global", "global"),
    ("192.0.2.0", "192.0.2.255", "documentation", "global", "global"),
    ("192.31.196.0", "192.31.196.255", "global", "global", "global"),
    ("192.52.193.0", "192.52.193.255", "global", "global", "global"),
    ("192.88.99.0", "192.88.99.255", "reserved", "global", "global"),
    ("192.168.0.0", "192.168.255.255", "private", "global", "global"),
    ("192.175.48.0", "192.175.48.255", "global", "global", "global"),
    ("198.18.0.0", "198.19.255.255", "benchmarking", "global", "global"),
    ("198.51.100.0", "198.51.100.255", "documentation", "global", "global"),
    ("203.0.113.0", "203.0.113.255", "documentation", "global", "global"),
    ("224.0.0.0", "239.255.255.255", "multicast", "global", "reserved"),
    ("240.0.0.0", "255.255.255.254", "reserved", "multicast", "broadcast"),
    ("255.255.255.255", "255.255.255.255", "broadcast", "reserved", None),
    ("::", "::", "unspecified", None, "loopback"),
    ("::1", "::1", "loopback", "unspecified", "reserved"),
    ("::2", "::fffe:ffff:ffff", "reserved", "loopback", "unspecified"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "translation", "reserved", "reserved"),
    ("100::", "100::ffff:ffff:ffff:ffff", "reserved", "reserved", "reserved"),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", "reserved", "reserved", "reserved"),
    ("2000::", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "global", "reserved", "tunnel"),
    ("2001::", "2001:0:ffff:ffff:ffff:ffff:ffff:ffff", "tunnel", "global", "reserved"),
    ("2001:1::1", "2001:1::3", "global", "reserved", "reserved"),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", "benchmarking", "reserved", "reserved"),
    ("2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", "global", "reserved", "reserved"),
    ("2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", "global", "reserved", "reserved"),
    ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", "reserved", "global"),
    ("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", "global", "reserved", "global"),
    ("2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", "global", "global", "reserved"),
    ("2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", "global", "global"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation", "global", "global"),
    ("2003::", "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "global", "broadcast", "documentation"),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation", "global", "global"),
    (
        "3fff:1000::",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "global",
        "documentation",
        "reserved",
    ),
    ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", "global", "unique_local"),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved", "reserved", "reserved"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique_local", "reserved", "reserved"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link_local", "reserved", "site_local"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site_local", "link_local", "multicast"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast", "site_local", None),
]


def moved(address: str, by: int) -> str:
    return str(type(ipaddress.ip_address(address))(int(ipaddress.ip_address(address)) + by))


@pytest.mark.parametrize(("first", "last", "expected", "before", "after"), EDGES)
def test_both_edges_of_a_range_are_inside_and_their_neighbours_outside(
    first, last, expected, before, after
):
    assert scope(first) == expected
    assert scope(last) == expected
    assert before is None or scope(moved(first, -1)) == before
    assert after is None or scope(moved(last, 1)) == after


def test_every_range_of_the_tables_has_its_edges_tested():
    tested = {address for first, last, *_ in EDGES for address in (first, last)}
    bases = {str(ipaddress.ip_network(text)[0]) for text in (*RANGES_V4, *RANGES_V6)}
    assert bases - tested == {"2001:1::2"}  # the middle one of three that stand side by side


def test_every_scope_is_one_of_the_closed_list():
    assert {*RANGES_V4.values(), *RANGES_V6.values()} == set(SCOPES)


@pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
@pytest.mark.parametrize(("first", "last", "expected"), [row[:3] for row in EDGES if "." in row[0]])
def test_an_ipv4_address_inside_ipv6_keeps_its_own_scope(prefix, first, last, expected):
    assert scope(prefix + first) == expected
    assert scope(prefix + last) == expected


def test_the_neighbours_of_the_embedding_prefixes_embed_nothing():
    assert scope("::fffe:ffff:ffff") == "reserved"
    assert scope("::1:0:0:0") == "reserved"
    assert scope("64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff") == "reserved"
    assert scope("64:ff9b::1:0:0") == "reserved"
    assert scope("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff") == "global"


def test_a_6to4_address_has_the_scope_of_its_gateway():
    assert scope("2002:808:808::1") == "global"
    assert scope("2002:a00:1::1") == "private"
    assert short_text(lookup_address(packed("2002:808:404:1::1"))) == "8.8.4.4"


def test_nat64_is_looked_up_as_the_ipv4_address_in_it():
    assert short_text(lookup_address(packed("64:ff9b::93.184.216.34"))) == "93.184.216.34"


def test_an_ordinary_address_is_looked_up_as_itself():
    for text in ("8.8.8.8", "2a00:1450::1", "64:ff9b:1::8.8.8.8"):
        assert lookup_address(packed(text)) == packed(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8.8.8",
        "8.8.8.8.8",
        "256.1.1.1",
        "01.2.3.4",
        "fe80::1%wlan0",
        "g::",
        "::1::",
        "8.8.8.8\0",
    ],
)
def test_a_text_that_is_no_address_is_refused_on_one_line(text):
    with pytest.raises(
        AddressError, match=r"^address: expected an IPv4 or IPv6 address, got '"
    ) as e:
        scope(text)
    assert str(e.value).isprintable()


def test_a_long_or_hostile_text_is_quoted_short_and_escaped():
    with pytest.raises(AddressError) as caught:
        packed("\x1b[2J\n" + "x" * 10_000)
    assert len(str(caught.value)) < 250
    assert str(caught.value).isprintable()


@given(st.text(max_size=40))
def test_any_text_is_an_address_or_refused(text):
    is_address = True
    try:
        ipaddress.ip_address(text)
    except ValueError:
        is_address = False
    if is_address and "%" not in text:
        assert scope(text) in SCOPES
    else:
        with pytest.raises(AddressError):
            scope(text)


def slow_scope(address: bytes) -> str:
    """The longest range that holds the lookup address, found by trying every range."""
    inner = ipaddress.ip_address(lookup_address(address))
    ranges = RANGES_V4 if inner.version == 4 else RANGES_V6
    holding = [ipaddress.ip_network(text) for text in ranges if inner in ipaddress.ip_network(text)]
    return ranges[str(max(holding, key=lambda network: network.prefixlen))]


@settings(deadline=None)
@given(st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)))
@example(bytes(16))
@example(b"\xff" * 16)
def test_the_quick_search_agrees_with_trying_every_range(address):
    assert packed_scope(address) == slow_scope(address)


@given(st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16)))
def test_the_short_text_reads_back_as_the_same_address(address):
    assert packed(short_text(address)) == address
    assert inet_pton(AF_INET if len(address) == 4 else AF_INET6, short_text(address)) == address


def test_the_short_text_is_that_of_rfc_5952():
    assert short_text(packed("2001:0DB8:0:0:1:0:0:1")) == "2001:db8::1:0:0:1"
    assert short_text(packed("::FFFF:1.2.3.4")) == "::ffff:1.2.3.4"
    assert short_text(inet_pton(AF_INET, "1.2.3.4")) == inet_ntop(AF_INET, b"\1\2\3\4")
