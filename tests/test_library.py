"""The library as its users call it: one name, one path or many, and what was written read back."""

import ast
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
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
    script = (
        "import os, sys; before = set(sys.modules); import phonehome; "
        "print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert ast.literal_eval(done.stdout) == ["phonehome"]


def test_what_was_written_is_loaded_as_it_was(analysis, folder):
    loaded = phonehome.load(folder)
    for name, table in exported(analysis).items():
        assert getattr(loaded, name).equals(table), name
    assert loaded.summary == analysis.summary
    assert loaded.notes == analysis.notes
    assert replace(loaded.settings, timelines=()) == replace(analysis.settings, timelines=())
    assert repr(loaded) == repr(analysis)


FORMATS = ("html", "md", "json", "csv", "parquet")


@pytest.mark.parametrize("formats", ["parquet", "json", "html,json,parquet"])
@pytest.mark.parametrize("name", ["parrot-1.0/rep1", "parrot-2.0/rep2"])
def test_what_was_loaded_is_written_as_before(samples, tmp_path, formats, name):
    made = samples(name).analysis
    phonehome.write(made, tmp_path / "first", formats=FORMATS)
    phonehome.write(made, tmp_path / "saved", formats=formats)
    phonehome.write(phonehome.load(tmp_path / "saved"), tmp_path / "again", formats=FORMATS)
    first, again = (contents(tmp_path / folder) for folder in ("first", "again"))
    assert first.keys() == again.keys()
    assert [file for file in first if first[file] != again[file]] == []


def contents(folder):
    """What stands in each file; of the manifest all but the clock, which it alone has."""
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    manifest = json.loads(found["manifest.json"])
    return found | {"manifest.json": manifest | {"started": None, "finished": None}}


def test_csv_is_not_read_back_and_says_so(analysis, tmp_path):
    phonehome.write(analysis, tmp_path / "out", formats="csv")
    with pytest.raises(phonehome.PhonehomeError, match="CSV is for spreadsheets and cannot be"):
        phonehome.load(tmp_path / "out")


def test_a_summary_is_found_where_an_older_phonehome_wrote_it(folder, tmp_path, analysis):
    old = copied(folder, tmp_path / "old")
    manifest = json.loads((old / "manifest.json").read_bytes())
    del manifest["summary"], manifest["settings"]["language"]
    manifest["settings"]["no_setting_any_more"] = 1
    (old / "manifest.json").write_text(json.dumps(manifest))
    assert phonehome.load(old).summary == analysis.summary
    (old / "analysis.json").write_bytes(b"{}")
    with pytest.raises(phonehome.PhonehomeError, match="SHA-256"):
        phonehome.load(old)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("settings", None),
        ("settings", []),
        ("settings", {"phones": ["nowhere"]}),
        ("settings", {"sent": [{"size": 1}]}),
        ("settings", {"limits": 3}),
        ("summary", {}),
        ("summary", 3),
        ("notes", 3),
        ("limits_hit", 3),
        ("limits_hit", {"names": "many"}),
        ("keys_used", "many"),
    ],
)
def test_a_manifest_that_says_what_cannot_be_is_refused_in_one_line(folder, tmp_path, name, value):
    changed = copied(folder, tmp_path / "changed")
    manifest = json.loads((changed / "manifest.json").read_bytes())
    (changed / "manifest.json").write_text(json.dumps(manifest | {name: value}))
    with pytest.raises(phonehome.PhonehomeError) as refused:
        phonehome.load(changed)
    assert "\n" not in str(refused.value)


def rewritten(folder, change):
    """Change `analysis.json`, and let the manifest agree with it."""
    path = folder / "analysis.json"
    path.write_text(change(path.read_text()))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    (own,) = [output for output in manifest["outputs"] if output["file"] == path.name]
    own["sha256"] = sha256(path.read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:0],
        lambda text: f"[{text}]",
        lambda text: "[" * 100_000 + text,
        lambda text: text.replace('"packets"', '"pakete"'),
        lambda text: text.replace('"flow":1,', '"flow":"one",'),
        lambda text: text.replace('"phones":[', '"phones":[3,'),
        lambda text: re.sub(r'"phones":\[[^]]*]', '"phones":3', text),
        lambda text: text.replace("2026-", "2026/"),
    ],
)
def test_json_that_is_not_what_is_written_is_refused_in_one_line(analysis, tmp_path, change):
    phonehome.write(analysis, tmp_path / "out", formats="json")
    rewritten(tmp_path / "out", change)
    with pytest.raises(phonehome.PhonehomeError) as refused:
        phonehome.load(tmp_path / "out")
    assert "\n" not in str(refused.value)


def copied(folder, target):
    return Path(shutil.copytree(folder, target))


def test_a_folder_of_before_there_were_findings_is_loaded(folder, tmp_path):
    old = copied(folder, tmp_path / "old")
    (old / "findings.parquet").unlink()
    manifest = json.loads((old / "manifest.json").read_bytes())
    manifest["outputs"] = [x for x in manifest["outputs"] if x["file"] != "findings.parquet"]
    (old / "manifest.json").write_text(json.dumps(manifest))
    assert phonehome.load(old).findings.is_empty()
    assert phonehome.check(old, "strict-privacy").height


@pytest.mark.parametrize("missing", ["flows.parquet", "manifest.json"])
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
        if path.name == "flows.parquet":
            octets = octets[:-1] + b"x"
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


def test_analyses_are_compared_as_their_folders_are(samples, tmp_path):
    old, new = (samples(f"parrot-{version}/rep1").analysis for version in ("1.0", "2.0"))
    for name, analysis in (("old", old), ("new", new)):
        phonehome.write(analysis, tmp_path / name, formats="parquet")
    of_folders = phonehome.compare(tmp_path / "old", tmp_path / "new")
    for base, other in (
        (old, new),
        ([old], tmp_path / "new"),
        (old, phonehome.load(tmp_path / "new")),
    ):
        found = phonehome.compare(base, other)
        assert found.changes.equals(of_folders.changes)
        assert found.traits.equals(of_folders.traits)
    assert phonehome.compare(old, new).labels == {"base": "rep1.pcap", "new": "rep1.pcapng"}


def test_two_analyses_of_captures_of_one_name_are_two_repetitions(samples):
    old, new = (samples(f"parrot-1.0/rep{number}").analysis for number in (1, 2))
    same_name = replace(new, captures=new.captures.with_columns(capture=pl.lit("rep1.pcap")))
    found = phonehome.compare([old, same_name], [old])
    assert found.repetitions.filter(side="base").height == 2


def test_a_comparison_is_shown_in_two_lines_and_written(samples, tmp_path):
    old, new = (samples(f"parrot-{version}/rep1").analysis for version in ("1.0", "2.0"))
    found = phonehome.compare(old, new, base_version="1\x1b[31m")
    first, second = repr(found).split("\n")
    assert first == "Comparison of 1\\x1b[31m (1 repetition) with rep1.pcapng (1 repetition)"
    assert re.match(r"hosts: \d+ ", second)
    files = phonehome.write(found, tmp_path / "out", "html,json,parquet")
    assert {path.name for path in files} >= {"compare.html", "compare.json", "manifest.json"}
    with pytest.raises(phonehome.PhonehomeError, match="html,json,csv,parquet expected"):
        phonehome.write(found, tmp_path / "other", "md")


@pytest.mark.parametrize("arguments", [("-m", "phonehome"), ("phonehome.py",)])
def test_python_m_phonehome_is_the_command(arguments):
    done = subprocess.run(
        [sys.executable, *arguments, "check", "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith("Usage: phonehome check ")


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
    assert Path("compared", "compare.html").exists()
