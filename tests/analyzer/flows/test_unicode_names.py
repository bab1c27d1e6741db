"""Internationalised names: what people read, and what deceives in it."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.analyzer.flows.unicode_names import unicode_name, with_unicode


def encoded(text):
    return ".".join(
        part if part.isascii() else "xn--" + part.encode("punycode").decode()
        for part in text.split(".")
    )


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("b\u00fccher.example", None),
        ("\u4f8b\u3048.jp", None),
        ("\ud55c\uad6d.kr", None),
        ("\u043f\u0440\u0438\u0432\u0435\u0442.example", None),
        ("\u0430\u0440\u0440\u04cf\u0435.example", None),  # has a letter in no list of ours
        ("\u0430\u0435\u043e\u0440.example", "looks like aeop"),
        ("p\u0430ypal.example", "mixes Cyrillic and Latin"),
        ("\u03b1\u03bf.example", "looks like ao"),
    ],
)
def test_a_name_is_shown_as_people_read_it_with_what_deceives(text, warning):
    assert unicode_name(encoded(text)) == (text, warning)


@pytest.mark.parametrize("name", ["xn--\\xff.example", "xn--", "xn--" + "a" * 80, "xn--99999999"])
def test_what_cannot_be_decoded_is_said(name):
    shown, warning = unicode_name(name)
    assert shown is None
    assert "cannot be decoded" in warning


def test_plain_names_have_no_other_form():
    assert unicode_name("api.example.org") == (None, None)


@given(st.text(max_size=70))
def test_no_label_raises(text):
    shown, _ = unicode_name("xn--" + text)
    assert shown is None or shown.isprintable()


def test_flows_get_both_columns():
    flows = pl.DataFrame({"host": ["xn--bcher-kva.example", "a.example", None]})
    assert with_unicode(flows).rows() == [
        ("xn--bcher-kva.example", "b\u00fccher.example", None),
        ("a.example", None, None),
        (None, None, None),
    ]
