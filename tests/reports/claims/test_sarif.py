import json

import polars as pl
import pytest

from phonehome.reports.claims.sarif import sarif
from tests.reports.conftest import HOSTILE
from tests.reports.stated_rows import all_three, hostile


def run(table, captures, *, is_strict=False):
    log = json.loads(sarif(table, captures, is_strict=is_strict))
    assert log["version"] == "2.1.0"
    (only,) = log["runs"]
    return only


@pytest.mark.parametrize(("is_strict", "level"), [(False, "warning"), (True, "error")])
def test_results_have_kinds_and_levels(rich, is_strict, level):
    found = run(all_three(), rich.captures, is_strict=is_strict)
    assert [(one["kind"], one["level"]) for one in found["results"]] == [
        ("fail", "error"), ("fail", level), ("pass", "none"),
    ]  # fmt: skip


def test_each_result_names_its_rule_and_the_captures(rich):
    found = run(all_three(), rich.captures)
    rules = found["tool"]["driver"]["rules"]
    for place, one in enumerate(found["results"]):
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
        assert one["ruleIndex"] == place
        assert one["message"]["text"]
        location = one["locations"][0]["physicalLocation"]["artifactLocation"]
        assert found["artifacts"][location["index"]]["location"]["uri"] == location["uri"]
    assert len(found["artifacts"][0]["hashes"]["sha-256"]) == 64


@pytest.mark.parametrize("text", [*HOSTILE, "\x1b[31m"])
def test_any_text_is_shown_and_the_same_claims_give_the_same_bytes(rich, text):
    table = hostile(text)
    content = sarif(table, rich.captures, is_strict=False)
    assert content == sarif(table, rich.captures, is_strict=False)
    assert b"\x1b" not in content
    assert "\\u001b" not in content.decode()
    assert "\\u202e" not in content.decode()


def test_names_of_captures_are_uris(rich):
    named = rich.captures.head(1).with_columns(capture=pl.lit("a b#\u00e9?.pcap"))
    (only,) = run(all_three(), named)["artifacts"]
    assert only["location"]["uri"] == "a%20b%23%C3%A9%3F.pcap"
