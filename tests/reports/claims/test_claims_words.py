import json
from io import StringIO

import pytest
from rich.console import Console

from phonehome.reports.claims.words import (
    counts,
    is_failed,
    section,
    source_text,
    summary,
    summary_json,
    sums_sentence,
)
from tests.reports.conftest import HOSTILE
from tests.reports.stated_rows import HELD, UNTOLD, all_three, hostile, rows


def test_each_result_is_counted_and_said():
    assert counts(all_three()) == {"supported": 1, "contradicted": 1, "cannot tell": 1}
    assert sums_sentence(all_three()) == ("3 claims: 1 supported, 1 contradicted, 1 cannot tell.")
    assert sums_sentence(rows()) == "No claim was tested."


@pytest.mark.parametrize(
    ("changes", "is_strict", "failed"),
    [([{}], False, True), ([UNTOLD], False, False), ([UNTOLD], True, True), ([HELD], True, False)],
)
def test_a_check_fails_by_what_is_contradicted_and_strictly_by_doubt(changes, is_strict, failed):
    assert is_failed(rows(*changes), is_strict=is_strict) is failed


def shown(table):
    console = Console(file=StringIO(), width=80)
    summary(table, console)
    return console.file.getvalue()


def test_the_summary_shows_result_reason_filter_and_what_it_cannot_show():
    text = shown(all_three())
    assert max(map(len, text.splitlines())) <= 80
    assert " ".join(text.split()).endswith("1 cannot tell. All traffic of the phone counts.")
    for words in (
        "contradicted",
        "Too little time",
        "ip.addr == 113.96.232.10",
        "cannot show: What",
    ):
        assert words in text


@pytest.mark.parametrize("text", [*HOSTILE, "\x1b[31mred\x07", "a\u202eb"])
def test_nothing_in_a_claim_reaches_the_terminal_unseen(text):
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(shown(hostile(text)))


def test_the_json_holds_all_of_it():
    found = json.loads(summary_json(all_three(), is_failed=True))
    assert found["is_failed"] is True
    assert [row["claim"] for row in found["claims"]] == ["one", "two", "three"]


def test_the_section_marks_each_result():
    assert [row["mark"] for row in section(all_three())["rows"]] == ["bad", "warn", "good"]
    assert section(rows())["rows"] == []


def test_what_holds_for_every_claim_is_said_once_at_the_end():
    table = rows(
        {"claim": "a", "remarks": ["All count.", "Of a."]},
        {"claim": "b", "remarks": ["All count."]},
    )
    assert shown(table).count("All count.") == 1
    assert section(table)["shared"] == ["All count."]
    assert section(rows())["shared"] == []


@pytest.mark.parametrize(
    ("source", "day", "text"),
    [
        ("RFA, August 2020", "August 2020", "RFA, August 2020"),
        ("RFA", "August 2020", "RFA, August 2020"),
        ("RFA", None, "RFA"),
    ],
)
def test_a_day_that_the_source_names_is_not_named_again(source, day, text):
    assert source_text({"source": source, "source_date": day}) == text
