import hashlib
import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from made_sides import Repetition, Sent, side
from rich.console import Console

from analyzer.comparison import compared
from analyzer.tables import CHANGES, Changes
from reports import comparison, comparison_words
from reports.write import OutputExists

STARTED = datetime(2026, 9, 30, 12, 0, tzinfo=UTC)
ALL = frozenset({"html", "json", "csv", "parquet"})
HOSTILE = "</script><script>alert(1)</script>\x1b[31m\u202e.example"
FORMULA = "=cmd|'/C calc'!A0"


@pytest.fixture(scope="module")
def both():
    """A comparison with a row of every change, and names that want to be more than names."""
    hours = {"active": 1.0, "idle": 2.0}
    base = [
        Sent(100, host="same.example"),
        Sent(100, host="more.example"),
        Sent(900, host="less.example"),
        Sent(7, host="gone.example", address="95.216.3.4", country="FI", asn=24940),
        Sent(3, host="moved.example"),
    ]
    new = [
        Sent(101, host="same.example"),
        Sent(900, host="more.example"),
        Sent(100, host="less.example"),
        Sent(50, host=HOSTILE, address="113.96.232.10", country="CN", asn=4134, as_org=FORMULA),
        Sent(60, host=FORMULA, address="113.96.232.11", country="CN", asn=4134, as_org=FORMULA),
        Sent(3, host="moved.example", address="13.250.100.4", country="SG", asn=16509),
        Sent(9, host="same.example", state="background"),
    ]
    return compared(
        side("base", *[Repetition(tuple(base), hours)] * 2),
        side("new", *[Repetition(tuple(new), hours | {"background": 0.5})] * 3),
    )


def put(both, folder, formats=ALL, *, force=False):
    return comparison.write(both, folder, formats=formats, force=force, started=STARTED)


def everything(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_each_format_writes_its_file_and_the_manifest_comes_always(both, tmp_path):
    expected = {
        "html": "compare.html",
        "json": "compare.json",
        "csv": "changes.csv",
        "parquet": "changes.parquet",
    }
    for kind, file in expected.items():
        put(both, tmp_path / kind, frozenset({kind}))
        assert set(everything(tmp_path / kind)) == {file, "manifest.json"}


def test_a_folder_that_is_there_is_refused_and_replaced_by_force(both, tmp_path):
    put(both, tmp_path / "out")
    with pytest.raises(OutputExists, match="--force replaces it"):
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
    assert written["claim"] == comparison_words.NO_CLAIM
    assert "\n" not in comparison.summary_json(both, {})


def on_terminal(both, failed=None, width=100):
    screen = io.StringIO()
    comparison.summary(both, failed or {}, Console(file=screen, width=width))
    return screen.getvalue()


def test_the_terminal_says_first_whether_the_sides_can_be_compared(both):
    text = on_terminal(both)
    parts = ["called", "observed idle", "Repetitions: 2 on base", "New: 2 countries", "no claim of"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_the_terminal_names_what_changed_with_how_often_it_was_seen(both):
    lines = [line.split() for line in on_terminal(both).splitlines()]
    (gone,) = [line for line in lines if line[:1] == ["gone.example"]]
    assert gone[1:] == ["2", "bytes/h", "0", "bytes/h", "idle", "2/2,", "0/3"]
    (moved,) = [line for line in lines if line[:1] == ["moved.example"]]
    assert moved[1:5] == ["US,", "AS14618", "SG,", "AS16509"]


def test_nothing_that_a_stranger_named_reaches_the_terminal_raw(both):
    text = on_terminal(both, {"new-host": [HOSTILE, None]})
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "an unknown one" in text


def test_a_long_list_is_cut_and_the_rest_is_counted():
    many = tuple(Sent(1, host=f"h{number}.example") for number in range(comparison.MOST + 4))
    result = compared(
        side("base", Repetition((Sent(1, host="a.example"),))), side("new", Repetition(many))
    )
    assert "and 4 more" in on_terminal(result)
