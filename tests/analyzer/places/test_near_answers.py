"""Hop limits of what answers: of one machine nearby, and of servers in several places."""

import pytest

from phonehome.analyzer.kinds.measured import NO_ROUTER, SAME_HOPS
from tests.analyzer.places.test_round_trips import REMOTES, places, talk

SIX = ("2a01:4f8:c17:b0f::2", "2606:4700::1111", "2400:3200::1")
NEAR = ("52.23.61.14", "52.23.200.7", "52.23.9.9", "52.17.33.8", "52.17.1.1")
"""Five addresses in two networks: one place may hold them all."""


def graded(tmp_path, remotes, *, hops, trips=(20, 40, 60, 80, 100, 120), phone="192.168.43.17"):
    """Verdict and reason of the first remote, each of which answers with its hop limit."""
    talks = [
        talk(remote, number, trip=trip, hops=hop, phone=phone)
        for number, (remote, trip, hop) in enumerate(zip(remotes, trips, hops, strict=False))
    ]
    row = places(tmp_path, *talks, phone=phone)[remotes[0]]
    return row["verdict"], row["reason"]


@pytest.mark.parametrize("hops", [64, 128, 255])
def test_answers_that_passed_no_router_are_of_something_near(tmp_path, hops):
    verdict, reason = graded(tmp_path, REMOTES[:3], hops=[hops] * 3)
    assert verdict == "unverifiable"
    assert reason.endswith(NO_ROUTER(limit=hops, low=20.0, high=60.0))


def test_one_hop_limit_of_far_and_near_servers_is_of_something_near(tmp_path):
    verdict, reason = graded(tmp_path, REMOTES, hops=[61] * 6)
    assert verdict == "unverifiable"
    assert reason.endswith(SAME_HOPS(addresses=6, networks=6, limit=61, low=20.0, high=120.0))


@pytest.mark.parametrize(
    ("remotes", "hops", "trips"),
    [
        (REMOTES, [51, 51, 51, 51, 51, 52], (20, 40, 60, 80, 100, 120)),
        (REMOTES[:4], [51] * 4, (20, 40, 60, 80)),
        (NEAR, [51] * 5, (20, 40, 60, 80, 100)),
        (REMOTES, [51] * 6, (20, 21, 22, 23, 24, 25)),
        (REMOTES[:2], [64] * 2, (20, 40)),
        (REMOTES[:3], [64, 64, 63], (20, 40, 60)),
    ],
    ids=["another", "few", "one place", "one distance", "two unrouted", "one router"],
)
def test_what_servers_may_look_like_too_claims_nothing_near(tmp_path, remotes, hops, trips):
    assert graded(tmp_path, remotes, hops=hops, trips=trips)[0] != "unverifiable"


def test_networks_of_ipv6_are_told_apart_too(tmp_path):
    verdict, reason = graded(tmp_path, SIX, hops=[255] * 3, phone="2001:db8:43::17")
    assert (verdict, reason[-40:]) == ("unverifiable", NO_ROUTER.template[-40:])
