import pytest

from phonehome.analyzer.comparison.compare import compared
from phonehome.reports.comparison import words
from tests.made_sides import Repetition, Sent, side

ONE = Repetition((Sent(100),))


def both(base=(ONE,), new=(ONE,)):
    return compared(side("base", *base), side("new", *new))


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"dimension": "country", "key": "SG"}, "Singapore (SG)"),
        ({"dimension": "country", "key": None}, "no country known"),
        ({"dimension": "asn", "key": "AS4134", "holder": "Chinanet"}, "AS4134 Chinanet"),
        ({"dimension": "asn", "key": "AS4134", "holder": None}, "AS4134"),
        ({"dimension": "asn", "key": None, "holder": None}, "no network known"),
        ({"dimension": "host", "key": "a.example"}, "a.example"),
        ({"dimension": "service", "key": None}, "no service recognised"),
        ({"dimension": "phase", "key": "a.example", "label": "call"}, "a.example, call"),
    ],
)
def test_keys_are_said_as_people_know_them(row, text):
    assert words.key_text(row) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (None, "not observed"),
        (0, "0 bytes/h"),
        (0.2, "under 1 byte/h"),
        (1.2, "1 byte/h"),
        (11_157.3, "11.2 kB/h"),
    ],
)
def test_a_rate_is_bytes_per_hour_and_none_was_not_observed(rate, text):
    assert words.rate_text(rate) == text


def test_the_method_names_its_tests_its_correction_and_its_seed():
    for part in ("Fisher", "permutation", "Benjamini and Hochberg", "5%", "Seed 20200919"):
        assert part in words.METHOD


UNTOLD = {"verdict": "cannot tell", "needed_repetitions": None}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"verdict": "new"}, "new"),
        (UNTOLD | {"reason": "few", "needed_repetitions": 5}, "needs 5 captures a side"),
        (UNTOLD | {"reason": "few"}, "needs more captures a side"),
        (UNTOLD | {"reason": "chance"}, "chance may have done it"),
        (UNTOLD | {"reason": "unobserved"}, "one side did not observe this"),
        (UNTOLD | {"reason": "exposure"}, "less than half the time"),
        (UNTOLD | {"reason": "direction"}, "opposite directions"),
    ],
)
def test_a_verdict_says_what_stands_in_its_way(row, text):
    assert words.verdict_text(row).endswith(text)
    assert words.verdict_text(row).startswith(row["verdict"])


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "\N{EN DASH}"), (0.1, "0.1"), (0.02857, "0.029"), (0.0002, "under 0.001"), (1.0, "1")],
)
def test_a_p_value_is_said_as_far_as_it_matters(value, text):
    assert words.p_text(value) == text


@pytest.mark.parametrize(
    ("ratio", "low", "high", "text"),
    [
        (None, None, None, "\N{EN DASH}"),
        (2.5, None, None, "x2.5"),
        (2.512, 2.4, 2.6, "x2.51 (x2.4 to x2.6)"),
        (1234.5, 0.5, None, "x1,234 (x0.5 to no upper end)"),
    ],
)
def test_a_ratio_has_its_interval_beside_it(ratio, low, high, text):
    row = {"ratio": ratio, "ratio_low": low, "ratio_high": high}
    assert words.ratio_text(row).replace(words.TIMES, "x") == text


def test_how_sure_the_whole_is_stands_in_one_sentence():
    others = Repetition((Sent(100), Sent(5, host="a.example")))
    assert words.sureness(both()).startswith("No difference can be told from chance")
    assert "differ by more than chance" in words.sureness(both((ONE,) * 6, (others,) * 6))
    assert words.sureness(both((ONE,) * 6, (ONE,) * 6)).startswith("Nothing here differs")


def test_the_part_that_counts_as_the_same_is_said_as_it_was_set():
    assert "at most 2.5 % of the larger one" in words.within_text(0.025)


def test_n_is_said_of_each_side():
    assert (
        words.n_text(both(new=(ONE, ONE))) == "n = 1 on base (base.pcap); n = 2 on new (new.pcap)"
    )


def test_sides_alike_are_said_to_be_so():
    assert words.headline(both()).startswith("No difference")


def test_rates_that_differ_alone_are_no_new_country():
    text = words.headline(both(new=(Repetition((Sent(900),)),)))
    assert text == "No country, network or host is new or gone; rates or phases differ."


def test_the_headline_counts_what_is_new_gone_and_moved():
    new = Repetition(
        (
            Sent(1, address="13.250.100.4", country="SG", asn=16509),
            Sent(1, host="b.example"),
            Sent(1, host="c.example"),
        )
    )
    text = words.headline(
        both(base=(Repetition((*ONE.sent, Sent(1, host="d.example"))),), new=(new,))
    )
    assert text == "New: 1 country, 1 network and 2 hosts; gone: 1 host; moved: 1 host."


def test_states_that_neither_side_observed_are_left_out():
    rows = words.states(both())
    assert [row["state"] for row in rows] == ["all", "idle"]
    assert rows[1] == {
        "state": "idle",
        "base_seconds": 3600,
        "base_up": 100,
        "base_rate": 100,
        "new_seconds": 3600,
        "new_up": 100,
        "new_rate": 100,
    }


def test_a_state_without_time_has_no_rate():
    row = words.states(both(base=(Repetition((Sent(5),), {}),)))[1]
    assert (row["base_rate"], row["base_up"]) == (None, 5)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("given", "r.timeline.csv, as given"),
        ("beside", "r.timeline.csv, found beside it"),
        ("saved", "r.timeline.csv, as analysed"),
        (None, "none: its states are unknown"),
    ],
)
def test_it_is_said_where_a_timeline_comes_from(source, text):
    assert words.timeline_text({"timelines": ["r.timeline.csv"], "timeline_source": source}) == text


def test_timelines_taken_unasked_are_told():
    assert words.timelines_sentence(both()) == (
        "The timeline beside the capture was taken for 2 of 2 repetitions."
    )
    given = ONE._replace(timeline_source="given")
    assert words.timelines_sentence(both((given,), (given,))) is None


def test_both_sides_stand_next_to_each_other():
    rows = {name: (base, new) for name, base, new in words.side_rows(both(new=(ONE, ONE)))}
    assert rows["repetitions (n)"] == ("1", "2")
    assert rows["observed idle"] == ("1 h", "2 h")
    assert rows["phone"] == ("192.168.43.17", "192.168.43.17")
    assert rows["timelines"] == ("1 of 1 (beside)", "2 of 2 (beside)")
    assert rows["databases"] == ("dbip 2026-06-01", "dbip 2026-06-01")


def test_the_states_of_a_key_are_those_in_which_either_side_saw_it():
    hours = {"active": 1.0, "idle": 1.0}
    result = both(
        (Repetition((Sent(1, state="active"),), hours),), (Repetition((Sent(1),), hours),)
    )
    seen = dict(words.states_seen(result.changes).select("key", "states").iter_rows())
    assert seen["chat.example"] == ["active", "idle"]
