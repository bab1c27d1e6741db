import pytest

from phonehome.analyzer.comparison.compare import compared
from phonehome.analyzer.comparison.fail_rules import KINDS, RuleError, read_rule
from tests.made_sides import Repetition, Sent, side

ONE = Repetition((Sent(100),))


def broken(rule, base, new, **options):
    return read_rule(rule).judge(compared(side("base", *base), side("new", *new, **options)))


@pytest.mark.parametrize(
    ("rule", "key"), [("new-country", "CN"), ("new-asn", "AS4134"), ("new-host", "a.example")]
)
def test_each_rule_finds_what_is_new_in_its_dimension(rule, key):
    other = Sent(5, host="a.example", address="113.96.232.10", country="CN", asn=4134)
    new = [Repetition((*ONE.sent, other))]
    assert broken(rule, [ONE], new) == [key]
    assert broken(rule, new, [ONE]) == []


def test_a_place_that_no_database_knows_may_not_be_new_either():
    nowhere = Sent(5, host="a.example", address="102.22.22.22", country=None, asn=None, as_org=None)
    assert broken("new-country", [ONE], [Repetition((*ONE.sent, nowhere))]) == [None]


def test_new_in_one_state_is_not_new():
    hours = {"active": 1.0, "idle": 1.0}
    base = Repetition((Sent(50, state="active"),), hours)
    assert (
        broken("new-host", [base], [Repetition((Sent(50, state="active"), Sent(5)), hours)]) == []
    )


@pytest.mark.parametrize(
    ("rule", "new", "said"),
    [
        ("idle-upload>+20%", 120, []),
        ("idle-upload>+20%", 121, ["100 to 121 bytes/h, +21.0%"]),
        ("idle-upload > 20 %", 121, ["100 to 121 bytes/h, +21.0%"]),
        ("upload>0%", 101, ["100 to 101 bytes/h, +1.0%"]),
        ("upload>0.5%", 100, []),
        ("idle-upload>+20%", 7, []),
    ],
)
def test_an_upload_may_grow_by_so_much(rule, new, said):
    assert broken(rule, [ONE], [Repetition((Sent(new),))]) == said


def test_an_upload_that_was_none_may_not_begin():
    nothing = Repetition(())
    assert broken("idle-upload>999%", [nothing], [ONE]) == ["0 to 100 bytes/h, from nothing"]
    assert broken("idle-upload>0%", [nothing], [nothing]) == []


def test_a_rule_on_a_state_that_a_side_did_not_observe_is_not_kept():
    assert broken("active-upload>+20%", [ONE], [ONE]) == [
        "cannot be judged: base and new observed no active time"
    ]


def test_an_impossible_country_of_the_new_side_is_found():
    far = {"52.23.61.14": "impossible"}
    near = {"52.23.61.14": "consistent"}
    assert broken("impossible", [ONE], [ONE], verdicts=far) == ["52.23.61.14 in US"]
    assert broken("impossible", [ONE], [ONE], verdicts=near) == []


def test_without_any_verified_country_nobody_knows_what_is_impossible():
    (said,) = broken("impossible", [ONE], [ONE])
    assert said.startswith("cannot be judged")


@pytest.mark.parametrize(
    "text",
    [
        *("", "new-moon", "idle-upload", "idle-upload>20", "idle-upload<20%", "unknown-upload>1%"),
        *("idle-upload>-5%", "upload>1e9%", "upload>99999999%", "NEW-HOST", "new-host new-asn"),
    ],
)
def test_what_is_no_rule_is_refused_with_all_that_are(text):
    with pytest.raises(RuleError) as error:
        read_rule(text)
    assert all(kind.form in str(error.value) for kind in KINDS)
