import html
import unicodedata

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.reports.words import escape

CONTROLS = [chr(number) for number in (*range(0x20), *range(0x7F, 0xA0))]
DECEIVERS = [*"\u061c\u200b\u200e\u200f\u202a\u202e\u2066\u2069\ufeff\u2028\u2029\u00ad"]


@pytest.mark.parametrize("character", CONTROLS + DECEIVERS, ids=lambda char: f"{ord(char):x}")
def test_what_moves_or_hides_text_is_spelled_out(character):
    assert escape.terminal(f"a{character}b") == f"a\\u{{{ord(character):x}}}b"


def test_ordinary_names_stay_as_they_are():
    name = "xn--80ak6aa92e.com für 微信 🙂"
    assert escape.visible(name) == name


@given(st.text())
def test_nothing_that_a_terminal_obeys_gets_through(hostile):
    shown = escape.terminal(hostile)
    assert not [
        char
        for char in shown
        if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        or unicodedata.bidirectional(char) in {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI"}
    ]


@given(st.text(min_size=1))
def test_a_label_holds_no_markup_and_says_the_same(hostile):
    label = escape.label(hostile, 1_000_000)
    assert "<" not in label
    assert ">" not in label
    assert html.unescape(label) == escape.visible(hostile)


def test_a_label_ends_where_it_is_too_long():
    assert escape.label("a" * 50, 10) == "a" * 9 + "…"


def test_a_label_is_cut_before_it_is_escaped():
    assert escape.label("<" * 20, 3) == "&lt;&lt;…"


def test_a_long_name_keeps_its_end_where_its_owner_stands():
    assert escape.shortened("a" * 50 + ".example.com", 21) == "aaaaaaaaaa…xample.com"
    assert len(escape.shortened("a" * 50, 21)) == 21
    assert escape.shortened("short", 5) == "short"


@pytest.mark.parametrize("sign", list("=+-@\uff1d\uff0b\uff0d\uff20"))
def test_a_cell_begins_no_formula(sign):
    cells = pl.DataFrame({"cell": [f"{sign}1+1", f"a{sign}"]}).select(escape.cell(pl.col("cell")))
    assert cells["cell"].to_list() == [f"'{sign}1+1", f"a{sign}"]


def test_an_unknown_cell_stays_unknown():
    cells = pl.DataFrame({"cell": [None, ""]}, schema={"cell": pl.String})
    assert cells.select(escape.cell(pl.col("cell")))["cell"].to_list() == [None, ""]


@pytest.mark.parametrize("character", CONTROLS + DECEIVERS, ids=lambda char: f"{ord(char):x}")
def test_a_cell_spells_out_what_moves_or_hides_text(character):
    hostile = [f"{character}=1", "plain", None, f"=a{character}b"]
    cells = pl.DataFrame({"cell": hostile}).select(escape.cell(pl.col("cell")))
    spelled = f"\\u{{{ord(character):x}}}"
    assert cells["cell"].to_list() == [f"{spelled}=1", "plain", None, f"'=a{spelled}b"]


@given(st.lists(st.text() | st.none()))
def test_a_cell_is_as_visible_as_any_other_text(hostile):
    table = pl.DataFrame({"cell": hostile}, schema={"cell": pl.String})
    cells = table.lazy().select(escape.cell(pl.col("cell"))).collect()["cell"].to_list()
    shown = [None if cell is None else escape.visible(cell) for cell in hostile]
    assert [
        cell if cell is None or cell == seen else cell.removeprefix("'")
        for cell, seen in zip(cells, shown, strict=True)
    ] == shown
