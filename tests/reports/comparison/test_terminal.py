import io

import pytest
from rich.console import Console

from phonehome.analyzer.comparison.compare import compared
from phonehome.reports.comparison import terminal
from tests.made_sides import HOSTILE, Repetition, Sent, every_change, side


@pytest.fixture(scope="module")
def both():
    return every_change()


CANNOT_TELL = ("cannot", "tell:", "needs", "4", "captures", "a", "side")


def on_terminal(both, failed=None, width=140):
    screen = io.StringIO()
    terminal.summary(both, failed or {}, Console(file=screen, width=width))
    return screen.getvalue()


def test_the_terminal_says_first_whether_the_sides_can_be_compared(both):
    text = on_terminal(both)
    parts = [
        "called",
        "observed idle",
        "Repetitions: 2 on base",
        "New: 2 countries",
        "few captures",
        "Benjamini",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_terminal_names_what_changed_with_how_often_it_was_seen(both):
    lines = [line.split() for line in on_terminal(both).splitlines()]
    (gone,) = [line for line in lines if line[:1] == ["gone.example"]]
    assert gone[1:] == ["2", "bytes/h", "0", "bytes/h", "idle", "2/2,", "0/3", *CANNOT_TELL]
    (moved,) = [line for line in lines if line[:1] == ["moved.example"]]
    assert moved[1:5] == ["US,", "AS14618", "SG,", "AS16509"]


def test_nothing_that_a_stranger_named_reaches_the_terminal_raw(both):
    text = on_terminal(both, {"new-host": [HOSTILE, None]})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "an unknown one" in text


def test_a_long_list_is_cut_and_the_rest_is_counted():
    many = tuple(Sent(1, host=f"h{number}.example") for number in range(terminal.MOST + 4))
    result = compared(
        side("base", Repetition((Sent(1, host="a.example"),))), side("new", Repetition(many))
    )
    assert "and 4 more" in on_terminal(result)
