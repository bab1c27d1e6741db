import hashlib
import json
from datetime import UTC, datetime

import polars as pl
import pytest

from phonehome.analyzer.tables import CHANGES, Changes
from phonehome.reports.comparison import files as comparison
from phonehome.reports.comparison import words
from phonehome.reports.exports.folder import OutputExists
from tests.made_sides import FORMULA, every_change

STARTED = datetime(2026, 9, 30, 12, 0, tzinfo=UTC)
ALL = frozenset({"html", "json", "csv", "parquet"})


@pytest.fixture(scope="module")
def both():
    return every_change()


def put(both, folder, formats=ALL, *, force=False):
    return comparison.write(both, folder, formats=formats, force=force, started=STARTED)


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_format_writes_its_file_and_the_manifest_comes_always(both, tmp_path):
    expected = {
        "html": {"compare.html"},
        "json": {"compare.json"},
        "csv": {"changes.csv", "traits.csv"},
        "parquet": {"changes.parquet", "traits.parquet"},
    }
    for kind, files in expected.items():
        put(both, tmp_path / kind, frozenset({kind}))
        assert set(everything(tmp_path / kind)) == files | {"manifest.json"}


def test_a_folder_that_is_there_is_refused_and_replaced_by_force(both, tmp_path):
    put(both, tmp_path / "out")
    with pytest.raises(OutputExists, match="already exists; use --force"):
        put(both, tmp_path / "out")
    assert set(everything(tmp_path / "out")) == {path.name for path in put(both, tmp_path / "two")}
    put(both, tmp_path / "out", force=True)
    (tmp_path / "out" / "mine.txt").touch()
    with pytest.raises(OutputExists, match=r"mine\.txt"):
        put(both, tmp_path / "out", force=True)


def test_two_runs_differ_in_nothing_but_the_manifest(both, tmp_path):
    put(both, tmp_path / "one")
    put(both, tmp_path / "two")
    one, two = everything(tmp_path / "one"), everything(tmp_path / "two")
    assert one.pop("manifest.json") != two.pop("manifest.json")
    assert one == two


def test_the_made_comparison_has_every_change(both):
    assert set(both.changes["change"]) == set(CHANGES)


def test_parquet_and_json_hold_the_same_rows(both, tmp_path):
    put(both, tmp_path / "out")
    table = pl.read_parquet(tmp_path / "out" / "changes.parquet")
    assert Changes.validate(table).equals(both.changes)
    written = json.loads((tmp_path / "out" / "compare.json").read_bytes())
    assert [row["key"] for row in written["changes"]] == table["key"].to_list()
    assert [row["new_up_unique_bytes"] for row in written["changes"]] == (
        table["new_up_unique_bytes"].to_list()
    )
    assert written["changes"][0]["base_exposure"] == table["base_exposure"][0].total_seconds() * 1e9
    assert set(comparison.TABLES) <= set(written)


def test_no_cell_of_csv_begins_a_formula(both, tmp_path):
    put(both, tmp_path / "out", frozenset({"csv"}))
    table = pl.read_csv(tmp_path / "out" / "changes.csv")
    assert f"'{FORMULA}" in table["key"].to_list()
    assert not any(key.startswith("=") for key in table["key"].drop_nulls())


def test_the_manifest_has_both_sides_and_the_hash_of_every_file(both, tmp_path):
    put(both, tmp_path / "out")
    files = everything(tmp_path / "out")
    manifest = json.loads(files.pop("manifest.json"))
    assert {output["file"]: output["sha256"] for output in manifest["outputs"]} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert [len(manifest[name]["inputs"]) for name in ("base", "new")] == [2, 3]
    assert manifest["base"]["inputs"][0]["sha256"] == both.captures["base"]["sha256"][0]
    assert manifest["new"]["databases"][0]["data_date"] == "2026-06-01"
    assert manifest["started"] == "2026-09-30T12:00:00.000000Z"


def test_the_summary_says_what_is_new_gone_and_moved_and_claims_nothing(both):
    written = json.loads(comparison.summary_json(both, {"new-country": ["CN"]}))
    overall = written["summary"]["changes"]["country"]["all"]
    assert overall["new"] == ["CN", "SG"]
    assert overall["gone"] == ["FI"]
    assert written["summary"]["repetitions"] == {"base": 2, "new": 3}
    (moved,) = written["summary"]["moved_hosts"]
    assert (moved["host"], moved["new_countries"]) == ("moved.example", ["SG"])
    assert written["failed"] == {"new-country": ["CN"]}
    assert written["method"]["text"] == words.METHOD
    assert written["method"]["tests"] == both.family
    assert "\n" not in comparison.summary_json(both, {})
