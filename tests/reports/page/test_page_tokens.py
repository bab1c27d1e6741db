"""What the report says of stable tokens."""

from dataclasses import replace

import polars as pl
import pytest

from phonehome.reports.page.tokens import MOST_SENTENCES, sentences, tokens, written


def test_a_token_has_a_sentence_with_form_requests_and_hosts(rich):
    (said,) = sentences(rich)
    assert said.startswith("Stable token 0, 32 hexadecimal digits: 14 requests to 2 hosts (")
    assert said.endswith("), 4 of them while idle.")


def test_without_tokens_nothing_is_said(empty):
    assert sentences(empty) == []
    assert tokens(empty)["rows"] == []


@pytest.mark.parametrize(
    ("form", "length", "said"),
    [
        ("uuid", 36, "a UUID"),
        ("hex", 16, "16 hexadecimal digits"),
        ("decimal", 15, "15 decimal digits"),
        ("base64", 24, "24 characters of base64"),
    ],
)
def test_forms_are_named(form, length, said):
    assert written(form, length) == said


def test_of_many_tokens_the_first_have_a_sentence(rich):
    many = pl.concat(
        [rich.tokens.with_columns(token=pl.lit(at, dtype=pl.Int64)) for at in range(15)]
    )
    said = sentences(replace(rich, tokens=many))
    assert len(said) == MOST_SENTENCES + 1
    assert said[-1] == "5 more stable tokens."
