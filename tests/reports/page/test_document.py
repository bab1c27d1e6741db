import base64
import json
import zlib

import pytest

from phonehome.reports.page import document


def test_the_style_of_a_page_begins_with_the_sizes_and_colours_that_all_share():
    assert document.style("report.css").startswith(document.asset("tokens.css"))
    assert document.style("compare.css").startswith(document.asset("tokens.css"))


def test_the_library_comes_out_as_it_was_packed():
    packed = base64.b64decode(document.packed_plotly())
    assert zlib.decompress(packed).decode() == document.plotly()


@pytest.mark.parametrize(
    ("value", "fragment"),
    [("CN", "#country=CN"), (None, "#country="), ("a b&c=d", "#country=a+b%26c%3Dd")],
)
def test_a_fragment_can_hold_any_value(value, fragment):
    assert document.fragment("country", value) == fragment


def test_a_number_and_its_unit_stay_on_one_line():
    assert document.tight("5.00 kB is 14.6 % of 9 bytes") == (
        "5.00\u00a0kB is 14.6\u00a0% of 9\u00a0bytes"
    )


def test_an_island_cannot_end_the_script_that_it_stands_in():
    island = document.island({"text": "</script>&\u2028"})
    assert not set("<>&\u2028") & set(island)
    assert json.loads(island)["text"] == "</script>&\u2028"
