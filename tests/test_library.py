"""The library as its users call it: one name, one path or many, and what was written read back."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import phonehome
from phonehome.reports.exports.to_json import exported

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "captures" / "samples"
ONE = SAMPLES / "parrot-1.0" / "rep1.pcap"
TIMELINE = SAMPLES / "parrot-1.0" / "rep1.timeline.csv"


@pytest.fixture(scope="module")
def analysis():
    return phonehome.analyze(str(ONE), timelines=str(TIMELINE), phone_location="Toronto, CA")


@pytest.fixture(scope="module")
def folder(analysis, tmp_path_factory):
    folder = tmp_path_factory.mktemp("library") / "result"
    phonehome.write(analysis, str(folder), formats="html,json,parquet")
    return folder


def test_the_library_offers_what_it_names():
    assert set(phonehome.__all__) == set(dir(phonehome))
    for name in phonehome.__all__:
        assert getattr(phonehome, name).__doc__
    with pytest.raises(AttributeError):
        phonehome.no_such_name  # noqa: B018 - asked for


def test_importing_it_loads_nothing_else():
    script = "import phonehome, sys; print(sorted(m for m in sys.modules if 'phonehome.' in m))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_analysis_shows_itself_in_three_lines(analysis):
    first, second, third = repr(analysis).split("\n")
    assert first.startswith("Analysis of rep1.pcap: ")
    assert f"{analysis.summary.up_unique_bytes:,} bytes up" in second
    assert f"{len(analysis.notes)} notes" in third
    assert len(repr(analysis)) < 400


def test_a_notebook_shows_no_name_as_markup(analysis):
    name = "<script>alert(1)</script>.pcap"
    captures = analysis.captures.with_columns(capture=pl.lit(name))
    shown = replace(analysis, captures=captures)._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_what_was_written_is_loaded_as_it_was(analysis, folder):
    loaded = phonehome.load(folder)
    for name, table in exported(analysis).items():
        assert getattr(loaded, name).equals(table), name
    assert loaded.summary == analysis.summary
    assert loaded.notes == analysis.notes
    assert replace(loaded.settings, timelines=()) == replace(analysis.settings, timelines=())
    assert repr(loaded) == repr(analysis)


def test_what_was_loaded_is_written_as_before(folder, tmp_path):
    phonehome.write(phonehome.load(folder), tmp_path / "again", formats="html,json,parquet")
    for path in folder.iterdir():
        if path.name != "manifest.json":
            assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes(), path.name


def test_a_folder_of_before_there_were_findings_is_loaded(folder, tmp_path):
    old = tmp_path / "old"
    old.mkdir()
    for path in folder.iterdir():
        (old / path.name).write_bytes(path.read_bytes())
    (old / "findings.parquet").unlink()
    manifest = json.loads((old / "manifest.json").read_bytes())
    manifest["outputs"] = [x for x in manifest["outputs"] if x["file"] != "findings.parquet"]
    (old / "manifest.json").write_text(json.dumps(manifest))
    assert phonehome.load(old).findings.is_empty()


@pytest.mark.parametrize("missing", ["flows.parquet", "analysis.json", "manifest.json"])
def test_what_is_missing_of_a_folder_is_told_in_one_line(folder, tmp_path, missing):
    part = tmp_path / "part"
    part.mkdir()
    for path in folder.iterdir():
        if path.name != missing:
            (part / path.name).write_bytes(path.read_bytes())
    with pytest.raises(phonehome.PhonehomeError) as refused:
        phonehome.load(part)
    assert "\n" not in str(refused.value)


def test_what_was_changed_is_not_loaded(folder, tmp_path):
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in folder.iterdir():
        octets = path.read_bytes()
        if path.name == "analysis.json":
            octets = octets.replace(b'"packets":', b'"packets": ', 1)
        (changed / path.name).write_bytes(octets)
    with pytest.raises(phonehome.PhonehomeError, match="SHA-256"):
        phonehome.load(changed)


def test_a_setting_that_cannot_be_is_refused_in_one_line():
    with pytest.raises(phonehome.PhonehomeError, match="phones: an IP address expected"):
        phonehome.analyze(ONE, phones="here")


@pytest.mark.parametrize("formats", ["pdf", "", ["html", "pdf"]])
def test_a_format_that_is_none_is_refused(analysis, tmp_path, formats):
    with pytest.raises(phonehome.PhonehomeError, match="html,md,json,csv,parquet expected"):
        phonehome.write(analysis, tmp_path / "out", formats=formats)


def test_claims_are_checked_on_an_analysis_and_on_its_folder_alike(analysis, folder):
    here, there = (phonehome.check(one, "strict-privacy") for one in (analysis, folder))
    assert here.height
    assert here.equals(there)


def test_versions_are_compared():
    found = phonehome.compare(
        SAMPLES / "parrot-1.0", SAMPLES / "parrot-2.0", base_version="8.0", new_version="8.1"
    )
    assert found.labels == {"base": "8.0", "new": "8.1"}
    assert found.changes.height


def test_the_examples_of_the_guide_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("phone", "old-1", "old-2"):
        Path(f"{name}.pcap").write_bytes(ONE.read_bytes())
    for name, of in (("new-1", "rep1"), ("new-2", "rep2")):
        capture = SAMPLES / "parrot-2.0" / f"{of}.pcapng"
        Path(f"{name}.pcap").write_bytes(capture.read_bytes())
    Path("phone.csv").write_bytes(TIMELINE.read_bytes())
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    names = {}
    for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(code, names)  # noqa: S102 - the page is ours
    assert names["again"].flows.equals(names["analysis"].flows)
