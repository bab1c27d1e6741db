from datetime import timedelta

import pytest

from phonehome.analyzer.claims.file import (
    LARGEST,
    NEEDED,
    ClaimsError,
    claims_path,
    read_claims,
    shipped_claims,
)

SOUND = """
[[claim]]
id = "one"
sentence = "No data goes to China."
source = { text = "Somebody", date = 2020-09-17, url = "https://example.com/x" }
query = "SELECT sum(up_unique_bytes) FROM uploads WHERE country = 'CN'"
expect = "== 0"
"""


@pytest.fixture
def read(tmp_path, asked_here):  # noqa: ARG001 - it changes what is asked
    def of(text, **settings):
        path = tmp_path / "claims.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_claims([path], **settings)

    return of


def test_a_claim_is_read_with_its_source_and_its_query(read):
    (claim,) = read(SOUND)
    assert (claim.id, claim.file) == ("one", "claims.toml")
    assert (claim.source, claim.source_date) == ("Somebody", "2020-09-17")
    assert claim.source_url == "https://example.com/x"
    assert claim.query.tables == {"uploads"}
    assert claim.verdicts == ("consistent",)
    assert (claim.needed, claim.is_needed_stated) == (NEEDED, False)


def test_time_verdicts_and_states_are_as_stated(read):
    (claim,) = read(
        SOUND + 'exposure = "1.5 h"\nverdicts = ["disputed", "consistent"]\nstates = ["idle"]'
    )
    assert (claim.needed, claim.is_needed_stated) == (timedelta(minutes=90), True)
    assert claim.verdicts == ("consistent", "disputed")
    assert claim.states == ("idle",)


def test_idle_means_what_the_user_says(read):
    short = SOUND.partition("query")[0] + 'idle-upload-below = "1 kB"'
    assert read(short)[0].states == ("idle",)
    assert read(short, idle_means="both")[0].states == ("idle", "background")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected 1 to 100 tables"),
        ("claim = 5", "expected 1 to 100 tables"),
        ("[[claim]]\nid = 5", "claim 1: expected an id"),
        ("[[claim]]\nid = '../x'", "claim 1: expected an id"),
        ("nonsense", "expected TOML"),
        ("x = " + "[" * 5_000, "expected TOML"),
        (b"\x00\xff\xfe binary", "expected UTF-8"),
        ("é".encode("latin-1"), "expected UTF-8"),
        (b"#" * (LARGEST + 1), "larger than"),
        ("other = 1\n" + SOUND, "got 'other'"),
        (SOUND + "colour = 1", "got 'colour'"),
        (SOUND * 2, "expected an id of its own"),
        (SOUND * 101, "expected 1 to 100 tables"),
        (SOUND.replace("sentence", "#"), "sentence: expected text"),
        (SOUND.replace("No data", "x" * 2_001), "sentence: expected text of up to 2,000"),
        (SOUND.replace("https:", "javascript:"), "expected an address of the web"),
        (SOUND.replace("source", "#"), "source: expected text"),
        (SOUND + "no-plaintext = true", "expected one of query"),
        (SOUND.replace("query", "#"), "expected one of query"),
        (SOUND.replace("== 0", "zero"), "expected ==, !="),
        (SOUND.replace("country", "continent"), "claim one: query: .*continent"),
        (SOUND.replace("FROM uploads", "FROM read_csv('/etc/passwd')"), "read_csv is not"),
        (SOUND.replace("SELECT sum", "DELETE FROM flows WHERE 1 = sum"), "one SELECT"),
        (SOUND.replace("FROM uploads", "FROM rates"), "countries in rates have no verdict"),
        (SOUND.replace("FROM uploads", "FROM timeline"), "countries in timeline have no verdict"),
        (SOUND + 'exposure = "soon"', "exposure: expected a time"),
        (SOUND + 'exposure = "99999999999999999999 h"', "exposure: expected a time"),
        (SOUND + 'verdicts = ["impossible"]', "verdicts: expected a list"),
        (SOUND + 'states = ["asleep"]', "states: expected a list"),
        (SOUND + "states = [[]]", "states: expected a list"),
        (SOUND + 'inferred = "yes"', "inferred: expected true or false"),
        (SOUND.replace("SELECT sum", "SELECT 1 FROM flows; SELECT sum"), "'; ' is not allowed"),
        (SOUND + 'unless = "DROP TABLE flows"', "one SELECT"),
    ],
)
def test_what_is_no_file_of_claims_is_refused_in_one_line(read, text, said):
    with pytest.raises(ClaimsError, match=said) as refused:
        read(text)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600
    assert "claims.toml" in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ClaimsError, match=r"none\.toml: cannot be read"):
        read_claims([tmp_path / "none.toml"])


def test_shipped_files_are_known_by_name_unless_a_file_has_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, path in shipped_claims().items():
        assert claims_path(type(path)(name)) == path
    first = next(iter(shipped_claims()))
    (tmp_path / first).touch()
    assert claims_path(type(path)(first)) == type(path)(first)
