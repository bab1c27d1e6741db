import io
from dataclasses import replace

import pytest
from rich.console import Console

from phonehome.reports.terminal import summary


def shown(analysis, width=80):
    output = io.StringIO()
    summary.summary(analysis, Console(file=output, width=width, color_system=None))
    return output.getvalue()


def test_the_answer_is_there(rich):
    text = shown(rich)
    for part in ("2.31 MB", "2,308,600 bytes", "9 countries", "14.6 %", "8.4 %"):
        assert part in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(rich, width):
    assert max(len(line) for line in shown(rich, width).splitlines()) <= width


def test_the_whole_is_short_enough_to_stay_on_the_screen(rich):
    assert len(shown(rich).splitlines()) <= 15


def test_nothing_that_a_capture_says_moves_the_cursor_or_is_read_as_markup(rich):
    hostile = "\x1b[2J\x9b31m\u202e[red]x[/red]\r\nnote  forged"
    text = shown(replace(rich, notes=(hostile,)), 200)
    assert not [char for char in text if char != "\n" and not char.isprintable()]
    assert "[red]x[/red]" in text
    assert "\nnote  forged" not in text


def test_an_upload_that_was_not_seen_is_said_so(empty):
    assert "0 bytes" in shown(empty)
