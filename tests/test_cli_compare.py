"""`phonehome compare` from its words to its exit code."""

import json
import shutil
import sys
from pathlib import Path

import click
import pytest

from phonehome import cli, errors
from phonehome.analyzer.comparison import fail_rules
from tests.looks import first
from tests.small_captures import PHONE, REMOTE, connection, ethernet, household, pcap, put

SAMPLES = Path(__file__).parents[1] / "captures" / "samples"
OLD, NEW = SAMPLES / "parrot-1.0", SAMPLES / "parrot-2.0"


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Runs the command line in an empty folder; returns exit code, output, errors."""

    def command(*words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["phonehome", *map(str, words)])
        with pytest.raises(SystemExit) as leaving:
            cli.main()
        return leaving.value.code, *capsys.readouterr()

    return command


def spelled_out(*words):
    return list(cli._ManyPaths("compare")._spelled_out(list(words)))


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        (["--base", "a", "b", "--new", "c"], ["--base", "a", "--base", "b", "--new", "c"]),
        (["--base", "a", "--new", "c", "d"], ["--base", "a", "--new", "c", "--new", "d"]),
        (["--base=a", "b", "--new=c"], ["--base=a", "--base", "b", "--new=c"]),
        (["--base", "a", "--base", "b"], ["--base", "a", "--base", "b"]),
        (["--base", "-", "--new", "a", "-"], ["--base", "-", "--new", "a", "--new", "-"]),
        (["--base", "a", "-o", "b", "c"], ["--base", "a", "-o", "b", "c"]),
        (["--group", "1=a", "b", "c"], ["--group", "1=a", "--group", "1=b", "--group", "1=c"]),
        (["--group=1=a", "b"], ["--group=1=a", "--group", "1=b"]),
        (
            ["--group", "1=a", "x=y", "--group", "2=b", "c"],
            ["--group", "1=a", "--group", "1=x=y", "--group", "2=b", "--group", "2=c"],
        ),
        (["--base", "a", "--json", "--new", "b"], ["--base", "a", "--json", "--new", "b"]),
        ([], []),
    ],
)
def test_an_option_of_paths_takes_every_word_up_to_the_next_option(given, spelled):
    assert spelled_out(*given) == spelled


def test_paths_reach_the_command_however_they_are_written(run):
    ways = [
        ["--base", OLD / "rep1.pcap", OLD / "rep2.pcap", "--new", NEW / "rep1.pcapng"],
        ["--new", NEW / "rep1.pcapng", "--base", OLD / "rep1.pcap", "--base", OLD / "rep2.pcap"],
    ]
    summaries = []
    for number, words in enumerate(ways):
        code, out, err = run("compare", *words, "-o", f"out{number}", "--json", "--quiet")
        assert (code, err) == (0, "")
        summaries.append(json.loads(out))
    assert summaries[0] == summaries[1]
    assert summaries[0]["summary"]["repetitions"] == {"base": 2, "new": 1}


def test_the_files_are_written_and_a_person_is_told_on_standard_error(run, tmp_path):
    code, out, err = run("compare", "--base", OLD, "--new", NEW)
    assert (code, out) == (0, "")
    assert "New: 2 countries, 1 network and 2 hosts" in err
    assert "compare.phonehome/compare.html" in err
    assert {path.name for path in (tmp_path / "compare.phonehome").iterdir()} == {
        "compare.html",
        "compare.json",
        "changes.parquet",
        "traits.parquet",
        "manifest.json",
    }
    code, _, err = run("compare", "--base", OLD, "--new", NEW)
    assert code == errors.USAGE
    assert "use --force to replace it" in err


MATCHING = [*fail_rules.NEW, "idle-upload>+20%", "impossible"]


def test_a_rule_that_matches_ends_in_one_and_says_what_matched(run):
    words = [word for rule in MATCHING for word in ("--fail-on", rule)]
    code, out, err = run("compare", "--base", OLD, "--new", NEW, *words, "--json")
    assert code == errors.CHECK_FAILED
    assert list(json.loads(out)["failed"]) == MATCHING
    assert all(f"{rule}: matched by" in err for rule in MATCHING)


@pytest.mark.parametrize("rule", first(MATCHING))
def test_one_rule_that_matches_is_enough(run, rule):
    code, out, err = run("compare", "--base", OLD, "--new", NEW, "--fail-on", rule, "--json")
    assert code == errors.CHECK_FAILED
    assert list(json.loads(out)["failed"]) == [rule]
    assert f"{rule}: matched by" in err


def test_rules_that_nothing_matches_end_in_nothing(run):
    words = [word for rule in (*fail_rules.NEW, "upload>0%") for word in ("--fail-on", rule)]
    code, out, _ = run("compare", "--base", OLD, "--new", OLD, *words, "--json")
    assert (code, json.loads(out)["failed"]) == (0, {})


def test_an_unknown_rule_is_refused_and_the_known_ones_are_named(run):
    code, _, err = run("compare", "--base", OLD, "--new", NEW, "--fail-on", "new-moon")
    assert code == errors.USAGE
    assert all(kind.form in " ".join(err.split()) for kind in fail_rules.KINDS)


@pytest.mark.parametrize(
    "words", [[], ["--base", OLD], ["--base", "--new", OLD], ["--new", OLD, "--base"]]
)
def test_a_missing_side_is_refused(run, words):
    code, _, err = run("compare", *words)
    assert code == errors.USAGE
    assert "--base" in err or "--new" in err


@pytest.mark.parametrize("value", ["", "ten", "-1", "101%", "nan"])
def test_a_part_that_is_no_percentage_is_refused(run, value):
    code, _, err = run("compare", "--base", OLD, "--new", NEW, "--same-within", value)
    assert code == errors.USAGE
    assert "a percentage from 0 to 100 expected" in err


@pytest.mark.parametrize(("text", "part"), [("10%", 0.1), ("2.5", 0.025), ("0", 0), (" 100 % ", 1)])
def test_a_percentage_is_read_with_and_without_its_sign(text, part):
    context = click.Context(click.Command("compare"))
    assert cli._share(context, click.Option(["--same-within"]), text) == part


def test_a_path_that_is_nothing_to_compare_is_refused(run, tmp_path):
    (tmp_path / "no.pcap").write_text("no capture")
    for path in ("missing.pcap", "no.pcap"):
        code, _, err = run("compare", "--base", OLD, "--new", path)
        assert code == errors.REFUSED
        assert path in err
        assert not (tmp_path / "compare.phonehome").exists()


def test_a_damaged_capture_ends_in_three_but_in_one_where_a_rule_matched(run, tmp_path):
    whole = pcap(household())
    put(tmp_path / "whole.pcap", whole)
    put(tmp_path / "cut.pcap", whole[:-7])
    code, _, err = run("compare", "--base", "whole.pcap", "--new", "cut.pcap")
    assert code == errors.DAMAGED
    assert "part of cut.pcap could not be read" in err
    words = ("compare", "--base", OLD, "--new", "cut.pcap", "--force", "--fail-on", "new-host")
    assert run(*words)[0] == errors.CHECK_FAILED


def test_a_saved_analysis_stands_for_its_capture(run, tmp_path):
    capture = shutil.copy(OLD / "rep1.pcap", tmp_path)
    timeline = shutil.copy(OLD / "rep1.timeline.csv", tmp_path / "given.csv")
    run("analyze", capture, "--timeline", timeline, "-o", "saved", "--quiet")
    words = ("compare", "--base", "saved", "--new", OLD / "rep1.pcap", "--json", "--quiet")
    code, out, _ = run(*words)
    changes = json.loads(out)["summary"]["changes"]
    assert code == 0
    assert {word for states in changes.values() for one in states.values() for word in one} == {
        "same"
    }


def test_timelines_given_for_a_side_are_those_of_that_side_alone(run):
    words = ("--base-timeline", OLD / "rep1.timeline.csv", "--json", "--quiet")
    both = ("compare", "--base", OLD / "rep1.pcap", "--new", NEW / "rep1.pcapng")
    _, out, _ = run(*both, *words)
    settings = json.loads(out)["settings"]
    assert settings["base"]["timelines"] == ["rep1.timeline.csv"]
    assert settings["new"]["timelines"] == []


def test_sides_are_called_as_they_are_told_to_be_and_by_whom_is_said(run):
    words = ["--base", OLD / "rep1.pcap", "--new", NEW / "rep1.pcapng", "--base-label", "1.0"]
    code, out, err = run("compare", *words, "--json")
    summary = json.loads(out)["summary"]
    assert code == 0
    assert (summary["base"], summary["new"]) == ("1.0", "rep1.pcapng")
    assert summary["label_sources"] == {"base": "as given", "new": "name of its paths"}
    assert "1.0 (as given)" in err


def test_what_analyze_takes_is_taken_for_both_sides(run):
    words = ["--phone-location", "Toronto, CA", "--infer-phases", "--clock-offset", "3"]
    code, out, _ = run("compare", "--base", OLD, "--new", NEW, *words, "--json", "--quiet")
    settings = json.loads(out)["settings"]
    assert code == 0
    assert [settings[side]["phone_location"] for side in ("base", "new")] == ["Toronto, CA"] * 2
    assert [settings[side]["clock_offset"] for side in ("base", "new")] == [3.0, 3.0]
    assert settings["base"]["infer_phases"] is True


def test_a_list_of_connections_that_is_none_is_refused_in_one_line(run, tmp_path):
    wrong = put(tmp_path / "wrong.csv", b"a,b\n1,2\n")
    code, _, err = run("compare", "--base", OLD, "--new", NEW, "--connections", wrong)
    assert code == errors.USAGE
    assert err.count("\n") == 1
    assert "wrong.csv" in err


def test_more_than_two_versions_are_a_series(run, tmp_path):
    groups = [f"--group=1.0={OLD / 'rep1.pcap'}", "--group", f"2.0={NEW / 'rep1.pcapng'}"]
    groups += [str(NEW / "rep2.pcapng"), "--group", f"2.0 again={NEW / 'rep1.pcapng'}"]
    code, out, _ = run("compare", *groups, "--fail-on", "new-host", "--json", "--quiet")
    found = json.loads(out)
    assert code == errors.CHECK_FAILED
    assert found["labels"] == ["1.0", "2.0", "2.0 again"]
    assert found["steps"][0]["summary"]["repetitions"] == {"base": 1, "new": 2}
    assert set(found["failed"]) == {"1.0 to 2.0"}
    assert (tmp_path / "compare.phonehome" / "series.html").is_file()
    assert (tmp_path / "compare.phonehome" / "2-compare.html").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ["--group", f"1={OLD}"],
        ["--group", f"1={OLD}", "--group", f"1={NEW}"],
        ["--group", OLD, "--group", NEW],
        ["--group", f"1={OLD}", "--group", f"2={NEW}", "--base", OLD],
        ["--group", f"1={OLD}", "--group", f"2={NEW}", "--new-label", "3"],
    ],
)
def test_a_series_without_two_labels_or_with_a_side_is_a_usage_error(run, words):
    code, _, err = run("compare", *words)
    assert code == errors.USAGE
    assert "group" in err


def test_a_claim_that_a_new_capture_contradicts_ends_a_build(tmp_path, run):
    claims = tmp_path / "policy.toml"
    claims.write_text(
        '[[claim]]\nid = "no-singapore"\nsentence = "The app uploads nothing to Singapore."\n'
        'source = { text = "Release policy", date = 2026-09-01 }\nno-upload-to = ["SG"]\n'
        'verdicts = ["consistent", "disputed", "unverifiable"]\n',
        encoding="utf-8",
    )
    rule = ("--fail-on", f"claims:{claims}", "--force")
    code, _, err = run("compare", "--base", OLD, "--new", NEW, *rule)
    assert (code, "no-singapore in rep1.pcapng" in err) == (1, True), err
    assert run("compare", "--base", NEW, "--new", OLD, *rule, "--quiet")[0] == 0
    claims.write_text("not toml", encoding="utf-8")
    code, _, err = run("compare", "--base", OLD, "--new", NEW, *rule)
    assert (code, "policy.toml" in err) == (2, True)


def test_an_identifier_that_is_new_to_a_host_ends_a_build(tmp_path, run):
    known = tmp_path / "known.toml"
    known.write_text(
        '[[identifier]]\nkind = "email"\nlabel = "Ann"\nvalue = "ann@parrot.example"\n'
    )
    for name, body in (("one", b"nothing to see"), ("other", b"m=ann@parrot.example")):
        (tmp_path / name).mkdir()
        packets = connection((PHONE, 50_001), (REMOTE, 80), [("up", body)])
        put(tmp_path / name / "a.pcap", pcap([ethernet(one) for one in packets]))
    rule = ("--phone", PHONE, "--fail-on", "new-identifier", "--force")
    listed = (*rule, "--identifiers", known)
    one, other = tmp_path / "one", tmp_path / "other"
    code, _, err = run("compare", "--base", one, "--new", other, *listed)
    assert (code, f"Ann to {REMOTE}" in err) == (1, True), err
    assert run("compare", "--base", other, "--new", one, *listed, "--quiet")[0] == 0
    code, _, err = run("compare", "--base", one, "--new", other, *rule)
    assert (code, "nobody said what to search for" in err) == (1, True)


def test_a_stable_token_that_is_new_to_a_host_ends_a_build(tmp_path, run):
    value = "9f86d081884c7d659a2feaa0c55ad015"
    for name, line in (("one", "X-A: none"), ("other", f"X-Install: {value}")):
        asked = [f"GET /{at} HTTP/1.1\r\nHost: t.example\r\n{line}\r\n\r\n" for at in range(3)]
        packets = connection(
            (PHONE, 50_001), (REMOTE, 80), [("up", octets.encode()) for octets in asked]
        )
        (tmp_path / name).mkdir()
        put(tmp_path / name / "a.pcap", pcap([ethernet(one) for one in packets]))
    rule = ("--phone", PHONE, "--fail-on", "new-token", "--force")
    one, other = tmp_path / "one", tmp_path / "other"
    code, _, err = run("compare", "--base", one, "--new", other, *rule)
    assert (code, "header x-install to t.example" in err) == (1, True), err
    assert value not in err
    assert run("compare", "--base", other, "--new", one, *rule, "--quiet")[0] == 0
    assert run("compare", "--base", other, "--new", other, *rule, "--quiet")[0] == 0


def test_what_was_revealed_in_private_is_compared_in_private(call, tmp_path):
    known = tmp_path / "known.toml"
    known.write_text(
        'digest_key = "0123456789abcdef"\n[[identifier]]\nkind = "text"\nvalue = "a-planted-text"\n'
    )
    saved = []
    for side, capture in (("old", OLD), ("new", NEW)):
        saved.append(tmp_path / side)
        words = ("--identifiers", known, "--reveal", "-o", saved[-1], "--quiet")
        assert call("analyze", capture, *words)[0] == 0
    out = tmp_path / "out"
    assert call("compare", "--base", saved[0], "--new", saved[1], "-o", out, "--quiet")[0] in {0, 1}
    for path in (out, *out.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path
    junit = tmp_path / "claims.xml"
    call("check", saved[0], "--claims", "strict-privacy", "--junit", junit, "--quiet")
    assert junit.stat().st_mode & 0o077 == 0
    open_ = tmp_path / "open"
    assert call("compare", "--base", OLD, "--new", NEW, "-o", open_, "--quiet")[0] in {0, 1}
    assert (open_ / "compare.json").stat().st_mode & 0o044
