"""Tests of repetitions, held to slow twins, to published examples, and to their promises."""

from itertools import combinations, product
from math import comb, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from phonehome.analyzer.comparison import significance
from phonehome.analyzer.comparison.significance import (
    ALPHA,
    MOST_EXACT,
    association_test,
    deals,
    difference_test,
    false_discoveries,
    floor,
    needed,
    presence_test,
    ratio_interval,
    sameness_test,
)

few = st.integers(1, 4)


def row(*values):
    return np.array([values], dtype=np.float64)


def slow_difference(values, base):
    """P-value by trying every way, without numpy."""

    def difference(new):
        of_new = [values[place] for place in new]
        of_base = [value for place, value in enumerate(values) if place not in new]
        return abs(sum(of_new) / len(of_new) - sum(of_base) / len(of_base))

    ways = list(combinations(range(len(values)), len(values) - base))
    own = difference(tuple(range(base, len(values))))
    return sum(difference(way) >= own - 1e-9 for way in ways) / len(ways)


@pytest.mark.parametrize(
    ("base", "new", "lowest"),
    [(3, 3, 0.1), (4, 4, 2 / 70), (5, 5, 2 / 252), (3, 4, 1 / 35), (1, 1, 1.0), (0, 3, 1.0)],
)
def test_the_lowest_p_value_is_that_of_sides_that_are_wholly_apart(base, new, lowest):
    assert floor(base, new) == pytest.approx(lowest)
    if base and new:
        apart = row(*range(base), *range(100, 100 + new))
        assert difference_test(apart, base).p[0] == pytest.approx(
            max(lowest, 1 / comb(base + new, new))
        )
        assert presence_test(0, base, new, new)[0] == pytest.approx(lowest)


@given(st.lists(st.floats(-9, 9), min_size=4, max_size=7), st.data())
@settings(deadline=None)
def test_the_permutation_test_is_what_trying_every_way_gives(values, data):
    base = data.draw(st.integers(1, len(values) - 1))
    assert difference_test(row(*values), base).p[0] == pytest.approx(slow_difference(values, base))


@given(few, few)
def test_the_labels_are_dealt_in_every_way_once_and_as_they_are_first(base, new):
    dealt = deals(base, new)
    assert dealt.shape == (comb(base + new, new), base + new)
    assert len({tuple(way) for way in dealt.tolist()}) == len(dealt)
    assert (dealt.sum(axis=1) == new).all()
    assert dealt[0].tolist() == [False] * base + [True] * new


def test_too_many_ways_are_drawn_with_a_seed_and_keep_their_first():
    dealt = deals(12, 12)
    assert len(dealt) == MOST_EXACT
    assert (dealt.sum(axis=1) == 12).all()
    assert dealt[0].tolist() == [False] * 12 + [True] * 12
    deals.cache_clear()
    assert (deals(12, 12) == dealt).all()


def test_the_ways_to_deal_labels_are_as_likely_when_they_are_drawn():
    share = deals(12, 12)[1:].mean(axis=0)
    assert abs(share - 0.5).max() < 0.02


@given(few, few, st.data())
def test_fishers_test_is_what_dealing_sightings_in_every_way_gives(base, new, data):
    seen = data.draw(st.lists(st.booleans(), min_size=base + new, max_size=base + new))
    counts = [sum(seen[place] for place in way) for way in combinations(range(base + new), new)]
    own = sum(seen[base:])
    ways = {count: counts.count(count) for count in set(counts)}
    slow = sum(number for number in ways.values() if number <= ways[own]) / len(counts)
    p, least = presence_test(sum(seen[:base]), base, own, new)
    assert p == pytest.approx(slow)
    assert least == pytest.approx(min(ways.values()) / len(counts)) or least <= p


def test_the_lady_tasting_tea_guesses():
    assert presence_test(1, 4, 3, 4)[0] == pytest.approx(0.4857, abs=1e-4)
    assert presence_test(0, 4, 4, 4)[0] == pytest.approx(0.0286, abs=1e-4)


def test_one_sighting_can_tell_nothing_and_that_is_known_without_the_labels():
    assert presence_test(1, 5, 0, 5) == (1.0, 1.0)
    assert presence_test(0, 5, 1, 5)[1] == 1.0


def test_equal_rates_differ_in_nothing_and_can_tell_nothing():
    tested = difference_test(row(2, 2, 2, 2, 2, 2), 3)
    assert (tested.p[0], tested.least[0], tested.effect[0]) == (1, 1, 0)


def test_the_direction_is_that_of_new():
    assert difference_test(row(1, 1, 1, 3, 3, 3), 3).effect[0] == pytest.approx(2)


def test_rates_within_the_margin_are_the_same_from_three_repetitions_on():
    margin = log(1 / 0.9)
    near = np.log(row(100, 101, 102, 100, 102, 101))
    assert sameness_test(near, 3, margin)[0] == pytest.approx(0.05)
    assert sameness_test(near[:, 1:5], 2, margin)[0] > ALPHA
    far = np.log(row(100, 101, 102, 110, 112, 121))
    assert sameness_test(far, 3, margin)[0] > ALPHA


def test_where_nothing_may_differ_nothing_is_the_same():
    assert sameness_test(row(1, 1, 1, 1, 1, 1), 3, 0.0)[0] == 1


def test_kinds_that_the_side_tells_apart_are_as_rare_as_the_floor():
    assert association_test(np.array([0, 0, 0, 1, 1, 1]), 3)[0] == pytest.approx(0.1)
    assert association_test(np.array([0, 1, 0, 1, 0, 1]), 3)[0] == pytest.approx(1.0)
    assert association_test(np.array([0, 1, 2, 3, 4, 5]), 3) == (1.0, 1.0)


def test_false_discoveries_are_those_of_the_paper():
    """Benjamini and Hochberg 1995, section 3.2: four of fifteen at 5 %."""
    p = np.array(
        [
            *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
            *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0),
        ]
    )
    assert (false_discoveries(p) <= 0.05).sum() == 4


@given(st.lists(st.floats(0, 1), max_size=12))
def test_a_q_value_is_the_lowest_rate_at_which_a_step_up_would_find_it(p):
    values = np.array(p, dtype=np.float64)
    found = false_discoveries(values)
    for place, value in enumerate(values):
        slow = min(
            (len(p) * other / (values <= other).sum() for other in values if other >= value),
            default=1,
        )
        assert found[place] == pytest.approx(min(1, slow))


@pytest.mark.parametrize(
    ("share", "number"), [(1.0, 4), (0.57, 5), (0.16, 5), (0.01, 8), (0.001, 9)]
)
def test_more_repetitions_are_needed_the_fewer_tests_stand_out(share, number):
    assert needed(share) == number
    assert floor(number, number) <= ALPHA * share < floor(number - 1, number - 1)


def test_no_number_is_told_beyond_what_anyone_would_record():
    assert needed(1e-40) is None


def slow_interval(sent, hours, base):
    """Lowest and highest ratio of any resample, by trying them all."""
    both = list(zip(sent, hours, strict=True))
    rates = [
        {
            sum(part[0] for part in drawn) / sum(part[1] for part in drawn)
            for drawn in product(side, repeat=len(side))
        }
        for side in (both[:base], both[base:])
    ]
    return min(rates[1]) / max(rates[0]), max(rates[1]) / min(rates[0])


def test_the_interval_of_three_repetitions_is_the_range_of_all_resamples():
    sent, hours = [100.0, 120, 130, 200, 260, 290], np.array([1.0, 1, 2, 1, 1, 1])
    low, high = ratio_interval(row(*sent), hours, 3)
    assert (low[0], high[0]) == pytest.approx(slow_interval(sent, hours, 3))


def test_an_interval_narrows_with_repetitions_and_holds_the_ratio():
    rng = np.random.default_rng(1)
    widths = []
    for number in (3, 6, 12, 24):
        sent = rng.lognormal(5, 0.3, (1, 2 * number))
        low, high = ratio_interval(sent, np.ones(2 * number), number)
        ratio = sent[0, number:].sum() / sent[0, :number].sum()
        assert low[0] < ratio < high[0]
        widths.append(high[0] / low[0])
    assert widths[0] > widths[-1]


def test_one_repetition_or_a_new_side_of_nothing_has_no_interval_and_a_base_of_nothing_no_end():
    assert ratio_interval(row(1, 2, 3), np.ones(3), 1) == ([None], [None])
    assert ratio_interval(row(1, 2, 3, 0, 0, 0), np.ones(6), 3) == ([None], [None])
    low, high = ratio_interval(row(0, 0, 5, 3, 4, 5), np.ones(6), 3)
    assert low[0] == pytest.approx(3 / 5)
    assert high[0] is None


def test_many_rows_have_the_intervals_that_each_has_alone(monkeypatch):
    sent = np.random.default_rng(2).lognormal(5, 1, (9, 8))
    whole = ratio_interval(sent, np.ones(8), 4)
    monkeypatch.setattr(significance, "CHUNK", 2)
    assert ratio_interval(sent, np.ones(8), 4) == whole
