"""An analysis shows itself: short, without what a name could do to a terminal or a page."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import ClassVar

import polars as pl
import pytest

from phonehome.analyzer.tables.glance import plain

HOSTILE = "\x1b[2J<script>alert(1)</script>\u202e\n" + "a" * 250 + "<img src=x>"


@pytest.fixture(scope="module")
def analysis(samples):
    return samples("parrot-1.0/rep1").analysis


@pytest.fixture(scope="module")
def hostile(analysis):
    return replace(
        analysis,
        captures=analysis.captures.with_columns(capture=pl.lit(HOSTILE)),
        uploads=analysis.uploads.with_columns(host=pl.lit(HOSTILE), app=pl.lit(HOSTILE)),
        summary=replace(analysis.summary, app=HOSTILE, is_app_known=True),
    )


def test_an_analysis_is_shown_in_three_lines(analysis):
    first, second, third = repr(analysis).split("\n")
    assert first.startswith(
        "Analysis of rep1.pcap: 684 packets, 2026-09-14T13:06:32Z to 2026-09-14T"
    )
    of = analysis.summary
    assert second.startswith(f"{of.up_unique_bytes:,} bytes up to {of.remotes} addresses, ")
    assert "most to media.parrot.example (51,396), " in second
    assert third.startswith(f"share while idle: {of.idle_share:.1%}; country disputed for 15,068 ")
    assert f"{len(analysis.notes)} notes" in third


def test_bytes_of_hosts_are_those_of_the_uploads(analysis):
    shown = re.findall(r"(\S+) \(([\d,]+)\)", repr(analysis))
    assert len(shown) == 3
    for host, sent in shown:
        uploads = analysis.uploads.filter(pl.col("host") == host.removeprefix("to "))
        assert int(sent.replace(",", "")) == uploads["up_unique_bytes"].sum()


def test_the_app_under_test_alone_is_shown(analysis):
    uploads = analysis.uploads.with_columns(
        app=pl.when(pl.col("host") == "chat.parrot.example").then(pl.lit("com.parrot"))
    )
    summary = replace(analysis.summary, app="com.parrot", is_app_known=True)
    shown = repr(replace(analysis, uploads=uploads, summary=summary))
    assert "flows of com.parrot\n" in shown
    assert "most to chat.parrot.example (1,787)\n" in shown


def test_many_captures_are_counted(analysis):
    many = pl.concat([analysis.captures] * 5)
    assert repr(replace(analysis, captures=many)).startswith(
        "Analysis of rep1.pcap, rep1.pcap, rep1.pcap and 2 more: "
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"is_damaged": True}, "; part of the input is damaged; "),
        ({"is_balanced": False}, "; THE ACCOUNTS DO NOT BALANCE; "),
        ({"idle_share": None}, "share while idle: unknown; "),
        ({"is_inferred": True}, "%, states inferred; "),
    ],
)
def test_what_takes_trust_away_is_said(analysis, change, said):
    assert said in repr(replace(analysis, summary=replace(analysis.summary, **change)))
    assert said not in repr(analysis)
    assert said in replace(analysis, summary=replace(analysis.summary, **change))._repr_html_()


def test_an_analysis_of_nothing_is_shown(analysis):
    summary = replace(analysis.summary, first_time=None, last_time=None, up_unique_bytes=0)
    shown = replace(analysis, summary=summary, uploads=analysis.uploads.clear())
    assert repr(shown).count("\n") == 2
    assert "most to" not in repr(shown)
    assert "<table" not in shown._repr_html_()


def test_no_name_moves_a_terminal_or_fills_it(hostile):
    shown = repr(hostile)
    assert shown.count("\n") == 2
    assert all(char.isprintable() for char in shown.replace("\n", ""))
    assert len(shown) < 600


def test_no_name_is_markup_in_a_notebook(hostile):
    class Tags(HTMLParser):
        found: ClassVar = set()

        def handle_starttag(self, tag, attrs):
            self.found.add(tag)
            assert {name for name, _ in attrs} <= {"style"}

    parser = Tags()
    parser.feed(hostile._repr_html_())
    assert parser.found == {"div", "b", "br", "table", "tr", "td"}
    assert "&lt;script&gt;" in hostile._repr_html_()


def test_a_notebook_lends_its_colours_and_nothing_is_fetched(analysis):
    shown = analysis._repr_html_()
    assert "url(" not in shown
    assert "http" not in shown
    assert set(re.findall(r"(?:color|background):([^;\"]+)", shown)) == {
        "inherit", "none", "color-mix(in srgb,currentColor 25%,transparent)",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.example", "a.example"),
        ("münchen.example", "münchen.example"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\u202eab", "\\u202eab"),
        ("\udcff", "\\udcff"),
        ("x" * 61, "x" * 59 + "…"),
    ],
)
def test_a_name_is_plain(name, shown):
    assert plain(name) == shown
