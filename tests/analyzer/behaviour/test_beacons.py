"""Beacons: contacts of one name that are periodic, with what carries them."""

from datetime import timedelta

import numpy as np

from phonehome.analyzer.behaviour.beacons import beacons
from phonehome.analyzer.behaviour.periodicity import MOST_INTERVALS
from tests.analyzer.met import SECOND, met, train

EVERY_MINUTE = np.arange(20) * 60.0


def found(*rows):
    return beacons(met(*rows), SECOND)


def test_a_beacon_says_who_how_often_and_how_exactly():
    (beacon,) = found(*train(EVERY_MINUTE, unique_bytes=50, flow=3)).to_dicts()
    assert beacon["host"] == "a.example"
    assert beacon["period"] == timedelta(minutes=1)
    assert (beacon["beats"], beacon["missed"], beacon["flows"]) == (20, 0, 1)
    assert (beacon["up_unique_bytes"], beacon["bytes_per_beat"]) == (1_000, 50)
    assert (beacon["confidence"], beacon["score"]) == ("clear", 1)


def test_several_packets_and_flows_per_beat_are_one_beat():
    beats = [time + off for time in EVERY_MINUTE for off in (0, 0.2, 0.7)]
    rows = [row | {"flow": at % 3} for at, row in enumerate(train(beats))]
    (beacon,) = found(*rows).to_dicts()
    assert (beacon["beats"], beacon["flows"], beacon["score"]) == (20, 3, 1)


def test_a_name_gets_no_credit_for_what_else_goes_to_its_address():
    rng = np.random.default_rng(1)
    other = train(rng.uniform(0, 1_200, 90), host="b.example")
    table = found(*train(EVERY_MINUTE), *other)
    assert table["host"].to_list() == ["a.example"]
    assert table["beats"].to_list() == [20]


def test_intervals_across_phases_and_captures_do_not_count():
    rows = [
        *train(EVERY_MINUTE[:5]),
        *train(EVERY_MINUTE[:5] + 1_017, phase=3),
        *train(EVERY_MINUTE[:5] + 2_031, capture="b.pcap"),
    ]
    (beacon,) = found(*rows).to_dicts()
    assert (beacon["beats"], beacon["missed"], beacon["score"]) == (15, 0, 1)


def test_states_apps_and_services_are_kept_apart():
    rows = [
        *train(EVERY_MINUTE),
        *train(EVERY_MINUTE + 9, state="active", phase=2),
        *train(EVERY_MINUTE + 17, app="one"),
        *train(EVERY_MINUTE + 21, service="quic"),
    ]
    assert found(*rows).height == 4


def test_what_nobody_answers_what_goes_down_and_dns_are_no_beacons():
    for of in ({"is_answered": False}, {"is_up": False}, {"service": "dns"}):
        assert beacons(met(*train(EVERY_MINUTE, **of)), SECOND).height == 0


def test_remotes_without_a_name_are_told_apart_by_address():
    rows = [
        *train(EVERY_MINUTE, host=None),
        *train(EVERY_MINUTE + 29, host=None, remote_address="203.0.113.8"),
    ]
    table = found(*rows)
    assert sorted(table["remote_addresses"].to_list()) == [["203.0.113.7"], ["203.0.113.8"]]
    assert table["host"].null_count() == 2


def test_names_without_a_rhythm_have_no_row():
    rng = np.random.default_rng(1)
    rows = [*train(rng.uniform(0, 900, 40)), *train([1, 2], host="b.example")]
    assert found(*rows).height == 0


def test_beacons_of_nothing_are_none():
    assert found().height == 0


def test_two_timers_of_one_name_are_two_beacons_each_with_its_bytes():
    slow = np.arange(50) * 97.3 + 11
    rows = [
        *train(np.arange(80) * 60.0, unique_bytes=50, flow=3),
        *train(slow, unique_bytes=7_000, flow=4),
    ]
    one, other = sorted(found(*rows).to_dicts(), key=lambda row: row["period"])
    assert round(one["period"].total_seconds()) == 60
    assert round(other["period"].total_seconds(), 1) == 97.3
    assert (one["host"], other["host"]) == ("a.example", "a.example")
    assert one["up_unique_bytes"] < 80 * 50 + 8_000
    assert other["up_unique_bytes"] >= 40 * 7_000
    assert one["up_unique_bytes"] + other["up_unique_bytes"] <= 80 * 50 + 50 * 7_000


def test_what_comes_between_beats_is_not_in_their_bytes():
    beats = train(np.arange(40) * 60.0, unique_bytes=50, flow=3)
    others = train(np.arange(5) * 420 + 89.0, unique_bytes=7_000, flow=4)
    (beacon,) = found(*beats, *others).to_dicts()
    assert (beacon["beats"], beacon["missed"], beacon["flows"]) == (40, 0, 1)
    assert (beacon["up_unique_bytes"], beacon["bytes_per_beat"]) == (2_000, 50)


def test_a_contact_that_is_alone_in_its_phase_is_neither_in_the_beats_nor_in_the_bytes():
    rows = [*train(EVERY_MINUTE, unique_bytes=50), *train([5_000], phase=3, unique_bytes=7_000)]
    (beacon,) = found(*rows).to_dicts()
    assert (beacon["beats"], beacon["up_unique_bytes"], beacon["bytes_per_beat"]) == (20, 1_000, 50)


def test_bytes_per_beat_are_true_of_more_beats_than_are_fitted():
    contacts = train(np.arange(2 * MOST_INTERVALS) * 30.0, unique_bytes=50)
    (beacon,) = found(*contacts).to_dicts()
    assert (beacon["beats"], beacon["bytes_per_beat"]) == (2 * MOST_INTERVALS, 50)
