from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phonehome.analyzer.claims.query_text import FUNCTIONS, LONGEST, QueryError, exact, query

TABLES = ("flows", "uploads", "phases")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(up_unique_bytes) FROM uploads",
        "select distinct country from uploads where state = 'idle' and host is not null;",
        "SELECT u.country FROM uploads AS u JOIN flows f ON u.host = f.host, phases",
        "WITH big AS (SELECT * FROM flows WHERE up_unique_bytes > 1e6) SELECT count(*) FROM big",
        "SELECT count(*) FROM (SELECT host FROM uploads) t WHERE host LIKE '%''x'",
        'SELECT "country" FROM uploads WHERE asn IN (1, 2) GROUP BY country HAVING count(*) > 1',
        "SELECT CASE WHEN asn IS NULL THEN 0 ELSE 1 END FROM flows ORDER BY 1 LIMIT 3",
        "SELECT host FROM flows WHERE country IS DISTINCT FROM 'CN'",
    ],
)
def test_a_query_that_only_reads_its_tables_may_be_asked(sql):
    assert query(sql, TABLES).tables <= set(TABLES)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "DROP TABLE flows",
        "DELETE FROM flows",
        "TRUNCATE flows",
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO flows VALUES (1)",
        "UPDATE flows SET host = 'x'",
        "SHOW TABLES",
        "EXPLAIN SELECT 1 FROM flows",
        "SELECT 1 FROM flows; DROP TABLE flows",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM READ_PARQUET('/tmp/*')",
        "SELECT * FROM scan_ipc('x')",
        "SELECT * FROM '/etc/passwd'",
        'SELECT * FROM "/etc/passwd"',
        "SELECT * FROM flows, read_json('x')",
        "SELECT * FROM flows JOIN 'x.csv' ON true",
        "SELECT * FROM flows WHERE host IN (SELECT a FROM read_csv('x'))",
        "SELECT * FROM places",
        "SELECT * FROM public.flows",
        "SELECT \"read_csv\"('x') FROM flows",
        "SELECT read_csv ('x') FROM flows",
        "SELECT repeat('x', 1000000) FROM flows",
        "SELECT rpad('x', 1000000, 'y') FROM flows",
        "SELECT range(0, 1e9) FROM flows",
        "SELECT 1 /* hidden */ FROM flows",
        "SELECT 1 -- hidden\nFROM flows",
        "SELECT $$x$$ FROM flows",
        "SELECT U&'x' FROM flows",
        "SELECT 'a\\' FROM flows",
        "SELECT `a` FROM flows",
        "SELECT 1 FROM flows WHERE host = 'open",
        "SELECT é FROM flows",
        "SELECT \0 FROM flows",
        "VALUES (1)",
        "TABLE flows",
        "SELECT * INTO x FROM flows",
        "SELECT COLUMNS('.*') FROM flows",
        "WITH RECURSIVE a AS (SELECT 1) SELECT * FROM a",
        f"SELECT {'1,' * LONGEST} 1 FROM flows",  # noqa: S608 - nobody asks it
        "SELECT * FROM",
    ],
)
def test_what_writes_reads_files_or_hides_is_refused(sql):
    with pytest.raises(QueryError):
        query(sql, TABLES)


@given(st.text(max_size=80))
def test_any_text_is_a_query_or_is_refused(text):
    for sql in (text, f"SELECT {text} FROM flows"):  # noqa: S608 - nobody asks it
        with suppress(QueryError):
            assert query(sql, TABLES).tables <= set(TABLES)


def test_no_function_reads_or_makes_much_of_little():
    refused = ("read", "scan", "range", "generate", "repeat", "pad", "file", "glob", "exec")
    assert not [name for name in FUNCTIONS if any(word in name for word in refused)]


@pytest.mark.parametrize(
    ("sql", "condition", "rows"),
    [
        (
            "SELECT sum(up_unique_bytes) FROM uploads WHERE country = 'CN' OR asn = 1",
            "",
            (
                "SELECT uploads.remote_address AS remote_address, uploads.host AS host, "
                "uploads.app AS app FROM uploads WHERE ( country = 'CN' OR asn = 1)"
            ),
        ),
        (
            "SELECT count(*) FROM flows f",
            "",
            "SELECT f.flow AS flow FROM flows f",
        ),
        (
            "SELECT DISTINCT country FROM flows",
            "{} IN ('CN')",
            "SELECT flows.flow AS flow FROM flows WHERE country IN ('CN')",
        ),
        ("SELECT upper(country) FROM flows", "{} IN ('CN')", None),
        ("SELECT count(*) FROM phases", "", None),
        ("SELECT count(*) FROM flows GROUP BY host", "", None),
        ("SELECT 1 FROM flows UNION SELECT 2 FROM flows", "", None),
    ],
)
def test_the_rows_that_a_plain_query_is_about_can_be_asked_for(sql, condition, rows):
    assert query(sql, TABLES).rows(condition) == rows


def test_names_texts_and_stars_of_a_query_are_known():
    found = query("SELECT \"country\", Host FROM uploads WHERE state = 'it''s'", TABLES)
    assert {"country", "host", "state"} <= found.names
    assert found.texts == ("it's",)
    assert not found.is_of_all_columns
    assert query("SELECT u.* FROM uploads u", TABLES).is_of_all_columns
    assert not query("SELECT count(*) FROM uploads", TABLES).is_of_all_columns


@pytest.mark.parametrize(
    ("sql", "wide"),
    [
        ("SELECT a FROM t LIMIT 5", "SELECT a FROM t LIMIT 5"),
        ("SELECT count(*) FROM t", "SELECT CAST(count(*) AS INT128) FROM t"),
        (
            "SELECT count(*) FILTER (WHERE a) - rank() OVER (ORDER BY a) FROM t",
            (
                "SELECT CAST(count(*) FILTER (WHERE a) AS INT128) "
                "- CAST(rank() OVER (ORDER BY a) AS INT128) FROM t"
            ),
        ),
        (
            "SELECT sum(DISTINCT length(a)) FROM t",
            "SELECT sum(DISTINCT (CAST(length(a) AS INT128)) * CAST(1 AS INT128)) FROM t",
        ),
        (
            "SELECT CAST(a AS INT UNSIGNED), a::bigint, CAST(a AS DOUBLE), a::text FROM t",
            (
                "SELECT CAST(CAST(a AS INT UNSIGNED) AS INT128), a::bigint::INT128, "
                "CAST(a AS DOUBLE), a::text FROM t"
            ),
        ),
        (
            "SELECT a FROM t WHERE a IN (1, -2) OR b IN ('x') OR c IN (SELECT round(d, 2) FROM t)",
            (
                "SELECT a FROM t WHERE a IN (CAST(1 AS INT128), CAST(-2 AS INT128)) OR b IN ('x') "
                "OR c IN (SELECT round(d, 2) FROM t)"
            ),
        ),
        (
            "SELECT CASE WHEN a THEN 1 ELSE 2.5 END FROM t",
            "SELECT CASE WHEN a THEN CAST(1 AS INT128) ELSE 2.5 END FROM t",
        ),
        ("SELECT 'count(a)', \"sum\" FROM t", "SELECT 'count(a)', \"sum\" FROM t"),
    ],
)
def test_whole_numbers_of_a_query_are_widened(sql, wide):
    assert exact(sql) == wide
