import csv
import io

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from phonehome.reports.exports import to_json, to_tables
from phonehome.reports.words import escape

SIGNS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def read_csv(table):
    content = b"".join(to_tables.csv(table)).decode()
    return list(csv.DictReader(io.StringIO(content, newline="")))


@pytest.mark.parametrize("name", to_json.TABLES)
def test_parquet_gives_each_table_back(rich, name):
    table = to_json.exported(rich)[name]
    content = b"".join(to_tables.parquet(table))
    assert_frame_equal(pl.read_parquet(io.BytesIO(content)), pl.DataFrame(table))


@pytest.mark.parametrize("name", to_json.TABLES)
def test_the_same_table_gives_the_same_bytes(rich, name):
    table = to_json.exported(rich)[name]
    assert list(to_tables.parquet(table)) == list(to_tables.parquet(table.clone()))
    assert list(to_tables.csv(table)) == list(to_tables.csv(table.clone()))


@pytest.mark.parametrize("name", to_json.TABLES)
def test_csv_has_every_row_and_column(rich, name):
    table = to_json.exported(rich)[name]
    rows = read_csv(table)
    assert len(rows) == table.height
    assert all(list(row) == table.columns for row in rows)


@pytest.mark.parametrize("name", to_json.TABLES)
def test_no_text_cell_of_any_table_begins_a_formula(rich, name):
    table = to_json.exported(rich)[name]
    numbers = {
        column
        for column, dtype in table.schema.items()
        if dtype.is_numeric() or dtype == pl.Duration
    }
    for row in read_csv(table):
        assert not [
            cell for column, cell in row.items() if column not in numbers and cell[:1] in SIGNS
        ]


def test_csv_has_the_totals_of_the_summary(rich):
    rows = read_csv(rich.uploads)
    assert sum(int(row["up_unique_bytes"]) for row in rows) == rich.summary.up_unique_bytes


def test_hostile_names_come_back_from_csv_visible_behind_an_apostrophe_at_most(rich):
    hosts = [row["host"] for row in read_csv(rich.flows)]
    expected = [escape.visible(host or "") for host in rich.flows["host"].to_list()]
    assert [host.removeprefix("'") for host in hosts] == expected
    assert "moc.knab\\u{202e}gro.live" in hosts


def test_a_database_without_an_opinion_is_named_all_the_same(rich):
    rows = read_csv(rich.places)
    assert rows[0]["opinions"] == "dbip=HK; ipfire=CN"
    assert [row["opinions"] for row in rows if not row["country"]] == ["dbip=; ipfire="]


def test_link_types_are_one_cell(rich):
    assert read_csv(rich.captures)[0]["link_types"] == "1; 113"


def test_an_empty_table_is_a_header(empty):
    assert b"".join(to_tables.csv(empty.flows)).decode().count("\n") == 1


def test_a_table_longer_than_a_slice_has_one_header(rich, monkeypatch):
    whole = list(to_tables.csv(rich.flows))
    monkeypatch.setattr(to_tables, "SLICE_ROWS", 5)
    assert len(list(to_tables.csv(rich.flows))) == 3
    assert b"".join(to_tables.csv(rich.flows)) == b"".join(whole)
