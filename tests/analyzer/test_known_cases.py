"""Two hundred known cases: verdict and reason, for IPv4 and IPv6, special ranges included.

What is near and far is geography that anybody can look up, far enough from any border to need no
measuring: `NEAR` lies within 1,500 km of the city, `FAR` beyond 3,500 km of it.
"""

import pytest

from phonehome import geo
from phonehome.analyzer.places.verdicts import AGREED, ALONE, ANYCAST, NO_LOCATION, NO_ROUND_TRIP
from tests.analyzer.places.test_places_verdicts import verdict

NEAR = {
    "Toronto, CA": ("CA", "US"),
    "Berlin, DE": ("DE", "PL", "FR", "DK", "CZ", "SE"),
    "Singapore, SG": ("SG", "MY", "ID", "TH"),
    "Sao Paulo, BR": ("BR", "PY", "UY"),
    "Nairobi, KE": ("KE", "TZ", "ET", "UG"),
    "Sydney, AU": ("AU",),
    "Tokyo, JP": ("JP", "KR"),
    "Mumbai, IN": ("IN", "PK"),
}
FAR = {
    "Toronto, CA": ("DE", "CN", "JP", "BR", "ZA", "AU", "SG"),
    "Berlin, DE": ("US", "CN", "JP", "BR", "ZA", "AU", "SG"),
    "Singapore, SG": ("US", "DE", "BR", "ZA", "FR", "CA"),
    "Sao Paulo, BR": ("US", "DE", "CN", "JP", "AU", "SG"),
    "Nairobi, KE": ("US", "DE", "CN", "JP", "AU", "CA"),
    "Sydney, AU": ("US", "DE", "CN", "JP", "ZA", "CA"),
    "Tokyo, JP": ("DE", "BR", "ZA", "FR", "AU"),
    "Mumbai, IN": ("US", "DE", "JP", "AU", "BR"),
}
SPECIAL = {
    "0.0.0.0": None,  # noqa: S104 - an address to look up
    "10.0.0.1": None, "10.255.255.255": None, "100.64.0.1": None,
    "100.127.255.254": None, "127.0.0.1": None, "127.255.255.255": None, "169.254.1.1": None,
    "172.16.0.1": None, "172.31.255.254": None, "192.0.2.1": None, "192.168.0.1": None,
    "192.168.255.254": None, "198.18.0.1": None, "198.19.255.254": None, "198.51.100.7": None,
    "203.0.113.9": None, "224.0.0.251": None, "239.255.255.250": None, "240.0.0.1": None,
    "255.255.255.255": None, "::": None, "::1": None, "fe80::1": None,
    "febf::1": None, "fc00::1": None, "fd00:43::17": None, "ff02::fb": None,
    "ff05::1:3": None, "2001:db8::1": None, "100::1": None,
    "9.255.255.255": "global", "11.0.0.0": "global", "100.63.255.255": "global",
    "100.128.0.0": "global", "172.15.255.255": "global", "172.32.0.0": "global",
    "192.167.255.255": "global", "192.169.0.0": "global", "198.17.255.255": "global",
    "198.20.0.0": "global", "8.8.8.8": "global", "1.1.1.1": "global", "223.255.255.1": "global",
    "2001:4860:4860::8888": "global", "2a01:4f8:c17:b0f::2": "global", "2606:4700::1": "global",
    "2400:3200::1": "global",
}  # fmt: skip
BOTH = [("near", where, code) for where, codes in NEAR.items() for code in codes]
BOTH += [("far", where, code) for where, codes in FAR.items() for code in codes]


@pytest.mark.parametrize(("side", "where", "code"), BOTH)
def test_a_short_round_trip_tells_near_from_far(side, where, code):
    """20 ms reach 2,000 km; 300 ms reach farther than any two places lie apart."""
    found, reason = verdict(("a", code), ("b", code), where=where, ms=20)
    assert found == ("consistent" if side == "near" else "impossible")
    assert reason.startswith("a round trip of 20.0 ms reaches ")
    assert verdict(("a", code), ("b", code), where=where, ms=300)[0] == "consistent"


@pytest.mark.parametrize(("side", "where", "code"), BOTH)
def test_databases_that_differ_dispute_what_is_not_excluded(side, where, code):
    other = "FI" if code != "FI" else "NO"
    found, reason = verdict(("a", code), ("b", other), where=where, ms=20)
    if side == "far":
        assert found == "impossible"
    else:
        assert (found, reason) == ("disputed", f"a says {code}; b says {other}")


@pytest.mark.parametrize(("address", "scope"), SPECIAL.items())
def test_special_ranges_have_no_country_and_their_neighbours_have_a_scope(address, scope):
    found = geo.scope(address)
    assert (found == "global") == (scope == "global")
    table = geo.places([address], geo.databases_in_use(()))
    (row,) = table.to_dicts()
    if scope is None:
        assert (row["country"], row["opinions"]) == (None, [])
    else:
        assert row["scope"] == "global"


@pytest.mark.parametrize(
    ("opinions", "settings", "expected"),
    [
        ([("a", "CN"), ("b", "CN")], {}, ("unverifiable", f"{AGREED}; {NO_LOCATION}")),
        ([("a", "CN")], {}, ("unverifiable", f"{ALONE}; {NO_LOCATION}")),
        (
            [("a", "CN"), ("b", "CN")],
            {"where": "Toronto, CA"},
            ("unverifiable", f"{AGREED}; {NO_ROUND_TRIP}"),
        ),
        (
            [("a", "CN"), ("b", "CN")],
            {"where": "Toronto, CA", "problem": "an emulator answers"},
            ("unverifiable", f"{AGREED}; an emulator answers"),
        ),
        (
            [("a", "US"), ("b", "US")],
            {"is_anycast": True},
            ("unverifiable", f"{ANYCAST}; {NO_LOCATION}"),
        ),
        ([("a", None), ("b", None)], {}, (None, None)),
        ([], {"scope": "private"}, (None, None)),
    ],
)
def test_what_cannot_be_checked_says_so(opinions, settings, expected):
    assert verdict(*opinions, **settings) == expected


def test_there_are_two_hundred_cases():
    assert 3 * len(BOTH) + len(SPECIAL) + 7 >= 200
