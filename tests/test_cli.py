"""The command line: options, exit codes, which stream says what, and that two runs are alike."""

import json
import shutil
import sys
from pathlib import Path

import polars as pl
import pytest

import phonehome.analyzer.analysis
import phonehome.captures.reading
from phonehome import cli
from tests.small_captures import PHONE, REMOTE, household, pcap, pcapng, put

SHIPPED = Path(__file__).parents[1] / "geo" / "data"
TABLES = ("captures", "flows", "ledger", "names", "oddities", "phases", "places", "uploads")
GUARD = """
import os, sys
TALK = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto",
        "socket.bind", "urllib.Request")
def guard(event, arguments):
    if event in TALK:
        os.write(2, f"talks: {event} {arguments}".encode())
        os._exit(99)
sys.addaudithook(guard)
"""


@pytest.fixture
def capture(tmp_path):
    return put(tmp_path / "walk.pcap", pcap(household()))


@pytest.fixture(autouse=True)
def somewhere(tmp_path, monkeypatch):
    """Each test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def done(tmp_path_factory, run, samples):
    """One run over a sample with everything: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("done")
    one = samples("parrot-2.0/rep3")
    (folder / "guard").mkdir()
    (folder / "guard" / "sitecustomize.py").write_text(GUARD)
    finished = run(
        "analyze",
        one.capture,
        "--timeline",
        one.timeline,
        "--app",
        "Parrot",
        "--version-label",
        "2.0",
        "--format",
        "html,json,csv,parquet",
        "--json",
        cwd=folder,
        environment={"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo"},
    )
    return folder / "rep3.phonehome", finished


def test_a_run_ends_well_and_writes_every_file_of_every_format(done):
    folder, finished = done
    assert finished.returncode == 0, finished.stderr
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "analysis.json", "manifest.json"} <= names
    assert {f"{table}.{suffix}" for table in TABLES for suffix in ("csv", "parquet")} <= names


def test_standard_output_is_one_json_document_and_nothing_else(done, samples):
    _, finished = done
    assert finished.stdout.count(b"\n") == 1
    told = json.loads(finished.stdout)
    summary = samples("parrot-2.0/rep3").analysis.summary
    assert told["up_unique_bytes"] == summary.up_unique_bytes
    assert told["up_unique_bytes_by_state"] == summary.up_unique_bytes_by_state
    assert (told["app"], told["version"]) == ("Parrot", "2.0")


def test_the_summary_for_people_is_on_standard_error(done):
    folder, finished = done
    told = finished.stderr.decode()
    assert "uploaded" in told
    assert f"written: {folder.name}" in told
    assert f"{folder.name}/report.html" in told
    assert "\x1b" not in told


def test_all_formats_hold_the_same_numbers(done):
    folder, finished = done
    wanted = json.loads(finished.stdout)["up_unique_bytes"]
    assert pl.read_parquet(folder / "uploads.parquet")["up_unique_bytes"].sum() == wanted
    assert pl.read_csv(folder / "uploads.csv")["up_unique_bytes"].sum() == wanted
    whole = json.loads((folder / "analysis.json").read_bytes())
    assert whole["summary"]["up_unique_bytes"] == wanted
    assert sum(row["up_unique_bytes"] for row in whole["uploads"]) == wanted


def test_another_run_elsewhere_gives_the_same_bytes_and_talks_to_nobody(
    done, run, samples, tmp_path
):
    """Another hash seed, time zone, locale and folder; only the manifest's clock may differ."""
    folder, _ = done
    one = samples("parrot-2.0/rep3")
    guard = str(folder.parent / "guard")
    finished = run(
        *("analyze", one.capture, "--timeline", one.timeline, "--app", "Parrot"),
        *("--version-label", "2.0", "--format", "html,json,csv,parquet", "-o", "other"),
        cwd=tmp_path,
        environment={
            "PYTHONHASHSEED": "77",
            "TZ": "America/Toronto",
            "LC_ALL": "C",
            "PYTHONPATH": f"{guard}:{Path(cli.__file__).parent}",
        },
    )
    assert finished.returncode == 0, finished.stderr
    for path in folder.iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes(), path.name
    manifests = [
        json.loads((place / "manifest.json").read_bytes()) for place in (folder, tmp_path / "other")
    ]
    for manifest in manifests:
        assert manifest.pop("started") <= manifest.pop("finished")
    assert manifests[0] == manifests[1]


def test_the_language_of_a_report_is_a_setting_and_not_taken_from_the_machine(
    run, samples, tmp_path
):
    capture = samples("parrot-1.0/rep1").capture
    for name, asked in {"plain": (), "german": ("--language", "de")}.items():
        finished = run(
            *("analyze", capture, *asked, "--format", "html,md,parquet", "-o", tmp_path / name),
            environment={"LANGUAGE": "de", "LANG": "de_DE.UTF-8", "LC_ALL": "de_DE.UTF-8"},
        )
        assert finished.returncode == 0, finished.stderr
        assert b"uploaded" in finished.stderr
    plain, german = (tmp_path / name for name in ("plain", "german"))
    assert '<html lang="en">' in (plain / "report.html").read_text()
    assert '<html lang="de">' in (german / "report.html").read_text()
    assert (german / "report.md").read_text().startswith("# Das Telefon lud")
    for path in german.glob("*.parquet"):
        assert path.read_bytes() == (plain / path.name).read_bytes(), path.name
    manifest = json.loads((german / "manifest.json").read_bytes())
    assert manifest["settings"]["language"] == "de"


def test_a_language_that_there_is_not_is_a_usage_error(run, samples):
    finished = run("analyze", samples("parrot-1.0/rep1").capture, "--language", "tlh")
    assert finished.returncode == 2
    assert b"--language" in finished.stderr


def test_the_guard_against_talking_would_bite(run, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(GUARD + "import socket\nsocket.getaddrinfo('x', 1)")
    finished = run("--version", environment={"PYTHONPATH": f"{tmp_path}"})
    assert finished.returncode == 99


def test_the_folder_is_named_after_the_capture(call, tmp_path):
    names = {
        "a.pcap": "a.phonehome",
        "b.pcapng": "b.phonehome",
        "c.pcap.gz": "c.phonehome",
        "8.0.50.pcap": "8.0.50.phonehome",
        "plain": "plain.phonehome",
    }
    for name, folder in names.items():
        put(tmp_path / name, pcap(household()[:5]))
        assert call("analyze", name, "--quiet", "--format", "json")[0] == 0
        assert (tmp_path / folder / "analysis.json").exists(), name


def test_a_folder_of_captures_lends_its_whole_name(call, tmp_path):
    (tmp_path / "app-8.0").mkdir()
    put(tmp_path / "app-8.0" / "one.pcap", pcap(household()[:5]))
    (tmp_path / "app-8.0" / "notes.txt").write_text("no capture")
    assert call("analyze", "app-8.0", "--quiet", "--format", "json")[0] == 0
    whole = json.loads((tmp_path / "app-8.0.phonehome" / "analysis.json").read_bytes())
    assert [row["capture"] for row in whole["captures"]] == ["one.pcap"]


def test_a_pattern_is_named_after_the_first_file_it_stands_for(call, tmp_path):
    for frames, name in enumerate(("b1.pcap", "b2.pcap", "other.pcap"), start=4):
        put(tmp_path / name, pcap(household()[:frames]))
    assert call("analyze", "b*.pcap", "--quiet", "--format", "json")[0] == 0
    whole = json.loads((tmp_path / "b1.phonehome" / "analysis.json").read_bytes())
    assert [row["capture"] for row in whole["captures"]] == ["b1.pcap", "b2.pcap"]


def test_several_captures_are_one_analysis_named_after_the_first(call, tmp_path):
    put(tmp_path / "late.pcap", pcap(household()))
    put(tmp_path / "early.pcapng", pcapng(household()[:9]))
    assert call("analyze", "late.pcap", "early.pcapng", "--quiet", "--format", "json")[0] == 0
    whole = json.loads((tmp_path / "late.phonehome" / "analysis.json").read_bytes())
    assert whole["summary"]["packets"] == len(household()) + 9


@pytest.mark.parametrize("container", [pcap, pcapng])
def test_standard_input_is_a_capture_too(run, tmp_path, container):
    finished = run(
        *("analyze", "-", "--format", "json", "--quiet", "--json"),
        input=container(household()),
        cwd=tmp_path,
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["packets"] == len(household())
    (row,) = json.loads((tmp_path / "standard-input.phonehome" / "analysis.json").read_bytes())[
        "captures"
    ]
    assert row["capture"] == "-"


def test_quiet_says_nothing_at_all(run, capture, tmp_path):
    finished = run("analyze", capture, "--quiet", cwd=tmp_path)
    assert (finished.returncode, finished.stdout, finished.stderr) == (0, b"", b"")
    assert (tmp_path / "walk.phonehome" / "report.html").exists()


def test_without_json_standard_output_stays_empty(call, capture):
    code, out, told = call("analyze", capture, "--format", "json")
    assert (code, out) == (0, "")
    assert "uploaded" in told


def test_quiet_with_json_says_the_json_alone(call, capture):
    code, out, told = call("analyze", capture, "--quiet", "--json", "--format", "json")
    assert (code, told) == (0, "")
    assert json.loads(out)["packets"] == len(household())


@pytest.mark.parametrize(
    ("formats", "files"),
    [
        ("html", {"report.html"}),
        ("json", {"analysis.json"}),
        (" json , html ", {"analysis.json", "report.html"}),
    ],
)
def test_only_the_formats_that_are_wanted_are_written(call, capture, tmp_path, formats, files):
    assert call("analyze", capture, "--format", formats, "-o", "out", "--quiet")[0] == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == files | {"manifest.json"}


def test_the_phone_can_be_named(call, capture):
    code, out, _ = call("analyze", capture, "--phone", "192.168.43.23", "--quiet", "--json")
    assert code == 0
    assert json.loads(out)["up_unique_bytes"] == 333


def test_other_databases_can_be_named(call, capture, tmp_path):
    database = SHIPPED / "ipfire-country.mmdb"
    assert call("analyze", capture, "--geo", database, "--quiet", "--format", "json")[0] == 0
    whole = json.loads((tmp_path / "walk.phonehome" / "analysis.json").read_bytes())
    assert [Path(row["file"]) for row in whole["databases"]] == [database]


def test_a_zone_for_timelines_can_be_named(call, capture, tmp_path):
    timeline = tmp_path / "t.csv"
    timeline.write_text(
        "start,end,state,label\n2026-09-28T14:53:00,2026-09-28T15:00:00,idle,night\n"
    )
    code, out, _ = call(
        *("analyze", capture, "--timeline", timeline, "--quiet", "--json"),
        *("--timezone", "Europe/Berlin"),
    )
    assert code == 0
    assert json.loads(out)["idle_share"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Missing argument"),
        (("walk.pcap", "--phone", "phone"), "an IP address expected"),
        (("walk.pcap", "--format", "pdf"), "'pdf' found"),
        (("walk.pcap", "--format", ""), "expected"),
        (("walk.pcap", "--wrong"), "--wrong"),
        (("walk.pcap", "--timeline", "no.csv"), "no.csv: cannot be read"),
        (("walk.pcap", "--timeline", "walk.pcap"), "walk.pcap: byte "),
        (("walk.pcap", "--timezone", "Mars/Olympus"), "Mars/Olympus"),
        (("walk.pcap", "--geo", "walk.pcap"), "walk.pcap"),
        (("walk.pcap", "--geo", "no.mmdb"), "no.mmdb"),
        (("walk.pcap", "--clock-offset", "soon"), "'soon' found"),
        (("walk.pcap", "--sent", "no.jpg"), "no.jpg: cannot be read"),
        (("walk.pcap", "--sent", "photo=."), "a file that is not empty"),
        (("walk.pcap", "--sent-bytes", "photo=1e6"), "'1e6' found"),
        (("walk.pcap", "--sent-bytes", "0"), "'0' found"),
        (("walk.pcap", "--sent-bytes", "photo=5"), "no phase is called 'photo'"),
        (("walk.pcap", "--counters", "a", "walk.pcap"), "a: cannot be read"),
        (("walk.pcap", "--clock-offset", "nan"), "'nan' found"),
        (("walk.pcap", "-o", "walk.pcap"), "walk.pcap: expected a folder or nothing"),
    ],
)
def test_what_the_user_asked_wrongly_is_exit_2(call, capture, tmp_path, arguments, told):
    code, out, err = call("analyze", *arguments)
    assert (code, out) == (2, "")
    assert told in err
    assert {path.name for path in tmp_path.iterdir()} == {"walk.pcap"}
    assert capture.read_bytes() == pcap(household())


def test_no_command_and_a_wrong_one_are_exit_2(call):
    assert call()[0] == 2
    assert call("analyse")[0] == 2
    assert call("geo", "lookup")[0] == 2


def test_an_input_that_is_damaged_is_exit_3_and_still_reported(call, tmp_path):
    put(tmp_path / "cut.pcap", pcap(household())[:-7])
    code, out, told = call("analyze", "cut.pcap", "--json", "--format", "html,json")
    assert code == 3
    assert json.loads(out)["is_damaged"] is True
    assert json.loads(out)["packets"] == len(household()) - 1
    assert (tmp_path / "cut.phonehome" / "report.html").exists()
    assert "uploaded" in told


def test_an_input_that_is_no_capture_is_exit_4(call, tmp_path):
    (tmp_path / "list.csv").write_text("a,b\n1,2\n")
    code, out, told = call("analyze", "list.csv")
    assert (code, out) == (4, "")
    assert told.startswith("phonehome: list.csv: ")
    assert told.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"list.csv"}


def test_accounts_that_do_not_balance_are_exit_5_and_not_complete(
    call, capture, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        phonehome.analyzer.analysis_tables,
        "violations",
        lambda *_, **__: ["packets read: 1, but told: 2"],
    )
    code, out, _ = call("analyze", capture, "--json", "--quiet")
    assert code == 5
    assert json.loads(out)["is_balanced"] is False
    manifest = json.loads((tmp_path / "walk.phonehome" / "manifest.json").read_bytes())
    assert (manifest["is_balanced"], manifest["is_complete"]) == (False, False)
    assert (
        "packets read: 1, but told: 2" in (tmp_path / "walk.phonehome" / "report.html").read_text()
    )


def test_accounts_that_do_not_balance_weigh_more_than_damage(call, tmp_path, monkeypatch):
    monkeypatch.setattr(
        phonehome.analyzer.analysis_tables, "violations", lambda *_, **__: ["wrong"]
    )
    put(tmp_path / "cut.pcap", pcap(household())[:-7])
    assert call("analyze", "cut.pcap", "--quiet", "--format", "json")[0] == 5


@pytest.mark.parametrize("place", ["/proc/phonehome", "x" * 300, "loop", "walk.pcap/x/y"])
def test_a_result_that_cannot_be_written_is_exit_6(call, capture, tmp_path, place):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    code, out, told = call("analyze", capture, "-o", place, "--quiet", "--json")
    assert (code, out) == (6, "")
    assert told.startswith(f"phonehome: {place}: cannot be written: ")
    assert told.count("\n") == 1
    assert {path.name for path in tmp_path.iterdir()} == {"walk.pcap", "loop"}


def test_a_defect_of_ours_is_a_traceback_and_exit_70_never_1(call, capture, tmp_path, monkeypatch):
    def breaks(*_, **__):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(phonehome.analyzer.analysis_tables, "violations", breaks)
    code, _, told = call("analyze", capture)
    assert code == 70
    assert "Traceback" in told
    assert "ZeroDivisionError: a defect" in told
    assert {path.name for path in tmp_path.iterdir()} == {"walk.pcap"}
    assert call("--version")[0] == 0


def test_a_run_that_is_stopped_leaves_nothing(call, capture, tmp_path, monkeypatch):
    def stops(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(phonehome.analyzer.analysis_tables, "violations", stops)
    code, out, told = call("analyze", capture, "--quiet")
    assert (code, out, told) == (130, "", "phonehome: stopped: nothing was written\n")
    assert {path.name for path in tmp_path.iterdir()} == {"walk.pcap"}


def test_an_earlier_result_is_refused_before_anything_is_read(call, capture, tmp_path, monkeypatch):
    assert call("analyze", capture, "--quiet", "--format", "json")[0] == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "walk.phonehome").iterdir()}
    monkeypatch.setattr(
        phonehome.captures.reading.Reading, "added_to", lambda *_: pytest.fail("was read")
    )
    code, out, told = call("analyze", capture, "--format", "json")
    assert (code, out) == (2, "")
    assert "walk.phonehome" in told
    assert "--force" in told
    after = {path.name: path.read_bytes() for path in (tmp_path / "walk.phonehome").iterdir()}
    assert after == before


def test_force_replaces_an_earlier_result_whole(call, capture, tmp_path):
    assert call("analyze", capture, "--quiet", "--format", "json,csv")[0] == 0
    assert call("analyze", capture, "--quiet", "--format", "html", "--force")[0] == 0
    names = {path.name for path in (tmp_path / "walk.phonehome").iterdir()}
    assert names == {"report.html", "manifest.json"}


def test_force_never_replaces_what_phonehome_did_not_write(call, capture, tmp_path, monkeypatch):
    (tmp_path / "walk.phonehome").mkdir()
    (tmp_path / "walk.phonehome" / "thesis.txt").write_text("years of work")
    monkeypatch.setattr(
        phonehome.captures.reading.Reading, "added_to", lambda *_: pytest.fail("was read")
    )
    code, _, told = call("analyze", capture, "--force")
    assert code == 2
    assert "thesis.txt" in told
    assert (tmp_path / "walk.phonehome" / "thesis.txt").read_text() == "years of work"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_standard_output_is_exit_6(run, capture, tmp_path):
    with Path("/dev/full").open("wb") as full:
        finished = run_with(run, full, "analyze", capture, "--quiet", "--json", cwd=tmp_path)
    assert finished.returncode == 6
    assert b"Traceback" not in finished.stderr
    assert finished.stderr.startswith(b"phonehome: standard output: cannot be written")


def run_with(run, stdout, *arguments, **other):
    """Run with a standard output of our own, which a shell puts in its place."""
    place = f"/proc/self/fd/{stdout.fileno()}"
    return run(
        *arguments,
        prefix=("sh", "-c", f'exec "$@" > {place}', "sh"),
        pass_fds=(stdout.fileno(),),
        **other,
    )


def test_help_and_version_print_and_end_well(call):
    for arguments in (("--help",), ("-h",), ("analyze", "--help"), ("geo", "--help")):
        code, out, _ = call(*arguments)
        assert code == 0
        assert "Usage" in out
    code, out, _ = call("--version")
    assert (code, out.startswith("phonehome ")) == (0, True)


def test_help_names_every_option_of_the_design(call):
    _, out, _ = call("analyze", "--help")
    for option in (
        *("--output", "--app", "--phone", "--timeline", "--timezone", "--geo", "--version-label"),
        *("--format", "--force", "--quiet", "--json"),
    ):
        assert option in out


def test_geo_status_says_which_databases_are_in_use(call):
    code, out, _ = call("geo", "status", "--json")
    assert code == 0
    assert [row["name"] for row in json.loads(out)][:2] == ["dbip-country", "ipfire-country"]
    code, out, _ = call("geo", "status")
    assert code == 0
    assert "DB-IP" in out
    assert "borders" in out
    assert "GeoNames" in out


def test_geo_lookup_says_what_each_database_says(call):
    code, out, _ = call("geo", "lookup", REMOTE, PHONE, "--json")
    assert code == 0
    rows = json.loads(out)
    assert {row["address"] for row in rows} == {REMOTE, PHONE}
    code, out, _ = call("geo", "lookup", REMOTE)
    assert code == 0
    assert REMOTE in out


@pytest.mark.parametrize("arguments", [("lookup", "nonsense"), ("status", "--geo", "no.mmdb")])
def test_what_geo_cannot_use_is_exit_2(call, arguments):
    code, out, told = call("geo", *arguments)
    assert (code, out) == (2, "")
    assert told.startswith("phonehome: ")


def test_the_command_is_installed_under_its_name():
    program = shutil.which("phonehome", path=Path(sys.executable).parent)
    assert program is not None
    assert Path(program).read_text().count("from phonehome.cli import program") == 1


def test_help_imports_nothing_slow(run):
    finished = run("--help", environment={"PYTHONPROFILEIMPORTTIME": "1"})
    assert finished.returncode == 0
    imported = {line.rpartition(b"|")[2].strip() for line in finished.stderr.splitlines()}
    assert b"click" in imported
    assert not imported & {b"polars", b"numpy", b"numba", b"plotly", b"dataframely", b"rich"}
