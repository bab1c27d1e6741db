import json
from dataclasses import asdict, replace
from datetime import timedelta

import polars as pl

from phonehome.reports.exports import to_json
from phonehome.reports.words import json_text


def read(analysis):
    return json.loads(b"".join(to_json.analysis_json(analysis)))


def test_every_exported_table_is_there_row_by_row(rich):
    content = read(rich)
    for name, table in to_json.exported(rich).items():
        assert len(content[name]) == table.height
        assert all(list(row) == table.columns for row in content[name])


def test_totals_of_the_rows_are_those_of_the_summary(rich):
    content = read(rich)
    assert content["summary"] == asdict(rich.summary)
    for table in ("uploads", "flows"):
        rows = content[table]
        assert sum(row["up_unique_bytes"] for row in rows) == rich.summary.up_unique_bytes


def test_hostile_names_come_back_as_they_were(rich):
    hosts = [row["host"] for row in read(rich)["flows"]]
    assert hosts == rich.flows["host"].to_list()


def test_times_are_iso_8601_with_nine_decimals_and_spans_are_nanoseconds(rich):
    content = read(rich)
    assert content["flows"][0]["first_time"] == "2026-03-14T09:00:01.000000000Z"
    assert (
        content["phases"][2]["exposure"] == timedelta(hours=1) // timedelta(microseconds=1) * 1000
    )
    assert content["databases"][0]["data_date"] == "2026-06-01"


def test_opinions_stay_objects(rich):
    first = read(rich)["places"][0]
    assert first["opinions"] == [
        {"database": "dbip", "country": "HK"},
        {"database": "ipfire", "country": "CN"},
    ]


def test_nothing_says_where_the_users_files_lie(rich):
    content = b"".join(to_json.analysis_json(rich))
    assert b"/home/someone" not in content
    assert read(rich)["settings"]["timelines"] == ["phases.csv"]


def test_an_empty_analysis_has_every_table_empty_or_short(empty):
    content = read(empty)
    assert content["flows"] == []
    assert content["uploads"] == []


def test_a_table_longer_than_a_slice_is_whole(rich, monkeypatch):
    monkeypatch.setattr(json_text, "SLICE_ROWS", 5)
    assert [row["flow"] for row in read(rich)["flows"]] == rich.flows["flow"].to_list()


def test_a_value_that_looks_like_the_end_of_a_row_does_no_harm(rich):
    flows = rich.flows.with_columns(host=pl.lit('"},\n{"flow":0,"host":"'))
    content = read(replace(rich, flows=flows))
    assert {row["host"] for row in content["flows"]} == {'"},\n{"flow":0,"host":"'}


def test_the_summary_alone_is_one_line_of_json(rich):
    line = to_json.summary_json(rich)
    assert "\n" not in line
    assert json.loads(line)["up_unique_bytes"] == rich.summary.up_unique_bytes
