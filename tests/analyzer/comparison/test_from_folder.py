import json
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from phonehome.analyzer.comparison.from_folder import saved
from phonehome.analyzer.comparison.sides import observe
from phonehome.analyzer.result_folder import saved_folder, sha256, shown_name
from phonehome.analyzer.settings import Settings
from phonehome.captures.errors import CaptureError
from phonehome.reports.exports.folder import write

STARTED = datetime(2026, 9, 30, tzinfo=UTC)


@pytest.fixture
def results(samples, tmp_path):
    """Writes the results of a sample; returns their folder."""

    def put(name="parrot-1.0/rep1", formats=("parquet", "json")):
        folder = tmp_path / "-".join((name.replace("/", "-"), *formats))
        write(
            samples(name).analysis, folder, formats=frozenset(formats), force=False, started=STARTED
        )
        return folder

    return put


def test_a_saved_analysis_gives_what_its_capture_gives(results, samples):
    capture = samples("parrot-1.0/rep1").capture
    read = observe("base", [results()], Settings())
    fresh = observe("base", [capture], Settings())
    order = ["state", "label", "remote_address", "host", "service"]
    assert read.sent.sort(order).equals(fresh.sent.sort(order))
    assert read.exposures.equals(fresh.exposures)
    assert read.captures.equals(fresh.captures)
    assert read.databases.equals(fresh.databases)
    (row,) = read.repetitions.to_dicts()
    assert (row["is_saved"], row["timeline_source"]) == (True, "saved")
    assert row["timelines"] == ["rep1.timeline.csv"]


def test_a_folder_of_results_is_known_by_itself_and_by_its_files(results, tmp_path):
    folder = results()
    assert saved_folder(folder) == folder
    assert saved_folder(folder / "analysis.json") == folder
    assert saved_folder(tmp_path) is None
    assert saved_folder(folder / "manifest.json") is None


def test_results_without_tables_are_refused_and_say_what_is_missing(results):
    with pytest.raises(CaptureError, match=r"expected phases\.parquet, got none.*--format parquet"):
        saved(results(formats=("csv",)))


def test_results_in_json_alone_give_what_parquet_gives(results):
    of_json, of_parquet = (saved(results(formats=(one,))) for one in ("json", "parquet"))
    for each in fields(of_json):
        one, other = getattr(of_json, each.name), getattr(of_parquet, each.name)
        same = one.equals(other) if isinstance(one, pl.DataFrame) else one == other
        assert same or each.name == "name", each.name


def test_a_table_that_is_not_what_was_written_is_refused(results):
    folder = results()
    table = pl.read_parquet(folder / "uploads.parquet")
    table.with_columns(pl.col("up_unique_bytes") * 0).write_parquet(folder / "uploads.parquet")
    with pytest.raises(CaptureError, match=r"uploads\.parquet: expected the SHA-256"):
        saved(folder)


def rehash(folder, name):
    """Let the manifest agree with a file that was changed."""
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for output in manifest["outputs"]:
        if output["file"] == name:
            output["sha256"] = sha256(folder / name)
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(64) + b"PAR1"])
def test_a_file_that_is_no_parquet_is_refused(results, content):
    folder = results()
    (folder / "phases.parquet").write_bytes(content)
    rehash(folder, "phases.parquet")
    with pytest.raises(CaptureError, match=r"phases\.parquet: expected the table"):
        saved(folder)


def test_a_table_of_other_columns_is_refused(results):
    folder = results()
    pl.DataFrame({"phase": [1]}).write_parquet(folder / "phases.parquet")
    rehash(folder, "phases.parquet")
    with pytest.raises(CaptureError, match=r"phases\.parquet: expected the table"):
        saved(folder)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"outputs": [1]}', '{"outputs": [{}]}'])
def test_a_manifest_that_is_none_is_refused(results, content):
    folder = results()
    (folder / "manifest.json").write_text(content)
    with pytest.raises(CaptureError, match=r"manifest\.json: expected what analyze writes"):
        saved(folder)


def test_results_without_a_manifest_are_refused(results):
    folder = results()
    (folder / "manifest.json").unlink()
    with pytest.raises(CaptureError, match=r"expected manifest\.json in a saved analysis"):
        saved(folder)


def test_a_folder_named_by_a_dot_has_the_name_of_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown_name(tmp_path / "x.pcap") == "x.pcap"
    assert shown_name(Path()) == tmp_path.name
