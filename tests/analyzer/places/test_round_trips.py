"""Round trips from packets to verdicts: used where they measure the way to the server."""

import json
import struct
from ipaddress import ip_address
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from sample.files import pcap_bytes
from sample.frames import readdress

from phonehome.analyzer.analysis import analyze
from phonehome.analyzer.kinds.measured import NO_ROUTER
from phonehome.analyzer.places.near_answers import (
    EMULATOR,
    NEAR_ANSWERS,
    NEAR_HANDSHAKES,
    VPN_APP,
)
from phonehome.analyzer.places.round_trips import NO_HANDSHAKE, TOO_FAST
from phonehome.analyzer.settings import Settings
from phonehome.captures.reading import Reading
from tests.small_captures import ACK, SYN, ethernet, pcap, put, tcp

PHONE = "192.168.43.17"
REMOTES = [
    "52.23.61.14",
    "113.96.232.10",
    "18.196.44.2",
    "13.113.8.8",
    "35.182.44.19",
    "52.17.33.8",
]
SAMPLES = Path(__file__).parents[3] / "captures" / "samples"


def talk(  # noqa: PLR0913 - the times of a connection
    remote, number, *, trip, taken=None, answer=None, phone=PHONE, is_opened=True, hops=None
):
    """A connection of the phone with these times, in ms, one second behind the last."""
    local, far, begin = (phone, 40_000 + number), (remote, 443), 1_000 * number
    taken = trip if taken is None else taken
    answer = taken if answer is None else answer
    hops = 40 + number if hops is None else hops
    packets = [
        (0, tcp(local, far, seq=999, ack=0, flags=SYN)),
        (trip, tcp(far, local, seq=8_999, ack=1_000, flags=SYN | ACK, hops=hops)),
        (trip + 1, tcp(local, far, b"ask", seq=1_000, ack=9_000)),
        (trip + 1 + taken, tcp(far, local, seq=9_000, ack=1_003, flags=ACK)),
        (trip + 1 + answer, tcp(far, local, b"answer", seq=9_000, ack=1_003)),
    ]
    return [
        ethernet(octets).at((begin + ms) / 1_000)
        for ms, octets in (packets if is_opened else packets[2:])
    ]


def places(tmp_path, *talks, where="Toronto, CA", phone=None):
    frames = [frame for one in talks for frame in one]
    path = put(tmp_path / "a.pcap", pcap(frames, unit=1))
    phone = phone or ("10.0.2.15" if b"\x0a\x00\x02\x0f" in path.read_bytes() else PHONE)
    found = analyze([path], Settings(phone_location=where, phones=(phone,)))
    return {row["address"]: row for row in found.places.to_dicts()}


def test_the_shortest_of_several_counts(tmp_path):
    found = places(
        tmp_path, *(talk(REMOTES[0], n, trip=trip) for n, trip in enumerate([50, 30, 80]))
    )
    assert found[REMOTES[0]]["rtt_floor"].total_seconds() == pytest.approx(0.030)
    assert found[REMOTES[0]]["verdict"] == "consistent"


def test_a_country_farther_than_light_gets_is_impossible(tmp_path):
    row = places(tmp_path, talk(REMOTES[1], 0, trip=20))[REMOTES[1]]
    assert (row["country"], row["verdict"]) == ("CN", "impossible")
    assert row["reason"].startswith("a round trip of 20.0 ms reaches 2000 km at most")


@pytest.mark.parametrize(
    ("talks", "why"),
    [
        ([talk(REMOTES[1], 0, trip=20, is_opened=False)], NO_HANDSHAKE),
        ([talk(REMOTES[1], 0, trip=0.4)], TOO_FAST),
        ([talk(REMOTES[1], 0, trip=20, phone="10.0.2.15")], EMULATOR),
        ([talk(REMOTES[1], n, trip=20, taken=0.3, answer=40) for n in range(3)], NEAR_ANSWERS),
        (
            [talk(remote, n, trip=3, answer=190) for n, remote in enumerate(REMOTES)],
            NEAR_HANDSHAKES,
        ),
    ],
    ids=["no handshake", "too fast", "emulator", "acknowledged near", "answered near"],
)
def test_what_does_not_measure_the_way_to_the_server_claims_nothing(tmp_path, talks, why):
    row = places(tmp_path, *talks)[REMOTES[1]]
    assert (row["verdict"], row["rtt_floor"]) == ("unverifiable", None)
    assert row["reason"].endswith(why)


def test_answers_that_never_come_soon_are_a_hint(tmp_path):
    late = [talk(REMOTES[0], n, trip=7 + n, answer=190 + n) for n in range(3)]
    hint = places(tmp_path, *late)[REMOTES[0]]["relay_hint"]
    assert hint.startswith("handshakes are answered within 7.0 ms, but none of 3 requests sooner")
    assert places(tmp_path, *late[:2])[REMOTES[0]]["relay_hint"] is None
    soon = [*late, talk(REMOTES[0], 9, trip=7, answer=20)]
    assert places(tmp_path, *soon)[REMOTES[0]]["relay_hint"] is None


@pytest.fixture
def wrong_row(tmp_path):
    """Settings with a database that puts a server of the samples, 28 ms from Toronto, in AU."""
    writer = MMDBWriter(ip_version=4, database_type="Test", languages=["en"], description="wrong")
    writer.insert_network(IPSet(["52.23.61.0/24"]), {"country": {"iso_code": "AU"}})
    wrong = tmp_path / "wrong.mmdb"
    writer.to_db_file(str(wrong))
    return Settings(phone_location="Toronto, CA", databases=(wrong,))


def misplaced(capture, settings):
    found = analyze([capture], settings).places.filter(address="52.23.61.14").row(0, named=True)
    return found["country"], found["verdict"], found["reason"]


def test_a_sample_with_a_row_that_is_wrong_on_purpose_is_caught(wrong_row):
    found = misplaced(SAMPLES / "parrot-1.0" / "rep1.pcap", wrong_row)
    assert found[:2] == ("AU", "impossible")


@pytest.mark.parametrize(
    ("phone", "why"), [("10.0.2.15", EMULATOR), (PHONE, NO_ROUTER.template[:80])]
)
def test_the_same_sample_behind_user_mode_networking_claims_nothing(
    tmp_path, wrong_row, phone, why
):
    """As an emulator's own network hands packets on: its address, or its hop limit of 64."""
    sample = SAMPLES / "parrot-1.0" / "rep1.pcap"
    hops = {ip_address(one).packed: 64 for one in remotes_of(sample)}
    renamed = {ip_address(PHONE).packed: ip_address(phone).packed}
    frames = [
        (time, octets[:14] + readdress(octets[14:], renamed, hops if phone == PHONE else {}))
        for time, octets in ip_frames(sample)
    ]
    behind = put(tmp_path / "behind.pcap", pcap_bytes(frames, resolution_ns=1000))
    found = misplaced(behind, wrong_row)
    assert found[:2] == ("AU", "unverifiable")
    assert why.replace("{limit}", "64") in found[2]


def ip_frames(sample):
    """Time and octets of each IP packet of a pcap file in microseconds."""
    data, at = sample.read_bytes(), 24
    while at < len(data):
        seconds, micros, captured = struct.unpack_from("<III", data, at)
        octets = data[at + 16 : at + 16 + captured]
        if octets[12:14] in (b"\x08\x00", b"\x86\xdd"):
            yield seconds * 10**9 + micros * 1000, octets
        at += 16 + captured


def remotes_of(sample):
    truth = json.loads(sample.with_suffix(".truth.json").read_text())
    return [one["address"] for one in truth["destinations"]]


def test_pcapdroids_own_network_makes_every_round_trip_unusable(tmp_path):
    frames = talk(REMOTES[1], 0, trip=20, phone="10.215.173.1")
    path = put(tmp_path / "a.pcap", pcap(frames, unit=1))
    found = analyze([path], Settings(phone_location="CA")).places.filter(address=REMOTES[1])
    assert found["verdict"].to_list() == ["unverifiable"]
    assert found["reason"][0].endswith(VPN_APP)


def test_the_sample_has_the_round_trips_of_its_truth():

    truth = json.loads((SAMPLES / "parrot-1.0" / "rep1.truth.json").read_text())
    places = analyze([SAMPLES / "parrot-1.0" / "rep1.pcap"], Settings()).places
    floors = dict(places.select("address", "rtt_floor").rows())
    for one in truth["destinations"]:
        measured = floors[one["address"]].total_seconds() * 1_000
        assert one["rtt_ms"] <= measured <= one["rtt_ms"] + 10, one["host"]


def test_the_sample_has_the_hop_limits_of_its_truth():
    truth = json.loads((SAMPLES / "parrot-1.0" / "rep1.truth.json").read_text())
    reading = Reading(SAMPLES / "parrot-1.0" / "rep1.pcap")
    list(reading.packets())
    found = dict(reading.conversations().select("b_address", "handshake_hop_limit").rows())
    for one in truth["destinations"]:
        assert found[one["address"]] == one["hop_limit"], one["host"]
