import pytest

from phonehome.reports.claims.markdown import markdown, plain
from tests.reports.conftest import HOSTILE
from tests.reports.stated_rows import all_three, hostile


def test_a_table_of_all_claims_comes_first_then_each():
    lines = markdown(all_three()).decode().splitlines()
    assert lines[0] == "# Claims"
    assert sum(line.startswith("| ") for line in lines) == 4
    assert [line for line in lines if line.startswith("## ")] == ["## one", "## two", "## three"]
    assert "- Display filter: `ip.addr == 113.96.232.10`" in lines


@pytest.mark.parametrize(
    "text", [*HOSTILE, "a|b\n# c", "[x](javascript:1)", "![i](http://x)", "@all"]
)
def test_no_text_becomes_markup(text):
    shown = plain(text)
    assert "\n" not in shown
    for sign in "<|[`@":
        assert shown.count(sign) == shown.count(f"\\{sign}")
    assert markdown(hostile(text)).decode().count("\n## ") == 1


def test_code_holds_what_has_backticks():
    assert b"``` a``b ```, " in markdown(hostile("a``b"))
