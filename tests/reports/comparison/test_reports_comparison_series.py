import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
import pytest

from phonehome.analyzer.comparison.compare import compared
from phonehome.analyzer.comparison.series import Series, versions
from phonehome.reports.comparison.series import (
    MOST_ROWS,
    contents,
    page,
    series_json,
    summary_json,
    table,
    write,
)
from tests.made_sides import FORMULA, HOSTILE, Repetition, Sent, side

ONE = Repetition((Sent(100), Sent(7, host="gone.example")))
TWO = Repetition((Sent(100), Sent(5, host=HOSTILE), Sent(6, host=FORMULA)))
ALL = frozenset({"html", "json", "parquet", "csv"})


def series_of(*parts):
    sides = [
        (replace(side("base", part), label=f"v{at}"), replace(side("new", part), label=f"v{at}"))
        for at, part in enumerate(parts, start=1)
    ]
    steps = tuple(compared(base, new) for (base, _), (_, new) in pairwise(sides))
    labels = tuple(base.label for base, _ in sides)
    return Series(labels=labels, steps=steps, versions=versions(steps))


@pytest.fixture(scope="module")
def series():
    return series_of(ONE, TWO, TWO)


def text(series):
    return b"".join(page(series)).decode()


def test_the_files_of_each_step_bear_its_number(series):
    names = set(contents(series, ALL))
    assert {"series.html", "series.json", "versions.parquet", "versions.csv"} <= names
    assert {"1-compare.html", "2-compare.html", "1-changes.parquet", "2-traits.csv"} <= names


def test_the_page_links_the_page_of_each_step_and_loads_nothing(series):
    found = text(series)
    assert '<a href="1-compare.html">v1 to v2</a>' in found
    assert '<a href="2-compare.html">v2 to v3</a>' in found
    assert "default-src" in found
    assert "url(" not in found


def test_strangers_write_no_markup(series):
    found = text(series)
    assert HOSTILE not in found
    assert "\u202e" not in found


def test_a_key_that_a_version_did_not_meet_is_not_seen_there(series):
    (row,) = [row for row in table(series) if row["key"] == "gone.example"]
    assert [cell["seen_in"] for cell in row["cells"]] == [1, 0, 0]
    assert "not seen" in text(series)


def test_keys_of_few_versions_come_first_in_their_kind(series):
    met = [row["met"] for row in table(series) if row["dimension"] == "host"]
    assert met == sorted(met)
    assert len(set(met)) > 1


def test_a_page_of_more_rows_than_it_can_hold_says_how_many_it_left_out():
    many = Repetition(tuple(Sent(1, host=f"h{at}.example") for at in range(MOST_ROWS + 3)))
    assert "other rows" in text(series_of(many, many))


def test_the_json_holds_the_labels_the_steps_and_every_key(series):
    found = json.loads(b"".join(series_json(series)))
    assert found["labels"] == ["v1", "v2", "v3"]
    assert [step["summary"]["new"] for step in found["steps"]] == ["v2", "v3"]
    assert len(found["versions"]) == series.versions.height
    assert json.loads(summary_json(series, {"v1 to v2": {}}))["failed"] == {"v1 to v2": {}}


def test_what_is_written_is_what_the_manifest_lists(series, tmp_path):
    started = datetime.now(UTC)
    files = write(series, tmp_path / "out", formats=ALL, force=False, started=started)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    listed = {output["file"] for output in manifest["outputs"]}
    assert {path.name for path in files} == listed | {"manifest.json"}
    assert [step["base"]["label"] for step in manifest["steps"]] == ["v1", "v2"]
    rows = pl.read_parquet(tmp_path / "out" / "versions.parquet")
    assert rows.height == series.versions.height
