import os
import signal
import subprocess

import polars as pl
import pytest

from analyzer import claims_queries
from analyzer.claims_queries import Job, answers
from analyzer.claims_sql import QueryError
from tests.analyzer.stated import answers_here

TABLE = {"t": pl.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"]})}


def ask(*queries, tables=TABLE, seconds=6):
    return answers(tables, [Job("claim one", "query", sql, {}) for sql in queries], seconds=seconds)


def test_each_query_has_its_answer_in_order():
    total, rows, none = ask(
        "SELECT sum(a) AS s FROM t", "SELECT b, a FROM t", "SELECT a FROM t WHERE a > 9"
    )
    assert (total.columns, total.is_integer, total.first) == (("s",), True, (6,))
    assert rows.values == (("x", None, "y"), (1, 2, 3))
    assert none.first == ()


def test_no_query_starts_no_process():
    assert answers(TABLE, []) == []


def test_times_and_spans_come_as_text_and_seconds():
    table = pl.DataFrame({"d": [1_500_000_000], "l": [[1, 2]]}).with_columns(
        pl.col("d").cast(pl.Duration("ns"))
    )
    spans, lists = ask("SELECT d FROM t", "SELECT l FROM t", tables={"t": table})
    assert spans.first == (1.5,)
    assert len(lists.first) == 1
    assert isinstance(lists.first[0], str)


def test_columns_stand_in_for_others_and_leave_rows_out():
    other = pl.DataFrame({"a": [10, 20, 30], "_is_kept": [True, False, True]})
    jobs = [
        Job("one", "query", "SELECT sum(a) AS s FROM t", {"t": other}),
        Job("one", "query", "SELECT sum(a) AS s FROM t", {}),
    ]
    assert [found.first for found in answers(TABLE, jobs)] == [(40,), (6,)]


def test_an_unknown_column_is_one_line_that_names_the_claim():
    with pytest.raises(QueryError, match=r"^claim one: query: .*nosuch") as refused:
        ask("SELECT nosuch FROM t")
    assert "\n" not in str(refused.value)


def test_a_query_that_runs_forever_is_stopped_with_its_process(monkeypatch):
    many = {"t": pl.DataFrame({"a": range(3_000)})}
    forever = "SELECT count(*) FROM t AS x CROSS JOIN t AS y CROSS JOIN t AS z CROSS JOIN t AS w"
    started = []
    begin = subprocess.Popen

    def noted(*words, **options):
        started.append(begin(*words, **options))
        return started[0]

    monkeypatch.setattr(claims_queries.subprocess, "Popen", noted)
    with pytest.raises(QueryError, match="stopped: it takes more than 2 s of the processor"):
        ask(forever, tables=many, seconds=2)
    assert started[0].returncode == -signal.SIGXCPU
    with pytest.raises(ProcessLookupError):
        os.killpg(started[0].pid, 0)


def test_one_that_waits_is_ended_with_all_that_it_started(monkeypatch):
    monkeypatch.setattr(claims_queries, "LONGEST_WAIT", 0.01)
    with pytest.raises(QueryError, match="busy with other things, which says nothing of the query"):
        ask("SELECT a FROM t")


def test_a_query_that_takes_too_much_memory_ends():
    wide = {"t": pl.DataFrame({"a": ["x" * 1_000] * 20_000})}
    with pytest.raises(QueryError, match=r"stopped|memory|broke"):
        ask("SELECT concat(x.a, y.a) AS c FROM t AS x CROSS JOIN t AS y ORDER BY c", tables=wide)


def test_too_many_rows_are_refused():
    many = {"t": pl.DataFrame({"a": range(1_000)})}
    with pytest.raises(QueryError, match="at most 100,000 rows"):
        ask("SELECT x.a FROM t AS x CROSS JOIN t AS y", tables=many)


@pytest.mark.parametrize("function", ["read_csv", "read_parquet", "read_ipc", "read_json"])
def test_behind_the_first_fence_no_file_can_be_opened_either(tmp_path, function):
    """The query is not checked here: only what its process may do holds it."""
    path = tmp_path / "secret"
    frame = pl.DataFrame({"secret": ["canary"]})
    {
        "read_csv": frame.write_csv,
        "read_parquet": frame.write_parquet,
        "read_ipc": frame.write_ipc,
        "read_json": frame.write_ndjson,
    }[function](path)
    with pytest.raises(QueryError) as refused:
        ask(f"SELECT * FROM {function}('{path}')")  # noqa: S608 - so it shall be
    assert "canary" not in str(refused.value)


def test_many_simple_queries_take_one_process(monkeypatch):
    started = []
    begin = subprocess.Popen
    monkeypatch.setattr(
        claims_queries.subprocess, "Popen", lambda *a, **b: started.append(a) or begin(*a, **b)
    )
    found = ask(*(f"SELECT sum(a) AS s FROM t WHERE a > {n}" for n in range(50)))  # noqa: S608 - numbers
    assert (len(found), len(started)) == (50, 1)


def test_what_tests_of_claims_ask_in_their_own_process_is_answered_alike():
    other = pl.DataFrame({"a": [10, 20, 30], "_is_kept": [True, False, True]})
    jobs = [
        Job("one", "query", "SELECT sum(a) AS s FROM t", {"t": other}),
        Job("one", "query", "SELECT b, a FROM t", {}),
    ]
    assert answers_here(TABLE, jobs) == answers(TABLE, jobs)
