import os
import signal
import subprocess

import polars as pl
import pytest

from phonehome.analyzer.claims import ask as claims_queries
from phonehome.analyzer.claims.ask import Job, answers
from phonehome.analyzer.claims.query_text import QueryError
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


HOUR = 3_600_000_000_000
SENT = 3_000_000_000
MANY = {
    "uploads": pl.DataFrame(
        {
            "up": [SENT, 5, None],
            "small": pl.Series([200, 100, 0], dtype=pl.UInt8),
            "host": ["a.example", "b.example", None],
            "is_odd": [True, False, True],
            "asns": [[1, 2], [3], []],
            "lasted": pl.Series([HOUR, HOUR, HOUR]).cast(pl.Duration("ns")),
        }
    )
}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("sum(up) * 3600000000000", (SENT + 5) * HOUR),
        (
            "sum(up) * 3600000000000 / (SELECT sum(CAST(lasted AS BIGINT)) AS n FROM uploads)",
            pytest.approx((SENT + 5) / 3),
        ),
        ("sum(up * up * up)", SENT**3 + 5**3),
        ("sum(CAST(lasted AS BIGINT)) * 3600000000000", 3 * HOUR * HOUR),
        ("sum(lasted::BIGINT) * 3600000000000", 3 * HOUR * HOUR),
        ("sum(small) * 1000000000", 300 * 10**9),
        ("sum(is_odd) - 5", -3),
        ("count(*) - 5", -2),
        ("count(*) FILTER (WHERE is_odd) * 3000000000", 6 * 10**9),
        ("sum(up) FILTER (WHERE is_odd) * 9000000000", SENT * 9 * 10**9),
        ("sum(CASE WHEN is_odd THEN 2000000000 ELSE 0 END)", 4 * 10**9),
        ("max(CASE WHEN is_odd THEN 2000000000 ELSE 0 END) * 4", 8 * 10**9),
        ("max(length(host)) - 40", -31),
        ("-max(octet_length(host))", -9),
        ("max(strpos(host, 'x')) - 5", -1),
        ("max(array_length(asns)) - 5", -3),
        ("sum(array_sum(asns)) - 10", -4),
        ("count(*) * (max(small) - 400)", -600),
        ("sum(up) FILTER (WHERE up IN (5, -1))", 5),
    ],
)
def test_whole_numbers_are_exact(sql, expected):
    (found,) = ask(f"SELECT {sql} AS n FROM uploads", tables=MANY)  # noqa: S608 - of this test
    assert found.first == (expected,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT up * up * up * up * up AS n FROM uploads",
        (
            "WITH a AS (SELECT up * up AS n FROM uploads), b AS (SELECT n * n AS n FROM a) "
            "SELECT sum(n * n) AS n FROM b"
        ),
        "SELECT up FROM uploads WHERE up * up * up * up * up < 0",
        "SELECT sum(lasted * 10000000) AS n FROM uploads",
        "SELECT n * 4 AS n FROM (SELECT 2000000000 AS n FROM uploads) AS a",
        "SELECT is_odd + is_odd - 5 AS n FROM uploads",
    ],
)
def test_what_may_be_beyond_its_bits_is_refused(sql):
    with pytest.raises(QueryError, match="cannot be answered: a number in it may be beyond"):
        ask(sql, tables=MANY)


@pytest.mark.parametrize("sql", ["up / 0", "-up / 0", "(up - up) / (up - up)", "ln(up - up)"])
def test_what_is_infinite_or_undefined_is_no_number(sql):
    with pytest.raises(QueryError, match="the answer has no number"):
        ask(f"SELECT {sql} AS n FROM uploads", tables=MANY)  # noqa: S608 - of this test


def test_of_empty_tables_no_number_is_asked_for():
    empty = {"uploads": MANY["uploads"].clear()}
    assert ask("SELECT sum(up) / sum(up) AS n FROM uploads", tables=empty)[0].columns == ("n",)


def test_spans_are_exact_seconds():
    (found,) = ask("SELECT lasted * 25 / 3 AS n FROM uploads", tables=MANY)
    assert found.first == (30_000.0,) * 3


def test_no_time_observed_gives_no_rate():
    none = pl.DataFrame({"up": [SENT], "exposure": pl.Series([0]).cast(pl.Duration("ns"))})
    rate = (
        "SELECT sum(up) * 3600e9 / nullif((SELECT sum(CAST(exposure AS BIGINT)) AS n "
        "FROM uploads), 0) AS n FROM uploads"
    )
    assert ask(rate, tables={"uploads": none})[0].first == (None,)
