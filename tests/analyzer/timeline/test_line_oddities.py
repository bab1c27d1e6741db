"""Odd lines as rows."""

from phonehome.analyzer.timeline.line_oddities import MOST_ROWS, odd_lines
from phonehome.analyzer.timeline.spans import Oddity


def test_each_line_is_a_row_once():
    rows = odd_lines([Oddity("a", 7, "k"), Oddity("a", 2, "k"), Oddity("a", 7, "k")])
    assert rows.select("capture", "frame", "layer", "kind", "count").rows() == [
        ("a", 2, "timeline", "k", 1),
        ("a", 7, "timeline", "k", 1),
    ]


def test_the_last_row_of_a_kind_stands_for_all_that_follow():
    rows = odd_lines([Oddity("a", line, "k") for line in range(1, 101)])
    assert rows["frame"].to_list() == list(range(1, MOST_ROWS + 1))
    assert rows["count"].to_list() == [1] * (MOST_ROWS - 1) + [100 - MOST_ROWS + 1]


def test_nothing_odd_is_no_row():
    assert odd_lines([]).is_empty()
