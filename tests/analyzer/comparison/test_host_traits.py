from phonehome.analyzer.comparison.compare import compared
from tests.made_sides import Repetition, Sent, side


def traits(base, new):
    return compared(side("base", *base), side("new", *new)).traits


def test_a_trait_is_told_of_hosts_that_both_sides_met():
    base = Repetition((Sent(1, service="http"), Sent(1, host="gone.example")))
    table = traits([base], [Repetition((Sent(1, ja4="t13d1"),))])
    assert table.select("key", "trait", "value", "change").rows() == [
        ("chat.example", "service", "http", "gone"),
        ("chat.example", "service", "tls", "new"),
        ("chat.example", "ja4", "t13d1", "new"),
    ]
    assert set(table["verdict"]) == {"cannot tell"}


def test_repetitions_that_did_not_meet_the_host_do_not_count():
    table = traits([Repetition((Sent(1),)), Repetition(())], [Repetition((Sent(1),))] * 2)
    assert table.select("base_seen_in", "base_repetitions").rows() == [(1, 1)]


def test_another_fingerprint_in_every_repetition_is_a_finding_and_one_in_one_is_none():
    old = [Repetition((Sent(1, ja4="old"),))] * 8
    new = [Repetition((Sent(1, ja4="new"),))] * 7 + [Repetition((Sent(1, ja4="stray"),))]
    found = {
        row["value"]: row["verdict"] for row in traits(old, new).filter(trait="ja4").to_dicts()
    }
    assert found == {"old": "gone", "new": "new", "stray": "cannot tell"}


def test_a_beacon_that_begins_is_a_trait_of_its_host_and_state():
    old, new = Repetition((Sent(1),)), Repetition((Sent(1),), beacons=(("chat.example", "idle"),))
    table = traits([old] * 5, [new] * 5)
    assert table.select("trait", "value", "verdict").rows() == [
        ("service", "tls", "same"),
        ("beacon", "idle", "new"),
    ]
