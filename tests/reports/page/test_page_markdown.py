from dataclasses import replace

import polars as pl
import pytest

from phonehome.reports.page.markdown import report
from phonehome.reports.words.escape import markdown, markdown_code


def written(analysis):
    return b"".join(report(analysis)).decode()


def test_the_answer_comes_first_and_the_findings_with_their_filters_next(rich):
    text = written(rich)
    assert text.startswith("# The phone uploaded 2.31 MB to 9 countries, 14.6 % of it while idle.")
    assert text.index("2,308,600 bytes") < text.index("## What to look at first")
    assert "`ipv6.addr == 2402:4e00::1`" in text


def test_the_countries_add_up_to_the_total(rich):
    rows = [line.split("|") for line in written(rich).splitlines() if line.startswith("| ")][1:]
    numbers = [int(row[3].replace(",", "")) for row in rows]
    assert sum(numbers[:-1]) == numbers[-1] == rich.summary.up_unique_bytes


def test_two_runs_give_the_same_bytes_and_an_empty_one_is_short(rich, empty):
    assert written(rich) == written(rich)
    assert "No upload to a public server was seen in this capture." in written(empty)
    assert "## Where it went" not in written(empty)


@pytest.mark.parametrize(
    "payload",
    ["<img src=x>", "[x](//evil.example)", "![](x)", "| a | b |", "# x", "*x*", "`x`", "a\nb",
     "https://evil.example", "www.evil.example", "@someone", "&lt;"],
)  # fmt: skip
def test_a_hostile_name_is_text_and_nothing_else(rich, payload):
    plain = written(rich)
    uploads = rich.uploads.with_columns(host=pl.lit(payload), as_org=pl.lit(payload))
    flows = rich.flows.with_columns(host=pl.lit(payload))
    text = written(replace(rich, uploads=uploads, flows=flows, notes=(payload,)))
    assert markdown(payload) in text
    assert payload not in text.replace(markdown(payload), "")
    heads = [line for line in plain.splitlines() if line.startswith("#")]
    assert [line for line in text.splitlines() if line.startswith("#")] == heads


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- x", "\\- x"),
        ("12. x", "12\\. x"),
        ("=x", "\\=x"),
        ("a_b|c", "a\\_b\\|c"),
        ("www.x", "www\\.x"),
        ("1.5 MB", "1.5 MB"),
    ],
)
def test_what_would_begin_a_list_or_be_mark_up_is_escaped(text, shown):
    assert markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("a", "`a`"), ("a`b", "`` a`b ``"), ("``", "``` `` ```")]
)
def test_code_ends_where_it_should(text, shown):
    assert markdown_code(text) == shown
