"""Claims files that mean harm: each ends in one line, in time, and leaves nothing running."""

import resource
from pathlib import Path

import pytest

from phonehome.analyzer.claims import ask

ROOT = Path(__file__).parents[1]
CAPTURE = ROOT / "captures" / "samples" / "parrot-1.0" / "rep1.pcap"
SECONDS = 10
"""What `phonehome check` may take, all of it: of the processor, as this machine may be busy."""


def claim(*lines, name="one"):
    return f'[[claim]]\nid = "{name}"\nsentence = "s"\nsource = "x"\n' + "\n".join(lines) + "\n"


def asks(query, expect="empty", **other):
    """A claim with this query; `other` are more keys with a query each."""
    texts = {"query": query, "expect": expect, **other}
    return claim(*(f"{key} = '''{text}'''" for key, text in texts.items()))


TABLES = ", ".join(f"timeline AS t{number}" for number in range(9))
TEN = " UNION ALL ".join(["SELECT 1 AS a"] * 10)
SELVES = ", ".join(f"ten AS t{number}" for number in range(14))
FOREVER = f"SELECT count(*) AS n FROM {TABLES}"
GROWING = ", ".join(
    f"t{n} AS (SELECT concat(a{', a' * 19}) AS a FROM t{n - 1})" for n in range(1, 9)
)
LOOKS_HARMFUL = {
    "a pattern that others would try in all ways": asks(
        "SELECT flow FROM flows WHERE regexp_like(host, '^(([a-z.])+.)+[A-Z]([a-z])+$')"
    ),
    "a sum of many": asks(f"SELECT flow FROM flows WHERE {'1 + ' * 900}1 = 0"),
}
QUERIES = {
    "forever": asks(FOREVER),
    "forever without a table": asks(f"WITH ten AS ({TEN}) SELECT count(*) AS n FROM {SELVES}"),
    "forever in what finds flows": asks("SELECT flow FROM flows", evidence=FOREVER),
    "forever in what keeps from telling": asks("SELECT flow FROM flows", unless=FOREVER),
    "many rows": asks(f"SELECT t0.phase FROM {TABLES}"),
    "sorted rows": asks(
        "SELECT concat(a.host, b.host, c.host) AS x "
        "FROM flows AS a, flows AS b, flows AS c ORDER BY x"
    ),
    "a text that grows": asks(
        f"WITH t0 AS (SELECT concat(host, 'xxxxxxxxxx') AS a FROM flows), {GROWING} "
        "SELECT max(length(a)) AS n FROM t8"
    ),
    "a text without a table that grows": asks(
        f"WITH t0 AS (SELECT 'xxxxxxxxxxxxxxxx' AS a), {GROWING} SELECT max(length(a)) AS n FROM t8"
    ),
    "repeats": asks("SELECT repeat('x', 1000000000) AS a FROM flows"),
    "pads": asks("SELECT lpad('x', 1000000000, 'y') AS a FROM flows"),
    "generates": asks("SELECT * FROM generate_series(1, 1000000000)"),
    "recursive": asks(
        "WITH RECURSIVE t AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM t) SELECT a FROM t"
    ),
    "a pattern that is huge": asks(
        "SELECT flow FROM flows WHERE regexp_like(host, '((((((a{99}){99}){99}){99}){99}){99})')"
    ),
    "a pattern that is none": asks("SELECT flow FROM flows WHERE regexp_like(host, '((((')"),
    "deep": asks(f"SELECT {'(' * 1_900}1{')' * 1_900} AS a FROM flows"),
    "deep negation": asks(f"SELECT flow FROM flows WHERE {'NOT ' * 900}(flow = 1)"),
    "deep selects": asks(f"{'SELECT a FROM (' * 150}SELECT 1 AS a FROM flows{') AS x' * 150}"),
    "a huge number": asks("SELECT 1e999999 AS a FROM flows", "== 9e99999"),
    "beyond 64 bits": asks("SELECT 99999999999999999999999999 AS a FROM flows", "== 0"),
    "beyond 64 bits in sums": asks(
        "SELECT 9223372036854775807 + flow + nosuch AS a FROM flows", "== 0"
    ),
    "no such column": asks("SELECT nosuch FROM flows"),
    "no such table": asks("SELECT * FROM nosuch"),
    "two rows for one": asks("SELECT flow FROM flows", "== 1"),
    "of all files": asks("SELECT * FROM read_parquet('/etc/*')"),
    "reads": asks("SELECT * FROM read_csv('/etc/passwd')"),
    "scans": asks("SELECT * FROM scan_csv('/etc/passwd')"),
    "names a file": asks("SELECT * FROM '/etc/passwd'"),
    "names a file as a table": asks('SELECT * FROM "/etc/passwd"'),
    "reads behind a comma": asks("SELECT * FROM flows, read_csv('/etc/passwd')"),
    "reads in brackets": asks("SELECT flow FROM (flows CROSS JOIN read_csv('/etc/passwd'))"),
    "reads by a quoted name": asks("SELECT * FROM \"read_csv\"('/etc/passwd')"),
    "reads by another case": asks("SELECT * FROM ReAd_CsV('/etc/passwd')"),
    "reads behind white space": asks("SELECT * FROM read_csv\n\t ('/etc/passwd')"),
    "reads below": asks("SELECT flow FROM flows WHERE flow IN (SELECT a FROM read_csv('/etc/x'))"),
    "creates": asks("CREATE TABLE x AS SELECT * FROM flows"),
    "deletes": asks("DELETE FROM flows"),
    "drops": asks("DROP TABLE flows"),
    "truncates": asks("TRUNCATE flows"),
    "shows": asks("SHOW TABLES"),
    "explains": asks("EXPLAIN SELECT * FROM flows"),
    "two statements": asks("SELECT flow FROM flows; DROP TABLE flows"),
    "hides in a comment": asks("SELECT flow FROM flows -- \n; DROP TABLE flows"),
    "hides in brackets": asks("SELECT flow /* ' */ FROM flows"),
    "hides in a quote": asks("SELECT 'a\\' FROM flows, read_csv('/etc/passwd') AS b, '"),
    "ends no quote": asks("SELECT 'a FROM flows"),
    "dollar quotes": asks("SELECT $$a$$ FROM flows"),
    "other letters": asks("SELECT flow FROM flows WHERE host = ʼaʼ"),  # noqa: RUF001 - so it shall be
    "a zero": claim(r'query = "SELECT flow FROM flows\u0000"', 'expect = "empty"'),
    "lines in its name": claim('"a\\nb" = 1', 'query = "SELECT 1"', 'expect = "empty"'),
    "long": asks(f"SELECT flow FROM flows WHERE {'flow = 1 OR ' * 400}flow = 1"),
    "a short form of infinity": claim(f'idle-upload-below = "{"9" * 400} kB"'),
    "a short form of a huge number": claim(f"idle-upload-below = 0x{'f' * 9_000}"),
    "a list of huge numbers": claim(f"no-upload-to = [0x{'f' * 9_000}]"),
    "a flag of a huge number": claim(f"no-plaintext = 0x{'f' * 9_000}"),
    "a network beyond 32 bits": claim('only-asns = ["AS9999999999999"]'),
    "a time beyond all": claim(
        'query = "SELECT flow FROM flows"', 'expect = "empty"', f'exposure = "{"9" * 400} d"'
    ),
    "a huge number expected": asks("SELECT count(*) AS n FROM flows", f"== 0x{'f' * 9_000}"),
    "deep expectations": asks("SELECT host FROM flows", f"only {'[' * 1_500}"),
}
FILES = {
    "zeros": b"\x00" * 100,
    "binary": b"\x7fELF\xff\xfe",
    "10 MB": b"#" * 10_000_000,
    "10 MB of claims": (claim('no-upload-to = "SG"') * 120_000).encode(),
    "empty": b"",
    "deep": b"x = " + b"[" * 100_000,
    "deep tables": b"x = " + b"{a=" * 50_000,
    "a key of many parts": b"a." * 100_000 + b"a = 1",
    "a table of many parts": b"[" + b"a." * 100_000 + b"a]",
    "a key of many parts behind quotes": b"x = { a = '''\n \" ''', " + b"b." * 99_999 + b'b = "" }',
    "quoted parts": b'"a" . ' * 40_000 + b"a = 1",
    "many tables of parts": b"".join(b"[a.b.c.d.e.f.g%d]\n" % n for n in range(13_000)),
    "quotes without an end": b'x = "' + b'\\"' * 100_000,
    "quotes of three": b'x = """' + b'\\"""' * 60_000 + b"\\",
    "a huge number": b"title = " + b"9" * 200_000,
    "many keys": b"".join(b"k%d = 1\n" % n for n in range(20_000)),
    "a date that is none": b"title = 9999-99-99",
    "1,000 claims": "".join(
        asks(FOREVER).replace('"one"', f'"c{n}"') for n in range(1_000)
    ).encode(),
    "100 claims that run forever": "".join(
        asks(FOREVER).replace('"one"', f'"c{n}"') for n in range(100)
    ).encode(),
}


@pytest.fixture
def ends(tmp_path, call, monkeypatch):
    """Holds that a file with this content ends as it has to, and returns what was said."""
    started = []
    begin = ask.subprocess.Popen
    monkeypatch.setattr(
        ask.subprocess,
        "Popen",
        lambda *a, **b: started.append(begin(*a, **b)) or started[-1],
    )

    def ended(*contents):
        words = []
        for number, content in enumerate(contents):
            path = tmp_path / f"claims{number}.toml"
            path.write_bytes(content)
            words += ["--claims", path]
        before = spent()
        code, out, said = call("check", CAPTURE, *words, "--quiet")
        took = spent() - before
        assert (code, out, said.count("\n")) == (2, "", 1), said
        assert said.startswith("phonehome: ")
        assert len(said) < 700
        assert "root:" not in said
        assert took < SECONDS
        assert all(process.returncode is not None for process in started)
        return said

    return ended


def spent():
    """Seconds of the processor, of this process and of those that it has ended."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    used = [resource.getrusage(kind) for kind in kinds]
    return sum(each.ru_utime + each.ru_stime for each in used)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(content, id=name, marks=[pytest.mark.slow] * name.startswith("forever in"))
        for name, content in QUERIES.items()
    ],
)
def test_a_hostile_claim_ends_in_one_line_in_time(ends, content):
    ends(content.encode())


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_hostile_file_ends_in_one_line_in_time(ends, content):
    ends(content)


@pytest.mark.parametrize("content", LOOKS_HARMFUL.values(), ids=LOOKS_HARMFUL)
def test_what_only_looks_harmful_is_answered(tmp_path, call, content):
    path = tmp_path / "claims.toml"
    path.write_text(content, encoding="utf-8")
    assert call("check", CAPTURE, "--claims", path, "--quiet")[0] == 0


def test_claims_of_all_files_count_together(ends):
    many = "".join(claim('no-upload-to = "SG"', name=f"{{}}{n}") for n in range(60))
    said = ends(many.replace("{}", "a").encode(), many.replace("{}", "b").encode())
    assert "expected up to 100 claims in all" in said


def test_a_hundred_honest_claims_have_ample_time(tmp_path, call):
    """Countries are the dearest: each may be asked in sixteen worlds."""
    path = tmp_path / "claims.toml"
    path.write_text(
        "".join(
            claim('only-countries = ["US", "CA", "DE", "FR", "GB", "CN", "SG"]', name=f"c{n}")
            for n in range(100)
        )
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert call("check", CAPTURE, "--claims", path, "--quiet")[0] in {0, 1}
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before
    assert used < ask.SECONDS
