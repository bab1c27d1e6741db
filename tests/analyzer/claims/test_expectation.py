import pytest

from phonehome.analyzer.claims.expectation import EXACT, LOWER, UPPER, ExpectationError, expectation


@pytest.mark.parametrize(
    ("text", "answer", "holds"),
    [
        ("== 0", (0,), True),
        ("== 0", (1,), False),
        ("== 3", (), None),
        ("!= 0", (4,), True),
        ("<= 50_000", (50_000,), True),
        ("<= 50_000", (50_001,), False),
        ("<= 50_000", (None,), True),
        ("< 1.5", (1.4,), True),
        ("> 2", (), False),
        (">= 2", (2,), True),
        ('== "CN"', ("CN",), True),
        ('contains "CN"', ("US", None, "CN"), True),
        ('contains "CN"', ("US",), False),
        ('not contains "CN"', ("US",), True),
        ('not contains "CN"', ("CN",), False),
        ('only ["US", "CA"]', ("US", "CA", None), True),
        ('only ["US", "CA"]', ("US", "CN"), False),
        ("empty", (), True),
        ("empty", ("x",), False),
        ("not empty", ("x",), True),
        (" ==   0 ", (0,), True),
    ],
)
def test_an_answer_is_as_expected_or_not(text, answer, holds):
    assert expectation(text).holds(answer) is holds


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("== 0", UPPER),
        ("<= 5", UPPER),
        ("< 5", UPPER),
        ("empty", UPPER),
        ('not contains "CN"', UPPER),
        ('only ["US"]', UPPER),
        ("!= 0", LOWER),
        ("> 5", LOWER),
        (">= 5", LOWER),
        ("not empty", LOWER),
        ('contains "CN"', LOWER),
        ("== 5", EXACT),
        ("!= 5", EXACT),
        ('== "CN"', EXACT),
    ],
)
def test_each_expectation_says_which_way_more_traffic_could_change_it(text, side):
    assert expectation(text).side == side


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "=< 0",
        "<",
        "== ",
        "== true",
        "== [1]",
        "== nan",
        "<= inf",
        '< "CN"',
        "contains",
        "only []",
        'only "CN"',
        "== 1, 2",
        "== 1]\nvalues = [2",
        "between 1 and 2",
        "== " + "9" * 3_000,
        "only " + "[" * 900,
    ],
)
def test_what_is_no_expectation_is_refused_and_says_what_would_be(text):
    with pytest.raises(ExpectationError, match="expected ==, !=, <"):
        expectation(text)


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ("== 0", (1, 2), "one value expected for '== 0', got 2"),
        ("== 0", ("CN",), "a number expected for '== 0', got 'CN'"),
        ('== "CN"', (1,), "text expected for"),
    ],
)
def test_an_answer_of_another_kind_is_refused(text, answer, said):
    with pytest.raises(ExpectationError, match=said):
        expectation(text).holds(answer)
