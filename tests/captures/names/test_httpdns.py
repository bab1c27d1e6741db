"""Look-ups over HTTP: which requests are some, and what their answers name."""

import json
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.captures.names.httpdns import MOST_PAIRS, Lookup, answers, asked

FOUR, SIX = ip_address("203.0.113.7").packed, ip_address("2001:db8::7").packed


@pytest.mark.parametrize(
    ("target", "names", "form"),
    [
        (b"/d?dn=api.example.com", (b"api.example.com",), "text"),
        (b"/d?id=1&dn=api.example.com&ttl=1", (b"api.example.com",), "text"),
        (b"/d?dn=a.example,b.example", (b"a.example", b"b.example"), "text"),
        (b"/d?dn=a%2Eexample", (b"a.example",), "text"),
        (b"/resolve?name=a.example&type=1", (b"a.example",), "json"),
        (b"/resolve?host=a.example,b.example", (b"a.example", b"b.example"), "json"),
        (b"/139450/d?host=a.example", (b"a.example",), "json"),
        (b"/v4/resolve?account_id=1&dn=a.example", (b"a.example",), "json"),
        (b"/dns-query?name=a.example", (b"a.example",), "json"),
        (b"http://119.29.29.29/d?dn=a.example", (b"a.example",), "text"),
        (b"/cgi-bin/micromsg-bin/newgetdns?uin=1", (), "xml"),
    ],
)
def test_a_look_up_says_which_names_it_asks_for(target, names, form):
    assert asked(target) == Lookup(names, form)


@pytest.mark.parametrize(
    "target",
    [
        b"/",
        b"/d",
        b"/d?dn=",
        b"/d?dn=nodots",
        b"/d?dn=a%00.example",
        b"/find?dn=a.example",
        b"/resolve?type=1",
        b"/d?" + b"a=b&" * 80 + b"dn=a.example",
        b"\xff?\xff=\xff",
    ],
)
def test_other_requests_are_none(target):
    assert asked(target) is None


def said(target, content):
    lookup = asked(target)
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    return answers(lookup, content)


@pytest.mark.parametrize(
    ("target", "content"),
    [
        (b"/d?dn=a.example", b"203.0.113.7;2001:db8::7"),
        (b"/d?dn=a.example", b"203.0.113.7;2001:db8::7,120"),
        (b"/d?dn=a.example,b.example", b"a.example.:203.0.113.7;2001:db8::7,60\nb.example.:0"),
        (
            b"/resolve?name=A.example&type=1",
            {"Answer": [{"type": 1, "data": "203.0.113.7"}, {"type": 28, "data": "2001:DB8::7"}]},
        ),
        (
            b"/1/d?host=a.example",
            {"host": "a.example", "ips": ["203.0.113.7"], "ipsv6": ["2001:db8::7"]},
        ),
        (
            b"/1/resolve?host=a.example",
            {"dns": [{"host": "a.example", "ips": ["203.0.113.7", "2001:db8::7"]}]},
        ),
        (
            b"/v4/resolve?dn=a.example",
            {"data": {"a.example": {"ip": ["203.0.113.7"], "ipv6": ["2001:db8::7"]}}},
        ),
        (
            b"/newgetdns",
            (
                b'<dns><domain name="a.example" timeout="1800"><ip>203.0.113.7</ip>\n'
                b"<ip>2001:db8::7</ip></domain><ip>198.51.100.1</ip></dns>"
            ),
        ),
    ],
)
def test_an_answer_gives_addresses_with_their_name(target, content):
    assert said(target, content) == [(FOUR, "a.example"), (SIX, "a.example")]


@pytest.mark.parametrize(
    "content",
    [
        {"Answer": [{"type": 5, "data": "203.0.113.7"}, {"type": 1, "data": "b.example"}, 7]},
        {"Answer": {"type": 1}},
        {"ips": "203.0.113.7", "dns": [None], "data": {"a": 1}},
        [1],
        b"[" * 100_000,
        b"9" * 10_000,
        b"\xff",
        b"",
    ],
    ids=lambda content: repr(content)[:30],
)
def test_what_is_no_address_names_nothing(content):
    assert said(b"/resolve?name=a.example", content) == []


def test_an_answer_gives_a_bounded_number_of_names():
    content = b";".join(b"10.1.%d.%d" % divmod(number, 256) for number in range(2 * MOST_PAIRS))
    assert len(said(b"/d?dn=a.example", content)) == MOST_PAIRS


def test_hostile_xml_is_read_in_one_pass():
    for content in (b"<ip" * 20_000, b'<domain name="a.example">' * 3_000, b"<ip>" * 20_000):
        assert said(b"/newgetdns", content) == []


@given(
    st.binary(max_size=200), st.sampled_from([b"/d?dn=a.b", b"/resolve?name=a.b", b"/newgetdns"])
)
def test_no_octets_raise(content, target):
    said(target, content)
    asked(b"/d?" + content)
