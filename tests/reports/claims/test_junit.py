from xml.etree import ElementTree as ET

import pytest

from phonehome.reports.claims.junit import junit
from tests.reports.conftest import HOSTILE
from tests.reports.stated_rows import all_three, hostile, rows


def suite(table, *, is_strict=False):
    return ET.fromstring(junit(table, is_strict=is_strict)).find("testsuite")  # noqa: S314 - ours


@pytest.mark.parametrize(
    ("is_strict", "failures", "skipped"), [(False, "1", "1"), (True, "2", "0")]
)
def test_doubt_is_skipped_or_strictly_a_failure(is_strict, failures, skipped):
    found = suite(all_three(), is_strict=is_strict)
    assert (found.get("tests"), found.get("failures"), found.get("skipped")) == (
        "3", failures, skipped,
    )  # fmt: skip
    assert len(found.findall("testcase/failure")) == int(failures)
    assert len(found.findall("testcase/skipped")) == int(skipped)


def test_a_failure_says_all_that_is_to_be_said():
    text = suite(all_three()).find("testcase/failure").text
    assert "ip.addr == 113.96.232.10" in text
    assert "Claim: No data goes to China." in text


def test_each_file_is_a_suite():
    table = rows({"file": "a.toml"}, {"claim": "two", "file": "b.toml"})
    found = ET.fromstring(junit(table, is_strict=False))  # noqa: S314 - ours
    assert [one.get("name") for one in found] == ["a.toml", "b.toml"]


@pytest.mark.parametrize("text", [*HOSTILE, "a\x00b", "\ufffe\uffff", "]]>", "\U0001f600"])
def test_any_text_gives_xml_that_is_well_formed(text):
    assert len(suite(hostile(text)).findall("testcase")) == 1
