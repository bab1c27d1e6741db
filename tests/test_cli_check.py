"""`phonehome check` from its words to its exit code, and the recipe of its guide as written."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.sax import make_parser
from xml.sax.handler import ContentHandler

import pytest

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "captures" / "samples"
OLD = SAMPLES / "parrot-1.0" / "rep1.pcap"
NEW = SAMPLES / "parrot-2.0" / "rep1.pcapng"
GUIDE = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")
HEAD = '[[claim]]\nid = "one"\nsentence = "s"\nsource = "x"\n'


def timeline(capture):
    return capture.with_name("rep1.timeline.csv")


@pytest.fixture
def claims(tmp_path):
    """A file with one claim of these lines; with none, the file of the guide."""

    def write(*lines):
        path = tmp_path / "claims.toml"
        text = (
            HEAD + "\n".join(lines)
            if lines
            else re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)[0]
        )
        path.write_text(text, encoding="utf-8")
        return path

    return write


class Cases(ContentHandler):
    """What a reader of JUnit's XML that knows nothing of us finds in it."""

    def __init__(self):
        self.found, self.open = {}, None

    def startElement(self, name, attrs):  # noqa: N802 - the parser's name
        if name == "testcase":
            self.open = attrs["name"]
            self.found[self.open] = "passed"
        elif name in {"failure", "skipped", "error"}:
            self.found[self.open] = name


def cases(path):
    handler, parser = Cases(), make_parser()  # noqa: S317 - our own file
    parser.setContentHandler(handler)
    parser.parse(str(path))
    return handler.found


@pytest.mark.parametrize(("capture", "code"), [(OLD, 0), (NEW, 1)])
def test_the_recipe_of_the_guide_passes_one_version_and_fails_the_other(
    tmp_path, claims, capture, code
):
    claims()
    program = tmp_path / "phonehome"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n')
    program.chmod(0o755)
    (recipe,) = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)
    environment = os.environ | {
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "CAPTURE": str(capture),
        "TIMELINE": str(timeline(capture)),
    }
    done = subprocess.run(
        ["sh", "-c", recipe],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    expected = "failure" if code else "passed"
    assert cases(tmp_path / "claims.xml") == {
        "no-singapore": expected, "quiet-while-idle": expected, "few-hosts": "passed",
    }  # fmt: skip
    run = json.loads((tmp_path / "claims.sarif").read_text())["runs"][0]
    assert [result["kind"] for result in run["results"]].count("fail") == (2 if code else 0)
    assert "# Claims" in (tmp_path / "claims.md").read_text()


def test_a_capture_and_what_analyze_wrote_of_it_say_the_same(tmp_path, call, claims):
    given = ("--timeline", timeline(NEW), "--claims", claims())
    code, fresh, shown = call("check", NEW, *given, "--json")
    assert code == 1
    assert "contradicted" in shown
    folder = tmp_path / "out"
    assert call("analyze", NEW, *given[:2], "-o", folder, "--format", "parquet", "--quiet")[0] == 0
    code, saved, _ = call("check", folder, *given[2:], "--json", "--quiet")
    assert (code, saved) == (1, fresh)
    assert json.loads(saved)["results"] == {"supported": 1, "contradicted": 2, "cannot tell": 0}


def test_options_of_captures_are_refused_for_what_was_analysed_before(tmp_path, call, claims):
    folder = tmp_path / "out"
    call("analyze", OLD, "-o", folder, "--format", "parquet", "--quiet")
    code, _, said = call("check", folder, "--claims", claims(), "--phone-location", "CA")
    assert code == 2
    assert "--phone-location is for captures" in said


def test_the_report_and_its_tables_hold_the_claims(tmp_path, call, claims):
    folder = tmp_path / "out"
    given = ("--timeline", timeline(NEW), "--claims", claims())
    assert call("analyze", NEW, *given, "-o", folder, "--quiet")[0] == 0
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 'id="claim-no-singapore"' in page
    assert "3 claims: 1 supported, 2 contradicted." in page
    rows = json.loads((folder / "analysis.json").read_bytes())["claims"]
    assert [row["claim"] for row in rows] == ["no-singapore", "quiet-while-idle", "few-hosts"]
    assert (folder / "claims.parquet").exists()


def test_what_cannot_be_told_warns_or_fails(tmp_path, call, claims):
    path = claims('idle-upload-below = "1 kB"')  # no timeline: no phases
    for words, code, kind in (((), 0, "skipped"), (("--strict",), 1, "failure")):
        target = tmp_path / "x.xml"
        found, _, said = call("check", OLD, "--claims", path, "--junit", target, *words)
        assert (found, cases(target)) == (code, {"one": kind})
        assert "no phases known" in said.lower()


def test_files_of_results_never_replace_an_input_or_each_other(tmp_path, call, claims):
    path = claims()
    before = path.read_bytes()
    for words in (("--junit", path), ("--junit", tmp_path / "x", "--sarif", tmp_path / "x")):
        code, _, said = call("check", OLD, "--claims", path, *words)
        assert code == 2
        assert "expected a file of its own" in said
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_written_leaves_none_behind(tmp_path, call, claims):
    words = ("--sarif", tmp_path / "a.sarif", "--junit", tmp_path / "none" / "x.xml")
    code, _, said = call("check", OLD, "--claims", claims('no-upload-to = ["SG"]'), *words)
    assert code == 6
    assert "x.xml: cannot be written" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["claims.toml"]


def test_a_check_writes_the_whole_report_where_it_is_asked_for(tmp_path, call, claims):
    folder, path = tmp_path / "out", claims('no-upload-to = ["CN"]')
    assert call("check", OLD, "--claims", path, "-o", folder, "--quiet")[0] == 0
    assert 'id="claim-one"' in (folder / "report.html").read_text(encoding="utf-8")
    assert json.loads((folder / "analysis.json").read_bytes())["claims"][0]["claim"] == "one"
    code, _, said = call("check", OLD, "--claims", path, "-o", folder)
    assert (code, "use --force to replace it" in said) == (2, True)
    code, _, said = call("check", folder, "--claims", path, "-o", tmp_path / "other")
    assert (code, "--output is for captures" in said) == (2, True)
    assert not (tmp_path / "other").exists()


def test_a_sentence_on_an_app_is_contradicted_only_by_what_is_the_apps(tmp_path, call, claims):
    path = claims(
        'no-upload-to = "CN"',
        'verdicts = ["unverifiable", "disputed", "consistent"]',
        'subject = "app"',
    )
    code, _, said = call("check", NEW, "--claims", path)
    assert (code, "app unknown" in said.lower()) == (0, True)
    code, _, said = call("check", NEW, "--claims", path, "--app-alone")
    assert (code, "because the user says" in " ".join(said.split())) == (1, True)
    folder = tmp_path / "out"
    call("analyze", NEW, "-o", folder, "--format", "parquet", "--quiet")
    assert call("check", folder, "--claims", path, "--quiet")[0] == 0
    assert call("check", folder, "--claims", path, "--quiet", "--app-alone")[0] == 1
