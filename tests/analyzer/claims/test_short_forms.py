import pytest

from phonehome.analyzer.claims.query_text import query
from phonehome.analyzer.claims.short_forms import FORMS, ShorthandError, written
from phonehome.analyzer.claims.tables import SCHEMAS

IDLE = ("idle",)


@pytest.mark.parametrize(
    ("name", "value", "condition", "expect"),
    [
        ("no-upload-to", ["CN", "HK"], "country IN ('CN', 'HK')", "== 0"),
        ("no-upload-to", "CN", "country IN ('CN')", "== 0"),
        ("no-upload-to", ["AS4134"], "asn IN (4134)", "== 0"),
        ("no-upload-to", ["x.example"], "ends_with(host, '.x.example')", "== 0"),
        ("only-countries", ["US"], "country NOT IN ('US')", "== 0"),
        ("only-asns", ["AS1", 2], "asn NOT IN (1, 2)", "== 0"),
        ("idle-upload-below", "50 kB", "state IN ('idle')", "<= 50000"),
        ("idle-upload-below", "1.5 kB per hour", "3600e9", "<= 1500"),
        ("idle-upload-below", 700, "state IN ('idle')", "<= 700"),
        ("no-plaintext", True, "service = 'http'", "== 0"),
    ],
)
def test_a_short_form_is_a_query_like_any_other(name, value, condition, expect):
    found = written(name, value, (), IDLE)
    assert condition in found.query
    assert found.expect == expect
    for sql in (found.query, found.evidence, *(asked for asked, _, _ in found.unless)):
        assert sql is None or query(sql, SCHEMAS)


def test_every_form_is_written_out():
    values = {"idle-upload-below": "1 kB", "no-plaintext": True}
    for form in FORMS:
        value = values.get(form, ["AS1"] if form == "only-asns" else ["US"])
        assert written(form, value, (), IDLE).test


def test_states_restrict_a_form():
    assert (
        "state IN ('active', 'idle')"
        in written("no-upload-to", ["CN"], ("active", "idle"), IDLE).query
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no-upload-to", []),
        ("no-upload-to", ["cn'; DROP"]),
        ("no-upload-to", ["CN"] * 65),
        ("no-upload-to", [["CN"]]),
        ("only-countries", ["China"]),
        ("only-countries", ["cn"]),
        ("only-asns", ["AS99999999999"]),
        ("idle-upload-below", "5 parsecs"),
        ("idle-upload-below", -5),
        ("idle-upload-below", float("nan")),
        ("no-plaintext", False),
        ("no-plaintext", "yes"),
    ],
)
def test_a_value_that_a_form_does_not_take_is_refused(name, value):
    with pytest.raises(ShorthandError, match="expected"):
        written(name, value, (), IDLE)


def test_plain_text_is_of_whole_flows():
    with pytest.raises(ShorthandError, match="no states"):
        written("no-plaintext", value=True, states=IDLE, idle=IDLE)
